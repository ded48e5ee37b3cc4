/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names come from the network as bytes; protobuf strings and JSON are UTF-8 by definition, and a
 * strict reader throws the whole message away for one wrong byte.
 */
#ifndef RASAD_PROTO_UTF8_H
#define RASAD_PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#define UTF8_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* Bytes of the valid sequence at text, n > 0 (RFC 3629: no surrogates, nothing overlong), or 0. */
size_t utf8_length(const char *text, size_t n);

bool utf8_is_valid(const char *text, size_t n);

/* Copies n bytes with U+FFFD for each wrong one, adds NUL; out holds 3 * n + 1. Returns length. */
size_t utf8_clean(const char *text, size_t n, char *out);

#endif
