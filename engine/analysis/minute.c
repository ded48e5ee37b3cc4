/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/minute.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void minute_table_init(struct minute_table *m, uint32_t max_lines)
{
	*m = (struct minute_table){0};
	hist_pools_init(&m->hists, HIST_COUNT * max_lines);
}

void minute_table_fini(struct minute_table *m)
{
	free(m->of);
	free(m->open);
	hist_pools_fini(&m->hists);
	*m = (struct minute_table){0};
}

static bool make_room(struct minute_table *m, uint32_t subject)
{
	uint32_t room = m->room ? m->room : 64;
	struct minute *grown;
	while (room <= subject)
		room *= 2;
	if (room == m->room)
		return true;
	grown = realloc(m->of, room * sizeof *grown);
	if (!grown)
		return false;
	memset(grown + m->room, 0, (room - m->room) * sizeof *grown);
	m->of = grown;
	m->room = room;
	return true;
}

static bool list(struct minute_table *m, uint32_t subject)
{
	if (m->n_open == m->open_room) {
		uint32_t room = m->open_room ? 2 * m->open_room : 64;
		uint32_t *grown = realloc(m->open, room * sizeof *grown);
		if (!grown)
			return false;
		m->open = grown;
		m->open_room = room;
	}
	m->open[m->n_open++] = subject;
	return true;
}

static void tell(struct minute_table *m, uint32_t subject, const struct minute_out *out)
{
	struct minute *minute = &m->of[subject];
	out->tell(out->context, subject, minute);
	totals_clear(&minute->totals, &m->hists);
	minute->start_ns = 0;
}

void minute_table_add(struct minute_table *m, uint32_t subject, const struct out_window *window,
		      const struct minute_out *out)
{
	uint64_t start_ns = window->start_ns - window->start_ns % MINUTE_NS;
	struct minute *minute;
	if (!make_room(m, subject)) {
		m->refused++;
		return;
	}
	minute = &m->of[subject];
	if (minute->start_ns && minute->start_ns != start_ns)
		tell(m, subject, out);
	if (!minute->start_ns && !list(m, subject)) {
		m->refused++;
		return;
	}
	minute->start_ns = start_ns;
	totals_fetch(&(struct totals_news){&minute->totals, window}, 1, &m->hists);
	totals_add(&minute->totals, &m->hists, window);
}

void minute_table_forget(struct minute_table *m, uint32_t subject)
{
	if (subject >= m->room)
		return;
	totals_clear(&m->of[subject].totals, &m->hists);
	m->of[subject].start_ns = 0;
}

void minute_table_close(struct minute_table *m, uint64_t end_ns, const struct minute_out *out)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < m->n_open; i++) {
		uint32_t subject = m->open[i];
		const struct minute *minute = &m->of[subject];
		if (minute->start_ns && minute->start_ns + MINUTE_NS <= end_ns)
			tell(m, subject, out);
		else if (minute->start_ns)
			m->open[kept++] = subject;
	}
	m->n_open = kept;
}
