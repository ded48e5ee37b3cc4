/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/match/verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/match/build.h"
#include "engine/match/draft.h"
#include "engine/match/say.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/card.pb-c.h"

#define LATENCY_FACTOR 1.3
#define LATENCY_MS     2 /* below that a factor of a few milliseconds says nothing */
#define LOSS_MAX       0.01
#define LOSS_PACKETS   500
#define RATE_MIN       0.9
#define ECHOES	       3
#define STATE(name)    RASAD__V1__VERIFY_STATE__VERIFY_STATE_##name

struct checks {
	struct build *build;
	Rasad__V1__VerifyResult *result;
	const struct verify_input *input;
	struct facts facts;
};

static void because(struct checks *checks, struct draft_term term)
{
	build_append(checks->build, &checks->result->reasons, &checks->result->n_reasons,
		     build_reason(checks->build, &term));
}

/* --- the single questions --- */

static int64_t cleared_at(const Rasad__V1__Incident *incident)
{
	return incident->has_clear_unix_ns_case ? incident->clear_unix_ns : 0;
}

static uint32_t drops_after(const struct checks *checks)
{
	const Rasad__V1__SubscriberCard *card = checks->input->card;
	int64_t cleared = cleared_at(checks->input->incident);
	uint32_t drops = facts_drops_since(card, cleared + 1);

	/* The list of sessions is short; the last drop is told apart from it. */
	if (!drops && card->has_last_down_unix_ns_case && card->last_down_unix_ns > cleared &&
	    checks->facts.state != RASAD__V1__LINE_STATE__LINE_STATE_DOWN)
		drops = 1;
	return drops;
}

static bool is_unstable(struct checks *checks)
{
	uint32_t drops = drops_after(checks);

	if (checks->facts.flapping)
		because(checks, TERM("LINE_FLAPPING", 0, .n = IS(checks->facts.flaps_1h)));
	if (drops)
		because(checks, TERM("V_DROPPED", 0, .n = IS(drops)));
	return checks->facts.flapping || drops;
}

static bool is_degraded(struct checks *checks)
{
	const struct facts *facts = &checks->facts;
	const struct measure *line = &facts->line;
	const struct ratio *loss = &facts->access_loss;
	double share = loss->packets ? (double)loss->lost / (double)loss->packets : 0;
	bool slow = line->n >= ECHOES && line->usual_ms > 0 &&
		    line->p50_ms > line->usual_ms * LATENCY_FACTOR &&
		    line->p50_ms > line->usual_ms + LATENCY_MS;
	bool lossy = loss->packets >= LOSS_PACKETS && share >= LOSS_MAX;
	bool low_rate = facts->line_rate_kbps && facts->usual_line_rate_kbps &&
			facts->line_rate_kbps < RATE_MIN * facts->usual_line_rate_kbps;

	if (line->n)
		because(checks, TERM("V_LATENCY", 0, .value = IS(line->p50_ms),
				     .baseline = {line->usual_ms > 0, line->usual_ms}, .unit = "ms",
				     .n = IS(line->n)));
	if (lossy)
		because(checks, TERM("V_LOSS", 0, .value = IS(share), .unit = "share",
				     .n = IS(loss->packets)));
	if (low_rate)
		because(checks, TERM("V_RATE", 0, .value = IS(facts->line_rate_kbps),
				     .baseline = IS(facts->usual_line_rate_kbps), .unit = "kbps"));
	return slow || lossy || low_rate;
}

/* Data both ways, or at least the modem's own answers. */
static bool is_alive(struct checks *checks)
{
	const Rasad__V1__SubscriberCard *card = checks->input->card;
	const struct facts *facts = &checks->facts;
	int64_t cleared = cleared_at(checks->input->incident);
	bool both = card->recent ? card->recent->bytes_up && card->recent->bytes_down
				 : card->summary->bytes_up && card->summary->bytes_down &&
					   facts->last_upstream_unix_ns > cleared;

	if (both)
		because(checks, TERM("V_TRAFFIC", 0));
	else if (facts->line.n >= ECHOES)
		because(checks, TERM("V_ECHOES", 0, .n = IS(facts->line.n)));
	else
		because(checks, TERM("V_NO_TRAFFIC", 0));
	return both || facts->line.n >= ECHOES;
}

static double up_for_s(const struct checks *checks)
{
	int64_t since = checks->facts.up_since_unix_ns;
	int64_t cleared = cleared_at(checks->input->incident);

	/* Up since before the tap listened: it counts from the repair. */
	if (!since || since < cleared)
		since = cleared;
	return (double)(checks->input->now_unix_ns - since) / (double)NS_PER_S;
}

/* --- the state --- */

static int state_of_down(struct checks *checks, int64_t age)
{
	because(checks, TERM("V_DOWN", 0));
	return age < VERIFY_WAIT_NS ? STATE(WAIT) : STATE(STILL_DOWN);
}

static int state_of_up(struct checks *checks, int64_t age)
{
	double up = up_for_s(checks);

	because(checks, TERM("V_UP", 0, .value = IS(up), .unit = "s"));
	if (is_unstable(checks))
		return STATE(UNSTABLE);
	if (age < VERIFY_WINDOW_NS || up * (double)NS_PER_S < (double)VERIFY_UP_NS)
		return STATE(VERIFYING);
	bool degraded = is_degraded(checks), alive = is_alive(checks);
	return degraded ? STATE(DEGRADED) : alive ? STATE(VERIFIED) : STATE(UP_NO_TRAFFIC);
}

static int state_of(struct checks *checks)
{
	int64_t cleared = cleared_at(checks->input->incident);
	int64_t age = checks->input->now_unix_ns - cleared;

	if (!cleared || age < 0)
		return STATE(WAIT);
	if (!checks->facts.watched) {
		because(checks, TERM("V_NO_CARD", 0));
		return STATE(UNKNOWN);
	}
	switch (checks->facts.state) {
	case RASAD__V1__LINE_STATE__LINE_STATE_UP:
		return state_of_up(checks, age);
	case RASAD__V1__LINE_STATE__LINE_STATE_DOWN:
	case RASAD__V1__LINE_STATE__LINE_STATE_SUSPECT:
		return state_of_down(checks, age);
	default:
		return STATE(UNKNOWN);
	}
}

/* --- what to say and do --- */

static const char *const codes[] = {
	[STATE(WAIT)] = "VERIFY_WAIT",
	[STATE(VERIFYING)] = "VERIFY_VERIFYING",
	[STATE(VERIFIED)] = "VERIFY_VERIFIED",
	[STATE(STILL_DOWN)] = "VERIFY_STILL_DOWN",
	[STATE(UNSTABLE)] = "VERIFY_UNSTABLE",
	[STATE(DEGRADED)] = "VERIFY_DEGRADED",
	[STATE(UP_NO_TRAFFIC)] = "VERIFY_UP_NO_TRAFFIC",
	[STATE(UNKNOWN)] = "VERIFY_UNKNOWN",
};

static const char *const actions[] = {
	[STATE(WAIT)] = "ACTION_KEEP_WATCHING",	       [STATE(VERIFYING)] = "ACTION_KEEP_WATCHING",
	[STATE(VERIFIED)] = "ACTION_CALL_BACK",	       [STATE(STILL_DOWN)] = "ACTION_TECHNICIAN",
	[STATE(UNSTABLE)] = "ACTION_TECHNICIAN",       [STATE(DEGRADED)] = "ACTION_NOISE_TEST",
	[STATE(UP_NO_TRAFFIC)] = "ACTION_RESTART_CPE", [STATE(UNKNOWN)] = "ACTION_MANUAL_CHECK",
};

static void say(struct checks *checks, enum text_language language, char **field)
{
	const Rasad__V1__Incident *incident = checks->input->incident;
	struct build_stream group, stream;
	char *node = NULL;
	FILE *out = build_open(checks->build, &group);

	if (out)
		say_group(out, language, incident->group_type, incident->group);
	build_close(checks->build, &group, &node);
	const struct text_value values[] = {
		{.name = "node", .kind = TEXT_WORDS, .text = node},
		{.name = "min",
		 .kind = TEXT_DURATION,
		 .number = checks->input->card ? up_for_s(checks) : 0},
	};
	out = build_open(checks->build, &stream);
	if (out)
		text_write(out, language, codes[checks->result->state], values, 2);
	build_close(checks->build, &stream, field);
	free(node);
}

static void identify(struct checks *checks)
{
	const struct verify_input *input = checks->input;
	Rasad__V1__VerifyResult *result = checks->result;

	build_text(checks->build, &result->incident_id, input->incident->incident_id);
	build_text(checks->build, &result->sub_id, input->sub_id);
	if (input->card && input->card->summary)
		build_text(checks->build, &result->line, input->card->summary->line);
	if (input->card)
		build_text(checks->build, &result->phone, input->card->phone);
	result->unix_ns = input->now_unix_ns;
	result->vip = input->vip;
	if (input->call_unix_ns) {
		result->call_unix_ns = input->call_unix_ns;
		result->has_call_unix_ns_case =
			RASAD__V1__VERIFY_RESULT__HAS_CALL_UNIX_NS_CALL_UNIX_NS;
	}
}

Rasad__V1__VerifyResult *verify_line(const struct verify_input *input)
{
	struct build build = {0};
	Rasad__V1__VerifyResult *result = malloc(sizeof(*result));
	struct checks checks = {
		.build = &build,
		.result = result,
		.input = input,
		.facts = facts_of(input->card, 0, input->now_unix_ns, input->wall_unix_ms),
	};

	if (!result)
		return NULL;
	rasad__v1__verify_result__init(result);
	identify(&checks);
	result->state = (Rasad__V1__VerifyState)state_of(&checks);
	result->call_back =
		result->state == STATE(VERIFIED) || result->state == STATE(UP_NO_TRAFFIC);
	if (input->repeat)
		because(&checks, TERM("V_REPEAT", 0));
	build_text(&build, &result->action, actions[result->state]);
	say(&checks, TEXT_FA, &result->text_fa);
	say(&checks, TEXT_EN, &result->text_en);
	if (!build.failed)
		return result;
	rasad__v1__verify_result__free_unpacked(result, NULL);
	return NULL;
}

bool verify_says_fixed(const Rasad__V1__VerifyResult *result)
{
	return result->state == STATE(VERIFIED);
}

/* --- the list --- */

double verify_priority(const Rasad__V1__VerifyResult *result)
{
	bool called = result->has_call_unix_ns_case && result->call_unix_ns;
	/* Seconds keep a double exact; each class is far above the longest wait. */
	double class = !result->call_back ? 3e10 : called ? 0 : result->vip ? 1e10 : 2e10;

	return class + (called ? floor((double)result->call_unix_ns / (double)NS_PER_S) : 0);
}

static int compare(const void *one, const void *other)
{
	const Rasad__V1__VerifyResult *a = *(Rasad__V1__VerifyResult *const *)one;
	const Rasad__V1__VerifyResult *b = *(Rasad__V1__VerifyResult *const *)other;
	double left = verify_priority(a), right = verify_priority(b);

	if (left < right || left > right)
		return left < right ? -1 : 1;
	return strcmp(a->sub_id, b->sub_id);
}

void verify_sort(Rasad__V1__VerifyResult **results, size_t n)
{
	qsort(results, n, sizeof(*results), compare);
}
