/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RASAD_TOOLS_RASAD_DESK_OPTIONS_H
#define RASAD_TOOLS_RASAD_DESK_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct options {
	const char *redis, *name, *listen_text, *token_file, *offline;
	struct sockaddr_storage listen;
	uint32_t threads, verify_every_s;
	bool no_http, packet_clock;
	char token[257]; /* "": none */
};

/* Returns OPTION_OK, or the exit code: 0 after --help, 1 for a token that cannot be read, 2. */
int options_read(struct options *options, int argc, char **argv);

#endif
