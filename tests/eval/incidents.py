# SPDX-License-Identifier: BSD-3-Clause
"""What a detector said: its incidents, each with all of its revisions."""

import json

PUBLISHED = ("OPEN", "UPDATED", "CLEARED", "SUPERSEDED", "MERGED", "RETRACTED")
GONE = ("SUPERSEDED", "MERGED", "RETRACTED")


def names(row):
    """(type, name) of the group of a revision, and of those with the same members."""
    others = (text.partition(":") for text in row.get("equivalent_groups", ()))
    return [(row["group_type"], row["group"]), *((kind, name) for kind, _, name in others)]


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
    def ended(self):
        return self.last["changed_unix_ns"] / 1e9 if self.last["state"] in ("CLEARED", *GONE) else float("inf")

    @property
    def survives(self):
        return self.last["state"] not in GONE

    @property
    def pages(self):
        if any("page" in r for r in self.revisions):
            return sum(bool(r.get("page")) for r in self.revisions)
        return int(not self.first.get("supersedes"))

    def scopes(self):
        """(since when, revision) of each group that it named in turn."""
        named = None
        for row in self.revisions:
            if (row["group_type"], row["group"]) != named:
                named = row["group_type"], row["group"]
                yield max(row.get("changed_unix_ns", 0), row["open_unix_ns"]) / 1e9, row

    def keys(self):
        return {key for row in self.revisions for key in names(row)}


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
