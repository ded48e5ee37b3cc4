/* SPDX-License-Identifier: BSD-3-Clause */
/* Puts a VLAN tag beside the frame, as for a NIC that will put it in, then goes on in the tap. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "Dual BSD/GPL";

__u16 tag_proto, tag_tci; /* the EtherType in the order of the wire */

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} tap SEC(".maps");

SEC("tc")
int tagger(struct __sk_buff *skb)
{
	if (!bpf_skb_vlan_push(skb, tag_proto, tag_tci))
		bpf_tail_call(skb, &tap, 0);
	return TC_ACT_SHOT;
}
