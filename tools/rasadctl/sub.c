/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/redis.h"
#include "tools/rasadctl/ctl.h"

enum outcome { SHOWN, NO_CARD, NOT_THIS_LINE, FAILED };

static void print_no_card(struct ctl *ctl, const char *sub_id)
{
	/* JSON has cards only: a value that is not there is left out. */
	if (ctl->json)
		complain("line %s: no card: monitoring unavailable", sub_id);
	else
		printf("line %s: no card: monitoring unavailable, its state is not known\n\n",
		       sub_id);
}

static enum outcome show_line(struct ctl *ctl, const char *sub_id, const char *text)
{
	struct redis_reply *reply = ctl_next(ctl);
	enum outcome outcome = SHOWN;

	if (!reply)
		return FAILED;
	Rasad__V1__SubscriberCard *card = ctl_unpack_card(ctl, reply);
	redis_reply_free(reply);
	if (!card) {
		print_no_card(ctl, sub_id);
		outcome = NO_CARD;
	} else if (!card_answers(card, text))
		outcome = NOT_THIS_LINE;
	else if (ctl->json)
		ctl_print_json(ctl, &card->base);
	else if (ctl->spoken)
		print_spoken(ctl, card);
	else
		print_card(ctl, card);
	if (card)
		protobuf_c_message_free_unpacked(&card->base, NULL);
	return outcome;
}

int run_sub(struct ctl *ctl)
{
	const char *text = ctl->arguments[0];
	struct found found;
	size_t shown = 0;
	bool failed = !ctl_find(ctl, text, &found) || !ctl_ask_cards(ctl, &found);

	for (size_t i = 0; i < found.n && !failed; i++) {
		enum outcome outcome = show_line(ctl, found.sub_ids[i], text);
		failed = outcome == FAILED;
		shown += outcome == SHOWN;
	}
	free(found.sub_ids);
	if (!failed && !shown)
		complain("%s: no card: monitoring unavailable or unknown", tidy(text));
	return shown && !failed ? EXIT_OK : EXIT_TROUBLE;
}

int run_card(struct ctl *ctl)
{
	ctl->spoken = true;
	return run_sub(ctl);
}
