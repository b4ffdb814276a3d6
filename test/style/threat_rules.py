# SPDX-License-Identifier: Apache-2.0
"""What docs/threats.md names as a test exists, and each row says how far it goes."""
import re

from sources import Violation

TABLE = "docs/threats.md"
NAMED = re.compile(r"`([^`]+)`")
ROW = re.compile(r"^\| [A-Z]\d+ \|")
WHOLE_ROW = re.compile(r"^\| [A-Z]\d+ \|[^|]+\|([^|]*)\| (whole|part|none)\b")


def is_test(root, name):
    """Whether `name` is a path of the source, or group.test of a program of test/system."""
    if "/" in name:
        return (root / name).exists()
    program = root / "test/system/programs" / (name.split(".")[0] + ".cpp")
    return program.exists() and f'"{name}"' in program.read_text(encoding="utf-8")


def check(root):
    if not (root / TABLE).exists():
        return
    for number, line in enumerate((root / TABLE).read_text(encoding="utf-8").splitlines(), 1):
        if not ROW.match(line):
            continue
        row = WHOLE_ROW.match(line)
        if row is None:
            yield Violation(TABLE, number, "threat", "a row says whole, part or none")
            continue
        tests = NAMED.findall(row.group(1))
        for name in tests:
            if not is_test(root, name):
                yield Violation(TABLE, number, "threat", f"there is no test {name}")
        if (row.group(2) == "none") == bool(tests):
            yield Violation(TABLE, number, "threat", "a row names tests unless it says none")
