# SPDX-License-Identifier: BSD-3-Clause
"""What a plain reading of a lab's access.pcap says about each line, independently of rasad:
when each session was last heard from upstream, how long LCP echoes took, which TCP flows
there were, and which of their data passed the tap twice.

truth.json says how many frames tc dropped on a line, pings, echoes and pure ACKs included.
Which of them were TCP data can only be seen at the tap: a copy of data that passed before is
one loss after the tap, unless the receiver says (DSACK, or an ACK that passed before the copy)
that it had the first one.
"""

import collections

import capture

LCP_ECHO_REQUEST, LCP_ECHO_REPLY = 9, 10
PADS = 0x65


class Direction:
    """One direction of a TCP flow as it passed the tap."""

    def __init__(self):
        self.first_seq = None
        self.covered = []           # disjoint [start, end), ascending, relative to first_seq
        self.acked = 0              # highest ACK of the other side
        self.data_packets = self.resent = self.spurious = self.hole_fills = 0

    def relative(self, seq):
        if self.first_seq is None:
            self.first_seq = seq
        return (seq - self.first_seq + 2**31) % 2**32 - 2**31

    def data(self, seq, length):
        start = self.relative(seq)
        end = start + length
        self.data_packets += 1
        if any(a <= start and end <= b for a, b in self.covered):
            self._again(end, length)
        else:
            if self.covered and start < self.covered[-1][1]:
                self.hole_fills += 1
            self._cover(start, end)

    def _again(self, end, length):
        if length == 1:
            return                  # a keepalive or a window probe is no resend
        self.resent += 1
        self.spurious += end <= self.acked

    def _cover(self, start, end):
        apart = [r for r in self.covered if r[1] < start or end < r[0]]
        touching = [r for r in self.covered if not (r[1] < start or end < r[0])]
        start = min([start] + [r[0] for r in touching])
        end = max([end] + [r[1] for r in touching])
        self.covered = sorted(apart + [(start, end)])

    def ack(self, ack, sacks):
        if self.first_seq is None:
            return
        at = self.relative(ack)
        if sacks and self.relative(sacks[0][1]) <= at:
            self.spurious += 1      # DSACK: this data came twice
        self.acked = max(self.acked, at)

    @property
    def lost_after_tap(self):
        return max(0, self.resent - self.spurious)


class Flow:
    def __init__(self, unix_ns):
        self.first_ns = self.last_ns = unix_ns
        self.down, self.up = Direction(), Direction()


class Line:
    def __init__(self):
        self.last_upstream_ns = {}                  # by PPPoE session id
        self.pads = set()
        self.echo_rtt_us = []
        self.flows = {}                             # (client, port, server, port)
        self._echo_sent_ns = {}

    def lost_access_down(self):
        return sum(flow.down.lost_after_tap for flow in self.flows.values())

    def add(self, frame, upstream):
        if frame.pppoe_code == PADS:
            self.pads.add(frame.sid)
        if upstream and frame.pppoe_code == 0:
            self.last_upstream_ns[frame.sid] = frame.unix_ns
        if frame.lcp_code == LCP_ECHO_REQUEST and not upstream:
            self._echo_sent_ns[frame.sid, frame.lcp_id] = frame.unix_ns
        if frame.lcp_code == LCP_ECHO_REPLY and upstream:
            sent = self._echo_sent_ns.pop((frame.sid, frame.lcp_id), None)
            if sent is not None:
                self.echo_rtt_us.append((frame.unix_ns - sent) / 1000)
        if frame.tcp:
            self._tcp(frame, frame.tcp, upstream)

    def _tcp(self, frame, tcp, upstream):
        near, far = (frame.ip_src, tcp.sport), (frame.ip_dst, tcp.dport)
        if not upstream:
            near, far = far, near
        key = (capture.address(near[0]), near[1], capture.address(far[0]), far[1])
        flow = self.flows.setdefault(key, Flow(frame.unix_ns))
        flow.last_ns = frame.unix_ns
        mine, other = (flow.up, flow.down) if upstream else (flow.down, flow.up)
        if tcp.payload > 0:
            mine.data(tcp.seq, tcp.payload)
        if tcp.flags & capture.ACK:
            other.ack(tcp.ack, tcp.sacks)


def read(path, bras_mac):
    """The lines of an access.pcap by (S-VLAN, C-VLAN)."""
    lines = collections.defaultdict(Line)
    for unix_ns, _, raw in capture.packets(path):
        frame = capture.Frame(unix_ns, raw)
        if len(frame.vlans) == 2:
            lines[frame.vlans].add(frame, upstream=frame.src != bras_mac)
    return lines
