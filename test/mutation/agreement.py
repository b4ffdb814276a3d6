# SPDX-License-Identifier: Apache-2.0
"""Bugs of the policy compiler and of ksec: do the tests of agreement see them?

Each bug is planted in a copy of the sources and of what was built of them; the tests concerned are built
there and run, the cheapest first, until one fails (in the long run: all).
"""

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import time

NOT_COPIED = {"build", ".git"}
POLICY_TOOL = "sdk/policy/tessera-policy"
POLICY_ENGINE = "sdk/policy/libksec-host.a"
UNIT_TEST, DIFFERENTIAL_TEST = "test/unit/ksec/ksec-test", "test/unit/sdk/policyc/policyc-test"


@dataclasses.dataclass
class Test:
    """What is built for a test, and the command that runs it in the copy of the build folder."""

    name: str
    targets: tuple
    command: tuple


UNIT = Test("unit", (UNIT_TEST,), (UNIT_TEST, "--abort"))
DIFFERENTIAL = Test("differential", (DIFFERENTIAL_TEST,), (DIFFERENTIAL_TEST, "--abort"))
DOCUMENTS = Test("documents", (POLICY_TOOL, POLICY_ENGINE), (
    sys.executable, "{root}/test/unit/sdk/docs/examples.py", "--tool", "idlc={build}/sdk/idlc/idlc",
    "--tool", "policyc={build}/sdk/policyc/policyc", "--tool", "policy=" + POLICY_TOOL, "--tool",
    "tests=" + POLICY_TOOL, "--sdk", "{root}/sdk", "--common", "{root}/docs/languages/README.md",
    "{root}/docs/languages/pal.md", "{root}/docs/languages/psl.md", "{root}/docs/languages/models"))
# By where the bug is; the cheapest test first.
PARTS = {"ksec/engine/": (UNIT, DOCUMENTS, DIFFERENTIAL), "ksec/models/": (UNIT, DOCUMENTS, DIFFERENTIAL),
         "sdk/policyc/": (DOCUMENTS, DIFFERENTIAL)}


class Agreement:
    """A copy of the sources and of what the tests were built from, to be changed and restored."""

    def __init__(self, root, build, is_long):
        self.build, self.is_long, self.sound = build, is_long, {}
        self.folder = build / "mutation-copy"
        self.root = self.folder / "root"
        self.close()  # of a run that was ended
        shutil.copytree(root, self.root, symlinks=True,
                        ignore=lambda folder, _: NOT_COPIED if folder == str(root) else ())
        self.own_build = self.root / build.relative_to(root)
        targets = sorted({target for tests in PARTS.values() for test in tests for target in test.targets})
        listed = subprocess.run(["ninja", "-C", str(build), "-t", "inputs", *targets], capture_output=True, text=True,
                                check=True, stdin=subprocess.DEVNULL).stdout.splitlines()
        outputs = {name for name in listed if not name.startswith(("/", ".."))}
        # Ninja lists no second outputs; those of policyc have the same stem.
        outputs |= {os.path.splitext(name)[0] + ".names" for name in outputs if name.endswith(".cpp")}
        own = {".ninja_log", ".ninja_deps", "meson-private/coredata.dat"}
        self.files = sorted(name for name in outputs | set(targets) | own if (build / name).is_file())
        # Without the edge that would configure again, and so write into the folder that is copied.
        rules = (build / "build.ninja").read_text(encoding="utf-8")
        self.rules = re.sub(r"^build build\.ninja:.*\n(?: .*\n)*", "", rules, flags=re.M)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def part_of(bug):
        return next(part for part in PARTS if bug.file.startswith(part))

    def restore_build(self):
        """Makes the build folder's copy what the original is; only what differs is copied."""
        for name in self.files:
            source, target = self.build / name, self.own_build / name
            if not target.exists() or target.stat().st_mtime_ns != source.stat().st_mtime_ns:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        (self.own_build / "build.ninja").write_text(self.rules, encoding="utf-8")

    def make(self, targets):
        """Empty, or what the build said when it failed."""
        done = subprocess.run(["ninja", "-C", str(self.own_build), *targets], capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL)
        return done.stdout + done.stderr if done.returncode else ""

    def passes(self, test, seconds):
        command = [word.format(root=self.root, build=self.build) for word in test.command]
        try:
            return subprocess.run(command, cwd=self.own_build, capture_output=True, check=False, timeout=seconds,
                                  stdin=subprocess.DEVNULL).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def time_of(self, test):
        """Seconds that a test takes without any bug. ValueError: it fails then, and would see every bug."""
        if test.name not in self.sound:
            if trouble := self.make(test.targets):
                raise ValueError("without it there is no build:\n" + trouble[-2000:])
            begin = time.monotonic()
            if not self.passes(test, 1800):
                raise ValueError(f"the test '{test.name}' does not pass without it")
            self.sound[test.name] = time.monotonic() - begin
        return self.sound[test.name]

    def judge(self, bug):
        """Whether a test sees the bug, and which did. ValueError: that cannot be known."""
        path = self.root / bug.file
        text = path.read_text(encoding="utf-8")
        tests, results = PARTS[self.part_of(bug)], []
        self.restore_build()
        seconds = {test.name: 60 + 10 * self.time_of(test) for test in tests}  # beyond it does not end
        times = path.stat()
        path.write_text(bug.planted_in(text), encoding="utf-8")
        try:
            for test in tests:
                if trouble := self.make(test.targets):
                    raise ValueError("it does not build:\n" + trouble[-2000:])
                is_seen = not self.passes(test, seconds[test.name])
                results.append(f"{test.name} {'saw it' if is_seen else 'passed'}")
                if is_seen and not self.is_long:
                    break
        finally:
            path.write_text(text, encoding="utf-8")
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        return any(result.endswith("saw it") for result in results), ", ".join(results)
