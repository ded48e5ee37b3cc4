#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What one desk of many does: answers of calls that came before the fault was detected, call-backs
after the repair, calls that no incident explains; and what happens when that desk is killed."""

import time

import rig
from rig import INCIDENTS, NS, OPEN, Desk, Store, decode, expect, sub_id, wait_for

CUT = "01TESTCUT"


def line_of(i, node=1):
    return f"DSLAM-{node} {i}"


def phone_of(i, node=1):
    return f"+9821887{node:02}{i:03}"


def town(folder, lines=6, node=1, **more):
    store = Store(folder)
    for i in range(lines):
        store.put_line(line_of(i, node), phone_of(i, node), node=f"DSLAM-{node}", **more)
    return store


def leaders(desks):
    return [desk for desk in desks if desk.process.poll() is None and desk.get("/v1/health")[1]["leader"]]


def call(i, node=1, complaint="OUTAGE"):
    return {"call_id": f"c{node}-{i}", "phone": phone_of(i, node), "complaint": complaint}


def test_one_leads(folder):
    """Of three desks one leads; when it is killed another does, with a larger token; when it ends, at once."""
    store = town(folder, 1)
    desks = [Desk(store).ready() for _ in range(3)]
    first, = wait_for(lambda: leaders(desks), "a leader")
    token = int(store.ask("GET", "rasad:{m}:lease").split(b":")[0])
    first.kill()
    second, = wait_for(lambda: leaders(desks), "a leader after the kill")
    assert int(store.ask("GET", "rasad:{m}:lease").split(b":")[0]) > token
    second.stop()
    start = time.monotonic()
    wait_for(lambda: leaders(desks), "a leader after the end")
    assert time.monotonic() - start < 4
    store.kill()
    store.start()
    wait_for(lambda: len(leaders(desks)) == 1, "a leader after a restart of Redis")


def test_late_binding(folder):
    """Calls before detection get a second answer from one desk only, whichever answered them first; others do not."""
    store = town(folder)
    store.put_line(line_of(0, 2), phone_of(0, 2), node="DSLAM-2")
    desks = [Desk(store).ready() for _ in range(3)]
    wait_for(lambda: leaders(desks), "a leader")
    for i in range(6):
        status, match = desks[i % 3].post(call(i))
        expect((status, match["revision"], match.get("incident_id")), (200, 1, None))
    desks[0].post(call(0, 2))
    for i in range(5):  # line 5 is in the same node and well
        store.put_line(line_of(i), phone_of(i), state="DOWN")
    store.put_incident(CUT, down=[line_of(i) for i in range(5)], onset_ns=time.time_ns() - 60 * NS)
    wait_for(lambda: sum(k.endswith(":2") for k in store.answers_out()) >= 5, "second answers")
    for i in range(5):
        status, match = desks[(i + 1) % 3].get(f"/v1/calls/c1-{i}")
        expect((match["revision"], match["supersedes"], match["verdict"], match["incident_id"]), (2, 1, "MATCHED", CUT))
        assert match["probability"] > 0.9, match
    expect(desks[0].get("/v1/calls/c2-0")[1]["revision"], 1)
    for desk in desks:
        wait_for(lambda d=desk: d.get("/v1/incidents/" + CUT)[1]["calls"]["subscribers"] == 5, "five callers, on each desk")
    store.put_incident(CUT, revision=2, state="UPDATED", down=[line_of(i) for i in range(5)])
    time.sleep(0.5)  # nothing has changed for the calls: nothing may come
    answers = store.answers_out()
    expect(len(answers), len(set(answers)))
    assert not any(k.endswith(":3") for k in answers), answers
    expect(sum(desk.metric("revised_total") for desk in desks), sum(k.endswith(":2") for k in answers))


def test_late_binding_survives_the_leader(folder):
    """The incident comes when the leader, which had answered all calls, is dead."""
    store = town(folder, 3)
    first = Desk(store).ready()
    wait_for(lambda: leaders([first]), "a leader")
    for i in range(3):
        first.post(call(i))
    first.kill()
    for i in range(3):
        store.put_line(line_of(i), phone_of(i), state="DOWN")
    store.put_incident(CUT, down=[line_of(i) for i in range(3)])
    second = Desk(store).ready()
    wait_for(lambda: sum(k.endswith(":2") for k in store.answers_out()) == 3, "second answers")
    expect(second.get("/v1/calls/c1-0")[1]["incident_id"], CUT)


def test_answer_that_came_late(folder):
    """A desk that did not know of the incident yet stores its answer after the leader has looked for calls."""
    store = town(folder, 1, state="DOWN")
    desk = Desk(store).ready()
    wait_for(lambda: leaders([desk]), "a leader")
    store.put_incident(CUT, down=[line_of(0)])
    wait_for(lambda: desk.metric("incidents_open") == 1, "the incident")
    time.sleep(0.5)  # the leader has looked
    answer = rig.encode("CallMatch", f"""call_id: "late" revision: 1 verdict: VERDICT_NO_FAULT_FOUND
        sub_id: "{sub_id(line_of(0))}" groups: "access_node:DSLAM-1" call_unix_ns: {time.time_ns()}
        call {{ call_id: "late" phone: "{phone_of(0)}" complaint: COMPLAINT_OUTAGE unix_ns: {time.time_ns()} }}""")
    store.ask("SET", "rasad:{c}:call:late", answer)
    store.ask("XADD", rig.CALLS_OUT, "*", "t", "CallMatch", "v", "1", "k", "late:1", "p", answer)
    wait_for(lambda: "late:2" in store.answers_out(), "a second answer")
    expect(desk.get("/v1/calls/late")[1]["incident_id"], CUT)


def test_gone_incident(folder):
    """An incident that is retracted explains nothing any more."""
    store = town(folder, 3, state="DOWN")
    desk = Desk(store).ready()
    store.put_incident(CUT, down=[line_of(i) for i in range(3)])
    wait_for(lambda: desk.metric("incidents_open") == 1, "the incident")
    expect(desk.post(call(0))[1]["incident_id"], CUT)
    for i in range(3):
        store.put_line(line_of(i), phone_of(i))
    store.put_incident(CUT, revision=2, state="RETRACTED")
    match = wait_for(lambda: (lambda m: not m.get("incident_id") and m)(desk.get("/v1/calls/c1-0")[1]), "another answer")
    expect((match["revision"] > 1, match["verdict"]), (True, "NO_FAULT_FOUND"))


def test_callbacks(folder):
    """After the repair: each line its state; on the list only who may be called, callers first; nobody who is down."""
    store = town(folder, 6, state="DOWN")
    cleared = time.time_ns() - 17 * 60 * NS
    onset = cleared - 600 * NS
    desk = Desk(store, "--verify-every", "1").ready()
    store.put_incident(CUT, down=[line_of(i) for i in range(6)], onset_ns=onset)
    wait_for(lambda: desk.metric("incidents_open") == 1, "the incident")
    desk.post(call(4))
    wait_for(lambda: desk.get("/v1/incidents/" + CUT)[1]["calls"]["calls"] == 1, "a counted call")

    def well(i, since_ns, more=""):
        store.put_card(line_of(i), f'''phone: "{phone_of(i)}" up_since_unix_ns: {since_ns}
            groups {{ group_type: "access_node" group: "DSLAM-1" }}''', f'''state: LINE_STATE_UP bytes_up: 9000000
            bytes_down: 90000000 packets_up: 9000 packets_down: 9000 last_upstream_unix_ns: {time.time_ns()}
            rtt {{ line {{ n: 60 p50_us: 9000 p95_us: 9900 }} }} loss {{ access_down {{ packets: 9000 }} }}
            sessions {{ up_unix_ns: {since_ns} }} sessions_total: 1 {more}''')

    well(0, cleared)
    well(1, cleared + 60 * NS)
    well(2, cleared, "flapping: true")
    well(4, cleared)
    # 3 stays down; of 5 nobody knows
    store.ask("HDEL", rig.bucket(line_of(5)), sub_id(line_of(5)))
    store.put_incident(CUT, revision=2, state="CLEARED", down=[line_of(3)],
                       recovered=[line_of(i) for i in (0, 1, 2, 4, 5)], onset_ns=onset, clear_ns=cleared)
    path = f"/v1/incidents/{CUT}/callbacks"
    states = wait_for(lambda: desk.get(path)[0] == 200 and desk.get(path)[1].get("states"), "a look at all lines")
    expect(states, {"VERIFIED": 3, "UNSTABLE": 1, "STILL_DOWN": 1, "UNKNOWN": 1})
    listed = [row["line"] for row in desk.get(path)[1]["results"]]
    expect((listed[0], sorted(listed)), (line_of(4), sorted(line_of(i) for i in (0, 1, 4))))
    assert all(row["text_fa"] and row["text_en"] and row["call_back"] for row in desk.get(path)[1]["results"])
    expect([row["line"] for row in desk.get(path + "?state=STILL_DOWN")[1]["results"]], [line_of(3)])
    expect([member.decode() for member in store.ask("ZRANGE", "rasad:{v}:verify:" + CUT, 0, 0)], [sub_id(line_of(4))])
    assert 0 < store.ask("TTL", "rasad:{v}:verify:" + CUT) <= 7 * 86400
    # The first caller goes down again: not on the list, though the set still has it.
    store.put_line(line_of(4), phone_of(4), state="DOWN")
    assert line_of(4) not in [row["line"] for row in desk.get(path)[1]["results"]]


def test_a_day_after(folder):
    """Who had called is planned to be looked at again; then a line that is down is not to be called, one that is well is settled."""
    store = town(folder, 2)
    cleared = time.time_ns() - 21 * 60 * NS
    lines = [line_of(0), line_of(1)]
    desk = Desk(store, "--verify-every", "1").ready()
    store.put_incident(CUT, down=lines, onset_ns=cleared - NS)
    wait_for(lambda: desk.metric("incidents_open") == 1, "the incident")
    for i in range(2):
        desk.post(call(i))
    wait_for(lambda: desk.get("/v1/incidents/" + CUT)[1]["calls"]["calls"] == 2, "counted calls")
    store.put_incident(CUT, revision=2, state="CLEARED", recovered=lines, onset_ns=cleared - NS, clear_ns=cleared)
    planned = wait_for(lambda: store.ask("ZRANGE", "rasad:{v}:again", 0, -1, "WITHSCORES"), "a plan")
    expect(sorted(member.split()[1].decode() for member in planned[::2]), sorted(map(sub_id, lines)))
    assert abs(float(planned[1]) / 1000 - time.time() - 86400) < 60, planned
    store.put_line(line_of(0), phone_of(0), state="DOWN")
    for member in planned[::2]:
        store.ask("ZADD", "rasad:{v}:again", 1, member)
    wait_for(lambda: not store.ask("EXISTS", "rasad:{v}:again"), "the second look")
    expect((store.ask("ZRANGE", "rasad:{v}:verify:" + CUT, 0, -1), store.ask("ZRANGE", "rasad:{v}:rest:" + CUT, 0, -1)),
           ([], [sub_id(line_of(0)).encode()]))


def test_callbacks_survive_the_leader(folder):
    store = town(folder, 3)
    cleared = time.time_ns() - 17 * 60 * NS
    store.put_incident(CUT, state="CLEARED", recovered=[line_of(i) for i in range(3)], onset_ns=cleared - NS,
                       clear_ns=cleared)
    first = Desk(store, "--verify-every", "1").ready()
    wait_for(lambda: leaders([first]), "a leader")
    first.kill()
    Desk(store, "--verify-every", "1").ready()
    wait_for(lambda: store.ask("ZCARD", "rasad:{v}:verify:" + CUT) == 3, "the list of the new leader")


def test_calls_without_a_symptom(folder):
    """Many callers of one element, whose lines are well: a blind-spot incident, published once, by the leader."""
    store = town(folder, 12)
    store.put_line(line_of(0, 2), phone_of(0, 2), node="DSLAM-2")
    first, second = (Desk(store).ready() for _ in range(2))
    wait_for(lambda: leaders([first, second]), "a leader")
    for i in range(12):
        expect(first.post(call(i, complaint="SLOW"))[0], 200)
    wait_for(lambda: second.metric("answers_seen_total") == 12, "the other desk")
    for desk in leaders([first, second]):
        desk.kill()  # the new leader looks at once
    entries = wait_for(lambda: store.ask("XRANGE", INCIDENTS, "-", "+"), "a blind-spot incident")
    expect(len(entries), 1)
    fields = dict(zip(entries[0][1][::2], entries[0][1][1::2]))
    text = decode("Incident", fields[b"p"])
    assert "INCIDENT_CLASS_CALLS_WITHOUT_NETWORK_SYMPTOM" in text and "DSLAM-1" in text, text
    incident_id, = store.ask("ZRANGE", OPEN, 0, -1)
    expect(fields[b"k"], incident_id + b":1")
    expect(store.ask("GET", b"rasad:{i}:inc:" + incident_id), fields[b"p"])
    third = Desk(store).ready()  # a desk that comes later, and then leads, goes on with the same one
    expect(third.metric("incidents_open"), 1)
    for desk in leaders([first, second]):
        desk.kill()
    wait_for(lambda: leaders([third]), "a third leader")
    third.post(call(0, 2))
    wait_for(lambda: third.metric("surge_open") == 1, "the third leader's own look")
    time.sleep(0.5)
    expect(store.ask("ZRANGE", OPEN, 0, -1), [incident_id])


def test_stale_leader_is_fenced(folder):
    """A leader that has been replaced without knowing it cannot publish."""
    store = town(folder, 12)
    desk = Desk(store).ready()
    wait_for(lambda: leaders([desk]), "a leader")
    store.ask("SET", "rasad:{i}:fence", 10**15)  # somebody newer has written
    for i in range(12):
        desk.post(call(i, complaint="SLOW"))
    store.ask("SET", "rasad:{m}:lease", "1:other", "PX", 2000)  # then it leads anew, and looks
    wait_for(lambda: desk.metric("fenced_total") > 0, "a write that was refused")
    expect(store.ask("EXISTS", INCIDENTS), 0)


if __name__ == "__main__":
    rig.run([value for name, value in list(globals().items()) if name.startswith("test_")])
