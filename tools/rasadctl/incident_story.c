/* SPDX-License-Identifier: BSD-3-Clause */
/* Why rasad thinks that this element has failed, what speaks against it, and how it went. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "tools/rasadctl/ctl.h"

#define CURVE_COLUMNS 60

typedef Rasad__V1__Incident Incident;
typedef Rasad__V1__IncidentEvidence Evidence;

/* --- evidence --- */

static void print_numbers(const Evidence *evidence)
{
	print_label("evidence");
	printf("%8s %8s %10s %7s %9s %8s\n", "k", "n", "expected", "share", "p", "LLR");
	print_label("");
	printf("%8.1f %8.0f %10.3g %5.0f %% %5s%-4.1f %8.1f\n", evidence->k, evidence->n,
	       evidence->mu, 100 * evidence->fraction, "10^-", evidence->neg_log10_p,
	       evidence->llr);
}

/* Why the second best explanation is not the first. */
static void print_runner_up(const Evidence *evidence)
{
	double less = evidence->llr - evidence->runner_up_llr;

	print_label("");
	if (!*evidence->runner_up) {
		puts("no other element explains it");
		return;
	}
	fputs("runner-up ", stdout);
	print_group(evidence->runner_up);
	printf(": LLR %.1f, ", evidence->runner_up_llr);
	if (less > 0)
		printf("it explains the lines e^%.1f times less well\n", less);
	else
		puts("it explains the lines as well, but is larger or less often at fault");
}

static void print_causes(const Evidence *evidence)
{
	for (size_t i = 0; i < evidence->n_causes; i++) {
		const char *words = cause_words((int)evidence->causes[i]->cause);
		print_label("");
		printf("%" PRIu64 " lines: %s\n", evidence->causes[i]->lines,
		       *words ? words : "cause not told");
	}
	if (evidence->suspect_only || evidence->redialled) {
		print_label("");
		printf("%" PRIu64 " only silent yet, %" PRIu64
		       " came back over a session that still lived (the modem had lost power)\n",
		       evidence->suspect_only, evidence->redialled);
	}
	print_label("");
	printf("frames from the subscribers: %s; to them: %s\n",
	       evidence->upstream_seen ? "still seen" : "none",
	       evidence->downstream_seen ? "still seen" : "none");
}

static void print_shares(const char *name, Rasad__V1__GroupShare *const *shares, size_t n)
{
	char time[TIME_SIZE];

	for (size_t i = 0; i < n; i++) {
		print_label(i ? "" : name);
		printf("%s %s", tidy(shares[i]->group_type), tidy(shares[i]->group));
		printf(": %" PRIu64 " of %" PRIu64 " affected", shares[i]->bad, shares[i]->members);
		if (shares[i]->has_recovered_unix_ns_case)
			printf(", 90 %% back %s", format_time(shares[i]->recovered_unix_ns, time));
		putchar('\n');
	}
}

void print_evidence(const Evidence *evidence)
{
	if (!evidence)
		return;
	print_numbers(evidence);
	print_runner_up(evidence);
	print_causes(evidence);
	print_shares("parts", evidence->children, evidence->n_children);
	print_shares("fine", evidence->healthy_siblings, evidence->n_healthy_siblings);
}

/* --- story --- */

static void print_timeline(const Incident *incident)
{
	char time[TIME_SIZE];

	for (size_t i = 0; i < incident->n_timeline; i++) {
		const Rasad__V1__TimelineEntry *entry = incident->timeline[i];
		print_label(i ? "" : "timeline");
		printf("%s  %s%s%s\n", format_time(entry->unix_ns, time), tidy(entry->what),
		       *entry->text ? ": " : "", tidy(entry->text));
	}
}

/* Each column is the largest of its points: a peak must not fall between two of them. */
static uint64_t column(const Incident *incident, size_t at, size_t columns)
{
	size_t n = incident->n_recovery, start = at * n / columns, end = (at + 1) * n / columns;
	uint64_t most = 0;

	for (size_t i = start; i < end; i++)
		if (incident->recovery[i]->down > most)
			most = incident->recovery[i]->down;
	return most;
}

static void print_curve(const Incident *incident)
{
	static const char *const blocks[] = {"_",
					     "\xE2\x96\x81",
					     "\xE2\x96\x82",
					     "\xE2\x96\x83",
					     "\xE2\x96\x84",
					     "\xE2\x96\x85",
					     "\xE2\x96\x86",
					     "\xE2\x96\x87",
					     "\xE2\x96\x88"};
	size_t n = incident->n_recovery, columns = n < CURVE_COLUMNS ? n : CURVE_COLUMNS;
	uint64_t most = n ? column(incident, 0, 1) : 0;
	char first[TIME_SIZE], last[TIME_SIZE];

	if (!most)
		return;
	print_label("curve");
	for (size_t i = 0; i < columns; i++) {
		double part = (double)column(incident, i, columns) / (double)most;
		fputs(blocks[(int)ceil(part * 8)], stdout);
	}
	printf("  most %" PRIu64 ", now %" PRIu64 "; %s to %s\n", most,
	       incident->recovery[n - 1]->down, format_time(incident->recovery[0]->unix_ns, first),
	       format_clock(incident->recovery[n - 1]->unix_ns, last));
}

void print_story(const Rasad__V1__Incident *incident)
{
	print_timeline(incident);
	print_curve(incident);
}
