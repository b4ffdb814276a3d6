#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles each C header alone, shipped or generated, then all generated ones together, as C and as C++.

Nothing may warn.

    compiles.py --headers DIR [-I DIR]...

Uses the compilers that are installed, of those that the project supports, and fails when there is
none. Closes with `N compilations, N failed`.
"""
import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic", "-Wundef", "-Wvla", "-Werror"]
CPP_WARNINGS = WARNINGS + ["-Wold-style-cast"]
COMPILERS = [
    ("gcc", ["-xc", "-std=c17", *WARNINGS]),
    ("gcc", ["-xc", "-std=c11", *WARNINGS]),
    ("g++", ["-xc++", "-std=c++20", *CPP_WARNINGS]),
    ("g++", ["-xc++", "-std=c++14", *CPP_WARNINGS]),
    ("clang-19", ["-xc", "-std=c17", *WARNINGS]),
    ("clang++-19", ["-xc++", "-std=c++20", *CPP_WARNINGS]),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--headers", type=pathlib.Path, required=True)
    parser.add_argument("-I", dest="include", action="append", default=[])
    options = parser.parse_args()
    headers = sorted(path.relative_to(options.headers).as_posix()
                     for kind in ("idl", "cdl", "edl") for path in options.headers.rglob(f"*.{kind}.h"))
    compilers = [(tool, flags) for tool, flags in COMPILERS if shutil.which(tool)]
    includes = [f"-I{folder}" for folder in [*options.include, options.headers]]
    texts = [(header, f"#include <{header}>\n") for header in headers]
    texts.append(("all", "".join(text for _, text in texts)))
    shipped = sorted(path.relative_to(folder).as_posix() for folder in options.include
                     for path in pathlib.Path(folder).rglob("*.h"))
    plain = [(name, text, []) for name, text in texts]
    plain += [(header, f"#include <{header}>\nextern int more;\n", []) for header in shipped]
    unqualified = [(name, text, ["-DNK_USE_UNQUALIFIED_NAMES"]) for name, text in texts[:-1]]

    def compile_one(job):
        (name, text, more), (tool, flags) = job
        command = [tool, *flags, *more, *includes, "-fsyntax-only", "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return None
        first = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr)
        return f"{tool} {flags[1]} {' '.join(more)} {name}: {first}"

    jobs = [(case, compiler) for case in plain + unqualified for compiler in compilers]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        failures = [failure for failure in pool.map(compile_one, jobs) if failure]
    print("\n".join(failures))
    print(f"{len(headers) + len(shipped)} headers, {len(compilers)} compilers: {len(jobs)} compilations, "
          f"{len(failures)} failed")
    return 1 if failures or not headers or not compilers else 0


if __name__ == "__main__":
    sys.exit(main())
