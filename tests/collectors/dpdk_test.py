#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""rasadd on DPDK: captures through net_pcap must say what rasad-replay says of the same packets, and
every frame sent over a veth pair must be counted, as received or as missed. No huge pages, no NIC."""

import glob
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
sys.path.insert(0, ROOT + "/tests/tools/rasadd")

import rig  # noqa: E402 pylint: disable=wrong-import-position
from rig import Capture, Daemon, Server, Skip, field, rasadd, wait_for  # noqa: E402 pylint: disable=C0413
from wire import Wire  # noqa: E402 pylint: disable=wrong-import-position

LINES = ("--scenario", "lines", "--lines", "16", "--duration", "150")
SMALL = ("--scenario", "lines", "--lines", "6", "--duration", "60")
PLAIN_PAGES = "rasadd: dpdk: no huge pages: packets lie in 4 kB pages"
AF_PACKET, AF_XDP = "net_af_packet0,iface=tap0", "net_af_xdp0,iface=tap0"
AF_PACKET_TINY = AF_PACKET + ",blocksz=4096,framesz=2048,framecnt=64"


def eal(*vdevs):
    return ("--", "--no-huge", "--no-pci", *(f"--vdev={v}" for v in vdevs))


def in_microseconds(source, to):
    """net_pcap knows no finer ones, and takes what was captured of a frame for all of it. Returns
    whether that is so."""
    with open(source, "rb") as f:
        data = f.read()
    unit = {0xA1B23C4D: 1000, 0xA1B2C3D4: 1}[struct.unpack_from("<I", data)[0]]
    whole, out, at = True, [struct.pack("<I", 0xA1B2C3D4), data[4:24]], 24
    while at < len(data):
        s, fraction, caplen, length = struct.unpack_from("<4I", data, at)
        out.append(struct.pack("<4I", s, fraction // unit, caplen, length) + data[at + 16:at + 16 + caplen])
        at += 16 + caplen
        whole = whole and caplen == length
    with open(to, "wb") as f:
        f.write(b"".join(out))
    return whole


def town(folder, *options):
    capture = Capture(folder, "town-ns", *options)
    in_microseconds(capture.path, folder + "/town.pcap")
    capture.path = folder + "/town.pcap"
    return capture


def replay(path, *more):
    return subprocess.run([rig.PLAIN + "/rasad-replay", "-q", "-o", "json", *more, path], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def without_run(report):
    """The lines, but for what belongs to this run and not to the packets."""
    rows = [json.loads(line) for line in report.splitlines()]
    for key in ("files", "elapsed_s"):
        rows[-1].pop(key)
    rows[-1]["notes"] = {k: v for k, v in rows[-1]["notes"].items() if not k.startswith(("net_", "queue"))}
    return rows


def untimed(cards):
    """But for until when they are good: that is in the time of who published them."""
    return {line: re.sub(r"valid_until_unix_ms: \d+\n", "", text) for line, text in cards.items()}


def play(path, server, summary, *more):
    code, said = rasadd("--collector", "dpdk:net_pcap0", "--redis", server.url, "--summary", summary, *more,
                        *eal("net_pcap0,rx_pcap=" + path))
    assert code == 0, said
    assert said.count(PLAIN_PAGES) == 1, said
    with open(summary, encoding="utf-8") as f:
        return f.read()


def test_says_what_replay_says(folder):
    capture, server, other = town(folder, *LINES), Server(folder), Server(folder)
    ours = play(capture.path, server, folder + "/summary.json")
    theirs = replay(capture.path, "--publish", other.url)
    assert len(theirs.splitlines()) > 60
    assert without_run(ours) == without_run(theirs)
    assert server.events() == other.events() and len(server.events()) > 40
    assert untimed(server.cards()) == untimed(other.cards()) and len(server.cards()) == 16
    kinds = ("verdicts", "control", "refusals", "packets", "bytes", "lines", "flows")
    ours, theirs = server.health("dpdk:net_pcap0"), other.health("replay")
    pick = re.compile(rf"^(?:{'|'.join(kinds)})\b.*?(?:\n}}|$)", re.M | re.S)
    assert pick.findall(ours) == pick.findall(theirs) and len(pick.findall(ours)) > 10, (ours, theirs)


def test_lab_captures(folder):
    """Real modems and a real BRAS, where the shared captures are there."""
    shared = os.environ.get("RASAD_SHARED") or ROOT + "/../shared"
    captures = sorted(glob.glob(shared + "/lab/*/access.pcap"))
    if not captures:
        raise Skip("no ../shared/lab (or $RASAD_SHARED)")
    server, path, compared = Server(folder), folder + "/access.pcap", 0
    for capture in captures:
        if not in_microseconds(capture, path):
            continue  # cut to its headers
        compared += 1
        ours = play(path, server, folder + "/summary.json")
        assert without_run(ours) == without_run(replay(path)), capture
    assert compared > 1


# --- live ---


def listen(wire, server, vdev, *more):
    """af_xdp: the driver forgets 80 bytes of its own when it is closed."""
    forgiven = os.path.dirname(server.path) + "/forgiven"
    with open(forgiven, "w", encoding="utf-8") as f:
        f.write("leak:xsk_umem__create\n")
    prefix = (*wire.inside, "env", f"LSAN_OPTIONS=suppressions={forgiven}:print_suppressions=0")
    daemon = Daemon("--collector", "dpdk:", "--redis", server.url, *more, *eal(vdev), prefix=prefix)
    wait_for(lambda: "listening" in daemon.said or daemon.process.poll() is not None, "listening")
    if "net_af_xdp0: cannot be started" in daemon.said:
        raise Skip(f"no AF_XDP here: {daemon.said.splitlines()[-1]}")
    assert "listening" in daemon.said, daemon.said
    return daemon


def counted(server):
    health = server.health("dpdk:all")
    return int(field(health, "packets", 0)) + int(field(health, "dropped", 0))


def stop(daemon):
    """All is in Redis within a second; the driver may take a little more to let go."""
    start = time.monotonic()
    daemon.process.send_signal(signal.SIGTERM)
    daemon.wait_said("; published ")
    seconds = time.monotonic() - start
    code, said = daemon.wait()
    assert code == 0 and seconds < 1, (code, said, seconds)
    return said


def every_packet(folder, vdev, *more):
    capture, server = Capture(folder, "town", *SMALL), Server(folder)
    with Wire(mtu=3000) as wire:
        daemon = listen(wire, server, vdev, *more)
        packets, octets = wire.send(capture, 5000)
        assert packets == capture.truth["packets"] > 3000
        wait_for(lambda: len(server.events()) >= 6, "six lines up")
        stop(daemon)
    health = server.health("dpdk:all")
    assert int(field(health, "packets")) == packets, health
    assert int(field(health, "bytes")) == octets, health
    assert int(field(health, "dropped", 0)) == 0, health
    assert "running" not in health, health
    truth = {line["line"] for line in capture.truth["lines"]}
    assert set(server.cards()) == truth
    assert {line for _, line, kind in server.events() if kind == "UP"} == truth


def test_af_packet_counts_every_packet(folder):
    every_packet(folder, AF_PACKET)


def test_af_packet_busy(folder):
    every_packet(folder, AF_PACKET, "--busy")


def test_af_xdp_counts_every_packet(folder):
    every_packet(folder, AF_XDP)


def test_two_queues(folder):
    """The kernel parts the packets of a line between them: only their number is exact."""
    capture, server = Capture(folder, "town", *SMALL), Server(folder)
    with Wire(mtu=3000) as wire:
        daemon = listen(wire, server, AF_PACKET + ",qpairs=2", "--queues", "2", "--workers", "2")
        assert "do not keep a line together" in daemon.said, daemon.said
        packets, octets = wire.send(capture, 5000)
        wait_for(lambda: counted(server) >= packets, "all packets")
        stop(daemon)
    health = server.health("dpdk:all")
    assert counted(server) == packets and int(field(health, "bytes")) == octets, health
    assert set(server.cards()) >= {line["line"] for line in capture.truth["lines"]}


def overload(folder, vdev, least):
    """A daemon that stands still while frames come: what found no room is counted to the packet,
    although the driver does not tell."""
    capture, server = Capture(folder, "town", *SMALL), Server(folder)
    with Wire(mtu=3000) as wire:
        daemon = listen(wire, server, vdev)
        daemon.process.send_signal(signal.SIGSTOP)
        first, _ = wire.send(capture, 100000)
        daemon.process.send_signal(signal.SIGCONT)
        second, _ = wire.send(capture, 5000)
        wait_for(lambda: counted(server) >= first + second, "all packets")
        stop(daemon)
    health = server.health("dpdk:all")
    assert int(field(health, "dropped", 0)) >= least, health
    assert counted(server) == first + second, health


def test_af_packet_drops_are_counted(folder):
    overload(folder, AF_PACKET_TINY, 3000)


def test_af_xdp_drops_are_counted(folder):
    overload(folder, AF_XDP, 1000)


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as f:
        ticks = f.read().rpartition(")")[2].split()
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


def test_silence_costs_nothing(folder):
    """Waiting for the kernel's sockets; net_null, which has none, in naps."""
    server = Server(folder)
    with Wire(mtu=3000) as wire:
        daemon = listen(wire, server, AF_PACKET)
        before = cpu_seconds(daemon.process)
        time.sleep(1)
        assert cpu_seconds(daemon.process) - before < 0.15
        stop(daemon)
        daemon = listen(wire, server, "net_ring0")
        before = cpu_seconds(daemon.process)
        time.sleep(1)
        assert cpu_seconds(daemon.process) - before < 0.4
        stop(daemon)
        daemon = listen(wire, server, AF_PACKET, "--busy")
        before = cpu_seconds(daemon.process)
        wait_for(lambda: cpu_seconds(daemon.process) - before > 0.5, "a core that spins")
        stop(daemon)


def test_link_down_is_told_and_waited_for(folder):
    capture, server = Capture(folder, "town", *SMALL), Server(folder)
    with Wire(mtu=3000) as wire:
        daemon = listen(wire, server, AF_PACKET)
        wire.run("ip", "link", "set", "tap0", "down")
        daemon.wait_said("dpdk: net_af_packet0: the link is down; waiting for it\n")
        before = cpu_seconds(daemon.process)
        time.sleep(0.5)
        assert cpu_seconds(daemon.process) - before < 0.25
        wire.run("ip", "link", "set", "tap0", "up")
        daemon.wait_said("dpdk: net_af_packet0: the link is up\n")
        packets, _ = wire.send(capture, 5000)
        wait_for(lambda: len(server.events()) >= 6, "six lines up")
        wire.run("ip", "link", "set", "tap0", "down")
        wait_for(lambda: daemon.said.count("the link is down") == 2, "down again")
        said = stop(daemon)
    assert said.count("the link is up") == 1, said
    assert counted(server) == packets


# --- what goes wrong ---


def test_failures(folder):
    capture, server = town(folder, *SMALL), Server(folder)
    here, null = ("--collector", "dpdk:", "--redis", server.url), eal("net_null0")
    cut = folder + "/cut.pcap"
    with open(capture.path, "rb") as whole, open(cut, "wb") as part:
        part.write(whole.read(os.path.getsize(capture.path) // 2))

    def port(name):
        return ("--collector", "dpdk:" + name, *here[2:])

    for code, text, *args in [
        (1, "dpdk: no port 'nope'; there are: net_null0\n", *port("nope"), *null),
        (1, "dpdk: no port '7'; there are: net_null0\n", *port("7"), *null),
        (1, "dpdk: net_null0: given twice\n", *port("net_null0,0"), *null),
        (1, "dpdk: ',': expected PORT[:access|:core][,...]\n", *port(","), *null),
        (1, "dpdk: there are no ports; expected", *here, *eal()),
        (1, "dpdk: there are more than 16 ports", *here, *eal(*(f"net_null{i}" for i in range(17)))),
        (1, "dpdk: EAL does not start: unrecognized option '--foo'", *here, *eal(), "--foo"),
        (1, "dpdk: EAL does not start: failed to parse device", *here, *eal("net_nope0")),
        (1, "dpdk: EAL: Couldn't open /nope.pcap", *here, *eal("net_pcap0,rx_pcap=/nope.pcap")),
        (1, "dpdk: EAL does not start: lcore 999 ", *here, *eal(), "-l", "999"),
        (1, "dpdk: net_null0: cannot be started: Cannot allocate memory", *here, *null, "-m", "1"),
        (1, "net_pcap0: the capture is damaged or cut after packet 1", *here, *eal("net_pcap0,rx_pcap=" + cut)),
        (2, "--queues '0': expected a number from 1", *here, "--queues", "0", *null),
        (1, "dpdk: net_pcap0: has 1 receive queues, not the 3 of --queues", *here, "--queues", "3",
         *eal("net_pcap0,rx_pcap=" + capture.path)),
        (2, "--collector: one kind only, of pcap:, dpdk: and xdp:", *here, "--collector", "pcap:x", *null),
        (2, "--collector 'dpdk:1': expected dpdk: once", *here, "--collector", "dpdk:1", *null),
        (2, "argument '--no-huge': expected those behind -- only with dpdk:", "--collector", "pcap:x", *null),
        (2, "--speed: is for files of pcap:", *here, "--speed", "1x", *null),
    ]:
        got, said = rasadd(*args)
        assert got == code and text in said, (args, got, said)
        assert "Usage: rasadd [options]" not in said, said  # EAL's own, two pages of it
    got, said = rasadd(*here, "--summary", folder + "/no/such/folder", *null)
    assert got == 1 and "--summary: " in said, said


def test_busy_port(folder):
    """The second to ask for a queue of AF_XDP."""
    server = Server(folder)
    with Wire(mtu=3000) as wire:
        daemon = listen(wire, server, AF_XDP)
        code, said = rasadd("--collector", "dpdk:", "-n", *eal(AF_XDP), prefix=wire.inside)
        assert code == 1 and "dpdk: net_af_xdp0: cannot be started: " in said, said
        stop(daemon)


def test_two_daemons(folder):
    """Nothing that one EAL keeps to itself is in the way of another."""
    server = Server(folder)
    with Wire(mtu=3000) as wire:
        one, two = listen(wire, server, AF_PACKET), listen(wire, server, AF_PACKET)
        stop(one)
        stop(two)


def test_check_touches_nothing(_folder):
    code, said = rasadd("--collector", "dpdk:0:access", "-n", *eal("net_null0"))
    assert code == 0 and "rasadd: dpdk:0:access: ready\n" in said, said


def main():
    _, said = rasadd("--collector", "dpdk:", "-n", *eal())
    tests = [test for name, test in list(globals().items()) if name.startswith("test_")]
    if "built without DPDK" in said:
        print("skipped: rasadd is built without DPDK")
        print(f"0 passed, 0 failed, {len(tests)} skipped")
    else:
        rig.run(tests)


main()
