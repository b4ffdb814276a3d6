#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs test suites and closes with `N passed, N failed`, counting single tests.

Host suites are meson's tests of that suite name; Catch2 programs count their cases, programs that
close with a line `N passed, N failed` count those, anything else counts as one test. `system` boots
QEMU (test/system/run.py), `bench` compares with the committed budgets (test/bench/bench.py).

With --long, `unit` also holds the least figures of branch coverage (test/coverage.py --check).

Every suite has a time cap. Tests find in their environment TESSERA_SEED, and with --long
TESSERA_LONG=1 and TESSERA_MINUTES.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CAPS = {"style": 480, "unit": 960, "golden": 240, "fuzz": 240, "system": 1200, "bench": 240}  # seconds
LEFT_TO_LONG = {"style": "nothing", "unit": "least figures of branch coverage", "golden": "nothing",
                "fuzz": "longer runs on new seeds (--long --minutes N)",
                "system": "CPUs truly in parallel, and every variant by the second compiler", "bench": "nothing"}
NEEDS_SECOND_COMPILER = {"system"}

ALL_PASSED = re.compile(r"^All tests passed \(.* in (\d+) test cases?\)", re.M)
NO_CASES = re.compile(r"^No tests ran", re.M)
CASES = re.compile(r"^test cases: *(\d+)((?: *\| *\d+ [a-z ]+)+)", re.M)
PLAIN = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)


class Count:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def count_tests(output, status):
    """How many tests a program that ended with `status` ran; it never counts as passed when it failed."""
    found = ALL_PASSED.findall(output)
    count = Count()
    if found:
        count.passed = int(found[-1])
        skipped = re.search(r"^test cases: .*?(\d+) skipped", output, re.M)
        count.skipped = int(skipped.group(1)) if skipped else 0
    elif CASES.search(output):
        words = CASES.findall(output)[-1][1]
        number = {kind: int(n) for n, kind in re.findall(r"(\d+) ([a-z]+(?: [a-z]+)*)", words)}
        count = Count(number.get("passed", 0) + number.get("failed as expected", 0),
                      number.get("failed", 0), number.get("skipped", 0))
    elif PLAIN.search(output):
        passed, failed, skipped = PLAIN.findall(output)[-1]
        count = Count(int(passed), int(failed), int(skipped or 0))
    elif status == 77:
        return Count(skipped=1)
    elif not NO_CASES.search(output):
        count.passed = 1 if status == 0 else 0
    if status != 0 and count.failed == 0:
        count.failed = 1
    return count


def run_limited(command, seconds, cwd=None, env=None):
    """Output and status of a program; past its time the whole process group it leads is ended."""
    process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    try:
        output, _ = process.communicate(timeout=max(1, seconds))
        return output, process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return output + f"\nended after {seconds:.0f} s: its time was up\n", 124


def tail(text, lines=60):
    return "\n".join("    | " + line for line in text.splitlines()[-lines:])


class Suites:
    def __init__(self, options):
        self.options = options
        self.env = dict(os.environ, TESSERA_SEED=str(options.seed), PYTHONDONTWRITEBYTECODE="1")
        if options.long:
            self.env.update(TESSERA_LONG="1", TESSERA_MINUTES=str(options.minutes))
        result = subprocess.run(["meson", "introspect", "--tests", options.build], stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, check=True)
        self.tests = json.loads(result.stdout)

    def run(self, suite):
        begin = time.monotonic()
        cap = CAPS[suite] + (60 * self.options.minutes if self.options.long else 0)
        count = {"system": self.run_system, "bench": self.run_bench}.get(suite, self.run_host)(suite, cap)
        if suite == "unit" and self.options.long:
            count.add(self.run_coverage(cap - (time.monotonic() - begin)))
        left = "nothing" if self.options.long else LEFT_TO_LONG[suite]
        print(f"{suite}: {count} in {time.monotonic() - begin:.0f} s (cap {cap} s), seed {self.options.seed}, "
              f"left to --long: {left}", flush=True)
        return count

    def run_host(self, suite, cap):
        total = Count()
        end = time.monotonic() + cap
        for test in self.tests:
            if suite not in [name.split(":")[-1] for name in test["suite"]]:
                continue
            left = end - time.monotonic()
            if left < 1:
                print(f"FAIL {test['name']}: the suite's time cap was reached")
                total.add(Count(failed=1))
                continue
            limit = test["timeout"] if test["timeout"] > 0 else left
            if self.options.long:
                limit += 60 * self.options.minutes
            begin = time.monotonic()
            output, status = run_limited(test["cmd"], min(limit, left), cwd=test.get("workdir") or self.options.build,
                                         env=dict(self.env, **self.test_environment(test)))
            count = count_tests(output, status)
            total.add(count)
            verdict = "FAIL" if count.failed else "PASS"
            print(f"{verdict} {suite} {test['name']}: {count} in {time.monotonic() - begin:.1f} s", flush=True)
            if count.failed:
                print(tail(output), flush=True)
        return total

    def run_coverage(self, cap):
        output, status = run_limited([sys.executable, os.path.join(ROOT, "test/coverage.py"), "--build",
                                      self.options.build, "--check"], cap, env=self.env)
        count = Count(passed=1) if status == 0 else Count(failed=1)
        print(f"{'FAIL' if count.failed else 'PASS'} unit coverage: {count}\n{tail(output, 12)}", flush=True)
        return count

    @staticmethod
    def test_environment(test):
        env = test.get("env") or {}
        return env if isinstance(env, dict) else {}

    def run_system(self, _, cap):
        command = [sys.executable, os.path.join(ROOT, "test/system/run.py"), "--build", f"gcc={self.options.build}",
                   "--seed", str(self.options.seed), "--cap", str(cap - 60)]
        if os.path.exists(os.path.join(self.options.second_build, "build.ninja")):
            command += ["--build", f"clang={self.options.second_build}"]
        if self.options.long:
            command.append("--long")
        return self.run_streaming(command, cap)

    def run_bench(self, _, cap):
        return self.run_streaming([sys.executable, os.path.join(ROOT, "test/bench/bench.py"), "--build",
                                   self.options.build, "--check"], cap)

    def run_streaming(self, command, cap):
        """As run_limited, but shows the output as it comes."""
        process = subprocess.Popen(command, cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
        timer_end = time.monotonic() + cap
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        signal.alarm(int(cap))
        lines = []
        for line in process.stdout:
            lines.append(line)
            if not PLAIN.match(line.strip()):
                print(line, end="", flush=True)
        status = process.wait()
        signal.alarm(0)
        if time.monotonic() >= timer_end:
            print("FAIL the suite's time cap was reached")
            return Count(failed=1)
        return count_tests("".join(lines), status)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*")
    parser.add_argument("--build", default="build/gcc")
    parser.add_argument("--second-build", default="")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check-names", action="store_true")
    parser.add_argument("--needs-second-compiler", action="store_true")
    options = parser.parse_args()
    suites = options.suites or list(CAPS)
    unknown = [suite for suite in suites if suite not in CAPS]
    if unknown:
        print(f"tessera: there is no suite '{unknown[0]}'; the suites are {', '.join(CAPS)}", file=sys.stderr)
        return 2
    if options.check_names:
        return 0
    if options.needs_second_compiler:
        return 0 if NEEDS_SECOND_COMPILER & set(suites) else 1
    runner = Suites(options)
    begin = time.monotonic()
    total = Count()
    for suite in suites:
        total.add(runner.run(suite))
    print(f"{len(suites)} suites in {time.monotonic() - begin:.0f} s")
    print(total, flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
