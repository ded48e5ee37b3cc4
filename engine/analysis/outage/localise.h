/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which elements explain the evidence best (algorithms.md 2.3.5): dynamic programming over the tree
 * with a price for each element that is blamed, then shared risks tested on what they would leave.
 *
 * What fails together fails at once. A group whose lines went one by one, all through the window,
 * has a worse day than was expected, and no fault: it is left out, and the rest is fitted again.
 *
 * Scores are log-likelihoods in whole millionths, so sums do not depend on the order of evidence.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_LOCALISE_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_LOCALISE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/analysis/outage/evidence.h"
#include "engine/analysis/report.h"

struct outage;

enum { FINDINGS_MAX = 16, LEFT_OUT_MAX = 16, NAME_BYTES = 256 };

/* A line's share in the evidence. */
struct mark {
	uint32_t line, quarters;
	uint64_t since_ns;
};

struct finding {
	uint32_t group;
	double k, n, mu, neg_log10_p, llr, score, confidence;
	uint32_t runner_up; /* GROUP_NONE: nothing else explains it */
	double runner_up_llr;
};

/* The best choice of what to blame within a group of the tree. */
struct choice {
	int64_t gain, below;	     /* what it gains; of that by choices below the group */
	uint32_t parts, parts_below; /* so many are blamed */
	bool own;		     /* the group itself */
};

/* Working memory: the evidence, and what blaming a group gains, by its place there. */
struct localiser {
	struct evidence evidence;
	int64_t *tree_gain, *risk_gain; /* owned: of all evidence */
	int64_t *gain;			/* owned: of what is left of it, in the tree */
	struct choice *chosen;		/* owned: of what is left, in the tree */
	int64_t *blamed;		/* owned: what blamed groups gain, COVERED below them */
	/* owned, by slot: the same without the lines of that, where it touches the tree */
	int64_t *gain_without[CANDIDATES_MAX];
	struct choice *chosen_without; /* owned: of one slot */
	double *share;		       /* owned: of a line's surprise, what is gained */
	int64_t *has;		       /* owned, by shared risk: what the tree gains by its lines */
	struct tally *within;	       /* owned, by shared risk: of one candidate's lines */
	uint32_t room;
	int64_t total;				     /* what all that was blamed last gains */
	uint32_t left_out[LEFT_OUT_MAX], n_left_out; /* did not go at once, or are several */
};

void localiser_fini(struct localiser *localiser);

/* Of `n` marks, each line once. Returns the number of findings, the best first. */
uint32_t localise(struct outage *outage, enum symptom_channel channel, const struct mark *marks,
		  uint32_t n, struct finding findings[FINDINGS_MAX]);

/* How sure is one of the findings that were made just now: what would be lost without it, what would
 * be blamed instead. Fills in confidence and runner-up. */
void localise_judge(struct outage *outage, struct finding *finding);

#endif
