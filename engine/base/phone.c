/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/phone.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define COUNTRY_CODE "98"
#define DIGITS_MIN   7	/* a local number of a small town with its area code is longer */
#define DIGITS_MAX   15 /* E.164 */

/*
 * Reads one digit at *text: ASCII, Arabic-Indic (U+0660, D9 A0) or Persian (U+06F0, DB B0).
 * Returns it and moves on, or -1.
 */
static int read_digit(const char **text)
{
	const unsigned char *at = (const unsigned char *)*text;

	if (at[0] >= '0' && at[0] <= '9') {
		*text += 1;
		return at[0] - '0';
	}
	unsigned zero = at[0] == 0xD9 ? 0xA0 : at[0] == 0xDB ? 0xB0 : 0;
	if (!zero || at[1] < zero || at[1] > zero + 9)
		return -1;
	*text += 2;
	return (int)(at[1] - zero);
}

/* Writing marks that carry no meaning, the bidi marks that Persian texts bring along included. */
static size_t mark_length(const char *text)
{
	static const char *const marks[] = {"\xE2\x80\x8E", "\xE2\x80\x8F", "\xE2\x81\xA6",
					    "\xE2\x81\xA8", "\xE2\x81\xA9", "\xC2\xA0",
					    "\xE2\x80\x8C", "\xE2\x80\x93"};

	if (strchr(" \t-().", *text))
		return 1;
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (!strncmp(text, marks[i], strlen(marks[i])))
			return strlen(marks[i]);
	return 0;
}

/* All digits of text, '+' in front noted. Returns their number, or -EINVAL. */
static int read_digits(const char *text, char *digits, int max, int *plus)
{
	int n = 0;

	*plus = 0;
	while (*text) {
		size_t mark = mark_length(text);
		if (mark) {
			text += mark;
			continue;
		}
		if (*text == '+' && !n && !*plus) {
			*plus = 1;
			text++;
			continue;
		}
		int digit = read_digit(&text);
		if (digit < 0 || n == max)
			return -EINVAL;
		digits[n++] = (char)('0' + digit);
	}
	digits[n] = 0;
	return n;
}

int phone_normalise(const char *text, char out[PHONE_SIZE])
{
	char digits[DIGITS_MAX + 3]; /* "00" in front */
	int plus;
	int n = read_digits(text, digits, DIGITS_MAX + 2, &plus);
	const char *national = digits;
	const char *country = "";

	if (n < 0)
		return n;
	if (!plus && digits[0] == '0') {
		bool international = digits[1] == '0';
		national += international ? 2 : 1;
		country = international ? "" : COUNTRY_CODE;
	}
	/* "98" and 10 digits: the country code without its plus. */
	else if (!plus && !(n == 12 && !strncmp(digits, COUNTRY_CODE, 2)))
		country = COUNTRY_CODE;
	size_t n_country = strlen(country), n_national = strlen(national);
	if (n_national < DIGITS_MIN || n_country + n_national > DIGITS_MAX || *national == '0')
		return -EINVAL;
	out[0] = '+';
	memcpy(out + 1, country, n_country);
	memcpy(out + 1 + n_country, national, n_national + 1);
	return 0;
}
