#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""rasadctl against a real redis-server whose contents are written here, by the contract alone:
keys by the description in engine/publish/keyspace.h, values by `protoc --encode`."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
BIN = os.path.join(os.environ.get("RASAD_ASAN_BIN") or os.environ.get("RASAD_BIN") or
                   os.path.join(ROOT, "build/bin"), "rasadctl")
PATIENCE_S = 15
T = 1700000000 * 10**9  # the time of the cards


class Redis:
    """As much of the protocol as it takes to write and to ask."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def __call__(self, *args):
        raw = [a if isinstance(a, bytes) else str(a).encode() for a in args]
        self.socket.sendall(b"*%d\r\n" % len(raw) + b"".join(b"$%d\r\n%s\r\n" % (len(a), a) for a in raw))
        return self.read()

    def read(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        return rest


class Server:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="rasad-test-")
        self.path = self.folder + "/redis.sock"
        self.url = "unix:" + self.path
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--dir", self.folder, "--save", ""],
            stdout=subprocess.DEVNULL)
        wait_for(self.answers)
        self.ask = Redis(self.path)

    def answers(self):
        try:
            return Redis(self.path)("PING") == b"PONG"
        except OSError:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)


def wait_for(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.01)


def siphash(data):
    """SipHash-2-4 with the key 00 01 … 0f."""
    mask = 2**64 - 1
    k0, k1 = (int.from_bytes(bytes(range(i, i + 8)), "little") for i in (0, 8))
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def rotl(x, b):
        return (x << b | x >> (64 - b)) & mask

    def rounds(n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & mask
            v[2] = (v[2] + v[3]) & mask
            v[1] = rotl(v[1], 13) ^ v[0]
            v[3] = rotl(v[3], 16) ^ v[2]
            v[0] = rotl(v[0], 32)
            v[2] = (v[2] + v[1]) & mask
            v[0] = (v[0] + v[3]) & mask
            v[1] = rotl(v[1], 17) ^ v[2]
            v[3] = rotl(v[3], 21) ^ v[0]
            v[2] = rotl(v[2], 32)

    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 255])
    for i in range(0, len(padded), 8):
        word = int.from_bytes(padded[i:i + 8], "little")
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def encode(kind, text):
    return subprocess.run(
        f"protoc --encode=rasad.v1.{kind} -Iproto proto/rasad/v1/*.proto", shell=True, cwd=ROOT,
        input=text.encode(), stdout=subprocess.PIPE, check=True).stdout


def sub_id(line):
    return f"{siphash(line.encode()):016x}"


def bucket(line):
    return f"rasad:{{s{sub_id(line)[-2:]}}}:cards"


def index_key(kind, name):
    tag = siphash(name.encode()) & 255
    return f"rasad:{{{'p' if kind == 'phone' else 'x'}{tag:02x}}}:{kind}:{name}"


def put_index(redis, kind, name, *lines):
    redis("SET", index_key(kind, name), encode("SubscriberIndex", "".join(f'sub_ids:"{sub_id(l)}"\n' for l in lines)))


def put_card(redis, line, text="", summary="", lives_ms=900_000):
    """lives_ms: how long it is still good, on the clock of Redis."""
    now = [int(part) for part in redis("TIME")]
    redis("HSET", bucket(line), sub_id(line), encode("SubscriberCard", f"""
        sub_id: "{sub_id(line)}" unix_ns: {T} {text}
        summary {{ line: "{line}" {summary} }}
        valid_until_unix_ms: {now[0] * 1000 + now[1] // 1000 + lives_ms}"""))


UP = """subscriber: "u11@isp.test" circuit_id: "%s" state: LINE_STATE_UP cpe_mac: "02:5a:00:01:01:0b"
    ipv4: "100.64.1.11" ipv6: "2001:db8:1100::/56" svlan: 101 cvlan: 11
    sessions { pppoe_session_id: 7 down_unix_ns: %d cause: DROP_CAUSE_LINE_LOST }
    sessions { pppoe_session_id: 8 up_unix_ns: %d } sessions_total: 2
    rtt { line { n: 9 p50_us: 9100 p95_us: 9500 } home { n: 9 p50_us: 2900 p95_us: 6500 }
          access { n: 9 p50_us: 12100 p95_us: 16000 } internet { n: 9 p50_us: 30500 p95_us: 36000 } }
    loss { access_down { lost: 12 packets: 1000 } internet_down { packets: 1000 } }
    """ % ("DSLAM-1 11", T - 60 * 10**9, T - 19 * 10**9)


def fill(redis):
    put_card(redis, "DSLAM-1 11", f"""phone: "+982188776655" exchange: "Azadi" plan_down_kbps: 16000
        up_since_unix_ns: {T - 19 * 10**9} flaps_24h: 3 booked_subscriber: "u11-booked"
        """, UP)
    put_card(redis, "DSLAM-1 12", f'phone: "+982188776655" last_down_cause: DROP_CAUSE_CPE_TERM flaps_24h: 1',
             f'state: LINE_STATE_DOWN down_since_unix_ns: {T - 3600 * 10**9} '
             'rtt { access { n: 9 p50_us: 50000 } } loss { access_down { lost: 1 packets: 1000 } }')
    put_card(redis, "DSLAM-1 13", "", 'flapping: true subscriber: "evil\\033[31m\\302\\233name"')
    put_index(redis, "phone", "+982188776655", "DSLAM-1 11", "DSLAM-1 12")
    put_index(redis, "phone", "+982188000000", "never seen")
    put_index(redis, "user", "u11@isp.test", "DSLAM-1 11")
    put_index(redis, "user", "u11-booked", "DSLAM-1 11")
    put_index(redis, "user", "evil", "DSLAM-1 13", "DSLAM-1 11")
    for line in ("DSLAM-1 11", "DSLAM-1 12", "DSLAM-1 13"):
        put_index(redis, "circuit", line, line)
    put_index(redis, "mac", "02:5a:00:01:01:0b", "DSLAM-1 11")
    put_index(redis, "ip", "100.64.1.11", "DSLAM-1 11", "DSLAM-1 12")  # 12 has let go of it
    put_index(redis, "ip", "2001:db8:1100::/56", "DSLAM-1 11")


def put_event(redis, shard, ms, line, more="kind: SESSION_EVENT_KIND_DOWN cause: DROP_CAUSE_LINE_LOST"):
    redis("XADD", f"rasad:{{e{shard:02x}}}:ev", f"{ms}-0", "t", "SessionEvent", "v", "1", "k", f"{line}:{ms}",
          "p", encode("SessionEvent", f'unix_ns: {ms * 10**6} line: "{line}" {more}'))


class Run:
    def __init__(self, *args, env=None):
        done = subprocess.run([BIN, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE_S,
                              env={**os.environ, "TZ": "UTC", **(env or {})})
        self.code, self.out, self.err = done.returncode, done.stdout.decode(), done.stderr.decode()

    def json(self):
        return [json.loads(line) for line in self.out.splitlines()]


def ctl(server, *args, **kw):
    return Run("--redis", server.url, *args, **kw)


def lines_of(run):
    return sorted(card["summary"]["line"] for card in run.json())


def expect(actual, expected):
    assert actual == expected, f"expected {expected!r}, found {actual!r}"


def expect_in(text, part):
    assert part in text, f"expected {part!r} in {text!r}"


def test_keys_of_all_forms(server):
    fill(server.ask)
    both = ["DSLAM-1 11", "DSLAM-1 12"]
    for key in ("+982188776655", "02188776655", "00982188776655", "982188776655", "021-8877 6655",
                "۰۲۱۸۸۷۷۶۶۵۵", "٠٢١٨٨٧٧٦٦٥٥"):
        expect(lines_of(ctl(server, "-o", "json", "sub", key)), both)
    for key in ("u11@isp.test", "u11-booked", "DSLAM-1 11", "02:5A:00:01:01:0b", "02-5a-00-01-01-0b",
                "025a.0001.010b", "025A0001010B", "100.64.1.11", "2001:db8:1100::/56", "2001:db8:1100:ff::1",
                "2001:DB8:1100:0:0:0:0:1", sub_id("DSLAM-1 11")):
        run = ctl(server, "-o", "json", "sub", key)
        expect((run.code, lines_of(run), run.err), (0, both[:1], ""))


def test_not_found_never_claims_fine(server):
    fill(server.ask)
    for key in ("nobody", "100.64.1.12", "2001:db8:1101::1", "02:5a:00:01:01:0c", "evil", ""):
        run = ctl(server, "sub", key)
        expect((run.code, run.out), (1, ""))
        expect_in(run.err, "no card: monitoring unavailable or unknown")
    run = ctl(server, "sub", "02188000000")  # in the inventory, never seen
    expect(run.code, 1)
    expect_in(run.out, "no card: monitoring unavailable")
    server.ask("DEL", bucket("DSLAM-1 12"))  # as when it expires
    run = ctl(server, "sub", "02188776655")
    expect(run.code, 0)
    expect_in(run.out, "monitoring unavailable")
    for word in (" ok", "fine", "healthy"):
        assert word not in run.out.lower()


def test_ended_claim_is_no_card(server):
    """The bucket lives on, by its other lines; the card that nobody refreshes does not."""
    fill(server.ask)
    put_card(server.ask, "DSLAM-1 12", summary="state: LINE_STATE_UP", lives_ms=-1)
    server.ask("HSET", bucket("other"), sub_id("other"), encode("SubscriberCard", '''
        sub_id: "%s" summary { line: "other" state: LINE_STATE_UP }''' % sub_id("other")))  # never stamped
    for line in ("DSLAM-1 12", "other"):
        run = ctl(server, "sub", sub_id(line))
        expect(run.code, 1)
        expect_in(run.out, "no card: monitoring unavailable, its state is not known")
        expect(ctl(server, "-o", "json", "sub", sub_id(line)).out, "")
    expect(lines_of(ctl(server, "-o", "json", "lines")), ["DSLAM-1 11", "DSLAM-1 13"])
    expect_in(ctl(server, "lines").out, "2 lines: 1 up, 0 suspect, 0 down, 1 unknown")
    put_card(server.ask, "short", summary="state: LINE_STATE_UP", lives_ms=500)
    wait_for(lambda: ctl(server, "sub", sub_id("short")).code == 1)


def test_sub_is_two_round_trips(server):
    """Names to lines, lines to cards; with the id in hand nothing is asked in between."""
    fill(server.ask)
    server.ask("CONFIG", "RESETSTAT")
    expect(ctl(server, "sub", "02188776655").code, 0)
    stats = server.ask("INFO", "commandstats").decode()
    for command, calls in (("hget", 2), ("time", 1)):
        expect_in(stats, f"cmdstat_{command}:calls={calls},")


def test_card_text(server):
    fill(server.ask)
    out = ctl(server, "sub", "u11@isp.test").out.splitlines()
    expect(out[0], "UP since 2023-11-14 22:13:01 (19 s)")
    text = "\n".join(out)
    expect_in(out[1], "up   2023-11-14 22:13:01  still there, 19 s")
    expect_in(out[2], "before the watch     down 2023-11-14 22:12:20: the modem went silent")
    expect_in(out[3], "modem = 9.1 ms (95 %: 9.5)   home - 2.9 ms (95 %: 6.5)   internet ~ 30.5 ms (95 %: 36.0)")
    expect(out[4].strip(), "[" + "=" * 10 + "-" * 3 + "~" * 34 + "]")
    expect_in(out[5], "access   down 1.20 % (12 of 1000), up not measured")
    expect_in(out[6], "internet down 0.00 % (0 of 1000), up not measured")
    expect_in(text, "3 in 24 h")
    expect_in(text, "exchange Azadi")
    expect_in(text, "100.64.1.11 2001:db8:1100::/56")
    down = ctl(server, "sub", "DSLAM-1 12").out
    expect(down.splitlines()[0], "DOWN since 2023-11-14 21:13:20 (1 h 0 min): the modem ended the session")
    expect_in(down, "access = 50.0 ms (95 %: 0.0)   internet not measured")
    evil = ctl(server, "sub", "DSLAM-1 13").out
    assert "\033" not in evil and "\x9b" not in evil
    expect_in(evil.splitlines()[0], "UNKNOWN")
    expect_in(evil.splitlines()[0], "FLAPPING")


def test_json_is_the_message(server):
    fill(server.ask)
    card, = ctl(server, "sub", "-o", "json", "u11@isp.test").json()
    expect(list(card)[0], "type")
    expect(card["type"], "subscriber_card")
    expect(card["summary"]["state"], "UP")
    expect(card["summary"]["sessions"][0],
           {"pppoe_session_id": 7, "down_unix_ns": T - 60 * 10**9, "cause": "LINE_LOST"})
    assert "plan_up_kbps" not in card and card["plan_down_kbps"] == 16000


def test_lines(server):
    fill(server.ask)
    names = lambda *args: [c["summary"]["line"] for c in ctl(server, "-o", "json", "lines", *args).json()]
    a, b, c = "DSLAM-1 11", "DSLAM-1 12", "DSLAM-1 13"
    expect(names(), [a, b, c])
    expect(names("--state", "down"), [b])
    expect(names("--sort", "flaps"), [a, b, c])
    expect(names("--sort", "rtt"), [b, a, c])
    expect(names("--sort", "loss", "-n", "2"), [a, b])
    text = ctl(server, "lines").out
    expect_in(text, "3 lines: 1 up, 0 suspect, 1 down, 1 unknown")
    expect(ctl(server, "lines", "--state", "suspect").code, 1)


def test_many_lines(server):
    packed = encode("SubscriberCard", 'summary { line: "x" state: LINE_STATE_UP } valid_until_unix_ms: %d' % 2**60)
    for i in range(3000):
        line = f"line {i:04}"
        server.ask("HSET", bucket(line), sub_id(line), packed.replace(b"\x0a\x01x", b"\x0a\x09" + line.encode())
                   .replace(packed[:2], bytes([packed[0], packed[1] + 8]), 1))
    names = [c["summary"]["line"] for c in ctl(server, "-o", "json", "lines").json()]
    expect(names, [f"line {i:04}" for i in range(3000)])


MINUTE = """duration_ms: 60000 bytes_down: 750000 bytes_up: 75000
    rtt { line { n: 9 p50_us: 9100 } access { n: 9 p50_us: 12100 } }
    loss { access_down { lost: 1 packets: 200 } access_up { packets: 200 } }"""


def put_minutes(redis, shard, minute, *lines):
    start = T // 10**9 // 60 * 60 + minute * 60
    batch = "".join(f'minutes {{ line: "{l}" sub_id: "{sub_id(l)}" start_unix_ns: {start * 10**9} {MINUTE} }}'
                    for l in lines)
    redis("XADD", f"rasad:{{e{shard:02x}}}:min", f"{(start + 60) * 1000}-0", "t", "MinuteBatch", "v", "1",
          "k", f"{start * 1000}:0:0", "p", encode("MinuteBatch", batch))
    return start


def test_minutes(server):
    fill(server.ask)
    expect(ctl(server, "minutes").code, 1)
    for minute in range(40):  # more than one page
        start = put_minutes(server.ask, minute % 2, minute, "DSLAM-1 11", "DSLAM-1 12", "no card")
    all_of_them = ctl(server, "-o", "json", "minutes").json()
    expect(len(all_of_them), 120)
    expect([m["start_unix_ns"] for m in all_of_them], sorted(m["start_unix_ns"] for m in all_of_them))
    expect(all_of_them[0]["type"], "minute_summary")
    assert "internet" not in all_of_them[0]["rtt"] and "internet_up" not in all_of_them[0]["loss"]
    one = lambda *args: [m["line"] for m in ctl(server, "-o", "json", "minutes", *args).json()]
    expect(one("u11@isp.test"), ["DSLAM-1 11"] * 40)
    expect(one("02188776655"), ["DSLAM-1 11", "DSLAM-1 12"] * 40)
    expect(one("100.64.1.11"), ["DSLAM-1 11"] * 40)  # 12 has let go of it
    expect(one("no card", "-n", "3"), ["no card"] * 3)
    expect(one("no card", "--since", f"@{start}"), ["no card"] * 2)
    run = ctl(server, "minutes", "DSLAM-1 11", "-n", "1")
    expect(run.out.splitlines()[1].split(),
           ["2023-11-14", "22:13:00", "DSLAM-1", "11", "100.0", "10.0", "9.1", "12.1", "-", "0.25", "-"])
    run = ctl(server, "minutes", "nobody")
    expect((run.code, run.out), (1, ""))
    expect_in(run.err, "nobody: no minutes")


def test_foreign_minutes(server):
    put_minutes(server.ask, 0, 0, "evil\\033[31m")
    key, last = "rasad:{e00}:min", 2 * T // 10**6
    server.ask("XADD", key, f"{last}-0", "t", "MinuteBatch", "p", b"\xff\xff")
    server.ask("XADD", key, f"{last}-1", "t", "MinuteBatch", "p", b"\x0a\x00" * 2**17)  # small bytes, large memory
    server.ask("XADD", key, f"{last}-2", "x", "y")
    run = ctl(server, "minutes")
    expect(run.code, 0)
    expect(len(run.out.splitlines()), 2)
    assert "\033" not in run.out
    expect(run.err.count("expected MinuteBatch"), 3)


def test_events_are_merged(server):
    for i in range(2500):
        put = (i * 7) % 3
        server.ask("XADD", f"rasad:{{e{put:02x}}}:ev", f"{1000 + i}-0", "t", "SessionEvent", "v", "1", "k", str(i),
                   "p", b"\x08" + varint((1000 + i) * 10**6) + b"\x12\x01" + b"ab"[i % 2:i % 2 + 1])
    run = ctl(server, "-o", "json", "events")
    expect([e["unix_ns"] // 10**6 for e in run.json()], list(range(1000, 3500)))
    expect(len(ctl(server, "-o", "json", "events", "--line", "a").json()), 1250)
    expect(ctl(server, "-o", "json", "events", "--since", "@3").json()[0]["unix_ns"], 3000 * 10**6)
    expect(ctl(server, "events", "--since", "1h").out, "")


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def test_foreign_entries(server):
    put_event(server.ask, 0, 1000, "a", 'kind: SESSION_EVENT_KIND_UP setup_ms: 840 subscriber: "u" text: "hi\\033"')
    server.ask("XADD", "rasad:{e00}:ev", "1001-0", "t", "SessionEvent", "p", b"\xff\xff")
    server.ask("XADD", "rasad:{e00}:ev", "1002-0", "t", "SessionEvent", "p", b"\x6a\x80\x80\x80\x01" + b"x" * 2**21)
    server.ask("XADD", "rasad:{e00}:ev", "1003-0", "x", "y")
    put_event(server.ask, 0, 1004, "b")
    run = ctl(server, "events")
    expect(run.code, 0)
    expect(len(run.out.splitlines()), 2)
    expect_in(run.out, "set-up took 840 ms")
    expect_in(run.out, "the modem went silent")
    assert "\033" not in run.out
    expect(run.err.count("rasadctl: entry 100"), 3)


def test_follow(server):
    put_event(server.ask, 0, 1000, "old")
    process = subprocess.Popen([BIN, "--redis", server.url, "-o", "json", "events", "--follow"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    got = []
    reader = threading.Thread(target=lambda: got.extend(iter(process.stdout.readline, b"")))
    reader.start()
    try:
        wait_for(lambda: b"cmd=xread" in server.ask("CLIENT", "LIST"))
        put_event(server.ask, 0, 2000, "new 1")
        put_event(server.ask, 0x7f, 2001, "new 2")  # a stream that was not there
        wait_for(lambda: len(got) == 2)
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(PATIENCE_S)
        reader.join()
    expect([json.loads(line)["line"] for line in got], ["new 1", "new 2"])
    expect((code, process.stderr.read()), (0, b""))


def test_health(server):
    run = ctl(server, "health")
    expect(run.code, 1)
    expect_in(run.err, "monitoring unavailable")
    server.ask("SET", "rasad:{h}:health:pcap:eth0", encode("CollectorHealth", f"""unix_ns: {T} collector: "pcap:eth0"
        running: true packets: 1000 events_published: 5 shed {{ key: "cards" value: 7 }}"""))
    run = ctl(server, "health")
    expect(run.code, 0)
    expect_in(run.out, "RUNNING pcap:eth0")
    expect_in(run.out, "cards 7")
    health, = ctl(server, "-o", "json", "health").json()
    expect((health["type"], health["shed"]), ("collector_health", {"cards": 7}))


def test_usage(server):
    for args in ((), ("dance",), ("sub",), ("sub", "a", "b"), ("-o", "xml", "health"), ("--no-such", "health"),
                 ("lines", "--state", "bored"), ("lines", "-n", "0"), ("events", "--since", "yesterday"),
                 ("health", "--follow"), ("minutes", "a", "b"), ("minutes", "--follow"), ("sub", "--sort", "rtt", "x")):
        run = ctl(server, *args)
        expect((args, run.code, run.out), (args, 2, ""))
        expect_in(run.err, "rasadctl")
    for args in (("--help",), ("sub", "--help"), ("lines", "-h"), ("events", "--help"), ("health", "--help"), ("minutes", "-h")):
        run = Run(*args)
        expect((args, run.code, run.err), (args, 0, ""))
        expect_in(run.out, "Usage: rasadctl")
    for args in (("--version",), ("lines", "--version")):
        expect_in(Run(*args).out, "rasadctl ")


def test_no_redis(server):
    run = Run("--redis", "unix:/nowhere/redis.sock", "health")
    expect((run.code, run.out), (1, ""))
    expect_in(run.err, "/nowhere/redis.sock: No such file or directory")
    run = Run("health", env={"RASAD_REDIS": "redis://127.0.0.1:1"})
    expect(run.code, 1)
    expect_in(run.err, "127.0.0.1:1: Connection refused")
    server.ask("CONFIG", "SET", "requirepass", "sesame")
    expect_in(ctl(server, "health").err, "needs a password")
    wrong = Run("--redis", server.url + "?password=open", "health")
    expect_in(wrong.err, "wrong user or password")
    assert "open" not in wrong.err
    expect_in(Run("--redis", server.url + "?password=sesame", "health").err, "no collector")


def main(tests):
    passed = failed = 0
    for name, test in list(tests.items()):
        if not name.startswith("test_"):
            continue
        server = Server()
        try:
            test(server)
            passed += 1
        except Exception:
            failed += 1
            print(f"{name}:")
            traceback.print_exc(file=sys.stdout)
        finally:
            server.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(globals()))
