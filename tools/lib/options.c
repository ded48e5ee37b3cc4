/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/lib/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 64, HELP_COLUMN = 27 };

int option_next(int argc, char **argv, const char *shorts, const struct option_row *rows, size_t n)
{
	struct option options[MAX_ROWS + 1] = {0};

	for (size_t i = 0; i < n && i < MAX_ROWS; i++)
		options[i] = rows[i].option;
	return getopt_long(argc, argv, shorts, options, NULL);
}

static void print_text(const char *text)
{
	for (; *text; text++) {
		putchar(*text);
		if (*text == '\n')
			printf("%*s", HELP_COLUMN, "");
	}
	putchar('\n');
}

void option_help(const char *shorts, const struct option_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *argument = rows[i].argument;
		int letter = rows[i].option.val;
		char left[64], initial[8] = "    ";

		if (strchr(shorts, letter))
			snprintf(initial, sizeof initial, "-%c, ", letter);
		snprintf(left, sizeof left, "%s--%s%s%s", initial, rows[i].option.name,
			 argument ? " " : "", argument ? argument : "");
		printf("  %-*s ", HELP_COLUMN - 3, left);
		print_text(rows[i].help);
	}
}

int option_wrong(const char *what, const char *value, const char *expected)
{
	fprintf(stderr, "%s: %s '%s': expected %s\n", program_invocation_short_name, what, value,
		expected);
	return OPTION_WRONG;
}

int option_number(const char *name, const char *text, uint32_t min, uint32_t max, uint32_t *to)
{
	char *end, range[64];
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || value < min || value > max) {
		snprintf(range, sizeof range, "a number from %u to %u", min, max);
		return option_wrong(name, text, range);
	}
	*to = (uint32_t)value;
	return OPTION_OK;
}

int option_mac(const char *name, const char *text, uint8_t (*macs)[6], uint32_t *n, uint32_t max)
{
	unsigned m[6];
	char expected[32];
	int length = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5],
		   &length) != 6 ||
	    text[length])
		return option_wrong(name, text, "a MAC like 02:b0:00:00:00:01");
	if (*n == max) {
		snprintf(expected, sizeof expected, "at most %u of them", max);
		return option_wrong(name, text, expected);
	}
	for (int i = 0; i < 6; i++)
		macs[*n][i] = (uint8_t)m[i];
	++*n;
	return OPTION_OK;
}
