/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/line_control.h"

#include "engine/packet/worker.h"

static void lcp_echo(struct worker *w, uint32_t index, const struct control *c, uint64_t now_ns)
{
	struct line *line = line_at(&w->meter.lines, index);
	if (c->code == PPP_ECHO_REQ && c->dir == DIR_DOWN) {
		line->echo_id = c->id;
		line->echo_ns = now_ns;
		line_pulse(&w->meter.lines, index)->state |= PULSE_WATCH;
	} else if (c->code == PPP_ECHO_REP && c->dir == DIR_UP && line->echo_ns &&
		   line->echo_id == c->id && now_ns >= line->echo_ns) {
		uint64_t ticks = (now_ns - line->echo_ns) / HIST_TICK_NS;
		if (ticks <= SAMPLE_TICKS_MASK)
			meter_line_sample(&w->meter, index, HIST_LINE, (uint32_t)ticks);
		line->echo_ns = 0;
	}
}

static uint64_t circuit_key(const char *circuit, uint16_t svlan)
{
	uint64_t h = svlan + 1u;
	for (; *circuit; circuit++)
		h = map_hash(h ^ (uint8_t)*circuit);
	return h | 1;
}

uint32_t line_control_of(struct worker *w, const struct pkt *p, const struct pkt_extra *x,
			 const struct control *c, bool sub_is_src)
{
	uint32_t *known, line;
	if (p->flags & PKT_TWO_TAGS || p->kind != KIND_PPPOE || !c->circuit_id[0] ||
	    c->dir != DIR_UP)
		return line_of(&w->meter.lines, p, x, sub_is_src);
	known = map_find(&w->circuits, circuit_key(c->circuit_id, x->svlan));
	if (known) {
		line_bind(&w->meter.lines, p, x, *known);
		return *known;
	}
	line = line_of(&w->meter.lines, p, x, sub_is_src);
	if (!line)
		return 0;
	line_established(&w->meter.lines, line);
	if (w->circuits.used >= w->options.max_lines)
		w->circuits_refused++;
	else
		map_put(&w->circuits, circuit_key(c->circuit_id, x->svlan), line);
	return line;
}

void line_control_follow(struct worker *w, uint32_t line, const struct pkt *p,
			 const struct control *c)
{
	if (p->kind == KIND_LCP)
		lcp_echo(w, line, c, p->ts_ns);
	else if (p->kind == KIND_PPPOE && c->code == PADI)
		line_pulse(&w->meter.lines, line)->session_id = 0; /* tell of the next data */
	else if (p->kind == KIND_PPPOE && c->code == PADS)
		line_established(&w->meter.lines, line);
}
