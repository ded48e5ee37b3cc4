#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""rasadd plays generated captures into a real redis-server; what arrived is read back by the
contract alone and held against the truth and against what rasad-replay says."""

import os
import signal
import subprocess
import time

import rig
from rig import Capture, Daemon, Server, field, rasadd, wait_for

LINES = ("--scenario", "lines", "--lines", "16", "--duration", "150")


def play(capture, server, *more):
    return rasadd("--collector", "pcap:" + capture.path, "--redis", server.url, "--inventory", capture.inventory,
                  *more)


def test_plays_a_capture(folder):
    capture, server = Capture(folder, "town", *LINES), Server(folder)
    code, said = play(capture, server)
    assert code == 0, said
    assert "playing; inventory of 16 lines" in said, said

    expected = capture.events()
    assert len(expected) > 40 and server.events() == expected

    cards, truth = server.cards(), {line["line"]: line for line in capture.truth["lines"]}
    assert set(cards) == set(truth)
    with open(capture.inventory, encoding="utf-8") as f:
        names = f.readline().strip().split(",")
        booked = {row[0]: dict(zip(names, row)) for row in (line.strip().split(",") for line in f)}
    for name, card in cards.items():
        assert field(card, "state") == "LINE_STATE_" + truth[name]["state"], (name, card)
        assert field(card, "subscriber") == truth[name]["subscriber"], card
        assert int(field(card, "svlan")) == truth[name]["svlan"], card
        assert field(card, "phone") == "+98" + booked[name]["phone"][1:], card
        assert field(card, "node") == booked[name]["node"], card
    health = server.health("pcap:town.pcap")
    assert int(field(health, "packets")) == capture.truth["packets"], health
    assert int(field(health, "bytes")) == capture.truth["bytes"], health
    assert int(field(health, "lines")) == len(truth), health
    assert "running" not in health, health  # false is not sent


def test_second_run_adds_nothing(folder):
    capture, server = Capture(folder, "town", *LINES), Server(folder)
    first = play(capture, server)
    entries = server.entries()
    code, said = play(capture, server)
    assert first[0] == code == 0 and len(entries) > 40
    assert f"published 0 events ({len(entries)} were there already)" in said, said
    assert server.entries() == entries


def test_shard_and_several_files(folder):
    one = Capture(folder, "one", "--scenario", "lines", "--lines", "6", "--duration", "60")
    two = Capture(folder, "two", "--scenario", "lines", "--lines", "9", "--duration", "60", "--seed", "2")
    server = Server(folder)
    code, said = rasadd("--collector", "pcap:" + one.path, "--collector", "pcap:" + two.path, "--redis", server.url,
                        "--shard", "7")
    assert code == 0, said
    assert server.length(0) == 0 and server.length(7) > 0
    health = server.health("pcap:one.pcap,two.pcap")
    assert int(field(health, "packets")) == one.truth["packets"] + two.truth["packets"], health


def test_own_pace(folder):
    """At 50x a minute takes at least 1.2 s, and says the same."""
    capture, server = Capture(folder, "town", "--scenario", "lines", "--lines", "8", "--duration", "60"), Server(folder)
    start = time.monotonic()
    code, said = play(capture, server, "--speed", "50x")
    seconds = time.monotonic() - start
    length_s = capture.truth["t_stop"] - capture.truth["t_start"]
    assert code == 0, said
    assert (length_s - 2) / 50 < seconds < length_s / 50 + 5, seconds
    assert server.events() == capture.events()


def stops_in_time(folder, number):
    capture, server = Capture(folder, "town", *LINES), Server(folder)
    daemon = Daemon("--collector", "pcap:" + capture.path, "--redis", server.url, "--speed", "1x")
    wait_for(lambda: server.length() >= 2, "two events")
    assert "running: true" in server.health("pcap:town.pcap")
    code, said, seconds = daemon.stop(number)
    assert code == 0, said
    assert seconds < 1, seconds
    health = server.health("pcap:town.pcap")
    assert "running" not in health, health
    assert 0 < int(field(health, "packets")) < capture.truth["packets"] / 2, health
    lines = int(field(health, "lines"))
    cards = server.cards()
    assert lines == len(cards) > 0, (lines, cards)
    assert sum(field(card, "state") == "LINE_STATE_UP" for card in cards.values()) >= 2, cards


def test_sigterm_flushes(folder):
    stops_in_time(folder, signal.SIGTERM)


def test_sigint_flushes(folder):
    stops_in_time(folder, signal.SIGINT)


def test_sighup_is_told_and_ignored(folder):
    capture, server = Capture(folder, "town", *LINES), Server(folder)
    daemon = Daemon("--collector", "pcap:" + capture.path, "--redis", server.url, "--speed", "1x")
    daemon.wait_said("playing")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_said("SIGHUP: nothing to reload")
    code, said, _ = daemon.stop()
    assert code == 0, said


def test_redis_lost_and_back(folder):
    """The server forgets everything; what had been acknowledged is sent again."""
    capture, server = Capture(folder, "town", *LINES), Server(folder)
    daemon = Daemon("--collector", "pcap:" + capture.path, "--redis", server.url, "--speed", "10x")
    wait_for(lambda: server.length() >= 5, "events")
    server.kill()
    daemon.wait_said("going on")
    server.start()
    daemon.wait_said("Redis is back")
    assert daemon.said.count("going on") == 1, daemon.said
    code, said = daemon.wait()
    assert code == 0, said
    assert server.events() == capture.events()


def test_redis_away_at_the_end(folder):
    capture, server = Capture(folder, "town", *LINES), Server(folder)
    daemon = Daemon("--collector", "pcap:" + capture.path, "--redis", server.url, "--speed", "1x")
    wait_for(lambda: server.length() >= 2, "events")
    server.kill()
    code, said, seconds = daemon.stop()
    assert code == 1 and seconds < 1, (code, said, seconds)
    assert "not in Redis: " in said, said


def test_failures(folder):
    capture = Capture(folder, "town", "--scenario", "lines", "--lines", "3", "--duration", "30")
    server, collector = Server(folder), "pcap:" + capture.path
    cut = folder + "/cut.pcap"
    with open(capture.path, "rb") as whole, open(cut, "wb") as part:
        part.write(whole.read(os.path.getsize(capture.path) // 2))
    bad_inventory = folder + "/bad.csv"
    with open(bad_inventory, "w", encoding="utf-8") as f:
        f.write("no,such,columns\n1,2,3\n")
    here = ("--redis", server.url)
    for code, text, *args in [
        (2, "no --collector given"),
        (2, "--collector 'eth:0': expected pcap:FILE, pcap:INTERFACE, xdp:INTERFACES or "
            "dpdk:PORTS", "--collector", "eth:0"),
        (2, "--collector 'pcap:': expected", "--collector", "pcap:"),
        (2, "--speed '0x': expected max, or 1x to 1000x", "--collector", collector, "--speed", "0x"),
        (2, "--shard '256': expected a number from 0 to 255", "--collector", collector, "--shard", "256"),
        (2, "--max-lines '-1': expected a number from 1", "--collector", collector, "--max-lines", "-1"),
        (2, "--ac '1:2': expected a MAC", "--collector", collector, "--ac", "1:2"),
        (2, "--redis: ", "--collector", collector, "--redis", "http://x"),
        (2, "Try 'rasadd --help'", "--no-such-option"),
        (2, "argument 'x.pcap': expected options only", "--collector", collector, "x.pcap"),
        (1, "nope9: no such file and no such interface", "--collector", "pcap:nope9", *here),
        (1, "/nope.pcap: cannot be read: No such file", "--collector", f"pcap:{folder}/nope.pcap", *here),
        (1, "bad.csv: not a capture file", "--collector", "pcap:" + bad_inventory, *here),
        (1, "after packet", "--collector", "pcap:" + cut, *here),
        (1, "lo: is an interface; expected one", "--collector", "pcap:lo", "--collector", collector, *here),
        (1, "bad.csv:1: ", "--collector", collector, "--inventory", bad_inventory, *here),
        (1, "bad.csv:1: ", "--collector", collector, "--planned", bad_inventory, *here),
        (1, "No such file or directory", "--collector", collector, "--redis", f"unix:{folder}/nobody.sock"),
        (1, "Connection refused", "--collector", collector, "--redis", "redis://127.0.0.1:1"),
    ]:
        got, said = rasadd(*args)
        assert got == code and text in said, (args, got, said)


def test_check_touches_nothing(folder):
    capture = Capture(folder, "town", "--scenario", "lines", "--lines", "3", "--duration", "30")
    args = ("--collector", "pcap:" + capture.path, "--inventory", capture.inventory)
    code, said = rasadd(*args, "-n", "--redis", f"unix:{folder}/nobody.sock")
    assert code == 0 and "ready; inventory of 3 lines" in said, said
    code, said = rasadd("--collector", f"pcap:{folder}/nope.pcap", "-n")
    assert code == 1 and "nope.pcap: cannot be read" in said, said


def test_help_and_version(_folder):
    for option, text in (("--help", "Usage: rasadd --collector"), ("--version", "rasadd ")):
        done = subprocess.run([rig.BIN + "/rasadd", option], capture_output=True, text=True, check=True)
        assert done.stdout.startswith(text) and not done.stderr, done


rig.run([test for name, test in list(globals().items()) if name.startswith("test_")])
