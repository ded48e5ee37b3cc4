# SPDX-License-Identifier: BSD-3-Clause
"""The inventory and the truth of one simulated network, as the judge reads them."""

import csv
import json

COLUMNS = {"access_node": "node"}  # group types that are not called like their column
HITS_MIN = 5                       # a fault of fewer lines is nobody's incident
SETUPS_MIN = 20                    # nor is one that fewer have met when they dialled


class Inventory:
    """Which lines a group has, by the books that the detector was given."""

    def __init__(self, path):
        with open(path, encoding="utf-8", newline="") as f:
            rows = csv.reader(f)
            self.header = {name: i for i, name in enumerate(next(rows))}
            self.rows = {row[0]: row for row in reversed(list(rows))}  # of duplicates the first one counts
        self.groups = {}

    def names(self, kind, row):
        """What a group of this row may be called."""
        cell = row[self.header[COLUMNS.get(kind, kind)]]
        node, card = (row[self.header[c]] if c in self.header else "" for c in ("node", "card"))
        if kind == "card":
            return cell, f"{node}/{cell}"
        if kind == "port":
            return cell, f"{card}/{cell}", f"{node}/{card}/{cell}"
        return (cell,)

    def learn(self, wanted):
        """Collects the members of (type, name) pairs, all in one pass."""
        wanted = {w for w in wanted if w not in self.groups and COLUMNS.get(w[0], w[0]) in self.header}
        kinds = {kind for kind, _ in wanted}
        for key in wanted:
            self.groups[key] = set()
        for line, row in self.rows.items():
            for kind in kinds:
                for name in self.names(kind, row):
                    if (kind, name) in wanted:
                        self.groups[kind, name].add(line)

    def members(self, kind, name):
        """None when the books do not know such a group."""
        if kind in ("all", "network"):
            return set(self.rows)
        return self.groups.get((kind, name)) or None


class Fault:
    def __init__(self, row, seed):
        self.__dict__.update(row)
        self.id = f"{seed}/{row['fault_id']}"
        self.hits = frozenset(row.pop("hit"))
        self.key = (self.group_type, self.group)
        self.on, self.off, self.back = (t / 1e9 for t in (self.t_on, self.t_off, self.t_90_back))
        self.share = len(self.hits) / max(1, self.members)
        self.setup = self.kind in ("pool_exhausted", "radius_silent")
        self.counts = len(self.hits) >= (SETUPS_MIN if self.setup else HITS_MIN)

    def __str__(self):
        return f"{self.kind} {self.group} ({len(self.hits)} of {self.members} lines)"


class Truth:
    def __init__(self, path, seed):
        self.faults, self.benign, self.world = [], [], None
        with open(path, encoding="utf-8") as f:
            for text in f:
                row = json.loads(text)
                if row["type"] == "world":
                    self.world = row
                elif row["type"] == "fault":
                    self.faults.append(Fault(row, seed))
                elif row["type"] == "benign":
                    self.benign.append(Fault(row, seed))

    def keys(self):
        return {f.key for f in self.faults + self.benign}
