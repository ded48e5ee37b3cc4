/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory, files and the end of the program when either fails. */
#ifndef RASAD_SIM_MEM_H
#define RASAD_SIM_MEM_H

#include <stddef.h>
#include <stdio.h>

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);
void *mem_new(size_t n, size_t size); /* zeroed */
void *mem_grow(void *old, size_t n, size_t size);
FILE *file_create(const char *folder, const char *name);
void file_close(FILE *f, const char *name);

#endif
