/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Iranian (Jalali) calendar and the clock of Tehran: UTC+3:30 all year since 2022.
 * Valid from 1979 to 2077 (33-year leap cycle, as the official calendar goes there).
 */
#ifndef RASAD_ENGINE_MATCH_JALALI_H
#define RASAD_ENGINE_MATCH_JALALI_H

#include <stdint.h>

struct jalali {
	int year, month, day;	  /* 1404, 8, 24 */
	int hour, minute, second; /* of Tehran */
	int weekday;		  /* 0: Saturday */
};

struct jalali jalali_of(int64_t unix_ns);

/* "Aban" as آبان, for 1..12; "" for others. */
const char *jalali_month_name(int month);

#endif
