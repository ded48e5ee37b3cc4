/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PON_SLASHES = 4 };

static bool is_open(const struct session *session)
{
	return session->state == STATE_UP || session->state == STATE_SUSPECT;
}

struct session *subject_current(struct subject *s)
{
	for (uint32_t i = s->n_sessions; i-- > 0;)
		if (is_open(&s->sessions[i]))
			return &s->sessions[i];
	return NULL;
}

/* Whose session it is, as far as the direction of either message told. */
static bool same_cpe(const struct session *session, const struct control *c)
{
	return c->dir == DIR_UNKNOWN || memcmp(session->cpe_mac, c->cpe_mac, 6) == 0 ||
	       memcmp(session->cpe_mac, c->ac_mac, 6) == 0;
}

static struct session *find(struct subject *s, uint16_t session_id, const struct control *c,
			    bool ended)
{
	for (uint32_t i = s->n_sessions; i-- > 0;) {
		struct session *session = &s->sessions[i];
		if (session->told.pppoe_session_id == session_id &&
		    (ended || session->state != STATE_ENDED) && (!c || same_cpe(session, c)))
			return session;
	}
	return NULL;
}

struct session *subject_find(struct subject *s, uint16_t session_id, bool ended)
{
	return find(s, session_id, NULL, ended);
}

struct session *subject_session_of(struct subject *s, const struct control *c, bool ended)
{
	return find(s, c->session_id, c, ended);
}

/* The oldest ended session leaves (sessions_total still counts it). False when none has ended. */
static bool drop_oldest(struct subject *s)
{
	uint32_t i = 0;
	while (i < s->n_sessions && s->sessions[i].state != STATE_ENDED)
		i++;
	if (i == s->n_sessions)
		return false;
	s->n_sessions--;
	memmove(s->sessions + i, s->sessions + i + 1, (s->n_sessions - i) * sizeof *s->sessions);
	return true;
}

/* Power-of-two growth up to the limit. */
static bool make_room(struct subject *s)
{
	uint32_t n = s->n_sessions;
	struct session *grown;
	if (n == SUBJECT_MAX_SESSIONS)
		return drop_oldest(s);
	if (n & (n - 1))
		return true;
	grown = realloc(s->sessions, (n ? 2 * n : 1) * sizeof *grown);
	if (!grown)
		return false;
	s->sessions = grown;
	return true;
}

struct session *subject_open(struct subject *s, uint16_t session_id)
{
	struct session *session;
	if (!make_room(s)) {
		s->sessions_refused++;
		return NULL;
	}
	session = &s->sessions[s->n_sessions++];
	*session = (struct session){.told = {
					    .pppoe_session_id = session_id,
					    .pads_unix_ns = REPORT_ABSENT,
					    .up_unix_ns = REPORT_ABSENT,
					    .down_unix_ns = REPORT_ABSENT,
					    .first_seen_unix_ns = REPORT_ABSENT,
					    .detected_unix_ns = REPORT_ABSENT,
				    }};
	s->sessions_total++;
	return session;
}

static bool worth_keeping(bool ipv6, const uint8_t *a)
{
	static const uint8_t none[16];
	if (memcmp(a, none, ipv6 ? 16 : 4) == 0)
		return false;
	if (ipv6)
		return a[0] != 0xff && !(a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
	return a[0] != 0 && a[0] < 224 && a[0] != 127 && !(a[0] == 169 && a[1] == 254);
}

void subject_address(struct subject *s, bool ipv6, const uint8_t *bytes, uint8_t prefix_len,
		     bool assigned)
{
	struct address *list = ipv6 ? s->ipv6 : s->ipv4, fresh = {.prefix_len = prefix_len};
	uint8_t *n = ipv6 ? &s->n_ipv6 : &s->n_ipv4, i;
	if (!worth_keeping(ipv6, bytes))
		return;
	memcpy(fresh.bytes, bytes, ipv6 ? 16 : 4);
	fresh.assigned = assigned;
	if (!assigned && !ipv6 && *n && list[0].assigned)
		return; /* what IPCP gave is the address; other sources are spoofed or the LAN's */
	for (i = 0; i < *n; i++)
		if (list[i].prefix_len == prefix_len && memcmp(list[i].bytes, fresh.bytes, 16) == 0)
			break;
	if (i < *n && !assigned)
		return;
	if (i == *n && assigned && !ipv6 && i && !list[0].assigned)
		i = *n = 0;
	if (i == SUBJECT_MAX_ADDRESSES)
		i--;
	if (i >= *n)
		*n = (uint8_t)(i + 1);
	memmove(list + 1, list, i * sizeof *list);
	list[0] = fresh;
	s->changed = true;
}

static void learn_mac(char to[MAC_TEXT], const uint8_t m[6])
{
	static const uint8_t none[6], all[6] = {255, 255, 255, 255, 255, 255};
	if (memcmp(m, none, 6) != 0 && memcmp(m, all, 6) != 0)
		mac_text(to, m);
}

static void learn_name(struct subject *s, char *to, const char *name)
{
	if (!name[0] || strcmp(to, name) == 0)
		return;
	snprintf(to, CONTROL_NAME_MAX, "%s", name);
	s->changed = true;
}

void subject_learn(struct subject *s, const struct control *c)
{
	learn_name(s, s->circuit_id, c->circuit_id);
	learn_name(s, s->remote_id, c->remote_id);
	learn_name(s, s->user, c->user);
	if (c->rate_up)
		s->rate_up = c->rate_up;
	if (c->rate_down)
		s->rate_down = c->rate_down;
	if (c->dir == DIR_UNKNOWN)
		return;
	learn_mac(s->cpe_mac_text, c->cpe_mac);
	learn_mac(s->ac_mac_text, c->ac_mac);
}

enum line_state subject_state(const struct subject *s)
{
	for (uint32_t i = s->n_sessions; i-- > 0;) {
		if (s->sessions[i].state == STATE_UP)
			return LINE_UP;
		if (s->sessions[i].state == STATE_SUSPECT)
			return LINE_SUSPECT;
	}
	return s->n_sessions || s->setup_failures ? LINE_DOWN : LINE_UNKNOWN;
}

struct report_line subject_who(const struct subject *s)
{
	return (struct report_line){
		.line = subject_name(s),
		.subscriber = s->user,
		.circuit_id = s->circuit_id,
		.remote_id = s->remote_id,
		.cpe_mac = s->cpe_mac_text,
		.ac_mac = s->ac_mac_text,
		.svlan = s->svlan,
		.cvlan = s->cvlan,
	};
}

/* "<slot>/<subslot>/<port>:<x>.<y>" */
static bool is_position(const char *from, const char *to)
{
	bool slash = false, colon = false;
	for (; from < to; from++) {
		if (!strchr("0123456789/:.", *from))
			return false;
		slash |= *from == '/';
		colon |= *from == ':';
	}
	return slash && colon;
}

bool subject_node(const struct subject *s, char *node, uint32_t room)
{
	const char *from = s->circuit_id, *to = strchr(from, ' ');
	if (!to)
		return false;
	if (strncmp(to + 1, "atm ", 4) != 0 && strncmp(to + 1, "eth ", 4) != 0) {
		if (!is_position(from, to))
			return false;
		from = to + 1; /* "<node>/<rack>/..." */
		to = strchr(from, '/');
		if (!to || memchr(from, ' ', (size_t)(to - from)))
			return false;
	}
	if (to == from || (uint32_t)(to - from) >= room)
		return false;
	memcpy(node, from, (size_t)(to - from));
	node[to - from] = '\0';
	return true;
}

/* The numbers of the position, up to the colon that begins the VLAN or ATM part. */
static const char *numbers(const struct subject *s, const char **end, bool *tr101)
{
	const char *from = strchr(s->circuit_id, ' ');
	*tr101 = !strncmp(from, " atm ", 5) || !strncmp(from, " eth ", 5);
	from = *tr101 ? from + 5 : strchr(from, '/') + 1;
	*end = from + strspn(from, "0123456789/");
	return from;
}

/* Where the last number begins; of a PON (TR-156: slot/port/ONU/slot/UNI) it is the second. */
static const char *port_of(const char *from, const char **end, bool tr101)
{
	const char *port = *end, *first = memchr(from, '/', (size_t)(*end - from));
	uint32_t slashes = 0;
	for (const char *c = from; c < *end; c++)
		slashes += *c == '/';
	if (tr101 && slashes == PON_SLASHES) {
		*end = first + 1 + strspn(first + 1, "0123456789");
		return first + 1;
	}
	while (port > from && port[-1] != '/')
		port--;
	return port;
}

struct subject_position subject_position(const struct subject *s)
{
	struct subject_position at = {0};
	const char *from, *port, *end;
	char node[CONTROL_NAME_MAX];
	bool tr101;
	if (!subject_node(s, node, sizeof node))
		return at;
	from = numbers(s, &end, &tr101);
	port = port_of(from, &end, tr101);
	if (port == from || end == port)
		return at; /* one number is a port on nothing */
	snprintf(at.card, sizeof at.card, "%.*s", (int)(port - 1 - from), from);
	snprintf(at.port, sizeof at.port, "%.*s", (int)(end - port), port);
	return at;
}

void subject_pool(const struct subject *s, char pool[20])
{
	const uint8_t *a = s->ipv4[0].bytes;
	pool[0] = '\0';
	if (s->n_ipv4 && s->ipv4[0].assigned)
		snprintf(pool, 20, "%u.%u.%u.0/24", a[0], a[1], a[2]);
}
