/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of the publisher share: a server, what is published, and what arrived. */
#ifndef RASAD_TESTS_ENGINE_PUBLISH_PUBLISHER_H
#define RASAD_TESTS_ENGINE_PUBLISH_PUBLISHER_H

#include <stddef.h>
#include <stdint.h>

#include "engine/publish/publish.h"
#include "tests/engine/publish/server.h"

#define STREAM	 "rasad:{e00}:ev"
#define MS	 1000000
#define CLOSE_MS 15000

struct redis_reply;
struct report_subscriber;

extern struct server server; /* of the test that runs */
extern struct redis *redis;

int set_up(void **state);
int tear_down(void **state);
struct publisher *open_publisher(struct publish_options options);
struct publish_counters close_publisher(struct publisher *publisher);
void take_event(struct publisher *publisher, int64_t unix_ns, const char *line);
void take_subscriber(struct publisher *publisher, const struct report_subscriber *subscriber);
long long stream_length(void);
struct publish_counters publish_capture(int64_t start_ms, int n, const char *line);
void assert_no_duplicates(long long expected);
void wait_for_length(long long at_least);
void restart_server(void);
const char *get_value(const char *key, size_t *n, struct redis_reply **reply);
void assert_value(const char *key, const char *type, const char *expected);
struct redis_reply *get_card(const char *line);
void assert_card(const char *line, const char *expected);
void assert_ttl(const char *key, long long low, long long high);
void take_line(struct publisher *publisher, const char *line, const char *user);
void take_minute(struct publisher *publisher, int minute, int line);
void take_minutes(struct publisher *publisher, int first, int minutes, int lines);

#endif
