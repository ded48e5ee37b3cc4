/* SPDX-License-Identifier: BSD-3-Clause */
/* Values in both languages, and the filling of templates. The catalogue is catalogue.c. */
#include "engine/match/texts.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "engine/match/catalogue.h"
#include "engine/match/jalali.h"
#include "proto/utf8.h"

#define NS_PER_S       1000000000ll
#define DAY_S	       86400
#define ISOLATE	       "\xE2\x81\xA8" /* U+2068: takes the direction of what follows */
#define END_ISOLATE    "\xE2\x81\xA9" /* U+2069 */
#define NAME_BYTES_MAX 120

/* --- digits --- */

/* Writes text with Persian digits, decimal and thousands marks. */
static void write_digits(FILE *out, enum text_language language, const char *text)
{
	for (; *text; text++)
		if (language == TEXT_FA && *text >= '0' && *text <= '9')
			fprintf(out, "\xDB%c", 0xB0 + *text - '0');
		else if (language == TEXT_FA && *text == '.')
			fputs("٫", out);
		else if (language == TEXT_FA && *text == ',')
			fputs("٬", out);
		else
			fputc(*text, out);
}

static void write_count(FILE *out, enum text_language language, double number)
{
	char digits[32], grouped[48];
	int n = snprintf(digits, sizeof(digits), "%.0f", fmin(fabs(number), 1e15)), at = 0;

	if (number <= -0.5)
		grouped[at++] = '-';
	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			grouped[at++] = ',';
		grouped[at++] = digits[i];
	}
	grouped[at] = 0;
	write_digits(out, language, grouped);
}

static void write_decimal(FILE *out, enum text_language language, double number)
{
	char text[48];
	double magnitude = fmin(fabs(number), 1e15);
	int n = snprintf(text, sizeof(text), "%s%.*f", number < 0 ? "-" : "",
			 magnitude >= 100  ? 0
			 : magnitude >= 10 ? 1
					   : 2,
			 magnitude);

	if (strchr(text, '.')) {
		while (text[n - 1] == '0')
			text[--n] = 0;
		if (text[n - 1] == '.')
			text[--n] = 0;
	}
	write_digits(out, language, text);
}

/* --- names --- */

static bool is_hidden(const char *text, size_t length)
{
	const unsigned char *at = (const unsigned char *)text;

	if (length == 1)
		return at[0] < ' ' || at[0] == 0x7F;
	if (length == 2)
		return at[0] == 0xC2 && at[1] < 0xA0; /* C1 controls */
	if (length != 3 || at[0] != 0xE2)
		return false;
	return (at[1] == 0x80 &&
		(at[2] == 0x8E || at[2] == 0x8F || (at[2] >= 0xA8 && at[2] <= 0xAE))) ||
	       (at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9);
}

static void write_name(FILE *out, enum text_language language, const char *text)
{
	size_t n = strlen(text), written = 0;

	if (language == TEXT_FA)
		fputs(ISOLATE, out);
	while (n && written < NAME_BYTES_MAX) {
		size_t length = utf8_length(text, n);
		if (!length)
			fputs(UTF8_REPLACEMENT, out);
		else if (!is_hidden(text, length))
			fwrite(text, 1, length, out);
		length += !length;
		text += length;
		n -= length;
		written += length;
	}
	if (n)
		fputs("…", out);
	if (language == TEXT_FA)
		fputs(END_ISOLATE, out);
}

/* --- time --- */

/* Proleptic Gregorian date of the day, by Howard Hinnant's public algorithm. */
static void gregorian(int64_t days, int *year, int *month, int *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t doe = days - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400) + (*month <= 2);
}

static int64_t tehran_day(int64_t unix_ns)
{
	int64_t s = unix_ns / NS_PER_S + 12600;

	return s / DAY_S - (s % DAY_S < 0);
}

static void write_time(FILE *out, enum text_language language, int64_t unix_ns, int64_t now)
{
	struct jalali at = jalali_of(unix_ns);
	char text[64];
	bool today = now && tehran_day(now) == tehran_day(unix_ns);

	if (language == TEXT_FA) {
		snprintf(text, sizeof(text), "%d:%02d", at.hour, at.minute);
		write_digits(out, language, text);
		if (today)
			return;
		snprintf(text, sizeof(text), " روز %d %s %d", at.day, jalali_month_name(at.month),
			 at.year);
		write_digits(out, language, text);
		return;
	}
	int year, month, day;
	gregorian(tehran_day(unix_ns), &year, &month, &day);
	if (!today)
		fprintf(out, "%04d-%02d-%02d ", year, month, day);
	fprintf(out, "%02d:%02d", at.hour, at.minute);
}

/* The two largest units: 6 d 4 h, 22 min. */
static void write_duration(FILE *out, enum text_language language, double seconds)
{
	static const struct {
		int64_t s;
		const char *fa, *en;
	} units[] = {
		{86400, "روز", "d"}, {3600, "ساعت", "h"}, {60, "دقیقه", "min"}, {1, "ثانیه", "s"}};
	int64_t rest = (int64_t)fmin(fmax(seconds, 0), 1e12);
	int written = 0;

	for (size_t i = 0; i < sizeof(units) / sizeof(*units) && written < 2; i++) {
		int64_t n = rest / units[i].s;
		bool last = i == 3;
		rest %= units[i].s;
		if (!n && !(last && !written))
			continue;
		if (last && written) /* 3 min 20 s: nobody says the seconds */
			break;
		if (written++)
			fputs(language == TEXT_FA ? " و " : " ", out);
		write_count(out, language, (double)n);
		fprintf(out, " %s", language == TEXT_FA ? units[i].fa : units[i].en);
	}
}

static void write_rate(FILE *out, enum text_language language, double kbps)
{
	static const char *const fa[] = {"کیلوبیت بر ثانیه", "مگابیت بر ثانیه", "گیگابیت بر ثانیه"};
	static const char *const en[] = {"kb/s", "Mb/s", "Gb/s"};
	int unit = 0;

	for (; unit < 2 && kbps >= 1000; unit++)
		kbps /= 1000;
	write_decimal(out, language, kbps);
	fprintf(out, " %s", language == TEXT_FA ? fa[unit] : en[unit]);
}

void text_write_value(FILE *out, enum text_language language, const struct text_value *value)
{
	switch (value->kind) {
	case TEXT_NAME:
		write_name(out, language, value->text ? value->text : "");
		return;
	case TEXT_WORDS:
		fputs(value->text ? value->text : "", out);
		return;
	case TEXT_COUNT:
		write_count(out, language, value->number);
		return;
	case TEXT_DECIMAL:
		write_decimal(out, language, value->number);
		return;
	case TEXT_PERCENT:
		/* "certain" is nothing that a machine should say. */
		write_count(out, language,
			    fmin(floor(value->number * 100 + 0.5), value->number < 1 ? 99 : 100));
		return;
	case TEXT_TIME:
		write_time(out, language, value->unix_ns, value->now_unix_ns);
		return;
	case TEXT_DURATION:
		write_duration(out, language, value->number);
		return;
	case TEXT_RATE:
		write_rate(out, language, value->number);
		return;
	}
}

/* --- templates --- */

static bool is_latin(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Latin words in a Persian text are isolated, too: a Persian digit behind "SNR" would join it. */
static void write_plain(FILE *out, enum text_language language, const char *text, size_t n)
{
	bool inside = false;

	for (size_t i = 0; i < n; i++) {
		bool latin = language == TEXT_FA &&
			     (is_latin(text[i]) ||
			      (inside && text[i] == '/' && i + 1 < n && is_latin(text[i + 1])));
		if (latin != inside)
			fputs(latin ? ISOLATE : END_ISOLATE, out);
		inside = latin;
		fputc(text[i], out);
	}
	if (inside)
		fputs(END_ISOLATE, out);
}

static const struct text_value *find(const struct text_value *values, size_t n, const char *name,
				     size_t length)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(values[i].name) == length && !memcmp(values[i].name, name, length))
			return &values[i];
	return NULL;
}

const char *text_template(enum text_language language, const char *code)
{
	const struct catalogue_entry *entry = catalogue_find(code);

	return !entry ? NULL : language == TEXT_FA ? entry->fa : entry->en;
}

int text_write(FILE *out, enum text_language language, const char *code,
	       const struct text_value *values, size_t n)
{
	const char *at = text_template(language, code);
	int result = 0;

	if (!at)
		return -ENOENT;
	while (*at) {
		size_t plain = strcspn(at, "{");
		write_plain(out, language, at, plain);
		at += plain;
		if (!*at)
			break;
		size_t length = strcspn(at, "}") - 1;
		const struct text_value *value = find(values, n, at + 1, length);
		if (value)
			text_write_value(out, language, value);
		else {
			fputc('?', out);
			result = -EINVAL;
		}
		at += length + 2;
	}
	return result;
}

const char *text_code(size_t index)
{
	return index < catalogue_size ? catalogue[index].code : NULL;
}
