/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel tap: XDP for what an interface receives, TC for what it sends. Every frame is parsed
 * with ebpf/parse.h, stamped, put into this CPU's ring, and passes on untouched, or with
 * `--tap drop` is freed in the driver. There is no state of flows here: a packet costs the same
 * whether there are ten lines or a million.
 *
 * The frame that a BRAS sees all day (parse_access) is read where it lies. Any other is read from
 * a copy of its first 256 bytes: there each offset is masked and each read inside one object of
 * fixed size, so that all ways through the parser look alike to the verifier, which then walks each
 * layer a few times and not once per way that leads to it. Only what needs more than these bytes is
 * copied further, and so are control messages, whose copy the reader gets.
 *
 * Links of TC came with Linux 6.6. Before, what is sent is seen at a tracepoint on its way to the
 * queue of the device, right behind where TC stands (tap_queued); it alone reads structures of the
 * kernel, and finds them by BTF. All programs run with bottom halves off, so nothing on this CPU
 * comes between. They load on Linux 6.1 and later (tools/dev/oldest-kernel).
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "ebpf/parse.h"
#include "ebpf/tap.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* Set before loading; then constants, and what they exclude is not even verified. */
const volatile pkt_u32 tap_records = 1, tap_frames = 1; /* of a CPU: powers of two */
const volatile pkt_u32 tap_cpus = 1;
const volatile int tap_action = XDP_PASS;
const volatile pkt_u8 tap_plays = 0;
const volatile pkt_u32 tap_ports[TAP_MAX_PORTS]; /* for tap_queued: interfaces, then 0, of the */
const volatile pkt_u32 tap_net = 0;		 /* network namespace with this inode */

struct tap_play tap_play; /* when tap_plays */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, pkt_u32);
	__type(value, struct tap_ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, pkt_u32);
	__type(value, struct tap_record);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, pkt_u32);
	__type(value, struct tap_frame);
} frames SEC(".maps");

/* Carries nothing: a word in it wakes the readers that sleep. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} bell SEC(".maps");

/* One packet on its way. */
struct way {
	struct tap_ring *ring;
	struct tap_record *record;
	pkt_u32 cpu;
	pkt_u32 caplen, wire_len;
	pkt_u32 port; /* as in pkt_extra.port */
};

/* --- the rings --- */

static __always_inline int open_way(struct way *w)
{
	pkt_u32 place;
	w->cpu = bpf_get_smp_processor_id();
	w->ring = bpf_map_lookup_elem(&rings, &w->cpu);
	if (!w->ring)
		return 0;
	if (w->ring->head - w->ring->tail_seen >= tap_records) {
		w->ring->tail_seen = *(volatile pkt_u64 *)&w->ring->tail;
		if (w->ring->head - w->ring->tail_seen >= tap_records) {
			w->ring->full++;
			return 0;
		}
	}
	place = w->cpu * tap_records + ((pkt_u32)w->ring->head & (tap_records - 1));
	w->record = bpf_map_lookup_elem(&records, &place);
	return w->record != 0;
}

static __always_inline pkt_u64 time_ns(void)
{
	return tap_plays ? tap_play.clock_ns : bpf_ktime_get_ns();
}

static __always_inline void wake_reader(struct tap_ring *ring)
{
	pkt_u64 word = 0;
	ring->bell = 0;
	ring->rung++;
	bpf_ringbuf_output(&bell, &word, sizeof word, BPF_RB_FORCE_WAKEUP);
}

static __always_inline void close_way(const struct way *w, pkt_u64 ts_ns)
{
	struct tap_ring *ring = w->ring;
	pkt_u64 bell;
	w->record->pkt.ts_ns = ts_ns;
	w->record->extra.port = w->port;
	ring->bytes += w->wire_len;
	__asm__ volatile("" ::: "memory");
	*(volatile pkt_u64 *)&ring->head = ring->head + 1;
	bell = *(volatile pkt_u64 *)&ring->bell;
	if (bell && ring->head - *(volatile pkt_u64 *)&ring->tail >= bell)
		wake_reader(ring);
}

/* --- reading a frame --- */

static __always_inline int read_usual(const struct way *w, const pkt_u8 *data, const pkt_u8 *end)
{
	struct access a = {.h = data, .end = end};
	a.pkt = &w->record->pkt;
	a.extra = &w->record->extra;
	return parse_access(&a, w->wire_len);
}

static __always_inline void leave(const struct parse *c, struct tap_stand *stand)
{
	*stand = (struct tap_stand){
		.at = parse_at(c),
		.wire_end = c->wire_end,
		.addresses = (pkt_u32)parse_difference(c->addresses, c->start),
		.type = c->type,
		.svlan = c->svlan,
		.cvlan = c->cvlan,
		.flags = c->flags,
		.cut = c->cut,
		.past = c->past,
	};
}

static __always_inline void resume(struct parse *c, const struct tap_stand *stand)
{
	c->at = c->start + (stand->at & TAP_FRAME);
	c->addresses = c->start + (stand->addresses & TAP_FRAME);
	c->wire_end = stand->wire_end;
	c->type = stand->type;
	c->svlan = stand->svlan;
	c->cvlan = stand->cvlan;
	c->flags = stand->flags;
	c->cut = stand->cut;
	c->past = stand->past;
}

/*
 * The two halves of the parser are functions of their own to the verifier, which walks each of them
 * once, whatever leads to it. They return 1 when there was more to see behind `caplen`.
 */
__noinline int read_l4(struct tap_frame *frame, struct tap_record *record, pkt_u32 caplen,
		       pkt_u32 wire_len)
{
	struct parse c = {0};
	if (!frame || !record)
		return 0;
	c.start = frame->bytes;
	c.end = frame->bytes + (caplen & TAP_FRAME);
	c.pkt = &record->pkt;
	c.extra = &record->extra;
	resume(&c, &frame->stand);
	parse_end(&c, parse_l4(&c), wire_len);
	return c.past;
}

__noinline int read_layers(struct tap_frame *frame, struct tap_record *record, pkt_u32 caplen,
			   pkt_u32 wire_len)
{
	struct parse c = {.wire_end = wire_len};
	enum pkt_verdict verdict;
	if (!frame || !record)
		return 0;
	caplen &= TAP_FRAME;
	c.start = c.at = c.addresses = frame->bytes;
	c.end = frame->bytes + caplen;
	c.cut = caplen < wire_len;
	c.pkt = &record->pkt;
	c.extra = &record->extra;
	parse_begin(c.pkt, c.extra);
	__builtin_memset(c.extra->dmac, 0, 12); /* and smac: a runt has none */
	verdict = parse_below_l4(&c, tap_plays ? tap_play.link : LINK_ETHERNET);
	if (c.next != PARSE_L4) {
		parse_end(&c, verdict, wire_len);
		return c.past;
	}
	leave(&c, &frame->stand);
	return read_l4(frame, record, caplen, wire_len);
}

/* The place where the next control message will lie; until it is kept, any frame may use it. */
static __always_inline struct tap_frame *free_frame(const struct way *w)
{
	pkt_u32 place = w->cpu * tap_frames + ((pkt_u32)w->ring->frame_head & (tap_frames - 1));
	return bpf_map_lookup_elem(&frames, &place);
}

static __always_inline int frames_are_full(struct tap_ring *ring)
{
	if (ring->frame_head - ring->frame_tail_seen < tap_frames - 1)
		return 0;
	ring->frame_tail_seen = *(volatile pkt_u64 *)&ring->frame_tail;
	return ring->frame_head - ring->frame_tail_seen >= tap_frames - 1;
}

/* Only what is read again is kept. 0: there is no room for it, counted. */
static __always_inline int keep_frame(const struct way *w)
{
	if (!pkt_is_control(&w->record->pkt))
		return 1;
	if (frames_are_full(w->ring)) {
		w->ring->frames_full++;
		return 0;
	}
	w->record->frame = w->ring->frame_head++;
	if (*(volatile pkt_u64 *)&w->ring->bell &&
	    w->ring->frame_head - *(volatile pkt_u64 *)&w->ring->frame_tail >= tap_frames / 4)
		wake_reader(w->ring);
	return 1;
}

/* Were the first bytes not enough? A control message is read again by the reader, whole. */
static __always_inline int is_cut(const struct way *w, int past)
{
	return w->caplen > TAP_HEAD && (past || w->record->pkt.verdict == VERDICT_TRUNCATED ||
					pkt_is_control(&w->record->pkt));
}

static __always_inline pkt_u32 at_most(pkt_u32 n, pkt_u32 most)
{
	return n < most ? n : most;
}

/* Reads any frame from a copy of it; `copy(ctx, frame, n)` returns 0 when it could. */
#define READ_ANY(ctx, w, copy)                                                                     \
	({                                                                                         \
		struct tap_frame *frame = free_frame(w);                                           \
		int status = frame ? read_copy(ctx, w, frame, copy, TAP_HEAD) : -1;                \
		if (status >= 0 && is_cut(w, status))                                              \
			status = read_copy(ctx, w, frame, copy, TAP_FRAME);                        \
		if (status < 0)                                                                    \
			(w)->ring->unreadable++;                                                   \
		status >= 0 && keep_frame(w);                                                      \
	})
#define read_copy(ctx, w, frame, copy, most)                                                       \
	(copy(ctx, frame, at_most((w)->caplen, most))                                              \
		 ? -1                                                                              \
		 : read_layers(frame, (w)->record, at_most((w)->caplen, most), (w)->wire_len))

/* `n` as the verifier of an old kernel believes it: from 1 to TAP_FRAME + 1. It is so already; in
 * assembler, or the compiler would see that. */
static __always_inline pkt_u32 bounded(pkt_u32 n)
{
	pkt_u64 less = n - 1;
	__asm__ volatile("%0 &= %1" : "+r"(less) : "i"(TAP_FRAME));
	return (pkt_u32)less + 1;
}

static __always_inline void set_lengths(struct way *w, pkt_u32 len)
{
	w->caplen = tap_plays ? tap_play.caplen : len;
	w->wire_len = tap_plays ? tap_play.wire_len : len;
}

/* Ethernet, and as long as it says: not what is played with other lengths. */
static __always_inline int may_be_usual(pkt_u32 linear, const struct way *w)
{
	return !tap_plays || (tap_play.link == LINK_ETHERNET && w->caplen >= linear);
}

/* --- XDP: what was received --- */

static __always_inline int copy_xdp(struct xdp_md *ctx, struct tap_frame *frame, pkt_u32 n)
{
	return n ? (int)bpf_xdp_load_bytes(ctx, 0, frame->bytes, bounded(n)) : 0;
}

static __always_inline int read_xdp(struct xdp_md *ctx, struct way *w)
{
	const pkt_u8 *data = (const pkt_u8 *)(long)ctx->data;
	const pkt_u8 *end = (const pkt_u8 *)(long)ctx->data_end;
	set_lengths(w, (pkt_u32)bpf_xdp_get_buff_len(ctx));
	w->port = ctx->ingress_ifindex << 1;
	if (may_be_usual((pkt_u32)(end - data), w) && read_usual(w, data, end))
		return 1;
	return READ_ANY(ctx, w, copy_xdp);
}

SEC("xdp.frags")
int tap_received(struct xdp_md *ctx)
{
	struct way w = {0};
	if (open_way(&w) && read_xdp(ctx, &w))
		close_way(&w, time_ns());
	return tap_action;
}

/* What the others are measured against. */
SEC("xdp.frags")
int tap_nothing(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

/* --- TC: what is sent --- */

/* A tag that the NIC shall put in is not in the frame: here it is put where it will be. */
static __always_inline void put_tag(struct tap_frame *frame, pkt_u16 proto, pkt_u16 tci)
{
	pkt_u8 *tag = frame->bytes + 12;
	tci = PARSE_BE16(tci);
	__builtin_memcpy(tag, &proto, 2);
	__builtin_memcpy(tag + 2, &tci, 2);
}

static __always_inline int copy_tagged(struct __sk_buff *skb, struct tap_frame *frame, pkt_u32 n)
{
	if (n < 16 || bpf_skb_load_bytes(skb, 0, frame->bytes, 12))
		return -1;
	put_tag(frame, (pkt_u16)skb->vlan_proto, (pkt_u16)skb->vlan_tci);
	n -= 16;
	return n ? (int)bpf_skb_load_bytes(skb, 12, frame->bytes + 16, bounded(n)) : 0;
}

static __always_inline int copy_skb(struct __sk_buff *skb, struct tap_frame *frame, pkt_u32 n)
{
	if (skb->vlan_present)
		return copy_tagged(skb, frame, n);
	return n ? (int)bpf_skb_load_bytes(skb, 0, frame->bytes, bounded(n)) : 0;
}

static __always_inline int read_skb(struct __sk_buff *skb, struct way *w)
{
	const pkt_u8 *data = (const pkt_u8 *)(long)skb->data;
	const pkt_u8 *end = (const pkt_u8 *)(long)skb->data_end;
	set_lengths(w, skb->len + (skb->vlan_present ? 4 : 0));
	w->port = skb->ifindex << 1 | 1;
	w->ring->retagged += skb->vlan_present ? 1 : 0;
	w->ring->joined += skb->gso_segs > 1;
	if (!skb->vlan_present && may_be_usual(skb->len, w) && read_usual(w, data, end))
		return 1;
	return READ_ANY(skb, w, copy_skb);
}

SEC("tc")
int tap_sent(struct __sk_buff *skb)
{
	struct way w = {0};
	if (open_way(&w) && read_skb(skb, &w))
		close_way(&w, time_ns());
	return TC_ACT_UNSPEC;
}

/* --- the tracepoint before links of TC: what is sent --- */

/* What is needed of the kernel's own. */
struct ns_common {
	unsigned int inum;
} __attribute__((preserve_access_index));

struct net {
	struct ns_common ns;
} __attribute__((preserve_access_index));

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
} __attribute__((preserve_access_index));

struct skb_shared_info {
	unsigned short gso_segs;
} __attribute__((preserve_access_index));

struct sk_buff {
	struct net_device *dev;
	unsigned int len, data_len, end;
	pkt_u8 vlan_present : 1; /* until Linux 6.1 */
	pkt_u16 vlan_proto, vlan_tci;
	unsigned char *head, *data;
} __attribute__((preserve_access_index));

/* The port of a packet, or 0: none of ours. */
static __always_inline pkt_u32 queued_port(const struct sk_buff *skb)
{
	pkt_u32 index = (pkt_u32)skb->dev->ifindex;
	for (int i = 0; i < TAP_MAX_PORTS && tap_ports[i]; i++)
		if (tap_ports[i] == index)
			return skb->dev->nd_net.net->ns.inum == tap_net ? index << 1 | 1 : 0;
	return 0;
}

static __always_inline int is_tagged(const struct sk_buff *skb)
{
	if (bpf_core_field_exists(skb->vlan_present))
		return (int)BPF_CORE_READ_BITFIELD(skb, vlan_present);
	return skb->vlan_proto != 0;
}

static __always_inline int copy_queued(const struct sk_buff *skb, struct tap_frame *frame,
				       pkt_u32 n)
{
	const unsigned char *data = skb->data;
	pkt_u32 to = 0;
	if (is_tagged(skb)) {
		if (n < 16 || bpf_probe_read_kernel(frame->bytes, 12, data))
			return -1;
		put_tag(frame, skb->vlan_proto, skb->vlan_tci);
		data += 12;
		to = 16;
		n -= 16;
	}
	return n ? (int)bpf_probe_read_kernel(frame->bytes + to, bounded(n), data) : 0;
}

static __always_inline int read_queued(const struct sk_buff *skb, struct way *w)
{
	const struct skb_shared_info *shared = (const void *)(skb->head + skb->end);
	int tag = is_tagged(skb) ? 4 : 0;
	set_lengths(w, skb->len + tag);
	w->caplen = skb->len - skb->data_len + tag; /* what lies in one piece */
	w->ring->retagged += tag != 0;
	w->ring->joined += BPF_CORE_READ(shared, gso_segs) > 1;
	return READ_ANY(skb, w, copy_queued);
}

SEC("tp_btf/net_dev_queue")
int tap_queued(pkt_u64 *arguments)
{
	const struct sk_buff *skb = (const struct sk_buff *)arguments[0];
	struct way w = {.port = queued_port(skb)};
	if (w.port && open_way(&w) && read_queued(skb, &w))
		close_way(&w, time_ns());
	return 0;
}
