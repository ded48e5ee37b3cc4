/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Planned work, from a CSV file `group_type,group,from,to`: what is taken down, and when. Times are
 * RFC 3339 in UTC ("2026-03-21T00:30:00Z") or Unix seconds. Read-only once loaded.
 */
#ifndef RASAD_ENGINE_BASE_CALENDAR_H
#define RASAD_ENGINE_BASE_CALENDAR_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct calendar_plan {
	const char *group_type, *group; /* as incidents name them: "card", "DSLAM-7/3" */
	uint64_t from_ns, to_ns;	/* Unix time */
};

struct calendar {
	struct calendar_plan *plans; /* owned */
	uint32_t n;
	size_t bad; /* rows that were told and skipped */
	char *text; /* owned: what the plans point into */
};

/* 0; or -EINVAL when the file as a whole is of no use, or -ENOMEM: told on `complaints` (or NULL),
 * and the calendar is empty. A bad row is told with its line number and skipped. */
int calendar_load(struct calendar *calendar, const char *path, FILE *complaints);
/* The same from memory; `name` stands for the file in complaints. */
int calendar_parse(struct calendar *calendar, const char *text, size_t n, const char *name,
		   FILE *complaints);
void calendar_fini(struct calendar *calendar);

#endif
