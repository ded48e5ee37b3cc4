#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What an overloaded tap misses is a gap in the capture, not a loss of the subscriber.

A capture without any loss is thinned out as a tap at its limit does it: single packets at random,
and whole runs, half of all packets in the worst case. What was acknowledged without having been
seen must be marked, and the loss told of the lines must stay next to nothing.
"""

import json
import os
import random
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), *[".."] * 3)
BIN = os.environ.get("RASAD_BIN") or os.path.join(ROOT, "build/bin")
SIDES = ("access_down", "access_up", "internet_down", "internet_up")


def records(path):
    with open(path, "rb") as f:
        data = f.read()
    out, at = [], 24
    while at < len(data):
        size = 16 + struct.unpack_from("<I", data, at + 8)[0]
        out.append(data[at:at + size])
        at += size
    return data[:24], out


def singles(packets, share, rng):
    return [p for p in packets if rng.random() >= share]


def runs(packets, share, rng):
    """Runs of 200 packets, as a full ring drops them."""
    dropped = [rng.random() < share for _ in range(len(packets) // 200 + 1)]
    return [p for i, p in enumerate(packets) if not dropped[i // 200]]


def replay(header, packets, folder):
    path = os.path.join(folder, "thin.pcap")
    with open(path, "wb") as f:
        f.write(header + b"".join(packets))
    text = subprocess.run([BIN + "/rasad-replay", "-q", "-o", "json", path], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    rows = [json.loads(line) for line in text.splitlines()]
    loss = [r["loss"] for r in rows if r["type"] == "subscriber_summary" and "loss" in r]
    lost = sum(side.get(s, {}).get("lost", 0) for side in loss for s in SIDES)
    seen = sum(side.get(s, {}).get("packets", 0) for side in loss for s in SIDES) / 2
    return lost, seen, rows[-1]["notes"]["acked_unseen"], rows[-1]["packets"]


def main():
    failed, passed = 0, 0
    with tempfile.TemporaryDirectory(prefix="rasad-gap-") as folder:
        path = os.path.join(folder, "whole.pcap")
        subprocess.run([BIN + "/rasad-gen", "--scenario", "load", "--lines", "200", "--flows", "1000",
                        "--packets", "200000", "--rate", "20000", "--loss-before-tap", "0",
                        "--loss-after-tap", "0", "-o", path], check=True, stderr=subprocess.DEVNULL)
        header, packets = records(path)
        cases = [("nothing", lambda: packets, 0)]
        for share in (0.01, 0.1, 0.5):
            rng = random.Random(7)
            cases.append((f"{share:.0%} singly", lambda s=share, r=rng: singles(packets, s, r), share))
            cases.append((f"{share:.0%} in runs", lambda s=share, r=rng: runs(packets, s, r), share))
        for name, thin, share in cases:
            kept = thin()
            lost, seen, unseen, counted = replay(header, kept, folder)
            good = counted == len(kept) and lost <= 0.0005 * seen and (unseen > 0) == (share > 0)
            print(f"{'ok' if good else 'FAIL'}: {name} missing: {lost} of {seen:.0f} told lost, "
                  f"{unseen} marked as unseen")
            passed, failed = passed + good, failed + (not good)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
