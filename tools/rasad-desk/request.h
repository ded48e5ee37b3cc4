/* SPDX-License-Identifier: BSD-3-Clause */
/* Paths of requests, made safe. What stands in a body is for engine/match/call_json.h. */
#ifndef RASAD_TOOLS_RASAD_DESK_REQUEST_H
#define RASAD_TOOLS_RASAD_DESK_REQUEST_H

#include <stddef.h>

/*
 * Splits "/v1/calls/a%2Fb" into its decoded segments, in place. Returns their number, 0 for what
 * is no path: bad escapes, a NUL, invalid UTF-8, more than `max` of them.
 */
size_t request_split_path(char *path, char **segments, size_t max);

#endif
