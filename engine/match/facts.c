/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Limits follow algorithms.md 2.2.3 and 2.2.4: z > 4 with a spread of at least 0.15 octaves is a
 * factor of 1.52, and 10 ms on top of it; loss by its Wilson interval. A line without a usual value
 * is held to what no healthy line exceeds.
 *
 * A card is written when something changes and every four minutes: that a line is up is true of the
 * last sign of life, and says nothing about a cut that came after it and that nobody has noticed yet.
 */
#include "engine/match/facts.h"

#include <math.h>
#include <string.h>

#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/card.pb-c.h"

#define HIGH_FACTOR	  1.52
#define HIGH_MS		  10
#define UNUSUAL_LINE_MS	  100
#define UNUSUAL_ACCESS_MS 150
#define UNUSUAL_INET_MS	  300
#define HOME_HIGH_MS	  30
#define JITTER_MS	  60
#define LOSS_HIGH	  0.01
#define SAMPLES_MIN	  20 /* TCP samples */
#define ECHOES_MIN	  3
#define LOSS_PACKETS_MIN  500
#define RATE_DROP	  0.8
#define REJECT_NS	  (30 * NS_PER_MIN)
#define SILENT_NS	  (5 * NS_PER_MIN) /* LCP echoes alone are more frequent */
#define FRESH_NS	  NS_PER_MIN	   /* nobody has noticed a cut, dialled and waited sooner */
#define TOLD_SLACK_NS	  (15 * NS_PER_MIN) /* of the start that a caller tells */
#define NO_TRAFFIC_NS	  (15 * NS_PER_MIN)
#define BACK_NS		  (120 * NS_PER_MIN)

/* --- latency and loss --- */

static struct measure of_distribution(const Rasad__V1__Distribution *from)
{
	return from ? (struct measure){.n = from->n,
				       .p50_ms = from->p50_us / 1000,
				       .p95_ms = from->p95_us / 1000}
		    : (struct measure){0};
}

static struct measure of_minute(const Rasad__V1__MinuteLatency *from)
{
	return from ? (struct measure){.n = from->n,
				       .p50_ms = from->p50_us / 1000.0,
				       .p95_ms = from->p95_us / 1000.0}
		    : (struct measure){0};
}

static void judge(struct measure *measure, double usual_us, uint64_t samples_min, double unusual_ms)
{
	measure->usual_ms = usual_us / 1000;
	if (measure->n < samples_min)
		return;
	measure->high = usual_us > 0 ? measure->p50_ms > measure->usual_ms * HIGH_FACTOR &&
					       measure->p50_ms > measure->usual_ms + HIGH_MS
				     : measure->p50_ms > unusual_ms;
}

static double wilson_lower(double lost, double packets)
{
	const double z = 1.96;
	double p = lost / packets, z2n = z * z / packets;

	return (p + z2n / 2 - z * sqrt((p * (1 - p) + z2n / 4) / packets)) / (1 + z2n);
}

static struct ratio of_loss(const Rasad__V1__LossCount *down, const Rasad__V1__LossCount *up)
{
	struct ratio ratio = {
		.lost = (down ? down->lost : 0) + (up ? up->lost : 0),
		.packets = (down ? down->packets : 0) + (up ? up->packets : 0),
	};

	ratio.high = ratio.packets >= LOSS_PACKETS_MIN && ratio.lost <= ratio.packets &&
		     wilson_lower((double)ratio.lost, (double)ratio.packets) > LOSS_HIGH;
	return ratio;
}

static void read_loss(struct facts *facts, const Rasad__V1__LossSides *sides)
{
	if (!sides)
		return;
	facts->access_loss = of_loss(sides->access_down, sides->access_up);
	facts->internet_loss = of_loss(sides->internet_down, sides->internet_up);
}

/* The last 15 minutes where the card has them, else all since the session was first seen. */
static void read_latency(struct facts *facts, const Rasad__V1__SubscriberCard *card)
{
	const Rasad__V1__LineUsual none = RASAD__V1__LINE_USUAL__INIT;
	const Rasad__V1__LineUsual *usual = card->usual ? card->usual : &none;
	const Rasad__V1__RttSegments *all = card->summary ? card->summary->rtt : NULL;

	if (card->recent) {
		const Rasad__V1__MinuteSegments *rtt = card->recent->rtt;
		facts->line = of_minute(rtt ? rtt->line : NULL);
		facts->access = of_minute(rtt ? rtt->access : NULL);
		facts->home = of_minute(rtt ? rtt->home : NULL);
		facts->internet = of_minute(rtt ? rtt->internet : NULL);
		read_loss(facts, card->recent->loss);
	} else if (all) {
		facts->line = of_distribution(all->line);
		facts->access = of_distribution(all->access);
		facts->home = of_distribution(all->home);
		facts->internet = of_distribution(all->internet);
	}
	if (!card->recent && card->summary)
		read_loss(facts, card->summary->loss);
	judge(&facts->line, usual->rtt_line_us, ECHOES_MIN, UNUSUAL_LINE_MS);
	judge(&facts->access, usual->rtt_access_us, SAMPLES_MIN, UNUSUAL_ACCESS_MS);
	judge(&facts->internet, usual->rtt_internet_us, SAMPLES_MIN, UNUSUAL_INET_MS);
	judge(&facts->home, 0, 1, HOME_HIGH_MS);
	facts->jitter = facts->access.n >= SAMPLES_MIN &&
			facts->access.p95_ms - facts->access.p50_ms > JITTER_MS;
	facts->samples = facts->line.n + facts->access.n;
}

/* --- sessions --- */

static bool is_involuntary(int cause)
{
	return cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_LINE_LOST ||
	       cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_CPE_TERM ||
	       cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_CPE_POWER ||
	       cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_UNKNOWN ||
	       cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_LOOPBACK;
}

static uint32_t drops_since(const Rasad__V1__SubscriberCard *card, int64_t since, int only_cause)
{
	const Rasad__V1__SubscriberSummary *summary = card->summary;
	uint32_t drops = 0;

	for (size_t i = 0; summary && i < summary->n_sessions; i++) {
		const Rasad__V1__Session *one = summary->sessions[i];
		bool counts = only_cause ? (int)one->cause == only_cause
					 : is_involuntary((int)one->cause);
		/* A set-up that failed has an end, but was never up. */
		drops += counts && !one->failed_stage && one->has_down_unix_ns_case &&
			 one->down_unix_ns >= since;
	}
	return drops;
}

uint32_t facts_drops_since(const Rasad__V1__SubscriberCard *card, int64_t since_unix_ns)
{
	return drops_since(card, since_unix_ns, 0);
}

static void read_last_session(struct facts *facts, const Rasad__V1__Session *last)
{
	int stage = (int)last->failed_stage;
	int64_t at = last->detected_unix_ns ? last->detected_unix_ns : last->down_unix_ns;
	bool down = facts->state == RASAD__V1__LINE_STATE__LINE_STATE_DOWN;

	if (!last->has_down_unix_ns_case && !last->has_detected_unix_ns_case && !stage)
		return;
	if (!at) /* a failure without a time is that of now */
		at = facts->card_unix_ns;
	bool rejected = stage == RASAD__V1__SETUP_STAGE__SETUP_STAGE_AUTH_REJECT ||
			last->cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_AUTH_FAIL;
	if (rejected && facts->now_unix_ns - at <= REJECT_NS)
		facts->rejected_unix_ns = at;
	facts->core_refused = down && (stage == RASAD__V1__SETUP_STAGE__SETUP_STAGE_PADI_NO_PADO ||
				       stage == RASAD__V1__SETUP_STAGE__SETUP_STAGE_PADR_NO_PADS ||
				       stage == RASAD__V1__SETUP_STAGE__SETUP_STAGE_AUTH_SILENT ||
				       stage == RASAD__V1__SETUP_STAGE__SETUP_STAGE_NCP ||
				       last->cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_RESOURCE ||
				       last->cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_NAS_FAULT);
}

/* The last session that was up and ended: set-ups refused after it are not what was lost. NULL: none. */
static const Rasad__V1__Session *last_ended(const Rasad__V1__SubscriberSummary *summary)
{
	for (size_t i = summary->n_sessions; i > 0; i--) {
		const Rasad__V1__Session *one = summary->sessions[i - 1];
		if (!one->failed_stage && one->has_down_unix_ns_case)
			return one;
	}
	return NULL;
}

/* Up again, after a drop that nobody asked for. */
static void read_return(struct facts *facts, const Rasad__V1__SubscriberCard *card)
{
	const Rasad__V1__Session *ended = last_ended(card->summary);
	int64_t down = ended ? ended->down_unix_ns : card->last_down_unix_ns;
	int64_t up = card->up_since_unix_ns;

	if (facts->state != RASAD__V1__LINE_STATE__LINE_STATE_UP || !down || up < down ||
	    facts->now_unix_ns - up > BACK_NS ||
	    !is_involuntary(ended ? (int)ended->cause : facts->drop_cause))
		return;
	facts->back_unix_ns = up;
	facts->down_since_unix_ns = down;
}

static void read_sessions(struct facts *facts, const Rasad__V1__SubscriberCard *card)
{
	const Rasad__V1__SubscriberSummary *summary = card->summary;
	int64_t day_ago = facts->now_unix_ns - NS_PER_DAY;
	uint32_t listed = drops_since(card, day_ago, 0);

	facts->flaps_1h = card->flaps_1h;
	facts->drops_24h = listed > card->flaps_24h ? listed : card->flaps_24h;
	facts->cpe_restarts_24h =
		card->has_cpe_restarts_24h_case
			? card->cpe_restarts_24h
			: drops_since(card, day_ago, RASAD__V1__DROP_CAUSE__DROP_CAUSE_CPE_TERM);
	facts->drop_cause = (int)card->last_down_cause;
	facts->up_since_unix_ns = card->up_since_unix_ns;
	facts->down_since_unix_ns = card->last_down_unix_ns;
	if (!summary)
		return;
	facts->state = (int)summary->state;
	facts->flapping = summary->flapping;
	facts->last_upstream_unix_ns = summary->last_upstream_unix_ns;
	if (summary->has_down_since_unix_ns_case)
		facts->down_since_unix_ns = summary->down_since_unix_ns;
	if (summary->n_sessions)
		read_last_session(facts, summary->sessions[summary->n_sessions - 1]);
	read_return(facts, card);
	bool down = facts->state == RASAD__V1__LINE_STATE__LINE_STATE_DOWN;
	facts->lost_power =
		down && facts->drop_cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_CPE_POWER;
	facts->cpe_ended = down && facts->drop_cause == RASAD__V1__DROP_CAUSE__DROP_CAUSE_CPE_TERM;
}

/* --- the rest of the card --- */

static void read_rate(struct facts *facts, const Rasad__V1__SubscriberCard *card)
{
	if (card->summary)
		facts->line_rate_kbps = card->summary->line_rate_down;
	if (card->usual)
		facts->usual_line_rate_kbps = card->usual->line_rate_down;
	facts->rate_drop = facts->line_rate_kbps && facts->usual_line_rate_kbps &&
			   facts->line_rate_kbps < RATE_DROP * facts->usual_line_rate_kbps;
	facts->has_snr = card->has_snr_db_case;
	facts->snr_db = card->snr_db;
	facts->has_attenuation = card->has_attenuation_db_case;
	facts->attenuation_db = card->attenuation_db;
	facts->policy_rate_kbps = card->policy_rate_kbps;
	facts->saturated_minutes = card->saturated_minutes;
	facts->bloat_ms = card->bloat_ms;
}

static void read_symptoms(struct facts *facts, const Rasad__V1__SubscriberCard *card)
{
	for (size_t i = 0; i < card->n_symptoms; i++) {
		int channel = (int)card->symptoms[i];
		facts->internet_silent |=
			channel == RASAD__V1__SYMPTOM_CHANNEL__SYMPTOM_CHANNEL_INTERNET;
		facts->dns_bad |= channel == RASAD__V1__SYMPTOM_CHANNEL__SYMPTOM_CHANNEL_DNS;
	}
}

/* Connected, and the modem may even answer echoes, but nothing is sent. */
static bool has_no_traffic(const struct facts *facts, const Rasad__V1__SubscriberCard *card)
{
	const Rasad__V1__SubscriberSummary *summary = card->summary;
	int64_t up_for = facts->card_unix_ns - facts->up_since_unix_ns;

	if (facts->state != RASAD__V1__LINE_STATE__LINE_STATE_UP || up_for < NO_TRAFFIC_NS)
		return false;
	if (card->recent)
		return !card->recent->bytes_up && !card->recent->bytes_down;
	return summary->last_upstream_unix_ns &&
	       facts->card_unix_ns - summary->last_upstream_unix_ns > NO_TRAFFIC_NS;
}

/* --- judgement --- */

static bool is_heard(const struct facts *facts)
{
	return !facts->last_upstream_unix_ns ||
	       facts->now_unix_ns - facts->last_upstream_unix_ns <= SILENT_NS;
}

static bool is_measured(const struct facts *facts, int complaint)
{
	bool about_quality = complaint == RASAD__V1__COMPLAINT__COMPLAINT_SLOW ||
			     complaint == RASAD__V1__COMPLAINT__COMPLAINT_PING;

	if (facts->state != RASAD__V1__LINE_STATE__LINE_STATE_UP || !is_heard(facts))
		return false;
	return facts->access.n >= SAMPLES_MIN || (!about_quality && facts->line.n >= ECHOES_MIN);
}

/* Life near the call, or long after what the caller tells had begun, is no cut. */
static bool is_stale(const struct facts *facts, const Rasad__V1__CallEvent *call)
{
	bool about_a_cut = call && (call->complaint == RASAD__V1__COMPLAINT__COMPLAINT_OUTAGE ||
				    call->complaint == RASAD__V1__COMPLAINT__COMPLAINT_FLAP);

	if (!about_a_cut || facts->state != RASAD__V1__LINE_STATE__LINE_STATE_UP)
		return false;
	int64_t called = call->unix_ns ? call->unix_ns : facts->now_unix_ns;
	int64_t begun = call->reported_start_unix_ns;
	return facts->life_unix_ns < called - FRESH_NS &&
	       !(begun && facts->life_unix_ns >= begun + TOLD_SLACK_NS);
}

bool facts_degraded(const struct facts *facts)
{
	return facts->line.high || facts->access.high || facts->jitter || facts->access_loss.high ||
	       facts->rate_drop;
}

static bool is_usual(const struct facts *facts)
{
	return facts->state == RASAD__V1__LINE_STATE__LINE_STATE_UP && !facts_degraded(facts) &&
	       !facts->internet.high && !facts->internet_loss.high && !facts->home.high &&
	       !facts->flapping && facts->drops_24h < 3 && facts->cpe_restarts_24h < 3 &&
	       !(facts->has_snr && facts->snr_db < 10) && facts->saturated_minutes < 2 &&
	       !facts->policy_rate_kbps && !facts->no_traffic && !facts->rejected_unix_ns &&
	       !facts->internet_silent && !facts->dns_bad;
}

static bool is_watched(const Rasad__V1__SubscriberCard *card, int64_t wall_unix_ms)
{
	return card && card->valid_until_unix_ms > wall_unix_ms;
}

struct facts facts_of(const Rasad__V1__SubscriberCard *card, const Rasad__V1__CallEvent *call,
		      int64_t now_unix_ns, int64_t wall_unix_ms)
{
	struct facts facts = {
		.watched = is_watched(card, wall_unix_ms),
		.now_unix_ns = now_unix_ns,
	};

	if (!card)
		return facts;
	facts.card_unix_ns = card->unix_ns ? card->unix_ns : now_unix_ns;
	read_latency(&facts, card);
	read_sessions(&facts, card);
	read_rate(&facts, card);
	read_symptoms(&facts, card);
	facts.no_traffic = has_no_traffic(&facts, card);
	facts.life_unix_ns =
		facts.last_upstream_unix_ns ? facts.last_upstream_unix_ns : facts.card_unix_ns;
	facts.measured = is_measured(&facts, call ? (int)call->complaint : 0);
	facts.stale = is_stale(&facts, call);
	facts.usual = is_usual(&facts);
	return facts;
}
