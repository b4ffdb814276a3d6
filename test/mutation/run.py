#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants known bugs, one at a time, and demands that tests see them.

    run.py --build FOLDER [--seed N] [--long] [--only WORD] [mutations.txt]

A bug of the kernel must be found by the exploration of a small system (exploration.py), one of the page
tables by their test (page_tables.py), one of the policy compiler or of ksec by the tests of agreement
(agreement.py). Without --long (or TESSERA_LONG in the
environment) three bugs of each of the three families are tried, chosen by the seed (TESSERA_SEED); with it
all are. A bug that no test sees fails, and so does an entry that cannot be planted or built.
Closes with `N passed, N failed`.
"""

import argparse
import dataclasses
import os
import pathlib
import random
import re
import subprocess
import sys
import time

from agreement import Agreement
from exploration import Exploration
from page_tables import PageTables

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FAMILIES = {"arch/": PageTables, "kernel/": Exploration, "ksec/": Agreement, "sdk/policyc/": Agreement}  # by the bug's file
CHOSEN = 3  # of each family


@dataclasses.dataclass
class Bug:
    """`old` stands once in the file; `system` is where the exploration looks for a bug of the kernel."""

    file: str
    title: str
    system: str = ""
    old: str | None = None
    new: str | None = None

    @property
    def family(self):
        return next(family for part, family in FAMILIES.items() if self.file.startswith(part))

    def planted_in(self, text):
        """The text with the bug in it. ValueError: it has no place, or several."""
        if text.count(self.old) != 1:
            raise ValueError(f"its old text stands {text.count(self.old)} times in {self.file}")
        return text.replace(self.old, self.new)


def read_bugs(path):
    """The entries of a file. ValueError: one is not whole, or cannot be planted."""
    bugs = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        sign, rest = line[:1], line[2:]
        if found := re.fullmatch(r"@ (\S+)  (\S.*)", line):
            bugs.append(Bug(*found.groups()))
        elif bugs and sign == "=" and rest and bugs[-1].old is None:
            bugs[-1].system = rest
        elif bugs and sign == "-" and bugs[-1].new is None:
            bugs[-1].old = rest if bugs[-1].old is None else bugs[-1].old + "\n" + rest
        elif bugs and sign == "+" and bugs[-1].old:
            bugs[-1].new = rest if bugs[-1].new is None else bugs[-1].new + "\n" + rest
        elif line and sign != "#":
            raise ValueError(f"{path.name}:{number}: neither '@ FILE  TITLE', '= SYSTEM', '- OLD', '+ NEW' nor a comment")
    for bug in bugs:
        if not bug.file.startswith(tuple(FAMILIES)):
            raise ValueError(f"no test is known for {bug.file}")
        if not bug.old or bug.new is None or (bug.family is Exploration) != bool(bug.system):
            raise ValueError(f"'{bug.title}' lacks its old or its new text, or the system that is explored")
        try:
            bug.planted_in((ROOT / bug.file).read_text(encoding="utf-8"))
        except (ValueError, OSError) as trouble:
            raise ValueError(f"'{bug.title}' cannot be planted: {trouble}") from trouble
    return bugs


def choose(bugs, seed):
    """Some of each family, of as many parts of it as there are."""
    draw, chosen = random.Random(seed), []
    for family in dict.fromkeys(bug.family for bug in bugs):
        own = [bug for bug in bugs if bug.family is family]
        parts = sorted({family.part_of(bug) for bug in own})
        for part in draw.sample(parts, min(CHOSEN, len(parts))):
            chosen.append(draw.choice([bug for bug in own if family.part_of(bug) == part]))
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, type=pathlib.Path, help="built, and below the project's folder")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("TESSERA_SEED", "1")))
    parser.add_argument("--long", action="store_true", default="TESSERA_LONG" in os.environ)
    parser.add_argument("--only", metavar="WORD", help="those with the word in their title or file")
    parser.add_argument("bugs", type=pathlib.Path, nargs="?", default=HERE / "mutations.txt")
    options = parser.parse_args()
    try:
        bugs = read_bugs(options.bugs)
    except ValueError as trouble:
        sys.exit(f"{options.bugs.name}: {trouble}")
    if options.only:
        bugs = [bug for bug in bugs if options.only in bug.title + bug.file]
    elif not options.long:
        bugs = choose(bugs, options.seed)
    print(f"seed {options.seed}, {len(bugs)} bugs", flush=True)
    passed = failed = 0
    families = {}
    try:
        for bug in bugs:
            begin = time.monotonic()
            try:
                if bug.family not in families:
                    families[bug.family] = bug.family(ROOT, options.build.resolve(), options.long)
                is_seen, words = families[bug.family].judge(bug)
            except (ValueError, subprocess.TimeoutExpired) as trouble:
                is_seen, words = False, str(trouble)
            passed, failed = passed + is_seen, failed + (not is_seen)
            print(f"{'ok  ' if is_seen else 'FAIL'} {bug.file}: {bug.title}: {words} "
                  f"({time.monotonic() - begin:.0f} s)", flush=True)
    finally:
        for family in families.values():
            family.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
