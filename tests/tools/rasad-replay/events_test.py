#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Session events into rasad-replay: a small network, written by hand, and what must be said of it.

Two exchanges with two nodes of four cards of 24 lines; a cabinet across the cards of D1, a power
feeder across those of D3, three address pools across everything. Each fault is its own hour. Then
the same events in another order, and everything that can be wrong with them.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import traceback

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), *[".."] * 3)
BIN = os.environ.get("RASAD_BIN") or os.path.join(ROOT, "build/bin")
START = 1_700_000_000
NODES, CARDS, LINES = 4, 4, 24
RNG = random.Random(5)


class Line:
    def __init__(self, node, card, index):
        self.name = f"D{node} eth 0/{card}:{index}"
        self.node, self.card, self.port = f"D{node}", f"D{node}/{card}", str(index)
        self.exchange = "E1" if node <= 2 else "E2"
        self.cabinet = "K1" if node == 1 and index < 6 else ""
        self.feeder = "F1" if node == 3 and index >= 16 else ""
        self.pool = f"P{index % 3}"

    def row(self):
        return ",".join((self.name, self.exchange, self.node, self.card, self.port, self.cabinet,
                         self.feeder, "B1", self.pool))


HEADER = "line,exchange,node,card,port,cabinet,feeder,bras,pool"
NETWORK = [Line(n, c, i) for n in range(1, NODES + 1) for c in range(CARDS) for i in range(LINES)]


def event(line, at_s, kind, **more):
    return {"type": "session_event", "unix_ns": int(at_s * 1e9), "line": line.name, "kind": kind,
            **more}


def all_up():
    return [event(line, START + i / 10, "UP") for i, line in enumerate(NETWORK)]


def drop(lines, at_s, cause, back_s):
    """All within two seconds; back one after the other."""
    out = []
    for i, line in enumerate(lines):
        out.append(event(line, at_s + 2 * RNG.random(), "DOWN", cause=cause))
        out.append(event(line, back_s + i / 20, "UP"))
    return out


def refused(lines, at_s, back_s, others=(), **how):
    """They redial and fail until it is repaired, while others redial well."""
    out = []
    for i, line in enumerate(lines):
        out.append(event(line, at_s + i / 50, "DOWN", cause="SESSION_TIMEOUT"))
        out += [event(line, s + i / 50, "SETUP_FAILED", **how)
                for s in range(int(at_s) + 5, int(back_s), 30)]
        out.append(event(line, back_s + i / 50, "UP"))
    for i, line in enumerate(others):
        out.append(event(line, at_s + i / 50, "DOWN", cause="SESSION_TIMEOUT"))
        out.append(event(line, at_s + 3 + i / 50, "UP"))
    return out


def of(**where):
    return [line for line in NETWORK if all(getattr(line, k) == v for k, v in where.items())]


def hour(n):
    return START + 3600 * n


FAULTS = [  # events; group, category, class, lines
    (drop(of(card="D2/1"), hour(1), "LINE_LOST", hour(1) + 600),
     ("card", "D2/1", "ACCESS_INFRA", "CARD_FAILURE", LINES)),
    (drop(of(node="D4"), hour(2), "LINE_LOST", hour(2) + 600),
     ("access_node", "D4", "EXCHANGE_TRANSPORT", "NODE_OR_UPLINK", CARDS * LINES)),
    (drop(of(exchange="E1"), hour(3), "LINE_LOST", hour(3) + 600),
     ("exchange", "E1", "EXCHANGE_TRANSPORT", "TRANSMISSION", 2 * CARDS * LINES)),
    (drop(of(cabinet="K1"), hour(4), "LINE_LOST", hour(4) + 600),
     ("cabinet", "K1", "ACCESS_INFRA", "CABLE_CUT", 6 * CARDS)),
    (drop(of(feeder="F1"), hour(5), "CPE_POWER", hour(5) + 600),
     ("feeder", "F1", "PREMISES", "AREA_POWER", 8 * CARDS)),
    (refused(of(pool="P2"), hour(6), hour(6) + 300, of(pool="P1"), stage="NCP", cause="RESOURCE"),
     ("pool", "P2", "ISP_CORE_UPSTREAM", "POOL", NODES * CARDS * LINES // 3)),
    (refused(NETWORK[::5], hour(7), hour(7) + 300, stage="AUTH_SILENT", cause="AUTH_FAIL"),
     ("bras", "B1", "ISP_CORE_UPSTREAM", "AAA", len(NETWORK[::5]))),
]


def in_order(events):
    return sorted(events, key=lambda e: e["unix_ns"])


def story(*faults):
    """These faults on their hours, and time enough behind them."""
    events = all_up() + [e for fault, _ in faults for e in fault]
    end = event(NETWORK[0], max(e["unix_ns"] for e in events) // 10**9 + 300, "RECOVERED")
    return in_order(events) + [end]


def as_text(events):
    return "".join(json.dumps(e) + "\n" for e in events)


def replay(text, inventory=None, arguments=(), more=()):
    """Of one file, and more of them: (rows, stderr, exit code)"""
    with tempfile.TemporaryDirectory(prefix="rasad-events-") as folder:
        books, path = os.path.join(folder, "books.csv"), os.path.join(folder, "events.ndjson")
        others = [os.path.join(folder, f"more{n}.ndjson") for n in range(len(more))]
        for other, content in zip(others, more):
            with open(other, "w", encoding="utf-8") as f:
                f.write(content)
        with open(books, "w", encoding="utf-8") as f:
            f.write(inventory or "\n".join([HEADER] + [line.row() for line in NETWORK]) + "\n")
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        run = subprocess.run([BIN + "/rasad-replay", "-q", "-o", "json", "--events", "--inventory",
                              books, *arguments, path, *others],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=100)
    return [json.loads(row) for row in run.stdout.splitlines()], run.stderr, run.returncode


def incidents(rows):
    """The last word on each, by onset; not those that became part of another one."""
    final = {r["incident_id"]: r for r in rows if r["type"] == "incident"}
    return sorted((r for r in final.values() if r["state"] not in ("SUPERSEDED", "MERGED")),
                  key=lambda r: r["onset_unix_ns"])


def what(incident):
    return tuple(incident[k] for k in ("group_type", "group", "category", "class",
                                       "affected_peak"))


# --- tests ---

def exact_incidents():
    rows, errors, code = replay(as_text(story(*FAULTS)))
    found = incidents(rows)
    assert [what(i) for i in found] == [expected for _, expected in FAULTS], \
        "\n".join(str(what(i)) for i in found)
    assert not errors and code == 0, errors
    for n, incident in enumerate(found, 1):
        assert incident["state"] == "CLEARED", incident["state"]
        assert abs(incident["onset_unix_ns"] - hour(n) * 10**9) <= 8e9, incident
        assert incident["open_unix_ns"] - incident["onset_unix_ns"] <= 30e9, incident
        assert incident["recommended_action"] and incident["confidence"] > 0.8, incident
    assert rows[-1]["type"] == "replay_summary" and rows[-1]["lines"] == len(NETWORK)
    first = [r for r in rows if r["type"] == "incident"]
    assert sum(r.get("page", False) for r in first) == len(FAULTS)  # one page each


def shuffled():
    """Each event up to five seconds from its place: the very same bytes, but for elapsed_s."""
    whole = story(*FAULTS)
    reference = None
    for seed in range(4):
        rng = random.Random(seed)
        late = {id(e): e["unix_ns"] + (rng.randrange(4_900_000_000) if seed else 0) for e in whole}
        rows, errors, _ = replay(as_text(sorted(whole, key=lambda e: late[id(e)])))
        assert not errors, errors
        rows[-1].pop("elapsed_s")
        rows[-1].pop("files")
        rows[-1].pop("first_unix_ns")
        reference = reference or rows
        assert rows == reference, seed


def wrong_lines():
    """Told with file and line, counted; the rest goes on."""
    bad = ['{"type":"session_event","unix_ns":1,', "no JSON at all", '{"unix_ns":5,"kind":"UP"}',
           '{"line":"x","kind":"UP"}', '{"line":"x","unix_ns":1700000001000000000,"kind":"SIDEWAYS"}',
           '{"line":"x","unix_ns":1700000001000000000}', '{"line":"x\\q","unix_ns":1}', "[1,2]",
           '{"line":"x","unix_ns":-5,"kind":"UP"}', '{"line":"x","unix_ns":1.5,"kind":"UP"}',
           '{"line":"x","unix_ns":"17 s","kind":"UP"}']
    other = ['{"type":"symptom_event","unix_ns":5}', ""]
    good = as_text(story(FAULTS[0])).splitlines()
    rows, errors, code = replay("\n".join(good[:500] + bad + other + good[500:]) + "\n")
    assert [what(i) for i in incidents(rows)] == [FAULTS[0][1]]
    told = errors.splitlines()
    assert len(told) == len(bad), errors
    for n, line in enumerate(told):
        assert f"events.ndjson:{n + 1 + min(500, len(good))}:" in line, line
    assert code == 1
    assert rows[-1]["verdicts"].get("wrong") == len(bad), rows[-1]
    assert rows[-1]["verdicts"].get("other_type") == 1, rows[-1]
    # Very many are counted, not told.
    rows, errors, code = replay("x\n" * 5000 + "\n".join(good) + "\n")
    assert len(errors.splitlines()) == 20 and rows[-1]["verdicts"]["wrong"] == 5000, errors
    # Any bytes at all.
    noise = bytes(RNG.randrange(256) for _ in range(20000))
    rows, errors, code = replay(noise + b"\n" + as_text(all_up()).encode())
    assert code == 1 and rows[-1]["lines"] == len(NETWORK)


def late_and_wild():
    whole = story(FAULTS[0])
    n, at = 300, START * 10**9 + 30 * 10**9
    assert whole[n]["unix_ns"] == at
    wild = dict(whole[0], unix_ns=at + 10 * 365 * 86400 * 10**9)
    ancient = dict(whole[0], unix_ns=at - 10 * 365 * 86400 * 10**9)
    late = dict(whole[0], unix_ns=at - 20 * 10**9)
    later = dict(late, unix_ns=at - 25 * 10**9)  # older than what is known of the line by then
    rows, _, code = replay(as_text(whole[:n] + [wild, whole[n], ancient, whole[n + 1], late] +
                                   whole[n + 2:n + 60] + [later] + whole[n + 60:]))
    assert [what(i) for i in incidents(rows)] == [FAULTS[0][1]]
    refusals = rows[-1]["refusals"]
    assert refusals.get("events_wild_clock") == 2, refusals
    assert refusals.get("events_late") == 1, refusals
    assert rows[-1]["notes"]["events_delayed"] == 1, rows[-1]["notes"]
    assert code == 0 and rows[-1]["verdicts"]["ok"] == len(whole) + 1
    # A log that is up to 40 s out of order: late, but none is lost.
    rng = random.Random(7)
    rows, _, _ = replay(as_text(sorted(story(*FAULTS[:5]), key=lambda e: e["unix_ns"] +
                                       rng.randrange(40_000_000_000))))
    assert [what(i)[:4] for i in incidents(rows)] == [f[1][:4] for f in FAULTS[:5]], \
        [what(i) for i in incidents(rows)]
    assert all(i["state"] == "CLEARED" for i in incidents(rows))
    assert rows[-1]["notes"]["events_delayed"] > 100, rows[-1]


def clock_set_back():
    """A log of yesterday behind today's: both are told."""
    day = 86400 * 10**9
    today = story(FAULTS[0])
    again = [dict(e, unix_ns=e["unix_ns"] - 3 * day) for e in today]
    rows, _, _ = replay(as_text(today + again))
    assert [what(i) for i in incidents(rows)] == [FAULTS[0][1]] * 2, incidents(rows)
    # Set back by an hour in the middle of a fault, and never set right again.
    cut = hour(2) + 602
    events = [dict(e, unix_ns=e["unix_ns"] - (3600 * 10**9 if e["unix_ns"] > cut * 10**9 else 0))
              for e in story(*FAULTS[:5])]
    rows, _, _ = replay(as_text(events))
    assert {what(i)[:4] for i in incidents(rows)} == {f[1][:4] for f in FAULTS[:5]}, \
        [what(i) for i in incidents(rows)]
    assert rows[-1]["notes"]["clock_steps"] == 1, rows[-1]["notes"]


def other_spellings():
    """Numbers as texts or with an exponent; names of causes that nobody knows are counted."""
    reference = incidents(replay(as_text(story(FAULTS[0])))[0])
    for spell in (str, float):
        rows, errors, _ = replay(as_text([dict(e, unix_ns=spell(e["unix_ns"]))
                                          for e in story(FAULTS[0])]))
        assert not errors and [what(i) for i in incidents(rows)] == [what(i) for i in reference]
    odd = [dict(e, cause="LOST_CARRIER") if "cause" in e else e for e in story(FAULTS[0])]
    rows, errors, _ = replay(as_text(odd))
    assert [what(i) for i in incidents(rows)] == [FAULTS[0][1]] and not errors
    assert rows[-1]["notes"]["causes_unknown"] == LINES, rows[-1]["notes"]
    books = "\n".join([HEADER.upper()] + [line.row() for line in NETWORK]) + "\n"
    rows, errors, _ = replay(as_text(story(FAULTS[0])), books)
    assert [what(i) for i in incidents(rows)] == [FAULTS[0][1]] and not errors
    rows, errors, code = replay(as_text(all_up()), books.replace(",", ";"))
    assert code == 1 and "books.csv:1:" in errors and "commas" in errors, errors
    long = event(NETWORK[0], START, "UP") | {"line": "x" * 64}
    rows, errors, code = replay(as_text([long]))
    assert code == 1 and "longer than 63" in errors and rows[-1]["lines"] == 0, errors


def several_files():
    """Merged by time, whatever the order in which they are named."""
    whole = story(*FAULTS[:5])
    parts = [as_text([e for e in whole if hash_of(e) % 3 == n]) for n in range(3)]
    rows, errors, code = replay(parts[2], more=parts[:2])
    assert not errors and code == 0 and rows[-1]["verdicts"]["ok"] == len(whole)
    assert [what(i) for i in incidents(rows)] == [expected for _, expected in FAULTS[:5]]
    assert rows[-1]["notes"]["events_delayed"] == 0, rows[-1]["notes"]


def hash_of(e):
    return sum(e["line"].encode())


def sessions_in_a_row():
    """A log of whole seconds: who hangs up and redials within one is up. Who has redialled is not
    down when the BRAS gives up the session before."""
    card, at = of(card="D2/1"), hour(1)
    again = [event(line, START + 600 + 10 * n, kind) for n, line in enumerate(card)
             for kind in ("UP", "DOWN")]
    rows, _, _ = replay(as_text(in_order(story(FAULTS[0]) + again)))
    assert [what(i) for i in incidents(rows)] == [FAULTS[0][1]], [what(i) for i in incidents(rows)]
    whole = all_up()
    for n, line in enumerate(card):
        whole += [event(line, at, "UP", pppoe_session_id=100 + n),
                  event(line, at + 60, "UP", pppoe_session_id=200 + n),
                  event(line, at + 90, "DOWN", cause="LINE_LOST", pppoe_session_id=100 + n)]
    rows, _, _ = replay(as_text(in_order(whole) + [event(card[0], at + 900, "RECOVERED")]))
    assert not incidents(rows), incidents(rows)
    assert rows[-1]["notes"]["events_of_replaced_sessions"] == LINES, rows[-1]["notes"]


def wrong_books():
    """Duplicates are told; a node in two exchanges is where most of its lines are."""
    books = [HEADER] + [line.row() for line in NETWORK]
    for line in of(node="D4")[:9]:
        books[1 + NETWORK.index(line)] = line.row().replace(",E2,", ",E1,")
    duplicates = [NETWORK[0].row(), NETWORK[1].row().replace(",D1,", ",D3,")]
    books += duplicates + ["no such row"]
    rows, errors, _ = replay(as_text(story(FAULTS[1], FAULTS[2])), "\n".join(books) + "\n")
    found = incidents(rows)
    assert [what(i) for i in found] == [FAULTS[1][1], FAULTS[2][1]], [what(i) for i in found]
    assert "exchange:E2" in found[0].get("path", []), found[0]
    for n in range(3):
        assert f"books.csv:{len(NETWORK) + 2 + n}:" in errors, errors


def unknown_lines():
    """Not in the books: counted as unmapped, and still lines."""
    strangers = [dict(event(NETWORK[0], START + 5, "UP"), line=f"stranger{i}") for i in range(30)]
    rows, _, _ = replay(as_text(in_order(strangers + story(FAULTS[0]))))
    assert [what(i) for i in incidents(rows)] == [FAULTS[0][1]]
    assert rows[-1]["notes"]["lines_unmapped"] == 30, rows[-1]["notes"]
    assert rows[-1]["lines"] == len(NETWORK) + 30


def lint_of(rows):
    return {r["kind"]: (r["count"], [(e.get("line"), e.get("seen"), e.get("inventory"))
                                     for e in r["examples"]])
            for r in rows if r["type"] == "topology_lint"}


def books_in_a_loop():
    """An exchange within a node that is within it, and a node in two exchanges: told by row, and survived."""
    lines = [NETWORK[i] for i in (0, 300)]
    books = [HEADER] + [line.row() for line in NETWORK]
    books[1] = books[1].replace(f",{lines[0].exchange},{lines[0].node},", f",{lines[0].node},{lines[0].exchange},")
    other = next(line.exchange for line in NETWORK if line.exchange != lines[1].exchange)
    books[301] = books[301].replace(f",{lines[1].exchange},", f",{other},")
    rows, errors, code = replay(as_text(story(FAULTS[0])), "\n".join(books) + "\n")
    lint = lint_of(rows)
    assert not errors and code == 0, errors
    assert lint["loop"] == (1, [(lines[0].name, "E1 above D1", "D1 above E1")]), lint
    assert (lines[1].name, f"{lines[1].node} in {lines[1].exchange}", other) in lint["parent"][1], lint
    assert [what(i) for i in incidents(rows)] == [FAULTS[0][1]]


def names_of_members():
    """Whom it affects, by name too: nobody reads a hash."""
    rows, _, _ = replay(as_text(story(FAULTS[0])), arguments=("--members",))
    sets = [r for r in rows if r["type"] == "member_set"]
    wanted = sorted(line.name for line in of(card="D2/1"))
    assert sorted(sets[0]["down_lines"]) == wanted and not sets[0]["recovered_lines"], sets[0]
    assert sorted(sets[-1]["recovered_lines"] + sets[-1]["down_lines"]) == wanted, sets[-1]
    assert all(len(s["down"]) == len(s["down_lines"]) for s in sets)


def topology_lint():
    """Each disagreement of books and lines, by kind, with examples; none when they agree."""
    rows, _, _ = replay(as_text(all_up()))
    assert not lint_of(rows), lint_of(rows)
    books = [HEADER + ",svlan"] + [line.row() + f",{100 + int(line.node[1:])}" for line in NETWORK]
    moved, vlan = NETWORK[200], NETWORK[100]
    books[201] = books[201].replace(",D3,", ",D1,")
    books[101] = books[101].replace(",102", ",999")
    del books[1:31]
    books += [f"ghost{i},E2,D4,D4/9,{i},,,B1,P1,104" for i in range(150)]
    events = [dict(e, svlan=100 + int(line.node[1:])) for e, line in zip(all_up(), NETWORK)]
    rows, errors, code = replay(as_text(events), "\n".join(books) + "\n")
    lint = lint_of(rows)
    assert not errors and code == 0, errors
    assert set(lint) == {"node", "svlan", "unknown_line", "card_lines", "parent"}, lint
    assert lint["node"] == (1, [(moved.name, "D3", "D1")]), lint["node"]
    assert lint["svlan"] == (1, [(vlan.name, "102", "999")]), lint["svlan"]
    assert lint["unknown_line"][0] == 30 and len(lint["unknown_line"][1]) == 20
    assert lint["card_lines"] == (1, [("ghost0", "D4 D4/9", "150 lines on 150 ports")])
    assert lint["parent"][0] == 1 and lint["parent"][1][0][0] == moved.name, lint["parent"]
    assert rows[-1]["type"] == "replay_summary"
    with tempfile.TemporaryDirectory(prefix="rasad-events-") as folder:
        for name, text in (("books.csv", "\n".join(books)), ("events.ndjson", as_text(events))):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(text)
        text = subprocess.run([BIN + "/rasad-replay", "-q", "--events", "--inventory",
                               folder + "/books.csv", folder + "/events.ndjson"], check=True,
                              stdout=subprocess.PIPE, text=True, timeout=100).stdout
    assert "30 lines that the inventory does not have" in text, text
    assert "... and 10 more" in text and "150 lines on 150 ports" in text, text


def planned_work():
    """An incident of the group, in that time: a warning. Bad rows are told and skipped."""
    calendar = ("group_type,group,from,to\n"
                f"card,D2/1,{hour(1) - 60},{hour(1) + 3600}\n"
                "access_node,D4,2023-11-15T00:10:00Z,2023-11-15T01:00:00Z\n"
                "exchange,E1,tomorrow,2023-11-15T05:00:00Z\n"
                f"exchange,E1,{hour(3)},{hour(2)}\n")
    with tempfile.TemporaryDirectory(prefix="rasad-events-") as folder:
        path = os.path.join(folder, "work.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write(calendar)
        rows, errors, code = replay(as_text(story(*FAULTS[:3])), arguments=("--planned", path))
        assert "work.csv:4:" in errors and "work.csv:5:" in errors, errors
        found = incidents(rows)
        assert [what(i) for i in found] == [expected for _, expected in FAULTS[:3]]
        assert [i["planned"] for i in found] == [True, True, False]
        while_open = {r["group"]: r["severity"] for r in rows
                      if r["type"] == "incident" and r["state"] == "OPEN"}
        assert while_open["D2/1"] == while_open["D4"] == "WARNING", while_open
        assert while_open["E1"] != "WARNING", while_open
        with open(path, "w", encoding="utf-8") as f:
            f.write("when,what\n")
        rows, errors, code = replay(as_text(all_up()), arguments=("--planned", path))
        assert code == 1 and not rows and "work.csv:1:" in errors, errors
        rows, errors, code = replay("", arguments=("--planned", path + ".not"))
        assert code == 1 and "work.csv.not" in errors, errors


def nothing_to_read():
    run = subprocess.run([BIN + "/rasad-replay", "-q", "-o", "json", "--events", "/no/such/file"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=100)
    assert run.returncode == 1 and "/no/such/file" in run.stderr
    rows, errors, code = replay("")
    assert code == 0 and not errors and rows[-1]["type"] == "replay_summary"


TESTS = [exact_incidents, shuffled, wrong_lines, late_and_wild, clock_set_back, other_spellings,
         several_files, sessions_in_a_row, wrong_books, unknown_lines, planned_work,
         books_in_a_loop, names_of_members, topology_lint, nothing_to_read]


def main():
    failed = 0
    for test in TESTS:
        try:
            test()
        except Exception:
            failed += 1
            print(f"{test.__name__}:")
            traceback.print_exc(file=sys.stdout)
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
