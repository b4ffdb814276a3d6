# SPDX-License-Identifier: Apache-2.0
"""Each folder with sources says what it is for: in a README of its own, or by name in the next one above."""
import posixpath

from sources import Violation

# The tree mirrors the one it tests; its README says so once for all.
MIRRORS = ("test/unit",)


def check(root, sources):
    described = {posixpath.dirname(source.path): source for source in sources if source.name == "README.md"}
    folders = {posixpath.dirname(source.path) for source in sources if source.name != "README.md"}
    for folder in sorted(folders - set(described) - {""}):
        if any(folder.startswith(mirror + "/") for mirror in MIRRORS) or folder.startswith("."):
            continue
        above = posixpath.dirname(folder)
        while above and above not in described:
            above = posixpath.dirname(above)
        text = "\n".join(described[above].lines) if above in described else ""
        inside = posixpath.relpath(folder, above or ".")
        included = inside.removeprefix("include/")  # as headers are included
        if not any(name in text for name in (f"`{inside}/", f"`{inside}`", f"`{included}/")):
            where = f"{above}/README.md".lstrip("/")
            yield Violation(folder, 1, "readme", f"no README.md, and {where} does not name `{inside}/`")
    for folder, source in sorted(described.items()):
        if folder and len([line for line in source.lines if line.strip()]) < 2:
            yield source.violation(1, "readme", "a README of one line says nothing")
