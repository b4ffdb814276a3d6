#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which branches and conditions of the kernel and of ksec their host tests reach.

    coverage.py --build build/gcc          compiles them for coverage with clang, runs them, prints a table
    coverage.py --build build/gcc --json   the same for scripts
    coverage.py --build build/gcc --show kernel/ipc/reply.cpp    that file, with counts by line

Counts branches and, for decisions of several conditions, conditions shown to matter each by itself (MC/DC). The unit
tests and `explore` run as they are in build/gcc, compiled anew, which takes some minutes. Needs clang++-19 and its LLVM tools.
"""

import argparse
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


def measure(build, folder):
    """Programs that were run, and the profile of all of them."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    wanted = {entry["output"]: entry for prefixes, _, _ in PROGRAMS.values() for entry in objects_of(commands, prefixes)}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        made = dict(zip(wanted, pool.map(lambda entry: compile_object(entry, build, folder), wanted.values())))
    binaries, profiles = [], []
    for name, (prefixes, libraries, arguments) in PROGRAMS.items():
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


def summarise(binaries, profile):
    """Covered and all, of branches and of conditions, by folder."""
    text = llvm_cov(binaries, ["export", "-instr-profile", profile, "-summary-only", "-show-mcdc-summary"])
    sums = {folder: {"branches": [0, 0], "mcdc": [0, 0]} for folder in FOLDERS}
    for file in json.loads(text)["data"][0]["files"]:
        path = os.path.relpath(os.path.realpath(file["filename"]), os.path.realpath(ROOT))
        for folder, found in sums.items():
            if path.startswith(folder + "/"):
                for kind, total in found.items():
                    total[0] += file["summary"][kind]["covered"]
                    total[1] += file["summary"][kind]["count"]
    return sums


def share(covered):
    return f"{covered[0]:5} of {covered[1]:5} {100 * covered[0] / max(covered[1], 1):5.1f} %"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="a build folder, for how things are compiled")
    parser.add_argument("--json", action="store_true", help="the table as JSON")
    parser.add_argument("--show", metavar="FILE", help="one source file with its counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        binaries, profile = measure(os.path.abspath(options.build), folder)
        if options.show:
            print(llvm_cov(binaries, ["show", "-instr-profile", profile, "-show-branches=count", "-show-mcdc",
                                      os.path.join(ROOT, options.show)]))
            return
        sums = summarise(binaries, profile)
    if options.json:
        print(json.dumps(sums, indent=2))
        return
    print(f"{'':16} {'branches':>22} {'MC/DC conditions':>26}")
    for name, found in sums.items():
        print(f"{name:16} {share(found['branches'])}     {share(found['mcdc'])}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"coverage.py: {failure}")
