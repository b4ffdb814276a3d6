#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the manual of the kernel's interfaces with what idlc makes of their descriptions.

    manual.py --tool idlc=PATH --tool interfaces=FOLDER docs/kernel/interfaces [--update]

`--update` writes the pages anew. Closes with `N passed, N failed`.
"""

import argparse
import difflib
import pathlib
import subprocess
import sys
import tempfile


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("pages", type=pathlib.Path)
    options = parser.parse_args()
    tools = dict(tool.split("=", 1) for tool in options.tool)
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([tools["idlc"], "-I", tools["interfaces"], "--manual", "--class", "kl.core.Core",
                        "--output", name], check=True, stdin=subprocess.DEVNULL)
        made = {path.name: path.read_text(encoding="utf-8") for path in pathlib.Path(name).iterdir()}
    if options.update:
        options.pages.mkdir(parents=True, exist_ok=True)
        for path in options.pages.glob("*.md"):
            path.unlink()
        for name, text in made.items():
            (options.pages / name).write_text(text, encoding="utf-8")
    kept = {path.name: path.read_text(encoding="utf-8") for path in options.pages.glob("*.md")}
    failed = [name for name in sorted(made.keys() | kept.keys()) if made.get(name) != kept.get(name)]
    for name in failed:
        print(*difflib.unified_diff(kept.get(name, "").splitlines(), made.get(name, "").splitlines(),
                                    f"{options.pages}/{name}", "idlc --manual", lineterm="", n=1), sep="\n")
    if failed:
        print("manual.py: run it again with --update, and look at the difference")
    print(f"{len(made) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not made else 0


if __name__ == "__main__":
    sys.exit(main())
