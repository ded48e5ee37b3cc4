/* SPDX-License-Identifier: BSD-3-Clause */
/* The XDP collector of a build without libbpf. */
#include "collectors/xdp.h"

#include <errno.h>

int xdp_open(struct source **sources, const struct xdp_options *options)
{
	(void)sources;
	options->problem(
		options->context,
		"xdp: built without libbpf; expected a build where libbpf-dev, bpftool and "
		"clang are installed, with XDP=1");
	return -ENOSYS;
}
