#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which branches and conditions of the kernel and of ksec their host tests reach.

    coverage.py --build build/gcc          compiles them for coverage with clang, runs them, prints a table
    coverage.py --build build/gcc --check  the same; fails below a figure of test/coverage_least.json
    coverage.py --build build/gcc --json   the same for scripts
    coverage.py --build build/gcc --missing kernel/ipc           the sides of branches that no test took
    coverage.py --build build/gcc --show kernel/ipc/reply.cpp    that file, with counts by line

Counts branches and, for decisions of several conditions, conditions shown to matter each by itself (MC/DC). The unit
tests and `explore` run as they are in build/gcc, compiled anew, which takes some minutes; --programs runs some of them.
Needs clang++-19 and its LLVM tools.

A branch has two sides, each is counted once for its place in the source, whatever templates and programs it is in.
Conditions that the compiler knows have none. Two kinds are counted apart, since nothing valid takes their other side:
those in KASSERT, which stops the kernel, and that no case of a switch over an enumeration matches. MC/DC is as llvm-cov sums it, with KASSERT.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ("kernel/ipc", "kernel/object", "kernel/sched", "kernel/entry", "kernel/control", "ksec/engine", "ksec/models")
KERNEL = ("test/unit/libkernel-host.a.p/", "test/unit/kernel/harness/libkernel-harness.a.p/",
          "test/mock_arch/libmock-arch.a.p/")
# Each program: folders of objects, libraries, and arguments.
PROGRAMS = {
    **{f"kernel-{part}": ((f"test/unit/kernel/{part}/unit-kernel-{part}.p/",) + KERNEL,
                          ["-lCatch2Main", "-lCatch2"], [])
       for part in ("ipc", "object", "control", "entry")},
    "ksec": (("test/unit/ksec/ksec-test.p/", "test/unit/ksec/libksec-host.a.p/"), ["-lCatch2Main", "-lCatch2"], []),
    "explore": (("test/explore/explore.p/", "test/explore/libexplored-kernel.a.p/"), [], ["--seconds", "10"]),
}
LEAST = os.path.join(ROOT, "test/coverage_least.json")
DROPPED = ("-fsanitize=", "-fno-sanitize", "-O", "-g", "-MD", "-Werror", "-Wno-restrict")
COVERAGE = ["-fprofile-instr-generate", "-fcoverage-mapping", "-fcoverage-mcdc", "-O1", "-w"]


class Failure(Exception):
    """What prevents a measurement."""


def tool(name):
    path = shutil.which(name)
    if path is None:
        raise Failure(f"{name} is not installed")
    return path


def objects_of(commands, prefixes):
    return [entry for entry in commands if entry["output"].startswith(prefixes)]


def compile_object(entry, build, folder):
    """Compiles one object of the build anew, for coverage."""
    output = os.path.join(folder, entry["output"].replace("/", "_"))
    words = shlex.split(entry["command"])
    while words[0] != "c++" and not words[0].startswith("-"):
        words = words[1:]
    kept = []
    skip = False
    for word in words[1:]:
        if skip or word in ("-o", "-MF", "-MQ"):
            skip = not skip
        elif word not in ("-c", entry["file"]) and not word.startswith(DROPPED):
            kept.append(word)
    subprocess.run([tool("clang++-19")] + kept + COVERAGE + ["-c", entry["file"], "-o", output], cwd=build, check=True)
    return output


def measure(build, folder, names):
    """Programs that were run, and the profile of all of them."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    programs = {name: PROGRAMS[name] for name in names}
    wanted = {entry["output"]: entry for prefixes, _, _ in programs.values() for entry in objects_of(commands, prefixes)}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        made = dict(zip(wanted, pool.map(lambda entry: compile_object(entry, build, folder), wanted.values())))
    binaries, profiles = [], []
    for name, (prefixes, libraries, arguments) in programs.items():
        binary = os.path.join(folder, name)
        mine = [made[entry["output"]] for entry in objects_of(commands, prefixes)]
        if not mine:
            raise Failure(f"{build} does not build {name}")
        subprocess.run([tool("clang++-19"), "-fprofile-instr-generate", "-o", binary] + mine + libraries, check=True)
        profile = binary + ".profraw"
        run = subprocess.run([binary] + arguments, stdout=subprocess.PIPE, text=True, check=False, timeout=1200,
                             env=dict(os.environ, LLVM_PROFILE_FILE=profile, SOURCE_ROOT=ROOT))
        if run.returncode != 0:
            raise Failure(f"{name} failed:\n{run.stdout[-2000:]}")
        print(f"{name}: {run.stdout.strip().splitlines()[-1]}", file=sys.stderr)
        binaries.append(binary)
        profiles.append(profile)
    merged = os.path.join(folder, "all.profdata")
    subprocess.run([tool("llvm-profdata-19"), "merge", "-sparse", "-o", merged] + profiles, check=True)
    return binaries, merged


def llvm_cov(binaries, arguments):
    objects = [word for binary in binaries[1:] for word in ("-object", binary)]
    run = subprocess.run([tool("llvm-cov-19")] + arguments[:1] + [binaries[0]] + objects + arguments[1:],
                         stdout=subprocess.PIPE, text=True, check=True)
    return run.stdout


def contains(region, line, column):
    return tuple(region[0:2]) <= (line, column) < tuple(region[2:4])


def is_assertion(lines, region):
    return lines[region[0] - 1][region[1] - 1:].startswith("KASSERT")


def is_exhaustive(lines, branch):
    """No case of a switch matches: only of an enumeration can there be none and no default, and all its values are
    cases (-Wswitch, bugprone-switch-missing-default-case)."""
    return lines[branch[0] - 1][:branch[1] - 1].endswith("switch (")


class Sides:
    """How often the sides of each branch were taken, by file and place."""

    def __init__(self):
        self.taken = collections.defaultdict(lambda: [0, 0])
        self.apart = collections.defaultdict(lambda: [0, 0])
        self.texts = {}

    def lines(self, name):
        if name not in self.texts:
            with open(name, encoding="utf-8", errors="replace") as file:
                self.texts[name] = file.read().splitlines()
        return self.texts[name]

    def add(self, function):
        """A function as llvm-cov exports it: an expanded macro is a file of its own in it."""
        names = function["filenames"]
        regions = [region for region in function["regions"] if region[7] == 0]
        expansions = {region[6]: region for region in function["regions"] if region[7] == 1}
        for branch in function["branches"]:
            line, column, within = branch[0], branch[1], branch[6]
            around = [region for region in regions if region[5] == within and contains(region, line, column)]
            if branch[4] == 0 and branch[5] == 0 and around and max(around, key=lambda r: r[0:2])[4] > 0:
                continue  # evaluated and went nowhere: the compiler knew the answer
            place, apart = [], is_exhaustive(self.lines(names[within]), branch)
            while within in expansions:
                place.append((line, column))
                region = expansions[within]
                line, column, within = region[0], region[1], region[5]
                apart = apart or is_assertion(self.lines(names[within]), region)
            path = os.path.relpath(os.path.realpath(names[within]), os.path.realpath(ROOT))
            counts = (self.apart if apart else self.taken)[path, (line, column), tuple(place), tuple(branch[2:4])]
            counts[0] += branch[4]
            counts[1] += branch[5]


def examine(binaries, profile):
    """Covered and all, of branches and of conditions, by folder; and the sides of every branch."""
    text = llvm_cov(binaries, ["export", "-instr-profile", profile, "-show-mcdc-summary", "-skip-expansions"])
    data = json.loads(text)["data"][0]
    sides = Sides()
    for function in data["functions"]:
        path = os.path.relpath(os.path.realpath(function["filenames"][0]), os.path.realpath(ROOT))
        if path.startswith(FOLDERS):
            sides.add(function)
    sums = {folder: {"branches": [0, 0], "mcdc": [0, 0], "apart": 0} for folder in FOLDERS}
    for folder, found in sums.items():
        counts = [pair for key, pair in sides.taken.items() if key[0].startswith(folder + "/")]
        found["branches"] = [sum(count > 0 for pair in counts for count in pair), 2 * len(counts)]
        found["apart"] = 2 * sum(key[0].startswith(folder + "/") for key in sides.apart)
        for file in data["files"]:
            path = os.path.relpath(os.path.realpath(file["filename"]), os.path.realpath(ROOT))
            if path.startswith(folder + "/"):
                found["mcdc"][0] += file["summary"]["mcdc"]["covered"]
                found["mcdc"][1] += file["summary"]["mcdc"]["count"]
    return sums, sides


def print_missing(sides, prefix):
    for (path, (line, column), *_), counts in sorted(sides.taken.items()):
        if path.startswith(prefix) and 0 in counts:
            never = "never reached" if counts == [0, 0] else "never true" if counts[0] == 0 else "never false"
            print(f"{path}:{line}:{column}: {never}: {sides.lines(os.path.join(ROOT, path))[line - 1].strip()}")


def percent(covered):
    return 100 * covered[0] / max(covered[1], 1)


def shortfalls(sums):
    with open(LEAST, encoding="utf-8") as file:
        least = json.load(file)
    return [f"{folder}: {percent(sums[folder]['branches']):.1f} % of branches, at least {figure} % wanted"
            for folder, figure in least.items() if percent(sums[folder]["branches"]) < figure]


def share(covered):
    return f"{covered[0]:5} of {covered[1]:5} {percent(covered):5.1f} %"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="a build folder, for how things are compiled")
    parser.add_argument("--json", action="store_true", help="the table as JSON")
    parser.add_argument("--show", metavar="FILE", help="one source file with its counts")
    parser.add_argument("--check", action="store_true", help="fail below a figure of test/coverage_least.json")
    parser.add_argument("--missing", metavar="PREFIX", help="sides of branches never taken, of files that begin so")
    parser.add_argument("--programs", default=",".join(PROGRAMS), help="those that run (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        binaries, profile = measure(os.path.abspath(options.build), folder, options.programs.split(","))
        if options.show:
            print(llvm_cov(binaries, ["show", "-instr-profile", profile, "-show-branches=count", "-show-mcdc",
                                      os.path.join(ROOT, options.show)]))
            return
        sums, sides = examine(binaries, profile)
    if options.missing:
        print_missing(sides, options.missing)
    if options.json:
        print(json.dumps(sums, indent=2))
    else:
        print(f"{'':16} {'branches':>22} {'MC/DC conditions':>26} {'counted apart':>15}")
        for name, found in sums.items():
            print(f"{name:16} {share(found['branches'])}     {share(found['mcdc'])} {found['apart']:15}")
    if options.check and (short := shortfalls(sums)):
        raise Failure("\n".join(short))


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"coverage.py: {failure}")
