/* SPDX-License-Identifier: BSD-3-Clause */
#include "collectors/dpdk_eal.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>

#include "collectors/dpdk.h"
#include "collectors/eal_args.h"
#include "collectors/hush.h"

static bool was_started; /* EAL knows only one life */

static int first_cpu(const cpu_set_t *cpus)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, cpus))
			return cpu;
	return 0;
}

/* EAL nails the thread that calls it to a core, and all threads that come after would inherit. */
static int init(const struct dpdk_options *o)
{
	char *arguments[EAL_ARGS_MAX], cpu[16];
	cpu_set_t cpus;
	int n, status;

	CPU_ZERO(&cpus);
	sched_getaffinity(0, sizeof cpus, &cpus);
	n = eal_args(arguments, o->eal, o->n_eal, cpu, first_cpu(&cpus));
	if (n < 0)
		return n;
	status = rte_eal_init(n, arguments) < 0 ? -EINVAL : 0;
	if (!eal_chooses_cores(o->eal, o->n_eal))
		sched_setaffinity(0, sizeof cpus, &cpus);
	return status;
}

/* Errors of a start that went well: a device that is missing. Who asks for EAL's words gets all. */
static void pass_on(const struct dpdk_options *o, int status, char *said, struct hush *hush)
{
	char reason[200] = "";

	if (said && eal_has_arg(o->eal, o->n_eal, "--log-level"))
		fputs(said, stderr);
	else if (said)
		eal_reason(said, reason, sizeof reason);
	free(said);
	if (status)
		hush_note(hush, "EAL does not start%s%s%s",
			  eal_has_arg(o->eal, o->n_eal, "--no-huge")
				  ? ""
				  : " (where there are no huge pages: -- --no-huge)",
			  *reason ? ": " : "", reason);
	else if (*reason)
		hush_note(hush, "EAL: %s", reason);
}

int dpdk_eal_start(const struct dpdk_options *o, struct hush *hush)
{
	int status;

	if (was_started) {
		hush_note(hush, "was opened before; EAL allows that once in a process");
		return -EALREADY;
	}
	was_started = true;
	if (!eal_has_arg(o->eal, o->n_eal, "--help") && !eal_has_arg(o->eal, o->n_eal, "-h"))
		hush_begin(hush);
	status = init(o);
	pass_on(o, status, hush_end(hush), hush);
	if (!status && !rte_eal_has_hugepages())
		hush_note(hush, "no huge pages: packets lie in 4 kB pages, which can cost 1.7 "
				"times as much per packet");
	return status;
}

void dpdk_eal_stop(void)
{
	rte_eal_cleanup();
}
