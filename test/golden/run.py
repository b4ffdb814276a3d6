#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs compiler fixtures: what a tool prints about wrong input, compared to the letter.

A fixture TSnnnn_name.txt holds the command, the files it works on, the exit status and what it prints
on standard error. Files are made in a folder of their own:

    $ idlc --check Bad.idl
    --- Bad.idl
    package Bad
    const UInt8 Big = 256;
    --- expected 1
    Bad.idl:2:19: error TS2015: 256 does not fit 'UInt8'
    ...

`--- Bad.idl escaped` reads \\xNN, \\n and so on in the file and adds no line ends; a line
`%repeat N text` stands for N lines of text, with {n} counting from 0; `%bytes N` makes the file N bytes
long. `--- out/Good.idl.h made` is no input: the tool must make that file, with this text. The number of
the fixture's name must be among the messages. `--update` writes what the tools
print into the fixtures. Closes with `N passed, N failed`.
"""

import argparse
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def parse(text):
    """Command, files by name with their flags, expected status and output."""
    lines = text.split("\n")
    if not lines[0].startswith("$ "):
        raise ValueError("the first line must be '$ command'")
    sections, current = [], None
    for line in lines[1:]:
        if line.startswith("--- "):
            current = (line[4:].split(), [])
            sections.append(current)
        elif current is not None:
            current[1].append(line)
        elif line:
            raise ValueError("text before the first '---'")
    if not sections or sections[-1][0][0] != "expected":
        raise ValueError("the last section must be '--- expected STATUS'")
    *files, (head, output) = sections
    return lines[0][2:].split(), files, int(head[1]), "\n".join(output).strip("\n")


def write(folder, head, lines):
    path = folder / head[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    while lines and not lines[-1]:
        lines = lines[:-1]
    if "escaped" in head[1:]:
        path.write_bytes("".join(lines).encode().decode("unicode_escape").encode("latin-1"))
        return
    with open(path, "w", encoding="utf-8") as file:
        for line in lines:
            if found := re.match(r"%repeat (\d+) (.*)", line):
                for n in range(int(found.group(1))):
                    file.write(found.group(2).replace("{n}", str(n)) + "\n")
            elif found := re.match(r"%bytes (\d+)", line):
                file.truncate(int(found.group(1)))
            else:
                file.write(line + "\n")


def compare_made(text, folder, files, update):
    """The fixture's text with the files that were made, and why they differ, or an empty text."""
    reason = ""
    for head, lines in files:
        path = folder / head[0]
        made = path.read_text(encoding="utf-8") if path.is_file() else ""
        expected = "\n".join(lines) + "\n"
        if update:
            title = f"--- {' '.join(head)}\n"
            begin = text.index(title) + len(title)
            text = text[:begin] + made + text[text.index("\n--- ", begin - 1) + 1:]
        elif made != expected:
            differences = difflib.unified_diff(expected.splitlines(), made.splitlines(),
                                               "expected", head[0], lineterm="", n=1)
            reason = "\n".join(differences)
    return text, reason


def run(path, tools, update):
    """An empty text when the fixture passes, else why not."""
    text = path.read_text(encoding="utf-8")
    command, files, status, expected = parse(text)
    if command[0] not in tools:
        return f"no --tool {command[0]} was given"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        inputs = [(head, lines) for head, lines in files if "made" not in head[1:]]
        for head, lines in inputs:
            write(folder, head, lines)
        environment = dict(os.environ, NO_COLOR="1", LC_ALL="C.UTF-8")
        arguments = [argument.replace("@interfaces@", tools.get("interfaces", ""))
                     for argument in command[1:]]
        done = subprocess.run([tools[command[0]], *arguments], cwd=folder, env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        made = [(head, lines) for head, lines in files if "made" in head[1:]]
        text, difference = compare_made(text, folder, made, update)
    printed = done.stderr.decode("utf-8", "replace").strip("\n")
    code = path.name.split("_")[0]
    if update:
        head = text[:text.rindex("--- expected")]
        path.write_text(head + f"--- expected {done.returncode}\n{printed}\n", encoding="utf-8")
        status, expected = done.returncode, printed
    if code.startswith("TS") and f" {code}: " not in printed:
        return f"{code} is not among the messages:\n{printed}"
    if done.returncode != status:
        return f"exit status {done.returncode}, expected {status}:\n{printed}"
    if printed != expected:
        return f"--- expected\n{expected}\n--- printed\n{printed}"
    return difference


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tool", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--update", action="store_true", help="accept what the tools print")
    parser.add_argument("fixtures", nargs="+", type=pathlib.Path, help="fixtures or their folders")
    options = parser.parse_args()
    tools = {}
    for tool in options.tool:
        name, path = tool.split("=", 1)
        tools[name] = os.path.abspath(path)
    paths = []
    for item in options.fixtures:
        paths += sorted(item.glob("*.txt")) if item.is_dir() else [item]
    failed = 0
    for path in paths:
        try:
            reason = run(path, tools, options.update)
        except (ValueError, subprocess.TimeoutExpired) as error:
            reason = str(error)
        if reason:
            failed += 1
            print(f"{path.name}: FAIL\n{reason}\n")
    print(f"{len(paths) - failed} passed, {failed} failed")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
