#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of kl.core.Core and demands that they provoke every error that its manual names.

    errors.py PROGRAM FOLDER

FOLDER holds the manual's pages, which come from the comments of the IDL. An error of a method is a status that its text
names. One that the text at the interface's head names is an error of each method that takes a handle. The harness
writes down what each method answered.
"""

import os
import re
import subprocess
import sys
import tempfile

STATUS_FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../../kernel/base/status.hpp")
NO_ERRORS = ("Unimplemented",  # one path for all
             "IpcInterrupt")  # of calls that are interrupted
NOT_THE_KERNELS = ("CM", "FS")  # served by init, and by nobody


def statuses():
    with open(STATUS_FILE, encoding="utf-8") as file:
        found = re.findall(r"^ +(\w+) = (-0x[0-9a-f']+),", file.read(), re.M)
    return {name: int(value.replace("'", ""), 16) for name, value in found if name not in NO_ERRORS}


def documented(folder, names):
    """(endpoint, method) -> (what to call it, errors)."""
    word = re.compile(r"\b(" + "|".join(names) + r")\b")
    methods = {}
    for page in sorted(os.listdir(folder)):
        with open(os.path.join(folder, page), encoding="utf-8") as file:
            head, *sections = re.split(r"^### ", file.read(), flags=re.M)
        endpoint = re.search(r"^Endpoint (\d+),", head, re.M)
        if endpoint is None or page[:-3] in NOT_THE_KERNELS:
            continue
        shared = set(word.findall(head))
        for section in sections:
            number = int(re.search(r"^Method (\d+),", section, re.M).group(1))
            errors = set(word.findall(section))
            if "| in | `Handle` |" in section and "Unimplemented" not in section and "As kl.core." not in section:
                errors |= shared
            methods[int(endpoint.group(1)), number] = (f"{page[:-3]}.{section.split()[0]}", errors)
    return methods


def main():
    program, folder = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "answers")
        result = subprocess.run([program], env={**os.environ, "ANSWERS": path}, stdout=subprocess.DEVNULL, check=False)
        if result.returncode != 0:
            sys.exit("errors.py: the tests fail: run them")
        with open(path, encoding="utf-8") as file:
            seen = {tuple(int(word) for word in line.split()) for line in file}
    numbers = statuses()
    methods = documented(folder, numbers)
    missing = [f"{name}: {error}" for key, (name, errors) in methods.items() for error in sorted(errors)
               if (*key, numbers[error]) not in seen]
    total = sum(len(errors) for _, errors in methods.values())
    for line in missing:
        print(f"never provoked: {line}")
    print(f"{total - len(missing)} passed, {len(missing)} failed")
    return 1 if missing or not total else 0


if __name__ == "__main__":
    sys.exit(main())
