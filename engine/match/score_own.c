/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The six hypotheses that need no incident. Weights are those of algorithms.md 2.5.2, and where it
 * has no word for something that the card shows, one of ours: a modem that ended the session
 * itself, a line that is silent but not yet given up, loss and latency of the line, a network that
 * gives no address, a line that was down a while ago.
 */
#include "engine/match/draft.h"

#include <math.h>

#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/card.pb-c.h"

#define SIBLINGS_MIN  4
#define SIBLINGS_DOWN 0.1
#define HOME_HIGH_MS  30

static bool is(const struct scene *scene, int state)
{
	return scene->facts.state == state;
}

#define IS_DOWN(scene)	  is(scene, RASAD__V1__LINE_STATE__LINE_STATE_DOWN)
#define IS_SUSPECT(scene) is(scene, RASAD__V1__LINE_STATE__LINE_STATE_SUSPECT)

static bool complains_of(const struct scene *scene, int one, int other)
{
	return scene->complaint == one || scene->complaint == other;
}

static double seconds_since(const struct scene *scene, int64_t unix_ns)
{
	int64_t now = scene->input->now_unix_ns;

	return unix_ns && now > unix_ns ? (double)(now - unix_ns) / (double)NS_PER_S : 0;
}

/* --- the line --- */

/* Ended by somebody who meant to: no fault of the line. */
static bool was_meant(int cause)
{
	return cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_ADMIN ||
	       cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_SESSION_TIMEOUT ||
	       cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_IDLE_TIMEOUT ||
	       cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_AUTH_FAIL ||
	       cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_CPE_POWER ||
	       cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_CPE_TERM;
}

static void add_siblings(struct draft *draft, const struct scene *scene)
{
	const Rasad__V1__NodeSummary *siblings = scene->input->siblings;

	if (!siblings || siblings->lines < SIBLINGS_MIN)
		return;
	uint64_t others = siblings->down - (siblings->down > 0); /* less the line itself */
	if ((double)others <= SIBLINGS_DOWN * (double)siblings->lines)
		draft_add(draft, TERM("SIBLINGS_FINE", 0.5, .value = IS((double)others),
				      .n = IS(siblings->lines - 1)));
}

static void add_down(struct draft *draft, const struct scene *scene)
{
	const struct facts *facts = &scene->facts;
	double since = seconds_since(scene, facts->down_since_unix_ns);

	if (IS_DOWN(scene)) {
		if (!scene->bad_member && !was_meant(facts->drop_cause) && !facts->core_refused &&
		    !facts->rejected_unix_ns)
			draft_add(draft,
				  TERM("LINE_DOWN_ALONE", 2.5, .value = IS(since), .unit = "s"));
		add_siblings(draft, scene);
	} else if (IS_SUSPECT(scene) && !scene->bad_member) {
		draft_add(draft,
			  TERM("LINE_SUSPECT", 1.5,
			       .value = IS(seconds_since(scene, facts->last_upstream_unix_ns)),
			       .unit = "s"));
	}
}

/* It was down and is back: what the caller means, unless it is long ago. */
static void add_recent_drop(struct draft *draft, const struct scene *scene)
{
	double minutes = seconds_since(scene, scene->facts.back_unix_ns) / 60;
	double weight = complains_of(scene, RASAD__V1__COMPLAINT__COMPLAINT_SLOW,
				     RASAD__V1__COMPLAINT__COMPLAINT_PING)
				? 1
				: 3.5;

	if (scene->own_drop)
		draft_add(draft, TERM("LINE_RECENT_DROP", fmax(0, weight - minutes / 30),
				      .value = IS(minutes * 60), .unit = "s"));
}

static void add_quality(struct draft *draft, const struct scene *scene)
{
	const struct facts *facts = &scene->facts;
	const struct ratio *loss = &facts->access_loss;

	if (facts->rate_drop)
		draft_add(draft, TERM("LINE_RATE_DROP", 2, .value = IS(facts->line_rate_kbps),
				      .baseline = IS(facts->usual_line_rate_kbps), .unit = "kbps"));
	if (facts->has_snr && facts->snr_db < 10)
		draft_add(draft, TERM(facts->snr_db < 6 ? "LINE_SNR_BAD" : "LINE_SNR_LOW",
				      facts->snr_db < 6 ? 2.5 : 1, .value = IS(facts->snr_db),
				      .unit = "dB"));
	if (loss->high)
		draft_add(draft, TERM("LINE_LOSS", 2,
				      .value = IS((double)loss->lost / (double)loss->packets),
				      .unit = "share", .n = IS(loss->packets)));
	if (facts->line.high)
		draft_add(draft, TERM("LINE_LATENCY", 1.5, .value = IS(facts->line.p50_ms),
				      .baseline = {facts->line.usual_ms > 0, facts->line.usual_ms},
				      .unit = "ms", .n = IS(facts->line.n)));
}

static void draft_line(struct draft *draft, const struct scene *scene)
{
	const struct facts *facts = &scene->facts;

	draft_add(draft, TERM("PRIOR", -0.5));
	if (facts->flapping)
		draft_add(draft, TERM("LINE_FLAPPING", 4, .n = IS(facts->flaps_1h)));
	if (facts->drops_24h >= 3)
		draft_add(draft, TERM("LINE_DROPS_24H", 2.5, .n = IS(facts->drops_24h)));
	add_down(draft, scene);
	add_recent_drop(draft, scene);
	add_quality(draft, scene);
	/* That somebody complains of flapping says little about a line that shows none. */
	if (complains_of(scene, RASAD__V1__COMPLAINT__COMPLAINT_FLAP,
			 RASAD__V1__COMPLAINT__COMPLAINT_PING) &&
	    (facts->flapping || facts->drops_24h || !facts->usual))
		draft_add(draft, TERM("LINE_COMPLAINT", 1.5));
}

/* --- modem and home --- */

static void draft_home(struct draft *draft, const struct scene *scene)
{
	const struct facts *facts = &scene->facts;

	draft_add(draft, TERM("PRIOR", -0.5));
	if (facts->lost_power && !scene->bad_member)
		draft_add(draft, TERM("CPE_LOST_POWER", 4));
	else if (facts->cpe_ended && !scene->bad_member)
		draft_add(draft, TERM("CPE_ENDED", 2.5));
	else if (IS_DOWN(scene) && !scene->bad_member)
		draft_add(draft, TERM("CPE_MAY_BE_OFF", 0.5));
	if (facts->home.p50_ms > HOME_HIGH_MS)
		draft_add(draft, TERM("HOME_LATENCY", 3, .value = IS(facts->home.p50_ms),
				      .unit = "ms", .n = IS(facts->home.n)));
	if (facts->no_traffic)
		draft_add(draft, TERM("CPE_NO_TRAFFIC", 1.5));
	if (facts->cpe_restarts_24h >= 3)
		draft_add(draft, TERM("CPE_RESTARTS", 2, .n = IS(facts->cpe_restarts_24h)));
}

/* --- account --- */

static void draft_account(struct draft *draft, const struct scene *scene)
{
	const struct facts *facts = &scene->facts;
	int account = scene->input->card ? (int)scene->input->card->account : 0;

	draft_add(draft, TERM("PRIOR", -2));
	if (account == RASAD__V1__ACCOUNT_STATE__ACCOUNT_STATE_SUSPENDED)
		draft_add(draft, TERM("ACCOUNT_SUSPENDED", 6));
	else if (account == RASAD__V1__ACCOUNT_STATE__ACCOUNT_STATE_QUOTA_USED)
		draft_add(draft, TERM("ACCOUNT_QUOTA_USED", 6));
	else if (facts->rejected_unix_ns)
		draft_add(draft, TERM("ACCOUNT_REJECTED", 6,
				      .value = IS(seconds_since(scene, facts->rejected_unix_ns)),
				      .unit = "s"));
	if (facts->policy_rate_kbps && scene->complaint == RASAD__V1__COMPLAINT__COMPLAINT_SLOW)
		draft_add(draft, TERM("ACCOUNT_POLICY_RATE", 3,
				      .value = IS(facts->policy_rate_kbps), .unit = "kbps"));
}

/* --- its own traffic --- */

static void draft_saturation(struct draft *draft, const struct scene *scene)
{
	const struct facts *facts = &scene->facts;

	draft_add(draft, TERM("PRIOR", -1.5));
	if (facts->saturated_minutes >= 2 &&
	    complains_of(scene, RASAD__V1__COMPLAINT__COMPLAINT_SLOW,
			 RASAD__V1__COMPLAINT__COMPLAINT_PING))
		draft_add(draft, TERM("OWN_SATURATED", 4, .value = IS(facts->bloat_ms),
				      .unit = "ms", .n = IS(facts->saturated_minutes)));
}

/* --- beyond us: the strongest sign alone, for they are signs of the same --- */

static void draft_upstream(struct draft *draft, const struct scene *scene)
{
	const struct facts *facts = &scene->facts;
	const struct ratio *loss = &facts->internet_loss;

	draft_add(draft, TERM("PRIOR", -2));
	if (facts->core_refused)
		draft_add(draft, TERM("UPSTREAM_REFUSED", 3));
	else if (facts->internet_silent)
		draft_add(draft, TERM("UPSTREAM_SILENT", 3));
	else if (facts->dns_bad)
		draft_add(draft, TERM("UPSTREAM_DNS", 3));
	else if (loss->high)
		draft_add(draft, TERM("UPSTREAM_LOSS", 3,
				      .value = IS((double)loss->lost / (double)loss->packets),
				      .unit = "share", .n = IS(loss->packets)));
	else if (facts->internet.high)
		draft_add(draft,
			  TERM("UPSTREAM_LATENCY", 3, .value = IS(facts->internet.p50_ms),
			       .baseline = {facts->internet.usual_ms > 0, facts->internet.usual_ms},
			       .unit = "ms", .n = IS(facts->internet.n)));
}

/* --- nothing --- */

static void draft_none(struct draft *draft, const struct scene *scene)
{
	const struct facts *facts = &scene->facts;

	draft_add(draft, TERM("PRIOR", 0));
	/* "As usual" is no answer to somebody whose line was down an hour ago. */
	bool just_back = scene->own_drop && seconds_since(scene, facts->back_unix_ns) < 3600 &&
			 !complains_of(scene, RASAD__V1__COMPLAINT__COMPLAINT_SLOW,
				       RASAD__V1__COMPLAINT__COMPLAINT_PING);

	if (just_back)
		return;
	if (facts->measured && facts->usual)
		draft_add(draft, TERM("ALL_USUAL", 3, .n = IS(facts->samples)));
	else if (!facts->measured)
		draft_add(draft, TERM("FEW_SAMPLES", -1, .n = IS(facts->samples)));
}

void draft_own(struct draft drafts[DRAFT_OWN], const struct scene *scene)
{
	static void (*const fill[DRAFT_OWN])(struct draft *, const struct scene *) = {
		draft_line, draft_home, draft_account, draft_saturation, draft_upstream, draft_none,
	};

	for (int i = 0; i < DRAFT_OWN; i++) {
		drafts[i].kind = RASAD__V1__HYPOTHESIS_KIND__HYPOTHESIS_KIND_OWN_LINE + i;
		fill[i](&drafts[i], scene);
	}
}
