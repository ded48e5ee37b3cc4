/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The capture reader over any bytes: pcap, pcapng, gzip, zstd. A frame lies inside the file, its
 * link type is 16 bits, and a reading that ended early says why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/collectors/capture_file.h"

#define HOLD(claim)                                                                                \
	do {                                                                                       \
		if (!(claim)) {                                                                    \
			fprintf(stderr, "capture_fuzz: does not hold: %s\n", #claim);              \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reading r = capture_read_bytes(data, len);
	HOLD(strnlen(r.message, sizeof r.message) < sizeof r.message);
	if (!r.opened || r.end == CAPTURE_DAMAGED)
		HOLD(r.message[0]);
	else
		HOLD(r.end == CAPTURE_END);
	for (uint64_t i = 0; i < r.n && i < READ_MAX; i++) {
		HOLD(r.frame[i].caplen <= r.frame[i].wire_len);
		HOLD(r.frame[i].link <= 0xffff);
	}
	return 0;
}
