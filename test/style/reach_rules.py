# SPDX-License-Identifier: Apache-2.0
"""How far each method of the kernel reaches: it is @safe or @dangerous, as the comment of its interface says."""
import re

from sources import Violation

FOLDER = "sdk/interfaces/kl/core"
ENDPOINT = re.compile(r"^\s*\w+\s*:\s*kl\.core\.(\w+)\s*$")
METHOD = re.compile(r"^ {4}(\w+)\s*\(")
TAGS = {"@safe", "@dangerous"}


def read(lines):
    """Methods with their lines, and the words of the comment right before `interface`."""
    methods, words, number_of_interface, is_comment = {}, [], 0, False
    for number, line in enumerate(lines, 1):
        if number_of_interface:
            if not is_comment and (found := METHOD.match(line)):
                methods[found.group(1)] = number
            is_comment = "*/" not in line and (is_comment or "/*" in line)
        elif line.startswith("interface"):
            number_of_interface = number
        elif line.startswith("/*"):
            words = line[2:].replace("*/", "").split()
        else:
            words += line.replace("*/", "").split()
    return methods, words, number_of_interface


def check(root):
    folder = root / FOLDER
    served = sorted({found.group(1) for path in folder.glob("*.cdl")
                     for line in path.read_text(encoding="utf-8").splitlines()
                     if (found := ENDPOINT.match(line))})
    for name in served:
        path = f"{FOLDER}/{name}.idl"
        methods, words, place = read((root / path).read_text(encoding="utf-8").splitlines())
        begin = next((i for i, word in enumerate(words) if word in TAGS), len(words))
        tagged = [word for word in words[begin:] if word not in TAGS]
        for method, number in methods.items():
            if tagged.count(method) != 1:
                how = "neither" if method not in tagged else "more than once"
                yield Violation(path, number, "reach", f"{method} must be @safe or @dangerous in the comment "
                                                       f"right before `interface`, and is {how}")
        for word in tagged:
            if word not in methods:
                yield Violation(path, place, "reach", f"there is no method {word}")
