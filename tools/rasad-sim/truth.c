/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-sim/truth.h"

#include <math.h>
#include <stdlib.h>

static const char *const recoveries[] = {"at_once", "linear", "exponential", "by_card"};

static void put_time(const struct sim *sim, FILE *f, const char *name, double at_s)
{
	fprintf(f, ",\"%s\":%lld000000", name,
		(long long)(sim->events.start_unix_ms + (int64_t)(fmax(at_s, 0) * 1000)));
}

static void write_world(const struct sim *sim, struct inventory_errors errors, FILE *f)
{
	const struct world *w = sim->world;
	const char *comma = "";

	fprintf(f, "{\"type\":\"world\",\"seed\":%llu,\"lines\":%u,\"days\":%u,\"misfit\":%g",
		(unsigned long long)w->seed, w->n_lines, w->days, w->misfit);
	put_time(sim, f, "first_unix_ns", 0);
	put_time(sim, f, "last_unix_ns", w->days * 86400.0);
	fprintf(f, ",\"evidence\":\"%s\",\"missing_columns\":[",
		w->radius_evidence ? "RADIUS" : "TAP");
	for (enum group_type type = 0; type < GROUP_TYPES; type++)
		if (w->style.missing[type]) {
			fprintf(f, "%s\"%s\"", comma, group_columns[type]);
			comma = ",";
		}
	fprintf(f, "],\"inventory\":{\"wrong\":%u,\"unplaced\":%u,\"absent\":%u,\"twice\":%u}",
		errors.wrong, errors.unplaced, errors.absent, errors.twice);
	fputs(",\"groups\":{", f);
	for (enum group_type type = 0; type < GROUP_TYPES; type++)
		fprintf(f, "%s\"%s\":%u", type ? "," : "", group_names[type], w->groups[type].n);
	fprintf(f,
		"},\"events\":%llu,\"late\":%llu,\"up\":%llu,\"suspect\":%llu,\"recovered\":%llu,"
		"\"down\":%llu,\"setup_failed\":%llu,\"own_drops\":%llu,\"nights\":%llu}\n",
		(unsigned long long)sim->events.written, (unsigned long long)sim->events.late,
		(unsigned long long)sim->events.counts[EVENT_UP],
		(unsigned long long)sim->events.counts[EVENT_SUSPECT],
		(unsigned long long)sim->events.counts[EVENT_RECOVERED],
		(unsigned long long)sim->events.counts[EVENT_DOWN],
		(unsigned long long)sim->events.counts[EVENT_SETUP_FAILED],
		(unsigned long long)sim->drops, (unsigned long long)sim->nights);
}

static int by_line(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

static int by_return(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	return (x->back_s > y->back_s) - (x->back_s < y->back_s);
}

/* A line that is hit in each episode is there once. */
static void put_hits(const struct world *world, const struct fault *fault, FILE *f)
{
	const char *comma = "";

	if (fault->n_hits)
		qsort(fault->hits, fault->n_hits, sizeof(*fault->hits), by_line);
	fputs(",\"hit\":[", f);
	for (uint32_t i = 0; i < fault->n_hits; i++) {
		if (i && fault->hits[i].line == fault->hits[i - 1].line)
			continue;
		fprintf(f, "%s\"%s\"", comma, world_line_name(world, fault->hits[i].line));
		comma = ",";
	}
	fputs("]}\n", f);
}

/* When nine of ten are back. */
static double back_90_s(const struct fault *fault)
{
	if (!fault->n_hits)
		return fault->to_s;
	qsort(fault->hits, fault->n_hits, sizeof(*fault->hits), by_return);
	return fault->hits[fault->n_hits * 9 / 10].back_s;
}

static void write_fault(const struct sim *sim, const struct fault *fault, FILE *f)
{
	const struct fault_kind *kind = fault->kind;
	char name[NAME_SIZE];

	name_group(sim->world, kind->type, fault->group, name);
	fprintf(f, "{\"type\":\"%s\",\"fault_id\":\"f%u\",\"kind\":\"%s\"",
		kind->category ? "fault" : "benign", fault->number, kind->name);
	if (kind->category)
		fprintf(f,
			",\"class\":\"%s\",\"category\":\"%s\",\"mix\":\"%s\",\"slot\":%u,\"recovery\":\"%s\"",
			kind->class, kind->category, mix_names[fault->mix], fault->slot,
			recoveries[fault->recovery]);
	fprintf(f, ",\"group_type\":\"%s\",\"group\":\"%s\",\"members\":%u,\"mapped\":%s",
		group_names[kind->type], name,
		world_group_lines(sim->world, kind->type, fault->group),
		kind->type < GROUP_ALL && !sim->world->style.missing[kind->type] ? "true"
										 : "false");
	fprintf(f, ",\"severity\":%g,\"smear_s\":%g,\"episodes\":%u", fault->severity,
		fault->smear_s, fault->episodes);
	put_time(sim, f, "t_on", fault->from_s);
	put_time(sim, f, "t_off", fault->to_s);
	put_time(sim, f, "t_90_back", back_90_s(fault));
	put_hits(sim->world, fault, f);
}

void truth_write(const struct sim *sim, struct inventory_errors errors, FILE *f)
{
	write_world(sim, errors, f);
	for (uint32_t i = 0; i < sim->plan->n_faults; i++)
		write_fault(sim, &sim->plan->faults[i], f);
}
