#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants known bugs in the kernel, one at a time, and demands that the exploration finds each.

    planted.py --build build/gcc              three of them, chosen by the seed
    planted.py --build build/gcc --all        all
    planted.py --build build/gcc --only token those whose name contains the word

A bug is a piece of kernel code, which must stand in its file exactly once, and what takes its place (planted.json). The
kernel's sources are not touched: the changed file is compiled from a copy and linked before the library.
"""

import argparse
import json
import os
import random
import re
import shlex
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LIBRARY = "test/explore/libexplored-kernel.a"
OBJECTS = "test/explore/explore.p"
SECONDS = 60  # of exploration until a bug counts as missed


class Failure(Exception):
    """A bug that cannot be planted."""


def change(bug):
    """The source of the bug's file with the bug in it."""
    with open(os.path.join(ROOT, bug["file"]), encoding="utf-8") as file:
        text = file.read()
    if text.count(bug["old"]) != 1:
        raise Failure(f"{bug['file']} has {text.count(bug['old'])} places like: {bug['old'].strip()}")
    return text.replace(bug["old"], bug["new"])


def compile_command(build, source):
    """How the library's object of `source` is compiled, as words, with its output last."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        for entry in json.load(file):
            path = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
            if entry["output"].startswith(LIBRARY) and path == os.path.join(ROOT, source):
                words = shlex.split(entry["command"])
                return [word for word in words if word not in (entry["file"], "-MD")]
    raise Failure(f"{build} does not compile {source} for the exploration")


def without_option(words, option):
    at = words.index(option)
    return words[:at] + words[at + 2:]


def build_with(bug, build, folder):
    """An explorer of the kernel that has the bug."""
    source = os.path.join(folder, os.path.basename(bug["file"]))
    with open(source, "w", encoding="utf-8") as file:
        file.write(change(bug))
    words = compile_command(build, bug["file"])
    for option in ("-o", "-c", "-MF", "-MQ"):
        if option in words:
            words = words[:words.index(option)] + words[words.index(option) + (1 if option == "-c" else 2):]
    changed = os.path.join(folder, "changed.o")
    subprocess.run(words + ["-Wno-error", "-w", "-c", source, "-o", changed], cwd=build, check=True)
    objects = [os.path.join(OBJECTS, name) for name in sorted(os.listdir(os.path.join(build, OBJECTS)))
               if name.endswith(".o")]
    program = os.path.join(folder, "explore")
    subprocess.run(["c++", "-o", program] + objects + [changed, LIBRARY], cwd=build, check=True)
    return program


def hunt(bug, build):
    """What the exploration says of the kernel with the bug."""
    with tempfile.TemporaryDirectory() as folder:
        program = build_with(bug, build, folder)
        run = subprocess.run([program, "--json", "--depth", "100", "--seconds", str(SECONDS), bug["in"]],
                             stdout=subprocess.PIPE, text=True, timeout=3 * SECONDS, check=False)
    if not run.stdout:
        return {"violation": f"ends with status {run.returncode}", "states": 0, "path": []}
    return json.loads(run.stdout)[0]


def choose(bugs, options):
    if options.only:
        return [bug for bug in bugs if options.only in bug["name"]]
    if options.all or os.environ.get("TESSERA_LONG"):
        return bugs
    return random.Random(options.seed).sample(bugs, 3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="a build folder in which `explore` is built")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("TESSERA_SEED", "1")))
    parser.add_argument("--all", action="store_true", help="every bug, not three")
    parser.add_argument("--only", metavar="WORD", help="the bugs whose name contains this")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    with open(os.path.join(HERE, "planted.json"), encoding="utf-8") as file:
        bugs = json.load(file)
    failed = 0
    chosen = choose(bugs, options)
    for bug in bugs:
        change(bug)  # each can still be planted
    for bug in chosen:
        begin = time.monotonic()
        found = hunt(bug, build)
        failed += not found["violation"]
        first = re.split(r"[\n(]", found["violation"])[0].strip()
        print(f"{'found' if first else 'MISSED':6} {bug['name']}: {first or 'nothing wrong'} "
              f"({bug['in']}, {len(found['path'])} steps, {found['states']} states, {time.monotonic() - begin:.1f} s)",
              flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"planted.py: {failure}")
