/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The names of keys in Redis: the contract between the publisher and everyone who reads.
 *
 *   rasad:{eXX}:ev               stream of shard XX (one publisher each): t v k p
 *   rasad:{eXX}:min              stream of minutes: the same fields, p = MinuteBatch, up to 64 lines
 *   rasad:{eXX}:k:<k>            an entry that had to take another id than its own: that id
 *   rasad:{sXX}:cards            hash of SubscriberCards by sub_id; XX = last two digits of it
 *   rasad:{xXX}:user:<name>      SubscriberIndex by PPP user name; XX = hash of the name
 *   rasad:{xXX}:circuit:<id>     … by access-loop circuit-id
 *   rasad:{xXX}:ip:<address>     … by address or prefix in the form of inet_ntop, "/n" if shorter
 *   rasad:{xXX}:mac:<mac>        … by CPE MAC, aa:bb:cc:dd:ee:ff
 *   rasad:{pXX}:phone:<e164>     … by phone, from the inventory, no TTL
 *   rasad:{n}:node:<type>:<name> NodeSummary
 *   rasad:{n}:nodes              sorted set: "<type>:<name>" by the ms of its writing
 *   rasad:{h}:health:<collector> CollectorHealth
 *   rasad:{h}:collectors         sorted set: collectors by the ms of their last health
 *   rasad:{i}:inc:ev             stream of incidents, of all shards: t v k p, k = <id>:<revision>
 *   rasad:{i}:inc:open           sorted set: ids of open incidents, worst first
 *   rasad:{i}:inc:<id>           Incident, its newest revision
 *   rasad:{i}:inc:<id>:mem       MemberSet, of the same revision
 *
 * The braces are Redis Cluster's hash tags.
 *
 * Cards. The card of a line is HGET rasad:{sXX}:cards <sub_id>: one round trip, with TIME in the
 * same pipeline. A hash holds the cards of all lines whose sub_id ends in the same two digits: 256
 * buckets, 3906 cards each when there are a million lines, so that those that wait for Redis at the
 * same time go there by the dozen. That is a third of the work of a key each, but Redis (7.0) has
 * no TTL for a field. So the claim "somebody watches this line" stands on the card itself: it holds
 * until valid_until_unix_ms, by the clock of Redis, which writers and readers both ask. A reader
 * takes a card that is older for absent. Each write also sets the TTL of the bucket anew, to the
 * same 900 s: when a bucket goes, every card in it had already ended. The card of a line that
 * nobody refreshes, in a bucket that others keep alive, is removed by the publishers, which look
 * through the buckets (sweep.h).
 *
 * Indexes. An index is a hint and claims nothing: it may still name a line that has let go of the
 * address meanwhile; the card tells, and readers must look. It lives a day and is renewed when the
 * names of its line change, and every 6 to 12 hours.
 *
 * Incidents. A revision changes all four keys in one transaction: whoever reads of it in the stream
 * finds the incident (or a later revision of it) and its members. The two keys of an incident have
 * no TTL while it is open, 30 days once it has ended. Its score in the set is severity * 10^10 +
 * the second of its opening, so ZRANGE gives critical ones first, the oldest of them first. An id
 * has no colon. How a dead engine's open incidents end: deliver_incident.h.
 *
 * Monitoring gaps are GapNotices in the event stream of the shard: what the tap did not see is a
 * matter of the events around it, and whoever reads those must meet it in their order.
 */
#ifndef RASAD_ENGINE_PUBLISH_KEYSPACE_H
#define RASAD_ENGINE_PUBLISH_KEYSPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYSPACE_SUB_ID_SIZE	17
#define KEYSPACE_KEY_MAX	320 /* names in a key are cut at 255 bytes, NUL included in this */
#define KEYSPACE_SHARDS		256
#define KEYSPACE_STREAM_MAXLEN	"200000"
#define KEYSPACE_MINUTES_MAXLEN "65536" /* entries; about 1 GB when all are full */
#define KEYSPACE_CARD_TTL_S	900
#define KEYSPACE_INDEX_TTL_S	86400
#define KEYSPACE_NODE_TTL_S	"300"
#define KEYSPACE_HEALTH_TTL_S	"30"
#define KEYSPACE_MOVED_TTL_S	"604800" /* a week */
#define KEYSPACE_BUCKETS	256	 /* of cards */
#define KEYSPACE_NODES		"rasad:{n}:nodes"
#define KEYSPACE_COLLECTORS	"rasad:{h}:collectors"
#define KEYSPACE_ALL_HEALTH	"rasad:{h}:health:*"

#define KEYSPACE_INCIDENTS	   "rasad:{i}:inc:ev"
#define KEYSPACE_INCIDENTS_MAXLEN  "50000"
#define KEYSPACE_INCIDENTS_OPEN	   "rasad:{i}:inc:open"
#define KEYSPACE_INCIDENT_ID_MAX   64
#define KEYSPACE_INCIDENT_TTL_S	   "2592000"   /* 30 days, from its end */
#define KEYSPACE_INCIDENT_SEVERITY 10000000000 /* what a severity is worth in a score */

enum keyspace_index { KEYSPACE_USER, KEYSPACE_CIRCUIT, KEYSPACE_IP, KEYSPACE_MAC, KEYSPACE_PHONE };

typedef char keyspace_key[KEYSPACE_KEY_MAX];

/* SipHash-2-4 with a fixed key: the same everywhere and for ever. */
uint64_t keyspace_hash(const void *bytes, size_t n);

/* 16 hex digits: the hash of the line's name, which is the sub_id as a number. */
void keyspace_sub_id(const char *line, char out[KEYSPACE_SUB_ID_SIZE]);
void keyspace_sub_id_of(uint64_t hash, char out[KEYSPACE_SUB_ID_SIZE]);

void keyspace_events(unsigned shard, keyspace_key out);
void keyspace_minutes(unsigned shard, keyspace_key out);
void keyspace_moved(unsigned shard, const char *k, keyspace_key out);
/* The bucket of a line: cards that come in the order of buckets cost least. */
uint8_t keyspace_bucket_of(const char *line);
/* The hash that holds the cards of this bucket: sub_id as a number, modulo KEYSPACE_BUCKETS. */
void keyspace_bucket(unsigned bucket, keyspace_key out);
/* The same for a line, whose field is the sub_id. */
void keyspace_card(const char *sub_id, keyspace_key out);
void keyspace_node(const char *type, const char *name, keyspace_key out);
void keyspace_health(const char *collector, keyspace_key out);
/* Letters, digits, "-", "_", "."; and none of the names that are keys of their own. */
bool keyspace_is_incident_id(const char *id);
void keyspace_incident(const char *id, keyspace_key out);
void keyspace_incident_members(const char *id, keyspace_key out);

/* name must be in the canonical form of its kind. */
void keyspace_index(enum keyspace_index kind, const char *name, keyspace_key out);

/*
 * "2001:DB8::1", "2001:db8:1::/56" -> canonical, host bits cleared, no suffix for a full length.
 * Returns 0, or -EINVAL. length: the bits to keep, or -1 for those that the text says.
 */
int keyspace_ip(const char *text, int length, char out[64]);

/* Any usual notation (aa:bb:…, aa-bb-…, aabb.ccdd.eeff, aabbccddeeff) -> 02:5a:…; or -EINVAL. */
int keyspace_mac(const char *text, char out[18]);

#endif
