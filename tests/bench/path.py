# SPDX-License-Identifier: BSD-3-Clause
"""The packet path in one process: rasad-bench's courses, as rows of the table."""

import json
import re

import runs
from table import figure, median, ratio_of

SMALL, MIDDLE, LARGE, HUGE = "1000/4000", "100000/1000000", "1000000/4000000", "1000000/8000000"
NAMES = {SMALL: "1k/4k", MIDDLE: "100k/1M", LARGE: "1M/4M", HUGE: "1M/8M"}

YARDSTICKS = {
    "touch": "reading the headers",
    "oracle": "memory floor, bursts of 64",
    "rolling": "memory floor, rolling",
    "bulk": "textbook bulk",
    "textbook": "textbook",
}


class Course:
    """What one course gave: nanoseconds of each lap by variant, and the memory."""

    def __init__(self):
        self.ns, self.kb, self.parts = {}, None, {}


def bench(*arguments):
    """The lines that rasad-bench printed, as objects."""
    program = runs.own(runs.BENCH / "rasad-bench")
    out, _ = runs.output([program, "--json", *arguments], limit_s=900)
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def settled(quick):
    """Seconds of packet time before the laps: a window is over, and lines have samples of all ages."""
    return () if quick else ("--settle", 11)


def courses(names, variants, laps, *more):
    """Runs courses in turn: {name: Course}."""
    arguments = [word for name in names for word in ("--course", name)]
    runs.say(f"courses {' '.join(names)}: {variants}")
    found = {name: Course() for name in names}
    for line in bench("--variants", variants, "--laps", laps, *arguments, *more):
        name = line["course"].removesuffix("/uniform")
        if line["ns"]:
            found[name].ns[line["variant"]] = line["ns"]
        found[name].kb = line["kb"]
        found[name].parts = {part: line[f"{part}_kb"] for part in ("samples", "pools", "totals")}
    return found


def title(name):
    size, _, pick = name.rpartition("/") if name.count("/") == 2 else (name, "", "uniform")
    return f"{NAMES.get(size, size)} {pick}"


def nanoseconds(values):
    return f"{figure(median(values))} ns"


def against(table, name, course, variant, goal=None):
    """A row: the whole path of a course against one of its yardsticks."""
    what = f"whole path, {title(name)}, / {YARDSTICKS[variant]}"
    if variant not in course.ns or "ours" not in course.ns:
        table.absent(what, f"{variant} did not run (built without DPDK?)")
        return
    ours, theirs = course.ns["ours"], course.ns[variant]
    table.row(what, nanoseconds(ours), nanoseconds(theirs), ratio_of(ours, theirs), goal)


def compare(table, what, ours, theirs, goal):
    table.row(what, nanoseconds(ours), nanoseconds(theirs), ratio_of(ours, theirs), goal)


def uniform(table, quick):
    variants = "touch,oracle,rolling,plain,decode,ours,bulk"
    found = courses([SMALL, LARGE], variants, 3 if quick else 21, *settled(quick))
    small, large = found[SMALL], found[LARGE]
    against(table, LARGE, large, "oracle", 3)
    against(table, LARGE, large, "rolling")
    against(table, LARGE, large, "bulk", 0.4)
    compare(table, "whole path, 1M/4M / 1k/4k", large.ns["ours"], small.ns["ours"], 1.8)
    table.row("whole path, 1M/4M, on an idle machine", nanoseconds(large.ns["ours"]), "14.88 Mpps",
              median(large.ns["ours"]), 67, "ns")
    against(table, SMALL, small, "oracle")
    against(table, SMALL, small, "bulk")
    compare(table, "decoder / textbook's decoder, 1k/4k", small.ns["decode"], small.ns["plain"], None)
    compare(table, "decoder / reading the headers, 1k/4k", small.ns["decode"], small.ns["touch"], None)
    if not quick:
        books = courses([LARGE], "bulk,textbook", 3)[LARGE].ns
        if "textbook" in books:
            compare(table, "textbook bulk / textbook, 1M/4M uniform", books["bulk"], books["textbook"], None)


def other_picks(table, quick):
    small, large = f"{SMALL}/zipf", f"{LARGE}/zipf"
    found = courses([small, large], "oracle,rolling,ours,bulk", 3 if quick else 21, *settled(quick))
    for variant in ("oracle", "rolling", "bulk"):
        against(table, large, found[large], variant)
    compare(table, "whole path, zipf, 1M/4M / 1k/4k", found[large].ns["ours"], found[small].ns["ours"], None)
    if quick:
        return
    names = [MIDDLE, f"{MIDDLE}/zipf"]
    found = courses(names, "oracle,ours,bulk", 21, *settled(quick))
    for name in names:
        against(table, name, found[name], "oracle")
        against(table, name, found[name], "bulk")


def eight_million(table, quick):
    names = [LARGE, HUGE] + ([] if quick else [f"{HUGE}/zipf"])
    found = courses(names, "oracle,ours", 3 if quick else 21, *settled(quick))
    compare(table, "whole path, 1M/8M / 1M/4M", found[HUGE].ns["ours"], found[LARGE].ns["ours"], 1.15)
    for name in names[1:]:
        against(table, name, found[name], "oracle")


def floods(table, quick):
    """Filling stops at 80 % of the table, which bounds packets times laps."""
    names = [LARGE, f"{LARGE}/flood", f"{LARGE}/fill"]
    found = courses(names, "ours", 6 if quick else 12, "--skip", 0, "--packets", 262144,
                    *settled(quick))
    steady, flood, fill = (found[name].ns["ours"] for name in names)
    compare(table, "flood, each packet a new flow, full table / steady state", flood, steady, 1.3)
    compare(table, "flood into an empty table, to 80 % / steady state", fill, steady, 1.3)


def two_workers(table, quick):
    shard = "100000/400000" if quick else "500000/2000000"
    runs.say(f"two workers, shards of {shard}")
    laps = bench("--workers", "--course", shard, "--skip", 6 if quick else 24, "--laps", 5 if quick else 11)
    together, alone = {}, {}
    for lap in laps:
        together.setdefault(lap["variant"], []).append((lap["first"] + lap["second"]) / 2)
        alone.setdefault(lap["variant"], []).append(lap["alone"])
    compare(table, "two workers, cost per core / one worker, equal shards", together["ours"], alone["ours"], 1.05)
    compare(table, "the memory floor on two cores / on one: what the machine takes", together["oracle"],
            alone["oracle"], None)


def windows(table, quick):
    """A slice counts with its median over the passes: interrupts prolong other ones each time. What they do to
    a pass is told besides, and what they do to as many spins of the same length that touch no memory."""
    runs.say("windows")
    *passes, last = bench("--windows", "--course", LARGE, "--laps", 3 if quick else 7)
    share = median([100 * one["total_ns"] / 10e9 for one in passes])
    longest = last["longest_median_ns"] / 1000
    table.row("closing a window of 10 s, all of 1M lines touched", f"{share * 100:.0f} ms", "10 s", share, 5,
              "% of a core")
    table.row("longest slice of it, without interrupts", f"1/{passes[0]['slices']}", "", longest, 50, "µs")
    slice_us, spin_us = (median([one[key] / 1000 for one in passes]) for key in ("longest_ns", "spin_longest_ns"))
    switches, faults = (sum(one[key] for one in passes) for key in ("switches", "faults"))
    table.row("longest slice with interrupts / longest spin as long, in registers", f"{slice_us:.0f} µs",
              f"{spin_us:.0f} µs", slice_us / spin_us)
    table.row("page faults and lost turns of the CPU within slices", f"{faults} / {switches}", f"{len(passes)} passes")


def memory(table, quick):
    """Alone in its process, so that what is resident is rasad's."""
    lines, flows = map(int, LARGE.split("/"))
    course = courses([LARGE], "ours", 2, *settled(quick))[LARGE]
    kb = course.kb
    samples_kb, pools_kb, totals_kb = (course.parts[part] for part in ("samples", "pools", "totals"))
    path_kb = kb["end"] - kb["before"] - totals_kb
    per_flow = (kb["end"] - kb["lines"] - samples_kb - pools_kb - totals_kb) * 1024 / flows
    per_line = (kb["lines"] - kb["open"] + samples_kb) * 1024 / lines
    table.row("memory before the first packet", "", "", (kb["open"] - kb["before"]) / 1024, None, "MiB")
    table.row("memory per line on the packet path", "", "", per_line, 512, "bytes")
    table.row("memory per flow of the 4M that there is room for", "", "", per_flow, 128, "bytes")
    table.row("pools for flows with holes, resends or many segments", "", "", pools_kb / 1024, None, "MiB")
    table.row("memory of the packet path, 1M/4M, resident", "", "", path_kb / 1024, 1024, "MiB")
    table.row("totals and histograms of a line behind it, after 11 s", "", "",
              totals_kb * 1024 / lines, None, "bytes")
    table.row("memory, 1M/4M, both together", "", "", (kb["end"] - kb["before"]) / 1024, 1024, "MiB")
    table.row("of all that is resident, in 2 MB pages", "", "", 100 * kb["end_huge"] / kb["end"], None, "%")


def instructions_of(variant):
    """By callgrind, which counts alike on every machine."""
    packets, laps = 65536, 2
    valgrind = runs.need("valgrind", "valgrind")
    _, err = runs.output([valgrind, "--tool=callgrind", "--collect-atstart=no",
                          "--toggle-collect=timed_lap", "--callgrind-out-file=/dev/null",
                          runs.own(runs.BENCH / "rasad-bench"), "--course", SMALL, "--variants", variant,
                          "--packets", packets, "--laps", laps, "--skip", 0])
    collected = re.search(r"Collected\s*:\s*(\d+)", err)
    if not collected or int(collected[1]) == 0:
        raise runs.Unavailable("callgrind counted nothing")
    return int(collected[1]) / (packets * laps)


def instructions(table, quick):
    del quick
    runs.say("callgrind")
    decode, plain, ours = map(instructions_of, ("decode", "plain", "ours"))
    table.row("instructions per packet, decoder, 1k/4k", figure(decode), figure(plain), decode / plain)
    table.row("instructions per packet, whole path, 1k/4k", figure(ours), "", ours, 350, "")


SECTIONS = {
    "path": ("Packet path: lines/flows, one core, decoder and meters", uniform),
    "picks": ("Other traffic", other_picks),
    "huge": ("Eight million flows", eight_million),
    "flood": ("Floods", floods),
    "workers": ("Two workers", two_workers),
    "windows": ("Windows", windows),
    "memory": ("Memory", memory),
    "instructions": ("Instructions (callgrind)", instructions),
}
