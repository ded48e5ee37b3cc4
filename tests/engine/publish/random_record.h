/* SPDX-License-Identifier: BSD-3-Clause */
/* Parts of records of any shape, the same in every run: odd numbers, wrong UTF-8, absences. */
#ifndef RASAD_TESTS_ENGINE_PUBLISH_RANDOM_RECORD_H
#define RASAD_TESTS_ENGINE_PUBLISH_RANDOM_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "engine/analysis/report.h"

uint64_t random64(void);
uint64_t random_count(void);
int64_t random_time(void); /* or REPORT_ABSENT */
void random_name(char *name, size_t size);
struct report_rtt random_rtt(void);
struct report_loss_sides random_loss_sides(void);

#endif
