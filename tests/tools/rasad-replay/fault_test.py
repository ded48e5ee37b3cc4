#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Faults of many lines, from packets to incidents, against the truth of rasad-gen.

Each fault of `rasad-gen --scenario outage` must give exactly one incident: of the right group,
class and category, begun when the fault did, open soon after the first evidence, and clear soon
after the end.  A clean town, single lines that flap, and a tap that sees one direction only must
give none.  A tap that is blind gives a gap notice, and not a word about its lines; an outage
that another tap sees meanwhile is found all the same.  The number of workers changes nothing.
"""

import pathlib
import re
import subprocess
import tempfile

import capture
import judge

EPOCH_S = 1795512000
S = 10**9
BRAS = "02:b0:00:00:00:01"
ONSET_S, CLEAR_S = 2, 120
OPEN_S = 30                 # after the first evidence
NODE_LINES = 12

# fault, how long, seed -> class, category, group, and how soon there is evidence for certain:
# a modem is asked every 10 s, a name wanted every few; whoever dials is refused after 9 s.
EXPECTED = (
    ("svlan", 75, 1, "NODE_OR_UPLINK", "EXCHANGE_TRANSPORT", "access_node:DSLAM-102", 2),
    ("power", 20, 1, "AREA_POWER", "PREMISES", "access_node:DSLAM-102", 2),
    ("card", 75, 1, "CARD_FAILURE", "ACCESS_INFRA", "card:DSLAM-102/0/2", 2),
    ("uplink", 75, 1, "UPSTREAM", "ISP_CORE_UPSTREAM", "bras:" + BRAS, 2),
    ("blackhole", 75, 2, "UPSTREAM", "ISP_CORE_UPSTREAM", "bras:" + BRAS, 2),
    ("dns", 75, 1, "DNS", "ISP_CORE_UPSTREAM", "resolver:192.0.2.53", 2),
    ("servfail", 75, 2, "DNS", "ISP_CORE_UPSTREAM", "resolver:192.0.2.53", 2),
    ("radius", 75, 1, "AAA", "ISP_CORE_UPSTREAM", "bras:" + BRAS, 25),
    ("bras", 60, 1, "BRAS", "ISP_CORE_UPSTREAM", "bras:" + BRAS, 2),
    ("hang", 20, 2, "BRAS", "ISP_CORE_UPSTREAM", "bras:" + BRAS, 2),
)


class Rig:
    def __init__(self, replay, folder):
        self.replay, self.folder = replay, pathlib.Path(folder)

    def generate(self, fault, for_s=75, seed=1, lines=48):
        out = self.folder / f"{fault}.pcap"
        subprocess.run([self.replay.parent / "rasad-gen", "--scenario", "outage", "--fault", fault,
                        "--fault-for", str(for_s), "--seed", str(seed), "--lines", str(lines),
                        "--snaplen", "160",
                        "-o", out], check=True, capture_output=True)
        return out

    def run(self, score, name, *files):
        result = judge.run(self.replay, "-q", *files)
        judge.check_clean(score, name, result)
        return result


def at(event, key):
    value = event.get(key)
    return None if value is None else value / S - EPOCH_S


def last_words(result):
    """The last revision of each incident."""
    last = {}
    for event in result.objects["incident"]:
        last[event["incident_id"]] = event
    return list(last.values())


def groups_of(incident):
    return [f'{incident["group_type"]}:{incident["group"]}', *incident.get("equivalent_groups", ())]


def check_incident(score, name, incident, expected):
    fault, for_s, _, wanted_class, category, group, evidence_s = expected
    score.equal(f"{name} class", wanted_class, incident["class"])
    score.equal(f"{name} category", category, incident["category"])
    score.check(group in groups_of(incident), f"{name} group", group, groups_of(incident))
    onset_tolerance = evidence_s if fault == "radius" else ONSET_S
    score.near(f"{name} onset", 90, at(incident, "onset_unix_ns"), onset_tolerance)
    opened = at(incident, "open_unix_ns")
    score.check(90 <= opened <= 90 + evidence_s + OPEN_S, f"{name} open", "soon after 90 s", opened)
    score.equal(f"{name} state", "CLEARED", incident["state"])
    cleared = at(incident, "clear_unix_ns")
    score.check(cleared is not None and 90 + for_s <= cleared <= 90 + for_s + CLEAR_S,
                f"{name} clear", f"soon after {90 + for_s} s", cleared)


def test_faults(score, rig):
    for expected in EXPECTED:
        name, for_s, seed = expected[:3]
        result = rig.run(score, name, rig.generate(name, for_s, seed))
        incidents = last_words(result)
        if score.equal(f"{name} incidents", 1, len(incidents)):
            check_incident(score, name, incidents[0], expected)
        score.equal(f"{name} gaps", 0, len(result.objects["gap_notice"]))


def test_nothing(score, rig):
    for name, seed in (("none", 1), ("none", 2), ("flaps", 1), ("flaps", 2), ("upstream", 1)):
        result = rig.run(score, f"{name} {seed}", rig.generate(name, 75, seed))
        score.equal(f"{name} {seed} incidents", [], last_words(result))
        score.equal(f"{name} {seed} gaps", [], result.objects["gap_notice"])


def test_twice_the_town(score, rig):
    """Where many lines are, a few that go at times of their own are more, and still no fault; nor
    are those that dial again, while nobody lets them in, an exhausted pool."""
    result = rig.run(score, "flaps, 96 lines", rig.generate("flaps", seed=201, lines=96))
    score.equal("flaps, 96 lines: no incident", [], last_words(result))
    for fault in ("radius", "reject"):
        result = rig.run(score, f"{fault}, 96 lines", rig.generate(fault, seed=102, lines=96))
        classes = [incident["class"] for incident in last_words(result)]
        score.equal(f"{fault}, 96 lines: one incident", ["AAA"], classes)


def check_gap(score, name, result, since_s, until_s, lines):
    gaps = result.objects["gap_notice"]
    if not score.equal(f"{name} notices", 2, len(gaps)):
        return
    score.check("until_unix_ns" not in gaps[0], f"{name} begins open", "no end", gaps[0])
    for gap in gaps:
        score.near(f"{name} since", since_s, at(gap, "since_unix_ns"), 1)
        score.equal(f"{name} reason", "silent", gap.get("reason"))
        score.equal(f"{name} lines", lines, gap.get("lines"))
    score.near(f"{name} until", until_s, at(gaps[1], "until_unix_ns"), 1)


def test_blind(score, rig):
    """The tap sees nothing for 75 s: longer than every timer of a session."""
    result = rig.run(score, "blind", rig.generate("blind"))
    check_gap(score, "blind", result, 90, 165, 4 * NODE_LINES)
    score.equal("blind incidents", [], last_words(result))
    late = [e for e in result.objects["session_event"] if at(e, "unix_ns") > 60]
    score.equal("blind events", [], late)


def split(folder, source, keep):
    """The frames of a capture for which keep(tap, S-VLAN, seconds) holds, by tap 0 and 1."""
    rows = [[], []]
    for unix_ns, length, raw in capture.packets(source):
        vlan = capture.Frame(unix_ns, raw).vlans[0]
        tap = vlan >= 103
        if keep(tap, vlan, unix_ns / S - EPOCH_S):
            rows[tap].append((unix_ns, length, raw))
    names = [folder / "tap-a.pcap", folder / "tap-b.pcap"]
    for name, chosen in zip(names, rows):
        capture.write(name, chosen)
    return names


def test_two_taps(score, rig):
    """One tap is blind while behind the other a node is cut."""
    source = rig.generate("svlan")
    names = split(rig.folder, source, lambda tap, _, s: not (tap == 1 and 85 < s < 150))
    result = rig.run(score, "two taps", *names)
    check_gap(score, "two taps", result, 85, 150, 2 * NODE_LINES)
    score.check(result.objects["gap_notice"][0].get("tap", "").endswith("tap-b.pcap"),
                "two taps, the blind one", "tap-b.pcap", result.objects["gap_notice"][:1])
    incidents = last_words(result)
    if score.equal("two taps incidents", 1, len(incidents)):
        check_incident(score, "two taps", incidents[0], EXPECTED[0])


def test_files_in_a_row(score, rig):
    """A capture in two files, one after the other, is one tap: no file's end is a silence."""
    source = rig.generate("none")
    rows = [(t, n, raw) for t, n, raw in capture.packets(source)]
    names = [rig.folder / "first.pcap", rig.folder / "second.pcap"]
    capture.write(names[0], [r for r in rows if r[0] / S - EPOCH_S < 120])
    capture.write(names[1], [r for r in rows if r[0] / S - EPOCH_S >= 120])
    result = rig.run(score, "files in a row", *names)
    score.equal("files in a row, gaps", [], result.objects["gap_notice"])
    score.equal("files in a row, incidents", [], last_words(result))


def without_elapsed(text):
    return re.sub(r'"elapsed_s":[0-9.]+', "", text)


def test_workers(score, rig):
    for fault in ("blind", "dns", "bras", "blackhole"):
        source = rig.folder / f"{fault}.pcap"
        texts = [without_elapsed(judge.run(rig.replay, "-q", "--workers", n, source).stdout)
                 for n in (1, 2, 4)]
        for n, text in zip((2, 4), texts[1:]):
            score.check(text == texts[0], f"{fault} with {n} workers", "the same bytes", "others")


def main():
    args = judge.parse(judge.arguments(__doc__))
    score = judge.Score()
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(args.program, folder)
        for test in (test_faults, test_nothing, test_twice_the_town, test_blind, test_two_taps, test_files_in_a_row,
                     test_workers):
            test(score, rig)
    score.finish()


main()
