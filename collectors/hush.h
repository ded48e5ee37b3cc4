/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keeps what a library prints on stdout and stderr, so that its user is told one sentence instead
 * of a page. For the whole process: before there are threads that print.
 */
#ifndef RASAD_COLLECTORS_HUSH_H
#define RASAD_COLLECTORS_HUSH_H

struct hush {
	int kept, out, err; /* the memory that takes it, and what it stands in for; -1: none */
	char notes[4096];   /* what is to be said once it is over: lines, the newest last */
};

#define HUSH_NONE ((struct hush){.kept = -1, .out = -1, .err = -1})

/* Without the means for it, the library is heard as ever. The notes stay. */
void hush_begin(struct hush *hush);

/* What else would have gone to stderr at once. */
__attribute__((format(printf, 2, 3))) void hush_note(struct hush *hush, const char *format, ...);

/* Ends it. Returns what was printed, to be freed; NULL when nothing could be kept. */
char *hush_end(struct hush *hush);

#endif
