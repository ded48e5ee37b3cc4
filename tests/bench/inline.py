# SPDX-License-Identifier: BSD-3-Clause
"""TCP through an interface that is tapped inline, in turn with an empty XDP program on the same one."""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import runs

# Reads all that comes over one connection; prints bits per second.
SINK = """
import socket, time
s = socket.create_server(("10.9.0.2", 7000)); print("ready", flush=True)
c, _ = s.accept(); start = time.monotonic(); n = 0; room = bytearray(1 << 18)
while part := c.recv_into(room): n += part
print(8 * n / (time.monotonic() - start))
"""
SOURCE = """
import socket, sys, time
c = socket.create_connection(("10.9.0.2", 7000), 10); block = bytes(1 << 18); end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end: c.sendall(block)
"""
PATIENCE_S = 60


class Path:
    """near0 (10.9.0.2) and far0 (10.9.0.1), each in a network namespace of its own. What runs there
    comes before what else the machine does."""

    def __init__(self):
        self.names = [f"rasad-bench-{end}-{os.getpid()}" for end in ("near", "far")]
        self.near, self.far = (("nice", "-n", "-20", "ip", "netns", "exec", name) for name in self.names)

    def __enter__(self):
        near, far = self.names
        try:
            for command in (
                    ["ip", "netns", "add", near], ["ip", "netns", "add", far],
                    ["ip", "-n", near, "link", "add", "near0", "type", "veth", "peer", "name", "far0", "netns", far],
                    ["ip", "-n", near, "address", "add", "10.9.0.2/24", "dev", "near0"],
                    ["ip", "-n", far, "address", "add", "10.9.0.1/24", "dev", "far0"],
                    ["ip", "-n", near, "link", "set", "near0", "up"], ["ip", "-n", far, "link", "set", "far0", "up"]):
                runs.output(command)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    def bits_per_s(self, seconds):
        with subprocess.Popen([*self.near, sys.executable, "-c", SINK], stdout=subprocess.PIPE, text=True) as sink:
            try:
                if sink.stdout.readline() != "ready\n":
                    raise runs.Unavailable("no TCP between network namespaces")
                runs.output([*self.far, sys.executable, "-c", SOURCE, seconds], PATIENCE_S)
                return float(sink.communicate(timeout=PATIENCE_S)[0])
            finally:
                sink.kill()


@contextlib.contextmanager
def ended(child):
    """A process, until the block ends."""
    try:
        yield child
    finally:
        child.terminate()
        child.communicate(timeout=PATIENCE_S)


@contextlib.contextmanager
def empty(path, bench):
    words = [*path.near, bench, "hold", "near0"]
    with ended(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)) as child:
        if child.stdout.readline() != "attached\n":
            raise runs.Unavailable("no right to attach programs")
        yield


def wait_for(condition, child, what):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if child.poll() is not None or time.monotonic() > end:
            raise runs.Unavailable(f"{what} did not start")
        time.sleep(0.01)


@contextlib.contextmanager
def redis(folder):
    """Where rasadd publishes to."""
    socket = folder + "/redis.sock"
    words = [runs.need("redis-server", "redis-server"), "--port", "0", "--unixsocket", socket, "--save", "",
             "--appendonly", "no", "--dir", folder]
    with ended(subprocess.Popen(words, stdout=subprocess.DEVNULL)) as child:
        wait_for(lambda: os.path.exists(socket), child, "redis-server")
        yield "unix:" + socket


@contextlib.contextmanager
def tapped(path, url, log):
    """rasadd, with XDP and TC on near0."""
    words = [*path.near, runs.own(runs.BIN / "rasadd"), "--collector", "xdp:near0", "--redis", url,
             "--max-lines", "1000", "--max-flows", "10000"]
    with log.open("w") as said, ended(subprocess.Popen(words, stderr=said)) as child:
        wait_for(lambda: "listening" in log.read_text(), child, "rasadd")
        yield


def rounds(bench, times, seconds):
    """[(tapped, empty)] in bits per second, taken in turn."""
    result = []
    with tempfile.TemporaryDirectory(prefix="rasad-bench-") as folder, redis(folder) as url, Path() as path:
        for _ in range(times):
            with tapped(path, url, pathlib.Path(folder) / "said"):
                ours = path.bits_per_s(seconds)
            with empty(path, bench):
                result.append((ours, path.bits_per_s(seconds)))
    return result
