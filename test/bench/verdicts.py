# SPDX-License-Identifier: Apache-2.0
"""Verdict costs of policies of 10, 1,000 and 100,000 rules, and what compiling the largest takes.

A verdict must cost the same whatever the number of rules: each figure of the larger policies may
differ from the smallest one's by FLAT at most.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "test/unit/sdk/policyc"))
sys.path.insert(0, str(ROOT / "test/system"))

from bench_lines import parse_figures  # pylint: disable=wrong-import-position
from many_rules import run, write_policy  # pylint: disable=wrong-import-position
from ksec_build import Failure, archives, compile_policy, compiler_of, engine_command, link_module  # pylint: disable=wrong-import-position
from static_figures import read_only_size  # pylint: disable=wrong-import-position

SIZES = ((10, 4), (1000, 20), (100000, 100))  # rules and classes
FLAT = 0.05
MOST_SECONDS = 60  # of processor time, policyc and compiler together
MOST_MEGABYTES = 1024
BOOT_SECONDS = 60
QEMU = ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-m", "512", "-display", "none", "-monitor", "none",
        "-nic", "none", "-serial", "none", "-semihosting-config", "enable=on,target=native",
        "-icount", "shift=0,sleep=off", "-kernel"]


def measure_least(build):
    """Loaded bytes, not writable, of the module of the least policy that says hello."""
    build = os.path.abspath(build)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copy(HERE / "verdicts/hello.psl", folder / "p.psl")
        compile_policy(build, folder, (HERE,))
        return {"size.ksec_hello": ("bytes", read_only_size(link_module(build, folder)))}


def link(build, folder):
    """The bare program around the policy."""
    command, directory = engine_command(build)
    parts = []
    for name, source in (("main.o", HERE / "verdicts/verdicts.cpp"),
                         ("start.o", ROOT / "test/unit/ksec/cost/start.S")):
        words = command if source.suffix == ".cpp" else [w for w in command if not w.startswith(("-std", "-W", "-fno-rtti"))]
        run([*words, "-I", ROOT, "-I", ROOT / "ksec/include", "-c", "-o", folder / name, source], cwd=directory)
        parts.append(folder / name)
    run([compiler_of(build), "-nostdlib", "-static", "-no-pie", "-Wl,-T," + str(ROOT / "test/unit/ksec/cost/cost.ld"),
         "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments", "-o", folder / "p.elf", *parts,
         folder / "p.o", *archives(build)])
    return folder / "p.elf"


def boot(elf):
    """What the program printed; Failure when it did not end well."""
    try:
        result = subprocess.run([*QEMU, str(elf)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=BOOT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Failure(f"the verdict program did not end within {BOOT_SECONDS} s") from None
    output = result.stdout + result.stderr
    if result.returncode != 0:
        raise Failure("the verdict program failed: " + output.strip().replace("\n", "; "))
    return parse_figures(output)


def measure_verdicts(build):
    """Figures by name, with the number of rules at the end; the largest policy's compilation, too."""
    build = os.path.abspath(build)
    figures = {}
    for rules, classes in SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            more = "use EDL verdicts.Meter\nuse EDL verdicts.Target\n"
            more += (HERE / "verdicts/measured.psl").read_text(encoding="utf-8")
            # Every client has a rule of its own at the measured server, too.
            more += "".join(f"request src=c.C{i} dst=verdicts.Target endpoint=measured method=Plain {{ grant () }}\n"
                            for i in range(classes - classes // 2))
            write_policy(folder, classes, rules, 1, more)
            seconds, megabytes = compile_policy(build, folder, (HERE,))
            for figure, value in boot(link(build, folder)).items():
                figures[f"{figure}.{rules}"] = value
    figures["policyc.seconds.100000"] = ("s", round(seconds + 0.5))
    figures["policyc.megabytes.100000"] = ("MB", round(megabytes + 0.5))
    return figures


def print_verdicts(figures):
    """The figures of verdicts as a table: kinds by numbers of rules."""
    kinds = list(dict.fromkeys(name.rpartition(".")[0] for name in figures
                               if name.startswith("ksec.") and name.rpartition(".")[2].isdigit()))
    if not kinds:
        return
    print(f"{'instructions of ksec for a verdict, by rules':<44}" + "".join(f"{rules:>10,}" for rules, _ in SIZES))
    for kind in kinds:
        cells = "".join(f"{figures[f'{kind}.{rules}'][1]:>10}" for rules, _ in SIZES)
        print(f"  {kind.removeprefix('ksec.').replace('.', ', '):<42}{cells}")


def faults(figures):
    """What is wrong with these figures beside their budgets: verdicts that are not flat, hard limits."""
    found = []
    for name, (_, value) in figures.items():
        kind, _, rules = name.rpartition(".")
        least = figures.get(f"{kind}.{SIZES[0][0]}")
        if name.startswith("ksec.") and rules.isdigit() and least is not None and \
                abs(value - least[1]) > least[1] * FLAT:
            found.append(f"{name}: {value}, but {least[1]} with {SIZES[0][0]} rules: not flat within {FLAT:.0%}")
    for name, most in (("policyc.seconds.100000", MOST_SECONDS), ("policyc.megabytes.100000", MOST_MEGABYTES)):
        if name in figures and figures[name][1] > most:
            found.append(f"{name}: {figures[name][1]} is above {most}")
    return found
