/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The evidence of one localisation, added up by group: what the lines of each group of the tree and of
 * each shared risk weigh, and how the sums change when a shared risk has explained its lines.
 *
 * A whole BRAS is sixty thousand lines that hang on ten groups each, so every line is read once, ahead
 * of its turn, and after that what is asked is asked of meetings: the lines of one leaf of the tree
 * that hang on one shared risk, added up. Of a card of 40 lines that is a dozen sums instead of 300.
 * Single lines are looked at again only where a shared risk takes some of a leaf and leaves others.
 * Of more than EVIDENCE_LINES_MAX lines each stands for several: a disaster is localised in the same
 * time, only its small parts are told apart later, once the large ones are explained. One thread.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_EVIDENCE_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_EVIDENCE_H

#include "engine/analysis/outage/place.h"
#include "engine/analysis/report.h"

struct mark;
struct outage;

enum {
	CANDIDATES_MAX = 12,
	EVIDENCE_LINES_MAX = 1 << 13,
	EVIDENCE_NOWHERE = -1u,
	EVIDENCE_WORD_BITS = 64
};

#define EVIDENCE_MICRO 1e6 /* log-likelihoods are counted in millionths */

/* Evidence added up: how much, and how unlikely it was of these very lines (the logarithm, in
 * millionths). With the average of their group instead, a group would seem to explain less than its
 * parts as soon as these have different averages, however alike they failed. */
struct tally {
	int64_t surprise;
	uint32_t quarters;
};

static inline void tally_add(struct tally *to, const struct tally *t)
{
	to->surprise += t->surprise;
	to->quarters += t->quarters;
}

static inline void tally_subtract(struct tally *from, const struct tally *t)
{
	from->surprise -= t->surprise;
	from->quarters -= t->quarters;
}

/* Where a group is in this localisation. */
struct spot {
	uint32_t stamp, index; /* index: in tree[], or in risks[] */
};

/* A line that was chosen, and which of the leaves it hangs on. */
struct pick {
	uint64_t since_ns;
	uint32_t line, quarters, leaf;
};

/* A line, and its meetings. */
struct hook {
	int64_t surprise;
	uint8_t quarters, n_meetings;
	uint32_t meetings[PLACE_RISKS_MAX];
};

/* A leaf of the tree: its hooks and its meetings, each in a row. */
struct leaf {
	uint32_t place; /* in tree[] */
	uint32_t first_hook, n_hooks, quarters;
	uint32_t n_left, quarters_left; /* not explained: the first of its hooks */
	uint32_t first_meeting, end_meeting;
};

/* The tree's share of the lines of one shared risk. */
struct risk_share {
	uint32_t risk;		      /* by place in risks[] */
	struct tally *tree;	      /* owned, by place in tree[]: 0 but where it touches that */
	uint32_t *touched, n_touched; /* owned: places in tree[], the deepest first */
	uint64_t *met;		      /* owned: working memory, all 0 */
};

struct evidence {
	const struct outage *outage;
	enum symptom_channel channel;
	double each; /* a line stands for so many */
	/* owned, by group: where it is in the arrays below */
	struct spot *spots;
	/* owned, by group of the tree that the evidence touches, the deepest first: of all evidence,
	 * and of what is not explained */
	uint32_t *tree, n_tree;
	uint32_t *parent; /* by place in tree[]: the parent's, or EVIDENCE_NOWHERE */
	struct tally *tree_all, *tree_left;
	/* owned, by shared risk that it touches */
	uint32_t *risks, n_risks;
	struct tally *risks_all, *risks_left;
	uint32_t *risk_end;  /* where its meetings end in by_risk[] */
	struct leaf *leaves; /* owned */
	uint32_t n_leaves;
	struct hook *hooks; /* owned, by line */
	uint32_t n_hooks;
	/* owned, by meeting: the place of its shared risk, its leaf; and all of them by shared risk */
	uint32_t *meeting_risk, *meeting_leaf, *by_risk, n_meetings;
	struct tally *meetings_all, *meetings_left;
	struct risk_share shares[CANDIDATES_MAX]; /* by slot */
	bool whole, split_whole; /* nothing is explained; it was not when the slots were filled */
	uint32_t *order, *place; /* owned: working memory by group */
	struct pick *picks, *by_leaf; /* owned: the lines, then in order of their leaves */
	uint32_t groups_room, hooks_room, meetings_room, stamp;
};

void evidence_fini(struct evidence *evidence);

/* Adds up `n` marks, each line once; false without memory. */
bool evidence_begin(struct evidence *evidence, const struct outage *outage,
		    enum symptom_channel channel, const struct mark *marks, uint32_t n);

/* Nothing is explained. */
void evidence_restart(struct evidence *evidence);

/* The tree's share of the lines of `n` shared risks, by their places in risks[], of what is not
 * explained: slots[] says where in shares[]. Returns the slots that are new, as bits; the others are
 * as they were. */
uint32_t evidence_split(struct evidence *evidence, const uint32_t *risks, uint32_t n,
			uint32_t slots[CANDIDATES_MAX]);

/* The lines of that slot of the last split are explained. */
void evidence_explain(struct evidence *evidence, uint32_t slot);

/* Of what is not explained: the sums by shared risk of what its lines have in the gains of the tree,
 * `share` of a line's surprise by place in tree[]. */
void evidence_share(const struct evidence *evidence, const double *share, int64_t *of_risk);

/* Of what is not explained, the lines of `risk` alone, by shared risk. */
void evidence_within(const struct evidence *evidence, uint32_t risk, struct tally *tallies);

/* The surprise of what is left of lines that hang on nothing below the root of the tree, which is the
 * last in tree[]. */
int64_t evidence_unplaced(const struct evidence *evidence);

#endif
