# SPDX-License-Identifier: BSD-3-Clause
"""From verdicts over many seeds to figures, one Markdown table, and a list of every miss."""

import collections

from figures import PerDay, Quantiles, Rate

RASAD = "rasad"
BASELINES = {"B1": "B1, 10 lines and 10 % of a node", "B2": "B2, half of a node", "B3": "B3, z-score of a node",
             "B4": "B4, greedy cover"}
FULL = 0.99
TEHRAN_S = 12600


class Figures:
    """All seeds of one method."""

    def __init__(self, method):
        self.method, self.days = method, 0.0
        self.faults = []   # (verdict, judged) of faults that count
        self.verdicts = []

    def add(self, verdict, days):
        self.days += days
        self.verdicts.append(verdict)
        self.faults += [(verdict, j) for j in verdict.faults if j.fault.counts]

    def some(self, wanted=lambda f: True, mapped=True):
        return [(v, j) for v, j in self.faults if wanted(j.fault) and j.fault.mapped is mapped]

    def recall(self, wanted=lambda f: True, mapped=True):
        return Rate(j.found for _, j in self.some(wanted, mapped))

    def exact(self, wanted=lambda f: True, of_found=True):
        return Rate(v.exact(j) for v, j in self.some(wanted) if j.found or not of_found)

    def wrong(self):
        """How many of each relation."""
        kinds = collections.Counter(v.relation(j)[0] for v, j in self.some() if j.found and not v.exact(j))
        return ", ".join(str(kinds[k]) for k in ("wider", "narrower", "other"))

    def delays(self, wanted=lambda f: True):
        return Quantiles(max(0.0, j.found_at - j.fault.on) for _, j in self.some(wanted) if j.found)

    def false(self, severities=None):
        count = sum(severities is None or i.told.get("severity") in severities
                    for v in self.verdicts for i, _ in v.false)
        return PerDay(count, self.days)

    def precision(self):
        return Rate(good for v in self.verdicts
                    for good in [False] * len(v.false) + [True] * (len(v.incidents) - len(v.false)))

    def per_fault(self, what):
        found = [j for _, j in self.some() if j.found]
        return sum(what(i) for j in found for i in j.own) / len(found) if found else None

    def spoken(self):
        """(truth, what was said) of each fault that was found."""
        for v, j in self.some():
            incident, row = v.settled(j)
            if incident:
                final = incident.told if incident.survives else row
                yield j.fault, final

    def category(self):
        return Rate(row.get("category") == f.category for f, row in self.spoken())

    def klass(self):
        return Rate(row.get("class") == getattr(f, "class") for f, row in self.spoken())

    def confusion(self, name):
        return collections.Counter((getattr(f, name), row.get(name, "?")) for f, row in self.spoken())

    def clear_delays(self):
        return Quantiles(i.cleared - j.fault.back for _, j in self.some(lambda f: f.episodes == 1)
                         for i in j.own[-1:] if i.cleared)

    def false_clears(self):
        return Rate(i.cleared is not None and i.cleared < j.fault.off for _, j in self.some(lambda f: f.episodes == 1)
                    for i in j.own if i.survives)


def hour_of(f):
    return int(f.on + TEHRAN_S) // 3600 % 24


def full(f):
    return f.severity >= FULL and not f.setup


def drops(f):
    return not f.setup


ROWS = [
    ("found, whole element fails", lambda s: s.recall(full)),
    ("found, half of it or more", lambda s: s.recall(lambda f: drops(f) and f.severity >= 0.5)),
    ("found, 30 % of a card", lambda s: s.recall(lambda f: f.kind == "card" and f.severity == 0.3)),
    ("found, 10 to 30 % of anything", lambda s: s.recall(lambda f: drops(f) and f.severity <= 0.3)),
    ("found, only set-ups fail", lambda s: s.recall(lambda f: f.setup)),
    ("found, element not in the inventory", lambda s: s.recall(lambda f: True, mapped=False)),
    ("exact element, one fault", lambda s: s.exact(lambda f: f.mix == "single")),
    ("exact element, siblings together", lambda s: s.exact(lambda f: f.mix == "siblings")),
    ("exact element, two independent", lambda s: s.exact(lambda f: f.mix == "independent")),
    ("exact element, nested", lambda s: s.exact(lambda f: f.mix == "nested")),
    ("exact element, three to five at once", lambda s: s.exact(lambda f: f.mix == "overlap")),
    ("wrong element: wider, narrower, other", lambda s: s.wrong()),
    ("delay p50 / p95, whole element", lambda s: s.delays(full)),
    ("delay p50 / p95, parts", lambda s: s.delays(lambda f: drops(f) and not full(f))),
    ("delay p50 / p95, whole element, 01 to 07 h", lambda s: s.delays(lambda f: full(f) and 1 <= hour_of(f) < 7)),
    ("delay p50 / p95, only set-ups fail", lambda s: s.delays(lambda f: f.setup)),
    ("false incidents a day", lambda s: s.false()),
    ("of these MAJOR or worse", lambda s: s.false(("MAJOR", "CRITICAL"))),
    ("precision", lambda s: s.precision()),
    ("incidents for a fault", lambda s: s.per_fault(lambda i: i.survives)),
    ("pages for a fault", lambda s: s.per_fault(lambda i: i.pages)),
    ("category right", lambda s: s.category()),
    ("class right", lambda s: s.klass()),
    ("cleared after 90 % are back, p50 / p95", lambda s: s.clear_delays()),
    ("cleared too early", lambda s: s.false_clears()),
]


def shown(value, brief):
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.2f}"
    return getattr(value, "brief", None) or str(value) if brief else str(value)


def table(all_figures):
    """Markdown: rasad with intervals, the baselines without."""
    names = [n for n in (RASAD, *BASELINES) if n in all_figures]
    lines = ["| figure | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names)]
    for title, figure in ROWS:
        cells = [shown(figure(all_figures[n]), n != RASAD) for n in names]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def by_kind(figures):
    lines = ["| kind | severity | found | exact of found | delay p50 / p95 |", "| --- | --- | --- | --- | --- |"]
    groups = sorted({(j.fault.kind, round(j.fault.severity, 1) if j.fault.group_type != "cpe_vendor" else 0)
                     for _, j in figures.faults if j.fault.mapped}, key=lambda g: (g[0], -g[1]))
    for kind, severity in groups:
        def wanted(f, kind=kind, severity=severity):
            return f.kind == kind and (not severity or round(f.severity, 1) == severity)
        lines.append(f"| {kind} | {severity or 'any':} | {figures.recall(wanted)} | {figures.exact(wanted)} "
                     f"| {figures.delays(wanted).brief} |")
    return "\n".join(lines)


def confusion(figures, name):
    counts = sorted(figures.confusion(name).items(), key=lambda c: -c[1])
    return "\n".join(f"  {true:20} said {said:20} {n}" for (true, said), n in counts if true != said) or "  none"


def why_missed(verdict, judged):
    f = judged.fault
    around = [o.fault for o in verdict.faults if o is not judged and o.fault.on < f.off and f.on < o.fault.off]
    notes = [f"{100 * f.share:.0f} % of its lines", verdict.clock(f.on), f"{f.off - f.on:.0f} s long",
             f"smear {f.smear_s:g} s"]
    if around:
        notes.append("together with " + ", ".join(str(o) for o in around[:3]))
    over = [i for i in verdict.incidents if verdict.covers(i, f)]
    if over:
        row = over[0].at(f.on)
        notes.append(f"inside {row['group_type']}:{row['group']}, open since {f.on - over[0].opened:.0f} s before")
    late = [judged.since[i] for i in judged.all if judged.since[i] > f.off]
    if late:
        notes.append(f"opened {late[0] - f.off:.0f} s after its end")
    return ", ".join(notes)


def misses(figures):
    """Every miss with its id and a line about it."""
    for v, j in figures.faults:
        f = j.fault
        if not j.found:
            yield f"not found: {f.id} {f.mix} {f} [{why_missed(v, j)}]" + ("" if f.mapped else " (no such column)")
        elif f.mapped and not v.exact(j):
            yield f"not exact: {f.id} {f.mix} {f}: {'{}: said {}, Jaccard {:.2f}'.format(*v.relation(j))} [{why_missed(v, j)}]"
        if f.mapped and j.found and sum(i.survives for i in j.own) > 1:
            said = ", ".join("{}:{}@{:+.0f}s".format(i.last["group_type"], i.last["group"], i.opened - f.on)
                             for i in j.own if i.survives)
            yield f"fragments: {f.id} {f.mix} {f}: {said}"
    for v in figures.verdicts:
        for incident, reason in v.false:
            row = incident.told
            yield f"false: {v.seed}/{incident.id} {row['group_type']}:{row['group']} {row.get('class')} " \
                  f"({row.get('affected')} of {row.get('members')}, {v.clock(incident.opened)}): {reason}"


def as_json(all_figures):
    out = {}
    for name, figures in all_figures.items():
        out[name] = {}
        for title, figure in ROWS:
            value = figure(figures)
            out[name][title] = value.json() if hasattr(value, "json") else value
    return out
