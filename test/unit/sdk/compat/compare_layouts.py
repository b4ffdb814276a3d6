#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes C++ that compares each structure of the C binding with the C++ binding's.

    compare_layouts.py HEADERS OUTPUT

HEADERS is the folder with x/Y.idl.h and x/Y.idl.hpp. What there is to compare is read from the
assertions of the C++ headers; the comparison is the compiler's, of sizes and of the place of every
field. A structure or field that C does not have is an error of this script.
"""
import pathlib
import re
import sys

ENDINGS = {"_Request": "_req", "_Response": "_res_view_", "_Error": "_err"}
SIZE = re.compile(r"static_assert\(sizeof\((\w+)\) == \d+\);")
OFFSET = re.compile(r"static_assert\(offsetof\((\w+), (\w+)\) == \d+\);")
C_STRUCT = re.compile(r"struct (\w+) \{\n(.*?)\n\}", re.DOTALL)
C_MEMBER = re.compile(r"(\w+)(?:\[\d+\])*;$", re.MULTILINE)


class Mismatch(Exception):
    """C lacks what C++ has."""


def pick(name, known, what):
    """The C spelling of a C++ name, which may have a `_` more."""
    for candidate in (name, name.rstrip("_")):
        if candidate in known:
            return candidate
    raise Mismatch(f"{what} {name} is not in the C header")


def c_type(name, prefix, structures):
    for ending, replacement in ENDINGS.items():
        if name.endswith(ending):
            wanted = f"{prefix}_{name[:-len(ending)]}{replacement}"
            if wanted in structures:
                return wanted, "sizeof(struct nk_message)"
    return pick(f"{prefix}_{name}", structures, "structure"), "0"


def compare(cpp_path, root):
    """Lines that compare one package, and how many structures and fields they cover."""
    package = cpp_path.relative_to(root).as_posix().removesuffix(".idl.hpp").split("/")
    cpp = cpp_path.read_text(encoding="utf-8")
    c = cpp_path.with_name(cpp_path.name.removesuffix("pp")).read_text(encoding="utf-8")
    structures = {found.group(1): C_MEMBER.findall(found.group(2)) for found in C_STRUCT.finditer(c)}
    prefix, space = "_".join(package), "::" + "::".join(package)
    lines = []
    for name in SIZE.findall(cpp):
        counterpart, header = c_type(name, prefix, structures)
        lines.append(f"static_assert(sizeof(struct {counterpart}) - {header} == sizeof({space}::{name}));")
    for name, field in OFFSET.findall(cpp):
        counterpart, header = c_type(name, prefix, structures)
        members = structures[counterpart]
        # A union: its storage begins where all its members do.
        member = members[1] if field == "storage" and "storage" not in members \
            else pick(field, members, f"field of {name}")
        lines.append(f"static_assert(offsetof(struct {counterpart}, {member}) - {header} == "
                     f"offsetof({space}::{name}, {field}));")
    return lines


def main():
    root, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    includes, lines = [], []
    for path in sorted(root.rglob("*.idl.hpp")):
        if not path.with_name(path.name.removesuffix("pp")).is_file():
            continue
        try:
            lines += compare(path, root)
        except Mismatch as reason:
            print(f"{path}: {reason}", file=sys.stderr)
            return 1
        name = path.relative_to(root).as_posix()
        includes += [f"#include <{name}>", f"#include <{name.removesuffix('pp')}>"]
    if not lines:
        print(f"compare_layouts: nothing to compare in {root}", file=sys.stderr)
        return 1
    output.write_text("// Made by compare_layouts.py.\n" + "\n".join(includes + lines) + "\n",
                      encoding="utf-8")
    print(f"compare_layouts: {len(lines)} comparisons")
    return 0


if __name__ == "__main__":
    sys.exit(main())
