# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of rasad-desk share: a redis-server that survives kill -9, incidents and lines
written by the contract alone (`protoc --encode`), desks as processes, HTTP by the standard library."""

import http.client
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

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
sys.path.insert(0, os.path.join(ROOT, "tests/tools/rasadctl"))
sys.dont_write_bytecode = True

from rasadctl_test import Redis, encode, put_index, siphash, sub_id, bucket  # noqa: E402

PLAIN = os.path.abspath(os.environ.get("RASAD_BIN") or os.path.join(ROOT, "build/bin"))
BIN = os.path.abspath(os.environ.get("RASAD_ASAN_BIN") or PLAIN)
PATIENCE_S = 30
NS = 10**9
STARTED = []  # processes of a test, ended with it

CALLS_IN, CALLS_OUT, DEAD_LETTERS = "rasad:{c}:call:in", "rasad:{c}:call:out", "rasad:{d}:dlq"
INCIDENTS, OPEN = "rasad:{i}:inc:ev", "rasad:{i}:inc:open"


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE_S
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.02)


def decode(kind, value):
    return subprocess.run(f"protoc --decode=rasad.v1.{kind} -Iproto proto/rasad/v1/*.proto", shell=True, cwd=ROOT,
                          input=value, stdout=subprocess.PIPE, check=True).stdout.decode()


def call_event(call_id, phone, complaint):
    """By hand, for protoc takes 25 ms, and calls come by the hundred."""
    text = b"".join(bytes([number << 3 | 2, len(part)]) + part.encode() for number, part in ((1, call_id), (3, phone)))
    return text + bytes([6 << 3, ["OUTAGE", "SLOW", "PING", "FLAP", "OTHER"].index(complaint) + 1])


class Store:
    """redis-server on a unix socket, appendonly, so that a kill loses nothing that was acknowledged."""

    def __init__(self, folder):
        self.folder = tempfile.mkdtemp(dir=folder)
        self.path = self.folder + "/redis.sock"
        self.url = "unix:" + self.path
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--dir", self.folder, "--save", "",
             "--appendonly", "yes"], stdout=subprocess.DEVNULL)
        STARTED.append(self.process)
        wait_for(self.answers, "redis-server")
        self.ask = Redis(self.path)

    def answers(self):
        try:
            return Redis(self.path)("PING") == b"PONG"
        except (OSError, RuntimeError):
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()
        os.unlink(self.path)

    # --- lines and incidents ---

    def put_card(self, line, text="", summary="", lives_ms=900_000, unix_ns=None):
        now = [int(part) for part in self.ask("TIME")]
        self.ask("HSET", bucket(line), sub_id(line), encode("SubscriberCard", f"""
            sub_id: "{sub_id(line)}" unix_ns: {unix_ns or time.time_ns()} {text}
            summary {{ line: "{line}" {summary} }}
            valid_until_unix_ms: {now[0] * 1000 + now[1] // 1000 + lives_ms}"""))

    def put_line(self, line, phone, state="UP", node="DSLAM-1", **more):
        """A line that is measured, with its indexes."""
        now = time.time_ns()
        latency = "{ n: 60 p50_us: %d p95_us: %d }"
        summary = f"""subscriber: "{phone}@isp.test" state: LINE_STATE_{state} packets_down: 90000 packets_up: 80000
            bytes_down: 90000000 bytes_up: 8000000
            last_upstream_unix_ns: {now if state == "UP" else now - 300 * NS}
            rtt {{ line {latency % (9000, 10000)} access {latency % (11000, 14000)} home {latency % (2000, 3000)}
                   internet {latency % (30000, 36000)} dns {latency % (20000, 30000)} }}
            loss {{ access_down {{ packets: 90000 }} internet_down {{ packets: 90000 }} }}
            sessions {{ pppoe_session_id: 8 up_unix_ns: {now - 86400 * NS} }} sessions_total: 1"""
        if state == "DOWN":
            summary += f" down_since_unix_ns: {now - 300 * NS}"
        since = f"up_since_unix_ns: {now - 86400 * NS}" if state == "UP" else f"last_down_unix_ns: {now - 300 * NS}"
        self.put_card(line, f"""phone: "{phone}" node: "{node}" {since}
            groups {{ group_type: "access_node" group: "{node}" }}""", summary, **more)
        put_index(self.ask, "phone", phone, line)
        put_index(self.ask, "circuit", line, line)

    def put_incident(self, incident_id, revision=1, state="OPEN", node="DSLAM-1", down=(), recovered=(), more="",
                     onset_ns=None, clear_ns=None):
        """As the publisher does: one transaction."""
        onset_ns = onset_ns or time.time_ns() - 300 * NS
        clear = f"clear_unix_ns: {clear_ns or time.time_ns()}" if state == "CLEARED" else ""
        incident = encode("Incident", f"""incident_id: "{incident_id}" revision: {revision}
            state: INCIDENT_STATE_{state} class: INCIDENT_CLASS_NODE_OR_UPLINK category: CATEGORY_EXCHANGE_TRANSPORT
            severity: SEVERITY_MAJOR group_type: "access_node" group: "{node}" onset_unix_ns: {onset_ns}
            open_unix_ns: {onset_ns + 15 * NS} changed_unix_ns: {time.time_ns()} {clear}
            affected: {len(down)} affected_peak: {len(down) + len(recovered)} members: {len(down) + len(recovered)}
            affected_total: {len(down) + len(recovered)} confidence: 0.98 {more}
            evidence {{ k: {len(down)} n: {len(down) + len(recovered)} mu: 0.01 fraction: 1 neg_log10_p: 14 }}""")

        def numbers(lines):
            return sorted(siphash(line.encode()) for line in lines)

        members = encode("MemberSet", f'incident_id: "{incident_id}" revision: {revision} ' +
                         " ".join(f"down: {n} down_after_s: 0" for n in numbers(down)) + " " +
                         " ".join(f"recovered: {n} recovered_after_s: 60" for n in numbers(recovered)))
        key = "rasad:{i}:inc:" + incident_id
        self.ask("MULTI")
        self.ask("SET", key, incident)
        self.ask("SET", key + ":mem", members)
        if state in ("OPEN", "UPDATED"):
            self.ask("ZADD", OPEN, 4 * 10**10 + onset_ns // NS, incident_id)
        else:
            self.ask("ZREM", OPEN, incident_id)
        self.ask("XADD", INCIDENTS, "*", "t", "Incident", "v", "1", "k", f"{incident_id}:{revision}", "p", incident)
        self.ask("EXEC")

    def put_call(self, call_id, phone, complaint="OUTAGE"):
        self.ask("XADD", CALLS_IN, "*", "t", "CallEvent", "v", "1", "k", call_id, "p",
                 call_event(call_id, phone, complaint))

    # --- what the desks wrote ---

    def answers_out(self):
        """k of all answers, in their order."""
        return [entry[1][5].decode() for entry in self.ask("XRANGE", CALLS_OUT, "-", "+")]

    def pending(self):
        return self.ask("XPENDING", CALLS_IN, "desk")[0]


class Desk:
    """A rasad-desk that runs; what it says is collected."""

    def __init__(self, store, *args, listen="127.0.0.1:0", env=None):
        self.process = subprocess.Popen(
            [BIN + "/rasad-desk", "--redis", store if isinstance(store, str) else store.url, "--listen", listen, *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(env or {})})
        STARTED.append(self.process)
        self.said = ""
        threading.Thread(target=self.read, daemon=True).start()
        self.wait_said("HTTP on port ")
        self.port = int(self.said.split("HTTP on port ")[1].split()[0])

    def read(self):
        for line in self.process.stderr:
            self.said += line

    def wait_said(self, text):
        wait_for(lambda: text in self.said or self.process.poll() is not None, f"{text!r} in {self.said!r}")
        assert text in self.said, f"expected {text!r} in {self.said!r}"

    def request(self, method, path, body=None, headers=None):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def get(self, path, **keywords):
        status, _, body = self.request("GET", path, **keywords)
        return status, json.loads(body)

    def post(self, call, **keywords):
        status, _, body = self.request("POST", "/v1/calls", json.dumps(call),
                                       {"Content-Type": "application/json"}, **keywords)
        return status, json.loads(body)

    def ready(self):
        wait_for(lambda: self.get("/v1/health")[0] == 200, "a desk that follows Redis")
        return self

    def metric(self, name):
        for line in self.request("GET", "/metrics")[2].decode().splitlines():
            if line.startswith(f"rasad_desk_{name} "):
                return float(line.split()[1])
        raise AssertionError(f"no metric {name}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """(exit code, seconds)"""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S), time.monotonic() - start


def expect(actual, expected):
    assert actual == expected, f"expected {expected!r}, found {actual!r}"


def run(tests):
    """Each test gets a folder; ends with the sum line."""
    counts = {"passed": 0, "failed": 0}
    for test in tests:
        folder = tempfile.mkdtemp(prefix="rasad-test-")
        began = time.monotonic()
        try:
            test(folder)
            result = "passed"
        except Exception:  # pylint: disable=broad-except
            result = "failed"
            print(f"FAILED: {test.__name__}\n{traceback.format_exc()}")
        for process in STARTED:
            if process.poll() is None:
                process.kill()
                process.wait()
        STARTED.clear()
        shutil.rmtree(folder, ignore_errors=True)
        counts[result] += 1
        print(f"{result}: {test.__name__}, {time.monotonic() - began:.1f} s", flush=True)
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    sys.exit(1 if counts["failed"] else 0)


def raw(port, data):
    """What the desk answers, within a second, to bytes that no library would send."""
    with socket.create_connection(("127.0.0.1", port), 1) as peer:
        peer.sendall(data)
        answer = b""
        while True:
            part = peer.recv(65536)
            if not part:
                break
            answer += part
            if b"\r\n\r\n" in answer:
                break
        return answer
