# SPDX-License-Identifier: Apache-2.0
"""Which files the gates look at, and what a violation is."""
import dataclasses
import functools
import os
import pathlib

# Folders without sources of ours: builds, what was fetched, files that are wrong on purpose.
SKIPPED_NAMES = {".git", "subprojects", "__pycache__", "meson-private"}
SKIPPED_PATHS = {"build", "test/style/fixtures", "test/golden", "test/bench/peers"}
SUFFIXES = {".hpp", ".cpp", ".h", ".c", ".S", ".py", ".sh", ".dts", ".dtsi", ".ld", ".idl", ".cdl",
            ".edl", ".psl", ".def", ".yaml", ".json", ".ini", ".md"}
CODE = {".hpp", ".cpp", ".h", ".c", ".S"}


@dataclasses.dataclass(frozen=True, order=True)
class Violation:
    path: str
    line: int
    rule: str
    text: str


@dataclasses.dataclass(frozen=True)
class Source:
    root: pathlib.Path
    path: str  # from the root, with '/'

    @property
    def suffix(self):
        return pathlib.PurePosixPath(self.path).suffix

    @property
    def name(self):
        return pathlib.PurePosixPath(self.path).name

    @functools.cached_property
    def lines(self):
        return (self.root / self.path).read_text(encoding="utf-8", errors="replace").splitlines()

    def is_code(self):
        return self.suffix in CODE

    def is_below(self, *folders):
        return any(self.path.startswith(folder + "/") for folder in folders)

    def violation(self, line, rule, text):
        return Violation(self.path, line, rule, text)


def is_script(path):
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def find_sources(root):
    """Every source below `root`, in a fixed order."""
    found = []
    for folder, names, files in os.walk(root):
        relative = pathlib.Path(folder).relative_to(root).as_posix()
        names[:] = sorted(
            name for name in names
            if name not in SKIPPED_NAMES
            and (name if relative == "." else f"{relative}/{name}") not in SKIPPED_PATHS
            and not (pathlib.Path(folder) / name / "meson-private").is_dir())
        for name in sorted(files):
            path = pathlib.Path(folder) / name
            if path.is_symlink() or not path.is_file():
                continue
            if path.suffix in SUFFIXES or name in ("meson.build", "meson_options.txt") \
                    or (path.suffix == "" and is_script(path)):
                found.append(Source(root, path.relative_to(root).as_posix()))
    return found
