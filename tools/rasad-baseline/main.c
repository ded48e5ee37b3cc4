/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rasad-baseline: session events in, and out what simple rules would have called incidents; the
 * yardsticks of `make eval`. It reads the flat lines that rasad-sim writes, not any JSON.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/inventory.h"
#include "tools/lib/options.h"
#include "tools/rasad-baseline/baseline.h"
#include "version.h"

static const struct option_row rows[] = {
	{{"events", required_argument, NULL, 'e'},
	 "FILE",
	 "session events (NDJSON), as of rasad-sim"},
	{{"inventory", required_argument, NULL, 'i'}, "FILE", "the inventory (CSV)"},
	{{"help", no_argument, NULL, 'h'}, NULL, "this text"},
	{{"version", no_argument, NULL, 'V'}, NULL, "the version"},
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

struct counts {
	uint64_t events, unknown, bad;
};

/* The text behind `name` up to a quote, a comma or a brace; NULL when it is not there. */
static const char *field(const char *text, const char *name, size_t *n)
{
	const char *at = strstr(text, name);

	if (!at)
		return NULL;
	at += strlen(name);
	*n = strcspn(at, "\",}");
	return at;
}

static bool is(const char *text, size_t n, const char *word)
{
	return n == strlen(word) && !memcmp(text, word, n);
}

static void take(struct baseline *b, const char *text, struct counts *counts)
{
	size_t n_at, n_line, n_kind;
	const char *at = field(text, "\"unix_ns\":", &n_at),
		   *line = field(text, "\"line\":\"", &n_line),
		   *kind = field(text, "\"kind\":\"", &n_kind);
	uint32_t number;

	counts->events++;
	if (!at || !line || !kind) {
		counts->bad++;
		return;
	}
	baseline_advance(b, strtoull(at, NULL, 10));
	number = groups_line(&b->groups, line, n_line);
	if (number == NONE)
		counts->unknown++;
	else if (is(kind, n_kind, "DOWN") || is(kind, n_kind, "SUSPECT"))
		baseline_bad(b, number, *kind == 'D');
	else if (is(kind, n_kind, "UP") || is(kind, n_kind, "RECOVERED"))
		baseline_good(b, number);
}

static int run(struct baseline *b, const char *path)
{
	struct counts counts = {0};
	FILE *f = fopen(path, "r");
	size_t room = 0;
	char *text = NULL;
	int failed;

	if (!f) {
		fprintf(stderr, "rasad-baseline: %s: %s\n", path, strerror(errno));
		return 1;
	}
	while (getline(&text, &room, f) > 0)
		take(b, text, &counts);
	failed = ferror(f);
	free(text);
	fclose(f);
	printf("{\"type\":\"baseline_summary\",\"events\":%llu,\"unknown_line\":%llu,\"malformed\":%llu}\n",
	       (unsigned long long)counts.events, (unsigned long long)counts.unknown,
	       (unsigned long long)counts.bad);
	return failed;
}

static int start(const char *events, const char *path)
{
	struct inventory *inventory = inventory_load(path, NULL);
	struct baseline b = {0};
	int failed = 1;

	if (!inventory)
		fprintf(stderr, "rasad-baseline: %s: not an inventory that can be read\n", path);
	else if (baseline_init(&b, inventory))
		fputs("rasad-baseline: out of memory\n", stderr);
	else
		failed = run(&b, events);
	baseline_fini(&b);
	inventory_free(inventory);
	return failed;
}

int main(int argc, char **argv)
{
	const char *events = NULL, *inventory = NULL;

	for (int letter; (letter = option_next(argc, argv, "", rows, N_ROWS)) != -1;) {
		switch (letter) {
		case 'e':
			events = optarg;
			break;
		case 'i':
			inventory = optarg;
			break;
		case 'h':
			puts("Usage: rasad-baseline --events FILE --inventory FILE\n"
			     "Tell the incidents that simple rules would open.\n");
			option_help("", rows, N_ROWS);
			return 0;
		case 'V':
			puts("rasad-baseline " RASAD_VERSION);
			return 0;
		default:
			return OPTION_WRONG;
		}
	}
	if (!events || !inventory || optind < argc)
		return option_wrong("arguments", optind < argc ? argv[optind] : "",
				    "--events FILE --inventory FILE");
	return start(events, inventory);
}
