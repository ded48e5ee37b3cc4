/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a line reaches while its session is up: the Internet and its resolvers, as symptoms of the
 * channels INTERNET and DNS.
 *
 * The packet floor tells of demand without an answer (demand.h). Whose fault that is one line
 * cannot say, so it waits for its BRAS: when that goes on speaking, it is the way behind it; when it
 * is silent, the session is the casualty (bras.h), not the Internet. A line of which nothing but
 * names is wanted waits for others: when they hear from the Internet, it is the resolver.
 *
 * Demand that goes on is told again; what is not is taken back, for then nobody knows. (What others
 * hear is known when they miss something, too, so who waits for it looks when it is told again.) Symptoms end with
 * the next frame that comes down, the next answer, or the session.
 */
#ifndef RASAD_ENGINE_ANALYSIS_REACH_H
#define RASAD_ENGINE_ANALYSIS_REACH_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/analysis/bras.h"
#include "engine/analysis/outage/outage.h"

#define REACH_ALIVE_NS 1000000000ull  /* a BRAS that speaks so long after the question lives */
#define REACH_WAIT_NS  12000000000ull /* for a BRAS that nobody asks */
#define REACH_STALE_NS 65000000000ull /* demand that goes on is told every 30 s */

struct signal;
struct subject;

enum { REACH_RESOLVERS = 2, REACH_RESOLVERS_MAX = 64 };

enum reach_state { REACH_GOOD, REACH_PENDING, REACH_BAD };

/* Of one thing that the line wants. */
struct reach_want {
	enum reach_state state;
	uint64_t since_ns, asked_ns;
	uint64_t first_ns, told_ns; /* by the packet floor: at first, last */
	uint64_t look_ns; /* while pending: when to look again; 0: when it is told again */
};

struct reach {
	struct reach_want internet;
	struct reach_resolver {
		struct reach_want want;
		char address[46]; /* "": none */
		bool alone;	  /* the line hears nothing else either */
	} resolver[REACH_RESOLVERS];
};

/* When resolvers that lines miss last answered any of these. */
struct reach_resolvers {
	struct {
		char address[46];
		uint64_t answered_ns;
	} of[REACH_RESOLVERS_MAX];
	uint32_t n;
	uint64_t refused; /* more than that; their lines know only their own answers */
};

struct reach_out {
	void (*tell)(void *context, struct subject *s, struct symptom symptom);
	void *context;
	struct reach_resolvers *resolvers;
};

/* SIGNAL_NO_INTERNET, SIGNAL_INTERNET, SIGNAL_RESOLVER, SIGNAL_NO_NAMES, SIGNAL_NAMES; true: it is
 * one of them.
 * `bras`: of the line's session, or NULL: it has none. */
bool reach_signal(struct subject *s, const struct signal *signal, struct bras *bras,
		  const struct reach_out *out);

/* The session is over, or nobody sees the line: its symptoms with it. */
void reach_forget(struct subject *s, uint64_t now_ns, const struct reach_out *out);

/* As session_deadline and session_timer. */
uint64_t reach_deadline(const struct subject *s);
void reach_timer(struct subject *s, const struct bras *bras, uint64_t now_ns,
		 const struct reach_out *out);

/* Bits 1 << CHANNEL_INTERNET and 1 << CHANNEL_DNS, while they are bad. */
uint32_t reach_symptoms(const struct subject *s);

#endif
