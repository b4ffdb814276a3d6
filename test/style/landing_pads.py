#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether every function of the kernel whose address is taken begins with a landing pad.

    landing_pads.py ELF...

Files on the way of messages are built without landing pads, because nobody calls their functions by
address; on a CPU with BTI a call that does is a kernel panic. An address counts as taken where a
relocation puts it, or an adrp and an add make it.
"""
import struct
import sys

PADS = {0xd503245f, 0xd50324df, 0xd503233f}  # bti c, bti jc, paciasp
SYMBOLS, FUNCTION = 2, 2
LOWEST = 40  # functions whose address the kernel takes, of some 55: fewer were not found
RELOCATED = {0, 1027}  # none, and R_AARCH64_RELATIVE: what early_map applies
EXEMPT = {"enable_mmu", "image_start", "primary_high", "secondary_high", "secondary_entry", "primary_entry", "park"}  # bti j, or no BTI yet


class Elf:
    """Sections and functions of a 64-bit little-endian file."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        offset, = struct.unpack_from("<Q", self.bytes, 0x28)
        size, count, names = struct.unpack_from("<HHH", self.bytes, 0x3a)
        self.headers = [struct.unpack_from("<IIQQQQIIQQ", self.bytes, offset + i * size) for i in range(count)]
        texts = self.content(self.headers[names])
        self.sections = {self.text(texts, header[0]): header for header in self.headers}
        self.functions = {}
        for header in self.headers:
            if header[1] == SYMBOLS:
                self.read_functions(self.content(header), self.content(self.headers[header[6]]))

    def content(self, header):
        return self.bytes[header[4]:header[4] + header[5]]

    @staticmethod
    def text(texts, at):
        return texts[at:texts.index(b"\0", at)].decode()

    def read_functions(self, symbols, texts):
        for name, info, _, _, value, _ in struct.iter_unpack("<IBBHQQ", symbols):
            if info & 15 == FUNCTION:
                self.functions[value] = self.text(texts, name)


def words(elf, section, form):
    header = elf.sections[section]
    content = elf.content(header)
    return [word for word, in struct.iter_unpack(form, content[:len(content) // 8 * 8])], header[3]


def made_by_code(code, start):
    """Addresses that an adrp and a later add make."""
    pages, made = {}, set()
    for at, word in enumerate(code):
        if word & 0x9f000000 == 0x90000000:
            pages_on = ((word >> 5) & 0x7ffff) << 2 | ((word >> 29) & 3)
            pages_on -= (pages_on >> 20) << 21
            pages[word & 31] = (((start + 4 * at) >> 12) + pages_on) << 12
        elif word & 0xffc00000 == 0x91000000 and (word >> 5) & 31 in pages:
            made.add(pages[(word >> 5) & 31] + ((word >> 10) & 0xfff))
    return made


def check(path):
    """Names of functions without a landing pad whose address is taken, and how many are taken in all."""
    elf = Elf(path)
    code, start = words(elf, ".text", "<I")
    taken = made_by_code(code, start)
    kinds = set()
    for _, kind, address in struct.iter_unpack("<QQQ", elf.content(elf.sections[".rela.dyn"])):
        kinds.add(kind)
        taken.add(address)
    if kinds - RELOCATED:
        sys.exit(f"{path}: has relocations of kinds {sorted(kinds - RELOCATED)}, which the start does not know")
    taken = {address for address in taken if address in elf.functions and elf.functions[address] not in EXEMPT}
    return sorted(elf.functions[each] for each in taken if code[(each - start) // 4] not in PADS), len(taken)


def main():
    failed = len(sys.argv) < 2
    for path in sys.argv[1:]:
        bare, count = check(path)
        for name in bare:
            print(f"{path}: {name} has no landing pad, but its address is taken")
        if count < LOWEST:
            print(f"{path}: only {count} functions whose address is taken were found: this check does not see them")
        failed = failed or bool(bare) or count < LOWEST
        print(f"{path}: {count} functions are called by address")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
