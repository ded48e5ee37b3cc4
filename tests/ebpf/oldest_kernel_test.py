#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The kernel tap on the oldest Linux that the README names, booted in an emulator: the verifier takes
its programs, it sees what is received and sent, and it leaves nothing behind."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.environ.get("RASAD_BIN", f"{HERE}/../../build/bin")
KERNEL = os.path.join(os.path.dirname(os.path.abspath(BIN)), "oldest-kernel")
LIMIT_S = 120
NEEDED = ("redis-server", "ip", "bpftool", "busybox", "qemu-system-x86_64")  # Debian's


def where(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def missing():
    """Why it cannot be booted here, or None."""
    if not os.path.exists(f"{KERNEL}/vmlinuz"):
        return "no kernel: tools/dev/oldest-kernel fetches one"
    return next((f"no {name}" for name in NEEDED if not where(name)), None)


def libraries(program):
    """What the dynamic linker would load; nothing for what is static."""
    out = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    return [word for line in out.splitlines() for word in line.split() if word.startswith("/")]


class Archive:
    """An initramfs: cpio, format "newc"."""

    def __init__(self, path):
        self.out, self.n, self.folders = open(path, "wb"), 0, {"/"}

    def entry(self, name, mode, data=b""):
        self.n += 1
        name = name.encode() + b"\0"
        fields = (self.n, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        for part in (b"070701" + b"".join(b"%08x" % f for f in fields) + name, data):
            self.out.write(part + b"\0" * (-len(part) % 4))

    def folder(self, path):
        if path not in self.folders:
            self.folder(os.path.dirname(path))
            self.folders.add(path)
            self.entry(path[1:], 0o40755)

    def add(self, path, source):
        self.folder(os.path.dirname(path))
        with open(source, "rb") as f:
            self.entry(path[1:], 0o100755, f.read())

    def close(self):
        self.entry("TRAILER!!!", 0)
        self.out.close()


def build(path):
    archive = Archive(path)
    programs = {f"/bin/{name}": where(name) for name in NEEDED[:-1]} | {"/bin/rasadd": f"{BIN}/rasadd"}
    for folder in ("/proc", "/sys", "/dev", "/tmp"):
        archive.folder(folder)
    for name, source in programs.items():
        archive.add(name, source)
    for library in sorted({library for source in programs.values() for library in libraries(source)}):
        archive.add(library, library)
    archive.add("/veth.ko", f"{KERNEL}/veth.ko")
    archive.add("/init", f"{HERE}/oldest_kernel_guest.sh")
    archive.close()


def boot(initrd):
    """{name: value} of what the guest has found."""
    words = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
             "-no-reboot", "-m", "768", "-smp", "2", "-accel", "tcg", "-cpu", "max", "-kernel", f"{KERNEL}/vmlinuz",
             "-initrd", initrd, "-append", "console=ttyS0 panic=-1 quiet"]
    try:
        said = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=LIMIT_S, check=True).stdout
    except subprocess.TimeoutExpired as e:
        said = (e.stdout or b"") + b"\n= gave_up the whole machine\n"
    lines = [line.strip().split(" ", 2) for line in said.decode(errors="replace").splitlines() if line.startswith("= ")]
    return {line[1]: line[2] if len(line) > 2 else "" for line in lines}


def checks(found):
    """(what, is it so?)"""
    inline, drop = (json.loads(found.get(f"summary_{how}") or "{}") for how in ("inline", "drop"))
    yield "it is Linux 6.1", found.get("release", "").startswith("6.1.")
    yield "nothing was waited for in vain", "gave_up" not in found
    yield "inline: the programs are there", found.get("inline_programs") == "2"
    yield "inline: every packet of both directions", found.get("inline_packets", "0") == str(inline.get("packets")) != "0"
    yield "inline: all are understood", inline.get("verdicts", {}).get("ok") == inline.get("packets")
    yield "inline: it ends cleanly", found.get("exit_inline") == "0"
    yield "inline: it says how it sees what is sent", "tracepoint" in found.get("said_inline", "")
    yield "killed: nothing is left, and the path works", (found.get("killed_programs"), found.get("killed_answers")) == ("0", "yes")
    yield "drop: every packet, and none passes", (
        found.get("drop_packets", "0") == str(drop.get("packets")) != "0" and "drop_answers" not in found)
    yield "drop: it ends cleanly, and the path works again", (found.get("exit_drop"), found.get("drop_gone_answers")) == ("0", "yes")


def main():
    why = missing()
    if why:
        print(f"skipped: {why}\n0 passed, 0 failed, 1 skipped")
        return 0
    with tempfile.TemporaryDirectory(prefix="rasad-test-") as folder:
        build(folder + "/initrd")
        found = boot(folder + "/initrd")
    results = list(checks(found))
    for what, good in results:
        print(f"{'passed' if good else 'FAILED'}: {what}")
    failed = sum(not good for _, good in results)
    if failed:
        print("\n".join(f"{name}: {value}" for name, value in found.items()))
    print(f"{len(results) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
