#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records a run of the plant, proposes a policy from the recording, and runs the plant under that.

    recording.py --build FOLDER --tool TESSERA-POLICY --forger PROGRAM

The proposal must compile, allow nothing that the plant's policy does not, and give the same behaviour
at the console: what is typed gets the same answers, and every attempt of the intruder the same end.
With the forger in the intruder's place (forger.cpp) the run must give the same proposal.
Closes with `N passed, N failed`.
"""

import argparse
import collections
import dataclasses
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import zlib

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
FORGING_FAILED = r"^0 of 2 attempts got through$"
FORGING = dataclasses.replace(SCENARIO, types=tuple(
    dataclasses.replace(typed, after=FORGING_FAILED) if typed.after == ATTACK_ENDS else typed
    for typed in SCENARIO.types))
FORGED = "record 1 0 1 8 0 1 0 0 0 0x00000000"
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
    # The width of a column is that of its figures.
    steady = (re.sub(r" *(0x[0-9a-f]+|\d+(\.\d+)?)", " #", line) for line in lines
              if line and not UNSTEADY.search(line))
    return collections.Counter(steady)


def play(image, scenario=SCENARIO, recording=None):
    extra = ("-serial", f"file:{recording}") if recording else ()
    return boot(virt(cpus=2, extra=extra).command(str(image), ""), scenario)


def image_with(build, name, replaced, output):
    """An image with other parts: the build's own command, with another input behind each word in `replaced`."""
    target = f"sdk/imagec/images/{name}-virt.img"
    listing = subprocess.run(["ninja", "-C", build, "-t", "commands", "-s", target], capture_output=True, text=True,
                             check=True, stdin=subprocess.DEVNULL).stdout
    words = shlex.split(listing.strip().splitlines()[-1])
    for word, part in {**replaced, "-o": output}.items():
        words[words.index(word) + 1] = str(part)
    subprocess.run(words, cwd=build, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def is_whole(text):
    """One first line, then records, each with the CRC of all that is before its own."""
    crc = 0
    for number, line in enumerate(text.splitlines()):
        said, _, its_crc = line.rpartition(" ")
        crc = zlib.crc32(said.encode(), crc)
        form = r"record( \d+){9}" if number else r"tessera-recording 2 0x[0-9a-f]{16}"
        if not re.fullmatch(form, said) or its_crc != f"{crc:#010x}":
            return False
    return True


def record(tests, options, image, scenario, proposal):
    """Plays the scenario while it is recorded, and proposes a policy from that; the run, or None."""
    recording = proposal.with_suffix(".rec")
    run = play(image, scenario, recording)
    if not tests.check(run.reached_end, f"{proposal.stem}: the recorded run reaches its end"):
        print("\n".join("    | " + line for line in last_lines(run.output)))
        return None
    text = recording.read_text(encoding="utf-8")
    whole = text[:text.rfind("\n") + 1]  # the machine was stopped in the middle of whatever it did
    tests.check(whole and is_whole(whole), f"{proposal.stem}: the recording has records only, whatever programs print")
    made = subprocess.run([options.tool, "propose", recording, "-p", PLANT / "security.psl", "-o", proposal, "--json",
                           *INCLUDE], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if not tests.check(made.returncode == 0, f"{proposal.stem}: a policy is proposed", made.stdout):
        return None
    tests.check(json.loads(made.stdout)["lost"] == 0, f"{proposal.stem}: no record was lost")
    return run


def rules(proposal):
    """What a proposal grants; who was denied what is a remark behind that."""
    return proposal.read_text(encoding="utf-8").partition("\nexecute: ")[2].partition("\n/* Denied in the run")[0]


def test_forger(tests, options, folder, proposal):
    """A program that tries to get into the recording: the proposal is the same without it."""
    image = folder / "forger.img"
    image_with(options.build, "plant-recording", {"intruder": os.path.abspath(options.forger)}, image)
    run = record(tests, options, image, FORGING, folder / "forged.psl")
    if run is None:
        return
    tests.check(FORGED in run.output, "forged: records are printed on the console")
    tests.check("intruder -> kernel  kl.core.Audit.Read" in run.output, "forged: and records are asked for")
    mine, others = rules(folder / "forged.psl"), rules(proposal)
    tests.check(mine and mine == others, "forged: the proposal is the same",
                str(set(mine.splitlines()) ^ set(others.splitlines())))


def run_tests(tests, options, folder):
    images = pathlib.Path(options.build) / "sdk/imagec/images"
    proposal = folder / "p.psl"
    run = record(tests, options, images / "plant-recording-virt.img", SCENARIO, proposal)
    if run is None:
        return
    tests.check(re.search(ATTACK_FAILED, run.output, re.M), "the intruder gets nowhere while it is recorded")
    test_forger(tests, options, folder, proposal)
    changes = subprocess.run([options.tool, "diff", PLANT / "security.psl", proposal, *INCLUDE], capture_output=True,
                             text=True, check=False, stdin=subprocess.DEVNULL).stdout
    tests.check("denied now, allowed before" in changes, "the proposal is narrower than the plant's policy")
    tests.check(not re.search("^(allowed now|always allowed now|allowed under)", changes, re.M),
                "and nowhere wider", changes[:400])
    compile_policy(os.path.abspath(options.build), folder, (PLANT,))
    module = link_module(os.path.abspath(options.build), folder)
    image_with(options.build, "plant", {"--ksec": module, "policy.names": folder / "p.names"}, folder / "plant.img")
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
    parser.add_argument("--forger", required=True)
    options = parser.parse_args()
    tests = Tests()
    with tempfile.TemporaryDirectory() as name:
        run_tests(tests, options, pathlib.Path(name))
    print(f"{tests.passed} passed, {tests.failed} failed")
    return 1 if tests.failed else 0


if __name__ == "__main__":
    sys.exit(main())
