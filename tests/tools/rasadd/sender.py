# SPDX-License-Identifier: BSD-3-Clause
"""Sends the frames of a capture to an interface: sender.py CAPTURE INTERFACE PACKETS_PER_SECOND

0 packets a second is the capture's own pace. Prints how many frames and bytes went out. The capture is one of rasad-gen's own: little-endian,
nanoseconds, Ethernet."""

import socket
import struct
import sys
import time

BATCH = 32


def frames(path):
    with open(path, "rb") as f:
        magic, *_, link = struct.unpack("<IHHIIII", f.read(24))
        assert (magic, link) == (0xA1B23C4D, 1), "not a capture of rasad-gen"
        while header := f.read(16):
            seconds, ns, caplen, wire_len = struct.unpack("<IIII", header)
            assert caplen == wire_len
            yield seconds + ns / 1e9, f.read(caplen)


def main(path, interface, rate):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind((interface, 0))
    sent = octets = 0
    start, first = time.monotonic(), None
    for at, frame in frames(path):
        first = first or at
        if not rate:
            time.sleep(max(0, start + at - first - time.monotonic()))
        wire.send(frame)
        sent += 1
        octets += len(frame)
        if rate and sent % BATCH == 0:
            time.sleep(max(0, start + sent / rate - time.monotonic()))
    print(sent, octets)


main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
