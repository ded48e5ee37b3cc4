#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""rasadd in the kernel: native XDP and TC on one end of a veth pair in a network namespace of the
test's own, as a mirror port and inline."""

import hashlib
import json
import os
import signal
import struct
import subprocess
import sys

import rig
from rig import Capture, Daemon, Server, Skip, rasadd, wait_for
from wire import Wire

SMALL = ("--max-lines", "1000", "--max-flows", "10000")
TRANSFER = 64 << 20
LAB_SECONDS = (222, 20)  # when lines go down and come back
# Sends TRANSFER bytes over TCP from one namespace to the other; prints the hash of what has arrived.
SERVER = """
import hashlib, socket, sys
s = socket.create_server(("10.9.0.2", 7000)); print("ready", flush=True)
c, _ = s.accept(); h = hashlib.sha256()
while part := c.recv(1 << 16): h.update(part)
print(h.hexdigest())
"""
CLIENT = """
import socket, sys
c = socket.create_connection(("10.9.0.2", 7000), 10); block = bytes(range(256)) * 256
for _ in range(int(sys.argv[1]) // len(block)): c.sendall(block)
"""


def may_load():
    """The kernel lets us, and knows links of TC."""
    with Wire() as wire:
        code, said = rasadd("-n", "--collector", "xdp:tap0", prefix=wire.inside)
        if code:
            raise Skip(said.strip())


def listen(wire, server, *args):
    daemon = Daemon("--collector", "xdp:tap0", "--redis", server.url, *SMALL, *args, prefix=wire.inside)
    daemon.wait_said("listening")
    return daemon


def report(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def replayed(capture):
    out = subprocess.run([rig.PLAIN + "/rasad-replay", "-q", "-o", "json", capture.path], check=True,
                         stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in out.splitlines()]


def counters(rows):
    return {key: rows[-1][key] for key in ("packets", "bytes", "verdicts", "control", "lines", "flows")}


def told(rows):
    """What happened to each line, in order."""
    lines = {}
    for row in sorted((r for r in rows if r["type"] == "session_event"), key=lambda r: r["unix_ns"]):
        lines.setdefault(row["line"], []).append((row["kind"], row.get("cause")))
    return lines


def programs():
    """Those of the tap that are in the kernel: one that hangs nowhere and belongs to nobody is gone."""
    shown = subprocess.run(["bpftool", "-j", "prog", "show"], stdout=subprocess.PIPE, check=True).stdout
    return {p["id"] for p in json.loads(shown) if p.get("name") in ("tap_received", "tap_sent")}


class Slice:
    """Some seconds of a capture of the lab, each frame as long as it was on the wire."""

    def __init__(self, folder, name, start, seconds):
        source = f"{rig.ROOT}/../shared/lab/{name}/access.pcap"
        if not os.path.exists(source):
            raise Skip(f"no {source}")
        self.path = f"{folder}/{name}.pcap"
        first = None
        with open(source, "rb") as lab, open(self.path, "wb") as out:
            out.write(lab.read(24))
            while header := lab.read(16):
                at, ns, caplen, wire_len = struct.unpack("<IIII", header)
                frame, first = lab.read(caplen), first or at
                if start <= at - first < start + seconds:
                    out.write(struct.pack("<IIII", at, ns, wire_len, wire_len) + frame.ljust(wire_len, b"\0"))


def expect_as_a_replay(folder, capture):
    """At the capture's own pace: the same counters, and the same fate of every line."""
    server, summary = Server(folder), folder + "/live.json"
    with Wire() as wire:
        daemon = listen(wire, server, "--tap", "drop", "--summary", summary)
        packets, octets = wire.send(capture, 0)
        wait_for(lambda: f"packets: {packets}" in server.health("xdp:tap0"), "all packets")
        code, said, _ = daemon.stop()
    assert code == 0 and "generic" not in said, said
    live, replay = report(summary), replayed(capture)
    assert counters(live) == counters(replay), (counters(live), counters(replay))
    assert (live[-1]["packets"], live[-1]["bytes"]) == (packets, octets)
    assert told(live) == told(replay), (told(live), told(replay))
    return told(live)


def test_mirror_port_as_a_replay(folder):
    may_load()
    expect_as_a_replay(folder, Capture(folder, "town", "--scenario", "lines", "--lines", "12", "--duration", "25"))


def test_lab_as_a_replay(folder):
    may_load()
    lines = expect_as_a_replay(folder, Slice(folder, "S5", *LAB_SECONDS))
    kinds = [kind for events in lines.values() for kind, _ in events]
    assert kinds.count("UP") > 20 and kinds.count("DOWN") > 4, lines


def test_full_rings_are_counted(folder):
    """A daemon that stands still: what it missed and what it saw are all."""
    may_load()
    capture = Capture(folder, "town", "--scenario", "lines", "--lines", "12", "--duration", "60")
    server, summary = Server(folder), folder + "/live.json"
    with Wire() as wire:
        daemon = listen(wire, server, "--tap", "drop", "--summary", summary, "--buffer", "1")
        daemon.process.send_signal(signal.SIGSTOP)
        packets, _ = wire.send(capture, 20000)
        daemon.process.send_signal(signal.SIGCONT)
        wait_for(lambda: counted(server) >= packets, "all packets")
        daemon.stop()
    notes = report(summary)[-1]
    lost = sum(v for k, v in notes["notes"].items() if k.endswith("ring_full"))
    assert lost > 0 and lost + notes["packets"] == packets, (lost, notes["packets"], packets)


def test_rings_are_emptied_at_a_stop(folder):
    """Told to stop while it stands still and the rings are full of packets that nobody has read."""
    may_load()
    capture = Capture(folder, "town", "--scenario", "lines", "--lines", "12", "--duration", "60")
    for queues in "1", "2":
        server, summary = Server(folder), folder + "/live.json"
        with Wire() as wire:
            daemon = listen(wire, server, "--tap", "drop", "--summary", summary, "--queues", queues)
            daemon.process.send_signal(signal.SIGSTOP)
            packets, _ = wire.send(capture, 20000)
            daemon.process.send_signal(signal.SIGTERM)
            daemon.process.send_signal(signal.SIGCONT)
            code, said = daemon.wait()
        assert code == 0, said
        last = report(summary)[-1]
        assert last["packets"] == packets == sum(last["verdicts"].values()), (queues, packets, last)
        assert last["control"] == replayed(capture)[-1]["control"], last


def counted(server):
    health = server.health("xdp:tap0")
    return int(rig.field(health, "packets", 0)) + int(rig.field(health, "dropped", 0))


class Path:
    """TCP from a second namespace to the wire's own, through tap0."""

    def __init__(self, wire):
        self.wire, self.name = wire, f"rasad-test-far-{os.getpid()}"
        self.far = ("ip", "netns", "exec", self.name)

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.wire.run("ip", "link", "set", "far0", "netns", self.name)
        for end, inside, address in (("tap0", self.wire.inside, "10.9.0.2/24"), ("far0", self.far, "10.9.0.1/24")):
            subprocess.run([*inside, "ip", "address", "add", address, "dev", end], check=True)
            subprocess.run([*inside, "ip", "link", "set", end, "arp", "on", "up"], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=False)

    def transfer(self):
        """The hash of what has arrived."""
        server = subprocess.Popen([*self.wire.inside, sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
        rig.PROCESSES.append(server)
        assert server.stdout.readline() == "ready\n"
        subprocess.run([*self.far, sys.executable, "-c", CLIENT, str(TRANSFER)], check=True, timeout=rig.PATIENCE_S)
        return server.communicate(timeout=rig.PATIENCE_S)[0].strip()

    def packets(self):
        """Received and sent by tap0, as the kernel counts."""
        stats = json.loads(self.wire.run("ip", "-j", "-s", "link", "show", "tap0"))[0]["stats64"]
        return stats["rx"]["packets"] + stats["tx"]["packets"]


def expected_hash():
    return hashlib.sha256(bytes(range(256)) * (TRANSFER // 256)).hexdigest()


def test_inline_nothing_is_changed_or_lost(folder):
    may_load()
    server, summary = Server(folder), folder + "/live.json"
    with Wire(mtu=1500) as wire, Path(wire) as path:
        earlier = path.packets()
        daemon = listen(wire, server, "--summary", summary)
        before = path.packets()
        assert path.transfer() == expected_hash()
        wait_for(lambda: counted(server) >= path.packets() - before, "all packets")
        least = path.packets() - before
        code, said, _ = daemon.stop()
        most = path.packets() - earlier
    assert code == 0, said
    last = report(summary)[-1]
    # Neighbours may speak while the hooks come and go.
    assert least <= last["packets"] <= most <= least + 10, (last, least, most)
    assert last["verdicts"]["ok"] == last["packets"], last
    assert last["flows"] >= 1, last


def test_killed_leaves_nothing(folder):
    may_load()
    server = Server(folder)
    with Wire(mtu=1500) as wire, Path(wire) as path:
        before = programs()
        daemon = listen(wire, server)
        ours = programs() - before
        assert len(ours) >= 2 and "tap0(" in wire.run("bpftool", "net", "show")
        daemon.stop(signal.SIGKILL)
        wait_for(lambda: not ours & programs(), "the programs to go")
        assert "tap0(" not in wire.run("bpftool", "net", "show")
        assert path.transfer() == expected_hash()


def test_two_readers(folder):
    may_load()
    capture = Capture(folder, "town", "--scenario", "lines", "--lines", "12", "--duration", "60")
    server, summary = Server(folder), folder + "/live.json"
    with Wire() as wire:
        daemon = listen(wire, server, "--tap", "drop", "--summary", summary, "--queues", "2")
        packets, _ = wire.send(capture, 3000)
        wait_for(lambda: counted(server) >= packets, "all packets")
        daemon.stop()
    assert counters(report(summary)) == counters(replayed(capture))


def test_generic_says_so(_folder):
    may_load()
    with Wire() as wire:
        wire.run("ip", "link", "add", "br0", "up", "type", "bridge")
        code, said = rasadd("-n", "--collector", "xdp:br0", "--tap", "drop", prefix=wire.inside)
    assert code == 0 and "generic XDP" in said, said


def test_what_is_wrong_is_said(_folder):
    may_load()
    with Wire() as wire:
        for names, words in (("nix0", "no such interface"), ("lo", "is no Ethernet interface"),
                             ("tap0,tap0", "given twice"), ("tap0,,", "expected interfaces")):
            code, said = rasadd("-n", "--collector", "xdp:" + names, prefix=wire.inside)
            assert code == 1 and words in said, said
        code, said = rasadd("-n", "--collector", "xdp:tap0", prefix=(
            *wire.inside, "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps", "-all"))
        assert code == 1 and "no right to load programs" in said, said
    for args, words in ((("--collector", "xdp:"), "xdp:INTERFACE"), (("--collector", "pcap:x", "--tap", "drop"), "for xdp:"),
                        (("--collector", "xdp:a", "--tap", "keep"), "pass or drop"),
                        (("--collector", "xdp:a", "--collector", "dpdk:"), "one kind")):
        code, said = rasadd(*args)
        assert code == 2 and words in said, said


def test_taken_interface(folder):
    may_load()
    server = Server(folder)
    with Wire() as wire:
        daemon = listen(wire, server)
        code, said = rasadd("-n", "--collector", "xdp:tap0", prefix=wire.inside)
        assert code == 1 and "another XDP program" in said, said
        wire.run("ip", "link", "del", "tap0")
        code, said = daemon.wait()
    assert code == 1 and "is gone" in said, said


if __name__ == "__main__":
    rig.run([test_mirror_port_as_a_replay, test_lab_as_a_replay, test_full_rings_are_counted,
             test_rings_are_emptied_at_a_stop, test_inline_nothing_is_changed_or_lost,
             test_killed_leaves_nothing, test_two_readers, test_generic_says_so, test_what_is_wrong_is_said,
             test_taken_interface])
