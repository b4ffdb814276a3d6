#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that policies of many classes and rules compile in time and space that grow with the rules.

Makes policies of 10, 100 and 1,000 classes with 10, 1,000 and 100,000 rules of the usual shapes (grants,
limits on a number of the message, states of a Flow, members of a HashSet, patterns), compiles each with
policyc and its output with the cross compiler, and prints for each what the report says and what it
took. Fails when policyc and compiler together need more than --seconds or --megabytes, or when 100
times the rules take more than --growth times the bytes of table per rule.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from many_rules import run, write_policy


def measure(options, class_count, rule_count):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_policy(folder, class_count, rule_count, options.seed)
        source = options.root
        took = run([options.policyc, "-I", folder, "-I", source / "sdk/interfaces", "-I",
                    source / "sdk/policies", "--output", folder / "p.cpp", "--names",
                    folder / "p.names", "--report-json", folder / "p.json", folder / "p.psl"],
                   stderr=subprocess.DEVNULL)
        compiled = run([*options.compiler.split(), "-c", "-o", folder / "p.o", "-I", source, "-I",
                        source / "ksec/include", folder / "p.cpp"])
        report = json.loads((folder / "p.json").read_text(encoding="utf-8"))
        size = (folder / "p.cpp").stat().st_size
    row = {"classes": class_count, "rules": rule_count, "pairs": report["pairs"],
           "rows": report["rows"], "functions": report["functions"],
           "table_bytes": report["table_bytes"], "source_bytes": size,
           "seconds": took[1] + compiled[1], "megabytes": max(took[2], compiled[2])}
    print(f"{class_count:6} classes {rule_count:7} rules: {row['pairs']:6} pairs {row['rows']:6} rows "
          f"{row['functions']:5} functions {row['table_bytes']:9} table bytes  "
          f"policyc {took[1]:5.1f} s {took[2]:5.0f} MB, compiler {compiled[1]:5.1f} s "
          f"{compiled[2]:5.0f} MB", flush=True)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--policyc", required=True)
    parser.add_argument("--root", type=pathlib.Path, required=True, help="the source tree")
    parser.add_argument("--compiler", required=True, help="command with its flags")
    parser.add_argument("--seconds", type=float, default=60, help="of processor time")
    parser.add_argument("--megabytes", type=float, default=1024)
    parser.add_argument("--growth", type=float, default=1.5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most-rules", type=int, default=100000)
    options = parser.parse_args()
    rows = [measure(options, classes, rules) for classes in (10, 100, 1000)
            for rules in (10, 1000, 100000) if rules <= options.most_rules]
    failures = [f"{row['classes']} classes, {row['rules']} rules: {row['seconds']:.0f} s, "
                f"{row['megabytes']:.0f} MB" for row in rows
                if row["seconds"] > options.seconds or row["megabytes"] > options.megabytes]
    # Bytes that each further rule costs must not grow with the number of rules or classes.
    for classes in (10, 100, 1000):
        sizes = [row["table_bytes"] for row in rows if row["classes"] == classes]
        steps = [(sizes[i + 1] - sizes[i]) / (99 * 10 ** (2 * i + 1)) for i in range(len(sizes) - 1)]
        if len(steps) == 2 and steps[1] > steps[0] * options.growth:
            failures.append(f"{classes} classes: {steps[0]:.0f}, then {steps[1]:.0f} bytes a rule")
    for failure in failures:
        print("too much: " + failure)
    print(f"{len(rows) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
