/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Leap years by the 33-year cycle: years whose remainder is 1, 5, 9, 13, 17, 22, 26 or 30. That is
 * what the official calendar does from 1343 to 1472. Days are counted from 1 Farvardin 1354 =
 * 21 March 1975, a date of record.
 */
#include "engine/match/jalali.h"

#include <stdbool.h>

#define TEHRAN_OFFSET_S 12600
#define EPOCH_YEAR	1354
#define EPOCH_DAYS	1905 /* from 1970-01-01 to 1975-03-21 */
#define DAY_S		86400

static bool is_leap(int year)
{
	static const bool leap[33] = {
		[1] = 1, [5] = 1, [9] = 1, [13] = 1, [17] = 1, [22] = 1, [26] = 1, [30] = 1};

	return leap[(year % 33 + 33) % 33];
}

static int days_of(int year)
{
	return 365 + is_leap(year);
}

/* Six months of 31 days, five of 30, and Esfand. */
static void month_and_day(int day_of_year, struct jalali *at)
{
	bool first_half = day_of_year < 186;
	int rest = first_half ? day_of_year : day_of_year - 186;
	int length = first_half ? 31 : 30;

	at->month = (first_half ? 1 : 7) + rest / length;
	at->day = rest % length + 1;
}

struct jalali jalali_of(int64_t unix_ns)
{
	int64_t s = unix_ns / 1000000000 - (unix_ns % 1000000000 < 0) + TEHRAN_OFFSET_S;
	int64_t days = s / DAY_S - (s % DAY_S < 0);
	int second = (int)(s - days * DAY_S);
	struct jalali at = {
		.year = EPOCH_YEAR,
		.hour = second / 3600,
		.minute = second / 60 % 60,
		.second = second % 60,
		.weekday = (int)(((days + 5) % 7 + 7) % 7), /* 1970-01-01 was a Thursday */
	};
	/* Whole cycles of 33 years (12053 days) first: a wild time must not cost a long loop. */
	int64_t rest = days - EPOCH_DAYS;
	int64_t cycles = rest / 12053 - (rest % 12053 < 0);

	at.year += (int)(cycles * 33);
	rest -= cycles * 12053;
	while (rest >= days_of(at.year))
		rest -= days_of(at.year++);
	month_and_day((int)rest, &at);
	return at;
}

const char *jalali_month_name(int month)
{
	static const char *const names[] = {"فروردین", "اردیبهشت", "خرداد", "تیر",
					    "مرداد",   "شهریور",   "مهر",   "آبان",
					    "آذر",     "دی",	   "بهمن",  "اسفند"};

	return month >= 1 && month <= 12 ? names[month - 1] : "";
}
