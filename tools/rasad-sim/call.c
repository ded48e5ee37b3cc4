/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-sim/call.h"

#include <math.h>
#include <stdlib.h>

#include "tools/rasad-sim/inventory.h"
#include "tools/rasad-sim/life.h"
#include "tools/rasad-sim/mem.h"

#define DAY_S		86400.0
#define OTHERS_A_DAY	0.003 /* calls per line without a fault behind them */
#define WRONG_WORDS	0.1
#define UNKNOWN_NUMBERS 0.05
#define FRIENDS		12 /* lines tried until one with the phone's owner at home is found */

enum complaint { OUTAGE, SLOW, PING, FLAP, OTHER };
enum hypothesis { INCIDENT, OWN_LINE, CPE_HOME, ACCOUNT, OWN_SAT, NFF, STRANGER };

static const char *const complaints[] = {"OUTAGE", "SLOW", "PING", "FLAP", "OTHER"};
static const char *const hypotheses[] = {"INCIDENT", "OWN_LINE", "CPE_HOME",	      "ACCOUNT",
					 "OWN_SAT",  "NFF",	 "UNKNOWN_SUBSCRIBER"};

void calls_fini(struct calls *calls)
{
	free(calls->at);
	*calls = (struct calls){0};
}

static void add(struct calls *calls, struct rng *rng, struct call call)
{
	if (calls->n == calls->room) {
		calls->room = calls->room ? 2 * calls->room : 1024;
		calls->at = mem_grow(calls->at, calls->room, sizeof(*calls->at));
	}
	if (rng_chance(rng, WRONG_WORDS))
		call.complaint = (uint8_t)rng_below(rng, OTHER + 1);
	call.number = calls->n + 1;
	calls->at[calls->n++] = call;
}

/* People are quicker to call in the evening; whoever is not at home notices later, or never. */
void calls_consider(struct sim *sim, uint32_t line, const struct outage *o, double back_s)
{
	struct rng rng =
		rng_make(sim->world->seed, RNG_CALL, rng_hash(line, (uint64_t)(o->from_s * 1000)));
	double hour = fmod(o->from_s / 3600, 24), noticed_s = o->from_s, call_s;
	double chance = hour < 7 ? 0.03 : hour < 18 ? 0.08 : 0.15;
	bool fault = o->fault && o->fault->kind->category, own = !o->fault && o->loss == LOSS_LINE;

	if (!sim->calls.wanted || !(fault || own || o->rejected_s > 0))
		return;
	while (noticed_s < back_s && !line_active(sim->world, &rng, line, noticed_s))
		noticed_s += rng_exponential(&rng, 1800);
	call_s = noticed_s + rng_lognormal(&rng, 8 * 60, 0.8);
	if (noticed_s >= back_s || !rng_chance(&rng, chance) ||
	    (call_s > back_s && !rng_chance(&rng, 0.3)))
		return;
	add(&sim->calls, &rng,
	    (struct call){.at_s = call_s,
			  .noticed_s = noticed_s,
			  .line = line,
			  .fault = fault ? o->fault->number : 0,
			  .complaint = OUTAGE,
			  .hypothesis = fault		    ? INCIDENT
					: o->rejected_s > 0 ? ACCOUNT
							    : OWN_LINE});
}

static void add_others(struct sim *sim)
{
	static const double why[] = {0, 0, 30, 10, 15, 45};
	static const uint8_t says[] = {OUTAGE, OUTAGE, SLOW, OTHER, SLOW, SLOW};
	struct rng rng = rng_make(sim->world->seed, RNG_CALL, 0);
	double end_s = sim->world->days * DAY_S, at_s = 0;
	double mean_s = DAY_S / (OTHERS_A_DAY * sim->world->n_lines);

	while ((at_s += rng_exponential(&rng, mean_s)) < end_s) {
		uint32_t line = rng_below(&rng, sim->world->n_lines);
		uint32_t hypothesis = rng_pick(&rng, why, 6);

		for (int i = 0; i < FRIENDS && !line_active(sim->world, &rng, line, at_s); i++)
			line = rng_below(&rng, sim->world->n_lines);
		add(&sim->calls, &rng,
		    (struct call){.at_s = at_s,
				  .noticed_s = at_s - rng_exponential(&rng, 1200),
				  .line = line,
				  .complaint = rng_chance(&rng, 0.2) ? PING : says[hypothesis],
				  .hypothesis = (uint8_t)(rng_chance(&rng, UNKNOWN_NUMBERS)
								  ? STRANGER
								  : hypothesis)});
	}
}

static int by_time(const void *a, const void *b)
{
	const struct call *x = a, *y = b;

	return x->at_s != y->at_s ? (x->at_s > y->at_s) - (x->at_s < y->at_s)
				  : (x->number > y->number) - (x->number < y->number);
}

static void write_call(const struct sim *sim, const struct call *call, FILE *f, FILE *truth)
{
	int64_t start = sim->events.start_unix_ms;
	char phone[NAME_SIZE];

	if (call->hypothesis == STRANGER)
		snprintf(phone, sizeof(phone), "026%08u", 33000000 + call->number);
	else
		phone_of(sim->world, call->line, phone);
	fprintf(f,
		"{\"type\":\"call_event\",\"call_id\":\"c%06u\",\"unix_ns\":%lld000000,\"phone\":\"%s\","
		"\"complaint\":\"%s\",\"reported_start_unix_ns\":%lld000000}\n",
		call->number, (long long)(start + (int64_t)(call->at_s * 1000)), phone,
		complaints[call->complaint],
		(long long)(start + (int64_t)(fmax(call->noticed_s, 0) * 1000)));
	fprintf(truth, "{\"type\":\"call\",\"call_id\":\"c%06u\",\"true_hypothesis\":\"%s\"",
		call->number, hypotheses[call->hypothesis]);
	if (call->hypothesis != STRANGER)
		fprintf(truth, ",\"line\":\"%s\"", world_line_name(sim->world, call->line));
	if (call->fault)
		fprintf(truth, ",\"fault_id\":\"f%u\"", call->fault);
	fputs("}\n", truth);
}

void calls_write(struct sim *sim, const char *folder, FILE *truth)
{
	FILE *f;

	if (!sim->calls.wanted)
		return;
	add_others(sim);
	qsort(sim->calls.at, sim->calls.n, sizeof(*sim->calls.at), by_time);
	f = file_create(folder, "calls.ndjson");
	for (uint32_t i = 0; i < sim->calls.n; i++)
		if (sim->calls.at[i].at_s < sim->world->days * DAY_S)
			write_call(sim, &sim->calls.at[i], f, truth);
	file_close(f, "calls.ndjson");
}
