/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages from JSON, written with ' for ", for the tests of engine/match. */
#ifndef RASAD_TESTS_ENGINE_MATCH_FIXTURE_H
#define RASAD_TESTS_ENGINE_MATCH_FIXTURE_H

#include <stdint.h>

#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/card.pb-c.h"
#include "proto/rasad/v1/incident.pb-c.h"

/* 2025-11-15 14:05:00 in Tehran: 24 Aban 1404. */
#define NOW_NS (1763202900 * 1000000000ll)
#define MIN_NS (60 * 1000000000ll)

/* Each %T(n) in the text stands for the time n minutes after NOW_NS, in nanoseconds. All that was
 * made lives until fixture_free. Fails the test on a text that cannot be read. */
Rasad__V1__SubscriberCard *card_of(const char *json);
Rasad__V1__CallEvent *call_of(const char *json);
/* What `more` (",'name':...") says goes over what the object says; so below. */
Rasad__V1__CallEvent *call_with(const char *json, const char *more);
Rasad__V1__Incident *incident_of(const char *json);
Rasad__V1__MemberSet *members_of(const char *json);
Rasad__V1__NodeSummary *node_of(const char *json);
Rasad__V1__CallMatch *match_of(const char *json);

/* Takes a message that was made out of the hands of fixture_free: somebody else frees it. */
void *given_away(void *message);
/* The other way round. */
void *kept(void *message);

void fixture_free(void);

/* A line that is up and as usual, measured well; `more` (",...") is added to the card. */
Rasad__V1__SubscriberCard *healthy_card(const char *more);
/* A line that went down `minutes` ago. */
Rasad__V1__SubscriberCard *down_card(int minutes, const char *more);

#endif
