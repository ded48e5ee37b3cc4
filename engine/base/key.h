/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Texts as keys of a struct map (engine/base/map.h). 64 bits of hash: two texts share a key once in
 * billions of pairs, so owners compare the text they keep where a mix-up would matter.
 */
#ifndef RASAD_ENGINE_BASE_KEY_H
#define RASAD_ENGINE_BASE_KEY_H

#include <stdint.h>

#define KEY_START 0xcbf29ce484222325ull

/* FNV-1a, to be continued with further parts. */
static inline uint64_t key_add(uint64_t key, const char *text)
{
	for (; *text; text++)
		key = (key ^ (unsigned char)*text) * 0x100000001b3ull;
	return key;
}

/* Never 0, which is the map's free slot. */
static inline uint64_t key_end(uint64_t key)
{
	key ^= key >> 29;
	return key ? key : 1;
}

static inline uint64_t key_of(const char *text)
{
	return key_end(key_add(KEY_START, text));
}

/* Of texts of several kinds in one map. */
static inline uint64_t key_of_kind(uint64_t kind, const char *text)
{
	return key_end(key_add((KEY_START ^ kind) * 0x100000001b3ull, text));
}

/* The same as key_of("type:name"). */
static inline uint64_t key_of_group(const char *type, const char *name)
{
	return key_end(key_add(key_add(key_add(KEY_START, type), ":"), name));
}

#endif
