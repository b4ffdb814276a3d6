# SPDX-License-Identifier: Apache-2.0
"""Bugs of the kernel: does the exploration find them?

The kernel's sources are not touched: the changed file is compiled from a copy and linked before the
library, and the explorer made so searches the system that the bug names.
"""

import json
import os
import re
import shlex
import subprocess
import tempfile

LIBRARY = "test/explore/libexplored-kernel.a"
OBJECTS = "test/explore/explore.p"
SECONDS = 120  # of exploration until a bug counts as missed


class Exploration:
    """Makes explorers of kernels that have a bug, and runs them."""

    def __init__(self, root, build, _is_long):
        self.root, self.build = root, build
        with open(build / "compile_commands.json", encoding="utf-8") as file:
            self.commands = [entry for entry in json.load(file) if entry["output"].startswith(LIBRARY)]

    def close(self):
        pass

    @staticmethod
    def part_of(bug):
        return bug.file  # so that those chosen are of different files

    def compile_command(self, source):
        """How the library's object of `source` is compiled, as words, without input and outputs."""
        for entry in self.commands:
            path = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
            if path == str(self.root / source):
                words = [word for word in shlex.split(entry["command"]) if word not in (entry["file"], "-MD", "-c")]
                for option in ("-o", "-MF", "-MQ"):
                    if option in words:
                        at = words.index(option)
                        del words[at:at + 2]
                return words
        raise ValueError(f"{self.build} does not compile {source} for the exploration")

    def build_with(self, bug, folder):
        """An explorer of the kernel that has the bug."""
        source, changed = os.path.join(folder, os.path.basename(bug.file)), os.path.join(folder, "changed.o")
        with open(source, "w", encoding="utf-8") as file:
            file.write(bug.planted_in((self.root / bug.file).read_text(encoding="utf-8")))
        program = os.path.join(folder, "explore")
        objects = sorted(os.path.join(OBJECTS, name) for name in os.listdir(self.build / OBJECTS) if name.endswith(".o"))
        for command in (self.compile_command(bug.file) + ["-Wno-error", "-w", "-c", source, "-o", changed],
                        ["c++", "-o", program] + objects + [changed, LIBRARY]):
            done = subprocess.run(command, cwd=self.build, capture_output=True, text=True, check=False,
                                  stdin=subprocess.DEVNULL)
            if done.returncode:
                raise ValueError("it does not build:\n" + done.stderr[-2000:])
        return program

    def judge(self, bug):
        """Whether the exploration finds the bug, and what it says. ValueError: that cannot be known."""
        with tempfile.TemporaryDirectory() as folder:
            program = self.build_with(bug, folder)
            run = subprocess.run([program, "--json", "--depth", "100", "--seconds", str(SECONDS), bug.system],
                                 stdout=subprocess.PIPE, text=True, timeout=3 * SECONDS, check=False,
                                 stdin=subprocess.DEVNULL)
        if not run.stdout:
            return True, f"{bug.system} ended with status {run.returncode}"
        found = json.loads(run.stdout)[0]
        first = re.split(r"[\n(]", found["violation"])[0].strip() or "nothing wrong"
        return bool(found["violation"]), f"{bug.system}: {first} ({len(found['path'])} steps, {found['states']} states)"
