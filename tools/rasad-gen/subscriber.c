/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/subscriber.h"

#include <stdlib.h>

void subscriber_init(struct subscriber *s, struct world *w, struct line *l)
{
	s->world = w;
	s->line = l;
	s->rng = rng_make(w->options->seed, RNG_SUBSCRIBER, l->number);
	l->keep_samples = true;
	cpe_init(s);
	traffic_init(s);
}

void subscriber_fini(struct subscriber *s)
{
	for (struct session *b = s->sessions, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(s->question);
	samples_fini(&s->rtt_line);
	samples_fini(&s->rtt_dns);
	samples_fini(&s->rtt_icmp);
	*s = (struct subscriber){0};
}
