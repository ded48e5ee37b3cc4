/* SPDX-License-Identifier: BSD-3-Clause */
/* A MAC address as people read it, without printf: it is written once for each line and control
 * message. */
#ifndef RASAD_ENGINE_BASE_MAC_H
#define RASAD_ENGINE_BASE_MAC_H

#include <stdint.h>

enum { MAC_TEXT = 18 };

static inline void mac_text(char to[MAC_TEXT], const uint8_t mac[6])
{
	static const char hex[] = "0123456789abcdef";
	for (int i = 0; i < 6; i++) {
		to[3 * i] = hex[mac[i] >> 4];
		to[3 * i + 1] = hex[mac[i] & 15];
		to[3 * i + 2] = i < 5 ? ':' : '\0';
	}
}

#endif
