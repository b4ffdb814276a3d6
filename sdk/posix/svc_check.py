#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the C library has no way into the kernel but through sdk/posix: no svc in any member.

    svc_check.py LIBRARY.a

Looks at every word of every executable section, so a constant among code would count as well.
"""
import struct
import sys

SVC_MASK, SVC = 0xffe0001f, 0xd4000001
EXECUTABLE = 4  # SHF_EXECINSTR
LEAST_WORDS = 50_000  # of some 84,000: fewer means that this did not find the code


def members(archive):
    """(name, bytes) of each ELF file in an ar archive, whose headers are 60 bytes of text."""
    if archive[:8] != b"!<arch>\n":
        sys.exit("musl-svc: not an archive with its members inside")
    at = 8
    while at + 60 <= len(archive):
        size = int(archive[at + 48:at + 58])
        content = archive[at + 60:at + 60 + size]
        if content[:4] == b"\x7fELF":
            yield archive[at:at + 16].decode().strip(), content
        at += 60 + size + size % 2


def executable_words(elf):
    offset, = struct.unpack_from("<Q", elf, 0x28)
    size, count = struct.unpack_from("<HH", elf, 0x3a)
    for i in range(count):
        header = struct.unpack_from("<IIQQQQIIQQ", elf, offset + i * size)
        if header[2] & EXECUTABLE:
            content = elf[header[4]:header[4] + header[5]]
            yield from (word for word, in struct.iter_unpack("<I", content[:len(content) // 4 * 4]))


def main():
    with open(sys.argv[1], "rb") as file:
        archive = file.read()
    looked_at = 0
    found = []
    for name, elf in members(archive):
        for word in executable_words(elf):
            looked_at += 1
            if word & SVC_MASK == SVC:
                found.append(name)
    print(f"musl-svc: {looked_at} words of code, {len(found)} of them svc {sorted(set(found))}")
    return 0 if looked_at >= LEAST_WORDS and not found else 1


if __name__ == "__main__":
    sys.exit(main())
