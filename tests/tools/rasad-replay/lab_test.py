#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Judge rasad-replay by the lab captures, whose truth the modems, the BRAS and tc wrote down.

For every folder of ../shared/lab: sessions, causes of their ends, flaps, failed logins,
identity, latency and loss of every line, from access.pcap alone.  The same traffic on the core
side (core.pcap) must give about the same TCP counters, and two runs the same bytes.

What counts as what:
- An end is the moment of the TermReq or PADT; for a silent loss it is the last upstream frame
  of the session (algorithms.md 2.1.1), which lab_reading finds.
- A flap is an end by one of FLAP_CAUSES with the line up again within 600 s (2.1.3).
- Latency is compared with the configured delays: for a whole line where they never change,
  else for the flows that lie entirely before or after the change.  With netem jitter the median
  of TCP samples is not that of the delay: without a rate packets overtake each other and ACKs are
  held back, with a rate they queue behind the slowest.  There it may be off by the jitter.
- Loss is compared with what the tap can see (see lab_reading).  A line without drops on a side
  may show 2 packets there, no more.
"""

import ipaddress
import json
import re

import judge
import lab_reading

S = 10**9
TIME_TOLERANCE_S = 1.0
FLAP_GAP_S = 600
FLAP_CAUSES = ("LINE_LOST", "CPE_TERM", "UNKNOWN", "LOOPBACK")
WRONG_SIDE_PACKETS = 2
MIN_SAMPLES = 10
HOME_JITTER_MS = 2                  # the lab has no home network behind the modem

# truth's words for the end of a session -> DropCause of algorithms.md 2.1.2, first match wins
CAUSE_OF_END = (
    ("terminated by BRAS", "ADMIN"),        # RADIUS disconnect or accel-cmd, the line answering
    ("SIGKILL", "LINE_LOST"),               # the modem lost power: silence, later a new PADI
    ("LCP echo timeout", "LINE_LOST"),      # the cable was pulled
    ("SIGTERM", "CPE_TERM"),                # the modem sent TermReq
    ("terminated", "AUTH_FAIL"),            # after a PAP-Nak or CHAP Failure
)

NET_OF_SERVER = (("203.0.113.0/24", "net1"), ("198.51.100.0/24", "net2"),
                 ("2001:db8:113::/48", "net1"))


# --- what the truth says -------------------------------------------------------------------

class Session:
    """A session of truth.json, as far as the capture shows it."""

    def __init__(self, row, reading, last_s):
        self.sid = row["pppoe_session_id"]
        self.pads_s = row["t_pads"]
        self.login_failed = row.get("auth") == "failed"
        self.up_s = row.get("t_ip_up")
        if self.up_s is not None and self.up_s >= last_s:
            self.up_s = None
        self.cause = self.down_s = None
        if not row.get("after_capture"):
            self.cause = next(c for words, c in CAUSE_OF_END if words in row["end"])
            self.down_s = self._down(row, reading)

    def _down(self, row, reading):
        if self.cause == "LINE_LOST":
            return reading.last_upstream_ns[self.sid] / S
        return row.get("t_termreq_sent") or row.get("t_termreq_rcvd") or row["t_end"]


def sessions_of(line, reading, last_s):
    rows = (row for row in line["sessions"] if row["t_pads"] < last_s)
    return [Session(row, reading, last_s) for row in rows]


def flaps_of(sessions):
    came_up = [s for s in sessions if s.up_s is not None]
    pairs = zip(came_up, came_up[1:])
    return sum(a.cause in FLAP_CAUSES and b.up_s - a.down_s <= FLAP_GAP_S for a, b in pairs)


# --- sessions ------------------------------------------------------------------------------

def seconds(unix_ns):
    return None if unix_ns is None else unix_ns / S


def find_session(told, session):
    """The reported session with this id that began nearest to the truth's PADS."""
    def distance(row):
        return abs(row.get("up_unix_ns", row.get("down_unix_ns", 0)) / S - session.pads_s)
    same = (s for s in told.get("sessions", []) if s.get("pppoe_session_id") == session.sid)
    return min(same, key=distance, default=None)


def failed_setup(events, told, session):
    """A login that never came up may be told as an event instead of as a session."""
    for event in events:
        if (event.get("kind"), event.get("pppoe_session_id")) == ("SETUP_FAILED", session.sid) \
                and (event.get("svlan"), event.get("cvlan")) == (told["svlan"], told["cvlan"]):
            return {"down_unix_ns": event["unix_ns"], "cause": event.get("cause")}
    return None


def check_session(score, name, session, found):
    if not score.check(found is not None, f"{name} session", "reported", "absent"):
        return
    if session.up_s is not None:
        score.near(f"{name} up", session.up_s, seconds(found.get("up_unix_ns")), TIME_TOLERANCE_S)
    else:
        score.equal(f"{name} up", None, found.get("up_unix_ns"))
    if session.cause is not None:
        score.near(f"{name} down", session.down_s, seconds(found.get("down_unix_ns")),
                   TIME_TOLERANCE_S)
        score.equal(f"{name} cause", session.cause, found.get("cause"))
    elif session.up_s is not None:
        score.equal(f"{name} still up, down", None, found.get("down_unix_ns"))


def check_sessions(score, name, told, sessions, events):
    for session in sessions:
        found = find_session(told, session)
        if found is None and session.up_s is None:
            found = failed_setup(events, told, session)
        if found is None and session.up_s is None and session.cause is None:
            continue                # the capture ends in the middle of its setup
        check_session(score, f"{name} session {session.sid}", session, found)
    score.equal(f"{name} flaps", flaps_of(sessions), told.get("flaps"))
    failures = sum(s.login_failed and s.cause is not None for s in sessions)
    score.equal(f"{name} auth_failures", failures, told.get("auth_failures"))
    up = bool(sessions) and sessions[-1].up_s is not None and sessions[-1].cause is None
    score.equal(f"{name} is UP at the end", up, told.get("state") == "UP")


# --- identity ------------------------------------------------------------------------------

def inside(addresses, prefix):
    network = ipaddress.ip_network(prefix)
    return any(ipaddress.ip_interface(a).ip in network for a in addresses)


def check_identity(score, name, told, line, truth, sessions):
    # An unknown user logs in under a name that truth.json does not give.
    if truth["truths"].get("bad", {}).get(line["id"]) != "unknown user":
        score.equal(f"{name} subscriber", line["username"], told.get("subscriber"))
    for key, ours in (("circuit_id", "circuit_id"), ("remote_id", "remote_id"),
                      ("cpe_mac", "mac"), ("line", "circuit_id")):
        score.equal(f"{name} {key}", line[ours], told.get(key))
    if any(s.up_s is not None for s in sessions):
        score.check(line["ip"] in told.get("ipv4", []), f"{name} ipv4", line["ip"],
                    told.get("ipv4"))
    # The modem gives its LAN an address of the delegated prefix and never uses the one of the RA.
    if "ipv6_delegated_prefix" in line:
        prefix = line["ipv6_delegated_prefix"]
        score.check(inside(told.get("ipv6", []), prefix), f"{name} ipv6", f"one in {prefix}",
                    told.get("ipv6"))
    seen = line["access_pcap"]
    for side in ("down", "up"):     # pure control frames may or may not be counted
        low, high = seen[f"ppp_ip_pkts_{side}"], seen[f"{side}_pkts"]
        got = told.get(f"packets_{side}", -1)
        score.check(low <= got <= high, f"{name} packets_{side}", f"{low} to {high}", got)


# --- latency -------------------------------------------------------------------------------

def netem(words):
    """(delay ms, jitter ms) of a tc netem line such as "delay 40ms 15ms rate 50mbit"."""
    found = re.match(r"delay ([\d.]+)ms(?: ([\d.]+)ms)?", words)
    return float(found[1]), float(found[2] or 0)


class Delays:
    """The configured round trip per segment, before (change=None) or after a change."""

    def __init__(self, configured, change=None):
        base = configured["access_base"]
        self.access = {side: (base[side]["delay_ms"], base[side]["jitter_ms"])
                       for side in ("down", "up")}
        self.internet = {net: {side: (delays[f"{side}_ms"], 0) for side in ("down", "up")}
                         for net, delays in configured["internet_base"].items()}
        if change and change["segment"] == "access":
            self.access.update({side: netem(change[side])
                                for side in ("down", "up") if change[side]})
        elif change:
            self._change_internet(change)

    def _change_internet(self, change):
        """Downstream the line's netem adds to the server's own delay, upstream it replaces it."""
        for net, short in (("net1", "n1"), ("net2", "n2")):
            sides = self.internet[net]
            if change["down"]:
                delay, jitter = netem(change["down"])
                sides["down"] = (sides["down"][0] + delay, jitter)
            if change["up"]:
                sides["up"] = netem(change["up"][short])

    @staticmethod
    def sum(sides):
        """(round trip ms, the larger jitter ms)"""
        delays, jitters = zip(*sides.values())
        return sum(delays), max(jitters)


def check_rtt(score, what, expected, rtt, min_samples=MIN_SAMPLES):
    """p50 within 0.5 ms or 3 % of the delay, and the jitter.  False when too few samples."""
    if rtt is None or rtt.get("n", 0) < min_samples:
        return False
    delay_ms, jitter_ms = expected
    tolerance = max(0.5, 0.03 * delay_ms) + jitter_ms
    return score.near(f"{what} p50 ms", delay_ms, rtt["p50_us"] / 1000, tolerance)


def check_line_rtt(score, name, told, line, reading):
    rtt, configured = told.get("rtt", {}), line["configured"]
    changed = {change["segment"] for change in configured["changes"]
               if Delays.sum(Delays(configured, change).access)
               != Delays.sum(Delays(configured).access)}
    echoes = sorted(reading.echo_rtt_us)
    if echoes and score.check("line" in rtt, f"{name} rtt line", "present", "absent"):
        # A median of two clusters may be either of the middle two.
        low, high = echoes[(len(echoes) - 1) // 2], echoes[len(echoes) // 2]
        got = rtt["line"]["p50_us"]
        score.check(low * 0.97 <= got <= high * 1.03, f"{name} rtt line p50 us",
                    f"{low:.0f} to {high:.0f} within 3 %", got)
    if changed:
        return
    access = Delays.sum(Delays(configured).access)
    check_rtt(score, f"{name} rtt line", access, rtt.get("line"))
    found = check_rtt(score, f"{name} rtt access", access, rtt.get("access"))
    tcp_packets = sum(flow.down.data_packets for flow in reading.flows.values())
    if not found and tcp_packets >= 200:
        score.check(False, f"{name} rtt access", f"{MIN_SAMPLES} samples of {tcp_packets} packets",
                    rtt.get("access"))
    check_rtt(score, f"{name} rtt home", (0, HOME_JITTER_MS), rtt.get("home"))


def net_of(server):
    where = ipaddress.ip_address(server)
    return next((net for prefix, net in NET_OF_SERVER
                 if where in ipaddress.ip_network(prefix)), None)


def pooled(distributions):
    """The n and the weighted median of the medians of several distributions."""
    rows = sorted((d["p50_us"], d["n"]) for d in distributions if d and d.get("n"))
    total, passed = sum(n for _, n in rows), 0
    for p50_us, n in rows:
        passed += n
        if passed * 2 >= total:
            return {"n": total, "p50_us": p50_us}
    return None


def phase_of(flow, change):
    if change is None or flow.last_ns < change["t"] * S:
        return "before"
    return "after" if flow.first_ns > (change["t"] + 1) * S else None


def flow_key(row):
    client, server = (str(ipaddress.ip_address(row[end])) for end in ("client", "server"))
    return client, row["client_port"], server, row["server_port"]


def check_flow_rtt(score, name, line, reading, flow_rows):
    """Latency of the flows that saw one set of delays only.  Lines without a change are judged as a
    whole: a flow's median weighs every ACK, also those that a slow modem sends one behind the other."""
    changes = line["configured"]["changes"]
    change = changes[0] if changes else None
    told = {flow_key(row): row for row in flow_rows}
    for phase in ("before", "after") if change else ():
        delays = Delays(line["configured"], change if phase == "after" else None)
        keys = [key for key, flow in reading.flows.items() if phase_of(flow, change) == phase]
        rows = [(net_of(key[2]), told[key]) for key in keys if key in told]
        check_rtt(score, f"{name} flows {phase} change rtt access", Delays.sum(delays.access),
                  pooled(row.get("rtt_access") for _, row in rows))
        for net in ("net1", "net2"):
            check_rtt(score, f"{name} flows {phase} change rtt internet {net}",
                      Delays.sum(delays.internet[net]),
                      pooled(row.get("rtt_internet") for at, row in rows if at == net))
    score.check(set(reading.flows) <= set(told), f"{name} flows", len(reading.flows),
                f"{len(set(reading.flows) & set(told))} of them")


# --- loss ----------------------------------------------------------------------------------

def check_loss(score, name, told, line, reading):
    loss = told.get("loss", {})
    lost = {side: loss.get(side, {}).get("lost", 0)
            for side in ("access_down", "access_up", "internet_down", "internet_up")}
    visible = {"access_down": reading.lost_access_down(),
               "access_up": sum(flow.up.hole_fills for flow in reading.flows.values())}
    for side, got in lost.items():
        drops = line["tc_capture"].get(side, {}).get("drops", 0)
        if not drops:
            score.check(got <= WRONG_SIDE_PACKETS, f"{name} loss {side}",
                        f"at most {WRONG_SIDE_PACKETS}", got)
            continue
        expected = min(visible[side], drops)
        score.near(f"{name} loss {side} ({drops} dropped by tc)", expected, got,
                   max(3, 0.1 * expected))
    for side, row in loss.items():
        score.check(row["lost"] <= row["packets"], f"{name} loss {side}", "lost <= packets", row)


# --- the folder ----------------------------------------------------------------------------

def check_line(score, name, told, line, truth, reading, result):
    last_s = truth["capture"]["t_last_packet"]["access"]
    sessions = sessions_of(line, reading, last_s)
    flows = [row for row in result.objects["flow_summary"] if row.get("line") == told.get("line")]
    check_sessions(score, name, told, sessions, result.objects["session_event"])
    check_identity(score, name, told, line, truth, sessions)
    check_line_rtt(score, name, told, line, reading)
    check_flow_rtt(score, name, line, reading, flows)
    check_loss(score, name, told, line, reading)


def without_elapsed(result):
    return re.sub(r'"elapsed_s":[-+.\deE]+', "", result.stdout)


def check_repeat(score, name, program, first, *arguments):
    """A second run gives the same bytes but for elapsed_s."""
    second = judge.run(program, *arguments)
    same = second is not None and without_elapsed(first) == without_elapsed(second)
    score.check(same, f"{name} second run", "the same bytes", "a difference")


def tcp_totals(result):
    keys = ("data_packets", "retransmit_seen", "hole_fill")
    rows = [row[side] for row in result.objects["flow_summary"] for side in ("down", "up")]
    return {key: sum(row.get(key, 0) for row in rows) for key in keys}


def check_core(score, name, program, access, core_pcap):
    """Both taps carry the same TCP; the captures end up to a second apart."""
    core = judge.run(program, "--flows", core_pcap)
    if not judge.check_clean(score, f"{name} core", core):
        return
    ours, theirs = tcp_totals(access), tcp_totals(core)
    for key, expected in ours.items():
        score.near(f"{name} core {key}", expected, theirs[key], max(10, 0.05 * expected))


def check_folder(score, program, folder):
    truth = json.loads((folder / "truth.json").read_text())
    name, pcap = truth["scenario"], folder / "access.pcap"
    result = judge.run(program, "--flows", pcap)
    if not judge.check_clean(score, name, result):
        return
    judge.check_verdicts(score, name, result.summary)
    score.equal(f"{name} packets", truth["capture"]["packets"]["access"],
                result.summary["packets"])
    told = {(row.get("svlan"), row.get("cvlan")): row
            for row in result.objects["subscriber_summary"]}
    readings = lab_reading.read(pcap, truth["bras"]["mac"])
    score.equal(f"{name} lines", len(readings), len(told))
    for line in truth["lines"]:
        if not line["sessions"]:
            continue                # a modem that stays off in this scenario
        key, where = (line["svlan"], line["cvlan"]), f"{name} {line['id']}"
        if score.check(key in told, where, "a subscriber_summary", "none"):
            check_line(score, where, told[key], line, truth, readings[key], result)
    check_repeat(score, name, program, result, "--flows", pcap)
    check_core(score, name, program, result, folder / "core.pcap")


def main():
    args = judge.parse(judge.arguments(__doc__))
    score = judge.Score()
    lab = judge.shared("lab")
    if lab is None:
        score.skip("no ../shared/lab (or $RASAD_SHARED)")
        score.finish()
    folders = sorted(truth.parent for truth in lab.glob("*/truth.json"))
    score.check(bool(folders), str(lab), "folders with a truth.json", "none")
    for folder in folders:
        check_folder(score, args.program, folder)
    score.finish()


if __name__ == "__main__":
    main()
