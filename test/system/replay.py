# SPDX-License-Identifier: Apache-2.0
"""Asks the policy's interpreter what the kernel's policy module was asked, in the same order, and compares.

A guest prints the log that the kernel kept as lines `policy: log LETTERS`, a letter for each event: T or G when
the first process took or gave back, U or H when the second did, in capitals when that was granted
(test/system/programs/policy.cpp).
"""

import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ("test/system/programs", "sdk/interfaces", "sdk/policies")
EVENTS = {"t": ("p", "Take"), "g": ("p", "Give"), "u": ("q", "Take"), "h": ("q", "Give")}


def letters_of(output):
    return "".join(re.findall(r"^policy: log ([GgHhTtUu]+)$", output, re.M))


def tests_of(letters):
    """The log as a test of the policy."""
    cases = []
    for letter in letters:
        process, method = EVENTS[letter.lower()]
        cases.append(f"        {'grant' if letter.isupper() else 'deny'} security src={process} method={method}")
    return "\n".join(["use security._", 'assert "the log" {', "    sequence {",
                      "        p <- execute src=trial.Tests dst=trial.Claimant",
                      "        q <- execute src=trial.Tests dst=trial.Claimant", *cases, "    }", "}", ""])


def replay(output, tool, folder, at_least):
    """(name, passed, detail) of one finding."""
    letters = letters_of(output)
    name = "the interpreter decides as the kernel did"
    if len(letters) < at_least:
        return name, False, f"{len(letters)} of {at_least} events were logged"
    path = os.path.join(folder, "log.psl")
    with open(path, "w", encoding="utf-8") as file:
        file.write(tests_of(letters))
    words = [tool, "test", path, "--source-only"]
    for each in FOLDERS:
        words += ["-I", os.path.join(ROOT, each)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except OSError as error:
        return name, False, str(error)
    lines = (done.stdout + done.stderr).splitlines()
    sums = [line for line in lines if re.search(rf"\b{len(letters) + 2} passed, 0 failed", line)]
    return name, done.returncode == 0 and bool(sums), sums[0] if sums else " | ".join(lines[:4])
