/* SPDX-License-Identifier: BSD-3-Clause */
/* What to do next, and reasons in words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/match/build.h"
#include "engine/match/draft.h"
#include "engine/match/say.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/card.pb-c.h"

#define VERDICT(name) RASAD__V1__VERDICT__VERDICT_##name
#define KIND(name)    RASAD__V1__HYPOTHESIS_KIND__HYPOTHESIS_KIND_##name
#define CLASS(name)   RASAD__V1__INCIDENT_CLASS__INCIDENT_CLASS_##name

/* --- actions --- */

const char *say_class_action(const Rasad__V1__Incident *incident)
{
	static const char *const actions[] = {
		[CLASS(AREA_POWER)] = "ACTION_INFORM",
		[CLASS(CPE_FIRMWARE)] = "ACTION_VENDOR",
		[CLASS(CARD_FAILURE)] = "ACTION_CARD",
		[CLASS(PORT_FAULT)] = "ACTION_PORT",
		[CLASS(CABLE_CUT)] = "ACTION_TELECOM_TICKET",
		[CLASS(MDF)] = "ACTION_TELECOM_TICKET",
		[CLASS(NODE_OR_UPLINK)] = "ACTION_TRANSMISSION",
		[CLASS(TRANSMISSION)] = "ACTION_TRANSMISSION",
		[CLASS(FLAP_STORM)] = "ACTION_NOISE_TEST",
	};
	size_t n = sizeof(actions) / sizeof(*actions), at = (size_t)incident->class_;

	if (incident->planned)
		return "ACTION_INFORM";
	return at < n && actions[at] ? actions[at] : "ACTION_CORE_NOC";
}

static const char *line_action(const struct scene *scene, const struct draft *draft)
{
	if (draft_find(draft, "LINE_DOWN_ALONE"))
		return "ACTION_EXCHANGE_CHECK";
	if (draft_find(draft, "LINE_SUSPECT"))
		return "ACTION_ACTIVE_TEST";
	if (draft_find(draft, "LINE_RECENT_DROP") && scene->facts.drops_24h < 3)
		return "ACTION_WATCH";
	return scene->facts.rate_drop && !scene->facts.flapping ? "ACTION_EXCHANGE_CHECK"
								: "ACTION_NOISE_TEST";
}

static const char *home_action(const struct draft *draft)
{
	return draft_find(draft, "CPE_LOST_POWER") ? "ACTION_ASK_POWER"
	       : draft_find(draft, "HOME_LATENCY") ? "ACTION_GUIDE_WIFI"
	       : draft_find(draft, "CPE_RESTARTS") ? "ACTION_SWAP_CPE"
						   : "ACTION_RESTART_CPE";
}

static const char *incident_action(const struct draft *draft)
{
	const Rasad__V1__Incident *incident = draft->incident->incident;

	if (incident->has_clear_unix_ns_case)
		return draft_find(draft, "INC_AFFECTED") ? "ACTION_TECHNICIAN" : "ACTION_VERIFY";
	return incident->planned ? "ACTION_INFORM" : "ACTION_WAIT";
}

static const char *action_of(const struct scene *scene, const struct draft *draft)
{
	switch (draft->kind) {
	case KIND(INCIDENT):
		return incident_action(draft);
	case KIND(OWN_LINE):
		return line_action(scene, draft);
	case KIND(CPE_HOME):
		return home_action(draft);
	case KIND(ACCOUNT):
		return draft_find(draft, "ACCOUNT_REJECTED") ? "ACTION_CHECK_CREDENTIALS"
							     : "ACTION_BILLING";
	case KIND(OWN_SATURATION):
		return "ACTION_EXPLAIN_USAGE";
	case KIND(UPSTREAM):
		return "ACTION_CORE_NOC";
	default:
		return "ACTION_ASK_DETAILS";
	}
}

static void add(struct build *build, Rasad__V1__CallMatch *match, const char *code)
{
	build_append_text(build, &match->actions, &match->n_actions, code);
}

static void add_actions(struct build *build, Rasad__V1__CallMatch *match, const struct scene *scene,
			const struct draft *drafts)
{
	switch ((int)match->verdict) {
	case VERDICT(MATCHED):
	case VERDICT(PROBABLE):
		/* A pair is not tested before somebody has looked whether the modem is on. */
		if (draft_find(&drafts[0], "LINE_DOWN_ALONE"))
			add(build, match, "ACTION_ASK_POWER");
		add(build, match, action_of(scene, &drafts[0]));
		return;
	case VERDICT(NO_FAULT_FOUND):
		add(build, match, "ACTION_GUIDE_WIFI");
		if (scene->complaint == RASAD__V1__COMPLAINT__COMPLAINT_SLOW)
			add(build, match, "ACTION_ACTIVE_TEST");
		return;
	case VERDICT(AMBIGUOUS):
		add(build, match, "ACTION_ASK_DETAILS");
		add(build, match, action_of(scene, &drafts[0]));
		return;
	case VERDICT(INSUFFICIENT_DATA):
		add(build, match, "ACTION_ACTIVE_TEST");
		return;
	case VERDICT(UNKNOWN_SUBSCRIBER):
		add(build, match, "ACTION_IDENTIFY");
		return;
	default:
		add(build, match, "ACTION_MANUAL_CHECK");
		return;
	}
}

static void set_actions(struct build *build, const Rasad__V1__CallMatch *match,
			enum text_language language, char **field)
{
	struct build_stream stream;
	FILE *out = build_open(build, &stream);

	for (size_t i = 0; out && i < match->n_actions; i++) {
		bool repeated = false;
		for (size_t j = 0; j < i; j++)
			repeated |= !strcmp(match->actions[i], match->actions[j]);
		if (repeated)
			continue;
		if (i)
			fputc(' ', out);
		text_write(out, language, match->actions[i], NULL, 0);
	}
	build_close(build, &stream, field);
}

static void tell_actions(struct build *build, Rasad__V1__CallMatch *match)
{
	set_actions(build, match, TEXT_FA, &match->recommended_action_fa);
	set_actions(build, match, TEXT_EN, &match->recommended_action);
}

void say_next(struct build *build, Rasad__V1__CallMatch *match, const struct scene *scene,
	      const struct draft *drafts, size_t n)
{
	bool about_a_line = scene && n;

	if (!about_a_line && match->verdict != VERDICT(UNKNOWN_SUBSCRIBER))
		add(build, match, "ACTION_MANUAL_CHECK");
	else
		add_actions(build, match, scene, drafts);
	tell_actions(build, match);
}

/* --- other lines --- */

static void prepend(struct build *build, enum text_language language, size_t n, char **field)
{
	struct build_stream stream;
	FILE *out = build_open(build, &stream);
	const struct text_value count = {.name = "n", .kind = TEXT_COUNT, .number = (double)n};

	if (!out)
		return;
	text_write(out, language, "OTHER_LINES", &count, 1);
	fprintf(out, " %s", *field);
	build_close(build, &stream, field);
}

void say_other_lines(struct build *build, Rasad__V1__CallMatch *match)
{
	prepend(build, TEXT_FA, match->n_other_lines, &match->text_fa);
	prepend(build, TEXT_EN, match->n_other_lines, &match->text_en);
	add(build, match, "ACTION_ASK_WHICH_LINE");
	tell_actions(build, match);
}

/* --- reasons --- */

/* A number with its unit: as words, for the placeholder of a text. */
static void write_number(FILE *out, enum text_language language, double number, const char *unit)
{
	struct text_value value = {.name = "v", .kind = TEXT_DECIMAL, .number = number};
	char code[32];

	if (!strcmp(unit, "s"))
		value.kind = TEXT_DURATION;
	else if (!strcmp(unit, "kbps"))
		value.kind = TEXT_RATE;
	else if (!strcmp(unit, "share")) {
		value.kind = number < 0.1 ? TEXT_DECIMAL : TEXT_PERCENT;
		value.number = number < 0.1 ? number * 100 : number;
	}
	snprintf(code, sizeof(code), "UNIT_%.16s", unit);
	if (text_write(out, language, code, &value, 1))
		text_write_value(out, language, &value);
}

static char *number_words(enum text_language language, bool known, double number, const char *unit)
{
	char *words = NULL;
	size_t length;
	FILE *out = open_memstream(&words, &length);

	if (!out)
		return NULL;
	if (known)
		write_number(out, language, number, unit);
	else
		fputc('?', out);
	fclose(out);
	return words;
}

void say_reason(FILE *out, enum text_language language, const Rasad__V1__Reason *reason)
{
	char *value = number_words(language, reason->has_value_case, reason->value, reason->unit);
	char *baseline =
		number_words(language, reason->has_baseline_case, reason->baseline, reason->unit);
	const struct text_value values[] = {
		{.name = "value", .kind = TEXT_WORDS, .text = value},
		{.name = "baseline", .kind = TEXT_WORDS, .text = baseline},
		{.name = "n", .kind = TEXT_COUNT, .number = (double)reason->n},
	};

	if (text_write(out, language, reason->code, values, 3) == -ENOENT)
		text_write_value(out, language,
				 &(struct text_value){.kind = TEXT_NAME, .text = reason->code});
	free(value);
	free(baseline);
}
