#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The gates of docs/conventions.md: prints each violation as file:line: rule: text, and closes with counts.

    check.py text [--root DIR]                      rules that look at the text
    check.py readmes [--root DIR]                   each folder is described, each threat has its tests
    check.py format [--root DIR]                    clang-format agrees
    check.py headers [--root DIR] [--build DIR]     each header compiles alone
    check.py initialisers [--root DIR] [--build DIR]    no dynamic initialisation at EL1
    check.py tidy [--root DIR] [--build DIR]        clang-tidy agrees with the code at EL1

Exit status 0 when there is no violation, 1 when there is one, 2 when the check cannot run.
"""
import argparse
import collections
import pathlib
import sys

import compile_rules
import layer_rules
import reach_rules
import readme_rules
import text_rules
import threat_rules
from sources import find_sources


def parse_arguments():
    parser = argparse.ArgumentParser(description="Checks the gates of docs/conventions.md.")
    parser.add_argument("what", choices=["text", "readmes", "format", "headers", "initialisers", "tidy"])
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2],
                        help="top of the tree to check; default: this one")
    parser.add_argument("--build", type=pathlib.Path, action="append", default=[],
                        help="build folder, for the headers that idlc made")
    parser.add_argument("--compiler", action="append", default=[],
                        help="EL1 compiler to use, repeatable; default: those that are installed")
    return parser.parse_args()


def run(arguments):
    sources = find_sources(arguments.root)
    if not sources:
        print(f"style: no sources below {arguments.root}", file=sys.stderr)
        return None, 0
    if arguments.what == "text":
        violations = [found for source in sources for found in text_rules.check(source)]
        violations += layer_rules.check(sources)
        violations += text_rules.check_diagnostics(arguments.root, sources)
        violations += reach_rules.check(arguments.root)
    elif arguments.what == "readmes":
        violations = list(readme_rules.check(arguments.root, sources)) + list(threat_rules.check(arguments.root))
    elif arguments.what == "format":
        violations = compile_rules.check_format(arguments.root, sources)
    elif arguments.what == "headers":
        violations = compile_rules.check_headers(arguments, sources)
    elif arguments.what == "tidy":
        violations = compile_rules.check_tidy(arguments, sources)
    else:
        violations = compile_rules.check_initialisers(arguments, sources)
    return violations, len(sources)


def main():
    arguments = parse_arguments()
    try:
        violations, count = run(arguments)
    except compile_rules.CannotRun as reason:
        print(f"style: {reason}", file=sys.stderr)
        return 2
    if violations is None:
        return 2
    for violation in sorted(violations):
        print(f"{violation.path}:{violation.line}: {violation.rule}: {violation.text}")
    by_rule = collections.Counter(violation.rule for violation in violations)
    for rule, number in sorted(by_rule.items()):
        print(f"  {number:4} {rule}")
    print(f"style {arguments.what}: {count} files, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
