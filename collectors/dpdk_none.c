/* SPDX-License-Identifier: BSD-3-Clause */
/* The DPDK collector of a build without DPDK. */
#include "collectors/dpdk.h"

#include <errno.h>

int dpdk_open(struct source **sources, const struct dpdk_options *options)
{
	(void)sources;
	options->problem(options->context,
			 "dpdk: built without DPDK; expected a build where libdpdk-dev is "
			 "installed, with DPDK=1");
	return -ENOSYS;
}

bool dpdk_plays_files(const struct source *source)
{
	(void)source;
	return false;
}
