/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/tap.h"

#include "engine/base/clock.h"

enum {
	BUSY_SECONDS = 8, /* of the last ten */
	LINES_LEAST = 6,  /* different ones */
	HEARD_LEAST = 30, /* that should have been heard in the silence */
};

/* The silence is none of the lines'. */
static bool is_blind(const struct tap_watch *t, uint64_t silence_ns)
{
	uint64_t lines = 0, heard = 0, busy = 0;
	for (uint32_t i = 0; i < TAP_SECONDS; i++) {
		lines |= t->heard[i];
		busy += t->heard[i] != 0;
		heard += (uint64_t)__builtin_popcountll(t->heard[i]);
	}
	return silence_ns >= TAP_LEAST_NS && busy >= BUSY_SECONDS &&
	       __builtin_popcountll(lines) >= LINES_LEAST &&
	       heard * (silence_ns / 1000000) >= HEARD_LEAST * 1000ull * TAP_SECONDS;
}

/* Seconds that nobody spoke in have masks of their own. */
static void turn(struct tap_watch *t, uint64_t now_ns)
{
	uint64_t second = now_ns - now_ns % TAP_SECOND_NS;
	uint64_t passed = second > t->second_ns ? (second - t->second_ns) / TAP_SECOND_NS : 1;
	for (uint64_t i = 0; i < passed && i < TAP_SECONDS; i++) {
		t->at = (t->at + 1) % TAP_SECONDS;
		t->heard[t->at] = 0;
	}
	t->second_ns = second;
}

static void follow(struct tap_watch *t, uint64_t now_ns, uint64_t bit)
{
	if (now_ns - t->second_ns >= TAP_SECOND_NS)
		turn(t, now_ns);
	t->heard[t->at] |= bit;
	t->last_ns = now_ns;
}

static void forget(struct tap_watch *t)
{
	*t = (struct tap_watch){.last_ns = t->last_ns, .second_ns = t->second_ns};
}

/* No room: the next packet, or the next second, tells. */
static bool tell(struct burst *burst, uint32_t i, struct tap_news news)
{
	if (burst->n_news == BURST_NEWS)
		return false;
	news.at = (uint8_t)i;
	burst->news[burst->n_news++] = news;
	return true;
}

static bool has_several(const struct taps *taps)
{
	return taps->source && taps->source->n_taps > 1;
}

static bool is_part(const struct taps *taps)
{
	return taps->source && taps->source->part;
}

static bool is_over(const struct taps *taps, uint32_t tap)
{
	return taps->source->taps_over >> tap & 1;
}

/* Taps beside the one that speaks, looked at once a second. */
static void look_at_others(struct taps *taps, struct burst *burst, uint32_t i, uint64_t now_ns)
{
	for (uint32_t tap = 0; tap < taps->source->n_taps && tap < TAP_MAX; tap++) {
		struct tap_watch *t = &taps->of[tap];
		if (!t->silent && now_ns > t->last_ns && is_blind(t, now_ns - t->last_ns) &&
		    !is_over(taps, tap))
			t->silent = tell(burst, i,
					 (struct tap_news){.tap = (uint8_t)(1 + tap),
							   .kind = TAP_SILENT,
							   .since_ns = t->last_ns});
	}
}

static void follow_one(struct taps *taps, struct burst *burst, uint32_t i, uint64_t now_ns)
{
	uint32_t tap = burst->extra[i].tap % TAP_MAX;
	struct tap_watch *t = &taps->of[tap];
	if (t->silent &&
	    tell(burst, i, (struct tap_news){.tap = (uint8_t)(1 + tap), .kind = TAP_SPEAKS}))
		forget(t);
	follow(t, now_ns, tap_bit(&burst->pkt[i]));
}

/* Nobody saw the time from `since_ns` on; of the whole stream, so no tap of it has news of its own. */
static void skip(struct taps *taps, struct burst *burst, uint32_t i, enum tap_news_kind kind,
		 uint64_t since_ns)
{
	if (!taps->all.silent)
		tell(burst, i, (struct tap_news){.kind = kind, .since_ns = since_ns});
	tell(burst, i, (struct tap_news){.kind = TAP_SPEAKS});
	forget(&taps->all);
	for (uint32_t tap = 0; tap < TAP_MAX; tap++)
		if (!taps->of[tap].silent)
			forget(&taps->of[tap]);
}

void taps_follow(struct taps *taps, struct burst *burst, uint32_t i, uint64_t before_ns)
{
	uint64_t now_ns = burst->clock_ns[i];
	struct tap_watch *all = &taps->all;
	bool back = now_ns < before_ns, turns = now_ns - all->second_ns >= TAP_SECOND_NS;
	uint64_t silence_ns = back ? TAP_SECONDS * TAP_SECOND_NS : now_ns - before_ns;
	if (all->silent || (before_ns && !is_part(taps) && is_blind(all, silence_ns)))
		skip(taps, burst, i, back || silence_ns > CLOCK_AHEAD_NS ? TAP_CLOCK : TAP_SILENT,
		     back ? now_ns : before_ns);
	follow(all, now_ns, tap_bit(&burst->pkt[i]));
	if (!has_several(taps))
		return;
	follow_one(taps, burst, i, now_ns);
	if (turns)
		look_at_others(taps, burst, i, now_ns);
}

bool taps_idle(struct taps *taps, uint64_t now_ns, struct tap_news *news)
{
	struct tap_watch *all = &taps->all;
	if (all->silent || is_part(taps) || now_ns <= all->last_ns ||
	    !is_blind(all, now_ns - all->last_ns))
		return false;
	all->silent = true;
	*news = (struct tap_news){.kind = TAP_SILENT, .since_ns = all->last_ns};
	return true;
}
