# SPDX-License-Identifier: Apache-2.0
"""Bugs of the page tables of arch/aarch64: does their test under the worst TLB find them?

The changed header goes into a folder that is looked at first; test/unit/arch is compiled against it.
"""

import json
import os
import shlex
import subprocess
import tempfile

TEST = "test/unit/arch/arch-page-table-test"
SECONDS = 60


class PageTables:
    """Makes tests of page tables that have a bug, and runs them."""

    def __init__(self, root, build, _is_long):
        self.root, self.build = root, build
        with open(build / "compile_commands.json", encoding="utf-8") as file:
            entry = next(entry for entry in json.load(file) if entry["output"].startswith(TEST + ".p/"))
        self.object, self.compile = entry["output"], shlex.split(entry["command"])
        commands = subprocess.run(["ninja", "-C", str(build), "-t", "commands", TEST], capture_output=True, text=True,
                                  check=True, stdin=subprocess.DEVNULL).stdout.splitlines()
        self.link = shlex.split(commands[-1])

    def close(self):
        pass

    @staticmethod
    def part_of(bug):
        return bug.title

    def judge(self, bug):
        """Whether the test finds the bug, and what it says. ValueError: that cannot be known."""
        with tempfile.TemporaryDirectory() as folder:
            header = os.path.join(folder, bug.file)
            os.makedirs(os.path.dirname(header))
            with open(header, "w", encoding="utf-8") as file:
                file.write(bug.planted_in((self.root / bug.file).read_text(encoding="utf-8")))
            made, program = os.path.join(folder, "changed.o"), os.path.join(folder, "test")
            compiler = [made if word == self.object else word for word in self.compile]
            at = next(i for i, word in enumerate(compiler) if word.startswith("-I"))
            compiler[at:at] = ["-I" + folder]
            for option in ("-MF", "-MQ"):
                place = compiler.index(option)
                del compiler[place:place + 2]
            compiler.remove("-MD")
            linker = [program if word == TEST else made if word == self.object else word for word in self.link]
            for command in (compiler, linker):
                done = subprocess.run(command, cwd=self.build, capture_output=True, text=True, check=False,
                                      stdin=subprocess.DEVNULL)
                if done.returncode:
                    raise ValueError("it does not build:\n" + done.stderr[-2000:])
            run = subprocess.run([program, "--abort"], stdout=subprocess.PIPE, text=True, timeout=SECONDS, check=False,
                                 stdin=subprocess.DEVNULL)
        stale = next((line.strip() for line in run.stdout.splitlines() if "may use" in line), "")
        return run.returncode != 0, stale or f"ended with status {run.returncode}"
