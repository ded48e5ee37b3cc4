/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Incidents lie in slots that are used again; a map leads from an id to its slot, another from an
 * element ("card:DSLAM-1/3") to the list of slots that are entered under it. Lists of members are
 * sorted, so membership is a binary search.
 */
#include "engine/match/book.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/map.h"
#include "engine/match/areas.h"
#include "engine/base/key.h"
#include "proto/rasad/v1/card.pb-c.h"
#include "proto/rasad/v1/incident.pb-c.h"

#define FOLLOW_MAX 8  /* of superseded_by: a circle ends */
#define WAIT_MAX   60 /* calls of book_advance that members wait for their incident */

#define STATE(name) RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_##name

struct entry {
	Rasad__V1__Incident *incident; /* owned; NULL: its members came first, or a free slot */
	Rasad__V1__MemberSet *members; /* owned; NULL: not there yet */
	char *id;		       /* owned; NULL: free */
	uint32_t waited;	       /* calls of book_advance without an incident */
};

struct group {
	uint32_t *slots; /* owned */
	uint32_t n, room;
};

struct book {
	struct entry *entries; /* owned */
	uint32_t n_entries, entries_room;
	uint32_t *free_slots; /* owned, as large as entries_room */
	uint32_t n_free;
	struct group *groups; /* owned */
	uint32_t n_groups, groups_room;
	struct map by_id, by_group;
	struct areas areas;
	struct book_counts counts;
};

struct book *book_new(void)
{
	return calloc(1, sizeof(struct book));
}

static void free_incident(Rasad__V1__Incident *incident)
{
	if (incident)
		rasad__v1__incident__free_unpacked(incident, NULL);
}

static void free_members(Rasad__V1__MemberSet *members)
{
	if (members)
		rasad__v1__member_set__free_unpacked(members, NULL);
}

struct book *book_free(struct book *book)
{
	if (!book)
		return NULL;
	for (uint32_t i = 0; i < book->n_entries; i++) {
		free_incident(book->entries[i].incident);
		free_members(book->entries[i].members);
		free(book->entries[i].id);
	}
	for (uint32_t i = 0; i < book->n_groups; i++)
		free(book->groups[i].slots);
	free(book->entries);
	free(book->free_slots);
	free(book->groups);
	map_fini(&book->by_id);
	map_fini(&book->by_group);
	areas_fini(&book->areas);
	free(book);
	return NULL;
}

/* --- slots --- */

static struct entry *find(const struct book *book, const char *id)
{
	const uint32_t *slot = map_find(&book->by_id, key_of(id));

	if (!slot || strcmp(book->entries[*slot].id, id) != 0)
		return NULL;
	return &book->entries[*slot];
}

static bool grow_entries(struct book *book)
{
	uint32_t room = book->entries_room ? 2 * book->entries_room : 64;
	struct entry *entries = realloc(book->entries, room * sizeof(*entries));

	if (!entries)
		return false;
	book->entries = entries;
	uint32_t *free_slots = realloc(book->free_slots, room * sizeof(*free_slots));
	if (!free_slots)
		return false;
	book->free_slots = free_slots;
	book->entries_room = room;
	return true;
}

/* NULL: refused, and counted. */
static struct entry *find_or_add(struct book *book, const char *id)
{
	struct entry *entry = find(book, id);

	if (entry)
		return entry;
	char *copy = strdup(id);
	uint64_t key = key_of(id);
	bool fits = copy && book->counts.incidents < BOOK_INCIDENTS_MAX &&
		    !map_find(&book->by_id, key) &&
		    (book->n_free || book->n_entries < book->entries_room || grow_entries(book));
	uint32_t slot = !fits	       ? 0
			: book->n_free ? book->free_slots[book->n_free - 1]
				       : book->n_entries;
	if (!fits || !map_put(&book->by_id, key, slot)) {
		free(copy);
		book->counts.refused++;
		return NULL;
	}
	if (book->n_free)
		book->n_free--;
	else
		book->n_entries++;
	book->counts.incidents++;
	entry = &book->entries[slot];
	*entry = (struct entry){.id = copy};
	return entry;
}

/* --- groups --- */

static struct group *group_of(struct book *book, uint64_t key)
{
	const uint32_t *index = map_find(&book->by_group, key);

	if (index)
		return &book->groups[*index];
	if (book->n_groups == book->groups_room) {
		uint32_t room = book->groups_room ? 2 * book->groups_room : 64;
		struct group *groups = realloc(book->groups, room * sizeof(*groups));
		if (!groups)
			return NULL;
		book->groups = groups;
		book->groups_room = room;
	}
	if (!map_put(&book->by_group, key, book->n_groups))
		return NULL;
	struct group *group = &book->groups[book->n_groups++];
	*group = (struct group){0};
	return group;
}

static void enter(struct book *book, uint64_t key, uint32_t slot)
{
	struct group *group = group_of(book, key);

	for (uint32_t i = 0; group && i < group->n; i++)
		if (group->slots[i] == slot)
			return;
	if (group && group->n == group->room) {
		uint32_t room = group->room ? 2 * group->room : 2;
		uint32_t *slots = realloc(group->slots, room * sizeof(*slots));
		if (slots) {
			group->slots = slots;
			group->room = room;
		}
	}
	if (!group || group->n == group->room) {
		book->counts.refused++;
		return;
	}
	group->slots[group->n++] = slot;
}

static void strike(struct book *book, uint64_t key, uint32_t slot)
{
	const uint32_t *index = map_find(&book->by_group, key);
	struct group *group = index ? &book->groups[*index] : NULL;

	for (uint32_t i = 0; group && i < group->n; i++)
		if (group->slots[i] == slot)
			group->slots[i--] = group->slots[--group->n];
}

static void each_group(struct book *book, uint32_t slot,
		       void (*act)(struct book *, uint64_t, uint32_t))
{
	const Rasad__V1__Incident *incident = book->entries[slot].incident;

	if (*incident->group)
		act(book, key_of_group(incident->group_type, incident->group), slot);
	for (size_t i = 0; i < incident->n_equivalent_groups; i++)
		act(book, key_of(incident->equivalent_groups[i]), slot);
}

static void forget(struct book *book, struct entry *entry)
{
	uint32_t slot = (uint32_t)(entry - book->entries);

	if (entry->incident)
		each_group(book, slot, strike);
	map_remove(&book->by_id, key_of(entry->id));
	free_incident(entry->incident);
	free_members(entry->members);
	free(entry->id);
	*entry = (struct entry){0};
	book->free_slots[book->n_free++] = slot;
	book->counts.incidents--;
}

/* --- feeding --- */

static bool is_gone(const Rasad__V1__Incident *incident)
{
	return incident->state == STATE(SUPERSEDED) || incident->state == STATE(MERGED) ||
	       incident->state == STATE(RETRACTED);
}

static bool is_open(const Rasad__V1__Incident *incident)
{
	return incident->state == STATE(OPEN) || incident->state == STATE(UPDATED);
}

static bool same_scope(const Rasad__V1__Incident *one, const Rasad__V1__Incident *other)
{
	if (strcmp(one->group_type, other->group_type) != 0 ||
	    strcmp(one->group, other->group) != 0 ||
	    one->n_equivalent_groups != other->n_equivalent_groups)
		return false;
	for (size_t i = 0; i < one->n_equivalent_groups; i++)
		if (strcmp(one->equivalent_groups[i], other->equivalent_groups[i]) != 0)
			return false;
	return true;
}

static enum book_change change_between(const Rasad__V1__Incident *old,
				       const Rasad__V1__Incident *fresh)
{
	if (is_gone(fresh))
		return old && is_gone(old) ? BOOK_NONE : BOOK_GONE;
	if (!is_open(fresh))
		return old && old->state == fresh->state ? BOOK_NONE : BOOK_CLEARED;
	if (!old || !is_open(old)) /* opened, or opened again */
		return BOOK_OPENED;
	bool moved = !same_scope(old, fresh) || old->onset_unix_ns != fresh->onset_unix_ns ||
		     old->class_ != fresh->class_;
	return moved ? BOOK_SCOPE : BOOK_NONE;
}

enum book_change book_take_incident(struct book *book, Rasad__V1__Incident *incident)
{
	struct entry *entry = find_or_add(book, incident->incident_id);

	if (!entry) {
		free_incident(incident);
		return BOOK_NONE;
	}
	Rasad__V1__Incident *old = entry->incident;
	uint32_t slot = (uint32_t)(entry - book->entries);
	if (old && incident->revision <= old->revision) {
		book->counts.stale++;
		free_incident(incident);
		return BOOK_NONE;
	}
	enum book_change change = change_between(old, incident);
	if (old)
		each_group(book, slot, strike);
	entry->incident = incident;
	/* One that gave way is found no more, but its id still leads to what took its place. */
	if (!is_gone(incident)) {
		each_group(book, slot, enter);
		book->counts.without_group += !old && !*incident->group;
	}
	free_incident(old);
	return change;
}

/* Where id stands in a sorted list, or n. */
static size_t index_of(const uint64_t *ids, size_t n, uint64_t id)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && ids[low] == id ? low : n;
}

static bool contains(const uint64_t *ids, size_t n, uint64_t id)
{
	return index_of(ids, n, id) < n;
}

static bool has_new_line(const Rasad__V1__MemberSet *old, const Rasad__V1__MemberSet *fresh)
{
	for (size_t i = 0; i < fresh->n_down; i++)
		if (!old || (!contains(old->down, old->n_down, fresh->down[i]) &&
			     !contains(old->recovered, old->n_recovered, fresh->down[i])))
			return true;
	return false;
}

static bool is_sorted(const uint64_t *ids, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (ids[i - 1] > ids[i])
			return false;
	return true;
}

static int compare_ids(const void *one, const void *other)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return (a > b) - (a < b);
}

/* The contract says sorted; a stranger's list that is not is sorted here, its times dropped. */
static void sort_members(Rasad__V1__MemberSet *members)
{
	if (!is_sorted(members->down, members->n_down)) {
		qsort(members->down, members->n_down, sizeof(uint64_t), compare_ids);
		members->n_down_after_s = 0;
	}
	if (!is_sorted(members->recovered, members->n_recovered)) {
		qsort(members->recovered, members->n_recovered, sizeof(uint64_t), compare_ids);
		members->n_recovered_after_s = 0;
	}
}

enum book_change book_take_members(struct book *book, Rasad__V1__MemberSet *members)
{
	struct entry *entry = find_or_add(book, members->incident_id);

	if (!entry || (entry->members && members->revision < entry->members->revision)) {
		book->counts.stale += entry != NULL;
		free_members(members);
		return BOOK_NONE;
	}
	sort_members(members);
	bool open = entry->incident && is_open(entry->incident);
	bool more = open && has_new_line(entry->members, members);
	free_members(entry->members);
	entry->members = members;
	return more ? BOOK_SCOPE : BOOK_NONE;
}

void book_advance(struct book *book, int64_t now_unix_ns)
{
	for (uint32_t i = 0; i < book->n_entries; i++) {
		struct entry *entry = &book->entries[i];
		const Rasad__V1__Incident *incident = entry->incident;
		if (!incident && entry->id && ++entry->waited > WAIT_MAX)
			forget(book, entry);
		if (!incident || is_open(incident))
			continue;
		int64_t ended = incident->has_clear_unix_ns_case ? incident->clear_unix_ns
								 : incident->changed_unix_ns;
		if (now_unix_ns - ended > BOOK_CLEARED_KEEP_NS)
			forget(book, entry);
	}
}

/* --- looking up --- */

static struct entry *follow(const struct book *book, const char *id)
{
	struct entry *entry = find(book, id);

	for (int i = 0; i < FOLLOW_MAX && entry && entry->incident && is_gone(entry->incident); i++)
		entry = *entry->incident->superseded_by ? find(book, entry->incident->superseded_by)
							: NULL;
	return entry && entry->incident && !is_gone(entry->incident) ? entry : NULL;
}

const Rasad__V1__Incident *book_find(const struct book *book, const char *incident_id)
{
	const struct entry *entry = follow(book, incident_id);

	return entry ? entry->incident : NULL;
}

const Rasad__V1__MemberSet *book_members(const struct book *book, const char *incident_id)
{
	const struct entry *entry = follow(book, incident_id);

	return entry ? entry->members : NULL;
}

static enum membership membership_in(const Rasad__V1__MemberSet *members, uint64_t sub_id)
{
	if (!members)
		return MEMBER_NOT;
	return contains(members->down, members->n_down, sub_id)		    ? MEMBER_DOWN
	       : contains(members->recovered, members->n_recovered, sub_id) ? MEMBER_RECOVERED
									    : MEMBER_NOT;
}

enum membership book_membership(const struct book *book, const char *incident_id, uint64_t sub_id)
{
	return membership_in(book_members(book, incident_id), sub_id);
}

static int64_t recovered_at(const struct entry *entry, uint64_t sub_id)
{
	const Rasad__V1__MemberSet *members = entry->members;

	size_t at = index_of(members->recovered, members->n_recovered, sub_id);
	if (at < members->n_recovered_after_s)
		return entry->incident->onset_unix_ns +
		       members->recovered_after_s[at] * 1000000000ll;
	return entry->incident->clear_unix_ns;
}

struct candidates {
	struct book *book;
	struct score_incident *out;
	uint64_t sub_id;
	size_t n;
};

/* The newest SCORE_INCIDENTS_MAX; a member is never pushed out by a mere neighbour. */
static bool ranks_before(const struct score_incident *one, const struct score_incident *other)
{
	bool member = one->membership != MEMBER_NOT, other_member = other->membership != MEMBER_NOT;

	return member != other_member
		       ? member
		       : one->incident->onset_unix_ns > other->incident->onset_unix_ns;
}

static void offer(struct candidates *found, uint32_t slot, bool in_scope)
{
	const struct entry *entry = &found->book->entries[slot];
	struct score_incident one = {.incident = entry->incident, .in_scope = in_scope};

	for (size_t i = 0; i < found->n; i++)
		if (found->out[i].incident == entry->incident)
			return;
	one.membership = membership_in(entry->members, found->sub_id);
	if (one.membership == MEMBER_NOT && !in_scope)
		return;
	if (one.membership == MEMBER_RECOVERED)
		one.recovered_unix_ns = recovered_at(entry, found->sub_id);
	size_t at = found->n;
	while (at && ranks_before(&one, &found->out[at - 1]))
		at--;
	if (found->n == SCORE_INCIDENTS_MAX) {
		found->book->counts.candidates_cut++;
		if (at == SCORE_INCIDENTS_MAX)
			return;
		found->n--;
	}
	memmove(found->out + at + 1, found->out + at, (found->n - at) * sizeof(one));
	found->out[at] = one;
	found->n++;
}

static void offer_group(struct candidates *found, const char *type, const char *name)
{
	const uint32_t *index =
		*name ? map_find(&found->book->by_group, key_of_group(type, name)) : NULL;
	const struct group *group = index ? &found->book->groups[*index] : NULL;

	for (uint32_t i = 0; group && i < group->n; i++)
		offer(found, group->slots[i], true);
}

/* What the inventory booked, for cards without groups. */
static void offer_booked(struct candidates *found, const Rasad__V1__SubscriberCard *card)
{
	offer_group(found, "exchange", card->exchange);
	offer_group(found, "access_node", card->node);
	offer_group(found, "cabinet", card->cabinet);
}

static void offer_listed(struct candidates *found)
{
	for (uint32_t i = 0; i < found->book->n_entries; i++) {
		const struct entry *entry = &found->book->entries[i];
		if (entry->incident && entry->members && !is_gone(entry->incident))
			offer(found, i, false);
	}
}

size_t book_candidates(struct book *book, const Rasad__V1__SubscriberCard *card, uint64_t sub_id,
		       struct score_incident out[SCORE_INCIDENTS_MAX])
{
	struct candidates found = {.book = book, .out = out, .sub_id = sub_id};

	for (size_t i = 0; card && i < card->n_groups; i++)
		offer_group(&found, card->groups[i]->group_type, card->groups[i]->group);
	if (card)
		offer_booked(&found, card);
	/* A line whose elements nobody knows is still found on the lists. */
	if (!card || !card->n_groups || book->counts.without_group)
		offer_listed(&found);
	return found.n;
}

/* --- areas --- */

void book_learn_area(struct book *book, const Rasad__V1__SubscriberCard *card)
{
	areas_learn(&book->areas, card->phone, card->exchange);
}

size_t book_area(struct book *book, const char *phone,
		 struct score_incident out[SCORE_INCIDENTS_MAX])
{
	struct candidates found = {.book = book, .out = out};
	const char *exchange = areas_find(&book->areas, phone);
	size_t n = 0;

	if (exchange)
		offer_group(&found, "exchange", exchange);
	for (size_t i = 0; i < found.n; i++)
		if (is_open(out[i].incident))
			out[n++] = out[i];
	return n;
}

/* --- all of them --- */

static int compare_incidents(const void *one, const void *other)
{
	const Rasad__V1__Incident *a = *(Rasad__V1__Incident *const *)one;
	const Rasad__V1__Incident *b = *(Rasad__V1__Incident *const *)other;

	if (is_open(a) != is_open(b))
		return is_open(a) ? -1 : 1;
	if (a->open_unix_ns != b->open_unix_ns)
		return a->open_unix_ns > b->open_unix_ns ? -1 : 1;
	return strcmp(a->incident_id, b->incident_id);
}

size_t book_all(const struct book *book, const Rasad__V1__Incident **out, size_t room)
{
	size_t n = 0;

	for (uint32_t i = 0; i < book->n_entries && n < room; i++)
		if (book->entries[i].incident && !is_gone(book->entries[i].incident))
			out[n++] = book->entries[i].incident;
	qsort(out, n, sizeof(*out), compare_incidents);
	return n;
}

struct book_counts book_counts(const struct book *book)
{
	struct book_counts counts = book->counts;

	counts.groups = book->n_groups;
	for (uint32_t i = 0; i < book->n_entries; i++)
		counts.open += book->entries[i].incident && is_open(book->entries[i].incident);
	return counts;
}

uint64_t book_sub_id(const char *text)
{
	if (strlen(text) != 16 || strspn(text, "0123456789abcdefABCDEF") != 16)
		return 0;
	return strtoull(text, NULL, 16);
}
