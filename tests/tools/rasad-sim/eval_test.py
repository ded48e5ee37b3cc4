#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A small `make eval`: fails when rasad finds, names or keeps quiet clearly worse than it once did.

The seeds are tuning seeds. One network is too small for the last percent; README's table is the measure.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("RASAD_BIN") or ROOT / "build/bin")
sys.path.insert(0, str(ROOT / "tests/eval"))
sys.dont_write_bytecode = True

import figures  # noqa: E402

SEED, LINES, DAYS = 10, 20000, 2

# Figure, the least rate that passes.
FLOORS = {
    "found, whole element fails": 0.95,
    "found, half of it or more": 0.93,
    "exact element, one fault": 0.90,
    "exact element, siblings together": 0.80,
    "category right": 0.85,
    "precision": 0.90,
}
CEILINGS = {"incidents for a fault": 1.25, "pages for a fault": 1.25}
DELAY_P50_S = 25


class Score:
    passed = failed = 0

    def check(self, what, good, got):
        self.passed += bool(good)
        self.failed += not good
        if not good:
            print(f"FAILED {what}: {got}")


def evaluate(folder):
    command = [sys.executable, "-B", str(ROOT / "tools/dev/eval"), "--seeds", str(SEED), "--lines", str(LINES),
               "--days", str(DAYS), "--json", str(folder / "eval.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280,
                          env={**os.environ, "RASAD_BIN": str(BIN)})
    if done.returncode:
        print(done.stdout + done.stderr)
        sys.exit(1)
    return json.loads((folder / "eval.json").read_text()), done.stdout


def test_rasad(score, found):
    ours = found["rasad"]
    for name, floor in FLOORS.items():
        score.check(name, ours[name]["n"] and ours[name]["rate"] >= floor, f"{ours[name]}, expected at least {floor}")
    for name, ceiling in CEILINGS.items():
        score.check(name, ours[name] is not None and ours[name] <= ceiling, f"{ours[name]}, expected at most {ceiling}")
    delay = ours["delay p50 / p95, whole element"]
    score.check("delay", delay["n"] and delay["p50"] <= DELAY_P50_S, delay)
    score.check("false incidents", ours["false incidents a day"]["count"] <= 2, ours["false incidents a day"])


def test_baselines(score, found):
    """The yardsticks work, and each is beaten on naming the element."""
    for name in ("B1", "B2", "B3", "B4"):
        theirs = found[name]["exact element, one fault"]
        score.check(f"{name} finds something", found[name]["found, whole element fails"]["k"] > 0, found[name])
        score.check(f"{name} is beaten", (theirs["rate"] or 0) <= found["rasad"]["exact element, one fault"]["rate"], theirs)


def test_intervals(score):
    """Against values from tables (Wilson 1927; Garwood 1936)."""
    low, high = figures.wilson(27, 27)
    score.check("Wilson, 27 of 27", abs(low - 0.8754) < 0.001 and high == 1, (low, high))
    low, high = figures.wilson(5, 10)
    score.check("Wilson, 5 of 10", abs(low - 0.2366) < 0.001 and abs(high - 0.7634) < 0.001, (low, high))
    for k, true_low, true_high in ((0, 0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39)):
        low, high = figures.poisson(k)
        score.check(f"Poisson, {k}", abs(low - true_low) < 0.01 and abs(high - true_high) < 0.01, (low, high))


def main():
    score = Score()
    test_intervals(score)
    with tempfile.TemporaryDirectory(prefix="rasad-eval-") as scratch:
        result, text = evaluate(pathlib.Path(scratch))
    test_rasad(score, result["figures"])
    test_baselines(score, result["figures"])
    if score.failed:
        print(text)
    print(f"{score.passed} passed, {score.failed} failed")
    return score.failed > 0


if __name__ == "__main__":
    sys.exit(main())
