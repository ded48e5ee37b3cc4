/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines by any name: the card, as message and as text, and the incidents over it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/match/card_text.h"
#include "proto/rasad/v1/card.pb-c.h"
#include "proto/rasad/v1/desk.pb-c.h"
#include "tools/lib/find.h"
#include "tools/rasad-desk/api.h"
#include "tools/rasad-desk/store.h"

#define LINES_MAX 64

typedef Rasad__V1__SubscriberLine Line;

/* Texts that the answer points to; freed with it. */
struct answer {
	Rasad__V1__SubscriberAnswer message;
	Line lines[LINES_MAX], *pointers[LINES_MAX];
	char *texts[LINES_MAX][2];
	char incident_ids[LINES_MAX][SCORE_INCIDENTS_MAX][DESK_ID_SIZE];
	char *id_pointers[LINES_MAX][SCORE_INCIDENTS_MAX];
};

static char *render(struct desk *desk, const Rasad__V1__SubscriberCard *card,
		    enum text_language language)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	const struct card_text_options options = {
		.language = language,
		.now_unix_ns = desk_time(desk),
		.wall_unix_ms = desk_wall_ms(desk),
	};

	if (!out)
		return NULL;
	card_text(out, card, NULL, &options);
	fclose(out);
	return text;
}

static void add_incidents(struct desk *desk, struct answer *answer, size_t at, Line *line)
{
	struct score_incident incidents[SCORE_INCIDENTS_MAX];

	pthread_mutex_lock(&desk->lock);
	size_t n = book_candidates(desk->book, line->card, book_sub_id(line->sub_id), incidents);
	for (size_t i = 0; i < n; i++) {
		answer->id_pointers[at][i] = answer->incident_ids[at][i];
		snprintf(answer->incident_ids[at][i], DESK_ID_SIZE, "%s",
			 incidents[i].incident->incident_id);
	}
	pthread_mutex_unlock(&desk->lock);
	line->incident_ids = answer->id_pointers[at];
	line->n_incident_ids = n;
}

static void add_line(struct desk *desk, struct answer *answer, char *sub_id,
		     Rasad__V1__SubscriberCard *card)
{
	size_t at = answer->message.n_lines++;
	Line *line = &answer->lines[at];

	rasad__v1__subscriber_line__init(line);
	answer->pointers[at] = line;
	line->sub_id = sub_id;
	line->watched = card != NULL;
	line->card = card;
	add_incidents(desk, answer, at, line);
	for (int language = 0; card && language < 2; language++)
		answer->texts[at][language] = render(desk, card, language ? TEXT_EN : TEXT_FA);
	line->text_fa = answer->texts[at][0] ? answer->texts[at][0] : line->text_fa;
	line->text_en = answer->texts[at][1] ? answer->texts[at][1] : line->text_en;
}

/* A line that has let go of the name is left out; one without a card may have it. */
static int read_lines(struct api_call *call, struct redis *redis, struct found *found,
		      struct answer *answer)
{
	size_t n = found->n < LINES_MAX ? found->n : LINES_MAX;
	int status = store_ask_time(redis);

	if (found->n > LINES_MAX)
		count(&call->desk->counters.lines_cut);
	for (size_t i = 0; i < n && !status; i++)
		status = store_ask_card(redis, found->sub_ids[i]);
	status = status ? status : store_read_time(call->desk, redis);
	for (size_t i = 0; i < n && !status; i++) {
		Rasad__V1__SubscriberCard *card;
		status = store_read_card(call->desk, redis, &card);
		if (!status && card && !card_answers(card, call->name))
			rasad__v1__subscriber_card__free_unpacked(card, NULL);
		else if (!status)
			add_line(call->desk, answer, found->sub_ids[i], card);
	}
	return status;
}

static void answer_fini(struct answer *answer)
{
	for (size_t i = 0; i < answer->message.n_lines; i++) {
		if (answer->lines[i].card)
			rasad__v1__subscriber_card__free_unpacked(answer->lines[i].card, NULL);
		free(answer->texts[i][0]);
		free(answer->texts[i][1]);
	}
	free(answer);
}

void api_get_subscriber(struct api_call *call)
{
	struct redis *redis = api_redis(call);
	struct found found = {0};
	struct answer *answer = calloc(1, sizeof(*answer));
	int status = answer ? 0 : -ENOMEM;

	if (redis && answer) {
		rasad__v1__subscriber_answer__init(&answer->message);
		answer->message.key = (char *)call->name;
		answer->message.lines = answer->pointers;
		status = find_lines(redis, call->name, &found);
		status = status ? status : read_lines(call, redis, &found, answer);
		if (status)
			api_fail(call, 503, "", "monitoring unavailable: Redis is away");
		else if (!answer->message.n_lines)
			api_fail(call, 404, "", "no line answers to \"%.200s\"", call->name);
		else
			api_give(call, 200, &answer->message.base);
	}
	links_give(&call->desk->links, redis, !status);
	free(found.sub_ids);
	if (answer)
		answer_fini(answer);
}
