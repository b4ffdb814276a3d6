# SPDX-License-Identifier: Apache-2.0
"""Makes a policy module of a policy outside of the build, with a build's own tools, flags and engine."""

import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/unit/sdk/policyc"))

from many_rules import run  # pylint: disable=wrong-import-position


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


def compile_policy(build, folder, include=()):
    """Compiles folder/p.psl to folder/p.o and p.names: seconds of processor time and megabytes."""
    command, directory = engine_command(build)
    policyc = os.path.join(build, "sdk/policyc/policyc")
    folders = [word for place in (folder, *include, ROOT / "sdk/interfaces", ROOT / "sdk/policies")
               for word in ("-I", place)]
    took = run([policyc, *folders, "--output", folder / "p.cpp", "--names", folder / "p.names", folder / "p.psl"],
               stderr=subprocess.DEVNULL)
    compiled = run([*command, "-I", ROOT, "-I", ROOT / "ksec/include", "-c", "-o", folder / "p.o", folder / "p.cpp"],
                   cwd=directory)
    return took[1] + compiled[1], max(took[2], compiled[2])


def compiler_of(build):
    return next(word for word in engine_command(build)[0] if not word.startswith("-") and "ccache" not in word)


def archives(build):
    parts = [os.path.join(build, "ksec", f"libksec-{name}.a") for name in ("engine", "runtime")]
    return ["-Wl,--start-group", *parts, "-Wl,--end-group"]


def link_module(build, folder):
    """Links folder/p.o to folder/ksec.elf, as ksec/meson.build does."""
    run([compiler_of(build), "-nostdlib", "-static", "-no-pie", "-Wl,-T," + str(ROOT / "ksec/ksec.ld"),
         "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,-z,max-page-size=4096", "-o", folder / "ksec.elf",
         folder / "p.o", *archives(build)])
    return folder / "ksec.elf"
