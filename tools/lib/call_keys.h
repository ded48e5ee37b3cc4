/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys of calls and their answers, which the desks, rasadctl and the ticket tier share; those of
 * the engine are in engine/publish/keyspace.h.
 *
 *   rasad:{c}:call:in         stream of CallEvents, ticket tier to desks (group "desk"): t v k p
 *   rasad:{c}:call:out        stream of CallMatches, each revision one entry, k = call_id:revision.
 *                             Many desks write it, so its ids are the server's.
 *   rasad:{c}:call:<call_id>  CallMatch, the latest revision, 7 days
 *   rasad:{i}:fence           the newest token that wrote a blind-spot incident
 *   rasad:{v}:verify:<id>     sorted set: sub_id by priority, whom to call back; 7 days
 *   rasad:{v}:rest:<id>       sorted set: sub_id by VerifyState, affected lines not to call; 7 days
 *   rasad:{v}:states:<id>     CallbackList without results: how many lines are in which state
 *   rasad:{v}:again           sorted set: "incident sub_id call_unix_ns" by the ms of a second look
 *   rasad:{m}:lease           "token:desk" of the one desk that re-scores, verifies and counts calls
 *   rasad:{m}:token           the newest fencing token
 *   rasad:{d}:dlq             stream of what no desk could work on: t v k p as they came, and why
 */
#ifndef RASAD_TOOLS_LIB_CALL_KEYS_H
#define RASAD_TOOLS_LIB_CALL_KEYS_H

#define CALLS_IN	    "rasad:{c}:call:in"
#define CALLS_OUT	    "rasad:{c}:call:out"
#define CALL_KEY	    "rasad:{c}:call:%s"
#define CALL_GROUP	    "desk"
#define CALL_TTL_S	    "604800"
#define CALLS_MAXLEN	    "100000"
#define INCIDENT_FENCE	    "rasad:{i}:fence"
#define VERIFY_LIST	    "rasad:{v}:verify:%s"
#define VERIFY_REST	    "rasad:{v}:rest:%s"
#define VERIFY_STATES	    "rasad:{v}:states:%s"
#define VERIFY_AGAIN	    "rasad:{v}:again"
#define VERIFY_TTL_S	    "604800"
#define LEASE_KEY	    "rasad:{m}:lease"
#define LEASE_TOKEN	    "rasad:{m}:token"
#define DEAD_LETTERS	    "rasad:{d}:dlq"
#define DEAD_LETTERS_MAXLEN "10000"

/* Room for any of those with an id in them: ids of calls and incidents are cut there. */
#define CALL_KEY_SIZE 128

#endif
