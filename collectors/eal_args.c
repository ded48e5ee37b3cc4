/* SPDX-License-Identifier: BSD-3-Clause */
#include "collectors/eal_args.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ebpf/pkt.h"

enum { MAX_REASONS = 3 };

/* --- ports --- */

/* A PCI name has colons of its own: only the last word can be a side. */
static void cut_side(struct eal_port *port)
{
	char *colon = strrchr(port->name, ':');

	if (!colon)
		return;
	if (strcmp(colon, ":access") == 0)
		port->side = DIR_UP;
	else if (strcmp(colon, ":core") == 0)
		port->side = DIR_DOWN;
	else
		return;
	*colon = '\0';
}

int eal_next_port(const char **text, struct eal_port *port)
{
	size_t length = strcspn(*text, ",");

	if (!**text)
		return 0;
	*port = (struct eal_port){.side = DIR_UNKNOWN};
	if (length >= sizeof port->name || ((*text)[length] && !(*text)[length + 1]))
		return -EINVAL;
	memcpy(port->name, *text, length);
	*text += length + ((*text)[length] == ',');
	cut_side(port);
	return *port->name ? 1 : -EINVAL;
}

/* --- arguments --- */

bool eal_has_arg(char *const *args, uint32_t n, const char *name)
{
	size_t length = strlen(name);
	bool is_long = length > 2;

	for (uint32_t i = 0; i < n; i++)
		if (strncmp(args[i], name, length) == 0 &&
		    (!is_long || !args[i][length] || args[i][length] == '='))
			return true;
	return false;
}

static bool has_any(char *const *args, uint32_t n, const char *const *names)
{
	for (; *names; names++)
		if (eal_has_arg(args, n, *names))
			return true;
	return false;
}

bool eal_chooses_cores(char *const *args, uint32_t n)
{
	static const char *const cores[] = {"-l", "-c", "--lcores", NULL};

	return has_any(args, n, cores);
}

/*
 * EAL would start a thread on every core, listen for telemetry, tell its life on stderr, and let
 * a second process of the same prefix join in. Memory in huge pages is private to us by
 * --in-memory; without huge pages it is so anyway, and 64 MiB of it, which is two queues.
 */
int eal_args(char *to[EAL_ARGS_MAX], char *const *user, uint32_t n, char cpu_text[16], int cpu)
{
	static const char *const sharing[] = {"--file-prefix", "--proc-type", "--in-memory",
					      "--no-shconf",   "--huge-dir",  NULL};
	static const char *const plain[] = {"--no-huge", "--legacy-mem", NULL};
	static const char *const memory[] = {"-m", "--socket-mem", NULL};
	int have = 0;

	to[have++] = "rasadd";
	if (!eal_chooses_cores(user, n)) {
		snprintf(cpu_text, 16, "%d", cpu);
		to[have++] = "-l";
		to[have++] = cpu_text;
	}
	if (!eal_has_arg(user, n, "--log-level"))
		to[have++] = "--log-level=*:error";
	if (!eal_has_arg(user, n, "--telemetry") && !eal_has_arg(user, n, "--no-telemetry"))
		to[have++] = "--no-telemetry";
	if (!has_any(user, n, sharing))
		to[have++] = has_any(user, n, plain) ? "--no-shconf" : "--in-memory";
	if (eal_has_arg(user, n, "--no-huge") && !has_any(user, n, memory)) {
		to[have++] = "-m";
		to[have++] = "512";
	}
	if (n >= EAL_ARGS_MAX - (uint32_t)have)
		return -E2BIG;
	for (uint32_t i = 0; i < n; i++)
		to[have++] = user[i];
	to[have] = NULL;
	return have;
}

/* --- complaints --- */

/* "EAL: Cannot ...", "rasadd: unrecognized option", "open_single_iface(): Couldn't ..."; not the
 * page of usage after them, nor the good news. */
static const char *reason_in(const char *line, size_t length)
{
	static const char *const news[] = {"EAL: Detected",
					   "EAL: Probing",
					   "EAL: Selected",
					   "EAL: Multi-process",
					   "EAL: VFIO",
					   "libbpf: elf: skipping",
					   "libxdp: No bpffs",
					   "libxdp: Can't use disp",
					   "libxdp: Falling",
					   "Usage",
					   NULL};
	const char *colon = memchr(line, ':', length);
	size_t word = strcspn(line, " :");

	for (const char *const *n = news; *n; n++)
		if (strncmp(line, *n, strlen(*n)) == 0)
			return NULL;
	if (!colon || colon != line + word || word + 2 >= length || colon[1] != ' ')
		return NULL;
	return colon + 2;
}

void eal_reason(const char *said, char *to, size_t room)
{
	size_t used = 0;
	int reasons = 0;

	*to = '\0';
	while (*said && reasons < MAX_REASONS && used < room) {
		size_t length = strcspn(said, "\n");
		const char *reason = reason_in(said, length);
		char text[256];

		snprintf(text, sizeof text, "%.*s", reason ? (int)(said + length - reason) : 0,
			 reason ? reason : "");
		if (*text && !strstr(to, text))
			used += (size_t)snprintf(to + used, room - used, "%s%s",
						 reasons++ ? "; " : "", text);
		said += length + (said[length] == '\n');
	}
}
