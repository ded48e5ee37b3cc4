/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A regular file seen where the page cache holds it: nothing is copied, and what nobody looks at
 * (payload) is not even fetched. Large folios, which the kernel makes when a file is read from disk
 * or written in large pieces, are mapped sixteen pages or 2 MB at a fault; that is why no page is
 * populated by hand, which goes page by page.
 *
 * A file may become shorter while it is read. The kernel then has no page to show and sends SIGBUS,
 * which must not end the process: the handler of this module puts zeroes where the file was and
 * marks the mapping torn. Zeroes are also what the kernel itself shows behind the new end in its
 * last page, so a reader that meets zeroes asks mapping_is_torn. Other SIGBUS go where they went
 * before. One mapping belongs to one thread; SIGBUS must not be blocked in it.
 */
#ifndef RASAD_COLLECTORS_MAPPING_H
#define RASAD_COLLECTORS_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MAPPING_MAX = 64,	      /* at a time; who comes later reads */
	MAPPING_FAULT = 64 * 1024,    /* Linux maps so much around a fault (fault_around_bytes) */
	MAPPING_TOUCHED = 128 * 1024, /* mapped ahead of the reader */
};

struct mapping_guard;

struct mapping {
	const uint8_t *bytes;	     /* NULL: not mapped */
	size_t size, released;	     /* the pages before `released` are given back */
	size_t touched;		     /* and those before `touched` were asked for */
	struct mapping_guard *guard; /* owned */
	int fd;			     /* borrowed */
};

/* Maps the first `size` bytes of the file: 0, or -errno when it has to be read instead. */
int mapping_open(struct mapping *mapping, int fd, size_t size);
void mapping_close(struct mapping *mapping);

/* Nobody looks before `before` any more: keeps the resident size small. */
void mapping_release(struct mapping *mapping, size_t before);

/*
 * The reader is at `at`. Asking the cache for a line of a page that is not mapped is in vain, and
 * costs a walk through the page tables each time: what lies ahead is mapped before.
 */
static inline void mapping_touch(struct mapping *m, size_t at)
{
	if (m->touched < at)
		m->touched = at & ~(size_t)(MAPPING_FAULT - 1);
	for (; m->touched < at + MAPPING_TOUCHED && m->touched < m->size;
	     m->touched += MAPPING_FAULT)
		(void)*(const volatile uint8_t *)(m->bytes + m->touched);
}

/* The file lost bytes since it was mapped, or a page of it could not be read. */
bool mapping_is_torn(const struct mapping *mapping);

#endif
