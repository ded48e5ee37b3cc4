/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Large tables: address space for the largest size that was configured, memory as it is touched.
 *
 * A table that may grow never moves, nothing is allocated while packets pass, and what is not used
 * costs nothing. The kernel is asked for 2 MB pages: random access to tables of hundreds of
 * megabytes takes 1.66 times as long with 4 kB pages, for want of TLB entries.
 */
#ifndef RASAD_ENGINE_BASE_MEM_H
#define RASAD_ENGINE_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* `size` zeroed bytes, aligned to 2 MB when that large; NULL when there is no address space. */
void *mem_reserve(size_t size);

/* Gives back what mem_reserve gave; NULL is fine. */
void mem_release(void *at, size_t size);

/* Whether the kernel gives 2 MB pages to whoever asks for them. */
bool mem_has_large_pages(void);

#endif
