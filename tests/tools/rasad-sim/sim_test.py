#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""rasad-sim against itself: do the events, the inventory and the truth tell the same story?"""

import collections
import csv
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("RASAD_BIN") or ROOT / "build/bin")
ASAN_BIN = os.environ.get("RASAD_ASAN_BIN")
FILES = ("events.ndjson", "inventory.csv", "truth.jsonl", "calls.ndjson")
S = 10**9


class Score:
    passed = failed = 0

    def check(self, what, good, detail=""):
        self.passed += bool(good)
        self.failed += not good
        if not good:
            print(f"FAILED {what}: {detail}")

    def near(self, what, value, low, high):
        self.check(what, low <= value <= high, f"{value:.4g}, expected {low} to {high}")


def sim(folder, *args, program=BIN / "rasad-sim"):
    return subprocess.run([str(program), *map(str, args), "-o", str(folder)], capture_output=True, text=True,
                          check=False, timeout=120)


class World:
    """What a run wrote."""

    def __init__(self, folder, *args):
        done = sim(folder, *args)
        assert done.returncode == 0, done.stderr
        self.folder = folder
        self.truth = [json.loads(line) for line in open(folder / "truth.jsonl", encoding="utf-8")]
        self.world = self.truth[0]
        self.events = [json.loads(line) for line in open(folder / "events.ndjson", encoding="utf-8")]
        with open(folder / "inventory.csv", encoding="utf-8", newline="") as f:
            rows = list(csv.DictReader(f))
        self.inventory = {row["line"]: row for row in reversed(rows)}
        self.rows = len(rows)

    def of_type(self, name):
        return [row for row in self.truth if row["type"] == name]


def digest(folder):
    return [hashlib.sha256((folder / f).read_bytes()).hexdigest() for f in FILES if (folder / f).exists()]


# --- events ---------------------------------------------------------------------------------

ALLOWED = {  # state: what may come next, and the state after it
    "start": {"UP": "up"},
    "up": {"SUSPECT": "suspect", "DOWN": "down"},
    "suspect": {"RECOVERED": "up", "DOWN": "down"},
    "down": {"UP": "up", "SETUP_FAILED": "down"},
}


def test_events(score, w):
    late = sum(a["unix_ns"] > b["unix_ns"] for a, b in zip(w.events, w.events[1:]))
    score.near("late events are few, and there are some", late / len(w.events), 0.0002, 0.002)
    score.check("counts", all(
        w.world[kind.lower()] == sum(e["kind"] == kind for e in w.events)
        for kind in ("UP", "SUSPECT", "RECOVERED", "DOWN", "SETUP_FAILED")))
    first = [e for e in w.events if e["unix_ns"] == w.world["first_unix_ns"]]
    score.check("what is up at the start is told first", {e["kind"] for e in first} == {"UP"}
                and first == w.events[:len(first)])
    score.near("lines up at the start", len(first) / w.world["lines"], 0.65, 0.8)
    states, wrong = collections.defaultdict(lambda: "start"), collections.Counter()
    for e in sorted(w.events, key=lambda e: e["unix_ns"]):
        after = ALLOWED[states[e["line"]]].get(e["kind"])
        wrong[states[e["line"]], e["kind"]] += after is None
        states[e["line"]] = after or states[e["line"]]
    # A false suspicion may be overtaken by a drop of the line itself.
    score.check("lines go from state to state as lines do", sum(wrong.values()) < 0.002 * len(w.events), +wrong)
    score.check("every line appears", len(states) == w.world["lines"], len(states))
    early = [e for e in w.events if e.get("down_since_unix_ns", 0) > e["unix_ns"]]
    score.check("nobody is down before he was heard of", not early, early[:1])


def test_rates(score, w):
    line_days = w.world["lines"] * w.world["days"]
    score.near("drops of single lines a day", w.world["own_drops"] / line_days, 0.6, 0.9)
    score.near("nights", w.world["nights"] / line_days, 0.22, 0.4)
    timeouts = [e["line"] for e in w.events if e.get("cause") == "SESSION_TIMEOUT"]
    # One in seven has the tariff; whose session ends earlier for another reason is not cut off.
    score.near("lines cut off daily", len(set(timeouts)) / w.world["lines"], 0.06, 0.15)


# --- faults ---------------------------------------------------------------------------------

def evidence_of(w):
    """line -> times at which something bad began for it."""
    found = collections.defaultdict(list)
    for e in w.events:
        if e["kind"] in ("DOWN", "SUSPECT", "SETUP_FAILED"):
            found[e["line"]].append(e.get("down_since_unix_ns", e["unix_ns"]))
    return found


def test_faults(score, w):
    faults, evidence = w.of_type("fault"), evidence_of(w)
    score.check("there are faults", len(faults) >= 10, len(faults))
    score.check("of several kinds", len({f["kind"] for f in faults}) >= 6)
    for f in faults:
        early, late = f["t_on"] - 35 * S, f["t_off"] + 310 * S
        unseen = [line for line in f["hit"] if not any(early <= t <= late for t in evidence[line])]
        score.check(f"{f['fault_id']}: its lines are seen to fail", not unseen, unseen[:3])
        score.check(f"{f['fault_id']}: time goes on", f["t_on"] < f["t_off"] <= f["t_90_back"] + S or not f["hit"], f["kind"])
        score.check(f"{f['fault_id']}: no more lines than there are",
                    len(f["hit"]) == len(set(f["hit"])) <= f["members"] * min(1, f["severity"] * 1.5 + 0.05) + 8,
                    (len(f["hit"]), f["members"], f["severity"]))


def test_reverse(score, w):
    """Lines of a group that failed as a whole and were up are all among the hit."""
    down = collections.defaultdict(list)
    for e in w.events:
        if e["kind"] == "DOWN":
            down[e["line"]].append(e["down_since_unix_ns"] if "down_since_unix_ns" in e else e["unix_ns"])
    for f in w.of_type("fault"):
        column = {"access_node": "node", "exchange": "exchange", "cabinet": "cabinet"}.get(f["group_type"])
        if not column or f["severity"] < 1 or not f["mapped"] or f["smear_s"] > 1:
            continue
        lines = {n for n, row in w.inventory.items() if row[column] == f["group"]}
        fell = {n for n in lines if any(f["t_on"] - S <= t <= f["t_on"] + S for t in down[n])}
        score.check(f"{f['fault_id']}: whoever fell with it is hit", len(fell - set(f["hit"])) <= 2, f["kind"])
        score.near(f"{f['fault_id']}: the inventory knows the hit", len(lines & set(f["hit"])) / max(1, len(f["hit"])),
                   0.8 if len(f["hit"]) > 20 else 0, 1)


# --- inventory ------------------------------------------------------------------------------

def test_inventory(score, w):
    errors, lines = w.world["inventory"], w.world["lines"]
    for name, share in (("wrong", 0.03), ("unplaced", 0.03), ("absent", 0.02)):
        score.near(f"inventory: {name}", errors[name] / lines, 0.8 * share, 1.2 * share)
    score.check("inventory: rows", w.rows == lines - errors["absent"] + errors["twice"], w.rows)
    unplaced = [r for r in w.inventory.values() if not r["node"]]
    score.check("inventory: unplaced rows have no node", len(unplaced) == errors["unplaced"], len(unplaced))
    header = set(next(iter(w.inventory.values())))
    score.check("inventory: missing columns are missing", not header & set(w.world["missing_columns"]))


def test_calls(score, w):
    calls = [json.loads(line) for line in open(w.folder / "calls.ndjson", encoding="utf-8")]
    true = {c["call_id"]: c for c in w.of_type("call")}
    faults = {f["fault_id"]: set(f["hit"]) for f in w.of_type("fault")}
    score.check("calls: each has its truth", {c["call_id"] for c in calls} == set(true))
    score.check("calls: in time order", calls == sorted(calls, key=lambda c: c["unix_ns"]))
    phones = collections.Counter(r["phone"] for r in w.inventory.values())
    score.near("calls: customers with two lines", sum(n > 1 for n in phones.values()) / w.world["lines"], 0.01, 0.03)
    for c in calls:
        t = true[c["call_id"]]
        if "line" in t and t["line"] in w.inventory and w.inventory[t["line"]]["phone"] != c["phone"]:
            score.check("calls: from the phone of their line", False, c)
        if t["true_hypothesis"] == "UNKNOWN_SUBSCRIBER" and c["phone"] in phones:
            score.check("calls: strangers are strangers", False, c)
        if "fault_id" in t and t["line"] not in faults[t["fault_id"]]:
            score.check("calls: about a fault by whom it hit", False, c)
    score.check("calls: some are about faults", sum("fault_id" in t for t in true.values()) > 20)


# --- options --------------------------------------------------------------------------------

def test_determinism(score, folder):
    runs = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        assert sim(folder / name, "--seed", seed, "--lines", 2000, "--calls").returncode == 0
        runs.append(digest(folder / name))
    score.check("the same seed, the same bytes", runs[0] == runs[1])
    score.check("another seed, others", all(x != y for x, y in zip(runs[0], runs[2])))


def test_options(score, folder):
    w = World(folder / "none", "--lines", 3000, "--faults", "none", "--no-benign", "--columns", "none")
    score.check("--faults none: no faults", not w.of_type("fault") and not w.of_type("benign"))
    score.check("--columns none: none", set(next(iter(w.inventory.values()))) ==
                {"line", "subscriber", "phone", "plan_down_kbps", "plan_up_kbps"})
    w = World(folder / "radius", "--lines", 3000, "--radius", "--columns", "all")
    score.check("--radius: nobody suspects", w.world["suspect"] == 0 == w.world["recovered"])
    score.check("--columns all: all", not w.world["missing_columns"])
    w = World(folder / "smallest", "--lines", 100)
    score.check("100 lines", w.world["lines"] == 100 and w.world["groups"]["exchange"] >= 1)
    pairs = World(folder / "pairs", "--lines", 5000, "--faults", "siblings", "--days", 2).of_type("fault")
    slots = collections.Counter(f["slot"] for f in pairs)
    score.check("--faults siblings: pairs of one kind", max(slots.values()) == 2 and sum(n == 2 for n in slots.values()) > 5
                and all(len({f["kind"] for f in pairs if f["slot"] == s}) == 1 for s in slots), slots)


WRONG = [("--lines", "99"), ("--lines", "1000001"), ("--lines", "many"), ("--days", "0"), ("--seed", "-1"),
         ("--faults", "some"), ("--columns", "few"), ("--per-day", "x"), ("--misfit", "3"), ("--nonsense",), ("argument",)]


def test_usage(score, folder):
    for args in WRONG:
        done = sim(folder / "wrong", *args)
        score.check(f"wrong usage: {' '.join(args)}", done.returncode == 2 and done.stderr, done)
    missing = subprocess.run([str(BIN / "rasad-sim")], capture_output=True, text=True, check=False)
    score.check("no folder", missing.returncode == 2 and "--output" in missing.stderr, missing)
    (folder / "file").write_text("")
    done = sim(folder / "file")
    score.check("a folder that is none", done.returncode == 1 and "file" in done.stderr, done)
    done = sim(folder / "no" / "such")
    score.check("a folder that cannot be made", done.returncode == 1, done)
    for option in ("--help", "--version"):
        score.check(option, sim(folder, option).returncode == 0)


def test_sanitized(score, folder):
    if not ASAN_BIN:
        return
    for args in (("--lines", 2000, "--calls"), ("--lines", 100, "--radius"), ("--lines", 1000, "--days", 8)):
        done = sim(folder / "asan", *args, program=pathlib.Path(ASAN_BIN) / "rasad-sim")
        score.check(f"sanitizers: {args}", done.returncode == 0, done.stderr[-500:])


def main():
    score = Score()
    with tempfile.TemporaryDirectory(prefix="rasad-sim-") as scratch:
        folder = pathlib.Path(scratch)
        w = World(folder / "world", "--seed", 3, "--lines", 12000, "--days", 2, "--misfit", 0.2, "--calls")
        for test in (test_events, test_rates, test_faults, test_reverse, test_inventory, test_calls):
            test(score, w)
        for test in (test_determinism, test_options, test_usage, test_sanitized):
            test(score, folder)
    print(f"{score.passed} passed, {score.failed} failed")
    return score.failed > 0


if __name__ == "__main__":
    sys.exit(main())
