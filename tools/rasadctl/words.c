/* SPDX-License-Identifier: BSD-3-Clause */
/* Enums, times and foreign texts in words that a person reads. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/utf8.h"
#include "tools/lib/tidy.h"
#include "tools/rasadctl/ctl.h"

#define NS_PER_S 1000000000

static const struct {
	const char *name, *words;
} causes[] = {
	{"", ""},
	{"LINE_LOST", "the modem went silent (line, power or modem)"},
	{"CPE_TERM", "the modem ended the session"},
	{"CPE_POWER", "the modem lost its power"},
	{"ADMIN", "ended by the ISP"},
	{"NAS_FAULT", "the BRAS failed"},
	{"SESSION_TIMEOUT", "the session's time was up (regular reconnect)"},
	{"IDLE_TIMEOUT", "the line was idle too long"},
	{"AUTH_FAIL", "user name or password was refused"},
	{"RESOURCE", "the BRAS had no address or room left"},
	{"REPLACED", "a new session took its place"},
	{"LOOPBACK", "the line is looped back"},
	{"UNKNOWN", "cause not known"},
};

static const char *const stages[] = {
	"",
	"the BRAS did not answer the modem's call (PADI)",
	"the BRAS did not grant a session (PADR)",
	"modem and BRAS did not agree on the link (LCP)",
	"user name or password was refused",
	"no answer to user name and password (RADIUS)",
	"no address was assigned (IPCP, IPv6CP)",
};

static const char *const states[] = {"UNKNOWN", "UP", "SUSPECT", "DOWN"};

#define PICK(table, index, other)                                                                  \
	((index) >= 0 && (size_t)(index) < sizeof(table) / sizeof(*(table)) ? (table)[index]       \
									    : (other))

const char *cause_words(int cause)
{
	return PICK(causes, cause, causes[12]).words;
}

const char *cause_name(int cause)
{
	return PICK(causes, cause, causes[12]).name;
}

const char *stage_words(int stage)
{
	return PICK(stages, stage, "stage not known");
}

const char *state_name(int state)
{
	return PICK(states, state, "UNKNOWN");
}

const char *colour_of_state(const struct ctl *ctl, int state)
{
	static const char *const colours[] = {"\033[35m", "\033[32m", "\033[33m", "\033[1;31m"};

	return ctl->colour ? PICK(colours, state, "") : "";
}

const char *colour_end(const struct ctl *ctl)
{
	return ctl->colour ? "\033[0m" : "";
}

/* --- foreign text --- */

const char *tidy(const char *text)
{
	static char buffers[4][1024]; /* four in one printf */
	static unsigned next;
	char *out = buffers[next++ % 4];

	tidy_text(out, sizeof(buffers[0]), text);
	return out;
}

void print_label(const char *text)
{
	printf("  %-10s ", text);
}

void print_cell(const char *text, int columns)
{
	const char *clean = tidy(text);
	int shown = 0;

	for (size_t length; *clean && shown < columns; clean += length, shown++) {
		length = utf8_length(clean, strlen(clean));
		if (shown == columns - 1 && clean[length]) {
			fputs("\xE2\x80\xA6", stdout); /* … */
			clean += strlen(clean);
			shown++;
			break;
		}
		fwrite(clean, length, 1, stdout);
	}
	printf("%*s", columns - shown, "");
}

/* --- time --- */

int64_t now_unix_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * (int64_t)NS_PER_S + now.tv_nsec;
}

const char *format_time(int64_t unix_ns, char out[TIME_SIZE])
{
	time_t seconds = (time_t)(unix_ns / NS_PER_S);
	struct tm local;

	if (!localtime_r(&seconds, &local) ||
	    !strftime(out, TIME_SIZE, "%Y-%m-%d %H:%M:%S", &local))
		snprintf(out, TIME_SIZE, "@%lld", (long long)seconds);
	return out;
}

const char *format_clock(int64_t unix_ns, char out[TIME_SIZE])
{
	const char *space = strchr(format_time(unix_ns, out), ' ');

	return space ? space + 1 : out;
}

int64_t ns_between(int64_t a, int64_t b)
{
	int64_t ns;

	if (!__builtin_sub_overflow(b, a, &ns))
		return ns;
	return b > a ? INT64_MAX : INT64_MIN;
}

const char *format_share(double share, char out[TIME_SIZE])
{
	if (share >= 0 && share <= 1)
		snprintf(out, TIME_SIZE, "%.0f%%", 100 * share);
	else
		strcpy(out, "?");
	return out;
}

const char *format_span(int64_t ns, char out[TIME_SIZE])
{
	long long s = ns > 0 ? ns / NS_PER_S : 0;

	if (s < 100)
		snprintf(out, TIME_SIZE, "%lld s", s);
	else if (s < 3600)
		snprintf(out, TIME_SIZE, "%lld min", s / 60);
	else if (s < 24 * 3600)
		snprintf(out, TIME_SIZE, "%lld h %lld min", s / 3600, s / 60 % 60);
	else
		snprintf(out, TIME_SIZE, "%lld d %lld h", s / 86400, s / 3600 % 24);
	return out;
}

static bool parse_ago(const char *text, int64_t *unix_ns)
{
	static const char units[] = "smhd";
	static const long long seconds[] = {1, 60, 3600, 86400};
	char *end;
	long long value = strtoll(text, &end, 10);
	const char *unit = *end && !end[1] ? strchr(units, *end) : NULL;

	if (!isdigit((unsigned char)*text) || !unit || value > 100000000)
		return false;
	*unix_ns = now_unix_ns() - value * seconds[unit - units] * NS_PER_S;
	return true;
}

bool parse_since(const char *text, int64_t *unix_ns)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};
	char *end;

	if (*text == '@') {
		long long seconds = strtoll(text + 1, &end, 10);
		if (!isdigit((unsigned char)text[1]) || *end || seconds >= 9000000000)
			return false;
		*unix_ns = seconds * NS_PER_S;
		return true;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm local = {.tm_isdst = -1};
		const char *rest = strptime(text, forms[i], &local);
		if (rest && !*rest && local.tm_year < 300) {
			*unix_ns = mktime(&local) * (int64_t)NS_PER_S;
			return true;
		}
	}
	return parse_ago(text, unix_ns);
}
