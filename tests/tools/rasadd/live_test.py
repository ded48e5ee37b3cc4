#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""rasadd on a live interface: one end of a veth pair in a network namespace of the test's own, while
the frames of a generated capture are sent into the other end."""

import os
import signal
import subprocess

import rig
from rig import Capture, Daemon, Server, Skip, field, rasadd, wait_for
from wire import Wire

RATE = 3000  # packets a second


def listen(wire, *args):
    return Daemon("--collector", "pcap:tap0", *args, prefix=wire.inside)


def test_every_packet_is_counted(folder):
    capture = Capture(folder, "town", "--scenario", "lines", "--lines", "12", "--duration", "60")
    server = Server(folder)
    with Wire() as wire:
        daemon = listen(wire, "--redis", server.url, "--inventory", capture.inventory)
        daemon.wait_said("listening")
        packets, octets = wire.send(capture, RATE)
        assert packets == capture.truth["packets"] > 5000
        wait_for(lambda: int(field(server.health("pcap:tap0"), "packets", 0)) >= packets, "all packets")
        assert "running: true" in server.health("pcap:tap0")
        code, said, seconds = daemon.stop()
    assert code == 0 and seconds < 1, (code, said, seconds)
    health = server.health("pcap:tap0")
    assert int(field(health, "packets")) == packets, health
    assert int(field(health, "bytes")) == octets, health  # with the tag that the kernel had taken out
    assert int(field(health, "dropped", 0)) == 0, health
    assert "running" not in health, health

    truth = {line["line"]: line for line in capture.truth["lines"]}
    cards = server.cards()
    assert set(cards) == set(truth)
    for name, card in cards.items():
        assert int(field(card, "svlan")) == truth[name]["svlan"], card
        assert int(field(card, "cvlan")) == truth[name]["cvlan"], card
        assert field(card, "subscriber") == truth[name]["subscriber"], card
        assert field(card, "phone"), card
    ups = [line for _, line, kind in server.events() if kind == "UP"]
    assert set(ups) == set(truth), ups


def test_what_is_dropped_is_told(folder):
    """A daemon that cannot keep up: what the kernel let go is counted, and the sum is right."""
    capture = Capture(folder, "town", "--scenario", "lines", "--lines", "12", "--duration", "60")
    server = Server(folder)
    with Wire() as wire:
        daemon = listen(wire, "--redis", server.url, "--buffer", "1")
        daemon.wait_said("listening")
        daemon.process.send_signal(signal.SIGSTOP)
        packets, _ = wire.send(capture, RATE)
        daemon.process.send_signal(signal.SIGCONT)
        wait_for(lambda: counted(server) >= packets, "all packets")
        code, said, _ = daemon.stop()
    assert code == 0, said
    health = server.health("pcap:tap0")
    assert int(field(health, "dropped", 0)) > packets / 4, health
    assert counted(server) == packets, health


def counted(server):
    health = server.health("pcap:tap0")
    return int(field(health, "packets", 0)) + int(field(health, "dropped", 0))


def test_interface_down_or_gone(folder):
    server = Server(folder)
    with Wire() as wire:
        daemon = listen(wire, "--redis", server.url)
        daemon.wait_said("listening")
        wire.run("ip", "link", "set", "tap0", "down")
        code, said = daemon.wait()
        assert code == 1 and "rasadd: tap0: the interface went down\n" in said, (code, said)
        assert "running" not in server.health("pcap:tap0")

        code, said = rasadd("--collector", "pcap:tap0", "--redis", server.url, prefix=wire.inside)
        assert code == 1 and "rasadd: tap0: the interface is down" in said, (code, said)

        wire.run("ip", "link", "set", "tap0", "up")
        daemon = listen(wire, "--redis", server.url)
        daemon.wait_said("listening")
        wire.run("ip", "link", "del", "tap0")
        code, said = daemon.wait()
        assert code == 1 and "rasadd: tap0: the interface is gone\n" in said, (code, said)


def test_timers_run_without_packets(folder):
    """The health key of a silent wire carries the time of the clock."""
    server = Server(folder)
    with Wire() as wire:
        daemon = listen(wire, "--redis", server.url)
        wait_for(lambda: server.health("pcap:tap0"), "health")
        health = server.health("pcap:tap0")
        clock = subprocess.run(["date", "+%s%N"], stdout=subprocess.PIPE, check=True).stdout
        code, said, _ = daemon.stop()
    assert code == 0, said
    assert field(health, "packets", "0") == "0", health
    assert 0 <= int(clock) - int(field(health, "unix_ns")) < 60 * 10**9, health


def test_no_rights(_folder):
    if os.geteuid() != 0:
        prefix = ()
    elif subprocess.run(["setpriv", "--bounding-set=-net_raw", "true"], check=False).returncode:
        raise Skip("no right to give up rights")
    else:
        prefix = ("setpriv", "--bounding-set=-net_raw")
    code, said = rasadd("--collector", "pcap:lo", "-n", prefix=prefix)
    assert code == 1 and "rasadd: lo: no right to capture: expected root" in said, (code, said)


rig.run([test for name, test in list(globals().items()) if name.startswith("test_")])
