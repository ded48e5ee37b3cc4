/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Allocation that cannot fail: the generator has nothing better to do without memory than to say
 * so and stop, and no caller should have to carry that case.
 */
#ifndef RASAD_GEN_MEM_H
#define RASAD_GEN_MEM_H

#include <stddef.h>

/* Prints "rasad-gen: MESSAGE" on stderr and exits with status 1. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Zeroed memory, or the program ends. */
void *mem_new(size_t n, size_t size);
/* The same for tables that are accessed at random: in huge pages where the system has them. */
void *mem_new_large(size_t n, size_t size);
void *mem_grow(void *old, size_t n, size_t size);

#endif
