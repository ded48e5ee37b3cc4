# SPDX-License-Identifier: BSD-3-Clause
"""The judges' own eyes: a reader and a writer for classic pcap, and a decoder for the frames
of the lab (Ethernet, VLAN tags, PPPoE, LCP, IPv4 and IPv6, TCP).

It shares no code with rasad, and is plain rather than complete: little-endian-or-not, µs or ns,
Ethernet only, no pcapng.  What it does not know it leaves as None.
"""

import ipaddress
import struct

MAGIC = {b"\xd4\xc3\xb2\xa1": ("<", 1000), b"\xa1\xb2\xc3\xd4": (">", 1000),
         b"\x4d\x3c\xb2\xa1": ("<", 1), b"\xa1\xb2\x3c\x4d": (">", 1)}
ETHERNET = 1

VLAN_TPIDS = (0x8100, 0x88A8, 0x9100, 0x9200)
PPPOE_DISCOVERY, PPPOE_SESSION = 0x8863, 0x8864
PPP_TO_ETHERTYPE = {0x0021: 0x0800, 0x0057: 0x86DD}
PPP_LCP = 0xC021

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10


def packets(path):
    """Yield (unix_ns, wire_length, frame) of a pcap file."""
    data = path.read_bytes()
    order, tick_ns = MAGIC[data[:4]]
    offset = 24
    while offset + 16 <= len(data):
        sec, tick, caplen, length = struct.unpack_from(order + "4I", data, offset)
        offset += 16
        yield sec * 10**9 + tick * tick_ns, length, data[offset:offset + caplen]
        offset += caplen


def write(path, rows):
    """Write (unix_ns, wire_length, frame) rows as a nanosecond pcap."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, ETHERNET))
        for unix_ns, length, frame in rows:
            out.write(struct.pack("<4I", unix_ns // 10**9, unix_ns % 10**9, len(frame), length))
            out.write(frame)


class Frame:
    """One decoded frame.  Fields that the frame does not have are None."""

    __slots__ = ("unix_ns", "src", "dst", "vlans", "sid", "pppoe_code", "lcp_code", "lcp_id",
                 "ip_src", "ip_dst", "tcp")

    def __init__(self, unix_ns, frame):
        self.unix_ns = unix_ns
        self.vlans, self.sid, self.pppoe_code = (), None, None
        self.lcp_code = self.lcp_id = self.ip_src = self.ip_dst = self.tcp = None
        self.dst, self.src = frame[:6].hex(":"), frame[6:12].hex(":")
        self._ethernet(frame)

    def _ethernet(self, frame):
        offset, ethertype = 14, int.from_bytes(frame[12:14], "big")
        vlans = []
        while ethertype in VLAN_TPIDS:
            tci, ethertype = struct.unpack_from(">HH", frame, offset)
            vlans.append(tci & 0xFFF)
            offset += 4
        self.vlans = tuple(vlans)
        if ethertype in (PPPOE_DISCOVERY, PPPOE_SESSION):
            self.pppoe_code, self.sid = struct.unpack_from(">BH", frame, offset + 1)
            offset += 6
            if ethertype == PPPOE_DISCOVERY:
                return
            protocol = int.from_bytes(frame[offset:offset + 2], "big")
            offset += 2
            if protocol == PPP_LCP:
                self.lcp_code, self.lcp_id = frame[offset], frame[offset + 1]
            ethertype = PPP_TO_ETHERTYPE.get(protocol)
        if ethertype == 0x0800:
            self._ipv4(frame, offset)
        elif ethertype == 0x86DD:
            self._ipv6(frame, offset)

    def _ipv4(self, frame, offset):
        header = (frame[offset] & 15) * 4
        total, protocol = int.from_bytes(frame[offset + 2:offset + 4], "big"), frame[offset + 9]
        self.ip_src, self.ip_dst = frame[offset + 12:offset + 16], frame[offset + 16:offset + 20]
        if protocol == 6:
            self.tcp = Tcp(frame, offset + header, total - header)

    def _ipv6(self, frame, offset):
        length, protocol = struct.unpack_from(">HB", frame, offset + 4)
        self.ip_src, self.ip_dst = frame[offset + 8:offset + 24], frame[offset + 24:offset + 40]
        if protocol == 6:
            self.tcp = Tcp(frame, offset + 40, length)


class Tcp:
    __slots__ = ("sport", "dport", "seq", "ack", "flags", "payload", "sacks")

    def __init__(self, frame, offset, length):
        self.sport, self.dport, self.seq, self.ack, size, self.flags = \
            struct.unpack_from(">HHIIBB", frame, offset)
        header = (size >> 4) * 4
        self.payload = length - header
        self.sacks = list(_sack_blocks(frame[offset + 20:offset + header]))


def _sack_blocks(options):
    at = 0
    while at < len(options) and options[at] != 0:
        if options[at] == 1:
            at += 1
            continue
        size = options[at + 1] if at + 1 < len(options) else 0
        if size < 2:
            return
        if options[at] == 5:
            for block in range(at + 2, min(at + size, len(options)) - 7, 8):
                yield struct.unpack_from(">II", options, block)
        at += size


def address(raw):
    return str(ipaddress.ip_address(raw))
