# SPDX-License-Identifier: BSD-3-Clause
"""Whole processes: rasad-replay and what others make of the same capture, by CPU seconds.

The tools that cannot look into PPPoE get the plain twin of the capture: the same conversations
without tags and PPPoE.
"""

import json
import os
import pathlib
import tempfile

import runs
from table import figure, median, ratio_of

PACKETS, FLOWS, MANY_FLOWS, SNAPLEN = 3_000_000, 8_000, 40_000, 128
QUICK_PACKETS = 600_000
TSHARK_PACKETS = 200_000


class Captures:
    """Captures made by rasad-gen, on demand, in a folder that goes away."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def make(self, packets, flows, encap="qinq-pppoe", snaplen=SNAPLEN):
        path = self.folder / f"{encap}-{packets}-{flows}-{snaplen or 'whole'}.pcap"
        if not path.exists():
            runs.say(f"generating {path.name}")
            runs.output([runs.own(runs.BIN / "rasad-gen"), "--scenario", "tcp", "--encap", encap, "--seed", 1,
                         "--flows", flows, "--packets", packets, "-o", path, "--truth", "/dev/null",
                         *(["--snaplen", snaplen] if snaplen else [])])
        return path


def replay(capture):
    return [runs.own(runs.BIN / "rasad-replay"), "-q", "-o", "json", capture]


def in_turn(commands, times):
    """CPU seconds of each command, run one after the other, several times over."""
    runs.cpu_s(commands[0])  # the capture is in the page cache from here on
    rounds = [[runs.cpu_s(command) for command in commands] for _ in range(times)]
    return [list(column) for column in zip(*rounds)]


def seconds(values):
    return f"{median(values):.3f} s"


def race(table, what, ours, theirs, times, goal=None):
    try:
        a, b = in_turn([ours, theirs], times)
        table.row(what, seconds(a), seconds(b), ratio_of(a, b), goal)
    except runs.Unavailable as reason:
        table.absent(what, reason)


def against(table, captures, packets, times, *, program, package, words, encap="plain", goal=None):
    """rasad-replay on QinQ and PPPoE against a program on the form that it understands."""
    what = f"rasad-replay / {program} ({packets:,} packets{', plain' if encap == 'plain' else ''})"
    try:
        command = [runs.need(program, package)]
    except runs.Unavailable as reason:
        table.absent(what, reason)
        return
    theirs = captures.make(packets, FLOWS, encap)
    command += [str(theirs) if word == "CAPTURE" else word for word in words]
    race(table, what, replay(captures.make(packets, FLOWS)), command, times, goal)


def tools(table, quick):
    packets, times = (QUICK_PACKETS, 3) if quick else (PACKETS, 7)
    with tempfile.TemporaryDirectory(prefix="rasad-bench-") as folder:
        captures = Captures(folder)
        against(table, captures, packets, times, program="tcpdump", package="tcpdump", encap="qinq-pppoe",
                words=["-n", "-r", "CAPTURE", "-w", "/dev/null"], goal=0.8)
        against(table, captures, packets, min(times, 3), program="tcptrace", package="tcptrace",
                words=["-r", "-l", "-n", "CAPTURE"], goal=0.1)
        against(table, captures, packets, min(times, 3), program="argus", package="argus-server",
                words=["-F", "/dev/null", "-r", "CAPTURE", "-w", "/dev/null"])
        against(table, captures, packets, min(times, 3), program="softflowd", package="softflowd",
                words=["-d", "-r", "CAPTURE"])
        against(table, captures, TSHARK_PACKETS if quick else packets, 1, program="tshark", package="tshark",
                words=["-n", "-r", "CAPTURE", "-T", "fields", "-e", "tcp.analysis.ack_rtt", "-e",
                       "tcp.analysis.retransmission"], goal=1 / 250)
        many_flows(table, captures, packets, times)


def many_flows(table, captures, packets, times):
    few, many = (replay(captures.make(packets, flows)) for flows in (FLOWS, MANY_FLOWS))
    race(table, f"rasad-replay, {packets:,} packets, {MANY_FLOWS:,} flows / {FLOWS:,}", many, few, times, 1.3)


def same_reports(table, quick):
    """The same bytes whatever the number of workers, but for the seconds that it took."""
    program = runs.own(runs.BIN / "rasad-replay")
    if "--workers" not in runs.output([program, "--help"])[0]:
        raise runs.Unavailable("rasad-replay has no --workers")
    with tempfile.TemporaryDirectory(prefix="rasad-bench-") as folder:
        capture = Captures(folder).make(QUICK_PACKETS if quick else PACKETS, FLOWS)
        reports = []
        for workers in (1, 2, 4):
            out, _ = runs.output([*replay(capture), "--workers", workers])
            rows = [json.loads(line) for line in out.splitlines()]
            reports.append([{k: v for k, v in row.items() if k != "elapsed_s"} for row in rows])
        differ = sum(report != reports[0] for report in reports)
        table.row("reports with 2 and 4 workers that differ from that of one", "", "", differ, 0, "")


SECTIONS = {
    "tools": ("Whole process, header-only capture in the page cache, CPU seconds", tools),
    "parity": ("One report with any number of workers", same_reports),
}
