/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast the publisher is against the plain way of doing the same: one XADD a record, one SET EX
 * a card, each packed by protobuf-c, pipelined. Ours is the whole path: publish_take, queue,
 * thread, acknowledgement by Redis. "By hand" is the plain way with our encoder: what is left is
 * what the packing into entries and buckets brings. Cards are refreshed, in the order of buckets as
 * the analysis does it (engine/analysis/cards.h), and in any order: the first pass, which also
 * writes the indexes, is not counted. A redis-server of its own, on a unix socket, no disk.
 *
 * Variants take turns, lap by lap; a ratio is the median of the laps' ratios to the plain way of
 * the same lap. Each is told in records a second and in records a second of CPU, client and server
 * together, which a busy machine disturbs less. Lines: name, value, unit, ratio.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "engine/publish/codec.h"
#include "engine/publish/encode_card.h"
#include "engine/publish/encode_minute.h"
#include "engine/publish/keyspace.h"
#include "engine/publish/publish.h"
#include "engine/publish/redis.h"
#include "tests/engine/publish/sample.h"
#include "tests/engine/publish/server.h"

#define LINES_DEFAULT 200000
#define LAPS_DEFAULT  5
#define LAPS_MAX      99
#define MINUTE_NS     60000000000
#define STRIDE	      1000003 /* a prime above the most lines: each has its turn */

struct line {
	uint8_t bucket;
	char name[40], user[24], mac[24], ipv4[24], ipv6[32];
};

struct bench {
	size_t lines, laps;
	struct line *line;
	struct server server;
	struct redis *redis;
	struct codec *codec;
	struct publisher *publisher;
	int64_t minute; /* of this run: ids must rise */
	struct report_subscriber subscriber;
	struct report_minute record;
	const char *ipv4, *ipv6;
	bool streams; /* they are what is filled */
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "publish_bench: %s\n", what);
	exit(1);
}

/* --- what is published --- */

static int by_bucket(const void *a, const void *b)
{
	return ((const struct line *)a)->bucket - ((const struct line *)b)->bucket;
}

static void name_lines(struct bench *bench)
{
	bench->line = calloc(bench->lines, sizeof(*bench->line));
	need(bench->line, "out of memory");
	for (unsigned i = 0; i < bench->lines; i++) {
		struct line *line = &bench->line[i];
		snprintf(line->name, sizeof(line->name), "DSLAM-%u eth 0/1/%u", i / 1000, i % 1000);
		line->bucket = keyspace_bucket_of(line->name);
		snprintf(line->user, sizeof(line->user), "u%u@isp.test", i);
		snprintf(line->mac, sizeof(line->mac), "02:5a:00:%02x:%02x:%02x", i >> 16 & 255,
			 i >> 8 & 255, i & 255);
		snprintf(line->ipv4, sizeof(line->ipv4), "100.%u.%u.%u", 64 + (i >> 16),
			 i >> 8 & 255, i & 255);
		snprintf(line->ipv6, sizeof(line->ipv6), "2001:db8:%x:%x00::/56", i >> 8, i & 255);
	}
	qsort(bench->line, bench->lines, sizeof(*bench->line), by_bucket);
}

/* One record for all lines, so that making it up costs next to nothing. */
static const struct report_subscriber *subscriber_of(struct bench *bench, size_t i)
{
	struct report_subscriber *subscriber = &bench->subscriber;
	struct line *line = &bench->line[i];

	subscriber->who.line = subscriber->who.circuit_id = line->name;
	subscriber->who.subscriber = line->user;
	subscriber->who.cpe_mac = line->mac;
	bench->ipv4 = line->ipv4;
	bench->ipv6 = line->ipv6;
	return subscriber;
}

static const struct report_minute *minute_of(struct bench *bench, size_t i)
{
	bench->record.line = bench->line[i].name;
	bench->record.start_unix_ns = bench->minute * MINUTE_NS;
	return &bench->record;
}

/* --- the plain way --- */

static void read_replies(struct bench *bench, size_t n)
{
	struct redis_reply *reply;

	for (; n; n--) {
		need(!redis_next(bench->redis, &reply), "connection lost");
		need(redis_type(reply) != REDIS_REFUSED, redis_text(reply, NULL));
		redis_reply_free(reply);
	}
}

static void append(struct bench *bench, size_t n, const char *const *arguments,
		   const struct codec_bytes *packed, size_t at)
{
	size_t lengths[16];

	for (size_t i = 0; i < n; i++)
		lengths[i] = i == at ? packed->length : strlen(arguments[i]);
	need(!redis_append(bench->redis, n, arguments, lengths), "out of memory");
}

static void xadd_each(struct bench *bench, bool by_hand)
{
	uint8_t record[4096];

	for (size_t i = 0, waiting = 0; i < bench->lines; i++) {
		const struct report_minute *minute = minute_of(bench, i);
		struct report report = {.kind = REPORT_MINUTE, .minute = minute};
		struct codec_bytes packed = {record, 0, ""};
		if (by_hand)
			packed.length = (size_t)(encode_minute(minute, i, record) - record);
		else
			need(!codec_pack(bench->codec, &report, &packed), "out of memory");
		const char *arguments[] = {"XADD",   "plain", "MAXLEN", "~",
					   "100000", "*",     "t",	"MinuteSummary",
					   "v",	     "1",     "p",	(const char *)packed.data};
		append(bench, 12, arguments, &packed, 11);
		if (++waiting == 64 || i + 1 == bench->lines) {
			read_replies(bench, waiting);
			waiting = 0;
		}
	}
}

static void plain_minutes(struct bench *bench)
{
	xadd_each(bench, false);
}

static void plain_minutes_by_hand(struct bench *bench)
{
	xadd_each(bench, true);
}

static size_t encode(const struct report_subscriber *subscriber, uint8_t *out)
{
	const char *line = subscriber->who.line;
	struct encoded_names names;
	uint8_t *end =
		encode_card(subscriber, NULL, keyspace_hash(line, strlen(line)), out, &names);

	encode_card_stamp(out, (size_t)(end - out), 1);
	return (size_t)(end - out);
}

/* The summary is most of the card, and the codec packs it by protobuf-c. */
static size_t pack(struct bench *bench, const struct report_subscriber *subscriber, uint8_t *out)
{
	struct report report = {.kind = REPORT_SUBSCRIBER, .subscriber = subscriber};
	struct codec_bytes packed;

	need(!codec_pack(bench->codec, &report, &packed), "out of memory");
	memcpy(out, packed.data, packed.length);
	return packed.length;
}

static void set_each(struct bench *bench, bool by_hand)
{
	static uint8_t card[65536];

	for (size_t i = 0, waiting = 0; i < bench->lines; i++) {
		const struct report_subscriber *subscriber = subscriber_of(bench, i);
		char sub_id[KEYSPACE_SUB_ID_SIZE], key[64];
		struct codec_bytes packed = {
			card, by_hand ? encode(subscriber, card) : pack(bench, subscriber, card),
			""};
		keyspace_sub_id(subscriber->who.line, sub_id);
		snprintf(key, sizeof(key), "plain:{s%s}:sub:%s", sub_id + 14, sub_id);
		const char *arguments[] = {"SET", key, (const char *)packed.data, "EX", "900"};
		append(bench, 5, arguments, &packed, 2);
		if (++waiting == 512 || i + 1 == bench->lines) {
			read_replies(bench, waiting);
			waiting = 0;
		}
	}
}

static void plain_cards(struct bench *bench)
{
	set_each(bench, false);
}

static void plain_cards_by_hand(struct bench *bench)
{
	set_each(bench, true);
}

/* --- ours --- */

static void wait_for(struct bench *bench, uint64_t cards, uint64_t minutes)
{
	struct publish_counters counters;

	do {
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
		publish_counters(bench->publisher, &counters);
	} while (counters.cards_published + counters.cards_coalesced < cards ||
		 counters.minutes_published < minutes);
}

/* What waits for more of its kind waits no longer. */
static void end_pass(struct bench *bench)
{
	struct report_health health = sample_health();

	publish_take(bench->publisher, &(struct report){.kind = REPORT_HEALTH, .health = &health});
}

static void our_minutes(struct bench *bench)
{
	struct publish_counters before;

	publish_counters(bench->publisher, &before);
	for (size_t i = 0; i < bench->lines; i++) {
		const struct report_minute *minute = minute_of(bench, i);
		publish_take(bench->publisher,
			     &(struct report){.kind = REPORT_MINUTE, .minute = minute});
	}
	end_pass(bench);
	wait_for(bench, 0, before.minutes_published + bench->lines);
}

static void take_cards(struct bench *bench, size_t step)
{
	struct publish_counters before;

	publish_counters(bench->publisher, &before);
	for (size_t i = 0; i < bench->lines; i++) {
		const struct report_subscriber *subscriber =
			subscriber_of(bench, i * step % bench->lines);
		publish_take(bench->publisher,
			     &(struct report){.kind = REPORT_SUBSCRIBER, .subscriber = subscriber});
	}
	end_pass(bench);
	wait_for(bench, before.cards_published + before.cards_coalesced + bench->lines, 0);
}

static void our_cards(struct bench *bench)
{
	take_cards(bench, 1);
}

static void our_cards_in_any_order(struct bench *bench)
{
	take_cards(bench, STRIDE);
}

/* --- laps --- */

struct variant {
	const char *name;
	void (*run)(struct bench *bench);
	double seconds[LAPS_MAX], cpu_seconds[LAPS_MAX];
};

static double info_number(const char *info, const char *name)
{
	const char *found = strstr(info, name);

	return found ? atof(found + strlen(name)) : 0;
}

/* Of this process and the server. */
static double cpu_s(struct bench *bench)
{
	struct timespec own;
	struct redis_reply *info = server_ask(bench->redis, (const char *[]){"INFO", "cpu", NULL});
	const char *text = redis_text(info, NULL);
	double server_s = info_number(text, "used_cpu_sys:") + info_number(text, "used_cpu_user:");

	redis_reply_free(info);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
	return server_s + (double)own.tv_sec + (double)own.tv_nsec / 1e9;
}

static void run(struct bench *bench, struct variant *variant, size_t lap)
{
	double cpu = cpu_s(bench), start = now_s();

	variant->run(bench);
	variant->seconds[lap] = now_s() - start;
	variant->cpu_seconds[lap] = cpu_s(bench) - cpu;
}

static int by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(const double *values, size_t n)
{
	double sorted[LAPS_MAX];

	memcpy(sorted, values, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_size);
	return sorted[n / 2];
}

static void tell(const struct bench *bench, const char *name, const char *unit,
		 const double *seconds, const double *plain_seconds)
{
	double ratios[LAPS_MAX];

	for (size_t lap = 0; lap < bench->laps; lap++)
		ratios[lap] = plain_seconds[lap] / seconds[lap];
	printf("%-24s %9.0f %-16s %.2f\n", name,
	       (double)bench->lines / median(seconds, bench->laps), unit,
	       median(ratios, bench->laps));
}

/* The memory of what was streamed is used again, as in a stream that is full. */
static void empty_streams(struct bench *bench)
{
	static const char *const streams[] = {"plain", "rasad:{e00}:min"};

	for (size_t i = 0; i < 2; i++)
		redis_reply_free(server_ask(
			bench->redis, (const char *[]){"XTRIM", streams[i], "MAXLEN", "0", NULL}));
}

/* The first variant is the plain way. Its first pass adds, the others refresh. */
static void compare(struct bench *bench, struct variant *variants, size_t n)
{
	for (size_t lap = 0; lap <= bench->laps; lap++)
		for (size_t i = 0; i < n; i++) {
			bench->minute++;
			run(bench, &variants[i], lap ? lap - 1 : 0);
			if (bench->streams)
				empty_streams(bench);
		}
	for (size_t i = 0; i < n; i++)
		tell(bench, variants[i].name, "records/s", variants[i].seconds,
		     variants[0].seconds);
	for (size_t i = 0; i < n; i++)
		tell(bench, variants[i].name, "records/s-of-CPU", variants[i].cpu_seconds,
		     variants[0].cpu_seconds);
	fflush(stdout);
}

static size_t number(const char *text, size_t max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	need(*text >= '0' && *text <= '9' && !*end && value && value <= max,
	     "expected: publish_bench [LINES [LAPS]], at most 1000000 and 99");
	return value;
}

int main(int argc, char **argv)
{
	struct bench bench = {
		.lines = argc > 1 ? number(argv[1], 1000000) : LINES_DEFAULT,
		.laps = argc > 2 ? number(argv[2], LAPS_MAX) : LAPS_DEFAULT,
		.codec = codec_new(),
		.streams = true,
		.minute = SAMPLE_UNIX_NS / MINUTE_NS,
	};
	struct publish_error error = {""};
	char reason[REDIS_ERROR_SIZE];

	name_lines(&bench);
	bench.record = sample_minute();
	bench.subscriber = sample_subscriber();
	bench.subscriber.ipv4 = &bench.ipv4;
	bench.subscriber.ipv6 = &bench.ipv6;
	bench.subscriber.n_ipv4 = bench.subscriber.n_ipv6 = 1;
	server_start(&bench.server);
	bench.redis = redis_open(bench.server.url, reason);
	need(bench.redis, reason);
	redis_reply_free(server_ask(bench.redis,
				    (const char *[]){"CONFIG", "SET", "appendonly", "no", NULL}));
	bench.publisher = publish_open(&(struct publish_options){.url = bench.server.url,
								 .collector = "bench",
								 .lossless = true},
				       &error);
	need(bench.publisher, error.text);
	compare(&bench,
		(struct variant[]){{.name = "minutes-xadd-each", .run = plain_minutes},
				   {.name = "minutes-xadd-by-hand", .run = plain_minutes_by_hand},
				   {.name = "minutes-published", .run = our_minutes}},
		3);
	redis_reply_free(server_ask(bench.redis, (const char *[]){"FLUSHALL", NULL}));
	bench.streams = false;
	compare(&bench,
		(struct variant[]){{.name = "cards-set-each", .run = plain_cards},
				   {.name = "cards-set-by-hand", .run = plain_cards_by_hand},
				   {.name = "cards-published", .run = our_cards},
				   {.name = "cards-in-any-order", .run = our_cards_in_any_order}},
		4);
	need(!publish_close(bench.publisher, 10000, NULL, &error), error.text);
	redis_close(bench.redis);
	codec_free(bench.codec);
	free(bench.line);
	server_fini(&bench.server);
	return 0;
}
