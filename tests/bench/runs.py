# SPDX-License-Identifier: BSD-3-Clause
"""Running programs for the bench: where they are, what they cost, and Debian's own when missing."""

import os
import pathlib
import shutil
import subprocess
import sys
import time

REPO = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("RASAD_BIN", REPO / "build/bin"))
BENCH = BIN.parent / "bench"


class Unavailable(Exception):
    """Why a row cannot be measured here."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def find(program):
    """The path of a program, sbin included, or None."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def need(program, package):
    """The path of somebody else's program, installed when we may. Only the bench wants these."""
    if not find(program) and os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"installing {package}")
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        subprocess.run(["apt-get", "-qq", "install", "-y", "--no-install-recommends", package],
                       env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if not find(program):
        raise Unavailable(f"{program} is not installed (Debian package {package})")
    return find(program)


def own(path):
    """A program of ours, or Unavailable."""
    if not path.exists():
        raise Unavailable(f"{path.name} is not built")
    return path


def cpu_s(command, limit_s=600, cwd=None):
    """User and system seconds of a command, which must succeed; its output goes nowhere."""
    with subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, cwd=cwd,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        deadline = time.monotonic() + limit_s
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                child.kill()
                os.wait4(child.pid, 0)
                child.returncode = -9
                raise Unavailable(f"{pathlib.Path(command[0]).name} took longer than {limit_s} s")
            time.sleep(0.01)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise Unavailable(f"{pathlib.Path(command[0]).name} ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime


def output(command, limit_s=600):
    """(standard output, standard error) of a command that must succeed."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              timeout=limit_s, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{pathlib.Path(command[0]).name} took longer than {limit_s} s") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        raise Unavailable(f"{pathlib.Path(command[0]).name} ended with {done.returncode}: {last[:90]}")
    return done.stdout, done.stderr
