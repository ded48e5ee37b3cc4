/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is said to and by DPDK in words: the ports of the command line, the arguments of EAL and
 * its complaints. Speaks to no library.
 */
#ifndef RASAD_COLLECTORS_EAL_ARGS_H
#define RASAD_COLLECTORS_EAL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EAL_ARGS_MAX = 64, EAL_PORT_NAME = 64 };

/* "net_pcap0", "0000:3b:00.0:access", "1:core": what a port is called, and where it listens. */
struct eal_port {
	char name[EAL_PORT_NAME];
	uint8_t side; /* enum pkt_dir of what is received there */
};

/*
 * Reads the next of a comma list and moves `*text` behind it. Returns 1, 0 at the end of the
 * list, or -EINVAL when the name is empty or too long.
 */
int eal_next_port(const char **text, struct eal_port *port);

/*
 * The command line of EAL: rasad's own arguments where the user's `n` do not speak of the same,
 * then the user's. `cpu` is where EAL may settle. Returns the number in `to`, or -E2BIG.
 * The strings are constants, the user's, or `cpu_text`.
 */
int eal_args(char *to[EAL_ARGS_MAX], char *const *user, uint32_t n, char cpu_text[16], int cpu);

/* The user has this argument: "--no-huge", or with a value behind it or a '='. */
bool eal_has_arg(char *const *args, uint32_t n, const char *name);

/* The user says on which cores EAL runs. */
bool eal_chooses_cores(char *const *args, uint32_t n);

/* The lines of `said` that tell a reason, joined into one: "a; b". Empty when there are none. */
void eal_reason(const char *said, char *to, size_t room);

#endif
