#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants known bugs in the policy compiler and in ksec, and demands that the tests of agreement see them.

    run.py --build FOLDER [--seed N] [--long] [--only WORD] mutations.txt

Each bug is planted in a copy of the sources and of what was built of them; the tests concerned are built
there and run, the cheapest first, until one fails. Without --long (or TESSERA_LONG in the environment) one
bug of each part is tried, chosen by the seed (TESSERA_SEED); with it all are, each by all tests of its part.
A bug that no test sees fails, and so does an entry that cannot be planted or built.
Closes with `N passed, N failed`.
"""

import argparse
import dataclasses
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
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


@dataclasses.dataclass
class Mutation:
    """One bug: `old` stands once in the file."""

    file: str
    title: str
    old: str = ""
    new: str = ""

    @property
    def part(self):
        return next(part for part in PARTS if self.file.startswith(part))


def read_mutations(path):
    mutations = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if found := re.fullmatch(r"@ (\S+)  (\S.*)", line):
            mutations.append(Mutation(*found.groups()))
        elif mutations and line.startswith("- ") and not mutations[-1].old:
            mutations[-1].old = line[2:]
        elif mutations and line.startswith("+ ") and not mutations[-1].new:
            mutations[-1].new = line[2:]
        elif line and not line.startswith("#"):
            raise ValueError(f"{path.name}:{number}: neither '@ FILE  TITLE', '- OLD', '+ NEW' nor a comment")
    for mutation in mutations:
        if not mutation.file.startswith(tuple(PARTS)):
            raise ValueError(f"{path.name}: no test is known for {mutation.file}")
        if not mutation.old or not mutation.new:
            raise ValueError(f"{path.name}: '{mutation.title}' lacks its old or its new text")
    return mutations


class Copy:
    """The sources and what the tests were built from, to be changed and restored."""

    def __init__(self, build, folder):
        self.build, self.root = build, folder / "root"
        shutil.copytree(ROOT, self.root, symlinks=True,
                        ignore=lambda folder, _: NOT_COPIED if folder == str(ROOT) else ())
        self.own_build = self.root / build.relative_to(ROOT)
        targets = sorted({target for tests in PARTS.values() for test in tests for target in test.targets})
        listed = subprocess.run(["ninja", "-C", str(build), "-t", "inputs", *targets], capture_output=True, text=True,
                                check=True, stdin=subprocess.DEVNULL).stdout.splitlines()
        outputs = {name for name in listed if not name.startswith(("/", ".."))}
        # Ninja lists no second outputs; those of policyc have the same stem.
        outputs |= {os.path.splitext(name)[0] + ".names" for name in outputs if name.endswith(".cpp")}
        own = {".ninja_log", ".ninja_deps", "meson-private/coredata.dat"}
        self.files = sorted(name for name in outputs | set(targets) | own if (build / name).is_file())
        self.sound = {}
        # Without the edge that would configure again, and so write into the folder that is copied.
        rules = (build / "build.ninja").read_text(encoding="utf-8")
        self.rules = re.sub(r"^build build\.ninja:.*\n(?: .*\n)*", "", rules, flags=re.M)

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

    def passes(self, test):
        command = [word.format(root=self.root, build=self.build) for word in test.command]
        try:
            return subprocess.run(command, cwd=self.own_build, capture_output=True, check=False, timeout=120,
                                  stdin=subprocess.DEVNULL).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def is_sound(self, test):
        """Whether a test passes without any bug; one that does not would see every bug."""
        if test.name not in self.sound:
            self.sound[test.name] = not self.make(test.targets) and self.passes(test)
        return self.sound[test.name]

    def verdicts(self, mutation, is_long):
        """(test, whether it saw the bug) of each test that was run. ValueError: that cannot be known."""
        path = self.root / mutation.file
        text = path.read_text(encoding="utf-8")
        if text.count(mutation.old) != 1:
            raise ValueError(f"its old text stands {text.count(mutation.old)} times in {mutation.file}")
        self.restore_build()
        for test in PARTS[mutation.part]:
            if not self.is_sound(test):
                raise ValueError(f"the test '{test.name}' does not pass without it")
        times = path.stat()
        path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        try:
            for test in PARTS[mutation.part]:
                if trouble := self.make(test.targets):
                    raise ValueError("it does not build:\n" + trouble[-2000:])
                is_seen = not self.passes(test)
                yield test.name, is_seen
                if is_seen and not is_long:
                    return
        finally:
            path.write_text(text, encoding="utf-8")
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def chosen(mutations, seed):
    """One of each part."""
    draw = random.Random(seed)
    return [draw.choice([each for each in mutations if each.part == part]) for part in PARTS]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, type=pathlib.Path, help="built, and below the project's folder")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("TESSERA_SEED", "1")))
    parser.add_argument("--long", action="store_true", default="TESSERA_LONG" in os.environ)
    parser.add_argument("--only", metavar="WORD", help="those with the word in their title or file")
    parser.add_argument("mutations", type=pathlib.Path)
    options = parser.parse_args()
    mutations = read_mutations(options.mutations)
    if options.only:
        mutations = [each for each in mutations if options.only in each.title + each.file]
    elif not options.long:
        mutations = chosen(mutations, options.seed)
    print(f"seed {options.seed}, {len(mutations)} bugs")
    passed = failed = 0
    folder = options.build.resolve() / "mutation-copy"
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was ended
    try:
        copy = Copy(options.build.resolve(), folder)
        for mutation in mutations:
            begin = time.monotonic()
            try:
                results = list(copy.verdicts(mutation, options.long))
                is_seen = any(seen for _, seen in results)
                words = ", ".join(f"{test} {'saw it' if seen else 'passed'}" for test, seen in results)
            except ValueError as trouble:
                is_seen, words = False, str(trouble)
            passed, failed = passed + is_seen, failed + (not is_seen)
            print(f"{'ok  ' if is_seen else 'FAIL'} {mutation.file}: {mutation.title}: {words} "
                  f"({time.monotonic() - begin:.0f} s)", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
