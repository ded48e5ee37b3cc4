/* SPDX-License-Identifier: BSD-3-Clause */
#include "collectors/hush.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_KEPT = 1 << 20 };

void hush_begin(struct hush *h)
{
	fflush(stdout);
	fflush(stderr);
	h->kept = memfd_create("hush", MFD_CLOEXEC);
	if (h->kept < 0)
		return;
	h->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	h->err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (h->out >= 0)
		dup2(h->kept, STDOUT_FILENO);
	if (h->err >= 0)
		dup2(h->kept, STDERR_FILENO);
}

void hush_note(struct hush *h, const char *format, ...)
{
	size_t used = strlen(h->notes), room = sizeof h->notes;
	va_list arguments;

	if (used && used + 1 < room)
		h->notes[used++] = '\n';
	va_start(arguments, format);
	vsnprintf(h->notes + used, room - used, format, arguments);
	va_end(arguments);
}

static void give_back(int *fd, int as)
{
	if (*fd < 0)
		return;
	dup2(*fd, as);
	close(*fd);
	*fd = -1;
}

/* Written through one offset, read through another. */
static char *text_of(int fd)
{
	off_t length = lseek(fd, 0, SEEK_END);
	size_t size = length < 0 ? 0 : length > MAX_KEPT ? MAX_KEPT : (size_t)length;
	char *text = calloc(1, size + 1);

	if (text && pread(fd, text, size, 0) < 0)
		*text = '\0';
	return text;
}

char *hush_end(struct hush *h)
{
	char *text = NULL;

	fflush(stdout);
	fflush(stderr);
	give_back(&h->out, STDOUT_FILENO);
	give_back(&h->err, STDERR_FILENO);
	if (h->kept >= 0) {
		text = text_of(h->kept);
		close(h->kept);
		h->kept = -1;
	}
	return text;
}
