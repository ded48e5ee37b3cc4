#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The judge of `make eval` on a network that fits on a page."""

import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

import books  # noqa: E402
import incidents  # noqa: E402
import judge  # noqa: E402
import report  # noqa: E402

T0 = 1772829000
S = 10**9

# Two nodes with two cards of ten lines each. Node A has an S-VLAN for itself; cabinet K is card A/1.
LINES = {f"{node}{card}{i}": {"exchange": "X", "node": node, "card": card, "svlan": {"A": "7", "B": "8"}[node],
                              "cabinet": "K" if (node, card) == ("A", "1") else "L", "cpe_vendor": "V" if i % 2 else "W"}
         for node in "AB" for card in "12" for i in range(10)}


def lines(**wanted):
    return [n for n, row in LINES.items() if all(row[k] == v for k, v in wanted.items())]


def fault(number, kind, group_type, group, hit, on, off, **more):
    row = {"type": "fault", "fault_id": f"f{number}", "kind": kind, "class": "CARD_FAILURE", "category": "ACCESS_INFRA",
           "mix": "single", "group_type": group_type, "group": group, "members": len(hit), "mapped": True, "severity": 1,
           "smear_s": 0.5, "episodes": 1, "t_on": (T0 + on) * S, "t_off": (T0 + off) * S, "t_90_back": (T0 + off) * S,
           "hit": hit}
    return row | more


def incident(name, at, group_type, group, affected, state="OPEN", **more):
    return {"type": "incident", "incident_id": name, "state": state, "class": "CARD_FAILURE", "category": "ACCESS_INFRA",
            "group_type": group_type, "group": group, "open_unix_ns": (T0 + at) * S, "changed_unix_ns": (T0 + at) * S,
            "affected": affected, "members": 10} | more


def verdict(folder, faults, said):
    with open(folder / "inventory.csv", "w", encoding="utf-8") as f:
        f.write("line,exchange,node,card,svlan,cabinet,cpe_vendor\n")
        f.writelines(",".join([n, *row.values()]) + "\n" for n, row in LINES.items())
    with open(folder / "truth.jsonl", "w", encoding="utf-8") as f:
        for row in [{"type": "world", "first_unix_ns": T0 * S}, *faults]:
            print(json.dumps(row), file=f)
    with open(folder / "incidents.ndjson", "w", encoding="utf-8") as f:
        for row in said:
            print(json.dumps(row, separators=(",", ":")), file=f)
    found = incidents.read(folder / "incidents.ndjson").get("rasad", [])
    return judge.verdicts(books.Inventory(folder / "inventory.csv"), books.Truth(folder / "truth.jsonl", 1), 1,
                          {"rasad": found})["rasad"]


CARD = fault(1, "card", "card", "A/1", lines(node="A", card="1"), 100, 1000)
NODE = fault(2, "access_node", "access_node", "A", lines(node="A"), 100, 1000)
BENIGN = fault(3, "vendor_reboot", "cpe_vendor", "V", lines(cpe_vendor="V"), 100, 400, type="benign", smear_s=60)

# What it shows, faults, what was said, (found, exact, false, excused, own incidents that survive) of the first fault.
CASES = [
    ("named as it is", [CARD], [incident("a", 115, "card", "A/1", 8)], (True, True, 0, 0, 1)),
    ("named by its members", [CARD], [incident("a", 115, "cabinet", "K", 8)], (True, True, 0, 0, 1)),
    ("named by equivalence", [NODE], [incident("a", 115, "bras", "?", 8, equivalent_groups=["access_node:A"])],
     (True, True, 0, 0, 1)),
    ("the S-VLAN of the node", [NODE], [incident("a", 115, "svlan", "7", 15)], (True, True, 0, 0, 1)),
    ("too wide", [CARD], [incident("a", 115, "access_node", "A", 8)], (True, False, 0, 0, 1)),
    ("too narrow", [NODE], [incident("a", 115, "card", "A/1", 8)], (True, False, 0, 0, 1)),
    ("a card of another node", [CARD], [incident("a", 115, "card", "B/1", 8)], (False, False, 1, 0, 0)),
    ("not a word", [CARD], [], (False, False, 0, 0, 0)),
    ("too late", [CARD], [incident("a", 1100, "card", "A/1", 8)], (False, False, 0, 0, 1)),
    ("too early", [CARD], [incident("a", 50, "card", "A/1", 8)], (False, False, 1, 0, 0)),
    ("in two pieces", [NODE], [incident("a", 115, "card", "A/1", 8), incident("b", 115, "card", "A/2", 8)],
     (True, False, 0, 0, 2)),
    ("better known within a minute", [NODE],
     [incident("a", 115, "card", "A/1", 8), incident("b", 130, "access_node", "A", 15),
      incident("a", 130, "card", "A/1", 8, "SUPERSEDED", superseded_by="b")], (True, True, 0, 0, 1)),
    ("better known after two minutes", [NODE],
     [incident("a", 115, "card", "A/1", 8),
      incident("a", 240, "access_node", "A", 15, "UPDATED", open_unix_ns=(T0 + 115) * S)], (True, False, 0, 0, 1)),
    ("retracted", [CARD], [incident("a", 115, "card", "A/1", 8), incident("a", 130, "card", "A/1", 0, "RETRACTED")],
     (False, False, 1, 0, 0)),
    ("more than the fault explains", [CARD], [incident("a", 115, "card", "A/1", 30)], (True, True, 1, 0, 0)),
    ("devices of customers may restart", [CARD, BENIGN],
     [incident("a", 115, "cpe_vendor", "V", 12, category="PREMISES")], (True, False, 0, 1, 0)),
    ("but not as a network fault", [BENIGN], [incident("a", 115, "exchange", "X", 18)], (None, None, 1, 0, 0)),
]


def outcome(v):
    first = v.faults[0] if v.faults else None
    return (bool(first.found) if first else None, v.exact(first) if first else None, len(v.false), len(v.excused),
            sum(i.survives for i in first.own) if first else 0)


def main():
    failed = 0
    with tempfile.TemporaryDirectory(prefix="rasad-judge-") as scratch:
        for what, faults, said, expected in CASES:
            got = outcome(verdict(pathlib.Path(scratch), faults, said))
            if got != expected:
                failed += 1
                print(f"FAILED {what}: expected {expected}, got {got}")
        v = verdict(pathlib.Path(scratch), [NODE], [incident("a", 115, "card", "A/1", 8)])
        figures = report.Figures("rasad")
        figures.add(v, 1)
        text = report.table({"rasad": figures}) + "\n".join(report.misses(figures))
        for part in ("found, whole element fails | 100.0 %", "narrower: said card:A/1", "15 s (15–15)"):
            if part not in text:
                failed += 1
                print(f"FAILED report: no '{part}' in\n{text}")
    print(f"{len(CASES) + 3 - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
