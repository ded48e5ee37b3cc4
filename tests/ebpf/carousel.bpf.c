/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames in turn for the bench: BPF_PROG_TEST_RUN repeats one frame, so this program writes the
 * next one's headers over it, then goes on in the program that is measured. It also reads what the
 * tap has written, so that its rings never fill.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "ebpf/tap.h"

char _license[] SEC("license") = "Dual BSD/GPL";

enum { HEAD = 128 };

const volatile pkt_u32 n_heads = 1;
pkt_u32 turn;

struct head {
	pkt_u64 words[HEAD / 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, pkt_u32);
	__type(value, struct head);
} heads SEC(".maps");

/* The tap's own: put in its place before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, pkt_u32);
	__type(value, struct tap_ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(pkt_u32));
	__uint(value_size, sizeof(pkt_u32));
} measured SEC(".maps");

static __always_inline void drain(void)
{
	pkt_u32 cpu = bpf_get_smp_processor_id();
	struct tap_ring *ring = bpf_map_lookup_elem(&rings, &cpu);
	if (!ring)
		return;
	ring->tail = ring->head;
	ring->frame_tail = ring->frame_head;
}

SEC("xdp.frags")
int carousel(struct xdp_md *ctx)
{
	struct head *to = (struct head *)(long)ctx->data, *head;
	pkt_u32 place = turn;
	turn = place + 1 < n_heads ? place + 1 : 0;
	head = bpf_map_lookup_elem(&heads, &place);
	if (!head || (void *)(to + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	*to = *head;
	drain();
	bpf_tail_call(ctx, &measured, 0);
	return XDP_ABORTED;
}
