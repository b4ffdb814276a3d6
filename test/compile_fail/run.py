#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves that what must not build does not: see README.md."""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COMPILERS = [command for command in (["g++"], ["clang++-19"]) if shutil.which(command[0])]
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wconversion", "-Wunused-result", "-Werror", "-xc++",
         f"-I{ROOT}", f"-I{ROOT}/test/mock_arch/include", f"-I{ROOT}/ksec/include"]
INSTEAD = re.compile(r"^(?P<good>.*\S)\s*// instead: (?P<bad>.*)$")


def compile_text(compiler, text):
    """Whether it compiles, and the first error."""
    result = subprocess.run([*compiler, *FLAGS, "-"], input=text, capture_output=True, text=True,
                            check=False)
    error = next((line for line in result.stderr.splitlines() if "error" in line), result.stderr)
    return result.returncode == 0, error


def jobs():
    """(place, compiler, text, must compile) of everything to try."""
    for path in sorted((HERE / "cases").glob("*.cpp")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for compiler in COMPILERS:
            yield f"{path.name}", compiler, "\n".join(lines) + "\n", True
            for index, line in enumerate(lines):
                if match := INSTEAD.match(line):
                    spoiled = lines[:index] + [match.group("bad")] + lines[index + 1:]
                    yield f"{path.name}:{index + 1}", compiler, "\n".join(spoiled) + "\n", False


def main():
    if not COMPILERS:
        print("compile_fail: neither g++ nor clang++-19 is installed", file=sys.stderr)
        return 2
    work = list(jobs())
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = list(pool.map(lambda job: compile_text(job[1], job[2]), work))
    failed = 0
    for (place, compiler, _, must_compile), (compiled, error) in zip(work, results):
        if compiled != must_compile:
            failed += 1
            reason = error if must_compile else "compiles, and must not"
            print(f"{place}: {compiler[0]}: {reason}")
    refused = sum(1 for job in work if not job[3])
    print(f"compile_fail: {refused // len(COMPILERS)} mix-ups, "
          f"{len(COMPILERS)} compilers, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
