/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines by any name, and their cards. */
#include <errno.h>
#include <string.h>

#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "tools/rasadctl/ctl.h"

bool ctl_find(struct ctl *ctl, const char *text, struct found *found)
{
	int status = find_lines(ctl->redis, text, found);

	if (status)
		complain("Redis: %s", status == -EIO	  ? redis_error(ctl->redis)
				      : status == -ENOMEM ? "out of memory"
							  : "it does not let us read the indexes");
	return !status;
}

bool ctl_ask_cards(struct ctl *ctl, const struct found *found)
{
	if (!ctl_ask_time(ctl))
		return false;
	for (size_t i = 0; i < found->n; i++) {
		keyspace_key key;
		keyspace_card(found->sub_ids[i], key);
		if (!ctl_send(ctl, (const char *[]){"HGET", key, found->sub_ids[i], NULL}))
			return false;
	}
	return ctl_read_time(ctl);
}

/* A line without a card may have had it. */
static bool may_answer(struct ctl *ctl, const struct redis_reply *reply, const char *text)
{
	Rasad__V1__SubscriberCard *card = ctl_unpack_card(ctl, reply);
	bool answers = !card || card_answers(card, text);

	if (card)
		protobuf_c_message_free_unpacked(&card->base, NULL);
	return answers;
}

bool find_answering(struct ctl *ctl, const char *text, struct found *found)
{
	char own[KEYSPACE_SUB_ID_SIZE];
	size_t kept = 0;

	keyspace_sub_id(text, own);
	if (!ctl_find(ctl, text, found) || !ctl_ask_cards(ctl, found))
		return false;
	for (size_t i = 0; i < found->n; i++) {
		struct redis_reply *reply = ctl_next(ctl);
		if (!reply)
			return false;
		if (may_answer(ctl, reply, text))
			memmove(found->sub_ids[kept++], found->sub_ids[i], KEYSPACE_SUB_ID_SIZE);
		redis_reply_free(reply);
	}
	found->n = kept;
	return found_add(found, own);
}
