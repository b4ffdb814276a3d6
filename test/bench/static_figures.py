# SPDX-License-Identifier: Apache-2.0
"""Figures that need no machine: sizes from ELF sections, lines of EL1 code."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))

from elf_file import read_sections  # pylint: disable=wrong-import-position

EL1_FOLDERS = ("arch", "kernel", "ksec", "platform")
EL1_FILES = (".hpp", ".cpp", ".h", ".S", ".ld")


def read_only_size(path):
    """Bytes of all sections that are loaded and not writable: code, constants, tables."""
    total = 0
    for kind, flags, _, _, length, _ in read_sections(path)[1]:
        if kind != 8 and flags & 2 and not flags & 1:  # neither NOBITS nor writable, allocated
            total += length
    return total


def code_lines(text):
    """Lines that hold more than blanks and comments."""
    count = 0
    in_comment = False
    for line in text.splitlines():
        holds_code = False
        at = 0
        quote = ""
        while at < len(line):
            pair = line[at:at + 2]
            if in_comment:
                if pair == "*/":
                    in_comment = False
                    at += 1
            elif quote:
                if line[at] == "\\":
                    at += 1
                elif line[at] == quote:
                    quote = ""
            elif pair == "//":
                break
            elif pair == "/*":
                in_comment = True
                at += 1
            elif not line[at].isspace():
                holds_code = True
                # A digit separator is no quote.
                if line[at] == '"' or (line[at] == "'" and not line[at - 1:at].isalnum()):
                    quote = line[at]
            at += 1
        count += holds_code
    return count


def el1_lines(root):
    """Lines of code by top-level folder."""
    counts = {}
    for folder in EL1_FOLDERS:
        for path, _, names in os.walk(os.path.join(root, folder)):
            for name in names:
                if name.endswith(EL1_FILES):
                    with open(os.path.join(path, name), encoding="utf-8") as file:
                        counts[folder] = counts.get(folder, 0) + code_lines(file.read())
    return counts
