# SPDX-License-Identifier: BSD-3-Clause
"""Parts of rasad that have a measuring program of their own (tests/**/*_bench.c)."""

import glob
import pathlib
import tempfile

import inline
import runs
import testpmd
from processes import Captures
from table import figure, median, ratio_of

PORTS, PORT_MBUFS = 5, 8000  # what a port of the collector has room for


def program(name):
    found = glob.glob(str(runs.BENCH / "**" / name), recursive=True)
    if not found:
        raise runs.Unavailable(f"{name} is not built")
    return found[0]


def figures(words):
    """What a program printed, as {name: [value, unit, more...]}."""
    out, _ = runs.output(words)
    rows = [line.split() for line in out.splitlines()]
    return {row[0]: [float(row[1]), *row[2:]] for row in rows if len(row) >= 3}


# --- captures -------------------------------------------------------------------------------------

def reading(table, quick):
    bench = program("capture_bench")
    packets = 300_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="rasad-bench-") as folder:
        captures = Captures(folder)
        for what, snaplen, goal in (("header-only", 128, 8), ("with payload", None, 5)):
            size = packets if snaplen else packets // 3
            found = figures([bench, captures.make(size, 8000, snaplen=snaplen), 5 if quick else 11])
            libpcap, read = found["capture_pcap_next_ex"][0], found["capture_read"][0]
            table.row(f"reading a capture, {what}: times as fast as pcap_next_ex", f"{figure(read)} ns",
                      f"{figure(libpcap)} ns", found["capture_read_speedup"][0], goal, "x", at_least=True)
            if "capture_read_and_decode" in found:
                table.row(f"reading and decoding, {what} / pcap_next_ex alone",
                          f"{figure(found['capture_read_and_decode'][0])} ns", f"{figure(libpcap)} ns",
                          found["capture_read_and_decode"][0] / libpcap)


# --- DPDK -----------------------------------------------------------------------------------------

def dpdk_round(bench, files, seconds):
    """(testpmd, receive, whole path) in nanoseconds per packet, one after the other."""
    vdevs = [f"net_pcap{i},rx_pcap={path},infinite_rx=1" for i, path in enumerate(files)]
    theirs = testpmd.rxonly_ns(vdevs, 2 * PORTS * PORT_MBUFS, seconds)
    found = figures([bench, 1, int(seconds * 4e6), *files])
    return theirs, found["dpdk_receive"][0], found["dpdk_whole"][0]


def dpdk(table, quick):
    bench = program("dpdk_bench")
    runs.need("dpdk-testpmd", "dpdk")
    with tempfile.TemporaryDirectory(prefix="rasad-bench-") as folder:
        capture = pathlib.Path(folder) / "endless.pcap"
        runs.say("DPDK against dpdk-testpmd")
        runs.output([runs.own(runs.BENCH / "rasad-bench"), "--course", "250/1000", "--packets", 15300,
                     "--save", capture, "--files", PORTS])
        files = [f"{capture}.{i}" for i in range(PORTS)]
        rounds = [dpdk_round(bench, files, 0.5) for _ in range(3 if quick else 7)]
    theirs, receive, whole = map(list, zip(*rounds))
    ports = f"{PORTS} x net_pcap infinite_rx"
    table.row(f"receive, whole path, free / testpmd rxonly, {ports}", f"{figure(median(whole))} ns",
              f"{figure(median(theirs))} ns", ratio_of(whole, theirs), 3)
    table.row("receive, whole path, free / receive, decode, free", f"{figure(median(whole))} ns",
              f"{figure(median(receive))} ns", ratio_of(whole, receive))


# --- publishing -----------------------------------------------------------------------------------

def publishing(table, quick):
    bench = program("publish_bench")
    runs.need("redis-server", "redis-server")
    runs.say("publishing")
    found = figures([bench, 100_000 if quick else 1_000_000, 3 if quick else 5])
    for what, plain, ours, goal in (
            ("minute records, times as many as with one XADD each", "minutes-xadd-each", "minutes-published", 8),
            ("cards refreshed, times as many as with one SET EX each", "cards-set-each", "cards-published", 2.5),
            ("cards in any order, times as many as with one SET EX each", "cards-set-each", "cards-in-any-order",
             None)):
        if ours not in found:
            table.absent(what, "publish_bench does not tell")
            continue
        table.row(what, f"{found[ours][0]:,.0f}/s", f"{found[plain][0]:,.0f}/s", float(found[ours][2]), goal, "x",
                  at_least=True)


# --- the kernel tap -------------------------------------------------------------------------------

def xdp(table, quick):
    bench = program("tap_bench")
    with tempfile.TemporaryDirectory(prefix="rasad-bench-") as folder:
        captures = Captures(folder)
        for flows in (8000, 46000):
            runs.say(f"the kernel tap, {flows:,} flows")
            found = figures([bench, 5 if quick else 15, captures.make(600_000, flows, snaplen=128)])
            kernel, empty = found["tap_kernel"][0], found["tap_empty"][0]
            table.row(f"in the kernel over an empty XDP program, {flows:,} flows", f"{figure(kernel)} ns",
                      f"{figure(empty)} ns", kernel, 80, "ns")
            table.row(f"in user space behind it: rings, decoder, meters, {flows:,} flows",
                      f"{figure(found['tap_user'][0])} ns", f"{figure(found['tap_read'][0])} ns (rings and decoder)")
    runs.say("the kernel tap inline")
    tapped, empty = map(list, zip(*inline.rounds(bench, 5 if quick else 21, 0.5)))
    table.row("TCP over veth, tapped inline / an empty XDP program there", f"{figure(median(tapped) / 1e9)} Gbit/s",
              f"{figure(median(empty) / 1e9)} Gbit/s", ratio_of(tapped, empty), 0.95, "x", at_least=True)


# --- the desk -------------------------------------------------------------------------------------

def desk(table, quick):
    bench = program("desk_bench")
    runs.need("redis-server", "redis-server")
    runs.say("the desk")
    lines = 200_000 if quick else 1_000_000
    found = figures([bench, lines, 1000, 5 if quick else 10, 3 if quick else 5])
    what = f"a call by HTTP, 1,000 a second, {lines:,} subscribers, 200 incidents"
    table.row(f"{what}: 99 % answered within", f"{found['desk-p99'][0]:.2f} ms", "", found["desk-p99"][0], 5, "ms")
    table.row(f"{what}: half answered within", f"{found['desk-p50'][0]:.2f} ms", "", found["desk-p50"][0], None, "ms")
    table.row("CPU of the desk for a call", f"{found['desk-cpu'][0]:.0f} µs", "", found["desk-cpu"][0], None, "µs")
    table.row("CPU of Redis for a call", f"{found['desk-redis-cpu'][0]:.0f} µs", "", found["desk-redis-cpu"][0], None,
              "µs")


# --- outages --------------------------------------------------------------------------------------

def outage(table, quick):
    bench = program("outage_bench")
    lines = 200_000 if quick else 1_000_000
    runs.say("localising faults")
    found = figures([bench, lines, 20 if quick else 100])
    for what, name in (("a whole card fails", "card"), ("a whole node fails", "node"),
                       ("a whole exchange fails", "exchange"), ("a whole BRAS of 61,440 lines fails", "bras"),
                       ("three such BRAS fail at once", "three_bras"), ("the whole network fails", "network")):
        localise, judge = found[f"localise_{name}"][0], found[f"judge_{name}"][0]
        table.row(f"longest localisation, {lines:,} lines, {what}", f"{figure(localise)} ms",
                  f"{figure(judge)} ms to say how sure", localise, 10, "ms")
    table.row("memory per line, lines and groups", "", "", found["outage_line"][0], 3072, "bytes")


SECTIONS = {
    "xdp": ("Kernel tap (XDP)", xdp),
    "reading": ("Reading captures", reading),
    "dpdk": ("DPDK", dpdk),
    "publishing": ("Publishing", publishing),
    "desk": ("The desk", desk),
    "outage": ("Outages", outage),
}
