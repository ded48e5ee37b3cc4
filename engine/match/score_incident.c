/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does this incident explain this call? Weights are those of algorithms.md 2.5.2; a line
 * that went down with the element though no list names it yet (INC_JUST_DOWN), one that was down before
 * (INC_OLDER_FAULT), and callers alone (INC_CALLERS) have ones of ours.
 *
 * Lists of members lag the card by up to 15 s, so the card has the last word where it is newer: a
 * line that is listed as down but came up since has recovered, and one that hangs on the element
 * and went down after the onset is affected, even if no list names it yet.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/match/draft.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/card.pb-c.h"

#define PRIOR	    (-1.5)
#define ONSET_SLACK (2 * NS_PER_MIN)
#define SAME_START  (15 * NS_PER_MIN)

enum column { OUTAGE, FLAP_STORM, DEGRADATION, CONGESTION, DNS_UPSTREAM, AAA_SETUP, COLUMNS };

/* --- what kind of incident it is --- */

static enum column column_of(const Rasad__V1__Incident *incident)
{
	switch ((int)incident->class_) {
	case RASAD__V1__INCIDENT_CLASS__INCIDENT_CLASS_FLAP_STORM:
		return FLAP_STORM;
	case RASAD__V1__INCIDENT_CLASS__INCIDENT_CLASS_DEGRADATION:
		return DEGRADATION;
	case RASAD__V1__INCIDENT_CLASS__INCIDENT_CLASS_CONGESTION:
		return CONGESTION;
	case RASAD__V1__INCIDENT_CLASS__INCIDENT_CLASS_DNS:
	case RASAD__V1__INCIDENT_CLASS__INCIDENT_CLASS_UPSTREAM:
		return DNS_UPSTREAM;
	case RASAD__V1__INCIDENT_CLASS__INCIDENT_CLASS_AAA:
	case RASAD__V1__INCIDENT_CLASS__INCIDENT_CLASS_POOL:
		return AAA_SETUP;
	}
	switch ((int)incident->channel) {
	case RASAD__V1__SYMPTOM_CHANNEL__SYMPTOM_CHANNEL_SETUP:
		return AAA_SETUP;
	case RASAD__V1__SYMPTOM_CHANNEL__SYMPTOM_CHANNEL_INTERNET:
	case RASAD__V1__SYMPTOM_CHANNEL__SYMPTOM_CHANNEL_DNS:
		return DNS_UPSTREAM;
	default:
		return OUTAGE;
	}
}

static bool is_calls_only(const Rasad__V1__Incident *incident)
{
	return incident->class_ ==
	       RASAD__V1__INCIDENT_CLASS__INCIDENT_CLASS_CALLS_WITHOUT_NETWORK_SYMPTOM;
}

static void add_compatibility(struct draft *draft, const struct scene *scene, enum column column)
{
	static const double weights[][COLUMNS] = {
		[RASAD__V1__COMPLAINT__COMPLAINT_OUTAGE] = {1.5, 0.5, -2, -2, 0.5, 1.5},
		[RASAD__V1__COMPLAINT__COMPLAINT_SLOW] = {-2, 0.5, 1.5, 1.5, 1.5, -2},
		[RASAD__V1__COMPLAINT__COMPLAINT_PING] = {-2, 1.5, 1.5, 1.5, 0.5, -2},
		[RASAD__V1__COMPLAINT__COMPLAINT_FLAP] = {0.5, 1.5, 0.5, -2, -2, 1.5},
	};
	int complaint = scene->complaint;

	if (complaint <= 0 || complaint >= (int)(sizeof(weights) / sizeof(*weights)))
		return; /* "other" speaks neither for nor against */
	double weight = weights[complaint][column];
	draft_add(draft, TERM(weight > 1   ? "INC_FITS"
			      : weight > 0 ? "INC_FITS_PARTLY"
					   : "INC_MISFITS",
			      weight));
}

/* --- the line and the incident --- */

static double clip(double value, double limit)
{
	return fmin(fmax(value, -limit), limit);
}

static double log_odds(double share)
{
	share = fmin(fmax(share, 0.001), 0.999);
	return log(share / (1 - share));
}

static bool is_down(const struct scene *scene)
{
	return scene->facts.state == RASAD__V1__LINE_STATE__LINE_STATE_DOWN ||
	       scene->facts.state == RASAD__V1__LINE_STATE__LINE_STATE_SUSPECT;
}

static bool is_up(const struct scene *scene)
{
	return scene->facts.state == RASAD__V1__LINE_STATE__LINE_STATE_UP;
}

/* When a session-killing incident's victim came back, by the card; 0: it did not. */
static int64_t back_by_card(const struct scene *scene, const Rasad__V1__Incident *incident,
			    enum column column)
{
	const struct facts *facts = &scene->facts;

	if (column == DEGRADATION || column == CONGESTION || column == DNS_UPSTREAM ||
	    !is_up(scene))
		return 0;
	/* Up on a session older than the incident: a false SUSPECT, or silence that has ended. */
	if (facts->up_since_unix_ns <= incident->onset_unix_ns)
		return facts->last_upstream_unix_ns > incident->changed_unix_ns
			       ? facts->last_upstream_unix_ns
			       : 0;
	return facts->up_since_unix_ns;
}

static double minutes_between(int64_t from, int64_t to)
{
	return to > from ? (double)(to - from) / (double)NS_PER_MIN : 0;
}

static void add_recovered(struct draft *draft, const struct scene *scene, int64_t since)
{
	double minutes = minutes_between(since, scene->input->now_unix_ns);

	draft_add(draft, TERM("INC_RECOVERED", 3, .value = IS(minutes * 60), .unit = "s"));
	if (minutes > 0)
		draft_add(draft, TERM("INC_AGE", -fmin(4, minutes / 30), .value = IS(minutes * 60),
				      .unit = "s"));
}

static void add_bad(struct draft *draft, const Rasad__V1__Incident *incident, enum column column)
{
	bool quality = column == DEGRADATION || column == CONGESTION;

	draft_add(draft, TERM(quality ? "INC_DEGRADED" : "INC_AFFECTED", quality ? 4 : 5,
			      .n = IS(incident->affected)));
}

/* Nobody sees the line: it is affected as likely as any other there. */
static void add_unseen(struct draft *draft, const struct scene *scene,
		       const Rasad__V1__Incident *incident)
{
	bool cleared = incident->has_clear_unix_ns_case;
	double affected = (double)(cleared ? incident->affected_peak : incident->affected);
	double share = incident->members    ? affected / (double)incident->members
		       : incident->evidence ? incident->evidence->fraction
					    : 0;

	draft_add(draft, TERM("INC_UNSEEN", clip(log_odds(share), 3), .value = IS(share),
			      .unit = "share"));
	double minutes =
		cleared ? minutes_between(incident->clear_unix_ns, scene->input->now_unix_ns) : 0;
	if (minutes > 0)
		draft_add(draft, TERM("INC_AGE", -fmin(4, minutes / 30), .value = IS(minutes * 60),
				      .unit = "s"));
}

/* The channel's symptom on the card of a line that no list names. */
static bool shows_symptom(const struct scene *scene, enum column column)
{
	const struct facts *facts = &scene->facts;

	switch (column) {
	case DEGRADATION:
	case CONGESTION:
		return facts_degraded(facts);
	case DNS_UPSTREAM:
		return facts->internet_silent || facts->dns_bad || facts->internet.high ||
		       facts->internet_loss.high;
	case FLAP_STORM:
		return facts->flapping || is_down(scene);
	default:
		return is_down(scene);
	}
}

/* Sound all the while: seen, and seen since the onset. */
static bool is_healthy_through(const struct scene *scene, const Rasad__V1__Incident *incident,
			       enum column column)
{
	const struct facts *facts = &scene->facts;
	bool heard = facts->last_upstream_unix_ns > incident->onset_unix_ns;

	if (!is_up(scene) || facts->up_since_unix_ns > incident->onset_unix_ns)
		return false;
	if (column == DEGRADATION || column == CONGESTION || column == DNS_UPSTREAM)
		return facts->measured && !shows_symptom(scene, column);
	return heard || (!facts->last_upstream_unix_ns && facts->measured);
}

static void add_scope(struct draft *draft, const struct scene *scene,
		      const Rasad__V1__Incident *incident, enum column column)
{
	const struct facts *facts = &scene->facts;
	bool quality = column == DEGRADATION || column == CONGESTION || column == DNS_UPSTREAM;

	if (is_calls_only(incident))
		draft_add(draft, TERM("INC_CALLERS", 2));
	else if (quality && shows_symptom(scene, column))
		draft_add(draft, TERM("INC_DEGRADED", 4));
	else if (is_down(scene) && facts->down_since_unix_ns &&
		 facts->down_since_unix_ns < incident->onset_unix_ns - ONSET_SLACK)
		draft_add(draft, TERM("INC_OLDER_FAULT", -3));
	else if (is_down(scene) && !incident->has_clear_unix_ns_case && !quality)
		draft_add(draft, TERM("INC_JUST_DOWN", 5));
	else if (is_healthy_through(scene, incident, column))
		draft_add(draft, TERM("INC_HEALTHY", -4));
	else
		add_unseen(draft, scene, incident);
}

bool draft_is_bad_member(const struct scene *scene, const struct score_incident *candidate)
{
	const Rasad__V1__Incident *incident = candidate->incident;
	enum column column = column_of(incident);
	const struct facts *facts = &scene->facts;

	if (candidate->membership == MEMBER_DOWN)
		return !back_by_card(scene, incident, column);
	if (candidate->membership == MEMBER_RECOVERED)
		return is_down(scene);
	if (!candidate->in_scope || incident->has_clear_unix_ns_case || is_calls_only(incident))
		return false;
	return is_down(scene) && shows_symptom(scene, column) && facts->down_since_unix_ns &&
	       facts->down_since_unix_ns >= incident->onset_unix_ns - ONSET_SLACK;
}

static void add_membership(struct draft *draft, const struct scene *scene,
			   const struct score_incident *candidate, enum column column)
{
	const Rasad__V1__Incident *incident = candidate->incident;
	int64_t back = back_by_card(scene, incident, column);

	if (candidate->membership == MEMBER_DOWN && back)
		add_recovered(draft, scene, back);
	else if (candidate->membership == MEMBER_DOWN ||
		 (candidate->membership == MEMBER_RECOVERED && is_down(scene)))
		add_bad(draft, incident, column);
	else if (candidate->membership == MEMBER_RECOVERED)
		add_recovered(draft, scene,
			      candidate->recovered_unix_ns ? candidate->recovered_unix_ns
							   : incident->clear_unix_ns);
	else
		add_scope(draft, scene, incident, column);
}

/* --- the call and the incident --- */

static void add_times(struct draft *draft, const Rasad__V1__CallEvent *call,
		      const Rasad__V1__Incident *incident)
{
	int64_t onset = incident->onset_unix_ns;
	int64_t apart = llabs(call->reported_start_unix_ns - onset);

	if (call->has_reported_start_unix_ns_case && call->reported_start_unix_ns &&
	    apart <= SAME_START)
		draft_add(draft, TERM("INC_SAME_START", 1,
				      .value = IS((double)apart / (double)NS_PER_S), .unit = "s"));
	if (call->unix_ns && call->unix_ns < onset - ONSET_SLACK)
		draft_add(draft, TERM("INC_AFTER_CALL", -3));
}

void draft_incident(struct draft *draft, const struct scene *scene,
		    const struct score_incident *candidate)
{
	const Rasad__V1__Incident *incident = candidate->incident;
	enum column column = column_of(incident);

	draft->kind = RASAD__V1__HYPOTHESIS_KIND__HYPOTHESIS_KIND_INCIDENT;
	draft->incident = candidate;
	draft_add(draft, TERM("PRIOR", PRIOR));
	add_membership(draft, scene, candidate, column);
	if (!is_calls_only(incident))
		add_compatibility(draft, scene, column);
	add_times(draft, scene->input->call, incident);
	if (incident->confidence > 0)
		draft_add(draft, TERM("INC_CONFIDENCE", clip(log_odds(incident->confidence), 2),
				      .value = IS(incident->confidence), .unit = "share"));
	if (candidate->other_calls)
		draft_add(draft,
			  TERM("INC_OTHER_CALLS", fmin(2, 0.7 * log1p(candidate->other_calls)),
			       .n = IS(candidate->other_calls)));
}
