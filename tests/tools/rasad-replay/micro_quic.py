# SPDX-License-Identifier: BSD-3-Clause
"""Micro capture 21: a QUIC download whose spin bit shows 10 ms to the subscriber and 40 ms to the server.

Limits: nothing is encrypted for real; what a tap cannot read anyway is random bytes.
Source: RFC 9000, 17.2 to 17.4.
"""

import random
import struct

from micro_talk import EPOCH_US, UDP, Talk, ipv4, ipv6, transport


def quic_records(family=4, spinning=True, handshake=True, waves=20):
    """A download over QUIC: the subscriber turns the spin bit, the server sends it back .

    An edge comes down, the subscriber answers it at once with an edge up 10 ms later; 40 ms after that the
    server's answer comes down.  Packets between the edges repeat the value of their side.
    """
    talk = Talk("down", family, port=50443)
    rng = random.Random(21)

    def record(t, side, payload):
        peer = talk.rx if side is talk.tx else talk.tx
        header = struct.pack("!HHHH", side.port, peer.port, 8 + len(payload), 0)
        body = transport(side.address, peer.address, UDP, header, 6, payload)
        ip = ipv4(side.address, peer.address, UDP, body, rng.randrange(1, 65536), 60) if family == 4 \
            else ipv6(side.address, peer.address, UDP, body, 60)
        ethertype = b"\x08\x00" if family == 4 else b"\x86\xdd"
        return EPOCH_US + round(t * 1000), peer.mac + side.mac + ethertype + ip

    client_id, server_id = rng.randbytes(8), rng.randbytes(8)

    def long(t, side, kind, dcid, scid, size):
        token = b"\0" if kind == 0 else b""
        head = bytes([0xC0 | kind << 4 | 1]) + struct.pack("!IB", 1, 8) + dcid + b"\x08" + scid + token
        rest = size - len(head) - 2
        return record(t, side, head + struct.pack("!H", 0x4000 | rest) + rng.randbytes(rest))

    def short(t, side, spin, size):
        dcid = server_id if side is talk.subscriber else client_id
        first = 0x40 | (spin << 5 if spinning else 0) | rng.randrange(32)
        return record(t, side, bytes([first]) + dcid + rng.randbytes(size - 9))

    out = []
    if handshake:
        original = rng.randbytes(8)
        out += [long(0, talk.subscriber, 0, original, client_id, 1200),
                long(40, talk.server, 0, client_id, server_id, 1200),
                long(50, talk.subscriber, 2, server_id, client_id, 120)]
    up = down = 0
    for wave in range(waves):
        start = 100 + 50 * wave                         # the edge up; the one down 40 ms later
        for ms in range(0, 50, 2):
            if ms == 0:
                up ^= 1
            if ms == 40:
                down ^= 1
            out.append(short(start + ms, talk.server, down, 1200))
            if ms % 4 == 0:
                out.append(short(start + ms + 0.5 * (ms > 0), talk.subscriber, up, 40))
    return talk, sorted(out, key=lambda r: r[0])
