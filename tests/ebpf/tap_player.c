/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/ebpf/tap_player.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/capture.h"
#include "collectors/pcap.h"
#include "engine/engine.h"
#include "engine/publish/codec.h"
#include "tests/ebpf/tap_rig.h"

enum { MAX_LINES = 20000, MAX_FLOWS = 100000 };

/* A capture as a source, each of its frames through the tap. */
struct player {
	struct source source; /* first: the face */
	struct tap_rig *rig;
	struct capture capture;
	struct decoder decoder;
	uint8_t kept[BURST_MAX][2048]; /* control messages */
};

static int play(struct player *p, struct burst *burst, const struct raw_frame *frame)
{
	const struct tap_record *record;
	const uint8_t *bytes = NULL;
	int status = tap_rig_play(p->rig, frame);

	record = status ? NULL : tap_rig_record(p->rig);
	if (!record)
		return -EIO;
	burst->pkt[burst->n] = record->pkt;
	burst->extra[burst->n] = record->extra;
	burst->extra[burst->n].port = 0;
	if (pkt_is_control(&record->pkt))
		bytes = memcpy(p->kept[burst->n], frame->bytes,
			       record->pkt.l4_off + record->extra.payload_caplen);
	decode_parsed(&p->decoder, burst, bytes, frame->link);
	p->decoder.stats.bytes += frame->wire_len;
	return 0;
}

static int next(struct source *source, struct burst *burst)
{
	struct player *p = (struct player *)source;
	struct raw_frame frame;

	burst->n = 0;
	while (burst->n < BURST_MAX) {
		enum capture_result why = capture_next(&p->capture, &frame);

		if (why == CAPTURE_REFILL)
			why = capture_refill(&p->capture);
		else if (why == CAPTURE_FRAME && play(p, burst, &frame))
			return -EIO;
		if (why != CAPTURE_FRAME)
			return burst->n ? SOURCE_MORE : SOURCE_END;
	}
	return SOURCE_MORE;
}

static const struct source_stats *stats(struct source *source)
{
	return &((struct player *)source)->decoder.stats;
}

static void close_player(struct source *source)
{
	capture_close(&((struct player *)source)->capture);
	free(source);
}

static struct source *open_player(const char *path, struct tap_rig *rig)
{
	struct player *p = calloc(1, sizeof *p);

	p->source = (struct source){.next = next, .close = close_player, .stats = stats};
	p->rig = rig;
	if (capture_open(&p->capture, path) == 0)
		return &p->source;
	close_player(&p->source);
	return NULL;
}

/* --- reports --- */

struct told {
	struct codec *codec;
	FILE *file;
};

static void take(void *context, const struct report *report)
{
	struct told *told = context;
	const struct codec_replay replay = {.health = report->health, .version = ""};

	if (report->kind == REPORT_HEALTH)
		codec_replay_json(told->codec, &replay, told->file);
	else
		codec_json(told->codec, report, told->file);
}

static void ignore(void *context, const char *message)
{
	(void)context;
	(void)message;
}

static struct source *open_file(const char *path)
{
	const struct pcap_options options = {.files = &path, .n_files = 1, .problem = ignore};
	struct source *source = NULL;

	pcap_open(&source, &options);
	return source;
}

static void run(struct source *source, struct told *told)
{
	const struct engine_options options = {
		.worker = {.max_lines = MAX_LINES, .max_flows = MAX_FLOWS, .keep_flows = true},
		.lossless = true,
		.collector = "replay",
	};
	struct engine *engine = engine_new(&options, &source, 1, (struct report_sink){take, told});
	int status = SOURCE_MORE;

	while (status >= 0 && status != SOURCE_END)
		status = engine_step(engine);
	engine_stop(engine);
	engine_summaries(engine);
	engine_health(engine, false);
	fprintf(told->file, "%d\n", status);
	engine_free(engine);
}

char *tap_player_report(const char *path, struct tap_rig *rig)
{
	struct source *source = rig ? open_player(path, rig) : open_file(path);
	struct told told = {0};
	char *text = NULL;
	size_t size;

	if (!source)
		return strdup("cannot be read");
	told.codec = codec_new();
	told.file = open_memstream(&text, &size);
	run(source, &told);
	fclose(told.file);
	codec_free(told.codec);
	source->close(source);
	return text;
}
