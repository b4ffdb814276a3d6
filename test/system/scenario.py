# SPDX-License-Identifier: Apache-2.0
"""One boot of one image on one machine, and the judgement of what came out of its UART."""

import dataclasses
import os
import re
import selectors
import subprocess
import time
import typing

from machine import Machine, clean

TEST_LINE = re.compile(r"^TEST (\S+) (PASS|FAIL)\b ?(.*)$", re.M)
# Not only at the start of a line: a panic may interrupt one that EL0 was printing.
PANIC_LINE = re.compile(r"\bpanic: .*$", re.M)
LAST_LINES = 40


@dataclasses.dataclass(frozen=True)
class Type:
    """Types `text` once `after` (a regular expression) is seen behind the point reached so far."""

    after: str
    text: str


@dataclasses.dataclass(frozen=True)
class Scenario:
    """What to boot and what must come out.

    Counted as one test each: every name in `tests` (a line `TEST name PASS`; a name that fails or
    is not seen fails), every further TEST line the guest prints, every pattern in `expect` (searched
    in the whole output, in order; `{cpus}` in it is the machine's number of CPUs), every pattern in
    `forbid`, and the exit when `exit_code` is given; with `signs` also what the guest says of the
    machine it finds itself on, before anything else.
    """

    name: str
    image: str
    machines: tuple = (Machine(),)
    tests: tuple = ()
    at_least: int = 0  # TEST lines, where naming them all would say nothing
    expect: tuple = ()
    forbid: tuple = ()
    types: tuple = ()  # of Type
    ends_at: str = ""  # pattern after which the machine is stopped from outside
    exit_code: int | None = None  # QEMU's; 0 is power off
    panics: bool = False  # whether a kernel panic is what is wanted
    broken_at: str = ""  # boots a copy of the image in which this kernel function cannot begin
    symbolised: tuple = ()  # patterns that the names of the panic's addresses must match
    signs: bool = True  # false: no image of ours, or not meant to start
    seconds: float = 30.0
    boot_arguments: str = ""
    builds: tuple = ("gcc", "clang")
    only_long: bool = False
    optional: bool = False  # its image needs a source of others, without which the build leaves it out
    may_stop: bool = False  # only what it prints counts, and whether it panics, hangs or fails tests does not
    masked_at_most: int = 0  # instructions with interrupts masked in one stretch, on one CPU; 0: not measured
    replayed: int = 0  # at least so many events are in the log that the interpreter of the policy is asked again
    holds: typing.Callable | None = None  # judges the first drive's file at the end: path and output to name, passed, detail
    suite: dict | None = None  # of the Open POSIX Test Suite: how many tests of each class pass at least
    again: dict | None = None  # boots once more, on the drives as they are then, with these fields replaced
    outside: type | None = None  # an observer of outside.py, which looks at RAM while the guest runs


@dataclasses.dataclass
class Finding:
    """The outcome of one test."""

    name: str
    passed: bool
    detail: str = ""


@dataclasses.dataclass
class Run:
    """What a machine did."""

    output: str = ""
    exit_code: int | None = None  # None: stopped from outside
    timed_out: bool = False
    reached_end: bool = False
    typed: int = 0
    seconds: float = 0.0


def boot(command, scenario, slowness=1.0, started=None):
    """Boots, types, reads, stops; `started` is told of the process. Ends by the scenario's time limit whatever happens."""
    run = Run()
    begin = time.monotonic()
    limit = begin + scenario.seconds * slowness
    raw = b""
    position = 0  # in the text: typing and the end look behind it
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
    if started:
        started(process)
    os.set_blocking(process.stdout.fileno(), False)
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ)
    try:
        while True:
            left = limit - time.monotonic()
            if left <= 0:
                run.timed_out = True
                break
            if selector.select(min(left, 0.5)):
                chunk = process.stdout.read(65536)
                if chunk == b"":
                    break
                raw += chunk or b""
            elif process.poll() is not None:
                break
            text = clean(raw)
            while run.typed < len(scenario.types):
                wanted = scenario.types[run.typed]
                found = re.search(wanted.after, text[position:], re.M)
                if not found:
                    break
                position += found.end()
                run.typed += 1
                try:
                    process.stdin.write(wanted.text.encode())
                except BrokenPipeError:
                    break
            if scenario.ends_at and run.typed == len(scenario.types):
                if re.search(scenario.ends_at, text[position:], re.M):
                    run.reached_end = True
                    break
            if PANIC_LINE.search(text) and not scenario.panics:
                limit = min(limit, time.monotonic() + 1.0)  # the rest of the record, no more
    finally:
        if run.timed_out or run.reached_end:
            process.kill()
        try:
            run.exit_code = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if run.timed_out or run.reached_end:
            run.exit_code = None
        try:
            raw += process.stdout.read() or b""
        except (OSError, ValueError):
            pass
        process.stdin.close()
        process.stdout.close()
        selector.close()
    run.output = clean(raw)
    run.seconds = time.monotonic() - begin
    return run


def judge(scenario, run, machine=Machine(), names=()):
    """The findings of one run, failures explained; `names` are those of its panic's addresses."""
    findings = []
    seen = {}
    expected = [pattern.replace("{cpus}", str(machine.cpus)) for pattern in scenario.expect]
    for name, outcome, detail in TEST_LINE.findall(run.output):
        passed = outcome == "PASS" and seen.get(name, (True, ""))[0]
        seen[name] = (passed, detail)
    for name in scenario.tests:
        passed, detail = seen.get(name, (False, "no such line was printed"))
        findings.append(Finding(name, passed, detail))
    for name, (passed, detail) in seen.items():
        if name not in scenario.tests:
            findings.append(Finding(name, passed, detail))
    if scenario.at_least and len(seen) < scenario.at_least:
        findings.append(Finding("all tests ran", False, f"{len(seen)} of {scenario.at_least} TEST lines"))
    for patterns in (machine.signs if scenario.signs else (), expected):
        position = 0
        for pattern in patterns:
            found = re.compile(pattern, re.M).search(run.output, position)
            position = found.end() if found else position
            findings.append(Finding(f"prints {pattern}", bool(found), "" if found else "not seen (in this order)"))
    for pattern in scenario.forbid:
        found = re.search(pattern, run.output, re.M)
        findings.append(Finding(f"never prints {pattern}", not found, found.group(0) if found else ""))
    for pattern in scenario.symbolised:
        found = re.search(pattern, "\n".join(names), re.M)
        findings.append(Finding(f"names {pattern}", bool(found), "" if found else "not among the names"))
    if scenario.exit_code is not None:
        findings.append(Finding(f"exits with {scenario.exit_code}", run.exit_code == scenario.exit_code,
                                f"exit code {run.exit_code}"))
    if scenario.may_stop:
        return [finding for finding in findings if finding.name.startswith("never prints")]
    # What is no test of its own but fails the run.
    if run.timed_out:
        findings.append(Finding("ends in time", False, f"stopped after {run.seconds:.0f} s"))
    elif run.typed < len(scenario.types):
        wanted = scenario.types[run.typed].after
        findings.append(Finding("accepts input", False, f"the prompt {wanted!r} was not seen"))
    elif scenario.ends_at and not run.reached_end:
        findings.append(Finding("reaches its end", False, f"ended before {scenario.ends_at!r}"))
    panic = PANIC_LINE.search(run.output)
    if bool(panic) != scenario.panics:
        findings.append(Finding("no kernel panic" if panic else "kernel panic", False,
                                panic.group(0) if panic else "none was printed"))
    if not findings:
        findings.append(Finding("boots", run.exit_code in (0, None), f"exit code {run.exit_code}"))
    return findings


def last_lines(output):
    return output.splitlines()[-LAST_LINES:]
