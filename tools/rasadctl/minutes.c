/* SPDX-License-Identifier: BSD-3-Clause */
/* Minutes of lines, out of the batches in the streams. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "proto/rasad/v1/metrics.pb-c.h"
#include "tools/rasadctl/ctl.h"

static struct {
	struct found lines; /* those that are wanted, when a key was given */
	size_t n;	    /* shown */
} minutes;

static bool is_wanted(const struct ctl *ctl, const Rasad__V1__MinuteSummary *minute)
{
	if (!ctl->n_arguments)
		return true;
	for (size_t i = 0; i < minutes.lines.n; i++)
		if (!strcmp(minutes.lines.sub_ids[i], minute->sub_id))
			return true;
	return false;
}

static void print_head(void)
{
	printf("%-19s  %-32s %10s %10s %8s %8s %8s %7s %7s\n", "MINUTE", "LINE", "DOWN kbit/s",
	       "UP kbit/s", "LINE ms", "ACC ms", "INET ms", "ACC L %", "INET L%");
}

static void print_rate(uint64_t bytes, uint32_t duration_ms)
{
	printf(" %10.1f", duration_ms ? 8.0 * (double)bytes / duration_ms : 0);
}

static void print_median(const Rasad__V1__MinuteLatency *latency)
{
	if (latency)
		printf(" %8.1f", latency->p50_us / 1000.0);
	else
		printf(" %8s", "-");
}

/* Both directions as one. */
static void print_loss(const Rasad__V1__LossCount *down, const Rasad__V1__LossCount *up)
{
	uint64_t lost = (down ? down->lost : 0) + (up ? up->lost : 0);
	uint64_t packets = (down ? down->packets : 0) + (up ? up->packets : 0);

	if (packets)
		printf(" %7.2f", 100.0 * (double)lost / (double)packets);
	else
		printf(" %7s", "-");
}

static void print_minute(const Rasad__V1__MinuteSummary *minute)
{
	const Rasad__V1__MinuteSegments *rtt = minute->rtt;
	const Rasad__V1__LossSides *loss = minute->loss;
	char time[TIME_SIZE];

	printf("%s  ", format_time(minute->start_unix_ns, time));
	print_cell(minute->line, 32);
	print_rate(minute->bytes_down, minute->duration_ms);
	print_rate(minute->bytes_up, minute->duration_ms);
	print_median(rtt ? rtt->line : NULL);
	print_median(rtt ? rtt->access : NULL);
	print_median(rtt ? rtt->internet : NULL);
	print_loss(loss ? loss->access_down : NULL, loss ? loss->access_up : NULL);
	print_loss(loss ? loss->internet_down : NULL, loss ? loss->internet_up : NULL);
	putchar('\n');
}

/* Returns false when it was the last that is wanted. */
static bool show_minute(struct ctl *ctl, const Rasad__V1__MinuteSummary *minute)
{
	if (!is_wanted(ctl, minute))
		return true;
	if (ctl->json) {
		ctl_print_json(ctl, &minute->base);
	} else {
		if (!minutes.n)
			print_head();
		print_minute(minute);
	}
	return ++minutes.n != ctl->number;
}

static bool show_entry(struct ctl *ctl, const struct redis_reply *entry)
{
	const char *type = redis_text(stream_field(entry, "t"), NULL);
	Rasad__V1__MinuteBatch *batch = NULL;
	bool more = true;

	if (!strcmp(type, "MinuteBatch"))
		batch = (Rasad__V1__MinuteBatch *)ctl_unpack(&rasad__v1__minute_batch__descriptor,
							     stream_field(entry, "p"));
	if (!batch) {
		complain("entry %s: expected MinuteBatch, found \"%s\"",
			 tidy(redis_text(redis_element(entry, 0), NULL)), tidy(type));
		return true;
	}
	for (size_t i = 0; i < batch->n_minutes && more; i++)
		more = show_minute(ctl, batch->minutes[i]);
	protobuf_c_message_free_unpacked(&batch->base, NULL);
	return more;
}

int run_minutes(struct ctl *ctl)
{
	static const struct stream_reader reader = {KEYSPACE_SHARDS, keyspace_minutes, "16",
						    show_entry};
	const char *key = ctl->n_arguments ? ctl->arguments[0] : NULL;
	bool good = !key || find_answering(ctl, key, &minutes.lines);

	good = good && streams_list(ctl, &reader);
	if (good && !minutes.n)
		complain("%s%sno minutes: not asked for, not that old, or no such line",
			 key ? tidy(key) : "", key ? ": " : "");
	free(minutes.lines.sub_ids);
	return good && minutes.n ? EXIT_OK : EXIT_TROUBLE;
}
