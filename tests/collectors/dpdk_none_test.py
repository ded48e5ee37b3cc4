#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A rasadd that is built without DPDK needs none of it, and says so to who asks for it."""

import os
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))


def run(*args):
    return subprocess.run(args, capture_output=True, text=True, check=False)


def check(program):
    libraries = run("ldd", program).stdout
    assert "libhiredis" in libraries and "librte" not in libraries, libraries
    done = run(program, "--collector", "dpdk:", "--", "--no-huge", "--vdev=net_null0")
    assert done.returncode == 1 and not done.stdout, done
    assert done.stderr.startswith("rasadd: dpdk: built without DPDK; expected a build"), done
    assert len(done.stderr.splitlines()) == 1, done
    done = run(program, "--collector", "pcap:/nope.pcap", "-n")
    assert done.returncode == 1 and "/nope.pcap: cannot be read" in done.stderr, done


def main():
    with tempfile.TemporaryDirectory(prefix="rasad-test-") as out:
        program = out + "/bin/rasadd"
        made = run("make", "-s", "-C", ROOT, "DPDK=0", "LTO=", "CFLAGS=-O0", f"BUILD={out}", program)
        assert made.returncode == 0, made.stderr
        check(program)
    print("1 passed, 0 failed")


try:
    main()
except AssertionError as wrong:
    print(f"FAILED: {wrong}\n0 passed, 1 failed")
    sys.exit(1)
