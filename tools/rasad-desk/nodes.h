/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the elements of the network are, as last published: siblings of a caller's line, and a list
 * for people. Read every half minute through the index rasad:{n}:nodes, never by a scan.
 */
#ifndef RASAD_TOOLS_RASAD_DESK_NODES_H
#define RASAD_TOOLS_RASAD_DESK_NODES_H

#include <stddef.h>
#include <stdint.h>

#include "proto/rasad/v1/metrics.pb-c.h"

struct redis;

struct nodes {
	Rasad__V1__NodeSummary **list; /* owned, sorted by type and name */
	size_t n;
};

void nodes_fini(struct nodes *nodes);
/* Reads all of them anew. Returns 0 or -EIO; then nodes is as before. */
int nodes_read(struct nodes *nodes, struct redis *redis, int64_t wall_ms);
/* By "card:DSLAM-1/3"; or NULL. */
const Rasad__V1__NodeSummary *nodes_find(const struct nodes *nodes, const char *group);

#endif
