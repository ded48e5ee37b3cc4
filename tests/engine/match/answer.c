/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/engine/match/answer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/match/say.h"
#include "engine/match/texts.h"

/* In both languages, with each placeholder filled: a value that is missing is written as "?". */
static void can_be_said(const Rasad__V1__CallMatch *match)
{
	for (enum text_language language = TEXT_FA; language <= TEXT_EN; language++) {
		char *text = NULL;
		size_t n;
		FILE *out = open_memstream(&text, &n);
		for (size_t i = 0; i < match->n_hypotheses; i++)
			for (size_t j = 0; j < match->hypotheses[i]->n_reasons; j++) {
				const Rasad__V1__Reason *one = match->hypotheses[i]->reasons[j];
				assert_non_null(text_template(language, one->code));
				say_reason(out, language, one);
			}
		for (size_t i = 0; i < match->n_actions; i++)
			assert_int_equal(text_write(out, language, match->actions[i], NULL, 0), 0);
		for (size_t i = 0; i < match->n_cannot_see; i++)
			assert_int_equal(text_write(out, language, match->cannot_see[i], NULL, 0),
					 0);
		fputs(language == TEXT_FA ? match->text_fa : match->text_en, out);
		fclose(out);
		if (strchr(text, '?'))
			fail_msg("a value is missing in: %s", text);
		free(text);
	}
	assert_true(*match->text_fa && *match->text_en && *match->recommended_action &&
		    *match->recommended_action_fa);
}

const Rasad__V1__CallMatch *answer(struct told told)
{
	char call[128];

	snprintf(call, sizeof(call),
		 "{'call_id':'c1','unix_ns':%%T(0),'phone':'02188776655','complaint':'%s'}",
		 told.complaint);
	struct score_input input = {
		.call = call_with(call, told.more ? told.more : ""),
		.card = told.card,
		.now_unix_ns = NOW_NS,
		.wall_unix_ms = NOW_NS / 1000000,
		.incidents = told.incidents,
		.n_incidents = told.n,
		.siblings = told.siblings,
	};
	Rasad__V1__CallMatch *match = score_call(&input);
	assert_non_null(match);
	can_be_said(match);
	return kept(match);
}

double posterior(const Rasad__V1__CallMatch *match, int kind, const char *ref)
{
	for (size_t i = 0; i < match->n_hypotheses; i++)
		if ((int)match->hypotheses[i]->kind == kind &&
		    (!ref || !strcmp(match->hypotheses[i]->ref, ref)))
			return match->hypotheses[i]->posterior;
	return -1;
}

const Rasad__V1__Reason *reason(const Rasad__V1__CallMatch *match, const char *code)
{
	for (size_t i = 0; i < match->n_hypotheses; i++)
		for (size_t j = 0; j < match->hypotheses[i]->n_reasons; j++)
			if (!strcmp(match->hypotheses[i]->reasons[j]->code, code))
				return match->hypotheses[i]->reasons[j];
	return NULL;
}

void near(double is, double expected, double within)
{
	if (!(fabs(is - expected) <= within))
		fail_msg("expected %.4f within %.3f, got %.4f", expected, within, is);
}

struct score_incident cable_cut(enum membership membership)
{
	return (struct score_incident){
		.incident = incident_of(
			"{'incident_id':'I1','state':'OPEN','class':'CABLE_CUT','category':'ACCESS_INFRA',"
			"'group_type':'cabinet','group':'K-12','onset_unix_ns':%T(-30),"
			"'open_unix_ns':%T(-29.7),'changed_unix_ns':%T(-5),'affected':140,"
			"'affected_peak':142,'members':150,'confidence':0.98}"),
		.membership = membership,
		.in_scope = true,
	};
}
