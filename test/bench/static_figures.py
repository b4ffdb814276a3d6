# SPDX-License-Identifier: Apache-2.0
"""Figures that need no machine: sizes from ELF sections, lines of EL1 code."""

import os
import struct

EL1_FOLDERS = ("arch", "kernel", "ksec", "platform")
EL1_FILES = (".hpp", ".cpp", ".h", ".S", ".ld")


def read_sections(path):
    """The bytes of an ELF file and its sections as (kind, flags, address, offset, size, link)."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError(f"{path} is not a 64-bit little-endian ELF file")
    offset, = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    return data, [struct.unpack_from("<IQQQQI", data, offset + i * size + 4) for i in range(count)]


def read_only_size(path):
    """Bytes of all sections that are loaded and not writable: code, constants, tables."""
    total = 0
    for kind, flags, _, _, length, _ in read_sections(path)[1]:
        if kind != 8 and flags & 2 and not flags & 1:  # neither NOBITS nor writable, allocated
            total += length
    return total


def find_function(path, prefix):
    """Address of the function whose linker name begins with `prefix`; None when it is not one."""
    data, sections = read_sections(path)
    found = set()
    for kind, _, _, offset, size, link in sections:
        if kind != 2:  # SYMTAB
            continue
        names = sections[link][3]
        for at in range(offset, offset + size, 24):
            name, info, _, _, value = struct.unpack_from("<IBBHQ", data, at)
            if info & 15 == 2 and data.startswith(prefix.encode(), names + name):
                found.add(value)
    return found.pop() if len(found) == 1 else None


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
