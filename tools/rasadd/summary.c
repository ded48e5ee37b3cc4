/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasadd/summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/analysis/report.h"
#include "engine/publish/codec.h"
#include "version.h"

struct summary {
	const char *path, *collector;
	FILE *file;
	struct codec *codec;
	struct timespec started;
	bool ending, failed;
};

struct summary *summary_open(const char *path, const char *collector)
{
	struct summary *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	*s = (struct summary){.path = path, .collector = collector, .codec = codec_new()};
	clock_gettime(CLOCK_MONOTONIC, &s->started);
	s->file = s->codec ? fopen(path, "we") : NULL;
	if (s->file)
		return s;
	fprintf(stderr, "rasadd: --summary: %s: cannot be written: %s\n", path, strerror(errno));
	codec_free(s->codec);
	free(s);
	return NULL;
}

static int write_counters(struct summary *s, const struct report_health *health)
{
	struct timespec now;
	struct codec_replay replay = {
		.health = health, .files = &s->collector, .n_files = 1, .version = RASAD_VERSION};

	clock_gettime(CLOCK_MONOTONIC, &now);
	replay.elapsed_s = (double)(now.tv_sec - s->started.tv_sec) +
			   (double)(now.tv_nsec - s->started.tv_nsec) / 1e9;
	return codec_replay_json(s->codec, &replay, s->file);
}

void summary_take(struct summary *s, const struct report *report)
{
	int status = 0;

	switch (report->kind) {
	case REPORT_SUBSCRIBER:
	case REPORT_NODE:
		if (s->ending)
			status = codec_json(s->codec, report, s->file);
		break;
	case REPORT_HEALTH:
		if (s->ending)
			status = write_counters(s, report->health);
		break;
	case REPORT_SESSION_EVENT:
	case REPORT_FLAP_SUMMARY:
	case REPORT_FLOW:
	case REPORT_INCIDENT:
	case REPORT_GAP:
	case REPORT_TOPOLOGY_LINT:
		status = codec_json(s->codec, report, s->file);
		break;
	case REPORT_MINUTE:
		break;
	}
	s->failed = s->failed || status;
}

void summary_end(struct summary *s)
{
	s->ending = true;
}

bool summary_close(struct summary *s)
{
	bool good;

	if (!s)
		return true;
	good = fclose(s->file) == 0 && !s->failed;
	if (!good)
		fprintf(stderr, "rasadd: --summary: %s: not all could be written\n", s->path);
	codec_free(s->codec);
	free(s);
	return good;
}
