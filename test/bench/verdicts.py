# SPDX-License-Identifier: Apache-2.0
"""Verdict costs of policies of 10, 1,000 and 100,000 rules, and what compiling the largest takes.

A verdict must cost the same whatever the number of rules: each figure of the larger policies may
differ from the smallest one's by FLAT at most.
"""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "test/unit/sdk/policyc"))

from bench_lines import parse_figures  # pylint: disable=wrong-import-position
from many_rules import run, write_policy  # pylint: disable=wrong-import-position
from static_figures import read_only_size  # pylint: disable=wrong-import-position

SIZES = ((10, 4), (1000, 20), (100000, 100))  # rules and classes
FLAT = 0.05
MOST_SECONDS = 60  # of processor time, policyc and compiler together
MOST_MEGABYTES = 1024
BOOT_SECONDS = 60
QEMU = ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-m", "512", "-display", "none", "-monitor", "none",
        "-nic", "none", "-serial", "none", "-semihosting-config", "enable=on,target=native",
        "-icount", "shift=0,sleep=off", "-kernel"]


class Failure(Exception):
    """A figure that could not be taken, and why."""


def engine_command(build):
    """The command that compiles ksec's engine in this build, without its source and outputs."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    for entry in entries:
        if entry["file"].endswith("ksec/engine/verdict.cpp") and "libksec-engine.a.p" in entry["output"]:
            words = shlex.split(entry["command"])
            taken = []
            skip = False
            for word in words:
                if skip:
                    skip = False
                elif word in ("-o", "-c", "-MF", "-MQ"):
                    skip = True
                elif word != "-MD" and not word.startswith("-ffile-prefix-map"):
                    taken.append(word)
            return taken, entry["directory"]
    raise Failure("compile_commands.json does not name ksec/engine/verdict.cpp")


def compile_policy(build, folder):
    """Compiles folder/p.psl to folder/p.o: seconds of processor time and megabytes."""
    command, directory = engine_command(build)
    policyc = os.path.join(build, "sdk/policyc/policyc")
    took = run([policyc, "-I", folder, "-I", HERE, "-I", ROOT / "sdk/interfaces", "-I", ROOT / "sdk/policies",
                "--output", folder / "p.cpp", "--names", folder / "p.names", folder / "p.psl"],
               stderr=subprocess.DEVNULL)
    compiled = run([*command, "-I", ROOT, "-I", ROOT / "ksec/include", "-c", "-o", folder / "p.o", folder / "p.cpp"],
                   cwd=directory)
    return took[1] + compiled[1], max(took[2], compiled[2])


def measure_least(build):
    """Loaded bytes, not writable, of the module of the least policy that says hello."""
    build = os.path.abspath(build)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copy(HERE / "verdicts/hello.psl", folder / "p.psl")
        compile_policy(build, folder)
        run([compiler_of(build), "-nostdlib", "-static", "-no-pie", "-Wl,-T," + str(ROOT / "ksec/ksec.ld"),
             "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,-z,max-page-size=4096", "-o", folder / "ksec.elf",
             folder / "p.o", *archives(build)])
        return {"size.ksec_hello": ("bytes", read_only_size(folder / "ksec.elf"))}


def compiler_of(build):
    return next(word for word in engine_command(build)[0] if not word.startswith("-") and "ccache" not in word)


def archives(build):
    parts = [os.path.join(build, "ksec", f"libksec-{name}.a") for name in ("engine", "runtime")]
    return ["-Wl,--start-group", *parts, "-Wl,--end-group"]


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
            write_policy(folder, classes, rules, 1, more)
            seconds, megabytes = compile_policy(build, folder)
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
