#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the kernel panic in a UART log with functions, files and lines.

    symbolise.py --build FOLDER [--image NAME] [--board virt|rpi4] [LOG]

Reads standard input without LOG. The names are those of the image as it is built now. Exit status 0
when a panic was found and named, 1 when not.
"""

import argparse
import json
import os
import re
import subprocess
import sys

from machine import clean

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = ("aarch64-linux-gnu-addr2line", "llvm-addr2line-19", "aarch64-none-elf-addr2line")
# Not only at the start of a line: a panic may interrupt one that EL0 was printing.
RECORD = re.compile(r"(\bassert: .*|\bpanic: .*|\bbacktrace: .*)$")
ADDRESS = re.compile(r"(?:(\w+)=)?(0x[0-9a-fA-F]{8,16})\b")
PLACE = re.compile(r"^(?: ?\(inlined by\) )?(.+) at (.+?):(\d+|\?)(?: \(discriminator \d+\))?$")
INSTRUCTION_BYTES = 4


def record_lines(output):
    """The lines of a log that belong to a panic, without what EL0 printed before them."""
    return [found.group(1) for found in map(RECORD.search, output.splitlines()) if found]


def addresses_of(line):
    """(address as printed, address to look up): a return address belongs to the call before it."""
    for field, text in ADDRESS.findall(line):
        returns = line.startswith("backtrace: ") or (field == "pc" and line.startswith("panic: assertion"))
        yield text, int(text, 16) - (INSTRUCTION_BYTES if returns else 0)


def name_line(line, elf_files):
    """`address function at file:line` for each address in a line of a record that a file knows."""
    lines = []
    for text, address in addresses_of(line):
        for elf in elf_files:
            places = find_places(elf, address) if elf and os.path.exists(elf) else []
            lines += [f"{text} {place}" for place in places]
            if places:
                break
    return lines


def symbolise(output, elf_files):
    """Names for the addresses in the panic of a log, each address once."""
    lines = [name for line in record_lines(output) for name in name_line(line, elf_files)]
    return list(dict.fromkeys(lines))


def find_places(elf, address):
    """`function at file:line` of an address, innermost of inlined ones first; [] when it has none."""
    for tool in TOOLS:
        try:
            result = subprocess.run([tool, "-e", elf, "-f", "-C", "-p", "-i", hex(address)], timeout=20,
                                    stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        except (FileNotFoundError, subprocess.TimeoutExpired):
            continue
        found = [PLACE.match(line) for line in result.stdout.splitlines()]
        return [f"{place.group(1)} at {relative(place.group(2))}:{place.group(3)}"
                for place in found if place and place.group(1) != "??"]
    return []


def relative(path):
    """A source path as seen from the top of the tree; never one of the machine that built it."""
    path = os.path.normpath(path)
    if not os.path.isabs(path):
        return path
    inside = os.path.relpath(path, ROOT)
    return os.path.basename(path) if inside.startswith("..") else inside


def refuse(cause, way_out):
    print(f"symbolise: {cause}\n  way out: {way_out}", file=sys.stderr)
    return 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/gcc")
    parser.add_argument("--image", default="plant")
    parser.add_argument("--board", default="virt", choices=("virt", "rpi4"))
    parser.add_argument("log", nargs="?", default="-")
    options = parser.parse_args()
    path = os.path.join(options.build, "sdk/imagec/images/images.json")
    try:
        with open(path, encoding="utf-8") as file:
            images = {(entry["name"], entry["board"]): entry for entry in json.load(file)}
    except (OSError, ValueError) as error:
        return refuse(f"{path} cannot be read ({error})", "build what panicked, with ./tessera run")
    entry = images.get((options.image, options.board))
    if entry is None:
        names = sorted(name for name, board in images if board == options.board)
        return refuse(f"there is no image '{options.image}' for {options.board}", f"choose one of: {' '.join(names)}")
    elf_files = (entry["kernel_elf"], entry["ksec_elf"])
    if not all(map(os.path.exists, elf_files)):
        return refuse(f"the image '{options.image}' is not built", "build what panicked, with ./tessera run")
    if options.log == "-":
        raw = sys.stdin.buffer.read()
    else:
        with open(options.log, "rb") as file:
            raw = file.read()
    named = False
    for line in record_lines(clean(raw)):
        print(line)
        for name in name_line(line, elf_files):
            named = True
            print(f"    {name}")
    if not named:
        return refuse("the log has no panic with an address of this image",
                      "check that --image and --board are those that panicked, and that the log has its 'panic:' line")
    return 0


if __name__ == "__main__":
    sys.exit(main())
