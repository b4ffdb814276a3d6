# SPDX-License-Identifier: Apache-2.0
"""Sections and functions of a 64-bit little-endian ELF file."""

import functools
import struct

LONGEST_NAME = 256  # of those that are looked for, with the NUL


def read_sections(path):
    """The bytes of an ELF file and its sections as (kind, flags, address, offset, size, link)."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError(f"{path} is not a 64-bit little-endian ELF file")
    offset, = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    return data, [struct.unpack_from("<IQQQQI", data, offset + i * size + 4) for i in range(count)]


def symbols(path):
    """(linker name with its NUL and what follows it, whether it is a function, address, size) of each symbol."""
    data, sections = read_sections(path)
    for kind, _, _, offset, size, link in sections:
        if kind != 2:  # SYMTAB
            continue
        names = sections[link][3]
        for at in range(offset, offset + size, 24):
            name, info, _, _, value, extent = struct.unpack_from("<IBBHQQ", data, at)
            yield data[names + name:names + name + LONGEST_NAME], info & 15 == 2, value, extent


def find_function(path, prefix):
    """Address of the function whose linker name begins with `prefix`; None when it is not one."""
    found = {value for name, is_function, value, _ in symbols(path) if is_function and name.startswith(prefix.encode())}
    return found.pop() if len(found) == 1 else None


@functools.cache
def find_place(path, wanted):
    """Address and size of the symbol with exactly this linker name; KeyError when there is none."""
    for name, _, value, extent in symbols(path):
        if name.startswith(wanted.encode() + b"\0"):
            return value, extent
    raise KeyError(wanted)


def find_symbol(path, wanted):
    return find_place(path, wanted)[0]


def find_size(path, wanted):
    return find_place(path, wanted)[1]


def bytes_at(path, address, length):
    """What the file loads at `address`; ValueError when no section has it."""
    data, sections = read_sections(path)
    for kind, flags, start, offset, size, _ in sections:
        if kind == 1 and flags & 2 and start <= address and address + length <= start + size:  # PROGBITS, allocated
            return data[offset + address - start:offset + address - start + length]
    raise ValueError(f"{path} has no {length} bytes at {address:#x}")
