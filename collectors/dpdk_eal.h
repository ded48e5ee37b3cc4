/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's environment (EAL) for collectors/dpdk.c: what a process needs before it has ports. */
#ifndef RASAD_COLLECTORS_DPDK_EAL_H
#define RASAD_COLLECTORS_DPDK_EAL_H

struct dpdk_options;
struct hush;

/* Returns 0; or -errno, the reason the last note. A second call in a process is refused. */
int dpdk_eal_start(const struct dpdk_options *options, struct hush *hush);

/* After a start that went well. */
void dpdk_eal_stop(void);

#endif
