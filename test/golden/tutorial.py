#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does what a tutorial tells its reader to do, in an empty folder, and compares what is printed.

Fenced blocks of the document, in order:

    ```idl file=lab/Valve.idl      is written to that file, whatever the first word
    ```console                     holds lines `$ command` with what each prints

Commands go to bash, all in one folder; `tessera policy` is the program given with --tool. Output is
standard output and error as they come. `--update` writes what was printed into the document. Closes with
`N passed, N failed`, counting commands.
"""

import argparse
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^```(\w+)?(?:\s+file=(\S+))?\s*$")


def blocks(lines):
    """(kind, file, first line, line after the last) of each fenced block."""
    begin = None
    for number, line in enumerate(lines):
        if begin is not None and line.startswith("```"):
            yield begin[1], begin[2], begin[0], number
            begin = None
        elif begin is None and (found := FENCE.match(line)):
            begin = (number + 1, found.group(1), found.group(2))
    if begin is not None:
        raise ValueError(f"the block of line {begin[0]} has no end")


def commands(lines):
    """Each command with the lines it is expected to print."""
    result = []
    for line in lines:
        if line.startswith("$ "):
            result.append((line[2:], []))
        elif result:
            result[-1][1].append(line)
        else:
            raise ValueError(f"output before a command: {line}")
    return result


def run(command, folder, environment):
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    return done.stdout.decode("utf-8", "replace").rstrip("\n").split("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tool", required=True, help="the program behind `tessera policy`")
    parser.add_argument("--sdk", required=True)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("document", type=pathlib.Path)
    options = parser.parse_args()
    lines = options.document.read_text(encoding="utf-8").split("\n")
    output = []
    passed = failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        command_folder = folder / ".bin"
        command_folder.mkdir()
        script = command_folder / "tessera"
        script.write_text("#!/bin/sh\n[ \"$1\" = policy ] || exit 2\nshift\nexec "
                          f"{shlex.quote(os.path.abspath(options.tool))} --sdk "
                          f"{shlex.quote(os.path.abspath(options.sdk))} \"$@\"\n", encoding="utf-8")
        script.chmod(0o755)
        environment = dict(os.environ, NO_COLOR="1", LC_ALL="C.UTF-8",
                           PATH=f"{command_folder}:{os.environ['PATH']}")
        after = 0
        for kind, file, begin, end in blocks(lines):
            output += lines[after:begin]
            after = end
            if file:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_text("\n".join(lines[begin:end]) + "\n", encoding="utf-8")
            if kind != "console":
                output += lines[begin:end]
                continue
            for command, expected in commands(lines[begin:end]):
                printed = run(command, folder, environment)
                printed = [] if printed == [""] else printed
                output += ["$ " + command, *printed]
                if printed == [line for line in expected if line or printed]:
                    passed += 1
                else:
                    failed += 1
                    print(f"line {begin}: {command}", "--- expected", *expected, "--- printed", *printed, sep="\n")
        output += lines[after:]
    if options.update:
        options.document.write_text("\n".join(output), encoding="utf-8")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
