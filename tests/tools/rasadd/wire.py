# SPDX-License-Identifier: BSD-3-Clause
"""A veth pair in a network namespace of the test's own."""

import os
import subprocess
import sys

from rig import Skip

HERE = os.path.dirname(os.path.abspath(__file__))


class Wire:
    """tap0 is listened to, far0 is where the frames go in. No word from the kernel's own stack."""

    def __init__(self, mtu=9000):
        self.name = f"rasad-test-{os.getpid()}"
        self.inside = ("ip", "netns", "exec", self.name)
        self.mtu = str(mtu)

    def __enter__(self):
        for command in (["ip", "netns", "add", self.name], [*self.inside, "true"]):
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            if made.returncode:
                self.__exit__()
                raise Skip(f"no network namespace here: {made.stderr.strip()}")
        try:
            for key in ("all", "default"):
                self.run("sh", "-c", f"echo 1 > /proc/sys/net/ipv6/conf/{key}/disable_ipv6")
            self.run("ip", "link", "add", "tap0", "mtu", self.mtu, "type", "veth", "peer", "name", "far0",
                     "mtu", self.mtu)
            for end in ("tap0", "far0"):
                self.run("ip", "link", "set", end, "arp", "off", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)

    def run(self, *args):
        return subprocess.run([*self.inside, *args], check=True, stdout=subprocess.PIPE, text=True).stdout

    def send(self, capture, rate):
        """(frames, bytes) that went in, at `rate` packets a second"""
        return [int(n) for n in
                self.run(sys.executable, "-B", HERE + "/sender.py", capture.path, "far0", str(rate)).split()]
