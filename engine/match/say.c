/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which sentences an answer is made of. The lead sentence tells the best hypothesis by its
 * strongest reason; what is less than sure says so; the list of what we cannot see is part of
 * every answer that leans on not having seen something.
 */
#include "engine/match/say.h"

#include <stdlib.h>
#include <string.h>

#include "engine/match/build.h"
#include "engine/match/draft.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/card.pb-c.h"

#define VERDICT(name) RASAD__V1__VERDICT__VERDICT_##name
#define KIND(name)    RASAD__V1__HYPOTHESIS_KIND__HYPOTHESIS_KIND_##name
#define CLASS(name)   RASAD__V1__INCIDENT_CLASS__INCIDENT_CLASS_##name
#define LISTED_MAX    3

#define VALUES(...)                                                                                \
	(const struct text_value[])                                                                \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define WRITE(out, language, code, ...)                                                            \
	text_write(out, language, code, VALUES(__VA_ARGS__),                                       \
		   sizeof(VALUES(__VA_ARGS__)) / sizeof(struct text_value))
#define COUNT(name_, number_)                                                                      \
	{                                                                                          \
		.name = name_, .kind = TEXT_COUNT, .number = (double)(number_)                     \
	}
#define DECIMAL(name_, number_)                                                                    \
	{                                                                                          \
		.name = name_, .kind = TEXT_DECIMAL, .number = number_                             \
	}
#define SHARE(name_, number_)                                                                      \
	{                                                                                          \
		.name = name_, .kind = TEXT_PERCENT, .number = number_                             \
	}
#define RATE(name_, number_)                                                                       \
	{                                                                                          \
		.name = name_, .kind = TEXT_RATE, .number = number_                                \
	}
#define DURATION(name_, number_)                                                                   \
	{                                                                                          \
		.name = name_, .kind = TEXT_DURATION, .number = number_                            \
	}
#define WORDS(name_, text_)                                                                        \
	{                                                                                          \
		.name = name_, .kind = TEXT_WORDS, .text = text_                                   \
	}
#define NAME(name_, text_)                                                                         \
	{                                                                                          \
		.name = name_, .kind = TEXT_NAME, .text = text_                                    \
	}
#define AT(name_, at_, now_)                                                                       \
	{                                                                                          \
		.name = name_, .kind = TEXT_TIME, .unix_ns = at_, .now_unix_ns = now_              \
	}

#define GROUP_WORDS_SIZE 512

/* What a sentence is about. */
struct saying {
	FILE *out;
	enum text_language language;
	const struct scene *scene;
	const struct draft *drafts;
	size_t n;
	int64_t now;
};

/* --- elements --- */

void say_group(FILE *out, enum text_language language, const char *type, const char *name)
{
	char code[64];

	snprintf(code, sizeof(code), "GROUP_%s", *name ? type : "network");
	WRITE(out, language, text_template(language, code) ? code : "GROUP_other",
	      NAME("name", name));
}

static const char *group_words(char words[GROUP_WORDS_SIZE], enum text_language language,
			       const Rasad__V1__Incident *incident)
{
	FILE *out = fmemopen(words, GROUP_WORDS_SIZE, "w");

	*words = 0;
	if (out) {
		say_group(out, language, incident->group_type, incident->group);
		fclose(out);
	}
	words[GROUP_WORDS_SIZE - 1] = 0;
	return words;
}

/* --- incidents --- */

static void say_eta(const struct saying *say, const Rasad__V1__Incident *incident)
{
	double back = incident->affected_peak
			      ? 1 - (double)incident->affected / (double)incident->affected_peak
			      : 0;

	if (!incident->has_eta_90_unix_ns_case || incident->eta_90_unix_ns <= say->now || back <= 0)
		return;
	fputc(' ', say->out);
	WRITE(say->out, say->language, "INC_ETA", SHARE("pct", back),
	      AT("eta", incident->eta_90_unix_ns, say->now));
}

static void say_class(const struct saying *say, const Rasad__V1__Incident *incident)
{
	if (incident->class_ == CLASS(CABLE_CUT)) {
		fputc(' ', say->out);
		WRITE(say->out, say->language, "CABLE_CUT", NAME("cab", incident->group));
	} else if (incident->class_ == CLASS(AREA_POWER)) {
		fputc(' ', say->out);
		text_write(say->out, say->language, "AREA_POWER", NULL, 0);
	}
}

/* The line has come back, or was never seen to go. */
static void say_restored(const struct saying *say, const struct draft *draft, const char *node)
{
	const Rasad__V1__Incident *incident = draft->incident->incident;
	const struct draft_term *back = draft_find(draft, "INC_RECOVERED");

	if (incident->has_clear_unix_ns_case)
		WRITE(say->out, say->language, "RESTORED", WORDS("node", node),
		      AT("t", incident->clear_unix_ns, say->now), DURATION("min", back->value.is));
	else
		WRITE(say->out, say->language, "RESTORED_LINE", WORDS("node", node),
		      DURATION("min", back->value.is));
}

static const char *incident_code(const struct draft *draft)
{
	if (draft->incident->incident->planned)
		return "INC_PLANNED";
	if (draft->incident->incident->class_ == CLASS(CALLS_WITHOUT_NETWORK_SYMPTOM))
		return "INC_CALLS_ONLY";
	if (draft_find(draft, "INC_DEGRADED"))
		return "INC_DEGRADED_MEMBER";
	bool sure = draft_find(draft, "INC_AFFECTED") || draft_find(draft, "INC_JUST_DOWN");
	return sure ? "INC_MEMBER" : "INC_AREA";
}

static void say_incident(const struct saying *say, const struct draft *draft)
{
	const Rasad__V1__Incident *incident = draft->incident->incident;
	char node[GROUP_WORDS_SIZE];

	group_words(node, say->language, incident);
	if (draft_find(draft, "INC_RECOVERED")) {
		say_restored(say, draft, node);
		return;
	}
	if (incident->has_clear_unix_ns_case && draft_find(draft, "INC_AFFECTED")) {
		text_write(say->out, say->language, "UNSTABLE_AFTER_FIX", NULL, 0);
		return;
	}
	WRITE(say->out, say->language, incident_code(draft), WORDS("node", node),
	      COUNT("n", incident->affected_peak ? incident->affected_peak : incident->affected),
	      AT("t", incident->onset_unix_ns, say->now));
	say_class(say, incident);
	say_eta(say, incident);
}

/* --- the line and what is around it --- */

static void say_line(const struct saying *say, const struct draft *draft)
{
	const struct facts *facts = &say->scene->facts;
	bool noisy = facts->flapping || facts->drops_24h >= 3;

	if (draft_find(draft, "LINE_DOWN_ALONE"))
		WRITE(say->out, say->language,
		      draft_find(draft, "SIBLINGS_FINE") ? "PAIR_CUT" : "LINE_DOWN",
		      AT("t",
			 facts->down_since_unix_ns ? facts->down_since_unix_ns
						   : facts->card_unix_ns,
			 say->now));
	else if (draft_find(draft, "LINE_SUSPECT"))
		text_write(say->out, say->language, "LINE_SUSPECTED", NULL, 0);
	else if (draft_find(draft, "LINE_RECENT_DROP") && facts->drops_24h < 3)
		WRITE(say->out, say->language, "LINE_BACK",
		      AT("t", facts->down_since_unix_ns, say->now),
		      AT("back", facts->back_unix_ns, say->now));
	else if (noisy && facts->has_snr && facts->has_attenuation)
		WRITE(say->out, say->language, "LINE_NOISE", COUNT("flaps", facts->drops_24h),
		      DECIMAL("snr", facts->snr_db), DECIMAL("att", facts->attenuation_db));
	else if (noisy)
		WRITE(say->out, say->language, "LINE_FLAPS", COUNT("flaps", facts->drops_24h));
	else if (facts->rate_drop)
		WRITE(say->out, say->language, "LINE_SLOWER", RATE("rate", facts->line_rate_kbps),
		      RATE("usual", facts->usual_line_rate_kbps));
	else
		text_write(say->out, say->language, "LINE_POOR", NULL, 0);
}

static void say_home(const struct saying *say, const struct draft *draft)
{
	const struct facts *facts = &say->scene->facts;
	int64_t down = facts->down_since_unix_ns ? facts->down_since_unix_ns : facts->card_unix_ns;

	if (draft_find(draft, "CPE_LOST_POWER"))
		WRITE(say->out, say->language, "CPE_POWER", AT("t", down, say->now));
	else if (draft_find(draft, "CPE_ENDED"))
		WRITE(say->out, say->language, "CPE_OFF", AT("t", down, say->now));
	else if (draft_find(draft, "HOME_LATENCY"))
		WRITE(say->out, say->language, "HOME_WIFI", DECIMAL("rl", facts->line.p50_ms),
		      DECIMAL("ra", facts->access.n ? facts->access.p50_ms
						    : facts->line.p50_ms + facts->home.p50_ms));
	else if (draft_find(draft, "CPE_RESTARTS"))
		WRITE(say->out, say->language, "CPE_REBOOTS", COUNT("n", facts->cpe_restarts_24h));
	else if (draft_find(draft, "CPE_NO_TRAFFIC"))
		text_write(say->out, say->language, "NO_TRAFFIC", NULL, 0);
	else
		WRITE(say->out, say->language, "LINE_DOWN", AT("t", down, say->now));
}

static void say_account(const struct saying *say, const struct draft *draft)
{
	if (draft_find(draft, "ACCOUNT_SUSPENDED"))
		text_write(say->out, say->language, "ACCOUNT_BLOCKED", NULL, 0);
	else if (draft_find(draft, "ACCOUNT_QUOTA_USED"))
		text_write(say->out, say->language, "ACCOUNT_QUOTA", NULL, 0);
	else if (draft_find(draft, "ACCOUNT_REJECTED"))
		text_write(say->out, say->language, "ACCOUNT_REFUSED", NULL, 0);
	else
		WRITE(say->out, say->language, "THROTTLED",
		      RATE("rate", say->scene->facts.policy_rate_kbps));
}

static void say_saturation(const struct saying *say)
{
	const struct facts *facts = &say->scene->facts;
	const Rasad__V1__SubscriberCard *card = say->scene->input->card;
	double rate = card->peak_down_kbps ? card->peak_down_kbps : card->plan_down_kbps;

	if (rate > 0 && facts->bloat_ms)
		WRITE(say->out, say->language, "OWN_SAT", RATE("rate", rate),
		      COUNT("bloat", facts->bloat_ms));
	else
		text_write(say->out, say->language, "OWN_SAT_SHORT", NULL, 0);
}

static void say_upstream(const struct saying *say, const struct draft *draft)
{
	text_write(say->out, say->language,
		   draft_find(draft, "UPSTREAM_REFUSED") ? "CORE_REFUSED"
		   : draft_find(draft, "UPSTREAM_DNS")	 ? "DNS_POOR"
							 : "UPSTREAM_POOR",
		   NULL, 0);
}

/* --- no fault --- */

/* Facts stand in a row, with a comma between them. */
static void next_fact(const struct saying *say, bool *first)
{
	if (!*first)
		text_write(say->out, say->language, "SEMICOLON", NULL, 0);
	*first = false;
}

static void fact_latency(const struct saying *say, bool *first, const struct measure *measure,
			 const char *plain, const char *with_usual)
{
	if (!measure->n)
		return;
	next_fact(say, first);
	WRITE(say->out, say->language, measure->usual_ms > 0 ? with_usual : plain,
	      DECIMAL("ms", measure->p50_ms), DECIMAL("usual", measure->usual_ms));
}

static void fact_speed(const struct saying *say, bool *first)
{
	const Rasad__V1__SubscriberCard *card = say->scene->input->card;
	int64_t age = say->now - card->peak_unix_ns;

	if (!card->has_peak_down_kbps_case || !card->peak_unix_ns || age < 0)
		return;
	next_fact(say, first);
	WRITE(say->out, say->language, card->plan_down_kbps ? "FACT_PEAK_PLAN" : "FACT_PEAK",
	      RATE("rate", card->peak_down_kbps), RATE("plan", card->plan_down_kbps),
	      DURATION("ago", (double)age / (double)NS_PER_S));
}

static void say_facts(const struct saying *say)
{
	const struct facts *facts = &say->scene->facts;
	int64_t up = facts->up_since_unix_ns;
	bool first = true;

	next_fact(say, &first);
	if (up)
		WRITE(say->out, say->language, "FACT_UP",
		      DURATION("dur", (double)(say->now - up) / (double)NS_PER_S));
	else
		text_write(say->out, say->language, "FACT_UP_LONG", NULL, 0);
	fact_latency(say, &first, &facts->line, "FACT_LINE", "FACT_LINE_USUAL");
	fact_latency(say, &first, &facts->access, "FACT_ACCESS", "FACT_ACCESS_USUAL");
	if (facts->access_loss.packets) {
		next_fact(say, &first);
		WRITE(say->out, say->language, "FACT_LOSS",
		      DECIMAL("pct", 100.0 * (double)facts->access_loss.lost /
					     (double)facts->access_loss.packets),
		      COUNT("n", facts->access_loss.packets));
	}
	fact_speed(say, &first);
	next_fact(say, &first);
	WRITE(say->out, say->language, facts->drops_24h ? "FACT_FLAPS" : "FACT_NO_FLAPS",
	      COUNT("n", facts->drops_24h));
	next_fact(say, &first);
	text_write(say->out, say->language,
		   say->scene->was_hit	      ? "FACT_INCIDENT_OVER"
		   : say->scene->any_incident ? "FACT_INCIDENT_ELSEWHERE"
					      : "FACT_NO_INCIDENT",
		   NULL, 0);
}

/* --- what we cannot see --- */

static void find_blind_spots(struct build *build, Rasad__V1__CallMatch *match,
			     const struct scene *scene)
{
	const Rasad__V1__SubscriberCard *card = scene ? scene->input->card : NULL;
	const struct facts *facts = scene ? &scene->facts : NULL;
	char ***list = &match->cannot_see;
	size_t *n = &match->n_cannot_see;

	if (!facts || !facts->watched) {
		build_append_text(build, list, n, "BLIND_LINE");
		return;
	}
	if (facts->state == RASAD__V1__LINE_STATE__LINE_STATE_UNKNOWN)
		build_append_text(build, list, n, "BLIND_STATE");
	else if (facts->stale)
		build_append_text(build, list, n, "BLIND_CUT");
	else if (!facts->measured && facts->state != RASAD__V1__LINE_STATE__LINE_STATE_DOWN)
		build_append_text(build, list, n, "BLIND_SAMPLES");
	if (scene->complaint == RASAD__V1__COMPLAINT__COMPLAINT_SLOW &&
	    !card->has_peak_down_kbps_case)
		build_append_text(build, list, n, "BLIND_SPEED");
	if (!facts->has_snr)
		build_append_text(build, list, n, "BLIND_QUALITY");
	if (!facts->line.usual_ms && !facts->access.usual_ms)
		build_append_text(build, list, n, "BLIND_USUAL");
	build_append_text(build, list, n, "BLIND_WIFI");
}

static void say_list(FILE *out, enum text_language language, char *const *codes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			text_write(out, language, "COMMA", NULL, 0);
		text_write(out, language, codes[i], NULL, 0);
	}
}

/* --- putting sentences together --- */

static void say_lead(const struct saying *say, const struct draft *draft)
{
	switch (draft->kind) {
	case KIND(INCIDENT):
		say_incident(say, draft);
		return;
	case KIND(OWN_LINE):
		say_line(say, draft);
		return;
	case KIND(CPE_HOME):
		say_home(say, draft);
		return;
	case KIND(ACCOUNT):
		say_account(say, draft);
		return;
	case KIND(OWN_SATURATION):
		say_saturation(say);
		return;
	default:
		say_upstream(say, draft);
		return;
	}
}

static void say_kind(const struct saying *say, const struct draft *draft)
{
	static const char *const codes[] = {
		[KIND(INCIDENT)] = "KIND_INCIDENT",
		[KIND(OWN_LINE)] = "KIND_OWN_LINE",
		[KIND(CPE_HOME)] = "KIND_CPE_HOME",
		[KIND(ACCOUNT)] = "KIND_ACCOUNT",
		[KIND(OWN_SATURATION)] = "KIND_OWN_SATURATION",
		[KIND(UPSTREAM)] = "KIND_UPSTREAM",
		[KIND(NONE_FOUND)] = "KIND_NONE_FOUND",
	};
	char node[GROUP_WORDS_SIZE] = "";

	if (draft->incident)
		group_words(node, say->language, draft->incident->incident);
	WRITE(say->out, say->language, codes[draft->kind], WORDS("node", node));
}

/* Hypotheses from `from` on, at most three, with their probabilities. */
static void say_hypotheses(struct build *build, const struct saying *say, const char *code,
			   size_t from, double at_least)
{
	struct build_stream list, item;
	struct saying inner = *say;
	char *words = NULL, *what = NULL;
	size_t listed = 0;

	inner.out = build_open(build, &list);
	for (size_t i = from; inner.out && i < say->n && listed < LISTED_MAX; i++) {
		if (say->drafts[i].posterior < at_least)
			break;
		struct saying one = inner;
		one.out = build_open(build, &item);
		if (!one.out)
			break;
		say_kind(&one, &say->drafts[i]);
		build_close(build, &item, &what);
		if (listed++)
			text_write(inner.out, say->language, "COMMA", NULL, 0);
		WRITE(inner.out, say->language, "ITEM", WORDS("what", what),
		      SHARE("pct", say->drafts[i].posterior));
	}
	build_close(build, &list, &words);
	if (listed)
		WRITE(say->out, say->language, code, WORDS("list", words));
	free(words);
	free(what);
}

static void say_probable(struct build *build, const struct saying *say)
{
	struct build_stream lead;
	struct saying inner = *say;
	char *what = NULL;

	inner.out = build_open(build, &lead);
	if (inner.out)
		say_lead(&inner, &say->drafts[0]);
	build_close(build, &lead, &what);
	WRITE(say->out, say->language, "PROBABLE", SHARE("pct", say->drafts[0].posterior),
	      WORDS("what", what));
	fputc(' ', say->out);
	say_hypotheses(build, say, "ALSO", 1, 0.1);
	free(what);
}

static void say_unknown(const struct saying *say)
{
	char node[GROUP_WORDS_SIZE];

	text_write(say->out, say->language, "UNKNOWN", NULL, 0);
	if (!say->n)
		return;
	const Rasad__V1__Incident *incident = say->drafts[0].incident->incident;
	fputc(' ', say->out);
	WRITE(say->out, say->language, "UNKNOWN_AREA",
	      WORDS("node", group_words(node, say->language, incident)),
	      AT("t", incident->onset_unix_ns, say->now));
}

/* "No fault found" and "not enough data": with facts, and with what we cannot see. */
static void say_without_fault(struct build *build, const struct saying *say,
			      const Rasad__V1__CallMatch *match, const char *code)
{
	struct build_stream stream;
	struct saying inner = *say;
	char *facts = NULL, *blind = NULL;

	inner.out = build_open(build, &stream);
	if (inner.out)
		say_facts(&inner);
	build_close(build, &stream, &facts);
	FILE *list = build_open(build, &stream);
	if (list)
		say_list(list, say->language, match->cannot_see, match->n_cannot_see);
	build_close(build, &stream, &blind);
	WRITE(say->out, say->language, code, WORDS("facts", facts), WORDS("blind", blind),
	      AT("t", say->scene->facts.life_unix_ns, say->now));
	free(facts);
	free(blind);
}

static void say_verdict(struct build *build, const struct saying *say,
			const Rasad__V1__CallMatch *match)
{
	switch ((int)match->verdict) {
	case VERDICT(MATCHED):
		say_lead(say, &say->drafts[0]);
		return;
	case VERDICT(PROBABLE):
		say_probable(build, say);
		return;
	case VERDICT(AMBIGUOUS):
		say_hypotheses(build, say, "AMBIGUOUS", 0, 0);
		return;
	case VERDICT(NO_FAULT_FOUND):
		say_without_fault(build, say, match, "NFF");
		return;
	case VERDICT(INSUFFICIENT_DATA):
		say_without_fault(build, say, match,
				  say->scene->facts.stale ? "NOT_HEARD" : "INSUFFICIENT");
		return;
	case VERDICT(UNKNOWN_SUBSCRIBER):
		say_unknown(say);
		return;
	default:
		text_write(say->out, say->language, "UNAVAILABLE", NULL, 0);
		return;
	}
}

static void say_in(struct build *build, Rasad__V1__CallMatch *match, struct saying say,
		   enum text_language language, char **field)
{
	struct build_stream stream;

	say.language = language;
	say.out = build_open(build, &stream);
	if (say.out)
		say_verdict(build, &say, match);
	build_close(build, &stream, field);
}

void say_answer(struct build *build, Rasad__V1__CallMatch *match, const struct scene *scene,
		const struct draft *drafts, size_t n, int64_t now_unix_ns)
{
	struct saying say = {.scene = scene, .drafts = drafts, .n = n, .now = now_unix_ns};

	find_blind_spots(build, match, scene);
	say_in(build, match, say, TEXT_FA, &match->text_fa);
	say_in(build, match, say, TEXT_EN, &match->text_en);
	say_next(build, match, scene, drafts, n);
}
