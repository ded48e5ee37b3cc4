/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-sim/event.h"

#include <stdlib.h>
#include <string.h>

#include "tools/rasad-sim/mem.h"

static const char *const kinds[] = {"UP", "SUSPECT", "RECOVERED", "DOWN", "SETUP_FAILED"};
static const char *const causes[] = {"",	  "LINE_LOST", "CPE_TERM",	  "CPE_POWER",
				     "ADMIN",	  "NAS_FAULT", "SESSION_TIMEOUT", "IDLE_TIMEOUT",
				     "AUTH_FAIL", "RESOURCE",  "REPLACED",	  "UNKNOWN"};
static const char *const stages[] = {"", "AUTH_REJECT", "AUTH_SILENT", "NCP"};

void events_add(struct events *events, struct event event)
{
	if (events->n == events->room) {
		events->room = events->room ? 2 * events->room : 4096;
		events->at = mem_grow(events->at, events->room, sizeof(*events->at));
	}
	events->at[events->n++] = event;
}

void events_fini(struct events *events)
{
	free(events->at);
	*events = (struct events){0};
}

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->told_ms != y->told_ms)
		return (x->told_ms > y->told_ms) - (x->told_ms < y->told_ms);
	if (x->line != y->line)
		return (x->line > y->line) - (x->line < y->line);
	return (x->late_ms < y->late_ms) - (x->late_ms > y->late_ms);
}

/* printf would be half of the program's time. */
static char *put_text(char *out, const char *text)
{
	return stpcpy(out, text);
}

static char *put_ms(char *out, int64_t unix_ms)
{
	char digits[24];
	int n = 0;

	for (; unix_ms; unix_ms /= 10)
		digits[n++] = (char)('0' + unix_ms % 10);
	while (n)
		*out++ = digits[--n];
	return put_text(out, "000000");
}

static void write_event(const struct events *events, const struct world *world,
			const struct event *e, FILE *f)
{
	int64_t at_ms = events->start_unix_ms + (int64_t)(e->told_ms - e->late_ms);
	char line[512], *out = put_text(line, "{\"type\":\"session_event\",\"unix_ns\":");

	out = put_text(put_ms(out, at_ms), ",\"line\":\"");
	out = put_text(put_text(out, world_line_name(world, e->line)), "\",\"kind\":\"");
	out = put_text(put_text(out, kinds[e->kind]), "\"");
	if (e->cause)
		out = put_text(put_text(put_text(out, ",\"cause\":\""), causes[e->cause]), "\"");
	if (e->stage)
		out = put_text(put_text(put_text(out, ",\"stage\":\""), stages[e->stage]), "\"");
	if (e->since_ms)
		out = put_ms(put_text(out, ",\"down_since_unix_ns\":"), at_ms - e->since_ms);
	if (world->radius_evidence)
		out = put_text(out, ",\"evidence\":\"RADIUS\"");
	out = put_text(out, "}\n");
	fwrite(line, 1, (size_t)(out - line), f);
}

void events_write(struct events *events, const struct world *world, FILE *f, uint64_t until_ms)
{
	size_t n = 0;

	if (events->n)
		qsort(events->at, events->n, sizeof(*events->at), by_time);
	for (; n < events->n && events->at[n].told_ms < until_ms; n++) {
		write_event(events, world, &events->at[n], f);
		events->counts[events->at[n].kind]++;
		events->late += events->at[n].late_ms > 0;
	}
	events->written += n;
	events->n -= n;
	if (events->n)
		memmove(events->at, events->at + n, events->n * sizeof(*events->at));
}
