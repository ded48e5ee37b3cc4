/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The whole engine on a street of lines: the same packets give the same reports, byte by byte,
 * however they are cut into bursts and shared out to workers, with threads and without. A source
 * that fails, an engine that is stopped in the middle, and several sources lose nothing.
 */
#include "engine/engine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/publish/codec.h"
#include "tests/engine/street.h"

enum { MOST_STEPS = 10000000, KINDS = 16, SOURCES = 3 };

/* What an engine said. */
struct said {
	uint8_t *bytes; /* each report packed, one after the other; but health and minutes */
	size_t n, room;
	uint32_t of_kind[KINDS];
	uint64_t packets, bytes_on_wire, samples, lost; /* of all lines at the end */
	uint64_t minute_packets, minute_samples, minutes_hash;
	uint64_t line_packets[STREET_LINES];
	uint64_t health_packets, refused, handover_full, lines;
	int64_t first_ns, last_ns;
};

static struct codec *codec;
static struct street_source sources[SOURCES];
static struct said said, other;

static void add_bytes(struct said *s, const void *bytes, size_t n)
{
	if (s->n + n > s->room) {
		s->room = 2 * (s->n + n);
		s->bytes = realloc(s->bytes, s->room);
		assert_non_null(s->bytes);
	}
	memcpy(s->bytes + s->n, bytes, n);
	s->n += n;
}

static void forget(struct said *s)
{
	free(s->bytes);
	*s = (struct said){0};
}

static void take_subscriber(struct said *s, const struct report_subscriber *r)
{
	uint32_t line;
	s->packets += r->packets_down + r->packets_up;
	s->bytes_on_wire += r->bytes_down + r->bytes_up;
	s->samples += r->rtt.line.n + r->rtt.access.n + r->rtt.internet.n;
	s->lost += r->loss.access_down.lost + r->loss.internet_down.lost;
	if (sscanf(r->who.line, "eth 1/0/%u", &line) == 1 && line < STREET_LINES)
		s->line_packets[line] = r->packets_down + r->packets_up;
}

/* The order in which minutes of different lines are told is not promised: their sum is compared. */
static void take_minute(struct said *s, const struct report_minute *r)
{
	uint64_t hash = (uint64_t)r->start_unix_ns;
	const uint64_t values[] = {
		r->packets_down, r->packets_up,	  r->bytes_down,	   r->bytes_up,
		r->rtt.line.n,	 r->rtt.access.n, r->loss.access_down.lost};
	for (const char *c = r->line; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 0x100000001b3ull;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		hash = (hash ^ values[i]) * 0x9e3779b97f4a7c15ull;
	s->minutes_hash += hash;
	s->minute_packets += r->packets_down + r->packets_up;
	s->minute_samples += r->rtt.line.n + r->rtt.access.n + r->rtt.internet.n;
}

static void take_health(struct said *s, const struct report_health *r)
{
	s->refused = 0;
	for (size_t i = 0; i < r->n_refusals; i++)
		if (strcmp(r->refusals[i].name, "handover_full") == 0)
			s->handover_full = r->refusals[i].value;
		else
			s->refused += r->refusals[i].value;
	s->health_packets = r->packets;
	s->lines = r->lines;
	s->first_ns = r->first_unix_ns;
	s->last_ns = r->last_unix_ns;
}

static void take(void *context, const struct report *report)
{
	struct said *s = context;
	struct codec_bytes packed;
	assert_true((uint32_t)report->kind < KINDS);
	s->of_kind[report->kind]++;
	if (report->kind == REPORT_HEALTH) {
		take_health(s, report->health);
		return;
	}
	if (report->kind == REPORT_MINUTE) {
		take_minute(s, report->minute);
		return;
	}
	if (report->kind == REPORT_SUBSCRIBER)
		take_subscriber(s, report->subscriber);
	assert_int_equal(codec_pack(codec, report, &packed), 0);
	add_bytes(s, packed.type, strlen(packed.type));
	add_bytes(s, packed.data, packed.length);
}

static int start(void **state)
{
	(void)state;
	codec = codec_new();
	return codec ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	codec = codec_free(codec);
	forget(&said);
	forget(&other);
	return 0;
}

static struct engine_options options_for(uint32_t n_workers, bool threads, bool flows)
{
	return (struct engine_options){
		.worker = {.max_lines = 200, .max_flows = 20000, .keep_flows = flows},
		.n_workers = n_workers,
		.threads = threads,
		.lossless = true,
		.minutes = true,
		.collector = "street",
	};
}

static struct engine *engine_on(const struct engine_options *options, uint32_t n, struct said *to)
{
	struct source *list[SOURCES];
	struct engine *engine;
	forget(to);
	for (uint32_t i = 0; i < n; i++)
		list[i] = &sources[i].source;
	engine = engine_new(options, list, n, (struct report_sink){take, to});
	assert_non_null(engine);
	return engine;
}

/* To the end; the last status. */
static int run(struct engine *engine)
{
	int status = SOURCE_MORE;
	for (uint32_t i = 0; i < MOST_STEPS && status >= 0 && status != SOURCE_END; i++) {
		status = engine_step(engine);
		if (i % 64 == 7) /* somebody asks meanwhile */
			engine_health(engine, true);
	}
	return status;
}

static void finish(struct engine *engine)
{
	engine_stop(engine);
	engine_summaries(engine);
	engine_health(engine, false);
	engine_free(engine);
}

static void replay(const struct engine_options *options, uint32_t frames, uint64_t seed,
		   struct said *to)
{
	struct engine *engine;
	street_source(&sources[0], frames, seed);
	engine = engine_on(options, 1, to);
	assert_int_equal(run(engine), SOURCE_END);
	finish(engine);
}

/* Every frame of the street belongs to a line. */
static void assert_all_there(const struct said *s, uint64_t packets)
{
	assert_int_equal(s->packets + s->handover_full, packets);
	assert_int_equal(s->health_packets, packets);
	assert_int_equal(s->minute_packets, s->packets);
	assert_int_equal(s->minute_samples, s->samples);
	assert_int_equal(s->refused, 0);
}

static void assert_same(const struct said *a, const struct said *b)
{
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->bytes, b->bytes, a->n);
	assert_int_equal(a->minutes_hash, b->minutes_hash);
	assert_int_equal(a->lines, b->lines);
	assert_int_equal(a->first_ns, b->first_ns);
	assert_int_equal(a->last_ns, b->last_ns);
}

/* --- one source -------------------------------------------------------------------------------------- */

static void the_same_reports(bool flows)
{
	static const struct {
		uint32_t workers;
		bool threads;
	} ways[] = {{1, false}, {1, true}, {2, true}, {3, true}, {4, true}, {16, true}};
	struct engine_options options = options_for(1, false, flows);
	replay(&options, STREET_FRAMES, 1, &said);
	assert_all_there(&said, STREET_FRAMES);
	assert_true(said.of_kind[REPORT_SESSION_EVENT] > 100);
	assert_int_equal(said.of_kind[REPORT_SUBSCRIBER], STREET_LINES);
	assert_true(!flows || said.of_kind[REPORT_FLOW] > STREET_LINES);
	assert_true(said.samples > 1000 && said.lost > 10);
	for (size_t k = 0; k < sizeof ways / sizeof *ways; k++)
		for (uint64_t seed = 2; seed < 5; seed++) {
			options = options_for(ways[k].workers, ways[k].threads, flows);
			replay(&options, STREET_FRAMES, seed * 7919 + k, &other);
			assert_all_there(&other, STREET_FRAMES);
			assert_same(&other, &said);
		}
}

static void any_number_of_workers(void **state)
{
	(void)state;
	the_same_reports(false);
}

static void with_flows(void **state)
{
	(void)state;
	the_same_reports(true);
}

/* What was read before is told, as if the capture had ended there. */
static void a_source_that_fails(void **state)
{
	(void)state;
	for (uint32_t workers = 1; workers <= 4; workers++)
		for (int threads = workers > 1; threads <= 1; threads++) {
			struct engine_options options = options_for(workers, threads, false);
			uint32_t frames = 500 + workers * 1777;
			struct engine *engine;
			replay(&options, frames, 3, &said);
			street_source(&sources[0], frames, 4);
			sources[0].fails = -EIO;
			engine = engine_on(&options, 1, &other);
			assert_int_equal(run(engine), -EIO);
			finish(engine);
			assert_all_there(&other, frames);
			assert_same(&other, &said);
		}
}

/* Whatever was received until then is counted, and the reports are those of a capture of as many
 * packets. */
static void stopped_in_the_middle(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 12; round++) {
		struct engine_options options = options_for(1 + round % 4, round % 2, false);
		struct engine *engine;
		uint64_t served;
		street_source(&sources[0], STREET_FRAMES, 5 + round);
		engine = engine_on(&options, 1, &other);
		for (uint32_t i = 0; i < round * 3; i++)
			assert_true(engine_step(engine) >= 0);
		finish(engine);
		served = atomic_load(&sources[0].served);
		assert_all_there(&other, served);
		options = options_for(1, false, false);
		replay(&options, (uint32_t)served, 6, &said);
		if (served)
			assert_same(&other, &said);
	}
}

static void never_run(void **state)
{
	(void)state;
	for (uint32_t workers = 1; workers <= 16; workers *= 4) {
		struct engine_options options = options_for(workers, workers > 1, false);
		street_source(&sources[0], STREET_FRAMES, 1);
		sources[0].at = STREET_FRAMES; /* nothing to serve */
		engine_free(engine_on(&options, 1, &other));
		street_source(&sources[0], 0, 1);
		finish(engine_on(&options, 1, &other));
		assert_int_equal(other.packets, 0);
		assert_int_equal(other.first_ns, REPORT_ABSENT);
	}
	assert_null(engine_free(NULL));
}

/* Live, nobody is waited for: what a lane has no room for is lost, counted to the packet. */
static void live(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 8; round++) {
		struct engine_options options = options_for(1 + round, true, false);
		struct engine *engine;
		options.lossless = false;
		options.worker.full_size = true;
		options.worker.hash_seed = 0x123456789abcdefull * (round + 1);
		street_source(&sources[0], STREET_FRAMES, 5 + round);
		engine = engine_on(&options, 1, &other);
		assert_int_equal(run(engine), SOURCE_END);
		finish(engine);
		assert_all_there(&other, STREET_FRAMES);
		assert_true(round ||
			    !other.handover_full); /* with a source of its own: no hand-over */
	}
}

/* --- several sources -------------------------------------------------------------------------------- */

static void assert_same_lines(const struct said *got)
{
	assert_all_there(got, STREET_FRAMES);
	assert_int_equal(got->of_kind[REPORT_SUBSCRIBER], STREET_LINES);
	assert_int_equal(got->bytes_on_wire, said.bytes_on_wire);
	assert_memory_equal(got->line_packets, said.line_packets, sizeof said.line_packets);
}

/* Queues of a card that keep a line together: a lane each. */
static void sharded_sources(void **state)
{
	struct engine_options options = options_for(1, false, false);
	(void)state;
	replay(&options, STREET_FRAMES, 1, &said);
	for (uint64_t round = 0; round < 4; round++) {
		_Atomic uint32_t others[SOURCES] = {0};
		struct engine *engine;
		options = options_for(0, true, false);
		for (uint32_t i = 0; i < SOURCES; i++) {
			street_source(&sources[i], STREET_FRAMES, round * 7 + i + 1);
			sources[i].part = i;
			sources[i].parts = SOURCES;
			sources[i].others = others;
			sources[i].source.sharded = true;
		}
		engine = engine_on(&options, SOURCES, &other);
		assert_int_equal(run(engine), SOURCE_END);
		finish(engine);
		assert_same_lines(&other);
		assert_int_equal(other.samples, said.samples);
		assert_int_equal(other.lost, said.lost);
		assert_int_equal(other.minutes_hash, said.minutes_hash);
	}
}

/* Ports that share the packets of every line: receivers hand them to the lane of the line. */
static void sources_that_mix(void **state)
{
	struct engine_options options = options_for(1, false, false);
	(void)state;
	replay(&options, STREET_FRAMES, 1, &said);
	for (uint32_t workers = 1; workers <= 4; workers++) {
		_Atomic uint32_t others[SOURCES] = {0};
		struct engine *engine;
		options = options_for(workers, true, false);
		for (uint32_t i = 0; i < SOURCES; i++) {
			street_source(&sources[i], STREET_FRAMES, workers * 7 + i + 1);
			sources[i].part = i;
			sources[i].parts = SOURCES;
			sources[i].by_packet = true;
			sources[i].others = others;
		}
		engine = engine_on(&options, SOURCES, &other);
		assert_int_equal(run(engine), SOURCE_END);
		finish(engine);
		assert_same_lines(&other);
	}
}

/* One of several fails: the others go on to their end, and then it is told. */
static void one_of_several_fails(void **state)
{
	struct engine_options options = options_for(2, true, false);
	struct engine *engine;
	uint64_t served = 0;
	(void)state;
	for (uint32_t i = 0; i < SOURCES; i++) {
		street_source(&sources[i], i == 1 ? 1000 : STREET_FRAMES, i + 1);
		sources[i].part = i;
		sources[i].parts = SOURCES;
		sources[i].fails = i == 1 ? -ENODEV : 0;
	}
	engine = engine_on(&options, SOURCES, &other);
	assert_int_equal(run(engine), -ENODEV);
	finish(engine);
	for (uint32_t i = 0; i < SOURCES; i++)
		served += atomic_load(&sources[i].served);
	assert_true(served > STREET_FRAMES / 2);
	assert_all_there(&other, served);
}

/* --- time without packets -------------------------------------------------------------------------- */

static _Atomic uint64_t clock_now_ns;

static uint64_t now(void *context)
{
	(void)context;
	return atomic_load(&clock_now_ns);
}

/* The source is silent, the clock is not: windows and minutes end. */
static void time_goes_on(void **state)
{
	enum { FRAMES = 3000 };
	(void)state;
	for (uint32_t workers = 1; workers <= 4; workers++)
		for (int threads = workers > 1; threads <= 1; threads++) {
			struct engine_options options = options_for(workers, threads, false);
			uint64_t last_ns = street_frames()[FRAMES - 1].ts_ns;
			struct engine *engine;
			atomic_store(&clock_now_ns, 0);
			options.now = now;
			street_source(&sources[0], FRAMES, 1);
			sources[0].stays = true;
			engine = engine_on(&options, 1, &other);
			for (uint32_t i = 0; i < 2000 && other.minute_packets < FRAMES; i++) {
				assert_true(engine_step(engine) >= 0);
				if (atomic_load(&sources[0].served) == FRAMES)
					atomic_store(&clock_now_ns, last_ns + i * 10 * SECOND_NS);
			}
			assert_int_equal(other.minute_packets, FRAMES);
			finish(engine);
			assert_all_there(&other, FRAMES);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_number_of_workers, start, stop),
		cmocka_unit_test_setup_teardown(with_flows, start, stop),
		cmocka_unit_test_setup_teardown(a_source_that_fails, start, stop),
		cmocka_unit_test_setup_teardown(stopped_in_the_middle, start, stop),
		cmocka_unit_test_setup_teardown(never_run, start, stop),
		cmocka_unit_test_setup_teardown(live, start, stop),
		cmocka_unit_test_setup_teardown(sharded_sources, start, stop),
		cmocka_unit_test_setup_teardown(sources_that_mix, start, stop),
		cmocka_unit_test_setup_teardown(one_of_several_fails, start, stop),
		cmocka_unit_test_setup_teardown(time_goes_on, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
