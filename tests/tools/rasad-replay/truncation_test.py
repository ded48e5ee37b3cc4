#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Cut every frame of ../shared/vectors/access-frames.pcap at every byte and replay the pieces.

A frame is cut in two ways: caplen < len, as a snaplen does, and caplen == len, as a short frame
on the wire is.  All cuts of one frame go into one pcap.  The program must run clean and put every
packet into exactly one verdict; a capture cut by snaplen must not end as all well.
"""

import pathlib
import tempfile

import capture
import judge

SECOND_NS = 10**9


def cuts(unix_ns, length, frame):
    """Every prefix of the frame, one second apart: first by snaplen, then as short frames."""
    for size in range(len(frame)):
        yield unix_ns + size * SECOND_NS, length, frame[:size]
    for size in range(len(frame) + 1):
        yield unix_ns + (len(frame) + size) * SECOND_NS, size, frame[:size]


def check_frame(score, program, folder, number, packet):
    rows = list(cuts(*packet))
    path = folder / f"frame{number}.pcap"
    capture.write(path, rows)
    result = judge.run(program, path)
    name = f"frame {number} cut at every byte"
    if not judge.check_clean(score, name, result):
        return
    judge.check_verdicts(score, name, result.summary)
    score.equal(f"{name} packets", len(rows), result.summary["packets"])
    not_ok = len(rows) - result.summary["verdicts"].get("ok", 0)
    headers = 14                    # cuts inside the Ethernet header, both ways, cannot be read
    score.check(not_ok >= 2 * headers, f"{name} packets not ok", f"at least {2 * headers}", not_ok)


def check_whole(score, program, path, frames):
    """The uncut frames are all read, so that the cuts above test more than a refusal."""
    result = judge.run(program, path)
    if judge.check_clean(score, "uncut frames", result):
        judge.check_verdicts(score, "uncut frames", result.summary)
        score.equal("uncut frames ok", len(frames), result.summary["verdicts"].get("ok", 0))


def main():
    args = judge.parse(judge.arguments(__doc__))
    score = judge.Score()
    vectors = judge.shared("vectors", "access-frames.pcap")
    if vectors is None:
        score.skip("no ../shared/vectors/access-frames.pcap (or $RASAD_SHARED)")
        score.finish()
    frames = list(capture.packets(vectors))
    check_whole(score, args.program, vectors, frames)
    with tempfile.TemporaryDirectory(prefix="rasad-truncation-") as folder:
        for number, packet in enumerate(frames, 1):
            check_frame(score, args.program, pathlib.Path(folder), number, packet)
    score.finish()


if __name__ == "__main__":
    main()
