#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The bench itself, on tiny courses: every variant runs and loses no packet, the traffic is what it
claims to be (tshark is the judge), and the table's verdicts are right."""

import contextlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import runs  # noqa: E402
from table import Table, ratio_of, share  # noqa: E402

VARIANTS = "touch,oracle,rolling,plain,decode,ours,textbook,bulk"
COURSES = ("1000/4000", "1000/4000/zipf")
LAPS, PACKETS = 2, 4096
passed = failed = 0


def check(ok, what):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAIL {what}")


def bench(*arguments):
    command = [str(word) for word in (runs.BENCH / "rasad-bench", *arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


def rows_of(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_courses():
    done = bench("--json", "--laps", LAPS, "--packets", PACKETS, "--variants", VARIANTS,
                 *(word for course in COURSES for word in ("--course", course)))
    check(done.returncode == 0, f"exit 0, all packets counted: {done.returncode} {done.stderr[-300:]}")
    rows = rows_of(done)
    check(len(rows) == 16, f"a row for each course and variant: {len(rows)}")
    without_dpdk = "textbook cannot run here" in done.stderr
    for row in rows:
        runs_here = not (without_dpdk and row["variant"] in ("textbook", "bulk"))
        check(len(row["ns"]) == LAPS * runs_here and all(ns > 0 for ns in row["ns"]),
              f"{row['course']} {row['variant']} timed in {LAPS} laps: {row['ns']}")


def check_floods():
    done = bench("--json", "--laps", LAPS, "--packets", 500, "--variants", "ours", "--course", "100/2000/flood",
                 "--course", "100/2000/fill")
    check(done.returncode == 0, f"floods lose nothing: {done.stderr[-300:]}")
    check([row["packets"] for row in rows_of(done)] == [100 + 2000 + 3 * 500, 100 + 3 * 500], "packets of floods")


def check_workers():
    done = bench("--json", "--workers", "--laps", 1, "--packets", PACKETS, "--course", "1000/4000")
    rows = rows_of(done)
    check(done.returncode == 0 and [row["variant"] for row in rows] == ["ours", "oracle"] and
          min(row[k] for row in rows for k in ("alone", "first", "second")) > 0,
          f"two workers: {done.stdout} {done.stderr[-300:]}")


def check_wrong_usage():
    for arguments in (["--course", "4/2"], ["--course", "1/2/often"], ["--variants", "fast"], ["more"]):
        done = bench(*arguments)
        check(done.returncode == 2 and done.stderr, f"{arguments} is wrong usage: {done.returncode}")


def check_table():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        table = Table()
        table.row("a", "", "", 2.0, 3)
        table.row("b", "", "", 4.0, 3)
        table.row("c", "", "", 4.0, 3, at_least=True)
        table.row("d", "", "", 4.0)
        table.absent("e", "because")
        table.finish()
    check((table.met, table.missed, table.missing) == (2, 1, 1), "verdicts are counted")
    check("| e | n/a: because |" in out.getvalue(), "what is not there is told")
    check(ratio_of([2, 9, 4], [1, 3, 2]) == 2, "a ratio is the median of the laps' ratios")
    check((share(1 / 250, "x"), share(0.8, "x"), share(67, "ns")) == ("1/250", "0.80 x", "67 ns"), "ratios read well")


def check_traffic():
    """tshark finds the conversations whole: resends and holes as many as promised."""
    with tempfile.TemporaryDirectory(prefix="rasad-bench-test-") as folder:
        capture = pathlib.Path(folder) / "lap.pcap"
        done = bench("--course", "20/50", "--packets", 40000, "--save", capture)
        check(done.returncode == 0, f"--save: {done.stderr}")
        fields = ["tcp.analysis.retransmission", "tcp.analysis.lost_segment", "udp", "ipv6", "_ws.malformed",
                  "pppoe.session_id", "tcp.analysis.ack_lost_segment"]
        shown = subprocess.run(["tshark", "-n", "-r", capture, "-T", "fields",
                                *(word for field in fields for word in ("-e", field))],
                               capture_output=True, text=True, timeout=50, check=True).stdout
    packets = [line.split("\t") for line in shown.splitlines()]
    share_of = {field: sum(1 for p in packets if p[i]) / len(packets) for i, field in enumerate(fields)}
    # a fill that comes at once is reordering to tshark, so resends are between 0.5 and 1 % of TCP
    for field, low, high in (("tcp.analysis.retransmission", 0.003, 0.01), ("tcp.analysis.lost_segment", 0.003, 0.007),
                             ("udp", 0.05, 0.3), ("ipv6", 0.1, 0.3), ("_ws.malformed", 0, 0),
                             ("pppoe.session_id", 1, 1), ("tcp.analysis.ack_lost_segment", 0, 0)):
        check(low <= share_of[field] <= high, f"{field}: share {share_of[field]:.4f}, expected {low} to {high}")


def main():
    if not (runs.BENCH / "rasad-bench").exists():
        print("rasad-bench: no such program; run make both first\n0 passed, 1 failed")
        return 1
    for part in (check_courses, check_floods, check_workers, check_wrong_usage, check_table, check_traffic):
        part()
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
