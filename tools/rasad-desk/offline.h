/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers calls from a file instead of from Redis: what `make eval` judges. */
#ifndef RASAD_TOOLS_RASAD_DESK_OFFLINE_H
#define RASAD_TOOLS_RASAD_DESK_OFFLINE_H

/*
 * Reads NDJSON in the order of time ("-": standard input) and writes NDJSON to standard output:
 *
 *   subscriber_card   what is true of a line from here on; sub_id may be left out, and so may
 *                     valid_until_unix_ms (then it holds until the line's next card)
 *   incident, member_set   as rasad-replay --events -o json --members writes them
 *   call_event        -> call_match, revision 1; later revisions follow what changes them
 *
 * Blind spots that the calls show are written as incident lines. Returns the exit code: 1 for a
 * file that cannot be read; wrong lines are told with their number and passed over, and make it 1.
 */
int offline_run(const char *path);

#endif
