#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every code that the sources speak of has its texts in the catalogue, and no text is for nobody."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
CODE = r'"([A-Z][A-Z0-9]*_[A-Za-z0-9_]+|NFF|PRIOR|RESTORED|THROTTLED|INSUFFICIENT|UNAVAILABLE|UNKNOWN|AMBIGUOUS|PROBABLE|ALSO|ITEM|COMMA|SEMICOLON)"'
# Built at run time: GROUP_ + the type of an element, and so on.
BUILT = ("GROUP_", "WHAT_", "UNIT_")
# Words of enums and of foreign systems, which are no texts.
OTHERS = re.compile(r"(INCIDENT_CLASS_|CATEGORY_|CALLS_WITHOUT_NETWORK_SYMPTOM|VERDICT_$|WHAT_$|GROUP_$|UNIT_$)")


def main():
    catalogue = (ROOT / "engine/match/catalogue.c").read_text(encoding="utf-8")
    known = re.findall(r'^\t\{"(\w+)", ', catalogue, re.M)
    used = set()
    for path in (ROOT / "engine/match").glob("*.c"):
        if path.name != "catalogue.c":
            used |= {c for c in re.findall(CODE, path.read_text(encoding="utf-8")) if not OTHERS.match(c)}
    missing = sorted(used - set(known))
    idle = sorted(c for c in known if c not in used and not c.startswith(BUILT))
    twice = sorted({c for c in known if known.count(c) > 1})
    for what, codes in (("without text", missing), ("a text for nobody", idle), ("twice", twice)):
        for code in codes:
            print(f"{code}: {what}")
    failed = sum(map(bool, (missing, idle, twice)))
    print(f"{3 - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
