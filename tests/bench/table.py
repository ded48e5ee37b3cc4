# SPDX-License-Identifier: BSD-3-Clause
"""The one table of the bench: Markdown, a row as soon as it is known, with its goal and verdict."""

import statistics


def median(values):
    return statistics.median(values)


def ratio_of(ours, theirs):
    """Median of the ratios of runs that were taken in turn."""
    return median([a / b for a, b in zip(ours, theirs)])


def figure(value):
    """A number with as many digits as it is worth."""
    if value is None:
        return ""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def share(value, unit):
    """A ratio far below one reads better as its inverse."""
    if unit == "x" and 0 < value < 0.15:
        return f"1/{figure(1 / value)}"
    return f"{figure(value)} {unit}".strip()


class Table:
    def __init__(self):
        self.met = self.missed = self.missing = 0
        print("| what | rasad | against | is | goal | |\n| --- | --- | --- | --- | --- | --- |", flush=True)

    def head(self, title):
        print(f"| **{title}** | | | | | |", flush=True)

    def row(self, what, ours, against="", value=None, goal=None, unit="x", at_least=False):
        """`value`: what the goal is about; `at_least`: bigger is better."""
        verdict, goal_text = "", ""
        if goal is not None:
            good = value >= goal if at_least else value <= goal
            self.met += good
            self.missed += not good
            verdict = "met" if good else "**missed**"
            goal_text = f"{'≥' if at_least else '≤'} {share(goal, unit)}"
        shown = "" if value is None else share(value, unit)
        print(f"| {what} | {ours} | {against} | {shown} | {goal_text} | {verdict} |", flush=True)

    def absent(self, what, reason):
        self.missing += 1
        print(f"| {what} | n/a: {reason} | | | | |", flush=True)

    def finish(self):
        print(f"\n{self.met} goals met, {self.missed} missed, {self.missing} rows not measured", flush=True)
