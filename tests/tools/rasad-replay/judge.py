# SPDX-License-Identifier: BSD-3-Clause
"""What the judges of rasad-replay share: run it, read its NDJSON, keep the score.

A judge holds the program against something it does not share code with: captures whose
truth was written down while they were made (lab_test, tcp_truth_test), another decoder's
counts (corpus_test), or plain arithmetic (truncation_test).  A judge asks the program only
through its command line and believes only what `-o json` prints (reference/json.md).

Every judge ends with "N passed, N failed", plus ", N skipped" when something it needs is
absent, and exits 1 when a check failed.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys

REPO = pathlib.Path(__file__).resolve().parents[3]

SANITIZER_WORDS = ("Sanitizer", "runtime error:")


class Score:
    """Counts checks; says one line for each that failed."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, ok, what, expected="", got=""):
        if ok:
            self.passed += 1
            return True
        self.failed += 1
        print(f"FAIL {what}: expected {expected}, got {got}")
        return False

    def equal(self, what, expected, got):
        return self.check(expected == got, what, expected, got)

    def near(self, what, expected, got, tolerance):
        ok = got is not None and abs(got - expected) <= tolerance
        return self.check(ok, what, f"{expected:.13g} within {tolerance:.4g}", got)

    def skip(self, why):
        self.skipped += 1
        print(f"skipped: {why}")

    def finish(self):
        tail = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.passed} passed, {self.failed} failed{tail}")
        sys.exit(1 if self.failed else 0)


class Run:
    """One run of the program: exit code, texts, and the objects it printed by type."""

    def __init__(self, code, stdout, stderr):
        self.code, self.stdout, self.stderr = code, stdout, stderr
        self.broken_line = None
        self.last_type = None
        self.objects = collections.defaultdict(list)
        self._parse()

    def _parse(self):
        for line in self.stdout.splitlines():
            try:
                obj = json.loads(line)
                self.last_type = obj["type"]
            except (ValueError, KeyError, TypeError):
                self.broken_line = self.broken_line or line[:120]
                continue
            self.objects[self.last_type].append(obj)

    @property
    def summary(self):
        found = self.objects["replay_summary"]
        return found[0] if found else None

    @property
    def sanitizer(self):
        """The first line of a sanitizer's report, or None."""
        lines = (line for line in self.stderr.splitlines()
                 if any(word in line for word in SANITIZER_WORDS))
        return next(lines, None)


def last_line(text):
    """For messages: what the program said last."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip()[:160] if lines else "nothing on stderr"


def run(program, *arguments, timeout_s=60):
    """Run the program to its end.  A Run, or None when it had to be ended by force."""
    try:
        done = subprocess.run([str(program), "-o", "json", *map(str, arguments)],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        return None
    return Run(done.returncode, done.stdout.decode(errors="replace"),
               done.stderr.decode(errors="replace"))


def check_clean(score, name, result, codes=(0,)):
    """The checks every run owes: it ended, by itself, without a sanitizer's report."""
    if not score.check(result is not None, f"{name} ends in time", "an end", "still running"):
        return False
    score.check(result.code in codes, f"{name} exit code", codes,
                f"{result.code}: {last_line(result.stderr)}")
    score.check(result.sanitizer is None, f"{name} sanitizer", "nothing", result.sanitizer)
    score.check(result.broken_line is None, f"{name} NDJSON", "objects with a type",
                result.broken_line)
    if result.code != 0:
        return False
    score.equal(f"{name} last object", "replay_summary", result.last_type)
    return result.summary is not None


def check_verdicts(score, name, summary):
    """Every packet is in exactly one verdict."""
    score.equal(f"{name} sum of verdicts", summary.get("packets"),
                sum(summary.get("verdicts", {}).values()))


def shared(*path):
    """A path in the shared test data ($RASAD_SHARED or ../shared), or None."""
    root = pathlib.Path(os.environ.get("RASAD_SHARED") or REPO.parent / "shared")
    found = root.joinpath(*path)
    return found if found.exists() else None


def arguments(about):
    """The parser with the option that all judges take."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, default=REPO / "build/bin/rasad-replay",
                        help="the rasad-replay to judge (default build/bin/rasad-replay)")
    return parser


def parse(parser):
    args = parser.parse_args()
    if not args.program.exists():
        print(f"{args.program}: no such program; run make first", file=sys.stderr)
        print("0 passed, 1 failed")
        sys.exit(1)
    return args
