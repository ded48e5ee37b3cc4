/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a card says, in the terms of scoring: measured or not, usual or not. Read once, so that the
 * score, the verification and the texts judge by the same limits.
 */
#ifndef RASAD_ENGINE_MATCH_FACTS_H
#define RASAD_ENGINE_MATCH_FACTS_H

#include <stdbool.h>
#include <stdint.h>

struct Rasad__V1__Session;
struct Rasad__V1__SubscriberCard;

#define NS_PER_S   1000000000ll
#define NS_PER_MIN (60 * NS_PER_S)
#define NS_PER_DAY (86400 * NS_PER_S)

/* A latency; n is 0 when it was not measured. */
struct measure {
	uint64_t n;
	double p50_ms, p95_ms;
	double usual_ms; /* median; 0: not known */
	bool high; /* enough samples, and above the usual (or, without one, above all reason) */
};

struct ratio {
	uint64_t lost, packets;
	bool high; /* more than 1 % by the lower end of a 95 % interval */
};

/* Of the line now. Times are 0 where they are not known. */
struct facts {
	bool watched; /* the card is there and has not ended */
	int state;    /* enum LineState */
	int64_t now_unix_ns, card_unix_ns;
	int64_t up_since_unix_ns, down_since_unix_ns, last_upstream_unix_ns;
	int drop_cause; /* of the last drop */
	int64_t back_unix_ns; /* up again since then, in the last two hours, after a drop nobody asked for */

	struct measure line, access, home, internet;
	bool jitter; /* on the access side: p95 far above p50 */
	struct ratio access_loss, internet_loss;

	bool flapping;
	uint32_t flaps_1h, drops_24h, cpe_restarts_24h;
	bool rate_drop; /* of the line rate, by a fifth and more */
	uint32_t line_rate_kbps, usual_line_rate_kbps;
	bool has_snr, has_attenuation;
	double snr_db, attenuation_db;

	bool lost_power, cpe_ended, no_traffic;
	int64_t rejected_unix_ns; /* user name or password refused in the last half hour */
	bool core_refused;	  /* no answer, no address: not the subscriber's doing */
	uint32_t policy_rate_kbps, saturated_minutes, bloat_ms;
	bool internet_silent, dns_bad;

	bool measured;	  /* enough samples to say "as usual" to this complaint */
	uint64_t samples; /* of latency */
	bool usual;	  /* up, and nothing above its limit */
};

/* card may be NULL. complaint: enum Complaint; it decides how many samples are enough. */
struct facts facts_of(const struct Rasad__V1__SubscriberCard *card, int complaint,
		      int64_t now_unix_ns, int64_t wall_unix_ms);

/* Drops that nobody asked for, since then, as far as the card lists them. */
uint32_t facts_drops_since(const struct Rasad__V1__SubscriberCard *card, int64_t since_unix_ns);

/* True when latency, loss or rate of the line itself are not as usual. */
bool facts_degraded(const struct facts *facts);

#endif
