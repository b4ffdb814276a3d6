#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the list of functions in docs/posix.md with what the C library contains.

    posix.py --tool objdump=PATH --library LIBC.a --headers FOLDER --numbers musl_numbers.h
             --source ROOT docs/posix.md [--update]

For each function of posix/functions this follows the library's own calls down to the numbers that
sdk/posix is asked for, and looks whether its table has an answer to them. What a look at code cannot
see (an argument that is refused, a limit) stands in posix/notes, and what tests found in the manifest
of the Open POSIX Test Suite. `--update` writes the list anew. Closes with `N passed, N failed`.
"""

import argparse
import collections
import difflib
import pathlib
import re
import subprocess
import sys

BEGIN = "<!-- Written by test/golden/posix.py; do not edit. -->"
END = "<!-- End of what test/golden/posix.py writes. -->"
HERE = pathlib.Path(__file__).resolve().parent / "posix"
WIDTH = 120
# Ways down of which the number is the first argument.
WAYS = ("__tessera_syscall", "__tessera_syscall_cp", "__syscall_cp", "__setxid", "syscall")
# ENOSYS, as a function returns it, and as it leaves it to another one to put it into errno.
NO_SUCH = (("mov", "w0, #0x26"), ("mov", "x0, #0xffffffffffffffda"))
PASSED = ("PASS", "BUILT")
FAILED = ("FAIL", "HUNG", "INTERRUPTED")
SYSTEM_TESTS = ("posix", "files")


def read_functions(path):
    """header -> names, in the file's order."""
    headers, here = {}, []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        head, colon, rest = line.partition(": ")
        if colon and not line.startswith(" "):
            here = headers.setdefault(head, [])
        here += (rest if colon and not line.startswith(" ") else line).split()
    return headers


def read_notes(path):
    """name -> (state, words); lines are `NAMES: STATE, WORDS`, and of calls `call NAMES: WORDS`."""
    notes, calls = {}, {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            names, _, words = line.partition(": ")
            if names.startswith("call "):
                calls.update({name: words for name in names.split()[1:]})
                continue
            state, _, words = words.partition(", ")
            notes.update({name: (state, words) for name in names.split()})
    return notes, calls


class Library:
    """The functions of an archive and what each calls."""

    def __init__(self, objdump, path):
        self.places = collections.defaultdict(list)  # name -> (member, section, address)
        self.strong = {}
        self.aliases = {}
        self.objects = set()  # names of variables
        self.calls = collections.defaultdict(set)
        self.numbers = collections.defaultdict(set)
        self.unknown = set()
        self.refusing = set()  # what has ENOSYS among its constants
        self._read_symbols(subprocess.run([objdump, "-t", path], capture_output=True, text=True, check=True).stdout)
        self._read_code(subprocess.run([objdump, "-dr", "--no-show-raw-insn", path],
                                       capture_output=True, text=True, check=True).stdout)

    def _read_symbols(self, text):
        member = ""
        for line in text.splitlines():
            if found := re.match(r"(\S+):\s+file format", line):
                member = found[1]
            elif found := re.match(r"([0-9a-f]{16}) (.{7}) (\S+)\t[0-9a-f]+ (?:\.hidden )?(\S+)$", line):
                address, flags, section, name = found.groups()
                if "F" in flags:
                    key = (member, section, int(address, 16))
                    if flags[0] == "l":
                        self.aliases[member, name] = key
                    elif flags[1] == "w" and name in self.strong:
                        pass
                    else:
                        if flags[1] != "w":
                            self.strong[name] = key
                        self.aliases[name] = key
                    self.aliases.setdefault((member, section), key)
                elif section not in ("*UND*", "*ABS*") and flags[0] != "l":
                    self.objects.add(name)

    def find(self, member, name):
        return self.aliases.get((member, name)) or self.aliases.get(name)

    def _read_code(self, text):
        member = section = ""
        here, before = None, []
        for line in text.splitlines():
            if found := re.match(r"(\S+):\s+file format", line):
                member = found[1]
            elif found := re.match(r"Disassembly of section (\S+):", line):
                section = found[1]
            elif found := re.match(r"([0-9a-f]{16}) <(.*)>:$", line):
                here, before = (member, section, int(found[1], 16)), []
            elif found := re.match(r"\s+[0-9a-f]+: (R_AARCH64_\w+)\s+([^\s+]+)", line):
                kind, target = found.groups()
                if target in WAYS and kind in ("R_AARCH64_CALL26", "R_AARCH64_JUMP26"):
                    self._add_number(here, before)
                    if target == "__setxid":
                        self.calls[here].add(self.find(member, target))
                elif key := self.find(member, target):
                    self.calls[here].add(key)
            elif found := re.match(r"\s+[0-9a-f]+:\t(\S+)(?:\s+(.*?))?\s*(?://.*)?$", line):
                before.append((found[1], found[2] or ""))
                if self._refuses(before):
                    self.refusing.add(here)

    @staticmethod
    def _refuses(before):
        return before[-1] == NO_SUCH[1] or (before[-1][0] == "ret" and NO_SUCH[0] in before[-3:-1])

    def _add_number(self, here, before):
        """What x0 holds: the last value that was put there."""
        register = "0"
        for name, words in reversed(before[:-1]):
            found = re.match(rf"[xw]{register}, (\S+)$", words)
            if not found or not name.startswith("mov"):
                continue
            if found[1].startswith("#"):
                self.numbers[here].add(int(found[1][1:], 0))
                return
            register = found[1][1:]
        self.unknown.add(here)

    def reach(self, name):
        """The numbers behind a function."""
        seen, left, numbers = set(), [self.aliases[name]], set()
        while left:
            key = left.pop()
            if key not in seen:
                seen.add(key)
                numbers |= self.numbers[key]
                left += self.calls[key]
        return numbers


def read_table(source, numbers_file):
    """number -> name of all calls, and the numbers that are answered."""
    names, backed = {}, set()
    for name, number in re.findall(r"^#define __NR_(\w+)\s+(\d+)$", numbers_file.read_text(encoding="utf-8"), re.M):
        names[int(number)] = name
    by_name = {name: number for number, name in names.items()}
    table = (source / "sdk/posix/table.cpp").read_text(encoding="utf-8")
    for name in re.findall(r"\{__NR_(\w+), \w+\}", table):
        backed.add(by_name[name])
    return names, backed


def read_results(source, functions):
    """name -> (tests that passed, those that failed) of the suite; and the names that system tests call."""
    results = collections.defaultdict(lambda: ([], []))
    for line in (source / "test/system/posix_suite/manifest").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, result = line.split()
            folder, _, test = name.partition("/")
            results[folder][0 if result in PASSED else 1].extend([test] if result in PASSED + FAILED else [])
    called = set()
    for folder in SYSTEM_TESTS:
        for path in sorted((source / "test/system" / folder).glob("*.c")):
            called |= functions.intersection(re.findall(r"\b(\w+)\(", path.read_text(encoding="utf-8")))
    return results, called


def declared(headers, header, name):
    """Whether the header has the name, or one of those that it includes."""
    left, seen = [header], set()
    while left:
        path = headers / left.pop()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        text = path.read_text(encoding="utf-8")
        if re.search(rf"\b{name}\b", text):
            return True
        left += re.findall(r"#include <([\w/.]+)>", text)
    return False


def judge(name, header, library, options, table, notes):
    """(state, words) of one function."""
    names, backed, harmless = table
    if not (options.headers / header).is_file():
        return "absent", f"`<{header}>` is not installed"
    if name not in library.aliases:
        if not declared(options.headers, header, name):
            return "absent", ""
        text = (options.headers / header).read_text(encoding="utf-8")
        if name in library.objects or re.search(rf"#\s*define\s+{name}\b", text) or name == "environ":
            return notes.get(name, ("done", ""))
        return "absent", notes.get(name, ("", "does not link"))[1]
    reached = library.reach(name)
    lacking = sorted(names[number] for number in reached - backed if names[number] not in harmless)
    state = ("done", "")
    if not reached and library.aliases[name] in library.refusing:
        state = ("absent", "always `ENOSYS`")
    if lacking:
        state = ("partial" if reached & backed else "absent", "no " + ", ".join(f"`{each}`" for each in lacking))
    return notes.get(name, state)


def make_list(options):
    headers = read_functions(HERE / "functions")
    notes, harmless = read_notes(HERE / "notes")
    functions = {name for names in headers.values() for name in names}
    if unknown := notes.keys() - functions:
        sys.exit(f"posix.py: notes on what is no function: {sorted(unknown)}")
    library = Library(options.objdump, options.library)
    if library.unknown and options.verbose:
        print("posix.py: number not known in", sorted(library.unknown))
    table = (*read_table(options.source, options.numbers), harmless)
    results, called = read_results(options.source, functions)
    states, lines, tested = collections.Counter(), [], 0
    for header, names in headers.items():
        rows = collections.defaultdict(list)
        for name in sorted(names, key=lambda each: (each.strip("_").lower(), each)):
            state, words = judge(name, header, library, options, table, notes)
            good, bad = results[name]
            if bad and state != "absent":
                state = "partial"
                words = "; ".join(filter(None, [words, "Open POSIX fails " + ", ".join(sorted(bad))]))
            seen = bool(good) or name in called
            tested += seen and state != "absent"
            states[state] += 1
            rows[state].append((name + ("\\*" if seen and state != "absent" else ""), words))
        lines += section(header, rows)
    total = sum(states.values())
    head = [f"Of {total:,} functions, macros and variables {states['done']:,} are done, {states['partial']} partial and "
            f"{states['absent']} absent. A star: {tested} of them are", "what a passed test of the Open POSIX Test Suite "
            "is about or what `test/system/posix` or `test/system/files` call.", ""]
    return "\n".join(head + lines)


def section(header, rows):
    """The lines of one header; what shares a reason shares a line."""
    lines = [f"### `{header}`", ""]
    if rows["done"]:
        lines += fold("- done: " + ", ".join(name for name, _ in rows["done"]))
    for state in ("partial", "absent"):
        reasons = collections.defaultdict(list)
        for name, words in rows[state]:
            reasons[words].append(name)
        for words, names in reasons.items():
            lines += fold(f"- {state}: " + ", ".join(names) + (f" ({words})" if words else ""))
    return lines + [""]


def fold(text):
    lines, here = [], ""
    for word in text.split(" "):
        if here and len(here) + 1 + len(word) > WIDTH:
            lines.append(here)
            here = "  " + word
        else:
            here = f"{here} {word}" if here else word
    return lines + [here]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("library", "headers", "numbers", "source"):
        parser.add_argument("--" + name, type=pathlib.Path, required=True)
    parser.add_argument("--objdump", required=True)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("page", type=pathlib.Path)
    options = parser.parse_args()
    text = options.page.read_text(encoding="utf-8")
    made = make_list(options)
    before, found, rest = text.partition(BEGIN + "\n")
    kept, ended, after = rest.partition(END)
    if not found or not ended:
        sys.exit(f"posix.py: {options.page} has no place for the list")
    if options.update:
        options.page.write_text(before + found + made + "\n" + END + after, encoding="utf-8")
        kept = made
    if kept.rstrip("\n") != made.rstrip("\n"):
        print(*difflib.unified_diff(kept.splitlines(), made.splitlines(), str(options.page), "the library",
                                    lineterm="", n=0), sep="\n")
        print("posix.py: run it again with --update, and look at the difference")
        print("0 passed, 1 failed")
        return 1
    print("1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
