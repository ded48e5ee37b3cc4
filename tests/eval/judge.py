# SPDX-License-Identifier: BSD-3-Clause
"""Whose incident is an incident? The definitions of evaluation.md 3.3.

An incident belongs to the fault that most of its evidence comes from: of the lines of its group, those
that the fault hit must be at least half of what the incident had when it was opened. A fault is found
when an incident belongs to it, or covers at least half of its lines, and was opened before it ended. The
element is exact when, 60 s after the opening, an open incident of the fault names a group with the very
members that the failed group has in the inventory.
"""

EARLY_S = 15          # clocks and smear: nothing is opened before its cause but by this
LATE_S = 900          # the recovery, in which a fault can still cause incidents
SETTLED_S = 60


class Judged:
    """A fault, or benign event, and the incidents that are its own."""

    def __init__(self, fault):
        self.fault, self.own, self.covering = fault, [], []

    @property
    def all(self):
        return sorted(set(self.own + self.covering), key=lambda i: i.opened)

    @property
    def found(self):
        return next((i for i in self.all if i.opened <= self.fault.off + EARLY_S), None)


def group_at(incident, when=None):
    row = incident.first if when is None else incident.at(when)
    return row["group_type"], row["group"]


def lines_of(inventory, incident, when=None):
    return inventory.members(*group_at(incident, when)) or set()


def names_it(inventory, row, fault):
    """Whether a revision names the element: as such, by a name for it, or by its members."""
    key = row["group_type"], row["group"]
    if key == fault.key or f"{fault.group_type}:{fault.group}" in row.get("equivalent_groups", ()):
        return True
    ours, true = inventory.members(*key), inventory.members(*fault.key)
    return bool(ours) and ours == true


def in_time(fault, incident):
    return fault.on - EARLY_S <= incident.opened <= fault.off + fault.smear_s + LATE_S


class Verdict:
    def __init__(self, inventory, truth, seed, incidents):
        self.inventory, self.incidents = inventory, incidents
        self.seed, self.world = seed, truth.world
        self.faults = [Judged(f) for f in truth.faults]
        self.benign = [Judged(f) for f in truth.benign]
        self.false, self.excused = [], []
        for incident in incidents:
            self.place(incident)

    def when(self, incident):
        """Day and local hour."""
        hours = (incident.opened - self.world["first_unix_ns"] / 1e9) / 3600
        return f"day {int(hours / 24)} {int(hours) % 24:02}:{int(hours * 60) % 60:02}"

    def place(self, incident):
        lines = lines_of(self.inventory, incident)
        wider = lines | lines_of(self.inventory, incident, float("inf"))  # its scope may have changed
        affected = max(1, incident.first.get("affected", 1))
        around = [j for j in self.faults + self.benign if in_time(j.fault, incident)]
        shares = [(len(j.fault.hits & lines), j) for j in around]
        most, best = max(shares, key=lambda s: s[0], default=(0, None))
        for judged in around:
            if judged is not best and len(judged.fault.hits & wider) >= 0.5 * len(judged.fault.hits) > 0:
                judged.covering.append(incident)
        if best and most >= 0.5 * affected:
            best.own.append(incident)
            self.weigh(incident, best)
        else:
            self.false.append((incident, f"nothing happened there ({most} of {affected} lines explained)"))

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
        when = first.opened + SETTLED_S
        true = self.inventory.members(*judged.fault.key) or judged.fault.hits
        best = None
        for incident in judged.all:
            row = incident.at(when)
            if incident.opened > when or (row["state"] in ("SUPERSEDED", "MERGED", "RETRACTED")):
                continue
            lines = self.inventory.members(row["group_type"], row["group"]) or set()
            score = (names_it(self.inventory, row, judged.fault), len(true & lines) / len(true | lines or {0}))
            if best is None or score > best[0]:
                best = score, incident, row
        return best[1:] if best else (first, first.at(when))

    def exact(self, judged):
        _, row = self.settled(judged)
        return bool(row) and names_it(self.inventory, row, judged.fault)

    def relation(self, judged):
        """How the published group stands to the true one, for the list of misses."""
        _, row = self.settled(judged)
        lines = self.inventory.members(row["group_type"], row["group"]) or set()
        true = self.inventory.members(*judged.fault.key) or judged.fault.hits
        both = len(lines & true)
        kind = "other"
        if both >= 0.9 * len(true):
            kind = "wider"
        elif both and both >= 0.9 * len(lines):
            kind = "narrower"
        said = f"{row['group_type']}:{row['group']}"
        return f"{kind}: said {said} ({row.get('affected')} of {row.get('members')}), Jaccard " \
               f"{both / len(lines | true or {0}):.2f}"


def verdicts(inventory, truth, seed, methods):
    """method -> Verdict; the members of all groups that anybody spoke of are looked up first."""
    wanted = truth.keys()
    for incidents in methods.values():
        for incident in incidents:
            wanted |= incident.keys()
    inventory.learn(wanted)
    return {name: Verdict(inventory, truth, seed, incidents) for name, incidents in methods.items()}
