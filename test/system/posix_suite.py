# SPDX-License-Identifier: Apache-2.0
"""What the runner of the Open POSIX Test Suite printed, against the manifest of all of its tests."""

import collections
import os
import re

LINE = re.compile(r"^PTS ([\w/-]+) ([A-Z-]+)\b ?(.*)$", re.M)
PASSED = ("PASS", "BUILT")
# Classes that have no meaning here: there is no copy of a process, and no shell.
UNSUPPORTED = ("fork", "shell")
MANIFEST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "posix_suite/manifest")


def read_manifest(path=MANIFEST):
    """name -> (class, expected result or '-')."""
    tests = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                name, kind, expected = line.split()
                tests[name] = (kind, expected)
    return tests


def judge_suite(output, wanted, path=MANIFEST):
    """Prints the four numbers and every change; gives (name, passed, detail). `wanted` is how many tests of
    each class must pass."""
    tests = read_manifest(path)
    results = {name: (result, detail) for name, result, detail in LINE.findall(output) if name in tests}
    passed = sum(result in PASSED for result, _ in results.values())
    unsupported = sum(kind in UNSUPPORTED and name not in results for name, (kind, _) in tests.items())
    left = len(tests) - len(results) - unsupported
    print(f"posix suite: of {len(tests)} tests {passed} passed, {len(results) - passed} failed, "
          f"{unsupported} not supported by design, {left} not run", flush=True)
    worse = []
    for name, (result, detail) in sorted(results.items()):
        expected = tests[name][1]
        if result not in PASSED:
            print(f"  {name}: {result} {detail}".rstrip(), flush=True)
        if expected not in ("-", result):
            print(f"  changed: {name} was {expected}, is {result}", flush=True)
            worse += [name] if expected in PASSED else []
    findings = []
    for kind, least in wanted.items():
        of_kind = [name for name, (each, _) in tests.items() if each == kind]
        counts = collections.Counter(results[name][0] for name in of_kind if name in results)
        good = sum(counts[result] for result in PASSED)
        silent = [name for name in of_kind if name not in results]
        text = " ".join(f"{result}={count}" for result, count in counts.most_common())
        print(f"posix suite: {kind}: {good} of {len(of_kind)} passed ({text})", flush=True)
        findings += [(f"suite: {least} of {len(of_kind)} {kind} tests pass", good >= least, f"{good}"),
                     (f"suite: each {kind} test has a result", not silent, " ".join(silent[:10]))]
    hung = [name for name, (result, _) in results.items() if result == "HUNG"]
    findings += [("suite: no test hangs", not hung, " ".join(hung)),
                 ("suite: what the manifest has as passed passes", not worse, " ".join(worse))]
    return findings
