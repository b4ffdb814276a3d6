#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boots every scenario of scenarios.py on each of its machines and judges the output.

    run.py --build LABEL=FOLDER [--build LABEL=FOLDER] [--long] [--filter REGEX] [--json FILE]

Closes with `N passed, N failed`. A scenario whose image is not in a build is an error, not a skip.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import json
import os
import re
import sys
import tempfile
import time

import masked
from breaking import break_function
from outside import Ram
from posix_suite import judge_suite
from replay import replay
from scenario import Finding, boot, judge, last_lines
from symbolise import symbolise


def load_builds(arguments):
    """label -> {(image, board): entry of images.json}, paths made absolute."""
    builds = {}
    tools = [os.path.join(argument.partition("=")[2], "sdk/policy/tessera-policy") for argument in arguments]
    tool = next(filter(os.path.exists, tools), tools[0])  # a build may use the tools of another one
    for argument in arguments:
        label, _, folder = argument.partition("=")
        path = os.path.join(folder, "sdk/imagec/images/images.json")
        try:
            with open(path, encoding="utf-8") as file:
                entries = json.load(file)
        except (OSError, ValueError) as error:
            sys.exit(f"run.py: {path} cannot be read ({error}); build first: ./tessera test does it")
        plugin = os.path.join(folder, "test/bench/libinsncount.so")
        builds[label] = {(entry["name"], entry["board"]): {**entry, "plugin": plugin, "policy_tool": tool}
                         for entry in entries}
    return builds


def plan(scenarios, builds, options):
    """The runs to make, the ones left to --long, the images that lack, and those that may lack."""
    jobs, left, missing, absent = [], 0, set(), set()
    first_label = next(iter(builds))
    for scenario in scenarios:
        for label, images in builds.items():
            if label not in scenario.builds:
                continue
            for machine in scenario.machines:
                name = f"{scenario.name} [{label} {machine.describe()}]"
                if options.filter and not re.search(options.filter, name):
                    continue
                # What the second compiler made runs on one machine, unless somebody asks for more.
                is_second = label != first_label and machine != scenario.machines[0] and not options.filter
                if (scenario.only_long or is_second) and not options.long:
                    left += 1
                    continue
                entry = images.get((scenario.image, machine.image_board))
                if entry is None and scenario.optional and not is_built(images, scenario.image):
                    absent.add(f"{scenario.image} ({label})")
                    continue
                if entry is None:
                    missing.add(f"{scenario.image} for {machine.image_board} ({label})")
                    continue
                jobs.append((name, scenario, machine, entry))
    return jobs, left, missing, absent


def is_built(images, name):
    return any(name == image for image, _ in images)


def perform(job, options):
    name, scenario, machine, entry = job
    arguments = " ".join(filter(None, [scenario.boot_arguments, f"tessera.seed={options.seed}"]))
    with tempfile.TemporaryDirectory() as folder:
        image = entry["image"]
        if scenario.broken_at:
            image = os.path.join(folder, "broken.img")
            break_function(entry["image"], entry["kernel_elf"], scenario.broken_at, image)
        if scenario.outside:
            return name, scenario, *watch(scenario, machine, entry, arguments, folder, options)
        command = machine.command(image, entry["tree"], arguments, folder)
        stretches = os.path.join(folder, "masked")
        if scenario.masked_at_most:
            command += masked.plugin_words(entry["plugin"], entry["kernel_elf"], stretches)
        run = boot(command, scenario, options.slowness)
        names = symbolise(run.output, (entry["kernel_elf"], entry["ksec_elf"]))
        findings = judge(scenario, run, machine, names)
        if scenario.again is not None and all(finding.passed for finding in findings):
            next_time = dataclasses.replace(scenario, **scenario.again)
            run = boot(command, next_time, options.slowness)
            findings += judge(next_time, run, machine, symbolise(run.output, (entry["kernel_elf"], entry["ksec_elf"])))
        if scenario.holds:
            findings.append(Finding(*scenario.holds(machine.drives[0].path(0, folder), run.output)))
        if scenario.replayed:
            findings.append(Finding(*replay(run.output, entry["policy_tool"], folder, scenario.replayed)))
        if scenario.suite:
            findings += [Finding(*each) for each in judge_suite(run.output, scenario.suite)]
        if scenario.masked_at_most:
            count, where = masked.longest(stretches, entry["kernel_elf"])
            print(f"{name}: interrupts masked for at most {count} instructions, of these in {where}", flush=True)
            findings.append(Finding(f"interrupts masked for at most {scenario.masked_at_most} instructions",
                                    0 < count <= scenario.masked_at_most, f"{count}: {where}"))
    return name, scenario, command, run, findings, names


def watch(scenario, machine, entry, arguments, folder, options):
    """Boots with an observer beside it, as often as that wants; of what was printed, the worst is judged."""
    path = os.path.join(folder, "ram")
    machine = dataclasses.replace(machine, ram=path)
    size = machine.memory_mb << 20
    command = machine.command(entry["image"], entry["tree"], arguments, folder)
    boots = 0
    ends = collections.Counter()
    while True:
        Ram.fill(path, size)
        observer = scenario.outside(Ram(path, size, entry["kernel_elf"], entry["image"]), options.seed + boots)
        observer.start()
        run = boot(command, scenario, options.slowness, observer.attach)
        observer.finish()
        boots += 1
        ends["panicked" if "panic: " in run.output else "hung" if run.timed_out else "went on"] += 1
        names = symbolise(run.output, (entry["kernel_elf"], entry["ksec_elf"]))
        findings = judge(scenario, run, machine, names)
        if not observer.more() or not all(finding.passed for finding in findings):
            print(f"{scenario.name}: of {boots} machines {dict(ends)}; {observer.summary()}", flush=True)
            findings += [Finding(*each) for each in observer.findings()]
            return command, run, findings, names


def take_next(pending, free, everything):
    """The first run that the free CPUs of the host suffice for, taken off the list; None: wait."""
    for place, (_, _, machine, _) in enumerate(pending):
        if machine.host_threads <= free or free == everything:
            return pending.pop(place)
    return None


def report(outcome, results):
    """Prints one run: a line when all is well, everything useful when not."""
    name, _, command, run, findings, names = outcome
    failed = [finding for finding in findings if not finding.passed]
    verdict = "FAIL" if failed else "PASS"
    print(f"{verdict} {name}: {len(findings) - len(failed)}/{len(findings)} in {run.seconds:.1f} s", flush=True)
    for finding in findings:
        results.append({"name": f"{name} {finding.name}", "passed": finding.passed,
                        "detail": finding.detail, "seconds": round(run.seconds, 2)})
    if not failed:
        return
    for finding in failed:
        print(f"    failed: {finding.name}" + (f" ({finding.detail})" if finding.detail else ""))
    print("    command: " + " ".join(f"'{word}'" if " " in word else word for word in command))
    for line in names:
        print(f"    at {line}")
    print("    last lines of the UART:")
    for line in last_lines(run.output):
        print(f"    | {line}")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", action="append", required=True, metavar="LABEL=FOLDER")
    parser.add_argument("--scenarios", default=os.path.dirname(os.path.abspath(__file__)),
                        help="folder with scenarios.py")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--filter", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--json", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=max(1, len(os.sched_getaffinity(0))),
                        help="CPUs of the host to keep busy")
    parser.add_argument("--slowness", type=float, default=1.0, help="factor on time limits")
    parser.add_argument("--cap", type=float, default=0, help="seconds after which no new run begins")
    options = parser.parse_args()

    sys.path.insert(0, options.scenarios)
    import scenarios as table  # pylint: disable=import-outside-toplevel

    builds = load_builds(options.build)
    jobs, left, missing, absent = plan(table.SCENARIOS, builds, options)
    if options.list:
        for name, *_ in jobs:
            print(name)
        return 0
    begin = time.monotonic()
    results = [{"name": f"image {name}", "passed": False, "detail": "not built", "seconds": 0}
               for name in sorted(missing)]
    for name in sorted(absent):
        print(f"LEFT OUT image {name}: the build has no source for it (sdk/fetch/fetch-deps)")
    for name in sorted(missing):
        print(f"FAIL image {name} is not in the build: add it to `images` in a meson.build")
    pending = list(jobs)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = {}
        free = options.jobs
        while pending or running:
            if pending and options.cap and time.monotonic() - begin > options.cap:
                results += [{"name": job[0], "passed": False, "seconds": 0,
                             "detail": "the suite's time cap was reached"} for job in pending]
                print(f"FAIL {len(pending)} runs did not begin within {options.cap:.0f} s")
                pending.clear()
            while job := take_next(pending, free, options.jobs):
                running[pool.submit(perform, job, options)] = job[2].host_threads
                free -= job[2].host_threads
            done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                free += running.pop(future)
                report(future.result(), results)
    passed = sum(result["passed"] for result in results)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"results": results, "left_to_long": left, "seed": options.seed}, file, indent=1)
    print(f"system: {len(jobs)} runs in {time.monotonic() - begin:.0f} s, seed {options.seed}, "
          f"{left} runs left to --long")
    print(f"{passed} passed, {len(results) - passed} failed")
    return 0 if passed == len(results) and results else 1


if __name__ == "__main__":
    sys.exit(main())
