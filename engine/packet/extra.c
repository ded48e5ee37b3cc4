/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/extra.h"

#include <stddef.h>

#include "engine/packet/loss.h"
#include "engine/packet/meter.h"
#include "engine/packet/rtt.h"
#include "engine/packet/seq.h"

struct flow_extra *extra_of(const struct meter *m, const struct flow *f)
{
	return f->extra ? pool_at(&m->extras, f->extra) : NULL;
}

struct dir_extra *extra_dir(const struct meter *m, const struct flow *f, int dir)
{
	struct flow_extra *e = extra_of(m, f);
	return e ? &e->dir[dir] : NULL;
}

struct dir_extra *extra_need(struct meter *m, struct flow *f, int dir)
{
	struct flow_extra *e = extra_of(m, f);
	uint32_t index;
	if (e)
		return &e->dir[dir];
	index = pool_take(&m->extras);
	if (!index)
		return NULL;
	f->extra = index & 0xffffff;
	e = pool_at(&m->extras, index);
	*e = (struct flow_extra){0};
	for (int i = 0; i < 2; i++) {
		uint32_t una = f->dir[i].una;
		e->dir[i].valid_from = e->dir[i].tainted_from = e->dir[i].sack_hi = una;
		e->dir[i].ack_beyond = f->dir[i].nxt;
	}
	return &e->dir[dir];
}

struct dir_log *extra_log(const struct meter *m, const struct flow *f, int dir)
{
	const struct flow_extra *e = m->keep_logs ? extra_of(m, f) : NULL;
	return e && e->log ? &((struct flow_log *)pool_at(&m->logs, e->log))->dir[dir] : NULL;
}

bool extra_is_whole(const struct meter *m, const struct flow *f, int dir)
{
	return !extra_of(m, f)->dir[dir].holes;
}

static bool is_calm(struct meter *m, const struct flow_dir *d, struct dir_extra *e, uint32_t tick)
{
	if (e->segs_head || e->holes || seq_lt(d->una, e->valid_from) ||
	    seq_gt(e->ack_beyond, d->nxt))
		return false;
	if (e->resends && loss_resends_are_settled(e, tick))
		loss_forget_resends(m, e);
	return !e->resends;
}

void extra_settle(struct meter *m, struct flow *f, uint32_t tick)
{
	struct flow_extra *e = extra_of(m, f);
	if (!is_calm(m, &f->dir[0], &e->dir[0], tick) ||
	    !is_calm(m, &f->dir[1], &e->dir[1], tick) || e->log)
		return;
	pool_give(&m->extras, f->extra);
	f->extra = 0;
}

void extra_forget(struct meter *m, struct flow *f)
{
	struct flow_extra *e = extra_of(m, f);
	if (!e)
		return;
	for (int dir = 0; dir < 2; dir++) {
		rtt_forget(m, f, dir);
		loss_forget(m, &e->dir[dir]);
		loss_forget_resends(m, &e->dir[dir]);
	}
	pool_give(&m->extras, f->extra);
	f->extra = 0;
}
