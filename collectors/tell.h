/* SPDX-License-Identifier: BSD-3-Clause */
/* What collectors need to speak to their user, and of clocks. */
#ifndef RASAD_COLLECTORS_TELL_H
#define RASAD_COLLECTORS_TELL_H

#include <stdint.h>
#include <time.h>

/* One sentence, of at most 511 bytes. */
__attribute__((format(printf, 3, 4))) void tell(void (*problem)(void *context, const char *message),
						void *context, const char *format, ...);

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
