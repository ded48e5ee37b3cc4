/* SPDX-License-Identifier: BSD-3-Clause */
/* What can happen to a line, on purpose and at a known time. */
#ifndef RASAD_GEN_FAULT_H
#define RASAD_GEN_FAULT_H

#include "tools/rasad-gen/subscriber.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_CPE_TERMINATE,  /* LCP Terminate and PADT from the modem */
	FAULT_BRAS_TERMINATE, /* the same from the BRAS, with a reason */
	FAULT_POWER,	      /* the modem is silent, then dials over its old session */
	FAULT_CUT,	    /* the line carries nothing; the modem retrains and dials afterwards */
	FAULT_SHORT_CUT,    /* the same, behind the modem's back; the session survives */
	FAULT_BAD_PASSWORD, /* the modem hangs up and is refused for a while */
};

struct fault {
	struct subscriber *sub;
	enum fault_kind kind;
	uint64_t at_ns, for_ns;
	bool happened; /* there was a session that it could hit */
};

/* The line carries nothing, or does again. */
void fault_cut(struct subscriber *s, bool cut);
void fault_schedule(struct fault *f, uint64_t at_ns, uint64_t for_ns);
const char *fault_name(enum fault_kind kind);

/* The truth of scenarios with subscribers, faults included. */
void subscriber_truth(const struct world *w, struct subscriber *subs, const struct fault *faults,
		      uint32_t n_faults);

#endif
