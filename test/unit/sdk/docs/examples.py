#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles the examples of documents: every fenced block of a page that names a file.

    ```psl file=security.psl     is written to that file and checked: .idl, .edl and .cdl by idlc,
                                 .psl by policyc, .yaml with the security.psl written before it
    ```text printed              is what the check of the block before it prints, to the letter; a
                                 block without this prints nothing. The check fails just when one of
                                 these lines says 'error'
    ```text report               has lines of policyc's report on the policy before it, each from the
                                 cost on: a number, with an s when the rule is on state

A .psl file with assert blocks is parsed by idlc, then run by `tessera policy test` (--tool tests=...);
without that program the last line but one says how many were not run. Each page has a folder of its own;
the files of the page given with --common come first in each. `--update` writes what is printed into the
pages. Closes with `N passed, N failed`, counting files and quoted reports.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^```(\w+)(?: file=([\w./-]+)| (printed|report))?\s*$")
TEST_BLOCK = re.compile(r"^assert\b", re.MULTILINE)


class Block:
    """A fenced block: its lines are lines[begin:end] of the page."""

    def __init__(self, begin, head):
        self.begin, self.end = begin, None
        self.language, self.file, self.role = head.group(1), head.group(2), head.group(3)


def read_blocks(lines):
    blocks, current, is_other = [], None, False
    for number, line in enumerate(lines):
        if current is not None or is_other:
            if line.startswith("```"):
                if current is not None:
                    current.end = number
                    blocks.append(current)
                current, is_other = None, False
        elif head := FENCE.match(line):
            current = Block(number + 1, head)
        elif line.startswith("```"):
            if "file=" in line or "printed" in line or "report" in line:
                raise ValueError(f"line {number + 1}: a fence that cannot be read: {line}")
            is_other = True
    if current is not None or is_other:
        raise ValueError("the last fenced block has no end")
    return blocks


class Checker:
    """Runs the tools in one folder; what they print has no host paths in it."""

    def __init__(self, tools, sdk, folder):
        self.tools, self.sdk, self.folder = tools, sdk, folder
        self.syntax_only = 0

    def run(self, *command):
        environment = dict(os.environ, NO_COLOR="1", LC_ALL="C.UTF-8")
        return subprocess.run(command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120)

    def includes(self):
        return ["-I", ".", "-I", f"{self.sdk}/interfaces", "-I", f"{self.sdk}/policies"]

    def check(self, file, text):
        """Exit status and what was printed about a file."""
        if file.endswith(".yaml"):
            done = self.run(self.tools["policy"], "--sdk", self.sdk, "graph", "--system", file)
            return done.returncode, done.stderr
        if not file.endswith(".psl"):
            done = self.run(self.tools["idlc"], *self.includes(), "--check", file)
            return done.returncode, done.stderr
        if not TEST_BLOCK.search(text):
            done = self.run(self.tools["policyc"], *self.includes(), "--check", file)
            return done.returncode, done.stderr
        done = self.run(self.tools["idlc"], "--check", file)
        if done.returncode != 0:
            return done.returncode, done.stderr
        if "tests" not in self.tools:
            self.syntax_only += 1
            return 0, done.stderr
        done = self.run(self.tools["tests"], "--sdk", self.sdk, "test", file)
        return done.returncode, done.stderr + (done.stdout if done.returncode != 0 else "")

    def costs(self, file):
        """From 'security.psl:4 grant ()' to what the report says it costs."""
        done = self.run(self.tools["policyc"], *self.includes(), "--check", "--report", "-", file)
        rules = (line.split(maxsplit=2) for line in done.stdout.split("\n") if ".psl:" in line)
        return {" ".join(rule[2].split()): rule[1] for rule in rules if len(rule) == 3}


def cost_text(line):
    """A line of a report block without the cost it begins with."""
    return " ".join(line.split()[1:])


def check_page(page, common, checker):
    """(line, what is wrong or an empty text, replacement lines or None) of everything checked."""
    lines = page.read_text(encoding="utf-8").split("\n")
    for name, text in common:
        (checker.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (checker.folder / name).write_text(text, encoding="utf-8")
    blocks = read_blocks(lines)
    last_policy = None
    for block, following in zip(blocks, blocks[1:] + [None]):
        text = "\n".join(lines[block.begin:block.end]) + "\n"
        if block.role == "report":
            if last_policy is None:
                raise ValueError(f"line {block.begin}: a report before any policy")
            expected, printed = lines[block.begin:block.end], checker.costs(last_policy)
            quoted = [f"{printed.get(text, '?'):>5} {text}" for text in map(cost_text, expected)]
            is_same = [line.split() for line in quoted] == [line.split() for line in expected]
            reason = "" if is_same else "\n".join(["--- in the report", *quoted])
            yield block.begin, reason, (block, quoted)
        if not block.file:
            continue
        path = checker.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if block.file.endswith(".psl") and not TEST_BLOCK.search(text):
            last_policy = block.file
        quote = following if following is not None and following.role == "printed" else None
        expected = "\n".join(lines[quote.begin:quote.end]) if quote else ""
        status, printed = checker.check(block.file, text)
        printed = printed.rstrip("\n")
        reason = ""
        if printed != expected:
            reason = f"--- expected\n{expected}\n--- printed\n{printed}"
        elif (status != 0) != bool(re.search(r" error TS| error: ", expected)):
            reason = f"exit status {status}"
        yield block.begin, reason, (quote, printed.split("\n")) if quote else None


def update(page, replacements):
    lines = page.read_text(encoding="utf-8").split("\n")
    for quote, printed in reversed(replacements):
        lines[quote.begin:quote.end] = printed
    page.write_text("\n".join(lines), encoding="utf-8")


def common_files(page):
    lines = page.read_text(encoding="utf-8").split("\n")
    return [(block.file, "\n".join(lines[block.begin:block.end]) + "\n")
            for block in read_blocks(lines) if block.file]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tool", action="append", default=[], metavar="NAME=PATH",
                        help="idlc, policyc, policy; tests: a policy program that has `test`")
    parser.add_argument("--sdk", required=True, help="folder of interfaces/ and policies/")
    parser.add_argument("--common", type=pathlib.Path, help="page whose files all pages use")
    parser.add_argument("--update", action="store_true", help="accept what the tools print")
    parser.add_argument("pages", nargs="+", type=pathlib.Path, help="pages or their folders")
    options = parser.parse_args()
    tools = {name: os.path.abspath(path) for name, path in (tool.split("=", 1) for tool in options.tool)}
    pages = []
    for item in options.pages:
        pages += sorted(item.rglob("*.md")) if item.is_dir() else [item]
    common = common_files(options.common) if options.common else []
    passed = failed = syntax_only = 0
    for page in pages:
        replacements = []
        with tempfile.TemporaryDirectory() as name:
            checker = Checker(tools, os.path.abspath(options.sdk), pathlib.Path(name))
            try:
                for line, reason, replacement in check_page(page, common, checker):
                    passed, failed = (passed, failed + 1) if reason else (passed + 1, failed)
                    if reason:
                        print(f"{page.name}:{line}: FAIL\n{reason}\n")
                    if replacement:
                        replacements.append(replacement)
            except (ValueError, KeyError, subprocess.TimeoutExpired) as error:
                failed += 1
                print(f"{page.name}: FAIL\n{error}\n")
            syntax_only += checker.syntax_only
        if options.update:
            update(page, replacements)
    if syntax_only:
        print(f"{syntax_only} files of tests were parsed, not run")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
