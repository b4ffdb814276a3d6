#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records a run of the plant, proposes a policy from the recording, and runs the plant under that.

    recording.py --build FOLDER --tool TESSERA-POLICY

The proposal must compile, allow nothing that the plant's policy does not, and give the same behaviour
at the console: what is typed gets the same answers, and every attempt of the intruder the same end.
Closes with `N passed, N failed`.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/system"))

from ksec_build import compile_policy, link_module  # pylint: disable=wrong-import-position
from machine import virt  # pylint: disable=wrong-import-position
from plant import ATTACK_ENDS, ATTACK_FAILED, COUNTS, PROMPT, REFUSED  # pylint: disable=wrong-import-position
from scenario import Scenario, Type, boot, last_lines  # pylint: disable=wrong-import-position

PLANT = ROOT / "sdk/examples/plant"
INCLUDE = [word for place in (PLANT, ROOT / "sdk/interfaces", ROOT / "sdk/policies") for word in ("-I", str(place))]
SCENARIO = Scenario("plant", "plant", seconds=90, types=(
    Type(PROMPT, "set 40\r"),
    Type("^target is now 40 %$", "set 90\r"),
    Type(REFUSED, "attack\r"),
    Type(ATTACK_ENDS, "help\r"),
    Type("  help      this text", "ps\r"),
    Type("KiB free$", "status\r")), ends_at=COUNTS)
# What differs from run to run: figures, how denials are folded in time, and the tasks of a recorded run.
UNSTEADY = re.compile(r" more times?$| more with other values$|^ +\d+ |task-started|^init: started|policy hash")


class Tests:
    """Counts what holds."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, holds, name, detail=""):
        self.passed += bool(holds)
        self.failed += not holds
        print(f"{'ok  ' if holds else 'FAIL'} {name}" + ("" if holds or not detail else f": {detail}"), flush=True)
        return holds


def behaviour(output):
    """The lines of a run without what differs from run to run; why something is denied may differ, too: what
    a condition denied and nothing else used has no rule any more."""
    lines = (re.sub(r"^(DENIED .* -> \S+  \S+)  .*", r"\1", line.strip()) for line in output.splitlines())
    steady = (re.sub(r"0x[0-9a-f]+|\d+(\.\d+)?", "#", line) for line in lines if line and not UNSTEADY.search(line))
    return collections.Counter(steady)


def play(image, extra=()):
    command = virt(cpus=2, extra=tuple(extra)).command(str(image), "")
    return boot(command, SCENARIO)


def image_with(build, module, names, output):
    """The plant's image with another policy module: the build's own command with another input."""
    target = "sdk/imagec/images/plant-virt.img"
    listing = subprocess.run(["ninja", "-C", build, "-t", "commands", "-s", target], capture_output=True, text=True,
                             check=True, stdin=subprocess.DEVNULL).stdout
    words = shlex.split(listing.strip().splitlines()[-1])
    words[words.index("--ksec") + 1] = str(module)
    words[words.index("policy.names") + 1] = str(names)
    words[words.index("-o") + 1] = str(output)
    subprocess.run(words, cwd=build, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def run_tests(tests, options, folder):
    images = pathlib.Path(options.build) / "sdk/imagec/images"
    recording = folder / "run.rec"
    run = play(images / "plant-recording-virt.img", ["-serial", f"file:{recording}"])
    if not tests.check(run.reached_end, "the recorded run reaches its end"):
        print("\n".join("    | " + line for line in last_lines(run.output)))
        return
    tests.check(re.search(ATTACK_FAILED, run.output, re.M), "the intruder gets nowhere while it is recorded")
    lines = recording.read_text(encoding="utf-8").splitlines()
    tests.check(lines and all(re.fullmatch(r"tessera-recording 1 0x[0-9a-f]{16}|record( \d+){9}", line)
                              for line in lines[:-1]), "the recording has records only, whatever programs print")
    proposal = folder / "p.psl"
    made = subprocess.run([options.tool, "propose", recording, "-p", PLANT / "security.psl", "-o", proposal, "--json",
                           *INCLUDE], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if not tests.check(made.returncode == 0, "a policy is proposed", made.stderr):
        return
    tests.check(json.loads(made.stdout)["lost"] == 0, "no record was lost")
    changes = subprocess.run([options.tool, "diff", PLANT / "security.psl", proposal, *INCLUDE], capture_output=True,
                             text=True, check=False, stdin=subprocess.DEVNULL).stdout
    tests.check("denied now, allowed before" in changes, "the proposal is narrower than the plant's policy")
    tests.check(not re.search("^(allowed now|always allowed now|allowed under)", changes, re.M),
                "and nowhere wider", changes[:400])
    compile_policy(os.path.abspath(options.build), folder, (PLANT,))
    module = link_module(os.path.abspath(options.build), folder)
    image_with(options.build, module, folder / "p.names", folder / "plant.img")
    plain = play(images / "plant-virt.img")
    again = play(folder / "plant.img")
    tests.check(plain.reached_end and again.reached_end, "the plant runs under its policy and under the proposal",
                "\n".join(last_lines(again.output)))
    wanted, got = behaviour(plain.output), behaviour(again.output)
    tests.check(wanted == got, "with the same behaviour",
                f"only before: {list((wanted - got).elements())}; only now: {list((got - wanted).elements())}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--tool", required=True)
    options = parser.parse_args()
    tests = Tests()
    with tempfile.TemporaryDirectory() as name:
        run_tests(tests, options, pathlib.Path(name))
    print(f"{tests.passed} passed, {tests.failed} failed")
    return 1 if tests.failed else 0


if __name__ == "__main__":
    sys.exit(main())
