/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-sim/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES ((size_t)1 << 20)

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("rasad-sim: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

void *mem_new(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		die("out of memory for %zu objects of %zu bytes", n, size);
	return p;
}

void *mem_grow(void *old, size_t n, size_t size)
{
	void *p = reallocarray(old, n, size);

	if (!p)
		die("out of memory for %zu objects of %zu bytes", n, size);
	return p;
}

FILE *file_create(const char *folder, const char *name)
{
	char path[4096];
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		die("%s/%s: the name is too long", folder, name);
	f = fopen(path, "w");
	if (!f)
		die("%s: %s", path, strerror(errno));
	setvbuf(f, NULL, _IOFBF, BUFFER_BYTES);
	return f;
}

void file_close(FILE *f, const char *name)
{
	if (ferror(f) | fclose(f))
		die("%s: could not be written: %s", name, strerror(errno));
}
