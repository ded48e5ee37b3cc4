#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""From session events to Redis and back: what rasad-replay says of incidents, what it publishes, and
what rasadctl shows is one story, and a second run adds nothing to it. Events are the simulator's."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
sys.path.insert(0, os.path.join(ROOT, "tests/tools/rasadctl"))
from rasadctl_test import BIN, Server, siphash  # noqa: E402

PROGRAMS = os.path.dirname(os.path.abspath(BIN))
OPEN_STATES = ("OPEN", "UPDATED")


def run(program, *args):
    return subprocess.run([os.path.join(PROGRAMS, program), *args], capture_output=True, text=True, timeout=120,
                          check=False)


def incidents_of(done):
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    return [m for m in messages if m["type"] == "incident"]


def replay(server, folder, *more):
    # The simulator errs in its inventory on purpose; a row that is there twice is no matter here.
    return run("rasad-replay", "-o", "json", "--events", "--inventory", folder + "/inventory.csv",
               "--publish", server.url, *more, folder + "/events.ndjson")


def assert_story(server, said):
    stream = server.ask("XRANGE", "rasad:{i}:inc:ev", "-", "+")
    fields = [dict(zip(entry[1][::2], entry[1][1::2])) for entry in stream]
    keys = [f[b"k"].decode() for f in fields]
    assert keys == [f'{i["incident_id"]}:{i["revision"]}' for i in said], "the stream tells another story"
    assert {f[b"t"] for f in fields} == {b"Incident"}
    ids = [tuple(map(int, entry[0].split(b"-"))) for entry in stream]
    assert ids == sorted(set(ids))


def assert_keys(server, said):
    last = {i["incident_id"]: i for i in said}
    still_open = {i for i, message in last.items() if message["state"] in OPEN_STATES}
    assert {i.decode() for i in server.ask("ZRANGE", "rasad:{i}:inc:open", "0", "-1")} == still_open
    for i, message in last.items():
        key = f"rasad:{{i}}:inc:{i}"
        for ttl in (server.ask("TTL", key), server.ask("TTL", key + ":mem")):
            assert ttl == -1 if i in still_open else 2592000 - 300 < ttl <= 2592000, (i, ttl)
        done = run("rasadctl", "--redis", server.url, "-o", "json", "incident", i)
        incident, members = (json.loads(line) for line in done.stdout.splitlines())
        for field, value in message.items():
            assert incident[field] == value, (i, field)
        assert len(members["down"]) == message["affected"], i
        assert len(members["down"]) + len(members["recovered"]) == message["affected_total"], i
        assert members["revision"] == message["revision"]


def assert_members_are_lines(server, folder, said):
    with open(folder + "/inventory.csv", encoding="utf-8") as f:
        header = f.readline().rstrip("\n").split(",")
        lines = {siphash(row.split(",")[header.index("line")].strip('"').encode()) for row in f if '""' not in row}
    last = said[-1]["incident_id"]
    done = run("rasadctl", "--redis", server.url, "-o", "json", "incident", last)
    members = json.loads(done.stdout.splitlines()[1])
    known = [m for m in members["down"] + members["recovered"] if m in lines]
    assert len(known) >= 0.9 * len(members["down"] + members["recovered"]) > 0, "sub_ids of no line"


def assert_list(server, said):
    listed = run("rasadctl", "--redis", server.url, "-o", "json", "incidents", "--all")
    assert {i["incident_id"] for i in incidents_of(listed)} == {i["incident_id"] for i in said}
    shown = run("rasadctl", "--redis", server.url, "incidents", "--all")
    assert shown.returncode == 0 and len(shown.stdout.splitlines()) == 1 + len({i["incident_id"] for i in said})


def test_one_story(server, folder):
    first = replay(server, folder)
    said = incidents_of(first)
    assert len({i["incident_id"] for i in said}) >= 5, first.stderr
    assert f"{len(said)} revisions of incidents (0 were there already)" in first.stderr, first.stderr
    assert_story(server, said)
    assert_keys(server, said)
    assert_members_are_lines(server, folder, said)
    assert_list(server, said)
    second = replay(server, folder, "--shard", "0")
    assert f"0 revisions of incidents ({len(said)} were there already)" in second.stderr, second.stderr
    assert incidents_of(second) == said
    assert_story(server, said)
    assert_keys(server, said)


def test_text_tells_the_same_faults(server, folder):
    said = incidents_of(replay(server, folder))
    last = {i["incident_id"]: i for i in said}
    own = [i for i in last.values() if i["state"] not in ("SUPERSEDED", "MERGED")]
    done = run("rasad-replay", "--events", "--inventory", folder + "/inventory.csv", folder + "/events.ndjson")
    shown = done.stdout.count(" % sure\n")
    assert shown == min(len(own), 50), (shown, len(own))
    for i in own[:10]:
        assert f'{i["group_type"]} {i["group"]} ({i["category"]})\n' in done.stdout, i["group"]


def main():
    passed = failed = 0
    folder = tempfile.mkdtemp(prefix="rasad-test-")
    try:
        made = run("rasad-sim", "--lines", "600", "--seed", "7", "--per-day", "16", "-o", folder)
        assert made.returncode == 0, made.stderr
        for test in (test_one_story, test_text_tells_the_same_faults):
            server = Server()
            try:
                test(server, folder)
                passed += 1
            except Exception:
                failed += 1
                print(f"{test.__name__}:")
                traceback.print_exc(file=sys.stdout)
            finally:
                server.stop()
    finally:
        shutil.rmtree(folder)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
