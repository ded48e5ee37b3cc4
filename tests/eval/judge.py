# SPDX-License-Identifier: BSD-3-Clause
"""Whose incident is an incident? The definitions of evaluation.md 3.3.

An incident belongs to the fault that most of its evidence comes from: of the lines of its group, those
that the fault hit must be at least half of what the incident had when it was opened. A fault is found
when an incident belongs to it, or covers at least half of its lines, and was opened, or got that scope,
before it ended. The element is exact when, 60 s later, an open incident of the fault names a group with
the very members that the failed group has in the inventory.
"""

import incidents

EARLY_S = 15          # clocks and smear: nothing is opened before its cause but by this
LATE_S = 900          # the recovery, in which a fault can still cause incidents
SETTLED_S = 60        # until then it may change its mind
BURST_S = 300         # the window in which a detector counts


def likely(fault, lines):
    """How many of these lines it hit at about the same time: what takes hours hits few at once."""
    return len(fault.hits & lines) * min(1, BURST_S / max(fault.smear_s, 1))


class Judged:
    """A fault, or benign event, and the incidents that are its own."""

    def __init__(self, fault):
        self.fault, self.own, self.since = fault, [], {}  # since: incident -> when it spoke of this fault

    def add(self, incident, when):
        self.since[incident] = min(when, self.since.get(incident, when))

    @property
    def all(self):
        return sorted((i for i in self.since if i.last["state"] != "RETRACTED"), key=self.since.get)

    @property
    def found(self):
        return next((i for i in self.all if self.since[i] <= self.fault.off + EARLY_S), None)

    @property
    def found_at(self):
        return self.since[self.found]


def members(inventory, row):
    """The lines that a revision is about; by another name for them when the books do not know the first."""
    return next(filter(None, (inventory.members(*key) for key in incidents.names(row))), set())


def names_it(inventory, row, fault):
    """Whether a revision names the element: as such, by a name for it, or by its members."""
    if fault.key in incidents.names(row):
        return True
    ours, true = members(inventory, row), inventory.members(*fault.key)
    return bool(ours) and ours == true


def in_time(fault, when):
    return fault.on - EARLY_S <= when <= fault.off + fault.smear_s + LATE_S


class Verdict:
    def __init__(self, inventory, truth, seed, found):
        self.inventory, self.incidents = inventory, found
        self.seed, self.world = seed, truth.world
        self.faults = [Judged(f) for f in truth.faults]
        self.benign = [Judged(f) for f in truth.benign]
        self.false, self.excused = [], []
        for incident in found:
            self.place(incident)

    def clock(self, at):
        """Day and local hour."""
        hours = (at - self.world["first_unix_ns"] / 1e9) / 3600
        return f"day {int(hours / 24)} {int(hours) % 24:02}:{int(hours * 60) % 60:02}"

    def covers(self, incident, fault):
        """Whether an older incident lies over the lines of a fault when it begins."""
        if not incident.opened < fault.on - EARLY_S or incident.ended < fault.on + SETTLED_S:
            return False
        return len(fault.hits & members(self.inventory, incident.at(fault.on))) >= 0.5 * len(fault.hits)

    def place(self, incident):
        lines = members(self.inventory, incident.first)
        affected = max(1, incident.first.get("affected", 1))
        for judged in (self.faults, self.benign):  # a coincidence explains only what no fault does
            around = [(likely(j.fault, lines), j) for j in judged if in_time(j.fault, incident.opened)]
            most, best = max(around, key=lambda s: s[0], default=(0, None))
            if best and most >= 0.5 * affected:
                best.own.append(incident)
                best.add(incident, incident.opened)
                self.weigh(incident, best)
                break
        else:
            self.false.append((incident, f"nothing happened there ({most:.0f} of {affected} lines explained)"))
        for when, row in incident.scopes():
            self.cover(incident, when, members(self.inventory, row))

    def cover(self, incident, when, lines):
        """It may speak of more than one fault, of one only since its scope has changed."""
        for judged in self.faults:
            hits = judged.fault.hits
            if hits and in_time(judged.fault, when) and 2 * len(hits & lines) >= len(hits):
                judged.add(incident, when)

    def weigh(self, incident, judged):
        """A benign event is no network fault; of the customers' own devices one may speak."""
        if incident.last["state"] == "RETRACTED":
            self.false.append((incident, f"retracted; it was {judged.fault}"))
        elif judged in self.benign:
            row = incident.told
            excused = row.get("category") == "PREMISES" or row.get("planned") or row.get("class") == "CPE_FIRMWARE"
            (self.excused if excused else self.false).append((incident, f"benign: {judged.fault}"))

    def settled(self, judged):
        """The incident that speaks for a fault when things have settled, and what it says then."""
        first = judged.found
        if not first:
            return None, None
        when = judged.found_at + SETTLED_S
        true = self.inventory.members(*judged.fault.key) or judged.fault.hits
        best = None
        for incident in judged.all:
            row = incident.at(when)
            if incident.opened > when or (row["state"] in ("SUPERSEDED", "MERGED", "RETRACTED")):
                continue
            lines = members(self.inventory, row)
            score = (names_it(self.inventory, row, judged.fault), len(true & lines) / len(true | lines or {0}))
            if best is None or score > best[0]:
                best = score, incident, row
        return best[1:] if best else (first, first.at(when))

    def exact(self, judged):
        _, row = self.settled(judged)
        return bool(row) and names_it(self.inventory, row, judged.fault)

    def relation(self, judged):
        """How the published group stands to the true one, which it is, and the Jaccard index of the two."""
        _, row = self.settled(judged)
        lines = members(self.inventory, row)
        true = self.inventory.members(*judged.fault.key) or judged.fault.hits
        both = len(lines & true)
        kind = "other"
        if both >= 0.9 * len(true):
            kind = "wider"
        elif both and both >= 0.9 * len(lines):
            kind = "narrower"
        said = f"{row['group_type']}:{row['group']} ({row.get('affected')} of {row.get('members')})"
        return kind, said, both / len(lines | true or {0})


def verdicts(inventory, truth, seed, methods):
    """method -> Verdict; the members of all groups that anybody spoke of are looked up first."""
    wanted = truth.keys()
    for found in methods.values():
        for incident in found:
            wanted |= incident.keys()
    inventory.learn(wanted)
    return {name: Verdict(inventory, truth, seed, found) for name, found in methods.items()}
