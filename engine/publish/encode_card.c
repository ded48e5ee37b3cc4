/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every card of a million lines is written anew every few minutes: by hand that takes a tenth of
 * the time of building and packing a message. The summary is the same, byte for byte, as that of
 * message_of_subscriber, and the whole is what protobuf-c would write, but for the stamp (19), which stands last; a test holds it
 * to both.
 */
#include "engine/publish/encode_card.h"

#include "engine/analysis/report.h"
#include "engine/base/inventory.h"
#include "engine/publish/encode_parts.h"
#include "proto/wire.h"

#define NUMBERS		48 /* in card and summary */
#define SESSION_NUMBERS 9
#define UNSTAMPED	1 /* ms: long ago, and not the zero that is left out */

static size_t text_max(const char *text)
{
	return text ? WIRE_TEXT_MAX(strlen(text)) : 0;
}

static size_t texts_max(const char *const *texts, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += WIRE_TEXT_MAX(strlen(texts[i]));
	return sum;
}

static size_t groups_max(const struct report_group *groups, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += WIRE_FIELD_MAX + text_max(groups[i].type) + text_max(groups[i].name);
	return sum;
}

size_t encode_card_max(const struct report_subscriber *subscriber, const struct inventory_row *row)
{
	const struct report_line *who = &subscriber->who;
	size_t sum = text_max(who->line) + text_max(who->subscriber) + text_max(who->circuit_id) +
		     text_max(who->remote_id) + text_max(who->cpe_mac) + text_max(who->ac_mac);

	if (row)
		sum += text_max(row->subscriber) + text_max(row->phone) + text_max(row->exchange) +
		       text_max(row->node) + text_max(row->card) + text_max(row->port) +
		       text_max(row->cabinet);
	sum += groups_max(subscriber->groups, subscriber->n_groups) + WIRE_FIELD_MAX +
	       CHANNEL_COUNT; /* symptoms: a byte each */
	return sum + texts_max(subscriber->ipv4, subscriber->n_ipv4) +
	       texts_max(subscriber->ipv6, subscriber->n_ipv6) +
	       subscriber->n_sessions * SESSION_NUMBERS * WIRE_FIELD_MAX +
	       NUMBERS * WIRE_FIELD_MAX + ENCODE_SUB_ID_MAX + ENCODE_SEGMENTS_MAX +
	       ENCODE_SIDES_MAX;
}

static uint8_t *time(uint8_t *at, unsigned field, int64_t unix_ns)
{
	return unix_ns != REPORT_ABSENT ? wire_set(at, field, (uint64_t)unix_ns) : at;
}

static uint8_t *texts(uint8_t *at, unsigned field, const char *const *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		at = wire_element(at, field, from[i], strlen(from[i]));
	return at;
}

/* --- the summary --- */

static uint8_t *distribution(uint8_t *at, unsigned field, const struct dist *dist)
{
	if (!dist->n)
		return at;
	uint8_t *inside = wire_open(at, field), *end = wire_uint(inside, 1, dist->n);
	end = wire_double(end, 2, dist->min_us);
	end = wire_double(end, 3, dist->p50_us);
	end = wire_double(end, 4, dist->p90_us);
	end = wire_double(end, 5, dist->p95_us);
	end = wire_double(end, 6, dist->p99_us);
	end = wire_double(end, 7, dist->max_us);
	end = wire_double(end, 8, dist->mean_us);
	return wire_close(inside, end);
}

static uint8_t *segments(uint8_t *at, unsigned field, const struct report_rtt *rtt)
{
	uint8_t *inside = wire_open(at, field), *end = distribution(inside, 1, &rtt->line);

	end = distribution(end, 2, &rtt->access);
	end = distribution(end, 3, &rtt->home);
	end = distribution(end, 4, &rtt->internet);
	end = distribution(end, 5, &rtt->dns);
	end = distribution(end, 6, &rtt->icmp);
	end = distribution(end, 7, &rtt->host_delay);
	return wire_close(inside, end);
}

static uint8_t *session(uint8_t *at, unsigned field, const struct report_session *from)
{
	uint8_t *inside = wire_open(at, field), *end = wire_uint(inside, 1, from->pppoe_session_id);

	end = time(end, 2, from->pads_unix_ns);
	end = time(end, 3, from->up_unix_ns);
	end = time(end, 4, from->down_unix_ns);
	end = wire_uint(end, 5, from->cause);
	end = time(end, 6, from->first_seen_unix_ns);
	end = time(end, 7, from->detected_unix_ns);
	return wire_close(inside, wire_uint(end, 8, from->failed_stage));
}

static uint8_t *identity(uint8_t *at, const struct report_subscriber *from)
{
	at = wire_text(at, 1, from->who.line);
	at = wire_uint(at, 2, from->who.svlan);
	at = wire_uint(at, 3, from->who.cvlan);
	at = wire_text(at, 4, from->who.subscriber);
	at = wire_text(at, 5, from->who.circuit_id);
	at = wire_text(at, 6, from->who.remote_id);
	at = wire_text(at, 7, from->who.cpe_mac);
	at = texts(at, 8, from->ipv4, from->n_ipv4);
	return texts(at, 9, from->ipv6, from->n_ipv6);
}

static uint8_t *traffic(uint8_t *at, const struct report_subscriber *from)
{
	at = wire_uint(at, 14, from->packets_down);
	at = wire_uint(at, 15, from->packets_up);
	at = wire_uint(at, 16, from->bytes_down);
	at = wire_uint(at, 17, from->bytes_up);
	at = segments(at, 18, &from->rtt);
	at = encode_sides(at, 19, &from->loss);
	at = wire_uint(at, 20, from->reordered_down);
	at = wire_uint(at, 21, from->reordered_up);
	at = wire_uint(at, 22, from->spurious_down);
	at = wire_uint(at, 23, from->spurious_up);
	at = wire_uint(at, 24, from->line_rate_down);
	return wire_uint(at, 25, from->line_rate_up);
}

static uint8_t *summary(uint8_t *at, unsigned field, const struct report_subscriber *from,
			struct encoded_names *names)
{
	uint8_t *inside = wire_open(at, field), *end = identity(inside, from);

	names->n_seen = (size_t)(end - inside);
	end = wire_uint(end, 10, from->state);
	end = wire_uint(end, 11, from->flaps);
	end = wire_uint(end, 12, from->auth_failures);
	for (size_t i = 0; i < from->n_sessions; i++)
		end = session(end, 13, &from->sessions[i]);
	end = traffic(end, from);
	end = wire_uint(end, 26, from->outages);
	end = wire_uint(end, 27, from->setup_failures);
	end = wire_uint(end, 28, from->flapping);
	end = time(end, 29, from->last_upstream_unix_ns);
	end = wire_uint(end, 30, from->sessions_total);
	end = wire_uint(end, 31, from->suspected_tail_loss_down);
	end = wire_uint(end, 32, from->suspected_tail_loss_up);
	end = wire_text(end, 33, from->who.ac_mac);
	end = wire_close(inside, time(end, 34, from->down_since_unix_ns));
	names->seen = wire_inside(at, field);
	return end;
}

/* --- the card --- */

static uint8_t *booked(uint8_t *at, const struct inventory_row *row)
{
	at = wire_text(at, 4, row->phone);
	at = wire_text(at, 5, row->exchange);
	at = wire_text(at, 6, row->node);
	at = wire_text(at, 7, row->card);
	at = wire_text(at, 8, row->port);
	at = wire_text(at, 9, row->cabinet);
	if (row->plan_down_kbps != INVENTORY_ABSENT)
		at = wire_set(at, 10, (uint32_t)row->plan_down_kbps);
	if (row->plan_up_kbps != INVENTORY_ABSENT)
		at = wire_set(at, 11, (uint32_t)row->plan_up_kbps);
	return at;
}

/* When the session that is there came up, and when and why the last one ended. */
static uint8_t *history(uint8_t *at, const struct report_subscriber *from)
{
	bool there = from->state == LINE_UP || from->state == LINE_SUSPECT;
	int64_t up_since = REPORT_ABSENT, last_down = REPORT_ABSENT;
	enum drop_cause cause = CAUSE_NONE;

	for (size_t i = 0; i < from->n_sessions; i++) {
		const struct report_session *one = &from->sessions[i];
		bool ended = one->down_unix_ns != REPORT_ABSENT;
		if (!ended && there && one->up_unix_ns != REPORT_ABSENT)
			up_since = one->up_unix_ns;
		if (ended && one->down_unix_ns >= last_down) {
			last_down = one->down_unix_ns;
			cause = one->cause;
		}
	}
	at = time(at, 12, up_since);
	at = time(at, 13, last_down);
	return wire_uint(at, 14, cause);
}

/* What the line hangs on, and what it shows now. */
static uint8_t *surroundings(uint8_t *at, const struct report_subscriber *from)
{
	for (size_t i = 0; i < from->n_groups; i++) {
		uint8_t *inside = wire_open(at, 20);
		uint8_t *end = wire_text(inside, 1, from->groups[i].type);
		at = wire_close(inside, wire_text(end, 2, from->groups[i].name));
	}
	uint8_t *inside = wire_open(at, 21), *end = inside;
	for (unsigned channel = 1; channel < CHANNEL_COUNT; channel++)
		if (from->symptoms & 1u << channel)
			*end++ = (uint8_t)channel;
	return end > inside ? wire_close(inside, end) : at;
}

uint8_t *encode_card(const struct report_subscriber *subscriber, const struct inventory_row *row,
		     uint64_t sub_id, uint8_t *at, struct encoded_names *names)
{
	at = encode_sub_id(at, 1, sub_id);
	at = wire_uint(at, 2, (uint64_t)subscriber->unix_ns);
	at = summary(at, 3, subscriber, names);
	if (row)
		at = booked(at, row);
	at = history(at, subscriber);
	at = wire_uint(at, 15, subscriber->flaps_5m);
	at = wire_uint(at, 16, subscriber->flaps_1h);
	at = wire_uint(at, 17, subscriber->flaps_24h);
	names->booked = at;
	if (row)
		at = wire_text(at, 18, row->subscriber);
	names->n_booked = (size_t)(at - names->booked);
	at = surroundings(at, subscriber);
	return wire_fixed64(wire_tag(at, 19, WIRE_FIXED64), UNSTAMPED);
}

int64_t encode_card_good_until(const uint8_t *card, size_t n)
{
	uint8_t tag[2 * WIRE_FIELD_MAX];
	size_t n_tag = (size_t)(wire_tag(tag, 19, WIRE_FIXED64) - tag);
	uint64_t unix_ms;

	if (n < n_tag + sizeof(unix_ms) || memcmp(card + n - sizeof(unix_ms) - n_tag, tag, n_tag))
		return 0;
	memcpy(&unix_ms, card + n - sizeof(unix_ms), sizeof(unix_ms));
	return (int64_t)le64toh(unix_ms);
}

void encode_card_stamp(uint8_t *card, size_t n, int64_t valid_until_unix_ms)
{
	if (n >= sizeof(uint64_t))
		wire_fixed64(card + n - sizeof(uint64_t), (uint64_t)valid_until_unix_ms);
}
