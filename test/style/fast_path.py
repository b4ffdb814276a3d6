#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Object code of the IPC fast path: no stack, no calls, no touch of the payload.

    fast_path.py ELF...

While kernel/ipc/fast.cpp runs, SP points at the caller's frame and x10-x15, x18 hold the message, so
its functions may name none of them; x9, the tag, they may read. Prints each instruction that does.
"""
import re
import shutil
import subprocess
import sys

FUNCTIONS = ("ipc_fast_call", "ipc_fast_reply")
INSTRUCTION = re.compile(r"^\s*[0-9a-f]+:\t(\S+)\s*(.*)$")
STACK = re.compile(r"\bw?sp\b")
PAYLOAD = re.compile(r"\b[wx]1[0-58]\b")
TAG_WRITTEN = re.compile(r"^[wx]9\b")
READ_FIRST = ("st", "cmp", "cmn", "tst", "cb", "tb", "ccmp", "msr")  # their first operand is a source
TOOLS = ("aarch64-linux-gnu-objdump", "llvm-objdump-19", "aarch64-none-elf-objdump")


def judge(mnemonic, operands):
    """What an instruction does that it may not, or None."""
    if mnemonic in ("bl", "blr"):
        return "calls a function"
    operands = operands.split("//")[0].split("<")[0]
    if STACK.search(operands):
        return "names the stack pointer"
    if PAYLOAD.search(operands):
        return "names a register of the payload"
    if TAG_WRITTEN.search(operands) and not mnemonic.startswith(READ_FIRST):
        return "writes the tag"
    return None


def check(tool, elf):
    """(function, address and text, cause) of each wrong instruction, and how many were looked at."""
    wrong, count = [], 0
    for function in FUNCTIONS:
        listing = subprocess.run([tool, "-d", "--no-show-raw-insn", f"--disassemble={function}", elf],
                                 capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
        found = [INSTRUCTION.match(line) for line in listing.stdout.splitlines()]
        found = [each for each in found if each]
        if not found:
            wrong.append((function, elf, "is not in this file"))
        for each in found:
            if cause := judge(*each.groups()):
                wrong.append((function, each.group(0).strip(), cause))
        count += len(found)
    return wrong, count


def main():
    tool = next(filter(shutil.which, TOOLS), None)
    if tool is None or len(sys.argv) < 2:
        print("style: no objdump for AArch64 is installed, or no file was given", file=sys.stderr)
        return 2
    failed = False
    for elf in sys.argv[1:]:
        wrong, count = check(tool, elf)
        for function, text, cause in wrong:
            print(f"{function}: {text}: fast-path: {cause}")
        print(f"style fast path: {count} instructions, {len(wrong)} violations")
        failed |= bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
