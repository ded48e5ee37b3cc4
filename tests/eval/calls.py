# SPDX-License-Identifier: BSD-3-Clause
"""How good are the answers? Definitions of evaluation.md 3.3, "call match".

top-1: the best hypothesis is the true one. A call because of a fault is right when the answer names an
incident that belongs to that fault (judge.py), or, where the fault hit too few lines for an incident, when it
names the line. Calibration: the Brier score of the best hypothesis' probability, and reliability bins.
Wrong reassurance: NO_FAULT_FOUND told to a caller whose line has a fault of the network (INCIDENT, OWN_LINE).
"""

import collections
import json

from figures import Rate

KINDS = {"INCIDENT": "INCIDENT", "OWN_LINE": "OWN_LINE", "CPE_HOME": "CPE_HOME", "ACCOUNT": "ACCOUNT",
         "OWN_SATURATION": "OWN_SAT", "UPSTREAM": "UPSTREAM", "NONE_FOUND": "NFF"}
NETWORK = ("INCIDENT", "OWN_LINE")
ANSWERED = ("MATCHED", "PROBABLE", "AMBIGUOUS", "NO_FAULT_FOUND")
BINS = 10


class Answer:
    """One call: the truth, and what was said of it in one revision."""

    def __init__(self, truth, match, fault):
        self.truth, self.match, self.fault = truth, match, fault  # fault: Judged or None
        best = match["hypotheses"][0] if match.get("hypotheses") else None
        self.said = KINDS.get(best["kind"], best["kind"]) if best else match["verdict"]
        self.ref = best.get("ref") if best else None
        self.probability = match.get("probability", 0.0)
        self.verdict = match["verdict"]
        self.true = truth["true_hypothesis"]
        self.covering = set()  # incidents that at that time named an element with most of the fault's lines

    @property
    def right(self):
        if self.true == "UNKNOWN_SUBSCRIBER":
            return self.verdict == "UNKNOWN_SUBSCRIBER"
        if self.true != "INCIDENT":
            return self.said == self.true
        if self.said == "INCIDENT":
            return self.fault is not None and self.ref in {i.id for i in self.fault.all} | self.covering
        return self.said == "OWN_LINE" and (self.fault is None or not self.fault.fault.counts)

    @property
    def reassured(self):
        return self.verdict == "NO_FAULT_FOUND" and self.true in NETWORK


def read_matches(path):
    """call_id -> its revisions."""
    found = collections.defaultdict(list)
    with open(path, encoding="utf-8") as f:
        for text in f:
            if text.startswith('{"type":"call_match"'):
                row = json.loads(text)
                found[row["call_id"]].append(row)
    return found


def read_truth(path):
    with open(path, encoding="utf-8") as f:
        rows = [json.loads(text) for text in f if text.startswith('{"type":"call"')]
    return {row["call_id"]: row for row in rows}


class Figures:
    def __init__(self, name):
        self.name, self.answers = name, []

    def some(self, *kinds):
        return [a for a in self.answers if not kinds or a.true in kinds]

    def top1(self, *kinds):
        return Rate(a.right for a in self.some(*kinds))

    def matched_precision(self):
        return Rate(a.right for a in self.answers if a.verdict == "MATCHED")

    def nff_precision(self):
        return Rate(a.true not in NETWORK for a in self.answers if a.verdict == "NO_FAULT_FOUND")

    def reassured(self):
        return Rate(a.reassured for a in self.some(*NETWORK))

    def brier(self):
        scored = [a for a in self.answers if a.verdict in ANSWERED]
        return sum((a.probability - a.right) ** 2 for a in scored) / len(scored) if scored else None

    def bins(self):
        """(mean probability, share that was right, n) for each tenth that has answers."""
        groups = collections.defaultdict(list)
        for a in self.answers:
            if a.verdict in ANSWERED:
                groups[min(BINS - 1, int(a.probability * BINS))].append(a)
        return [(sum(a.probability for a in g) / len(g), sum(a.right for a in g) / len(g), len(g))
                for _, g in sorted(groups.items())]

    def confusion(self):
        counts = collections.Counter((a.true, a.said if a.verdict in ANSWERED else a.verdict, a.right)
                                     for a in self.answers)
        return sorted(counts.items(), key=lambda c: (c[0][0], -c[1]))


class SameExchange:
    """B5: the newest open incident at the caller's exchange, or nothing."""

    def __init__(self):
        self.outcomes = []

    def add(self, truth, incident, fault):
        if truth["true_hypothesis"] == "UNKNOWN_SUBSCRIBER":
            return
        if truth["true_hypothesis"] == "INCIDENT":
            right = incident is not None and fault is not None and incident in {i.id for i in fault.all}
        else:
            right = incident is None
        self.outcomes.append((truth["true_hypothesis"], right, incident is None))

    def top1(self, *kinds):
        return Rate(right for kind, right, _ in self.outcomes if not kinds or kind in kinds)

    def reassured(self):
        return Rate(none for kind, _, none in self.outcomes if kind in NETWORK)
