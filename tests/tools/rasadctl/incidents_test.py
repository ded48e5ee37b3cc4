#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""rasadctl incidents and incident, against keys written by the contract in engine/publish/keyspace.h:
what the operator reads, and what a hostile writer can do to a terminal."""

import os
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from rasadctl_test import (BIN, PATIENCE_S, T, ctl, encode, expect, expect_in, main, put_card,  # noqa: E402
                           siphash, wait_for)

S = 10**9
OPEN, EVENTS = "rasad:{i}:inc:open", "rasad:{i}:inc:ev"
SEVERITIES = {"CRITICAL": 3, "MAJOR": 4, "MINOR": 5, "WARNING": 6}


def text_of(i, revision, state, severity, more):
    return f"""incident_id: "{i}" revision: {revision} state: INCIDENT_STATE_{state} severity: SEVERITY_{severity}
        class: INCIDENT_CLASS_NODE_OR_UPLINK category: CATEGORY_EXCHANGE_TRANSPORT channel: SYMPTOM_CHANNEL_DROP
        group_type: "access_node" group: "DSLAM-102" path: "country:IR" path: "exchange:Azadi"
        onset_unix_ns: {T} open_unix_ns: {T + 11 * S} changed_unix_ns: {T + 60 * S}
        collector: "pcap:eth0" epoch: 5 {more}"""


def put(redis, i, revision=1, state="OPEN", severity="MAJOR", more="affected: 2 affected_peak: 3 members: 24", ms=None):
    packed = encode("Incident", text_of(i, revision, state, severity, more))
    redis("SET", f"rasad:{{i}}:inc:{i}", packed)
    if state in ("OPEN", "UPDATED"):
        redis("ZADD", OPEN, SEVERITIES[severity] * 10**10 + T // S + 11, i)
    else:
        redis("ZREM", OPEN, i)
    redis("XADD", EVENTS, ms or "*", "t", "Incident", "v", "1", "k", f"{i}:{revision}", "p", packed)
    return packed


def watch(redis, epoch=5, running="true"):
    redis("SET", "rasad:{h}:health:pcap:eth0",
          encode("CollectorHealth", f'collector: "pcap:eth0" epoch: {epoch} running: {running}'))


FULL = f"""affected: 2 affected_peak: 3 affected_total: 3 members: 24 confidence: 0.98 eta_90_unix_ns: {T + 300 * S}
    equivalent_groups: "svlan:102" recommended_action: "call the exchange" text: "3 of 24 lines are down"
    evidence {{ k: 3 n: 24 mu: 0.01 fraction: 0.125 neg_log10_p: 7.2 llr: 12.5
        runner_up: "card:DSLAM-102/1" runner_up_llr: 8.5 suspect_only: 1 downstream_seen: true
        causes {{ cause: DROP_CAUSE_LINE_LOST lines: 3 }}
        children {{ group_type: "card" group: "DSLAM-102/1" bad: 3 members: 12 recovered_unix_ns: {T + 50 * S} }}
        healthy_siblings {{ group_type: "access_node" group: "DSLAM-101" members: 24 }} }}
    timeline {{ unix_ns: {T} what: "onset" }} timeline {{ unix_ns: {T + 11 * S} what: "opened" text: "by 3 lines" }}
    recovery {{ unix_ns: {T} down: 0 }} recovery {{ unix_ns: {T + 5 * S} down: 1 }}
    recovery {{ unix_ns: {T + 10 * S} down: 8 }} recovery {{ unix_ns: {T + 60 * S} down: 2 }}"""


def put_members(redis, i, down, recovered=(), more=""):
    ids = lambda names: sorted(siphash(name.encode()) for name in names)
    redis("SET", f"rasad:{{i}}:inc:{i}:mem", encode("MemberSet", f'incident_id: "{i}" ' + "".join(
        [f"down: {n} down_after_s: 4\n" for n in ids(down)] +
        [f"recovered: {n} recovered_after_s: 90\n" for n in ids(recovered)]) + more))


def test_list(server):
    run = ctl(server, "incidents")
    expect((run.code, run.out.splitlines()[1], run.err), (0, "no open incidents", ""))
    expect(ctl(server, "-o", "json", "incidents").out, "")
    watch(server.ask)
    put(server.ask, "warn", severity="WARNING", more="planned: true")
    put(server.ask, "full", 3, "UPDATED", more=FULL)
    put(server.ask, "crit", severity="CRITICAL")
    put(server.ask, "gone", 1)
    put(server.ask, "gone", 2, "CLEARED")
    run = ctl(server, "incidents")
    lines = run.out.splitlines()
    expect(([line.split()[0] for line in lines], run.err), (["INCIDENT", "crit", "full", "warn"], ""))
    expect(lines[2].split("  ")[-1].strip(), "country IR > exchange Azadi > access_node DSLAM-102")
    for part in ("MAJOR", "NODE_OR_UPLINK", "EXCHANGE_TRANSPORT", "2/3 of 24", "2023-11-14 22:13:20", "98%", "22:18"):
        expect_in(lines[2], part)
    expect_in(lines[3], "[planned]")
    assert "nobody" not in run.out and "▲" in lines[2], run.out  # 0 a minute ago
    expect([i["incident_id"] for i in ctl(server, "-o", "json", "incidents").json()], ["crit", "full", "warn"])
    expect([i["incident_id"] for i in ctl(server, "-o", "json", "incidents", "-n", "1").json()], ["crit"])


def test_all_is_the_last_word_of_each(server):
    for i in range(210):  # more than one page
        put(server.ask, f"i{i:03}", 1, ms=f"{1000 + i}-1")
        put(server.ask, f"i{i:03}", 2, "CLEARED" if i else "UPDATED", ms=f"{1000 + i}-2")
    server.ask("DEL", "rasad:{i}:inc:i209")  # the stream knows it still
    all_of_them = ctl(server, "-o", "json", "incidents", "--all").json()
    expect([i["incident_id"] for i in all_of_them], ["i000"] + [f"i{i:03}" for i in range(209, 0, -1)])
    expect({i["revision"] for i in all_of_them}, {2})
    expect(len(ctl(server, "-o", "json", "incidents", "--all", "-n", "7").json()), 7)
    expect_in(ctl(server, "incidents", "--all", "-n", "2").out.splitlines()[2], "CLEARED")


def test_nobody_watches(server):
    put(server.ask, "a")
    for health in ((), (6,), (5, "false")):
        if health:
            watch(server.ask, *health)
        expect_in(ctl(server, "incidents").out, "[nobody watches it now]")
        expect_in(ctl(server, "incident", "a").out, "nobody watches it now: pcap:eth0 does not report")
    watch(server.ask)
    assert "nobody" not in ctl(server, "incidents").out + ctl(server, "incident", "a").out


def test_follow(server):
    put(server.ask, "old", more=FULL)
    process = subprocess.Popen([BIN, "--redis", server.url, "incidents", "--follow"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "TZ": "UTC"})
    got = []
    reader = threading.Thread(target=lambda: got.extend(iter(process.stdout.readline, b"")))
    reader.start()
    try:
        wait_for(lambda: b"cmd=xread" in server.ask("CLIENT", "LIST"))
        put(server.ask, "new")
        put(server.ask, "old", 2, "CLEARED")
        wait_for(lambda: len(got) == 4)
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(PATIENCE_S)
        reader.join()
    text = [line.decode() for line in got]
    assert text[1].startswith("old "), text
    assert text[2].startswith("2023-11-14 22:14:20 OPEN       new "), text
    assert text[3].startswith("2023-11-14 22:14:20 CLEARED    old "), text
    expect((code, process.stderr.read()), (0, b""))


def test_detail(server):
    watch(server.ask)
    put(server.ask, "full", 3, "UPDATED", more=FULL)
    put_members(server.ask, "full", ["a", "no card"], ["b"])
    put_card(server.ask, "a", "last_down_cause: DROP_CAUSE_LINE_LOST",
             'subscriber: "ua@isp.test" state: LINE_STATE_DOWN')
    put_card(server.ask, "b", summary="state: LINE_STATE_UP")
    run = ctl(server, "incident", "full")
    expect((run.code, run.err), (0, ""))
    for part in ("MAJOR NODE_OR_UPLINK: the access node or its uplink (EXCHANGE_TRANSPORT)", "3 of 24 lines are down",
                 "country IR > exchange Azadi > access_node DSLAM-102", "svlan 102: the very same lines",
                 "UPDATED, revision 3 of 2023-11-14 22:14:20", "opened 11 s later", "90 % about 2023-11-14 22:18:20",
                 "2 affected now, 3 at the worst, 3 in all, of 24", "98%", "call the exchange",
                 "3.0       24       0.01    12 %  10^-7.2      12.5",
                 "runner-up card DSLAM-102/1: LLR 8.5, it explains the lines e^4.0 times less well",
                 "3 lines: the modem went silent", "1 only silent yet", "subscribers: none; to them: still seen",
                 "card DSLAM-102/1: 3 of 12 affected, 90 % back 2023-11-14 22:14:10",
                 "fine       access_node DSLAM-101: 0 of 24 affected", "2023-11-14 22:13:31  opened: by 3 lines",
                 "_▁█▂  most 8, now 2; 2023-11-14 22:13:20 to 22:14:20", "2 bad, 1 back:"):
        expect_in(run.out, part)
    members = {line.split()[0]: line for line in run.out.splitlines()[-3:]}
    expect_in(members["a"], "ua@isp.test              DOWN     bad 4 s after the onset: the modem went silent")
    expect_in(members[f"{siphash(b'no card'):016x}"], "no card  bad 4 s after the onset")
    expect_in(members["b"], "UP       back 90 s after the onset")
    incident, members = ctl(server, "-o", "json", "incident", "full").json()
    expect((incident["type"], members["type"]), ("incident", "member_set"))
    expect(members["recovered_after_s"], [90])


def test_many_members(server):
    put(server.ask, "big")
    put_members(server.ask, "big", [f"line {i}" for i in range(500)], more="left_out: 7")
    run = ctl(server, "incident", "big")
    expect_in(run.out, "500 bad, 0 back, 7 more are not told; the first of them (-n N for more):")
    expect(run.out.count("no card"), 20)
    expect(ctl(server, "incident", "big", "-n", "1000").out.count("no card"), 500)


def test_not_found(server):
    for i in ("nobody", "ev", "open", "a:b", "", "a\033[31m", "x" * 65):
        run = ctl(server, "incident", i)
        expect((run.code, run.out), (1, ""))
        assert "\033" not in run.err
    put(server.ask, "a")
    expect(ctl(server, "incident", "a").code, 0)  # without its members


HOSTILE = "evil\\033]0;owned\\007\\302\\233\\342\\200\\256\\nname"


def hostile_texts():
    h = HOSTILE
    return f"""path: "{h}" path: "{h}:{h}" equivalent_groups: "{h}" recommended_action: "{h}" text: "{h}"
        superseded_by: "{h}" supersedes: "{h}" group: "{h}" group_type: "{h}" collector: "{h}" confidence: nan
        evidence {{ runner_up: "{h}" k: inf n: 1e308 llr: nan mu: -1e308 fraction: 1e300
          children {{ group_type: "{h}" group: "{h}" }}
          healthy_siblings {{ group_type: "{h}" group: "{h}" recovered_unix_ns: {2**63 - 1} }}
          causes {{ cause: 99 lines: {2**64 - 1} }} }}
        timeline {{ what: "{h}" text: "{h}" unix_ns: {-2**63} }} timeline {{ }}
        recovery {{ unix_ns: {-2**63} down: {2**64 - 1} }} recovery {{ unix_ns: {2**63 - 1} down: 1 }}
        clear_unix_ns: {-2**63} eta_90_unix_ns: {2**63 - 1} affected: {2**64 - 1} reopen_count: 4294967295"""


BIDI = "\u202a\u202b\u202c\u202d\u202e"  # JSON leaves them: it is for programs


def assert_harmless(run, also=BIDI):
    for c in run.out + run.err:
        assert c == "\n" or c >= " " and not "\x7f" <= c <= "\x9f" and c not in also, f"{c!r} in {run.out + run.err!r}"


def test_hostile_values(server):
    packed = encode("Incident", f'''incident_id: "evil" revision: 4294967295 severity: 99 class: -7 state: 1
        onset_unix_ns: {-2**63} open_unix_ns: {2**63 - 1} {hostile_texts()}''')
    server.ask("SET", "rasad:{i}:inc:evil", packed)
    server.ask("ZADD", OPEN, "1", "evil")
    server.ask("XADD", EVENTS, "*", "t", "Incident", "p", packed)
    put_members(server.ask, "evil", ["a"])
    put_card(server.ask, "a", summary=f'subscriber: "{HOSTILE}"')
    for args in (("incidents",), ("incidents", "--all"), ("incident", "evil")):
        run = ctl(server, *args)
        expect(run.code, 0)
        expect_in(run.out, "evil")
        assert_harmless(run)
        run = ctl(server, "-o", "json", *args)
        assert run.json()
        assert_harmless(run, also="")
    expect(len(ctl(server, "incidents").out.splitlines()), 2)  # one fault, one line


def test_foreign_values(server):
    """What is no incident is told and passed over."""
    put(server.ask, "good")
    server.ask("SET", "rasad:{i}:inc:garbage", b"\xff\xff")
    server.ask("SET", "rasad:{i}:inc:bomb", b"\xd2\x01\x00" * 2**17)  # small bytes, large memory
    server.ask("SET", "rasad:{i}:inc:big", b"x" * 2**21)
    server.ask("LPUSH", "rasad:{i}:inc:list", "x")
    for i in ("garbage", "bomb", "big", "list", "gone", "ev", "a b", "\033[31m"):
        server.ask("ZADD", OPEN, "1", i)
    run = ctl(server, "incidents")
    expect((run.code, len(run.out.splitlines())), (0, 2))
    expect(run.err.count("expected an Incident") + run.err.count("is no incident"), 8)
    assert_harmless(run)
    for i in ("garbage", "bomb", "big", "list"):
        expect((ctl(server, "incident", i).code, ctl(server, "incident", i).out), (1, ""))
    server.ask("XADD", EVENTS, "*", "t", "\033[31m", "p", b"\xff\xff")
    server.ask("XADD", EVENTS, "*", "x", "y")
    run = ctl(server, "incidents", "--all")
    expect((run.code, len(run.out.splitlines())), (0, 2))
    assert_harmless(run)
    server.ask("DEL", OPEN, EVENTS)
    server.ask("SET", OPEN, "no set")
    run = ctl(server, "incidents")
    expect(run.code, 1)
    expect_in(run.err, "WRONGTYPE")


def test_gaps_are_events(server):
    for ms, more in ((1000, ""), (2000, f"until_unix_ns: {T + 90 * S}"), (3000, f"until_unix_ns: {2**63 - 1}")):
        server.ask("XADD", "rasad:{e00}:ev", f"{ms}-0", "t", "GapNotice", "v", "1", "k", f"x:{ms}", "p", encode(
            "GapNotice", f'unix_ns: {T + 90 * S} tap: "pcap:eth0\\033" since_unix_ns: {T if ms < 3000 else -2**63} '
            f'reason: "silent" lines: 24 dropped: 7 {more}'))
    run = ctl(server, "events")
    expect((run.code, run.err), (0, ""))
    assert_harmless(run)
    lines = run.out.splitlines()
    expect_in(lines[0], "GAP          pcap:eth0")
    expect_in(lines[0], "not seen (silent) since 2023-11-14 22:13:20; 24 lines unknown, 7 packets lost")
    expect_in(lines[1], "not seen (silent) from 2023-11-14 22:13:20 for 90 s; 24 lines unknown")
    expect(ctl(server, "events", "--line", "pcap:eth0").out, "")
    expect(ctl(server, "-o", "json", "events").json()[0]["type"], "gap_notice")


def test_usage(server):
    for args in (("incident",), ("incident", "a", "b"), ("incident", "--all", "a"), ("incidents", "a"),
                 ("incidents", "-n", "0"), ("health", "--all"), ("incidents", "--since", "1h")):
        run = ctl(server, *args)
        expect((args, run.code, run.out), (args, 2, ""))
    for args in (("incidents", "--help"), ("incident", "-h")):
        expect_in(ctl(server, *args).out, "Usage: rasadctl")


if __name__ == "__main__":
    names = {name: test for name, test in globals().items() if name.startswith("test_")}
    sys.exit(main(names))
