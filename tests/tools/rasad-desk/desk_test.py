#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Desks at work: several side by side, killed, without Redis; the stream, its pending and poisoned
entries. No call is lost, and none has two answers."""

import json
import threading
import time

import rig
from rig import CALLS_IN, CALLS_OUT, DEAD_LETTERS, Desk, Store, decode, encode, expect, wait_for

PHONE, LINE = "+982188776655", "DSLAM-1 11"


def town(folder):
    store = Store(folder)
    store.put_line(LINE, PHONE)
    return store


def answered_once(store, ids):
    answers = store.answers_out()
    expect(sorted(answers), sorted(f"{call_id}:1" for call_id in ids))


def test_stream(folder):
    """Calls that came before any desk, and after; each is answered, acknowledged, stored and told."""
    store = town(folder)
    store.put_call("early", PHONE)
    desk = Desk(store)
    wait_for(lambda: store.answers_out() == ["early:1"], "an answer to the early call")
    store.put_call("late", "02188776655", "SLOW")
    wait_for(lambda: len(store.answers_out()) == 2, "an answer to the late call")
    wait_for(lambda: store.pending() == 0, "both acknowledged")
    stored = decode("CallMatch", store.ask("GET", "rasad:{c}:call:late"))
    assert f'line: "{LINE}"' in stored and "COMPLAINT_SLOW" in stored, stored
    assert 0 < store.ask("TTL", "rasad:{c}:call:late") <= 7 * 86400
    code, seconds = desk.stop()
    expect(code, 0)
    assert seconds < 3, seconds


def test_same_call_again(folder):
    """One call_id, one answer, whichever desk and whichever way."""
    store = town(folder)
    desks = [Desk(store).ready() for _ in range(2)]
    first = desks[0].post({"call_id": "c", "phone": PHONE, "complaint": "SLOW"})
    expect(desks[1].post({"call_id": "c", "phone": PHONE, "complaint": "SLOW"}), first)
    store.put_call("c", PHONE)
    wait_for(lambda: store.pending() == 0 and desks[0].metric("stream_calls_total") +
             desks[1].metric("stream_calls_total") == 1, "the call by stream")
    answered_once(store, ["c"])


def test_two_desks_share_the_stream(folder):
    store = town(folder)
    desks = [Desk(store).ready() for _ in range(2)]
    ids = [f"c{i}" for i in range(400)]
    for call_id in ids:
        store.put_call(call_id, PHONE)
    wait_for(lambda: len(store.answers_out()) >= len(ids), "all answers")
    wait_for(lambda: store.pending() == 0, "all acknowledged")
    answered_once(store, ids)
    shares = [desk.metric("stream_calls_total") for desk in desks]
    expect(sum(shares), len(ids))
    assert min(shares) > 0, shares


def test_killed_in_the_middle(folder):
    """kill -9 while calls come by both ways; what the dead desk held is taken over by a new one of its name."""
    store = town(folder)
    one, two = Desk(store, "--name", "one").ready(), Desk(store, "--name", "two").ready()
    acknowledged, stop = [], threading.Event()

    def caller(number):
        """Asks one desk, and the other when that does not answer, as a client would."""
        for i in range(10000):
            if stop.is_set():
                return
            call = {"call_id": f"h{number}-{i}", "phone": PHONE, "complaint": "SLOW"}
            for desk in (one, two):
                try:
                    if desk.post(call)[0] == 200:
                        acknowledged.append(call["call_id"])
                        break
                except (OSError, rig.http.client.HTTPException):
                    continue

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    streamed = [f"s{i}" for i in range(300)]
    for i, call_id in enumerate(streamed):
        store.put_call(call_id, PHONE)
        if i == 150:
            one.kill()
    wait_for(lambda: len(acknowledged) > 100, "calls over HTTP")
    stop.set()
    for thread in threads:
        thread.join()
    Desk(store, "--name", "one")  # comes back, and drains what it had
    wait_for(lambda: store.pending() == 0 and set(streamed) <= {k.rsplit(":", 1)[0] for k in store.answers_out()},
             "every call of the stream")
    answers = store.answers_out()
    expect(len(answers), len(set(answers)))
    lost = set(acknowledged) - {k.rsplit(":", 1)[0] for k in answers}
    expect(lost, set())


def test_takes_over_what_another_left(folder):
    """An entry that a desk which never came back had been given a minute ago (XAUTOCLAIM)."""
    store = town(folder)
    store.ask("XGROUP", "CREATE", CALLS_IN, "desk", "0", "MKSTREAM")
    store.put_call("left", PHONE)
    store.ask("XREADGROUP", "GROUP", "desk", "gone", "STREAMS", CALLS_IN, ">")
    entry = store.ask("XPENDING", CALLS_IN, "desk", "-", "+", 10)[0][0]
    store.ask("XCLAIM", CALLS_IN, "desk", "gone", 0, entry, "IDLE", 120000)
    desk = Desk(store)
    wait_for(lambda: store.answers_out() == ["left:1"] and store.pending() == 0, "the entry that was left")
    expect(desk.metric("claimed_total"), 1)


def test_poisoned_entries(folder):
    """What is no call, and what was delivered too often, is put aside with the reason; the rest goes on."""
    store = town(folder)
    add = store.ask
    store.ask("XGROUP", "CREATE", CALLS_IN, "desk", "0", "MKSTREAM")
    store.put_call("cursed", PHONE)
    store.ask("XREADGROUP", "GROUP", "desk", "gone", "STREAMS", CALLS_IN, ">")
    cursed = store.ask("XPENDING", CALLS_IN, "desk", "-", "+", 10)[0][0]
    store.ask("XCLAIM", CALLS_IN, "desk", "gone", 0, cursed, "RETRYCOUNT", 6)
    add("XADD", CALLS_IN, "*", "t", "CallEvent", "v", "1", "k", "a", "p", b"\xff\x00\x01garbage")
    add("XADD", CALLS_IN, "*", "t", "Incident", "v", "1", "k", "b", "p", "")
    add("XADD", CALLS_IN, "*", "hello", "world")
    add("XADD", CALLS_IN, "*", "t", "CallEvent", "v", "1", "k", "c", "p", encode("CallEvent", 'call_id: "nobody"'))
    store.put_call("good", PHONE)
    desk = Desk(store)
    wait_for(lambda: store.answers_out() == ["good:1"] and store.pending() == 0, "the good one")
    letters = [dict(zip(fields[::2], fields[1::2])) for _, fields in store.ask("XRANGE", DEAD_LETTERS, "-", "+")]
    reasons = sorted(letter[b"why"].decode() for letter in letters)
    expect(reasons[0], "delivered too often")
    expect(reasons[2:], ["p is no CallEvent", "t is not CallEvent", "t is not CallEvent"])
    assert "phone" in reasons[1], reasons
    assert any(letter.get(b"p") == b"\xff\x00\x01garbage" for letter in letters), letters
    expect(desk.metric("dead_letters_total"), 5)


def test_redis_restarted_under_load(folder):
    """While Redis is away: 503, "monitoring unavailable", Retry-After. What was acknowledged is there afterwards."""
    store = town(folder)
    desk = Desk(store).ready()
    acknowledged, refused, stop = [], [], threading.Event()

    def caller(number):
        for i in range(100000):
            if stop.is_set():
                return
            call_id = f"r{number}-{i}"
            body = json.dumps({"call_id": call_id, "phone": PHONE, "complaint": "SLOW"})
            status, headers, answer = desk.request("POST", "/v1/calls", body, {"Content-Type": "application/json"})
            if status == 200:
                acknowledged.append(call_id)
            else:
                refused.append((status, headers.get("Retry-After"), json.loads(answer).get("verdict")))
                time.sleep(0.01)

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(acknowledged) > 100, "answers")
    store.kill()
    wait_for(lambda: len(refused) > 20, "refusals")
    store.start()
    before = len(acknowledged)
    store.put_call("meanwhile", PHONE)
    wait_for(lambda: len(acknowledged) > before + 100, "answers after the restart")
    stop.set()
    for thread in threads:
        thread.join()
    expect(set(refused), {(503, "1", "MONITORING_UNAVAILABLE")})
    wait_for(lambda: "meanwhile:1" in store.answers_out(), "the call by the stream")
    answers = store.answers_out()
    expect(len(answers), len(set(answers)))
    expect({f"{call_id}:1" for call_id in acknowledged} - set(answers), set())
    desk.wait_said("Redis is back")


def test_starts_without_redis(folder):
    store = town(folder)
    store.kill()
    desk = Desk(store)
    status, match = desk.post({"call_id": "c", "phone": PHONE, "complaint": "SLOW"})
    expect((status, match["verdict"], bool(match["text_fa"] and match["text_en"])), (503, "MONITORING_UNAVAILABLE", True))
    desk.wait_said("monitoring unavailable")
    store.start()
    desk.ready()
    expect(desk.post({"call_id": "c", "phone": PHONE, "complaint": "SLOW"})[0], 200)


def test_card_that_ended(folder):
    """An expired card, or none: nobody watches, whatever it said. An unknown phone is not found."""
    store = town(folder)
    store.put_line("DSLAM-1 12", "+982188770012", lives_ms=-1)
    rig.put_index(store.ask, "phone", "+982188770013", "no card")
    desk = Desk(store).ready()
    for phone, verdict in (("02188770012", "MONITORING_UNAVAILABLE"), ("02188770013", "MONITORING_UNAVAILABLE"),
                           ("02188779999", "UNKNOWN_SUBSCRIBER"), (PHONE, "NO_FAULT_FOUND")):
        status, match = desk.post({"phone": phone, "complaint": "SLOW"})
        expect((phone, status, match["verdict"]), (phone, 200, verdict))


def test_emptied_under_the_connection(folder):
    """FLUSHALL: what the desk believed is gone, too; what comes after is answered."""
    store = town(folder)
    store.put_incident("cut", down=["DSLAM-1 1"])
    desk = Desk(store).ready()
    wait_for(lambda: desk.metric("incidents_open") == 1, "the incident")
    store.ask("FLUSHALL")
    wait_for(lambda: desk.metric("incidents_open") == 0, "an empty book")
    store.put_line("DSLAM-1 5", PHONE)
    store.put_incident("other", down=["DSLAM-1 2"])
    wait_for(lambda: desk.metric("incidents_open") == 1, "the incident after it")
    store.put_call("streamed", PHONE, "SLOW")
    wait_for(lambda: "streamed:1" in store.answers_out(), "an answer to a streamed call")
    expect(desk.post({"call_id": "c", "phone": PHONE, "complaint": "SLOW"})[1]["verdict"], "NO_FAULT_FOUND")


def test_refused_writes(folder):
    """Redis that takes no writes (a replica, a full memory): nothing is acknowledged."""
    store = town(folder)
    desk = Desk(store).ready()
    store.ask("CONFIG", "SET", "maxmemory", 1)
    status, answer = desk.post({"call_id": "c", "phone": PHONE, "complaint": "SLOW"})
    expect((status, store.ask("EXISTS", "rasad:{c}:call:c")), (503, 0))
    assert answer["error"], answer
    store.ask("CONFIG", "SET", "maxmemory", 0)
    desk.ready()
    expect(desk.post({"call_id": "c", "phone": PHONE, "complaint": "SLOW"})[0], 200)
    expect(store.ask("XLEN", CALLS_OUT), 1)


if __name__ == "__main__":
    rig.run([value for name, value in list(globals().items()) if name.startswith("test_")])
