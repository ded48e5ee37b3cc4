#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""rasad-desk --offline: files of cards, incidents and calls; and how good the answers are on one small
simulated network, so that a change which makes them worse is seen at once."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("RASAD_BIN") or ROOT / "build/bin")
ASAN = pathlib.Path(os.environ.get("RASAD_ASAN_BIN") or BIN)
T = 1763202900 * 10**9
MIN = 60 * 10**9
GROUPS = [{"group_type": "card", "group": "D1/3"}, {"group_type": "access_node", "group": "D1"}]


def card(line, phone, at=0, state="UP", **more):
    summary = {"line": line, "state": state, "last_upstream_unix_ns": int(T + at * MIN)}
    if state == "DOWN":
        summary["down_since_unix_ns"] = int(T + at * MIN)
    return {"type": "subscriber_card", "unix_ns": int(T + at * MIN), "summary": summary, "phone": phone,
            "exchange": "T3", "groups": GROUPS, "up_since_unix_ns": T - 9000 * MIN} | more


def call(number, at, phone, complaint="OUTAGE"):
    return {"type": "call_event", "call_id": f"c{number}", "unix_ns": int(T + at * MIN), "phone": phone, "complaint": complaint}


def incident(at, state="OPEN", revision=1, **more):
    return {"type": "incident", "incident_id": "I1", "revision": revision, "state": state, "class": "CARD_FAILURE",
            "category": "ACCESS_INFRA", "group_type": "card", "group": "D1/3", "onset_unix_ns": T,
            "open_unix_ns": T + MIN, "changed_unix_ns": T + at * MIN, "affected": 2, "affected_peak": 2,
            "members": 2, "confidence": 0.95} | more


def desk(rows, expected=0):
    text = "".join((json.dumps(r) if isinstance(r, dict) else r) + "\n" for r in rows)
    done = subprocess.run([ASAN / "rasad-desk", "--offline", "-"], input=text, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == expected, (done.returncode, done.stderr)
    return [json.loads(t) for t in done.stdout.splitlines()], done.stderr


def a_call_is_answered_and_answered_again():
    rows = [card("L1", "02188770001"), card("L2", "02188770002"), card("L1", "02188770001", 1, "DOWN"),
            call(1, 2, "۰۲۱۸۸۷۷۰۰۰۱"), incident(3), call(2, 4, "02188770002", "SLOW"), call(3, 4, "02144440000")]
    answers, _ = desk(rows)
    assert [(a["call_id"], a["revision"]) for a in answers] == [("c1", 1), ("c1", 2), ("c2", 1), ("c3", 1)]
    first, second, third, fourth = answers
    assert first["hypotheses"][0]["kind"] == "OWN_LINE" and "incident_id" not in first
    assert second["verdict"] == "MATCHED" and second["incident_id"] == "I1" and second["supersedes"] == 1
    assert second["category"] == "ACCESS_INFRA" and second["line"] == "L1"
    assert third["verdict"] != "NO_FAULT_FOUND"  # up, but nobody measured anything
    assert fourth["verdict"] == "UNKNOWN_SUBSCRIBER"
    assert desk(rows)[0] == answers


def a_superseded_incident_takes_its_calls_along():
    wider = incident(4, incident_id="I2", group_type="access_node", group="D1", supersedes=["I1"])
    rows = [card("L1", "02188770001"), card("L1", "02188770001", 1, "DOWN"), incident(2), call(1, 3, "02188770001"),
            wider, incident(4, "SUPERSEDED", 2, superseded_by="I2")]
    answers, _ = desk(rows)
    assert answers[0]["incident_id"] == "I1" and answers[-1]["incident_id"] == "I2"
    rows[-1] = incident(4, "RETRACTED", 2)
    answers, _ = desk(rows[:4] + rows[5:])
    assert answers[0]["incident_id"] == "I1" and "incident_id" not in answers[-1] and answers[-1]["revision"] == 2


def two_lines_on_one_phone():
    answers, _ = desk([card("A", "02188770001"), card("B", "02188770001"), card("B", "02188770001", 1, "DOWN"),
                       call(1, 2, "02188770001")])
    assert answers[0]["line"] == "B" and answers[0]["other_lines"] == ["A"]


def callers_who_know_more_than_the_network():
    rows = [card(f"L{i}", f"0218877{i:04}", recent={"packets_up": 9, "bytes_up": 9, "bytes_down": 9, "rtt": {
        "line": {"n": 30, "p50_us": 9000}, "access": {"n": 300, "p50_us": 12000}}}) for i in range(12)]
    rows += [card(f"L{i}", f"0218877{i:04}", 1 + i / 2, recent=rows[0]["recent"]) for i in range(12)]
    rows += [call(i, 8 + i / 4, f"0218877{i:04}", "SLOW") for i in range(12)] + [call(99, 13, "02188770000", "SLOW")]
    told = [a for a in desk(rows)[0] if a["type"] == "incident"]
    assert told and told[0]["class"] == "CALLS_WITHOUT_NETWORK_SYMPTOM", told
    assert told[0]["channel"] == "CALLS" and told[0]["evidence"]["children"]


def what_is_wrong_is_told_and_passed_over():
    answers, errors = desk(["{", '{"type":"flow_summary"}', card("L1", "02188770001"), call(1, 1, "02188770001"),
                            '{"type":"call_event","call_id":"x y","phone":"1","unix_ns":%d}' % T], 1)
    assert len(answers) == 1
    assert "-:1:" in errors and "-:2:" in errors and "-:5: \"call_id\"" in errors, errors
    done = subprocess.run([ASAN / "rasad-desk", "--offline", "/nonexistent"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "/nonexistent: No such file" in done.stderr


def answers_on_a_simulated_network():
    sys.path.insert(0, str(ROOT / "tests/eval"))
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory(prefix="rasad-test-") as folder:
        done = subprocess.run([ROOT / "tools/dev/eval-calls", "--seeds", "9", "--lines", "6000", "--days", "1", "--json",
                               f"{folder}/figures.json"], env=os.environ | {"RASAD_BIN": str(BIN)},
                              capture_output=True, text=True, timeout=280, check=False)
        assert done.returncode == 0, done.stderr
        figures = json.loads(pathlib.Path(folder, "figures.json").read_text(encoding="utf-8"))
    assert figures["calls"] > 100, figures
    assert figures["top1"]["rate"] >= 0.88 and figures["top1"]["rate"] > figures["b5_top1"]["rate"], figures
    assert figures["reassured"]["rate"] < 0.02, figures


def main():
    tests = [a_call_is_answered_and_answered_again, a_superseded_incident_takes_its_calls_along, two_lines_on_one_phone,
             callers_who_know_more_than_the_network, what_is_wrong_is_told_and_passed_over,
             answers_on_a_simulated_network]
    failed = 0
    for test in tests:
        try:
            test()
        except (AssertionError, subprocess.TimeoutExpired, IndexError) as e:
            failed += 1
            print(f"{test.__name__}: {type(e).__name__} {e}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
