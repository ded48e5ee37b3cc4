# SPDX-License-Identifier: BSD-3-Clause
"""What the desk would read in Redis while a simulated network lives: cards of all lines, written anew at
each event of a session, and for a caller as measured within the last minute.

rasad-sim tells of sessions only, so what a tap would have measured of a caller's line is drawn here, from
what is true of the call and with overlap: a healthy line may be busy or have poor Wi-Fi at the time, a
Wi-Fi fault may not show, and one caller in seven has too little traffic to be measured. Nothing here
knows how calls are scored.
"""

import collections
import csv
import heapq
import json
import random

GROUPS = (("port", ("node", "card", "port")), ("card", ("node", "card")), ("access_node", ("node",)),
          ("cabinet", ("cabinet",)), ("feeder", ("feeder",)), ("exchange", ("exchange",)), ("mdf", ("mdf",)),
          ("svlan", ("svlan",)), ("bras_port", ("bras_port",)), ("bras", ("bras",)), ("pool", ("pool",)),
          ("cpe_vendor", ("cpe_vendor",)), ("resolver", ("resolver",)))
INVOLUNTARY = {"LINE_LOST", "CPE_TERM", "CPE_POWER", "UNKNOWN", "LOOPBACK"}
S = 10**9
DAY_NS = 86400 * S
FLAP_NS = 600 * S
SESSIONS = 4


class Line:
    def __init__(self, name):
        self.name, self.state, self.place, self.phone, self.plan = name, "DOWN", {}, "", None
        self.up_since = self.down_since = self.last_down = self.last_upstream = None
        self.cause = "UNSPECIFIED"
        self.sessions, self.drops = [], collections.deque()

    def take(self, event):
        now, kind = event["unix_ns"], event["kind"]
        if kind == "UP":
            if self.down_since and now - self.down_since <= FLAP_NS and self.cause in INVOLUNTARY:
                self.drops.append(now)
            self.state, self.up_since, self.down_since = "UP", now, None
        elif kind == "RECOVERED":
            self.state = "UP"
        elif kind == "SUSPECT":
            self.state, self.last_upstream = "SUSPECT", event.get("down_since_unix_ns", now)
        elif kind == "DOWN":
            since = event.get("down_since_unix_ns", now)
            self.state, self.down_since, self.last_down = "DOWN", since, since
            self.last_upstream, self.cause = since, event.get("cause", "UNKNOWN")
            self.keep({"down_unix_ns": since, "detected_unix_ns": now, "cause": self.cause})
        elif kind == "SETUP_FAILED":
            self.keep({"down_unix_ns": now, "detected_unix_ns": now, "cause": event.get("cause", "UNKNOWN"),
                       "failed_stage": event.get("stage", "LCP")})

    def keep(self, session):
        self.sessions = (self.sessions + [session])[-SESSIONS:]

    def groups(self):
        for kind, columns in GROUPS:
            if all(self.place.get(c) for c in columns):
                yield {"group_type": kind, "group": "/".join(self.place[c] for c in columns)}

    def card(self, now):
        while self.drops and now - self.drops[0] > DAY_NS:
            self.drops.popleft()
        sessions = list(self.sessions)
        if self.state == "UP":
            sessions.append({"up_unix_ns": self.up_since} if self.up_since else {})
        summary = {"line": self.name, "state": self.state, "sessions": sessions}
        if self.state == "UP":
            summary["last_upstream_unix_ns"] = now - 5 * S
        elif self.last_upstream:
            summary["last_upstream_unix_ns"] = self.last_upstream
        if self.down_since:
            summary["down_since_unix_ns"] = self.down_since
        card = {"type": "subscriber_card", "unix_ns": now, "summary": summary, "phone": self.phone,
                "exchange": self.place.get("exchange", ""), "groups": list(self.groups()),
                "last_down_cause": self.cause, "flaps_24h": len(self.drops),
                "flaps_1h": sum(now - at <= 3600 * S for at in self.drops)}
        if self.state == "UP" and self.up_since:
            card["up_since_unix_ns"] = self.up_since
        if self.last_down:
            card["last_down_unix_ns"] = self.last_down
        if self.plan:
            card["plan_down_kbps"] = self.plan
        return card


def lognormal(rng, median, sigma):
    return rng.lognormvariate(0, sigma) * median


def measure(rng, card, line, truth):
    """The last 15 minutes of a line that is up."""
    usual_line, usual_home = lognormal(rng, 9000, 0.4), lognormal(rng, 2500, 0.4)
    now_line, home = usual_line * lognormal(rng, 1, 0.06), usual_home * lognormal(rng, 1, 0.3)
    saturated = 0
    if truth == "CPE_HOME" and rng.random() < 0.85 or rng.random() < 0.04:
        home = lognormal(rng, 70000, 0.5)
    if truth == "OWN_SAT" and rng.random() < 0.9 or rng.random() < 0.03:
        saturated = sum(rng.random() < 0.7 for _ in range(10))
        card["bloat_ms"] = int(lognormal(rng, 180, 0.5))
    busy = rng.random() < 0.86 or saturated
    samples = int(lognormal(rng, 600, 0.8)) + 20 if busy else rng.randrange(12)
    packets = samples * 50
    access = now_line + home + (card.get("bloat_ms", 0) * 1000 * saturated / 10)
    # What the queue of a full line adds is known to be that, and is not the home's.
    card["recent"] = {
        "packets_down": packets, "packets_up": packets // 2, "bytes_down": packets * 1200, "bytes_up": packets * 80,
        "rtt": {"line": {"n": 30, "p50_us": int(now_line), "p95_us": int(now_line * 1.6)},
                "access": {"n": samples, "p50_us": int(access), "p95_us": int(access * lognormal(rng, 1.8, 0.1))},
                "home": {"n": samples, "p50_us": int(home), "p95_us": int(home * 2)},
                "internet": {"n": samples, "p50_us": 45000, "p95_us": 90000}},
        "loss": {"access_down": {"lost": int(packets * lognormal(rng, 0.0003, 0.8)), "packets": packets}}}
    if saturated:
        card["saturated_minutes"] = saturated
    card["usual"] = {"rtt_line_us": usual_line, "rtt_access_us": usual_line + usual_home, "rtt_internet_us": 45000}


def account(rng, card, truth):
    """The books of the billing system know most of those that call because of it."""
    if truth == "ACCOUNT" and card["summary"]["state"] == "UP" and rng.random() < 0.8:
        card["account"] = "QUOTA_USED" if rng.random() < 0.6 else "SUSPENDED"


def read_lines(path):
    """name -> Line, by the books: of two rows of a line the first one counts."""
    lines = {}
    with open(path, encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            if row["line"] in lines:
                continue
            line = lines[row["line"]] = Line(row["line"])
            line.place = {k: v for k, v in row.items() if v}
            line.phone = row.get("phone", "")
            line.plan = int(row["plan_down_kbps"]) if row.get("plan_down_kbps") else None
    return lines


def rows(path, kind):
    with open(path, encoding="utf-8") as f:
        for number, text in enumerate(f):
            row = json.loads(text)
            if row["type"] == kind:
                yield row["unix_ns"], number, row


def said(path):
    """Incidents and their members by the time at which they were told."""
    now, number = 0, 0
    with open(path, encoding="utf-8") as f:
        for text in f:
            if text.startswith('{"type":"incident"'):
                now = max(now, json.loads(text).get("changed_unix_ns", 0))
            elif not text.startswith('{"type":"member_set"'):
                continue
            number += 1
            yield now, number, text


class World:
    """Writes the file for rasad-desk --offline, and remembers what B5 would have said of each call."""

    def __init__(self, folder, calls):
        self.folder, self.calls = folder, calls  # call_id -> row of the truth
        self.lines = read_lines(folder / "inventory.csv")
        self.open = {}
        self.same_exchange = {}
        self.by_phone = collections.defaultdict(list)
        for line in self.lines.values():
            self.by_phone[line.phone].append(line)
        # Incidents of an exchange, and of what hangs on it.
        self.exchanges_of = collections.defaultdict(set)
        for line in self.lines.values():
            for group in line.groups():
                self.exchanges_of[group["group_type"], group["group"]].add(line.place.get("exchange"))

    def note(self, text):
        if not text.startswith('{"type":"incident"'):
            return
        row = json.loads(text)
        if row["state"] in ("OPEN", "UPDATED"):
            self.open[row["incident_id"]] = self.exchanges_of[row["group_type"], row["group"]]
        else:
            self.open.pop(row["incident_id"], None)

    def b5(self, call):
        """The newest open incident at the caller's exchange."""
        for line in self.by_phone.get(call["phone"], ()):
            exchange = line.place.get("exchange")
            for incident, exchanges in reversed(self.open.items()):
                if exchange and exchange in exchanges:
                    return incident
        return None

    def call_cards(self, call, seed):
        """The cards of the caller's lines, as fresh as the desk reads them."""
        truth = self.calls[call["call_id"]]
        for line in self.by_phone.get(call["phone"], ()):
            rng = random.Random(f"{seed} {call['call_id']} {line.name}")
            card = line.card(call["unix_ns"] - rng.randrange(60) * S)
            kind = truth["true_hypothesis"] if line.name == truth.get("line") else "NFF"
            if line.state == "UP":
                measure(rng, card, line, kind)
            account(rng, card, kind)
            yield card

    def write(self, path, seed):
        streams = ((t, 0, n, row) for t, n, row in rows(self.folder / "events.ndjson", "session_event"))
        told = ((t, 1, n, text) for t, n, text in said(self.folder / "replay.ndjson"))
        calls = ((t, 2, n, row) for t, n, row in rows(self.folder / "calls.ndjson", "call_event"))
        with open(path, "w", encoding="utf-8") as out:
            def put(row):
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
            for now, which, _, what in heapq.merge(sorted(streams, key=lambda s: s[:3]), told, calls,
                                                   key=lambda s: s[:3]):
                if which == 0:
                    line = self.lines.get(what["line"])
                    if line is None:
                        line = self.lines[what["line"]] = Line(what["line"])
                    line.take(what)
                    put(line.card(now))
                elif which == 1:
                    self.note(what)
                    out.write(what)
                else:
                    self.same_exchange[what["call_id"]] = self.b5(what)
                    for card in self.call_cards(what, seed):
                        put(card)
                    put(what)
