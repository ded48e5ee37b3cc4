#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An independent judge of the meters: runs rasad-replay over the micro captures and compares.

    micro_test.py [--program PATH] [--keep DIR] [-k PATTERN] [--tshark]

Four questions, each with numbers that can be wrong:
  1. every conversation of micro_cases.py alone, plain: counters, round trips, the subscriber's sums;
  2. all of them in one capture, overlapping in time, behind QinQ and PPPoE: the same, flow by flow;
  3. all of them in every other encapsulation: the very same D and R objects as in the plain capture;
  4. the QUIC spin bit.
One line per failed check, then "N passed, N failed"; exit 1 when any failed.  --tshark instead asks
tshark whether the captures themselves are well formed, and needs no program under test.
-k takes a regular expression on the names of the checks.  Quantiles may be off by the histogram's 3 %.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from ipaddress import ip_address
from pathlib import Path

import micro_quic
import micro_table
import micro_talk
import wrap

TOLERANCE = 0.03
COUNTERS = ("retransmit_seen", "hole_fill", "reordered", "spurious", "lost_before_tap", "lost_after_tap",
            "suspected_tail_loss", "keepalive", "zero_window_probe", "duplicate", "syn_retransmit")
QUANTILES = ("min_us", "p50_us", "p90_us", "p95_us", "p99_us", "max_us", "mean_us")
MEASURED = ("down", "up", "rtt_access", "rtt_internet", "host_delay")
OPPOSITE = {"down": "up", "up": "down"}
NO_DELAY_US = 3000          # twice the histogram's error at 40 ms
SPACING_US = 700_000        # between the starts of two conversations of a joint capture


class Score:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, good, name, what, expected, got):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAIL {name}: {what}: expected {expected}, got {got}", flush=True)

    def equal(self, name, what, expected, got):
        self.check(got == expected and got is not None, name, what, expected,
                   "nothing" if got is None else got)

    def between(self, name, what, low, high, got):
        """low <= got <= high; a value that is absent is wrong."""
        expected = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        number = isinstance(got, (int, float)) and not isinstance(got, bool)
        self.check(number and low <= got <= high, name, what, expected, "nothing" if got is None else got)


# --- running the program ------------------------------------------------------------------------------

class Lab:
    def __init__(self, program, directory, score):
        self.program, self.directory, self.score = program, Path(directory), score

    def replay(self, name, linktype, records):
        """Writes the capture and returns the program's messages by type; a failed run is a failed check."""
        path = self.directory / (name.replace("/", "_") + ".pcap")
        wrap.write_pcap(path, linktype, records)
        try:
            run = subprocess.run([self.program, "-o", "json", "--flows", str(path)],
                                 capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired) as error:
            self.score.check(False, name, "run", "an answer", error)
            return {}
        self.score.check(run.returncode == 0, name, "exit code", 0,
                         f"{run.returncode} {run.stderr.strip()[:200]}")
        messages = {}
        for line in run.stdout.splitlines():
            try:
                message = json.loads(line)
                messages.setdefault(message["type"], []).append(message)
            except (ValueError, KeyError, TypeError):
                self.score.check(False, name, "output line", "a JSON object with a type", line[:100])
        return messages


def flow_key(flow):
    try:
        return frozenset((ip_address(flow[side]), flow[side + "_port"]) for side in ("client", "server"))
    except (KeyError, ValueError):
        return None


def talk_key(talk):
    return frozenset((ip_address(side.address), side.port) for side in (talk.subscriber, talk.server))


def flows_by_key(messages):
    return {flow_key(flow): flow for flow in messages.get("flow_summary", [])}


# --- judging one flow ---------------------------------------------------------------------------------

def judge_counters(score, name, talk, way, side, counters, expected, counted):
    seen = talk.seen(side)
    if not seen and counters is None:
        return                                  # nothing of this direction was there to measure
    counters = counters or {}
    for key in COUNTERS:
        value = expected.get(key, 0)
        low, high = value if isinstance(value, tuple) else (value, value)
        score.between(name, f"{way}.{key}", low, high, counters.get(key))
    if counted:
        score.between(name, f"{way}.packets", len(seen), len(seen), counters.get("packets"))
        with_data = sum(1 for s in seen if s.length)
        score.between(name, f"{way}.data_packets", with_data, with_data, counters.get("data_packets"))
    elif "data_packets" in expected:
        value = expected["data_packets"]
        score.between(name, f"{way}.data_packets", value, value, counters.get("data_packets"))


def judge_rtt(score, name, half, rtt, expected):
    if expected is None:
        score.check(rtt is None or rtt.get("n") == 0, name, half, "nothing", rtt)
        return
    if rtt is None and expected.low == 0:
        return
    rtt = rtt or {}
    score.between(name, f"{half}.n", expected.low, expected.high, rtt.get("n"))
    low = expected.ms * 1000 * (1 - TOLERANCE)
    high = (expected.ms + expected.slack) * 1000 * (1 + TOLERANCE)
    for key in QUANTILES:
        score.between(name, f"{half}.{key}", low, high, rtt.get(key))


def judge_host_delay(score, name, delay, expected_ms, down):
    """The subscriber's delayed ACKs; where nobody delays any there is none to speak of."""
    if expected_ms and down:
        us = expected_ms * 1000
        score.between(name, "host_delay.p50_us", us * 0.95, us * 1.05, (delay or {}).get("p50_us"))
    elif not expected_ms and delay and delay.get("n"):
        score.between(name, "host_delay.max_us", 0, NO_DELAY_US, delay.get("max_us"))


def judge_flow(score, name, talk, expected, flow):
    score.check(flow is not None, name, "flow_summary", "one", "none")
    if flow is None:
        return
    down = talk.data_way == "down"
    near, far = ("rtt_access", "rtt_internet") if down else ("rtt_internet", "rtt_access")
    for way, side, counters in ((talk.data_way, talk.tx, expected.tx),
                                (OPPOSITE[talk.data_way], talk.rx, expected.rx)):
        judge_counters(score, name, talk, way, side, flow.get(way), counters, expected.counted)
    judge_rtt(score, name, near, flow.get(near), expected.near)
    judge_rtt(score, name, far, flow.get(far), expected.far)
    judge_host_delay(score, name, flow.get("host_delay"), expected.host_delay_ms, down)
    if any(s.flags & micro_talk.SYN and not s.flags & micro_talk.ACK for s in talk.seen(talk.subscriber)):
        score.equal(name, "client_port", talk.subscriber.port, flow.get("client_port"))


# --- judging the subscriber ---------------------------------------------------------------------------

def add_losses(total, talk, expected):
    """Downstream, before the tap is the Internet's side and behind it the access; upstream the reverse."""
    way = talk.data_way
    before, after = ("internet", "access") if way == "down" else ("access", "internet")
    total[f"{before}_{way}"] += expected.tx.get("lost_before_tap", 0)
    total[f"{after}_{way}"] += expected.tx.get("lost_after_tap", 0)
    total[f"reordered_{way}"] += expected.tx.get("reordered", 0)
    total[f"spurious_{way}"] += expected.tx.get("spurious", 0)


def judge_subscriber(score, name, total, summary):
    score.check(summary is not None, name, "subscriber_summary", "one", "none")
    if summary is None:
        return
    for half in ("access_down", "access_up", "internet_down", "internet_up"):
        count = summary.get("loss", {}).get(half, {"lost": 0, "packets": 0})   # absent: no data that way
        score.between(name, f"loss.{half}.lost", total[half], total[half], count.get("lost"))
        score.between(name, f"loss.{half}.packets", total[half], 1 << 40, count.get("packets"))
    for key in ("reordered_down", "reordered_up", "spurious_down", "spurious_up"):
        score.between(name, key, total[key], total[key], summary.get(key))


def the_subscriber(messages, *talks):
    """The summary that names an address of the talks, else the only one there is."""
    summaries = messages.get("subscriber_summary", [])
    wanted = {str(ip_address(talk.subscriber.address)) for talk in talks}
    for summary in summaries:
        if wanted & {summary.get("line"), *summary.get("ipv4", []), *summary.get("ipv6", [])}:
            return summary
    return summaries[0] if len(summaries) == 1 else None


# --- the four questions -------------------------------------------------------------------------------

def judge_alone(lab, talks):
    for name, _, talk, expected in talks:
        messages = lab.replay(name, wrap.ETHERNET, talk.records())
        flows = flows_by_key(messages)
        lab.score.equal(name, "flow_summary lines", 1, len(messages.get("flow_summary", [])))
        judge_flow(lab.score, name, talk, expected, flows.get(talk_key(talk)))
        total = Counter()
        add_losses(total, talk, expected)
        judge_subscriber(lab.score, name, total, the_subscriber(messages, talk))


def joint_records(talks):
    records = []
    for k, (_, _, talk, _) in enumerate(talks):
        records += talk.records(k * SPACING_US)
    return sorted(records, key=lambda record: record[0])


def judge_joint(lab, talks):
    """All conversations of one line at once, behind QinQ and PPPoE, with the line's identity."""
    score, name = lab.score, "joint-qinq-pppoe"
    messages = lab.replay(name, *wrap.wrap("qinq-pppoe", joint_records(talks)))
    flows, total = flows_by_key(messages), Counter()
    for talk_name, _, talk, expected in talks:
        judge_flow(score, f"{name}/{talk_name}", talk, expected, flows.get(talk_key(talk)))
        add_losses(total, talk, expected)
    summary = the_subscriber(messages, *(talk for _, _, talk, _ in talks))
    judge_subscriber(score, name, total, summary)
    for key, value in (("svlan", wrap.SVLAN), ("cvlan", wrap.CVLAN), ("circuit_id", wrap.CIRCUIT_ID)):
        score.equal(name, key, value, (summary or {}).get(key))


def judge_parity(lab, talks, pattern):
    """The encapsulation changes no counter and no round trip of any conversation."""
    records, plain = joint_records(talks), None
    for kind in wrap.KINDS:
        name = f"parity-{kind}"
        if kind != "plain" and not pattern.search(name):
            continue
        flows = flows_by_key(lab.replay(name, *wrap.wrap(kind, records)))
        lab.score.equal(name, "flows", len(talks), len(flows))
        plain = flows if plain is None else plain
        for talk_name, _, talk, _ in talks:
            here, there = flows.get(talk_key(talk), {}), plain.get(talk_key(talk), {})
            differing = [part for part in MEASURED if here.get(part) != there.get(part)]
            what = " ".join(differing) or "flow_summary"
            lab.score.check(here and not differing, f"{name}/{talk_name}", what,
                            [there.get(part) for part in differing],
                            [here.get(part) for part in differing])


def quic_variants():
    for family in (4, 6):
        for kind in ("plain", "qinq-pppoe"):
            yield f"21a/v{family}/{kind}", kind, dict(family=family)
            yield f"21b/v{family}/{kind}/control", kind, dict(family=family, spinning=False, handshake=False)


def judge_quic(lab, variants):
    """One line turns the bit: 10 ms and 40 ms.  One does not (it may not): then nothing is measured."""
    for name, kind, options in variants:
        talk, records = micro_quic.quic_records(**options)
        summary = the_subscriber(lab.replay(name, *wrap.wrap(kind, records)), talk)
        lab.score.check(summary is not None, name, "subscriber_summary", "one", "none")
        spinning = options.get("spinning", True)
        for half, ms in (("access", 10.0), ("internet", 40.0)):
            rtt = (summary or {}).get("rtt", {}).get(half)
            judge_rtt(lab.score, name, f"rtt.{half}", rtt, micro_talk.Rtt(ms, 15, 25) if spinning else None)


# --- is the judge sober? ------------------------------------------------------------------------------

def judge_captures(lab, talks):
    """tshark finds nothing malformed and every checksum right, in every encapsulation."""
    captures = [(f"capture-{kind}", *wrap.wrap(kind, joint_records(talks))) for kind in wrap.KINDS]
    captures += [(name, *wrap.wrap(kind, micro_quic.quic_records(**options)[1]))
                 for name, kind, options in quic_variants()]
    for name, linktype, records in captures:
        path = lab.directory / (name.replace("/", "_") + ".pcap")
        wrap.write_pcap(path, linktype, records)
        run = subprocess.run(
            ["tshark", "-n", "-r", str(path), "-o", "ip.check_checksum:TRUE",
             "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-T", "fields",
             "-e", "_ws.malformed", "-e", "ip.checksum.status", "-e", "tcp.checksum.status",
             "-e", "udp.checksum.status"],
            capture_output=True, text=True, check=True)
        rows = [line.split("\t") for line in run.stdout.split("\n")[:-1]]
        lab.score.equal(name, "frames", len(records), len(rows))
        lab.score.equal(name, "malformed", 0, sum(1 for row in rows if row[0]))
        bad = sum(1 for row in rows for status in row[1:] if status not in ("", "1"))
        lab.score.equal(name, "bad checksums", 0, bad)
        lab.score.between(name, "transport checksums", len(records) - 4, len(records),
                          sum(1 for row in rows if "1" in row[2:]))


def main():
    root = Path(__file__).resolve().parents[3]
    parser = argparse.ArgumentParser(description="judges rasad-replay with captures of known truth")
    parser.add_argument("--program", default=str(root / "build/bin/rasad-replay"))
    parser.add_argument("--keep", metavar="DIR", help="leave the captures in DIR")
    parser.add_argument("-k", metavar="PATTERN", default="", help="only checks whose name matches")
    parser.add_argument("--tshark", action="store_true", help="judge the captures, not the program")
    options = parser.parse_args()

    pattern, score = re.compile(options.k), Score()
    everything = list(micro_table.tcp_talks())
    talks = [talk for talk in everything if pattern.search(talk[0])]
    with tempfile.TemporaryDirectory() as scratch:
        if options.keep:
            Path(options.keep).mkdir(parents=True, exist_ok=True)
        lab = Lab(options.program, options.keep or scratch, score)
        if options.tshark:
            judge_captures(lab, everything)
        else:
            judge_alone(lab, talks)
            if pattern.search("joint-qinq-pppoe"):
                judge_joint(lab, everything)
            if any(pattern.search(f"parity-{kind}") for kind in wrap.KINDS):
                judge_parity(lab, everything, pattern)
            judge_quic(lab, [v for v in quic_variants() if pattern.search(v[0])])
    print(f"{score.passed} passed, {score.failed} failed")
    return 1 if score.failed or not score.passed else 0


if __name__ == "__main__":
    sys.exit(main())
