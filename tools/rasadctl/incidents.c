/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All incidents, a line each. The open ones come from their set, the ended ones from the stream,
 * whose newest entry of an incident is its last word; to follow is to read on in the stream.
 */
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "tools/rasadctl/ctl.h"

#define OPEN_MAX    10000
#define PAGE	    "200"
#define TREND_NS    60000000000
#define ID_COLUMNS  26
#define MINUTE_TEXT 5 /* of "15:04:05", what an estimate is good for */

/* --- a row --- */

/* Lines that were bad a minute ago; now, when that is not known. */
static uint64_t down_before(const Rasad__V1__Incident *incident)
{
	uint64_t down = incident->affected;

	for (size_t i = 0; i < incident->n_recovery; i++)
		if (i == 0 || ns_between(incident->recovery[i]->unix_ns,
					 incident->changed_unix_ns) >= TREND_NS)
			down = incident->recovery[i]->down;
	return down;
}

static const char *trend(const Rasad__V1__Incident *incident)
{
	uint64_t before = down_before(incident);

	return incident->affected > before   ? "\xE2\x96\xB2" /* ▲ */
	       : incident->affected < before ? "\xE2\x96\xBC" /* ▼ */
					     : "=";
}

static void print_count(const Rasad__V1__Incident *incident)
{
	char text[72];

	snprintf(text, sizeof(text), "%" PRIu64 "/%" PRIu64 " of %" PRIu64, incident->affected,
		 incident->affected_peak, incident->members);
	print_cell(text, 18);
}

static void print_head(void)
{
	printf("%-*s %-13s %-20s %-18s %-18s T %-19s %-4s  %-5s  %s\n", ID_COLUMNS, "INCIDENT",
	       "SEVERITY", "CLASS", "CATEGORY", "NOW/WORST OF ALL", "SINCE", "SURE", "BACK",
	       "WHERE");
}

static void print_severity(struct ctl *ctl, const Rasad__V1__Incident *incident)
{
	bool open = incident_is_open(incident);
	int severity = (int)incident->severity;

	printf("%s", open ? colour_of_severity(ctl, severity) : "");
	print_cell(open ? severity_name(severity) : incident_state_name((int)incident->state), 13);
	printf("%s ", open ? colour_end(ctl) : "");
}

static void print_row(struct ctl *ctl, const Rasad__V1__Incident *incident)
{
	char since[TIME_SIZE], back[TIME_SIZE], sure[TIME_SIZE];
	bool open = incident_is_open(incident);
	bool has_eta = open && incident->has_eta_90_unix_ns_case;

	printf("%-*s ", ID_COLUMNS, tidy(incident->incident_id));
	print_severity(ctl, incident);
	print_cell(class_name((int)incident->class_), 20);
	putchar(' ');
	print_cell(category_name((int)incident->category), 18);
	putchar(' ');
	print_count(incident);
	printf(" %s %s %4s  %-*.*s  ", open ? trend(incident) : " ",
	       format_time(incident->onset_unix_ns, since),
	       format_share(incident->confidence, sure), MINUTE_TEXT, MINUTE_TEXT,
	       has_eta ? format_clock(incident->eta_90_unix_ns, back) : "-");
	print_where(incident);
	printf("%s%s\n", incident->planned ? " [planned]" : "",
	       open && !incident_is_watched(ctl, incident) ? " [nobody watches it now]" : "");
}

static void show(struct ctl *ctl, const Rasad__V1__Incident *incident)
{
	if (ctl->json)
		ctl_print_json(ctl, &incident->base);
	else
		print_row(ctl, incident);
}

/* --- open ones --- */

static struct redis_reply *read_open_ids(struct ctl *ctl)
{
	char last[16];

	snprintf(last, sizeof(last), "%d", OPEN_MAX);
	struct redis_reply *ids =
		ctl_send(ctl, (const char *[]){"ZRANGE", KEYSPACE_INCIDENTS_OPEN, "0", last, NULL})
			? ctl_next(ctl)
			: NULL;
	if (redis_count(ids) > OPEN_MAX)
		complain("more than %d incidents are open, the rest is left out", OPEN_MAX);
	return ids;
}

/* NULL after complaining. Not to be found is no trouble: it may have ended meanwhile. */
static Rasad__V1__Incident *read_open(struct ctl *ctl, const char *id, bool *lost)
{
	keyspace_key key;
	struct redis_reply *reply;

	if (!keyspace_is_incident_id(id)) {
		complain("\"%s\" in %s is no incident", tidy(id), KEYSPACE_INCIDENTS_OPEN);
		return NULL;
	}
	keyspace_incident(id, key);
	*lost = !ctl_send(ctl, (const char *[]){"GET", key, NULL}) ||
		redis_next(ctl->redis, &reply);
	if (*lost) {
		complain("Redis: %s", redis_error(ctl->redis));
		return NULL;
	}
	Rasad__V1__Incident *incident =
		(Rasad__V1__Incident *)ctl_unpack(&rasad__v1__incident__descriptor, reply);
	redis_reply_free(reply);
	if (!incident)
		complain("%s: expected an Incident", key);
	return incident;
}

/* --- which were shown --- */

static int by_id(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* true the first time. Without memory it is shown twice. */
static bool is_new(void **shown, const char *id)
{
	char *copy = strdup(id);
	void *found = copy ? tsearch(copy, shown, by_id) : NULL;

	if (found && *(char **)found == copy)
		return true;
	free(copy);
	return !found;
}

static bool list_open(struct ctl *ctl, void **shown, size_t *n)
{
	struct redis_reply *ids = read_open_ids(ctl);
	bool lost = !ids;

	for (size_t i = 0; i < redis_count(ids) && i < OPEN_MAX && !lost; i++) {
		if (ctl->number && *n == ctl->number)
			break;
		Rasad__V1__Incident *incident =
			read_open(ctl, redis_text(redis_element(ids, i), NULL), &lost);
		if (!incident)
			continue;
		is_new(shown, incident->incident_id);
		show(ctl, incident);
		++*n;
		protobuf_c_message_free_unpacked(&incident->base, NULL);
	}
	redis_reply_free(ids);
	return !lost;
}

/* --- ended ones --- */

static Rasad__V1__Incident *unpack_entry(const struct redis_reply *entry)
{
	Rasad__V1__Incident *incident = (Rasad__V1__Incident *)ctl_unpack(
		&rasad__v1__incident__descriptor, stream_field(entry, "p"));

	if (!incident)
		complain("entry %s: expected an Incident, found \"%s\"",
			 tidy(redis_text(redis_element(entry, 0), NULL)),
			 tidy(redis_text(stream_field(entry, "t"), NULL)));
	return incident;
}

static void show_ended(struct ctl *ctl, const struct redis_reply *page, void **shown, size_t *n)
{
	for (size_t i = 0; i < redis_count(page); i++) {
		if (ctl->number && *n >= ctl->number)
			return;
		Rasad__V1__Incident *incident = unpack_entry(redis_element(page, i));
		if (!incident)
			continue;
		if (is_new(shown, incident->incident_id)) {
			show(ctl, incident);
			++*n;
		}
		protobuf_c_message_free_unpacked(&incident->base, NULL);
	}
}

static bool list_ended(struct ctl *ctl, void **shown, size_t *n)
{
	char before[64] = "+";
	size_t length;

	do {
		if (!ctl_send(ctl, (const char *[]){"XREVRANGE", KEYSPACE_INCIDENTS, before, "-",
						    "COUNT", PAGE, NULL}))
			return false;
		struct redis_reply *page = ctl_next(ctl);
		if (!page)
			return false;
		length = redis_count(page);
		show_ended(ctl, page, shown, n);
		if (length)
			snprintf(before, sizeof(before), "(%.60s",
				 redis_text(redis_element(redis_element(page, length - 1), 0),
					    NULL));
		redis_reply_free(page);
	} while (length && !(ctl->number && *n >= ctl->number));
	return true;
}

/* --- new ones --- */

static void stream_key(unsigned shard, char *out)
{
	(void)shard;
	strcpy(out, KEYSPACE_INCIDENTS);
}

static bool show_entry(struct ctl *ctl, const struct redis_reply *entry)
{
	Rasad__V1__Incident *incident = unpack_entry(entry);
	char time[TIME_SIZE];

	if (!incident)
		return true;
	if (!ctl->json)
		printf("%s %-10s ", format_time(incident->changed_unix_ns, time),
		       incident_state_name((int)incident->state));
	show(ctl, incident);
	protobuf_c_message_free_unpacked(&incident->base, NULL);
	return true;
}

/* --- the command --- */

static bool list(struct ctl *ctl)
{
	void *shown = NULL;
	size_t n = 0;

	if (!ctl->json)
		print_head();
	bool good = list_open(ctl, &shown, &n) && (!ctl->all || list_ended(ctl, &shown, &n));
	tdestroy(shown, free);
	if (good && !n && !ctl->json)
		puts(ctl->all ? "no incidents" : "no open incidents");
	if (fflush(stdout))
		return false;
	return good;
}

int run_incidents(struct ctl *ctl)
{
	static const struct stream_reader reader = {1, stream_key, PAGE, show_entry};
	bool good = !ctl->follow || streams_start_at_end(ctl, &reader);

	good = good && list(ctl);
	if (good && ctl->follow)
		good = streams_follow(ctl, &reader, true);
	return good ? EXIT_OK : EXIT_TROUBLE;
}
