# SPDX-License-Identifier: BSD-3-Clause
"""The table of the TCP micro captures and their variants: direction, IP version, timestamps.

01 loss after the tap, 02 loss before it, 03 reordering, 04 spurious resends, 05 mirror copies, 06 keepalive,
07 zero-window probes, 08 delayed ACK, 09 sequence wrap, 10 timestamp wrap, 11 Karn, 12 super-segments,
13 SYN resend, 14 head of line wait, 15 tail loss, 16 stretch ACK, 17 mid-stream, 18 one direction,
19 padding, 20 extension headers, 22 odd resends.  21, the QUIC spin bit, is in micro_quic.py.
"""

from dataclasses import dataclass, field

import micro_cases as cases
from micro_talk import DESTINATION, FRAGMENT, HOP_BY_HOP, Talk


@dataclass
class Case:
    id: str
    title: str
    write: object
    ways: tuple = ("down", "up")
    families: tuple = (4, 6)
    stamps: tuple = (True, False)
    without: tuple = ()                         # (family, ts) pairs that cannot tell
    options: dict = field(default_factory=dict)

    def variants(self):
        for way in self.ways:
            for family in self.families:
                for ts in self.stamps:
                    if (family, ts) not in self.without:
                        name = f"{self.id}/{way}/v{family}/{'ts' if ts else 'nots'}"
                        yield name, way, family, ts


V4, V6, TS, NO_TS, DOWN, UP = (4,), (6,), (True,), (False,), ("down",), ("up",)
WRAP, TS_WRAP = dict(wrap=True), dict(ts_base=2**32 - 103)
PAD4 = b"\x01\x02\0\0"                          # PadN with two bytes of data
ROUTER_ALERT = b"\x94\x04\0\0"
V6_OPTIONS = dict(extensions=((HOP_BY_HOP, b"\0\0\x05\x02\0\0\x01\0"),
                              (DESTINATION, b"\0\x01" + PAD4 * 3 + b"\x01\0")))
V6_FRAGMENT = dict(extensions=((FRAGMENT, b"\0\0\0\0\x12\x34\x56\x78"),))

CASES = [
    Case("01a", "loss after the tap, fast retransmit", cases.loss_after_tap),
    Case("01b", "... without SACK", cases.loss_after_tap, options=dict(sack=False)),
    Case("02a", "loss before the tap, fast retransmit", cases.loss_before_tap),
    Case("02b", "... without SACK", cases.loss_before_tap, options=dict(sack=False)),
    Case("02c", "250 holes before the tap", cases.many_holes),
    Case("03a", "reordering before the tap, 2.5 ms", cases.reorder_short),
    Case("03b", "reordering before the tap, 60 ms", cases.reorder_late, without=((6, False),)),
    Case("03c", "reordering that provokes a spurious resend", cases.reorder_then_spurious),
    Case("04a", "spurious, ACK lost after the tap", cases.spurious_ack_lost_after_tap),
    Case("04b", "... without SACK", cases.spurious_ack_lost_after_tap, options=dict(sack=False)),
    Case("04c", "spurious, ACK lost before the tap, DSACK", cases.spurious_dsack),
    Case("05a", "mirror copies, 20 us later", cases.mirror_copies_at_once),
    Case("05b", "mirror copies, 1.5 ms later", cases.mirror_copies_interleaved),
    Case("05c", "mirror copies of a routed port", cases.mirror_copies_routed),
    Case("05d", "mirror copies of everything", cases.mirror_everything),
    Case("05e", "mirror copy of a resend", cases.mirrored_resend),
    Case("06a", "keepalive", cases.keepalive),
    Case("06b", "... without SACK", cases.keepalive, options=dict(sack=False)),
    Case("07a", "zero-window probe, empty at nxt-1", cases.zero_window_probe_old_byte),
    Case("07b", "zero-window probe, one byte at nxt", cases.zero_window_probe_new_byte),
    Case("08a", "delayed ACK", cases.delayed_ack),
    Case("08b", "delayed ACK among prompt ones", cases.delayed_ack_mixed),
    Case("09a", "sequence wrap", cases.clean, options=WRAP),
    Case("09b", "sequence wrap in a resend after the tap", cases.loss_after_tap, options=WRAP),
    Case("09c", "sequence wrap in a hole before the tap", cases.loss_before_tap, options=WRAP),
    Case("10a", "timestamp wrap", cases.clean, stamps=TS, options=TS_WRAP),
    Case("10b", "timestamp wrap between overtaken and overtaker",
         cases.reorder_late, stamps=TS, options=TS_WRAP),
    Case("10c", "timestamp wrap at a hole", cases.loss_before_tap, stamps=TS, options=TS_WRAP),
    Case("11a", "Karn, resend of the newest segment", cases.karn),
    Case("11b", "Karn, resend of the newest two", cases.karn_pair),
    Case("12a", "super-segments, ACKs inside and at the end", cases.super_segments),
    Case("12b", "super-segments, ACKs inside only", cases.super_segments_never_whole),
    Case("12c", "super-segment fills a hole", cases.super_segment_fills_hole),
    Case("13a", "SYN resend", cases.syn_resend, ways=DOWN),
    Case("13b", "SYN-ACK resend", cases.syn_ack_resend, ways=DOWN),
    Case("13c", "FIN resend", cases.fin_resend),
    Case("14a", "head of line wait, loss after the tap", cases.head_of_line_after_tap),
    Case("14b", "head of line wait, loss before the tap", cases.head_of_line_before_tap),
    Case("14c", "head of line wait, partial ACKs", cases.head_of_line_partial),
    Case("15a", "tail loss before the tap", cases.tail_loss, families=V4),
    Case("15b", "tail loss before the tap, old TSval", cases.tail_loss_old_clock, families=V6, stamps=TS),
    Case("15c", "control: a pause", cases.pause),
    Case("15d", "control: a pause with a request in it", cases.pause_with_request),
    Case("16a", "stretch ACK of an ACK filter", cases.stretch_ack),
    Case("16b", "stretch ACK of the receiver", cases.stretch_ack_coalesced),
    Case("17a", "joined mid-stream", cases.midstream),
    Case("17b", "joined mid-stream, loss after the tap", cases.midstream_loss_after_tap),
    Case("17c", "joined mid-stream, loss before the tap", cases.midstream_loss_before_tap),
    Case("18a", "only the data seen, loss after the tap", cases.only_data_seen_loss_after_tap),
    Case("18b", "only the data seen, loss before the tap", cases.only_data_seen_loss_before_tap),
    Case("18c", "only the ACKs seen", cases.only_acks_seen),
    Case("19a", "no timestamps, padded frames", cases.clean, stamps=NO_TS, options=dict(pad=True)),
    Case("19b", "no timestamps, padded frames, loss",
         cases.loss_after_tap, stamps=NO_TS, options=dict(pad=True)),
    Case("20a", "IPv6 hop-by-hop and destination options",
         cases.loss_before_tap, families=V6, options=V6_OPTIONS),
    Case("20b", "IPv6 atomic fragments", cases.loss_after_tap, families=V6, options=V6_FRAGMENT),
    Case("20c", "IPv4 options", cases.loss_after_tap, families=V4, options=dict(ip_options=ROUTER_ALERT)),
    Case("22a", "resend with other boundaries", cases.resend_merged),
    Case("22b", "resend that carries new data", cases.resend_with_new_data),
    Case("22c", "loss on both sides of the tap", cases.lost_on_both_sides),
    Case("22d", "lost before and then after the tap", cases.lost_twice),
    Case("22e", "go-back-N over SACKed data", cases.go_back_n),
    Case("22f", "fast open refused", cases.fast_open_refused, ways=DOWN),
]


def tcp_talks():
    """Every variant of every TCP case: (name, title, Talk, Expect); each has its own client port."""
    port = 20000
    for case in CASES:
        for name, way, family, ts in case.variants():
            port += 1
            talk = Talk(way, family, ts, port=port, **case.options)
            yield name, case.title, talk, case.write(talk)
