#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Puts a plain Ethernet capture into other clothes: VLAN tags, PPPoE, MPLS and the other link types.

The inner IP packets and their times stay as they are, so whatever a meter reads from the plain capture
it must read from each of these too.  PPPoE kinds begin with a discovery (PADI to PADS, TR-101 circuit-id
in the upstream half), from which the concentrator's MAC address can be learned.

    wrap.py KIND PLAIN.pcap OUT.pcap        wrap.py --list

Limits: microsecond pcap in either byte order, Ethernet, untagged IPv4 and IPv6, one CPE per capture.
Sources: IEEE 802.1Q/802.1ad, RFC 2516, RFC 1661/1662, RFC 3032, TR-101, tcpdump.org/linktypes.
"""

import struct
import sys
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

ETHERNET, NULL, PPP, PPP_HDLC, RAW, SLL, SLL2 = 1, 0, 9, 50, 101, 113, 276

IPV4, IPV6 = 0x0800, 0x86DD
PPP_PROTOCOL = {IPV4: 0x0021, IPV6: 0x0057}
SVLAN, CVLAN, SESSION_ID = 101, 11, 0x1234
CIRCUIT_ID = "DSLAM-101 eth 0/1/1:11"

PRIVATE = [ip_network(n) for n in
           ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]


# --- capture files: a record is (time in microseconds, frame) ---------------------------------------

def write_pcap(path, linktype, records):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, linktype))
        for t_us, frame in records:
            out.write(struct.pack("<IIII", t_us // 1000000, t_us % 1000000, len(frame), len(frame)))
            out.write(frame)


def read_pcap(path):
    with open(path, "rb") as file:
        data = file.read()
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">"}.get(data[:4])
    if order is None:
        raise ValueError(f"{path}: not a microsecond pcap file")
    linktype = struct.unpack_from(order + "I", data, 20)[0]
    records, at = [], 24
    while at + 16 <= len(data):
        s, us, length, _ = struct.unpack_from(order + "IIII", data, at)
        records.append((s * 1000000 + us, data[at + 16:at + 16 + length]))
        at += 16 + length
    return linktype, records


# --- the packet inside --------------------------------------------------------------------------------

@dataclass
class Inner:
    dst: bytes
    src: bytes
    ethertype: int
    ip: bytes
    trailer: bytes      # what follows the 60 bytes an Ethernet frame is padded to: an FCS


def unwrap(frame):
    ethertype = struct.unpack_from("!H", frame, 12)[0]
    if ethertype == IPV4:
        length = struct.unpack_from("!H", frame, 16)[0]
    elif ethertype == IPV6:
        length = 40 + struct.unpack_from("!H", frame, 18)[0]
    else:
        raise ValueError(f"ethertype 0x{ethertype:04x}: expected untagged IPv4 or IPv6")
    return Inner(frame[:6], frame[6:12], ethertype, frame[14:14 + length],
                 frame[max(14 + length, 60):])


def from_private(p):
    source = ip_address(p.ip[12:16] if p.ethertype == IPV4 else p.ip[8:24])
    return any(source in net for net in PRIVATE if net.version == source.version)


# --- Ethernet and what it carries ---------------------------------------------------------------------

def ethernet(dst, src, tags, ethertype, payload):
    header = dst + src + b"".join(struct.pack("!HH", tpid, vid) for tpid, vid in tags)
    return (header + struct.pack("!H", ethertype) + payload).ljust(60, b"\0")


def plain_ip(p):
    return p.ethertype, p.ip


def mpls(p):
    labels = struct.pack("!II", 16001 << 12 | 62, 24007 << 12 | 1 << 8 | 62)
    return 0x8847, labels + p.ip


def pppoe(p, compressed=False):
    ppp = struct.pack("!B" if compressed else "!H", PPP_PROTOCOL[p.ethertype]) + p.ip
    return 0x8864, struct.pack("!BBHH", 0x11, 0, SESSION_ID, len(ppp)) + ppp


def pppoe_pfc(p):
    return pppoe(p, compressed=True)


def discovery(cpe, ac, tags, t_us):
    """PADI, PADO, PADR, PADS in the half second before t_us."""
    def tag(kind, value):
        return struct.pack("!HH", kind, len(value)) + value
    name, uniq = tag(0x0101, b""), tag(0x0103, b"\x00\x00\x00\x2a")
    acn, cookie = tag(0x0102, b"BRAS-1"), tag(0x0104, b"0123456789abcdef")
    circuit = CIRCUIT_ID.encode()
    line = tag(0x0105, struct.pack("!IBB", 3561, 1, len(circuit)) + circuit)
    for step, (dst, src, code, session, body) in enumerate((
            (b"\xff" * 6, cpe, 0x09, 0, name + uniq + line),
            (cpe, ac, 0x07, 0, acn + name + uniq + cookie),
            (ac, cpe, 0x19, 0, name + uniq + cookie + line),
            (cpe, ac, 0x65, SESSION_ID, acn + name + uniq))):
        header = struct.pack("!BBHH", 0x11, code, session, len(body))
        yield t_us - 500000 + step * 10000, ethernet(dst, src, tags, 0x8863, header + body)


# --- the other link types: no Ethernet, so no trailer either ------------------------------------------

def sll(p):
    kind = 4 if from_private(p) else 0
    return struct.pack("!HHH6sxxH", kind, 1, 6, p.src, p.ethertype) + p.ip


def sll2(p):
    kind = 4 if from_private(p) else 0
    return struct.pack("!HxxIHBB6sxx", p.ethertype, 2, 1, kind, 6, p.src) + p.ip


def raw(p):
    return p.ip


def null(p):
    return struct.pack("<I", 2 if p.ethertype == IPV4 else 30) + p.ip


def ppp(p):
    return struct.pack("!H", PPP_PROTOCOL[p.ethertype]) + p.ip


def ppp_hdlc(p):
    return b"\xff\x03" + ppp(p)


QINQ = ((0x88A8, SVLAN), (0x8100, CVLAN))

ETHERNET_KINDS = {      # name: (tags, what follows them)
    "plain": ((), plain_ip),
    "dot1q": (((0x8100, CVLAN),), plain_ip),
    "qinq": (QINQ, plain_ip),
    "qinq-9100": (((0x9100, SVLAN), (0x8100, CVLAN)), plain_ip),
    "three-tags": (((0x88A8, 7), (0x8100, SVLAN), (0x8100, CVLAN)), plain_ip),
    "mpls": ((), mpls),
    "pppoe": ((), pppoe),
    "pppoe-pfc": ((), pppoe_pfc),
    "qinq-pppoe": (QINQ, pppoe),
}
OTHER_KINDS = {         # name: (link type, frame)
    "sll": (SLL, sll),
    "sll2": (SLL2, sll2),
    "raw": (RAW, raw),
    "null": (NULL, null),
    "ppp": (PPP, ppp),
    "ppp-hdlc": (PPP_HDLC, ppp_hdlc),
}
KINDS = [*ETHERNET_KINDS, *OTHER_KINDS]


def wrap(kind, records):
    """Re-encapsulates plain Ethernet records; returns (link type, records)."""
    packets = [(t_us, unwrap(frame)) for t_us, frame in records]
    if kind in OTHER_KINDS:
        linktype, build = OTHER_KINDS[kind]
        return linktype, [(t_us, build(p)) for t_us, p in packets]
    tags, carry = ETHERNET_KINDS[kind]
    out = []
    if carry in (pppoe, pppoe_pfc):
        first = next(p for _, p in packets)
        cpe, ac = (first.src, first.dst) if from_private(first) else (first.dst, first.src)
        out += discovery(cpe, ac, tags, packets[0][0])
    for t_us, p in packets:
        ethertype, payload = carry(p)
        out.append((t_us, ethernet(p.dst, p.src, tags, ethertype, payload + p.trailer)))
    return ETHERNET, out


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(KINDS))
        return 0
    if len(sys.argv) != 4 or sys.argv[1] not in KINDS:
        print("usage: wrap.py KIND PLAIN.pcap OUT.pcap | --list", file=sys.stderr)
        return 2
    linktype, records = read_pcap(sys.argv[2])
    if linktype != ETHERNET:
        print(f"{sys.argv[2]}: link type {linktype}, expected 1 (Ethernet)", file=sys.stderr)
        return 1
    write_pcap(sys.argv[3], *wrap(sys.argv[1], records))
    return 0


if __name__ == "__main__":
    sys.exit(main())
