#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Scenario load of rasad-gen, judged by tshark, by rasad-replay, by its own truth, and by what arrives
at the far end of a veth pair."""

import collections
import json
import os
import pathlib
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "rasad-replay"))

import judge  # noqa: E402

BIN = pathlib.Path(os.environ.get("RASAD_BIN") or judge.REPO / "build/bin")
ASAN_BIN = os.environ.get("RASAD_ASAN_BIN")
GEN, REPLAY = BIN / "rasad-gen", BIN / "rasad-replay"
PACKET_STATISTICS = 6


class Skip(Exception):
    """What a test needs is not here."""


def gen(*args, program=GEN, check=True):
    done = subprocess.run([str(program), "--scenario", "load", *map(str, args)], check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    if check and done.returncode:
        raise AssertionError(f"rasad-gen {args}: exit {done.returncode}, {done.stderr.decode()}")
    return done


def capture(folder, name, *args):
    """A capture and its truth."""
    pcap = folder / f"{name}.pcap"
    gen("-o", pcap, *args)
    return pcap, json.loads((folder / f"{name}.truth.json").read_text())


def both(truth, name):
    return truth["down"][name] + truth["up"][name]


# --- tshark ----------------------------------------------------------------------------------

FIELDS = ("ip.checksum.status", "tcp.checksum.status", "udp.checksum.status", "ieee8021ad.id", "vlan.id", "pppoe.session_id",
          "ipv6.nxt", "tcp.len", "udp.length", "tcp.analysis.retransmission", "tcp.analysis.out_of_order",
          "tcp.analysis.lost_segment", "tcp.analysis.duplicate_ack", "tcp.analysis.ack_lost_segment",
          "frame.len", "_ws.malformed", "ppp.code", "tcp.options.timestamp.tsval")


def tshark(pcap):
    command = ["tshark", "-r", str(pcap), "-T", "fields", *sum((["-e", f] for f in FIELDS), []),
               "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
               "-o", "tcp.desegment_tcp_streams:FALSE"]
    try:
        out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    except FileNotFoundError as e:
        raise Skip("no tshark") from e
    return [dict(zip(FIELDS, line.split("\t"))) for line in out.splitlines()]


def test_tshark_agrees(score, folder):
    pcap, truth = capture(folder, "shark", "--lines", 20, "--flows", 100, "--packets", 50000, "--rate", 20000,
                          "--zipf", 0, "--echo", 0.5, "--snaplen", 2000)
    rows = tshark(pcap)
    count = {f: sum(row[f] not in ("", "0") for row in rows) for f in FIELDS}
    score.equal("tshark: packets", truth["packets"], len(rows))
    score.equal("tshark: bytes", truth["bytes"], sum(int(row["frame.len"]) for row in rows))
    score.equal("tshark: malformed", 0, count["_ws.malformed"])
    for f in ("ip", "tcp", "udp"):
        seen = collections.Counter(row[f"{f}.checksum.status"] for row in rows)
        score.equal(f"tshark: bad {f} checksums", 0, sum(n for k, n in seen.items() if k not in ("", "1")))
    score.equal("tshark: two tags each", len(rows), sum(bool(row["vlan.id"] and row["ieee8021ad.id"]) for row in rows))
    score.equal("tshark: a session each", len(rows), count["pppoe.session_id"])
    score.equal("tshark: TCP", truth["tcp"], sum(row["tcp.len"] != "" for row in rows))
    score.equal("tshark: data", both(truth, "data_packets"), count["tcp.len"])
    score.equal("tshark: timestamps", truth["tcp"], sum(row["tcp.options.timestamp.tsval"] != "" for row in rows))
    score.equal("tshark: UDP", truth["udp"], count["udp.length"])
    score.equal("tshark: IPv6", truth["ipv6"], count["ipv6.nxt"])
    score.equal("tshark: echoes", truth["echo_requests"] + truth["echo_replies"], count["ppp.code"])
    repaired = both(truth, "retransmit_seen") + both(truth, "hole_fill")
    score.near("tshark: resends", repaired, count["tcp.analysis.retransmission"] +
               count["tcp.analysis.out_of_order"], 3 + 0.03 * repaired)
    lost = truth["lost_before_tap_all"]
    score.near("tshark: holes", lost, count["tcp.analysis.lost_segment"], 3 + 0.03 * lost)
    score.equal("tshark: ACKs of what nobody saw", 0, count["tcp.analysis.ack_lost_segment"])
    score.near("UDP share", 0.15, truth["udp"] / len(rows), 0.015)
    score.near("IPv6 share", 0.20, truth["ipv6"] / len(rows), 0.02)
    data = both(truth, "data_packets")
    score.near("data per ACK", 2, data / (truth["tcp"] - data), 0.2)
    score.near("share of downloads", 0.8, truth["down"]["data_packets"] / data, 0.04)
    score.near("share lost behind the tap", 0.005, truth["lost_after_tap_all"] / data, 0.001)
    score.near("share lost before the tap", 0.005, lost / data, 0.001)
    score.near("mean packet", 900, truth["bytes"] / truth["packets"], 80)


# --- rasad-replay ----------------------------------------------------------------------------

def told_lines(result):
    return {(s["svlan"], s["cvlan"]): s for s in result.objects["subscriber_summary"] if s.get("cvlan")}


def rtt_errors(truth, told, side, minimum):
    """Percent off, of the lines with enough samples."""
    pairs = [(line[f"rtt_{side}_us"], told.get((line["svlan"], line["cvlan"]), {}).get("rtt", {}).get(side, {}))
             for line in truth["lines"]]
    return [100 * abs(m["p50_us"] - t) / t for t, m in pairs if m.get("n", 0) >= minimum]


def judge_rtts(score, name, truth, told, limits, minimum=5):
    for side, (at_least, limit) in limits.items():
        errors = rtt_errors(truth, told, side, minimum)
        score.check(len(errors) >= at_least, f"{name}: lines with an RTT of {side}", f">= {at_least}", len(errors))
        if errors:
            score.check(statistics.median(errors) <= limit, f"{name}: {side} RTT of lines, median error",
                        f"<= {limit} %", f"{statistics.median(errors):.2f} %")


def judge_losses(score, name, truth, result, percent):
    sides = {"access_down": ("down", "lost_after_tap"), "internet_down": ("down", "lost_before_tap"),
             "access_up": ("up", "lost_before_tap"), "internet_up": ("up", "lost_after_tap")}
    for side, (direction, what) in sides.items():
        got = sum(s["loss"].get(side, {}).get("lost", 0) for s in result.objects["subscriber_summary"])
        want = truth[direction][what]
        score.near(f"{name}: lost, {side}", want, got, 3 + percent / 100 * want)


def replay(score, name, pcap, truth):
    result = judge.run(REPLAY, pcap, timeout_s=120)
    if not judge.check_clean(score, name, result):
        raise AssertionError(f"{name}: no report")
    judge.check_verdicts(score, name, result.summary)
    score.equal(f"{name}: packets", truth["packets"], result.summary["packets"])
    score.equal(f"{name}: bytes", truth["bytes"], result.summary["bytes"])
    score.equal(f"{name}: well-formed", truth["packets"], result.summary["verdicts"]["ok"])
    score.equal(f"{name}: refusals", {}, {k: v for k, v in result.summary["refusals"].items() if v})
    return result


def test_replay_agrees(score, folder):
    pcap, truth = capture(folder, "replay", "--lines", 200, "--flows", 1600, "--packets", 500000, "--rate", 100000,
                          "--echo", 1)
    result = replay(score, "replay", pcap, truth)
    score.equal("replay: lines", truth["lines_seen"], result.summary["lines"])
    score.equal("replay: TCP flows", truth["tcp_flows_seen"], result.summary["flows"])
    score.equal("replay: echoes", [truth["echo_requests"], truth["echo_replies"]],
                [result.summary["control"][k] for k in ("lcp_echo_req", "lcp_echo_rep")])
    told = told_lines(result)
    score.equal("replay: packets of lines", truth["packets"],
                sum(s["packets_down"] + s["packets_up"] for s in told.values()))
    judge_rtts(score, "replay", truth, told, {"line": (190, 2), "access": (180, 2), "internet": (120, 2)}, 4)
    judge_losses(score, "replay", truth, result, 3)


def test_floods_leave_the_lines_alone(score, folder):
    pcap, truth = capture(folder, "flood", "--lines", 100, "--flows", 400, "--packets", 400000, "--rate", 100000,
                          "--new-flows", 30, "--padi", 10)
    result = replay(score, "flood", pcap, truth)
    score.near("flood: share of SYNs", 0.3, truth["syn_flood"] / truth["packets"], 0.01)
    score.near("flood: share of PADIs", 0.1, truth["padi_flood"] / truth["packets"], 0.01)
    score.equal("flood: flows", truth["tcp_flows_seen"] + truth["syn_flood"], result.summary["flows"])
    score.equal("flood: PADIs", truth["padi_flood"], result.summary["control"]["padi"])
    judge_rtts(score, "flood", truth, told_lines(result), {"access": (80, 2), "internet": (40, 2)})
    judge_losses(score, "flood", truth, result, 4)


def test_sessions_come_up(score, folder):
    pcap, truth = capture(folder, "sessions", "--lines", 50, "--packets", 20000, "--rate", 20000, "--sessions")
    result = replay(score, "sessions", pcap, truth)
    told = told_lines(result).values()
    score.equal("sessions: up", [50, 50], [truth["lines_up"], sum(s["state"] == "UP" for s in told)])
    score.equal("sessions: PADS", 50, result.summary["control"]["pads"])
    score.equal("sessions: named", 50, sum(s["line"].startswith("DSLAM-101 eth 0/1/") for s in told))


def test_every_encapsulation(score, folder):
    for encap in ("plain", "vlan", "qinq", "pppoe", "mpls"):
        pcap, truth = capture(folder, encap, "--lines", 50, "--packets", 20000, "--rate", 20000, "--encap", encap)
        result = replay(score, encap, pcap, truth)
        score.equal(f"{encap}: TCP flows", truth["tcp_flows_seen"], result.summary["flows"])


# --- the file itself -------------------------------------------------------------------------

def flow_of(frame):
    """Addresses and ports, the same for both directions; None if it is not IP. QinQ + PPPoE only."""
    protocol = struct.unpack_from(">H", frame, 28)[0]
    if protocol not in (0x21, 0x57):
        return None
    size, at = (4, 42) if protocol == 0x21 else (16, 38)
    ports = at + 2 * size
    ends = (frame[at:at + size] + frame[ports:ports + 2], frame[at + size:ports] + frame[ports + 2:ports + 4])
    return min(ends), max(ends)


def frames(data):
    at = 24
    while at < len(data):
        seconds, ns, size, _ = struct.unpack_from("<IIII", data, at)
        yield seconds * 10**9 + ns, data[at + 16:at + 16 + size]
        at += 16 + size


def shares(folder, name, *args):
    """Packets of the flows, most first, as shares; and the share of packets that follow one of their flow."""
    pcap, truth = capture(folder, name, "--lines", 250, "--flows", 1000, "--packets", 100000, "--rate", 20000, *args)
    flows = [flow_of(frame) for _, frame in frames(pcap.read_bytes())]
    count = collections.Counter(f for f in flows if f)
    same = sum(a == b for a, b in zip(flows, flows[1:]))
    return [n / truth["packets"] for _, n in count.most_common()], same / truth["packets"]


def test_popularity(score, folder):
    zipf, _ = shares(folder, "zipf")  # 1/i over 1000: the first has 13.4 %, ten have 39 %, a hundred 69 %
    score.near("Zipf: the first flow", 0.134, zipf[0], 0.045)
    score.near("Zipf: the first ten", 0.39, sum(zipf[:10]), 0.06)
    score.near("Zipf: the first hundred", 0.69, sum(zipf[:100]), 0.06)
    even, rare = shares(folder, "even", "--zipf", 0)
    score.check(even[0] < 0.002, "uniform: the first flow", "< 0.2 %", even[0])
    score.check(rare < 0.01, "packets that follow one of their flow", "< 1 %", rare)
    _, trains = shares(folder, "trains", "--zipf", 0, "--train", 8)
    score.near("trains of 8: packets that follow one of their flow", 0.5, trains, 0.2)


def test_the_seed_decides(score, folder):
    texts = [capture(folder, f"seed{i}", "--packets", 30000, "--seed", seed, "--jitter", 0.1)
             for i, seed in enumerate((7, 7, 8))]
    one, two, other = (pcap.read_bytes() for pcap, _ in texts)
    score.check(one == two, "same seed", "same bytes", "others")
    score.check(one != other, "other seed", "other bytes", "the same")
    score.check(texts[0][1] == texts[1][1], "same seed", "same truth", "another")
    times = [t for t, _ in frames(one)]
    score.check(times == sorted(times), "time stamps", "in order", "not")
    piped = gen("-o", "-", "--packets", 30000, "--seed", 7, "--jitter", 0.1)
    score.check(piped.stdout == one, "standard output", "the same bytes", f"{len(piped.stdout)} bytes")


def test_sizes(score, folder):
    _, truth = capture(folder, "size", "--packets", 20000, "--packet-bytes", 400, "--udp-share", 1, "--echo", 0)
    offer = 60  # that shows the concentrator's MAC
    score.equal("all packets 400 bytes", 400 * (truth["packets"] - 1) + offer, truth["bytes"])
    score.equal("all UDP", truth["packets"] - 1, truth["udp"])
    pcap, truth = capture(folder, "million", "--lines", 1000000, "--flows", 4000000, "--duration", 0.05, "--rate", 1e6)
    score.equal("50 ms at 1 Mpps", 50000, truth["packets"])
    score.equal("lines that had packets", truth["lines_seen"],
                replay(score, "million", pcap, truth).summary["lines"])
    score.equal("snapped to 128", 128, max(len(frame) for _, frame in frames(pcap.read_bytes())))
    score.check(500 < len(truth["lines"]) <= 1024, "a sample of a million lines", "at most 1024", len(truth["lines"]))


def test_wrong_usage(score, folder):
    out = str(folder / "x.pcap")
    for args in ((), ("-o", out, "--interface", "lo"), ("-o", out, "--rate", "0"), ("-o", out, "--rate", "0.5"),
                 ("-o", out, "--rate", "fast"), ("-o", out, "--new-flows", "60", "--padi", "50"),
                 ("-o", out, "--new-flows", "101"), ("-o", out, "--zipf", "-1"), ("-o", out, "--train", "0"),
                 ("-o", out, "--packet-bytes", "100"), ("-o", out, "--lines", "9000000"), ("-o", out, "more"),
                 ("--interface", "lo", "--snaplen", "100"), ("-o", out, "--encap", "plain", "--sessions"),
                 ("-o", out, "--scenario", "tcp", "--zipf", "1"), ("-o", "-", "--scenario", "tcp"),
                 ("-o", out, "--scenario", "tcp", "--lines", "200000"), ("-o", out, "--scenario", "nothing")):
        done = gen(*args, check=False)
        said = done.stderr.decode().splitlines()
        score.check(done.returncode == 2 and len(said) == 2 and "expected" in said[0], f"usage {args}",
                    "exit 2 and what was expected", f"{done.returncode}: {said[:1]}")
    for args in (("-o", "/nonexistent/x.pcap"), ("-o", out, "--packets", "9", "--truth", "/nonexistent/x"),
                 ("--interface", "no-such-if")):
        done = gen(*args, check=False)
        score.check(done.returncode == 1 and args[-1].encode() in done.stderr, f"failure {args}",
                    "exit 1 and its name", f"{done.returncode}: {done.stderr}")


# --- an interface ----------------------------------------------------------------------------

class Wire:
    """Two ends of a wire in a namespace of the test's own, where the kernel says nothing itself."""

    def __init__(self, mtu=1600):
        self.name, self.mtu = f"rasad-gen-{os.getpid()}", str(mtu)
        self.inside = ("ip", "netns", "exec", self.name)

    def __enter__(self):
        for command in (["ip", "netns", "add", self.name], [*self.inside, "true"]):
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            if made.returncode:
                self.__exit__()
                raise Skip(f"no network namespace here: {made.stderr.strip()}")
        try:
            for key in ("all", "default"):
                self.run("sh", "-c", f"echo 1 > /proc/sys/net/ipv6/conf/{key}/disable_ipv6")
            self.run("ip", "link", "add", "near", "mtu", self.mtu, "type", "veth", "peer", "name", "far", "mtu",
                     self.mtu)
            for end in ("near", "far"):
                self.run("ip", "link", "set", end, "arp", "off", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)

    def run(self, *args):
        return subprocess.run([*self.inside, *args], check=True, stdout=subprocess.PIPE, text=True).stdout

    def sender(self, *args):
        return subprocess.Popen([*self.inside, str(GEN), "--scenario", "load", "--interface", "near", *map(str, args)],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Counter:
    """Counts what arrives: another process in the namespace, told by its standard input to stop."""

    def __init__(self, wire):
        self.child = subprocess.Popen([*wire.inside, sys.executable, "-B", __file__, "--count", "far"],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.child.stdout.readline() != "ready\n":
            raise AssertionError("the counter did not start")

    def total(self):
        """(packets, bytes read)"""
        out, _ = self.child.communicate(timeout=30)
        return [int(n) for n in out.split()]


def count(interface):
    """Runs in the namespace: reads until standard input is closed, then what is left."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_RCVBUFFORCE", 33), 256 << 20)
    s.bind((interface, 3))
    s.settimeout(0.05)
    print("ready", flush=True)
    os.set_blocking(0, False)
    size = 0
    ending = False
    while True:
        try:
            size += len(s.recv(4096))
        except TimeoutError:
            if ending:
                break
            try:
                ending = os.read(0, 1) == b""
            except BlockingIOError:
                pass
    packets, dropped = struct.unpack("II", s.getsockopt(263, PACKET_STATISTICS, 8))
    print(packets, size, dropped)


def finish(sender):
    out, said = sender.communicate(timeout=60)
    if sender.returncode:
        raise AssertionError(f"rasad-gen: exit {sender.returncode}: {said}")
    words = said.split()
    return int(words[1]), int(words[3]), float(words[6]), float(words[8].strip("(")), out


def test_every_packet_arrives(score, folder):
    rate = 20000
    with Wire() as wire:
        counter = Counter(wire)
        truth_file = folder / "live.truth.json"
        sent, size, seconds, pps, _ = finish(wire.sender("--rate", rate, "--duration", 1.5, "--lines", 10000,
                                                         "--truth", truth_file))
        packets, received, dropped = counter.total()
    truth = json.loads(truth_file.read_text())
    score.equal("live: arrived", sent, packets)
    if not dropped:  # the kernel hands the outer tag over beside the frame
        score.equal("live: bytes", size, received + 4 * packets)
    score.equal("live: truth", [sent, size, 0], [truth["sent"], truth["bytes"], truth["refused"]])
    score.near("live: rate", rate, pps, 0.05 * rate)
    score.near("live: seconds", 1.5, seconds, 0.1)
    score.near("live: packets", 1.5 * rate, sent, 0.05 * 1.5 * rate)
    score.check(abs(truth["t_start"] - time.time()) < 60, "live: clock", "the present", truth["t_start"])


def test_full_speed_and_sigterm(score, _folder):
    with Wire() as wire:
        counter = Counter(wire)
        sender = wire.sender("--rate", 0, "--packet-bytes", 200, "--truth", "-", "--new-flows", 10)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            far = json.loads(wire.run("ip", "-j", "-s", "link", "show", "far"))[0]["stats64"]["rx"]["packets"]
            if far > 20000:
                break
        sender.send_signal(signal.SIGTERM)
        sent, _, _, pps, out = finish(sender)
        packets, _, _ = counter.total()
    score.equal("full speed: arrived", sent, packets)
    score.equal("full speed: truth on standard output", sent, json.loads(out)["sent"])
    score.check(pps > 20000, "full speed", "> 20000 pps", pps)


def test_clocks_keep_together(score, folder):
    """Round trips measured by who receives are those of the truth."""
    pcap, truth_file = folder / "heard.pcap", folder / "heard.truth.json"
    with Wire() as wire:
        listener = subprocess.Popen([*wire.inside, "tcpdump", "-i", "far", "-U", "-n", "-s", "128", "-B", "65536",
                                     "-w", str(pcap)], stderr=subprocess.PIPE, text=True)
        try:
            while "listening" not in (line := listener.stderr.readline()):
                if not line:
                    raise Skip("tcpdump cannot listen")
            sent, *_ = finish(wire.sender("--rate", 10000, "--duration", 2, "--lines", 100, "--zipf", 0, "--echo", 0.5,
                                          "--truth", truth_file))
            deadline = time.monotonic() + 10
            while len(list(frames_so_far(pcap))) < sent and time.monotonic() < deadline:
                pass
        finally:
            listener.send_signal(signal.SIGINT)
            listener.communicate(timeout=20)
    truth = json.loads(truth_file.read_text())
    result = judge.run(REPLAY, pcap)
    score.equal("heard: packets", truth["packets"], result.summary["packets"])
    # A machine shared with others is late now and then; the median line is not.
    judge_rtts(score, "heard", truth, told_lines(result), {"line": (80, 5), "access": (80, 5)}, 3)


def frames_so_far(pcap):
    """Whole packets in a capture that still grows (of this machine's byte order)."""
    data, at = pcap.read_bytes(), 24
    while at + 16 <= len(data):
        at += 16 + struct.unpack_from("=I", data, at + 8)[0]
        if at <= len(data):
            yield at


def test_narrow_interface(score, _folder):
    with Wire(mtu=1500) as wire:
        sender = wire.sender("--packets", 10)
        _, said = sender.communicate(timeout=20)
        score.check(sender.returncode == 1 and "MTU of 1508" in said, "MTU 1500", "exit 1 and what it takes", said)
        sent, *_ = finish(wire.sender("--packets", 10, "--packet-bytes", 1500))
        score.equal("MTU 1500, smaller packets", 10, sent)
        wire.run("ip", "link", "set", "near", "down")
        sender = wire.sender("--packets", 10, "--packet-bytes", 1500)
        _, said = sender.communicate(timeout=20)
        score.check(sender.returncode == 1 and "down" in said, "interface down", "exit 1 and why", said)


def test_sanitized(score, folder):
    if not ASAN_BIN:
        raise Skip("no $RASAD_ASAN_BIN")
    program = pathlib.Path(ASAN_BIN) / "rasad-gen"
    for i, args in enumerate((("--lines", 3000, "--rate", 20000, "--sessions", "--train", 3),
                              ("--zipf", 1.2, "--new-flows", 20, "--padi", 20, "--rate", 1),
                              ("--flows", 1, "--lines", 1, "--rate", 1e9), ("--encap", "mpls", "--jitter", 0.5))):
        done = gen("-o", folder / f"asan{i}.pcap", "--packets", 60000, *args, program=program)
        score.check(not any(w in done.stderr.decode() for w in judge.SANITIZER_WORDS), f"sanitized {args}",
                    "nothing to report", done.stderr.decode()[:300])


def main():
    score = judge.Score()
    tests = [v for k, v in globals().items() if k.startswith("test_") and (len(sys.argv) < 2 or sys.argv[1] in k)]
    for test in tests:
        with tempfile.TemporaryDirectory(prefix="rasad-gen-") as folder:
            try:
                test(score, pathlib.Path(folder))
            except Skip as e:
                score.skip(f"{test.__name__}: {e}")
            except (AssertionError, subprocess.SubprocessError, OSError, KeyError, IndexError, ValueError) as e:
                score.check(False, test.__name__, "to come to its end", f"{type(e).__name__}: {e}")
    score.finish()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--count"]:
        count(sys.argv[2])
    else:
        main()
