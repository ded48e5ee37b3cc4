/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bounded cursor over bytes that nobody vouches for. Readers ask cursor_left first, or take a
 * NULL from cursor_bytes as the end; nothing is ever read behind the end.
 */
#ifndef RASAD_ENGINE_BASE_CURSOR_H
#define RASAD_ENGINE_BASE_CURSOR_H

#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *at, *end;
};

static inline struct cursor cursor_of(const uint8_t *bytes, uint32_t len)
{
	return (struct cursor){bytes, bytes + len};
}

static inline uint32_t cursor_left(const struct cursor *c)
{
	return (uint32_t)(c->end - c->at);
}

/* `len` bytes, or NULL (and the cursor at its end) when there are fewer. */
static inline const uint8_t *cursor_bytes(struct cursor *c, uint32_t len)
{
	const uint8_t *v = c->at;
	if (cursor_left(c) < len) {
		c->at = c->end;
		return NULL;
	}
	c->at += len;
	return v;
}

/* 0 behind the end. Multi-byte integers are big-endian. */
static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *v = cursor_bytes(c, 1);
	return v ? v[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	const uint8_t *v = cursor_bytes(c, 2);
	return v ? (uint16_t)(v[0] << 8 | v[1]) : 0;
}

/* Nothing behind the next `len` bytes will be read. */
static inline void cursor_cut(struct cursor *c, uint32_t len)
{
	if (len < cursor_left(c))
		c->end = c->at + len;
}

#endif
