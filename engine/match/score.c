/* SPDX-License-Identifier: BSD-3-Clause */
/* Hypotheses -> probabilities -> a verdict -> the answer. */
#include "engine/match/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/match/build.h"
#include "engine/match/draft.h"
#include "engine/match/say.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/card.pb-c.h"

#define MATCHED	   0.80
#define PROBABLE   0.50
#define NO_FAULT   0.60
#define GROUPS_MAX 64

/* The verdicts' names are long. */
#define VERDICT(name) RASAD__V1__VERDICT__VERDICT_##name
#define KIND(name)    RASAD__V1__HYPOTHESIS_KIND__HYPOTHESIS_KIND_##name

/* --- drafts --- */

void draft_add(struct draft *draft, struct draft_term term)
{
	draft->score += term.weight;
	if (draft->n_terms < DRAFT_TERMS_MAX)
		draft->terms[draft->n_terms++] = term;
}

const struct draft_term *draft_find(const struct draft *draft, const char *code)
{
	for (unsigned i = 0; i < draft->n_terms; i++)
		if (!strcmp(draft->terms[i].code, code))
			return &draft->terms[i];
	return NULL;
}

static void softmax(struct draft *drafts, size_t n)
{
	double best = -INFINITY, sum = 0;

	for (size_t i = 0; i < n; i++)
		best = fmax(best, drafts[i].score);
	for (size_t i = 0; i < n; i++)
		sum += drafts[i].posterior = exp(drafts[i].score - best);
	for (size_t i = 0; i < n; i++)
		drafts[i].posterior /= sum;
}

/* Best first; equal ones by kind and id, so that the same input gives the same answer. */
static int compare(const void *one, const void *other)
{
	const struct draft *a = one, *b = other;

	if (a->posterior > b->posterior || a->posterior < b->posterior)
		return a->posterior > b->posterior ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->incident && b->incident ? strcmp(a->incident->incident->incident_id,
						   b->incident->incident->incident_id)
					  : 0;
}

static struct scene scene_of(const struct score_input *input)
{
	struct scene scene = {
		.input = input,
		.complaint = (int)input->call->complaint,
		.any_incident = input->n_incidents > 0,
		.facts = facts_of(input->card, (int)input->call->complaint, input->now_unix_ns,
				  input->wall_unix_ms),
	};

	for (size_t i = 0; i < input->n_incidents; i++) {
		scene.bad_member |= draft_is_bad_member(&scene, &input->incidents[i]);
		scene.was_hit |= input->incidents[i].membership != MEMBER_NOT;
	}
	scene.own_drop = scene.facts.back_unix_ns && !scene.was_hit;
	return scene;
}

static size_t draft_all(struct draft *drafts, const struct scene *scene)
{
	size_t n = 0;

	for (; n < scene->input->n_incidents && n < SCORE_INCIDENTS_MAX; n++)
		draft_incident(&drafts[n], scene, &scene->input->incidents[n]);
	draft_own(drafts + n, scene);
	n += DRAFT_OWN;
	softmax(drafts, n);
	qsort(drafts, n, sizeof(*drafts), compare);
	return n;
}

/* --- the verdict --- */

/* Something speaks for a fault, beyond what is so before any evidence. */
static bool has_evidence(const struct draft *drafts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (drafts[i].kind == KIND(NONE_FOUND))
			continue;
		if (drafts[i].score > 0 && drafts[i].n_terms > 1)
			return true;
	}
	return false;
}

static int verdict_of(const struct scene *scene, const struct draft *drafts, size_t n)
{
	const struct draft *best = &drafts[0];

	if (best->kind == KIND(NONE_FOUND))
		return !draft_find(best, "ALL_USUAL") ? VERDICT(INSUFFICIENT_DATA)
		       : best->posterior >= NO_FAULT  ? VERDICT(NO_FAULT_FOUND)
						      : VERDICT(AMBIGUOUS);
	if (!scene->facts.measured &&
	    scene->facts.state != RASAD__V1__LINE_STATE__LINE_STATE_DOWN &&
	    best->posterior < MATCHED && !has_evidence(drafts, n))
		return VERDICT(INSUFFICIENT_DATA);
	return best->posterior >= MATCHED    ? VERDICT(MATCHED)
	       : best->posterior >= PROBABLE ? VERDICT(PROBABLE)
					     : VERDICT(AMBIGUOUS);
}

static int category_of(const struct draft *draft)
{
	switch (draft->kind) {
	case KIND(INCIDENT):
		return (int)draft->incident->incident->category;
	case KIND(OWN_LINE):
		return RASAD__V1__CATEGORY__CATEGORY_ACCESS_INFRA;
	case KIND(CPE_HOME):
	case KIND(OWN_SATURATION):
		return RASAD__V1__CATEGORY__CATEGORY_PREMISES;
	case KIND(ACCOUNT):
		return RASAD__V1__CATEGORY__CATEGORY_ACCOUNT_ADMIN;
	case KIND(UPSTREAM):
		return RASAD__V1__CATEGORY__CATEGORY_ISP_CORE_UPSTREAM;
	default:
		return RASAD__V1__CATEGORY__CATEGORY_NONE_FOUND;
	}
}

/* --- the answer --- */

static void add_hypothesis(struct build *build, Rasad__V1__CallMatch *match,
			   const struct draft *draft)
{
	Rasad__V1__Hypothesis *hypothesis = malloc(sizeof(*hypothesis));

	if (!hypothesis) {
		build->failed = true;
		return;
	}
	rasad__v1__hypothesis__init(hypothesis);
	hypothesis->kind = (Rasad__V1__HypothesisKind)draft->kind;
	hypothesis->posterior = draft->posterior;
	hypothesis->score = draft->score;
	if (draft->incident)
		build_text(build, &hypothesis->ref, draft->incident->incident->incident_id);
	for (unsigned i = 0; i < draft->n_terms; i++)
		build_append(build, &hypothesis->reasons, &hypothesis->n_reasons,
			     build_reason(build, &draft->terms[i]));
	build_append(build, &match->hypotheses, &match->n_hypotheses, hypothesis);
}

static void add_groups(struct build *build, Rasad__V1__CallMatch *match,
		       const Rasad__V1__SubscriberCard *card)
{
	char text[512];

	for (size_t i = 0; i < card->n_groups && i < GROUPS_MAX; i++) {
		snprintf(text, sizeof(text), "%s:%s", card->groups[i]->group_type,
			 card->groups[i]->group);
		build_append_text(build, &match->groups, &match->n_groups, text);
	}
}

static void identify(struct build *build, Rasad__V1__CallMatch *match,
		     const Rasad__V1__SubscriberCard *card)
{
	const Rasad__V1__SubscriberSummary *summary = card->summary;

	build_text(build, &match->sub_id, card->sub_id);
	build_text(build, &match->line, summary ? summary->line : "");
	build_text(build, &match->subscriber,
		   summary && *summary->subscriber ? summary->subscriber : card->booked_subscriber);
	add_groups(build, match, card);
}

static Rasad__V1__CallMatch *begin(struct build *build, const Rasad__V1__CallEvent *call,
				   int64_t now_unix_ns, int verdict)
{
	Rasad__V1__CallMatch *match = malloc(sizeof(*match));

	if (!match)
		return NULL;
	rasad__v1__call_match__init(match);
	match->revision = 1;
	match->verdict = (Rasad__V1__Verdict)verdict;
	match->complaint = call->complaint;
	match->call_unix_ns = call->unix_ns;
	match->unix_ns = now_unix_ns;
	build_text(build, &match->call_id, call->call_id);
	return match;
}

static Rasad__V1__CallMatch *finish(const struct build *build, Rasad__V1__CallMatch *match)
{
	if (!build->failed)
		return match;
	rasad__v1__call_match__free_unpacked(match, NULL);
	return NULL;
}

static void conclude(struct build *build, Rasad__V1__CallMatch *match, const struct draft *drafts,
		     size_t n)
{
	const struct draft *best = &drafts[0];
	bool told = match->verdict == VERDICT(MATCHED) || match->verdict == VERDICT(PROBABLE);

	match->probability = best->posterior;
	if (told)
		match->category = (Rasad__V1__Category)category_of(best);
	if (told && best->incident)
		build_text(build, &match->incident_id, best->incident->incident->incident_id);
	for (size_t i = 0; i < n; i++)
		add_hypothesis(build, match, &drafts[i]);
}

Rasad__V1__CallMatch *score_call(const struct score_input *input)
{
	struct build build = {0};
	struct draft drafts[DRAFTS_MAX] = {0};
	struct scene scene = scene_of(input);
	Rasad__V1__CallMatch *match =
		begin(&build, input->call, input->now_unix_ns, VERDICT(MONITORING_UNAVAILABLE));
	size_t n = 0;

	if (!match)
		return NULL;
	if (input->card)
		identify(&build, match, input->card);
	if (scene.facts.watched) {
		n = draft_all(drafts, &scene);
		match->verdict = (Rasad__V1__Verdict)verdict_of(&scene, drafts, n);
		conclude(&build, match, drafts, n);
	}
	say_answer(&build, match, &scene, drafts, n, input->now_unix_ns);
	return finish(&build, match);
}

/* --- several lines --- */

/* How much there is to tell: a fault that is sure, before one that is not, before none. */
static double weight_of(const Rasad__V1__CallMatch *match)
{
	double fault = 0;

	for (size_t i = 0; i < match->n_hypotheses; i++)
		if (match->hypotheses[i]->kind != KIND(NONE_FOUND))
			fault = fmax(fault, match->hypotheses[i]->posterior);
	bool told = match->verdict == VERDICT(MATCHED) || match->verdict == VERDICT(PROBABLE);
	return match->verdict == VERDICT(MONITORING_UNAVAILABLE) ? -1 : fault + told;
}

Rasad__V1__CallMatch *score_lines(const struct score_input *inputs, size_t n)
{
	struct build build = {0};
	Rasad__V1__CallMatch *best = NULL;
	size_t chosen = 0;

	for (size_t i = 0; i < n; i++) {
		Rasad__V1__CallMatch *match = score_call(&inputs[i]);
		if (!match) {
			build.failed = true;
			break;
		}
		if (best && weight_of(match) <= weight_of(best)) {
			rasad__v1__call_match__free_unpacked(match, NULL);
			continue;
		}
		if (best)
			rasad__v1__call_match__free_unpacked(best, NULL);
		best = match;
		chosen = i;
	}
	if (!best)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (i != chosen && inputs[i].card)
			build_append_text(&build, &best->other_lines, &best->n_other_lines,
					  inputs[i].card->summary ? inputs[i].card->summary->line
								  : inputs[i].card->sub_id);
	if (best->n_other_lines)
		say_other_lines(&build, best);
	return finish(&build, best);
}

/* --- nobody, nothing --- */

Rasad__V1__CallMatch *score_unknown(const Rasad__V1__CallEvent *call,
				    const struct score_incident *area, size_t n_area,
				    int64_t now_unix_ns)
{
	struct build build = {0};
	struct draft drafts[SCORE_INCIDENTS_MAX] = {0};
	Rasad__V1__CallMatch *match = begin(&build, call, now_unix_ns, VERDICT(UNKNOWN_SUBSCRIBER));

	if (!match)
		return NULL;
	n_area = n_area < SCORE_INCIDENTS_MAX ? n_area : SCORE_INCIDENTS_MAX;
	for (size_t i = 0; i < n_area; i++) {
		drafts[i].kind = KIND(INCIDENT);
		drafts[i].incident = &area[i];
		add_hypothesis(&build, match, &drafts[i]);
	}
	say_answer(&build, match, NULL, drafts, n_area, now_unix_ns);
	return finish(&build, match);
}

Rasad__V1__CallMatch *score_unavailable(const Rasad__V1__CallEvent *call, int64_t now_unix_ns)
{
	struct build build = {0};
	Rasad__V1__CallMatch *match =
		begin(&build, call, now_unix_ns, VERDICT(MONITORING_UNAVAILABLE));

	if (!match)
		return NULL;
	say_answer(&build, match, NULL, NULL, 0, now_unix_ns);
	return finish(&build, match);
}
