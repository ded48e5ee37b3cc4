/* SPDX-License-Identifier: BSD-3-Clause */
/* A capture as the engine reports it, when it has come through the kernel tap. */
#ifndef RASAD_TESTS_EBPF_TAP_PLAYER_H
#define RASAD_TESTS_EBPF_TAP_PLAYER_H

struct tap_rig;

/* What `rasad-replay -o json --flows` says of the file, for the caller to free; through the tap, or
 * with NULL through the capture reader. NULL: cannot be read. */
char *tap_player_report(const char *path, struct tap_rig *rig);

#endif
