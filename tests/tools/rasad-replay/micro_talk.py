# SPDX-License-Identifier: BSD-3-Clause
"""One conversation between a subscriber and a server as a tap between them sees it, packet by packet.

    subscriber ----- 5 ms ----- TAP --------- 20 ms --------- server

The writer says when each packet passes the tap and what becomes of it; sequence numbers, options, IP-IDs,
timestamp echoes and checksums follow.  The vocabulary is told from the side of the data: `tx` sends it,
`rx` receives it, R is the round trip tap-rx-tap and S the one tap-tx-tap, positions count blocks of an MSS.

Limits: no congestion control and no queues; the times given are the truth.
Definitions: RFC 9293, 7323 (timestamps), 2018/2883 (SACK, DSACK), 8200 (extension headers).
"""

import random
import struct
from dataclasses import dataclass, field
from ipaddress import ip_address

CPE_MAC, AC_MAC = bytes.fromhex("025a0001010b"), bytes.fromhex("020000000001")
EPOCH_US = 1_700_000_000_000_000
ACCESS_MS, INTERNET_MS = 10.0, 40.0

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
TCP, UDP, HOP_BY_HOP, FRAGMENT, DESTINATION = 6, 17, 0, 44, 60

# What becomes of a packet; every one takes an IP-ID at its sender.
DELIVERED, LOST_BEFORE_TAP, LOST_AFTER_TAP = range(3)

PAYLOAD = random.Random(1).randbytes(65521)     # a prime period: no two blocks are alike
U32 = 0xFFFFFFFF


# --- frames -------------------------------------------------------------------------------------------

def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def transport(src, dst, protocol, header, checksum_at, payload):
    """A transport segment with its checksum over the pseudo header filled in."""
    length = len(header) + len(payload)
    if len(src) == 4:
        pseudo = src + dst + struct.pack("!BBH", 0, protocol, length)
    else:
        pseudo = src + dst + struct.pack("!IxxxB", length, protocol)
    value = checksum(pseudo + header + payload) or (0xFFFF if protocol == UDP else 0)
    return header[:checksum_at] + struct.pack("!H", value) + header[checksum_at + 2:] + payload


def ipv4(src, dst, protocol, body, ip_id, ttl, options=b""):
    header = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(options) + len(body),
                         ip_id, 0x4000, ttl, protocol, 0) + src + dst + options
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + body


def ipv6(src, dst, protocol, body, hop_limit, extensions=()):
    """extensions: (type, bytes) in order; the first byte of each is set to the type of the next."""
    types = [kind for kind, _ in extensions] + [protocol]
    chain = b"".join(bytes([after]) + data[1:] for (_, data), after in zip(extensions, types[1:]))
    return struct.pack("!IHBB", 0x6000_0000, len(chain) + len(body), types[0], hop_limit) \
        + src + dst + chain + body


# --- one TCP conversation -----------------------------------------------------------------------------

@dataclass
class Segment:
    t_us: int                   # passes the tap
    side: "Side"
    at: int                     # offset in the sender's stream; its first data byte is 0, its SYN -1
    length: int
    flags: int
    ack: int                    # offset in the peer's stream
    window: int = 512           # in units of 128 bytes, as scaled
    sack: tuple = ()            # (left, right) offsets in the peer's stream; a DSACK comes first
    fate: int = DELIVERED
    sent_us: int = None         # nominal tap time at which it left; earlier than t_us when overtaken
    clock_us: int = None        # what its TSval says, if not sent_us
    copy_us: int = None         # the mirror port repeats it so much later
    copy_ttl: int = 0           # ... after that many hops
    garbage: bool = False       # the byte of a keepalive
    options: bytes = b""
    ip_id: int = 0
    tsecr: int = 0

    def tsval(self):
        clock_us = self.sent_us if self.clock_us is None else self.clock_us
        return (self.side.talk.ts_base + clock_us // 1000) & U32


class Side:
    """One end of a conversation; the case calls send() with the times at which packets pass the tap."""

    def __init__(self, talk, address, port, mac, rtt_ms, iss):
        self.talk, self.address, self.port, self.mac = talk, ip_address(address).packed, port, mac
        self.rtt_us, self.iss = round(rtt_ms * 1000), iss
        self.nxt = self.acked = 0

    def send(self, t, at=None, length=0, ack=None, flags=ACK, **more):
        """One packet at t ms; by default a pure ACK that repeats the last acknowledgement."""
        at = self.nxt if at is None else at
        self.acked = self.acked if ack is None else ack
        self.nxt = max(self.nxt, at + length)
        for name in ("sent", "clock", "copy"):
            if name in more:
                more[name + "_us"] = round(more.pop(name) * 1000)
        t_us = round(t * 1000)
        more.setdefault("sent_us", t_us)
        self.talk.segments.append(Segment(t_us, self, at, length, flags, self.acked, **more))
        return t

    def stamp(self):
        """Fills in IP-ID and TSecr, in the order in which this side sent and heard (RFC 7323, 4.3)."""
        one_way = self.rtt_us // 2
        heard = [(s.t_us + one_way, 0, s) for s in self.talk.segments
                 if s.side is not self and s.fate == DELIVERED]
        said = [(s.sent_us - one_way, 1, s) for s in self.talk.segments if s.side is self]
        recent, last_ack, ip_id = None, -1, 4711
        for _, sending, s in sorted(heard + said, key=lambda event: event[:2]):
            if sending:
                s.tsecr, s.ip_id, ip_id, last_ack = recent or 0, ip_id, ip_id + 1, s.ack
            elif s.at <= last_ack and (recent is None or (s.tsval() - recent) & U32 < 1 << 31):
                recent = s.tsval()


class Talk:
    """A subscriber's connection to a server, told from the side of the data (see the top)."""

    def __init__(self, data="down", family=4, ts=True, sack=True, port=40000, wrap=False,
                 ts_base=1_000_000, pad=False, extensions=(), ip_options=b""):
        self.family, self.ts, self.sack, self.ts_base, self.data_way = family, ts, sack, ts_base, data
        self.pad, self.extensions, self.ip_options = pad, extensions, ip_options
        self.segments, self.hidden = [], None
        mine, theirs = ("10.1.2.3", "203.0.113.80") if family == 4 else ("fd00:1:2::3", "2001:db8:80::80")
        self.subscriber = Side(self, mine, port, CPE_MAC, ACCESS_MS, 0x11223344)
        self.server = Side(self, theirs, 443, AC_MAC, INTERNET_MS, 0x55667788)
        down = data == "down"
        self.tx, self.rx = (self.server, self.subscriber) if down else (self.subscriber, self.server)
        self.R, self.S = self.rx.rtt_us / 1000, self.tx.rtt_us / 1000
        self.mss_option = 1460 if family == 4 else 1440
        self.mss = self.mss_option - 12 * ts - sum(len(data) for _, data in extensions) - len(ip_options)
        if wrap:                        # block 2 crosses 2^32; the other side's first byte is 0
            self.tx.iss = -(2 * self.mss + 700) & U32
            self.rx.iss = U32

    # the vocabulary of the cases; times in ms, positions in blocks

    def syn(self, t, **more):
        self.subscriber.send(t, -1, flags=SYN, ack=0, **more)

    def syn_ack(self, t, **more):
        self.server.send(t, -1, flags=SYN | ACK, ack=0, **more)

    def open(self, t=0.0, **more):
        self.syn(t, **more)
        self.syn_ack(t + INTERNET_MS, **more)
        self.subscriber.send(t + INTERNET_MS + ACCESS_MS, **more)

    def data(self, t, block, count=1, **more):
        """One packet of count blocks."""
        return self.tx.send(t, block * self.mss, count * self.mss, flags=ACK | PSH, **more)

    def ack(self, t, block, sack=(), **more):
        edges = tuple((left * self.mss, right * self.mss) for left, right in sack) if self.sack else ()
        return self.rx.send(t, ack=block * self.mss, sack=edges, **more)

    def burst(self, t, first, count, step=1.0, before=(), after=(), **more):
        """count single-block packets, of which those in `before` and `after` are lost; block -> time."""
        for k in range(count):
            block = first + k
            fate = LOST_BEFORE_TAP if block in before else LOST_AFTER_TAP if block in after else DELIVERED
            self.data(t + k * step, block, fate=fate, **more)
        return {first + k: t + k * step for k in range(count)}

    def transfer(self, t, first, count, step=1.0, **more):
        """A clean burst; the receiver acknowledges every second block at once.  count is even."""
        times = self.burst(t, first, count, step, **more)
        for block in range(first + 1, first + count, 2):
            self.ack(times[block] + self.R, block + 1, **more)
        return t + (count - 1) * step + self.R

    def dup_acks(self, hole, times):
        """The duplicate ACKs for everything of `times` above the hole, each with its SACK edge."""
        for block, t in times.items():
            if block > hole:
                self.ack(t + self.R, hole, sack=[(hole + 1, block + 1)])

    # the capture

    def seen(self, side):
        return [s for s in self.segments
                if s.side is side and s.fate != LOST_BEFORE_TAP and side is not self.hidden]

    def tcp_options(self, s):
        if s.flags & SYN:
            stamps = struct.pack("!BBII", 8, 10, s.tsval(), s.tsecr) if self.ts else b""
            permitted = b"\x04\x02" if self.sack else b"\x01\x01"
            out = struct.pack("!BBH", 2, 4, self.mss_option) + permitted + stamps + b"\x03\x03\x07"
        else:
            out = struct.pack("!BBBBII", 1, 1, 8, 10, s.tsval(), s.tsecr) if self.ts else b""
            if s.sack:
                peer = self.rx if s.side is self.tx else self.tx
                edges = [(peer.iss + 1 + edge) & U32 for block in s.sack for edge in block]
                out += struct.pack(f"!BBBB{len(edges)}I", 1, 1, 5, 2 + 4 * len(edges), *edges)
        out += s.options
        return out + b"\x01" * (-len(out) % 4)

    def frame(self, s, hops=0):
        peer = self.rx if s.side is self.tx else self.tx
        options = self.tcp_options(s)
        seq = (s.side.iss + 1 + s.at) & U32
        ack = (peer.iss + 1 + s.ack) & U32 if s.flags & ACK else 0
        window = s.window if not s.flags & SYN else 65535
        header = struct.pack("!HHIIBBHHH", s.side.port, peer.port, seq, ack,
                             (20 + len(options)) // 4 << 4, s.flags, window, 0, 0) + options
        start = max(s.at, 0) % len(PAYLOAD)         # a SYN's data begins behind it
        payload = b"\0" * s.length if s.garbage else (PAYLOAD * 2)[start:start + s.length]
        body = transport(s.side.address, peer.address, TCP, header, 16, payload)
        ttl = (64 if s.side is self.subscriber else 57) - hops
        if self.family == 4:
            ip = ipv4(s.side.address, peer.address, TCP, body, s.ip_id, ttl, self.ip_options)
        else:
            ip = ipv6(s.side.address, peer.address, TCP, body, ttl, self.extensions)
        frame = peer.mac + s.side.mac + (b"\x08\x00" if self.family == 4 else b"\x86\xdd") + ip
        return frame.ljust(60, b"\0") + b"\xde\xad\xbe\xef" * (self.family == 6) if self.pad else frame

    def records(self, offset_us=0):
        """(time in microseconds, frame) of every packet that passes the tap, in time order."""
        for side in (self.subscriber, self.server):
            side.stamp()
        out = []
        for s in self.seen(self.subscriber) + self.seen(self.server):
            t_us = EPOCH_US + offset_us + s.t_us
            out.append((t_us, self.frame(s)))
            if s.copy_us is not None:
                out.append((t_us + s.copy_us, self.frame(s, s.copy_ttl)))
        return sorted(out, key=lambda record: record[0])


# --- what a perfect meter reads -----------------------------------------------------------------------

@dataclass
class Rtt:
    """A half of the round trip: every published number lies in [ms, ms + slack], n in [low, high]."""
    ms: float
    low: int = 1
    high: int = 1 << 30
    slack: float = 0.0


@dataclass
class Expect:
    """Counters of the data (tx) and the ACK direction (rx): those not named are 0, a pair is a range."""
    tx: dict = field(default_factory=dict)
    rx: dict = field(default_factory=dict)
    near: Rtt = None            # None: nothing was measurable, the object is absent
    far: Rtt = None
    host_delay_ms: float = None
    counted: bool = True        # packets and data_packets are those of the capture


def expect(c, near, tx=None, rx=None, far=(1, 1), **more):
    """near and far as (lowest, highest) number of samples, or None."""
    def half(ms, n):
        return Rtt(ms, *n) if n else None
    rx = dict(rx or {})
    if c.family == 6 and not c.ts:      # repeated pure ACKs are equal to the last bit: a copy cannot be told
        rx.setdefault("duplicate", (0, sum(1 for s in c.seen(c.rx) if not s.length)))
    return Expect(tx or {}, rx, half(c.R, near), half(c.S, far), **more)
