#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The descriptions below a folder as arguments of idlc, one a line.

    descriptions.py ROOT c      every interface, component and class
    descriptions.py ROOT cpp    every interface and class
"""
import pathlib
import sys

OPTIONS = {".idl": "--interface", ".cdl": "--component", ".edl": "--class"}


def main():
    root, language = pathlib.Path(sys.argv[1]), sys.argv[2]
    for path in sorted(root.rglob("*")):
        if path.suffix in OPTIONS and not (language == "cpp" and path.suffix == ".cdl"):
            print(OPTIONS[path.suffix])
            print(".".join(path.relative_to(root).with_suffix("").parts))


if __name__ == "__main__":
    main()
