#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of the runner on a stand-in guest: runner_test.py STANDIN_IMAGE STANDIN_ELF"""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import unittest

import handover
from breaking import break_function
from machine import Machine, raspi4b, variants, virt
from run import take_next
from scenario import Run, Scenario, Type, boot, judge
from symbolise import addresses_of, record_lines, relative, symbolise

IMAGE, ELF = sys.argv[1:3]
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def run(scenario, machine=Machine()):
    scenario = dataclasses.replace(scenario, signs=False)
    outcome = boot(machine.command(IMAGE, ""), scenario)
    return outcome, {finding.name: finding for finding in judge(scenario, outcome)}


def say(*keys):
    return tuple(Type("standin> ", key) for key in keys)


class OnGuest(unittest.TestCase):
    def test_passing_lines_pass_and_power_off_is_exit_0(self):
        outcome, findings = run(Scenario("s", "", tests=("alpha", "beta"), types=say("p", "o"), exit_code=0))
        self.assertEqual(outcome.exit_code, 0)
        self.assertEqual(list(findings), ["alpha", "beta", "exits with 0"])
        self.assertTrue(all(finding.passed for finding in findings.values()))

    def test_a_failing_line_fails_with_its_detail(self):
        _, findings = run(Scenario("s", "", tests=("alpha",), types=say("f", "o")))
        self.assertTrue(findings["alpha"].passed)
        self.assertFalse(findings["gamma"].passed)
        self.assertEqual(findings["gamma"].detail, "because")

    def test_a_name_that_is_not_seen_fails(self):
        _, findings = run(Scenario("s", "", tests=("delta",), types=say("o")))
        self.assertFalse(findings["delta"].passed)

    def test_a_name_that_once_failed_stays_failed(self):
        run_ = Run(output="TEST a FAIL\nTEST a PASS\n", exit_code=0)
        self.assertEqual([f.passed for f in judge(Scenario("s", "", tests=("a",), signs=False), run_)], [False])

    def test_too_few_lines_fail(self):
        _, findings = run(Scenario("s", "", at_least=3, types=say("p", "o")))
        self.assertFalse(findings["all tests ran"].passed)

    def test_a_guest_that_hangs_is_stopped_in_time(self):
        outcome, findings = run(Scenario("s", "", types=say("h"), seconds=2))
        self.assertTrue(outcome.timed_out)
        self.assertLess(outcome.seconds, 6)
        self.assertFalse(findings["ends in time"].passed)

    def test_a_panic_fails_soon_and_is_symbolised(self):
        outcome, findings = run(Scenario("s", "", types=say("x"), seconds=60))
        self.assertLess(outcome.seconds, 20)
        self.assertFalse(findings["no kernel panic"].passed)
        self.assertIn("standin_broken", "\n".join(symbolise(outcome.output, ("", ELF))))

    def test_a_wanted_panic_passes(self):
        scenario = Scenario("s", "", types=say("x"), panics=True, ends_at="backtrace: 0x[0-9a-f]+\n", expect=("panic: stand-in",))
        _, findings = run(scenario)
        self.assertTrue(all(finding.passed for finding in findings.values()))

    def test_expectations_are_searched_in_order(self):
        _, findings = run(Scenario("s", "", expect=("beta", "alpha"), types=say("p", "o")))
        self.assertTrue(findings["prints beta"].passed)
        self.assertFalse(findings["prints alpha"].passed)

    def test_what_must_not_be_printed_fails(self):
        _, findings = run(Scenario("s", "", forbid=("beta",), types=say("p", "o")))
        self.assertFalse(findings["never prints beta"].passed)

    def test_a_prompt_that_never_comes_fails(self):
        _, findings = run(Scenario("s", "", types=say("o") + (Type("login:", "x"),)))
        self.assertFalse(findings["accepts input"].passed)

    def test_the_end_marker_stops_the_machine(self):
        outcome, findings = run(Scenario("s", "", types=say("p"), ends_at="^standin> "))
        self.assertTrue(outcome.reached_end)
        self.assertTrue(all(finding.passed for finding in findings.values()))

    def test_control_sequences_are_not_text(self):
        _, findings = run(Scenario("s", "", expect=("^stand-in ready$",), types=say("o")))
        self.assertTrue(findings["prints ^stand-in ready$"].passed)

    def test_icount_and_more_cpus_boot(self):
        for machine in (virt(icount=0), virt(cpus=4, gic=3), virt(cpus=2, parallel=True), virt(cpus=4, icount=5)):
            _, findings = run(Scenario("s", "", types=say("p", "o"), exit_code=0), machine)
            self.assertTrue(all(finding.passed for finding in findings.values()), machine)


    def test_x0_and_what_it_points_at_are_as_handed_over(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = os.path.join(folder, "board.dtb")
            with open(tree, "wb") as file:
                file.write(b"\xd0\x0d\xfe\xed" + bytes(range(60)))
            for case in (handover.SOUND, *handover.REFUSED_SILENTLY, *handover.REFUSED_WITH_A_LINE):
                machine = virt(handover=case)
                scenario = Scenario("s", "", types=say("p", "o"), tests=("alpha",), signs=False, exit_code=0)
                outcome = boot(machine.command(IMAGE, tree, folder=folder), scenario)
                self.assertTrue(all(finding.passed for finding in judge(scenario, outcome)), case.name)
                self.assertIn(f"x0={case.x0:#018x}\n", outcome.output)


class Symbols(unittest.TestCase):
    def test_only_lines_of_the_record_count(self):
        log = "valve: ok 0x4008000000\nsens\x00or panic: exception pc=0xffff000000000010\nbacktrace: 0xffff000000000020\n"
        self.assertEqual(record_lines(log), ["panic: exception pc=0xffff000000000010", "backtrace: 0xffff000000000020"])

    def test_a_return_address_belongs_to_the_call_before_it(self):
        self.assertEqual(list(addresses_of("backtrace: 0x40080010 0x40080020")),
                         [("0x40080010", 0x4008000c), ("0x40080020", 0x4008001c)])
        self.assertEqual(list(addresses_of("panic: assertion address=0x4 pc=0x40080010")), [("0x40080010", 0x4008000c)])
        self.assertEqual(list(addresses_of("panic: exception pc=0x40080010")), [("0x40080010", 0x40080010)])

    def test_paths_are_seen_from_the_top_of_the_tree(self):
        self.assertEqual(relative("./build/gcc/../../kernel/a.cpp"), "kernel/a.cpp")
        self.assertEqual(relative(f"{ROOT}/build/../kernel/a.cpp"), "kernel/a.cpp")
        self.assertEqual(relative("/elsewhere/kernel/a.cpp"), "a.cpp")

    def test_a_file_that_is_not_there_names_nothing(self):
        self.assertEqual(symbolise("panic: x pc=0x40080010\n", ("", "/nowhere.elf")), [])

    def test_the_command_prints_the_record_with_places(self):
        outcome, _ = run(Scenario("s", "", types=say("x"), panics=True, ends_at="backtrace: 0x[0-9a-f]+\n"))
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(f"{folder}/sdk/imagec/images")
            with open(f"{folder}/sdk/imagec/images/images.json", "w", encoding="utf-8") as file:
                json.dump([{"name": "plant", "board": "virt", "kernel_elf": ELF, "ksec_elf": ELF}], file)
            command = [sys.executable, f"{HERE}/symbolise.py", "--build", folder]
            result = subprocess.run(command, input=outcome.output, capture_output=True, text=True, check=False)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertRegex(result.stdout, r"^panic: stand-in pc=0x[0-9a-f]+\n    0x[0-9a-f]+ standin_broken at ")
            self.assertNotIn(ROOT, result.stdout)
            for words, text, cause in (([], "no such thing\n", "has no panic"), (["--image", "x"], "", "no image 'x'")):
                result = subprocess.run(command + words, input=text, capture_output=True, text=True, check=False)
                self.assertEqual(result.returncode, 1)
                self.assertIn(cause, result.stderr)


class Breaking(unittest.TestCase):
    def test_exactly_the_first_instruction_of_the_function_changes(self):
        with tempfile.TemporaryDirectory() as folder:
            break_function(IMAGE, ELF, "standin_broken", f"{folder}/broken.img")
            with open(IMAGE, "rb") as old, open(f"{folder}/broken.img", "rb") as new:
                before, after = old.read(), new.read()
        self.assertEqual(len(before), len(after))
        places = [at for at, pair in enumerate(zip(before, after)) if pair[0] != pair[1]]
        self.assertTrue(0 < len(places) <= 4 and places[-1] - places[0] < 4)
        with self.assertRaises(ValueError):
            break_function(IMAGE, ELF, "no_such_function", "/dev/null")


class Signs(unittest.TestCase):
    OUTPUT = "\nTessera EL2\nboot: device-tree from=firmware\nboot: interrupts gic=3\ntrial: machine cpus=4\n"
    SCENARIO = Scenario("s", "", expect=("^trial: machine cpus={cpus}$",))

    def failures(self, machine, output=OUTPUT):
        return [f.name for f in judge(self.SCENARIO, Run(output=output, exit_code=0), machine) if not f.passed]

    def test_the_machine_asked_for_passes(self):
        self.assertEqual(self.failures(virt(cpus=4, gic=3, el2=True)), [])

    def test_every_other_machine_fails(self):
        self.assertEqual(len(self.failures(virt(cpus=2, gic=3, el2=True))), 1)
        self.assertEqual(len(self.failures(virt(cpus=4, gic=2, el2=True))), 1)
        self.assertEqual(len(self.failures(virt(cpus=4, gic=3))), 1)
        self.assertEqual(len(self.failures(raspi4b(tree=False), self.OUTPUT.replace("gic=3", "gic=2"))), 1)

    def test_the_life_sign_comes_first(self):
        self.assertEqual(len(self.failures(virt(cpus=4, gic=3, el2=True), "boot: x\n" + self.OUTPUT)), 1)


class Turns(unittest.TestCase):
    def test_a_run_that_needs_more_than_is_free_waits_and_others_pass_it(self):
        jobs = [(name, None, machine, None) for name, machine in (
            ("wide", virt(cpus=2, parallel=True)), ("narrow", virt(cpus=4)))]
        self.assertEqual(take_next(jobs, 1, 2)[0], "narrow")
        self.assertIsNone(take_next(jobs, 1, 2))
        self.assertEqual(take_next(jobs, 2, 2)[0], "wide")
        self.assertIsNone(take_next(jobs, 2, 2))

    def test_what_is_wider_than_the_host_runs_alone(self):
        jobs = [("wide", None, virt(cpus=4, parallel=True), None)]
        self.assertIsNone(take_next(jobs, 1, 2))
        self.assertEqual(take_next(jobs, 2, 2)[0], "wide")


class Machines(unittest.TestCase):
    def test_impossible_machines_are_refused(self):
        for options in ({"board": "pc"}, {"cpus": 5}, {"gic": 4}, {"icount": 0, "parallel": True},
                        {"board": "raspi4b", "handover": handover.SOUND},
                        {"board": "raspi4b", "cpus": 2, "tree": False}):
            with self.assertRaises(ValueError):
                Machine(**options)

    def test_variants_are_distinct_and_cover_both_boards(self):
        names = [machine.describe() for machine in variants()]
        self.assertEqual(len(names), len(set(names)))
        self.assertIn("raspi4b 4cpu no-tree", names)
        self.assertIn("virt 4cpu gic3 el2", names)

    def test_commands_have_no_network_and_no_elf(self):
        for machine in variants():
            command = machine.command("x.img", "x.dtb", "seed=1")
            self.assertEqual(command[command.index("-nic") + 1], "none")
            self.assertEqual(command[-2:], ["-kernel", "x.img"])

    def test_fewer_cpus_on_raspi4b_are_a_boot_argument(self):
        command = raspi4b(cpus=2).command("x.img", "x.dtb")
        self.assertIn("tessera.cpus=2", command[command.index("-append") + 1].split())


if __name__ == "__main__":
    outcome = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2).result
    bad = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - bad} passed, {bad} failed")
    sys.exit(0 if outcome.wasSuccessful() else 1)
