# SPDX-License-Identifier: BSD-3-Clause
"""What a packet costs in dpdk-testpmd rxonly: packets of its own count, CPU time of its thread."""

import pathlib
import re
import subprocess
import time

import runs

TOTAL = re.compile(r"Accumulated forward statistics.*?RX-packets:\s*(\d+)", re.S)


def worker_cpu_ns(pid):
    """On-CPU nanoseconds of the busiest thread but the first: the one that receives."""
    spent = [0]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        if task.parent.name != str(pid):
            spent.append(int(task.read_text(encoding="ascii").split()[0]))
    return max(spent)


def wait_until_busy(child, ns, limit_s=30):
    deadline = time.monotonic() + limit_s
    while worker_cpu_ns(child.pid) < ns:
        if child.poll() is not None or time.monotonic() > deadline:
            raise runs.Unavailable("dpdk-testpmd does not receive")
        time.sleep(0.02)


def rxonly_ns(vdevs, mbufs, seconds):
    """Nanoseconds per packet over some seconds of CPU."""
    words = [runs.need("dpdk-testpmd", "dpdk"), "--no-huge", "--no-pci", "--no-telemetry", "--no-shconf",
             "-m", "1024", "-l", "0,1"]
    words += [word for vdev in vdevs for word in ("--vdev", vdev)]
    words += ["--", "--forward-mode=rxonly", "--auto-start", "--burst=64", f"--total-num-mbufs={mbufs}"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as child:
        try:
            wait_until_busy(child, seconds * 1e9)
            spent = worker_cpu_ns(child.pid)
            out, _ = child.communicate("\n", timeout=20)
        except subprocess.TimeoutExpired:
            raise runs.Unavailable("dpdk-testpmd does not end") from None
        finally:
            if child.poll() is None:
                child.kill()
    total = TOTAL.search(out)
    if not total or int(total[1]) == 0:
        raise runs.Unavailable("dpdk-testpmd received nothing")
    return spent / int(total[1])
