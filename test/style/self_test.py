#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the gates on the small wrong trees in fixtures/: each rule finds what it is for alone."""
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def run_fixture(name, command):
    """{rule: count} of what check.py finds, and its output."""
    result = subprocess.run(
        [sys.executable, str(HERE / "check.py"), command, "--root", str(HERE / "fixtures" / name)],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    found = {}
    for line in result.stdout.splitlines():
        if match := re.match(r"\S+:\d+: ([a-z-]+): ", line):
            found[match.group(1)] = found.get(match.group(1), 0) + 1
    return found, result


def check_fast_path():
    """Whether fast_path.py finds each wrong instruction of its fixture and no right one."""
    with tempfile.NamedTemporaryFile(suffix=".o") as built:
        subprocess.run(["aarch64-linux-gnu-gcc", "-c", str(HERE / "fixtures/fast-path/wrong.S"), "-o", built.name],
                       check=True, stdin=subprocess.DEVNULL)
        result = subprocess.run([sys.executable, str(HERE / "fast_path.py"), built.name],
                                capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    found = result.stdout.count(": fast-path: ")
    good = found == 5 and result.returncode == 1
    print(f"{'ok  ' if good else 'FAIL'} fast-path: expected 5, found {found}")
    if not good:
        print(result.stdout + result.stderr)
    return good


def main():
    failed = 0 if check_fast_path() else 1
    rules = set()
    lines = (HERE / "fixtures/expected.txt").read_text(encoding="utf-8").splitlines()
    cases = [line for line in lines if line and not line.startswith("#")]
    for case in cases:
        name, rest = case.split(": ")
        command, *wanted = rest.split()
        expected = {rule: int(count) for rule, count in (each.split("=") for each in wanted)}
        rules.update(expected)
        found, result = run_fixture(name, command)
        good = found == expected and result.returncode == (1 if expected else 0)
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {name}: expected {expected}, found {found}")
        if not good:
            print(result.stdout + result.stderr)
    print(f"{len(cases)} fixtures, {len(rules)} rules, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
