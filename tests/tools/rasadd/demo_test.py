#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/dev/demo as a newcomer and as a CI machine would run it: it tells the story, hangs nowhere,
its last word can be typed, and it leaves nothing behind that does not end."""

import os
import re
import subprocess

import rig
from rig import wait_for

DEMO = rig.ROOT + "/tools/dev/demo"


def demo(folder, keep, build=None):
    """A build folder of the test's own: a demo that somebody looks at is left alone."""
    build = build or folder + "/build"
    if not os.path.lexists(build + "/bin"):
        os.makedirs(build, exist_ok=True)
        os.symlink(rig.PLAIN, build + "/bin")
    # The pipes end when everybody has closed them: a server that held one would run into the limit.
    return subprocess.run([DEMO], env={**os.environ, "BUILD": build, "RASAD_DEMO_KEEP": keep, "RASAD_DEMO_SPEED": "150"}, cwd=folder,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, check=False)


def note(folder):
    with open(folder + "/build/demo-folder", encoding="utf-8") as f:
        return f.read().strip()


def test_tells_and_leaves_nothing(folder):
    done = demo(folder, "0")
    assert done.returncode == 0, done
    assert "\x1b" not in done.stdout
    assert re.search(r"\.\.\. 12 lines went down and 12 came back\.", done.stdout), done.stdout
    assert re.search(r"MAJOR NODE_OR_UPLINK: .*\n +12 of 12 affected lines of access_node DSLAM-103 are back", done.stdout), \
        done.stdout
    assert done.stdout.count("$ rasadctl sub ") == 3, done.stdout
    assert "FLAPPING" in done.stdout, done.stdout
    assert done.stdout.count("cause found") >= 2 and "علت پیدا شد" in done.stdout, done.stdout
    assert re.search(r"\b\d+ VERIFIED", done.stdout) and "is fixed" in done.stdout, done.stdout
    assert "Try it yourself" not in done.stdout
    assert not os.path.exists(folder + "/build/demo-folder")


def test_last_word_works_until_the_next(folder):
    first = demo(folder, "1")
    assert first.returncode == 0, first
    place = note(folder)
    try:
        typed = re.findall(r"^  (\S+/rasadctl --redis \S+ sub \S+)$", first.stdout, re.M)
        shown = subprocess.run(typed[0], shell=True, cwd=rig.ROOT, capture_output=True, text=True, check=False)
        assert shown.returncode == 0 and "as of" in shown.stdout, shown
    finally:
        second = demo(folder, "0")
    assert second.returncode == 0, second
    wait_for(lambda: not os.path.exists(place), "the first demo's folder to go")


def test_not_built(folder):
    os.makedirs(folder + "/none/bin")
    done = demo(folder, "1", folder + "/none")
    assert done.returncode == 1 and "rasad-gen is not there: expected 'make'" in done.stderr, done
    assert not os.path.exists(folder + "/none/demo-folder")


rig.run([test for name, test in list(globals().items()) if name.startswith("test_")])
