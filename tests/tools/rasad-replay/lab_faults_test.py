#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Faults of many lines in the lab captures: what was cut and stopped, as truth.json tells.

S5 has an S-VLAN cut and one without power; in S7 RADIUS stops twice, half a minute apart, which is
one incident that goes on.  Both in a row are one tap with a gap, in which every line dials anew:
no fault more.  The other captures have none.
"""

import json

import judge

S = 10**9
ONSET_S, OPEN_S = 2, 30
ALONE = ("S1F", "S2", "S4", "S10")
NODE, POWER = ("NODE_OR_UPLINK", "EXCHANGE_TRANSPORT"), ("AREA_POWER", "PREMISES")
AAA = ("AAA", "ISP_CORE_UPSTREAM")
# capture -> the event that begins it, the group, class and category, the first evidence after it
FAULTS = {
    "S5": ((("dslam-down", 102), "access_node:DSLAM-102", NODE, 2),
           (("dslam-down", 103), "access_node:DSLAM-103", POWER, 2)),
    "S7": ((("radius-down", None), "bras:02:b0:00:00:00:01", AAA, 12),),
}


def begin_of(folder, kind, svlan):
    events = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["events"]
    return next(e["t"] for e in events if e["kind"] == kind and e.get("svlan") == svlan)


def last_words(result):
    last = {}
    for event in result.objects["incident"]:
        last[event["incident_id"]] = event
    return sorted(last.values(), key=lambda e: e["onset_unix_ns"])


def check(score, program, lab, names):
    title = " and ".join(names)
    result = judge.run(program, "-q", *(lab / n / "access.pcap" for n in names))
    judge.check_clean(score, title, result)
    incidents = last_words(result)
    wanted = [(lab / name, *fault) for name in names for fault in FAULTS.get(name, ())]
    if not score.equal(f"{title} incidents", len(wanted), len(incidents)):
        return
    for incident, (folder, begin, group, what, evidence_s) in zip(incidents, wanted):
        name, at_s = f"{title} {group}", begin_of(folder, *begin)
        groups = [f'{incident["group_type"]}:{incident["group"]}', *incident["equivalent_groups"]]
        score.check(group in groups, f"{name} group", group, groups)
        score.equal(f"{name} class", what, (incident["class"], incident["category"]))
        score.near(f"{name} onset", at_s, incident["onset_unix_ns"] / S, ONSET_S)
        opened_s = incident["open_unix_ns"] / S - at_s
        score.check(0 <= opened_s <= evidence_s + OPEN_S, f"{name} open", "soon", opened_s)


def main():
    args = judge.parse(judge.arguments(__doc__))
    score = judge.Score()
    lab = judge.shared("lab")
    if lab is None:
        score.skip("no ../shared/lab (or $RASAD_SHARED)")
        score.finish()
    for names in (("S5",), ("S7",), ("S5", "S7"), *((name,) for name in ALONE)):
        check(score, args.program, lab, names)
    score.finish()


main()
