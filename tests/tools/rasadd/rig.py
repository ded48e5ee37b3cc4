# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of rasadd share: generated captures, a redis-server of their own, the daemon as a
process, and reading back by redis-cli and `protoc --decode`, with the .proto files alone."""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
PLAIN = os.path.abspath(os.environ.get("RASAD_BIN") or os.path.join(ROOT, "build/bin"))
BIN = os.path.abspath(os.environ.get("RASAD_ASAN_BIN") or PLAIN)
PATIENCE_S = 30
PROCESSES = []  # started by a test, ended with it
STREAM = "rasad:{e%02x}:ev"


class Skip(Exception):
    pass


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.01)


def decode(kind, value):
    """A message as protoc's text."""
    protos = sorted(os.path.relpath(p, ROOT) for p in glob.glob(ROOT + "/proto/rasad/v1/*.proto"))
    return subprocess.run(["protoc", f"--decode=rasad.v1.{kind}", "-Iproto", *protos], cwd=ROOT, input=value,
                          stdout=subprocess.PIPE, check=True).stdout.decode()


def field(text, name, otherwise=""):
    """The first field of this name, at any depth."""
    m = re.search(rf'^ *{name}: "?(.*?)"?$', text, re.M)
    return m[1] if m else otherwise


class Capture:
    def __init__(self, folder, name, *options):
        self.path = f"{folder}/{name}.pcap"
        self.inventory = f"{folder}/{name}.csv"
        subprocess.run([PLAIN + "/rasad-gen", "--inventory", self.inventory, "-o", self.path, *options],
                       check=True, stderr=subprocess.DEVNULL)
        with open(f"{folder}/{name}.truth.json", encoding="utf-8") as f:
            self.truth = json.load(f)

    def events(self):
        """(unix_ns, line, kind) of every session event, as rasad-replay tells them."""
        out = subprocess.run([PLAIN + "/rasad-replay", "-q", "-o", "json", self.path], check=True,
                             stdout=subprocess.PIPE).stdout
        rows = [json.loads(line) for line in out.splitlines()]
        return sorted((r["unix_ns"], r["line"], r["kind"]) for r in rows if r["type"] == "session_event")


class Server:
    """redis-server on a unix socket in a folder of its own; nothing is kept on disk."""

    def __init__(self, folder):
        self.path = tempfile.mkdtemp(dir=folder) + "/redis.sock"
        self.url = "unix:" + self.path
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--save", "", "--appendonly", "no"],
            cwd=os.path.dirname(self.path), stdout=subprocess.DEVNULL)
        PROCESSES.append(self.process)
        wait_for(lambda: os.path.exists(self.path) and self.try_cli("PING").startswith(b"PONG"), "redis-server")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def try_cli(self, *args):
        return subprocess.run(["redis-cli", "-s", self.path, *args], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False).stdout

    def cli(self, *args):
        return subprocess.run(["redis-cli", "-s", self.path, *args], stdout=subprocess.PIPE, check=True).stdout

    def get(self, key):
        return self.cli("--raw", "GET", key)[:-1]  # redis-cli ends it with a newline

    def keys(self, pattern):
        return sorted(self.cli("--raw", "KEYS", pattern).decode().split("\n")[:-1])

    def cards(self):
        cards = []
        for key in self.keys("rasad:*:cards"):
            for sub_id in self.cli("--raw", "HKEYS", key).decode().split():
                cards.append(decode("SubscriberCard", self.cli("--raw", "HGET", key, sub_id)[:-1]))
        return {field(card, "line"): card for card in cards}

    def length(self, shard=0):
        return int(self.cli("XLEN", STREAM % shard))

    def entries(self, shard=0):
        """(id, type, message) of the stream. --csv quotes what is binary."""
        rows = self.cli("--csv", "XRANGE", STREAM % shard, "-", "+").decode()
        entry = r'"(\d+-\d+)","t","(\w+)","v","1","k","[^"]*","p","((?:\\.|[^"\\])*)"'
        return [(i, t, unquote(p)) for i, t, p in re.findall(entry, rows)]

    def events(self, shard=0):
        """(unix_ns, line, kind) of every session event."""
        texts = [decode(t, p) for _, t, p in self.entries(shard) if t == "SessionEvent"]
        return sorted((int(field(x, "unix_ns")), field(x, "line"),
                       field(x, "kind").removeprefix("SESSION_EVENT_KIND_")) for x in texts)

    def health(self, collector):
        value = self.get("rasad:{h}:health:" + collector)
        return decode("CollectorHealth", value) if value else ""


def unquote(text):
    escapes = {"n": b"\n", "r": b"\r", "t": b"\t", "a": b"\a", "b": b"\b"}

    def one(m):
        code = m[1]
        if code[0] == "x":
            return bytes.fromhex(code[1:]).decode("latin1")
        return escapes.get(code, code.encode()).decode("latin1")

    return re.sub(r"\\(x[0-9a-f]{2}|.)", one, text).encode("latin1")


class Daemon:
    """A rasadd that runs; what it says is collected, so that it never waits for us."""

    def __init__(self, *args, prefix=()):
        self.process = subprocess.Popen([*prefix, BIN + "/rasadd", *args], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.said = ""
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        PROCESSES.append(self.process)

    def read(self):
        for line in self.process.stderr:
            self.said += line

    def wait_said(self, text):
        wait_for(lambda: text in self.said or self.process.poll() is not None, f"{text!r} in {self.said!r}")
        assert text in self.said, f"expected {text!r} in {self.said!r}"

    def wait(self):
        """(exit code, what it said)"""
        code = self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        return code, self.said

    def stop(self, number=signal.SIGTERM):
        """(exit code, what it said, seconds)"""
        start = time.monotonic()
        self.process.send_signal(number)
        code, said = self.wait()
        return code, said, time.monotonic() - start


def rasadd(*args, **keywords):
    return Daemon(*args, **keywords).wait()


def run(tests):
    """Each test gets a folder; ends with the sum line."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for test in tests:
        folder = tempfile.mkdtemp(prefix="rasad-test-")
        try:
            test(folder)
            result = "passed"
        except Skip as why:
            result = "skipped"
            print(f"skipped: {test.__name__}: {why}")
        except Exception:  # pylint: disable=broad-except
            result = "failed"
            print(f"FAILED: {test.__name__}\n{traceback.format_exc()}")
        for process in PROCESSES:
            if process.poll() is None:
                process.kill()
                process.wait()
        PROCESSES.clear()
        shutil.rmtree(folder, ignore_errors=True)
        counts[result] += 1
        print(f"{result}: {test.__name__}", flush=True)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    sys.exit(1 if counts["failed"] else 0)
