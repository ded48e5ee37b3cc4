# SPDX-License-Identifier: BSD-3-Clause
"""What a detector said: its incidents, each with all of its revisions."""

import json

PUBLISHED = ("OPEN", "UPDATED", "CLEARED", "SUPERSEDED", "MERGED", "RETRACTED")
GONE = ("SUPERSEDED", "MERGED", "RETRACTED")


class Incident:
    def __init__(self, first):
        self.id, self.revisions = first["incident_id"], []
        self.add(first)
        self.opened = max(first.get("changed_unix_ns", 0), first["open_unix_ns"]) / 1e9

    def add(self, row):
        self.revisions.append(row)

    def at(self, when):
        """Its last revision until then."""
        seen = [r for r in self.revisions if r.get("changed_unix_ns", r["open_unix_ns"]) / 1e9 <= when]
        return seen[-1] if seen else self.revisions[0]

    @property
    def first(self):
        return self.revisions[0]

    @property
    def last(self):
        return self.revisions[-1]

    @property
    def told(self):
        """Its last revision that still says what it was."""
        return next((r for r in reversed(self.revisions) if r["state"] in ("OPEN", "UPDATED")), self.last)

    @property
    def cleared(self):
        return self.last["changed_unix_ns"] / 1e9 if self.last["state"] == "CLEARED" else None

    @property
    def survives(self):
        return self.last["state"] not in GONE

    @property
    def pages(self):
        if any("page" in r for r in self.revisions):
            return sum(bool(r.get("page")) for r in self.revisions)
        return int(not self.first.get("supersedes"))

    def keys(self):
        found = set()
        for row in self.revisions:
            found.add((row["group_type"], row["group"]))
        return found


def read(path):
    """method ("rasad", or that of a baseline) -> incidents by time of opening."""
    methods = {}
    with open(path, encoding="utf-8") as f:
        for text in f:
            if not text.startswith('{"type":"incident"'):
                continue
            row = json.loads(text)
            known = methods.setdefault(row.get("method", "rasad"), {})
            if row["incident_id"] in known:
                known[row["incident_id"]].add(row)
            else:
                known[row["incident_id"]] = Incident(row)
    return {name: sorted(found.values(), key=lambda i: i.opened) for name, found in methods.items()}
