# SPDX-License-Identifier: Apache-2.0
"""Rules that a compiler or clang-format judges."""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess

from sources import Violation

FREESTANDING = ["-ffreestanding", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics",
                "-mgeneral-regs-only", "-mstrict-align", "-mcpu=cortex-a72"]
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wold-style-cast", "-Wundef", "-Wvla",
            "-Werror"]
EL1_COMPILERS = [["aarch64-linux-gnu-g++"], ["clang++-19", "--target=aarch64-linux-gnu"]]
HOST_COMPILERS = [["g++"], ["clang++-19"]]
INCLUDES = ["ksec/include", "sdk/runtime/include", "sdk/driver/include", "sdk/lang/include",
            "sdk/idlc/include", "sdk/policyc/include", "sdk/compat/include"]
FREESTANDING_FOLDERS = ("kernel", "arch", "ksec", "platform", "services", "sdk/runtime",
                        "sdk/compat", "sdk/driver", "sdk/idlc/include/idl")


SUPPRESSION = re.compile(r"\bNOLINT(NEXTLINE|BEGIN)?\b")
REASONED = re.compile(r"\bNOLINT(NEXTLINE|BEGIN)?\([\w.,-]+\): \w")


class CannotRun(Exception):
    """The tool that a check needs is missing."""


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, **options)


def in_parallel(function, items):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return [found for result in pool.map(function, items) for found in result]


def check_format(root, sources):
    tool = shutil.which("clang-format-19") or shutil.which("clang-format")
    if tool is None:
        raise CannotRun("clang-format-19 is not installed; install the package clang-format-19")
    files = [source.path for source in sources if source.suffix in (".hpp", ".cpp", ".h")]

    def check_batch(batch):
        output = run([tool, "--dry-run", "-Werror", *batch], cwd=root).stderr
        seen = set()
        for line in output.splitlines():
            if found := re.match(r"([^:\s]+):(\d+):\d+: error:", line):
                if found.group(1) not in seen:
                    seen.add(found.group(1))
                    yield Violation(found.group(1), int(found.group(2)), "format",
                                    "differs from clang-format -i, here first")

    batches = [files[i:i + 20] for i in range(0, len(files), 20)]
    return in_parallel(lambda batch: list(check_batch(batch)), batches)


def installed(compilers, chosen):
    if chosen:
        return [each.split() for each in chosen]
    found = [command for command in compilers if shutil.which(command[0])]
    if not found:
        raise CannotRun(f"none of {', '.join(each[0] for each in compilers)} is installed")
    return found


def flags_for(source, arguments):
    """Compiler arguments for a file of this place in the tree."""
    freestanding = source.is_below(*FREESTANDING_FOLDERS)
    mock = source.is_below("test", "sdk/lang", "sdk/idlc", "sdk/policyc", "sdk/imagec")
    arch = "test/mock_arch/include" if mock else "arch/aarch64/include"
    flags = ["-std=c++20", "-fsyntax-only", "-xc++", *WARNINGS, "-I."]
    own = [source.path.rsplit("/include/", 1)[0] + "/include"] if "/include/" in source.path else []
    flags += [f"-I{folder}" for folder in [*own, arch, *INCLUDES]]
    board = "platform/rpi4" if source.is_below("platform/rpi4") else "platform/virt"
    flags += [f"-I{board}"]
    flags += [f"-I{folder}" for folder in arguments.generated]
    return flags + (FREESTANDING if freestanding else [])


def find_generated(build_roots, sources):
    """Folders of the build that hold what idlc made: each is an include path of some target."""
    folders = [os.path.dirname(source.path) for source in sources if source.name == "meson.build"]
    return [root / folder for root in build_roots for folder in folders
            if folder and any((root / folder).rglob("*.idl.h*"))]


FIRST_INCLUDE = re.compile(r"^#include [<\"]([^>\"]+)[>\"]", re.M)


def find_first_includes(sources):
    """What sources include before anything else, as they name it and from their own folder: the build sees these alone."""
    names = set()
    for source in sources:
        if source.suffix == ".cpp" and (found := FIRST_INCLUDE.search("\n".join(source.lines))):
            names |= {found.group(1), os.path.normpath(f"{os.path.dirname(source.path)}/{found.group(1)}")}
    return names


def check_headers(arguments, sources):
    """Headers that include bindings which are not built yet are counted, not compiled."""
    arguments.generated = find_generated(arguments.build, sources)
    headers = [source for source in sources if source.suffix == ".hpp"
               or (source.suffix == ".h" and source.is_below(*FREESTANDING_FOLDERS, "test"))]
    first = find_first_includes(sources)
    count = len(headers)
    headers = [source for source in headers
               if source.path not in first and source.path.rpartition("/include/")[2] not in first]
    jobs = []
    for source in headers:
        cross = source.is_below(*FREESTANDING_FOLDERS)
        compilers = installed(EL1_COMPILERS if cross else HOST_COMPILERS, arguments.compiler)
        jobs += [(source, compiler) for compiler in compilers]

    left_out = set()

    def check_one(job):
        source, compiler = job
        # A file that includes only this header: "#pragma once" in a main file is a warning.
        command = [*compiler, *flags_for(source, arguments), "-"]
        result = subprocess.run(command, input=f'#include "{source.path}"\n', cwd=arguments.root,
                                capture_output=True, text=True, check=False)
        if result.returncode == 0:
            return []
        if re.search(r"fatal error: '?[\w/]+\.(idl|edl|cdl|client|server|endpoints|views)\.h(pp)?", result.stderr):
            left_out.add(source.path)
            return []
        first = next((line for line in result.stderr.splitlines() if "error" in line),
                     result.stderr.strip()[:200])
        return [source.violation(1, "header-alone", f"{compiler[0]}: {first}")]

    violations = in_parallel(check_one, jobs)
    print(f"  {len(headers) - len(left_out)} headers compiled alone, {count - len(headers)} not, since a source includes "
          f"them first, {len(left_out)} left out because their generated includes are not built")
    return violations


def check_initialisers(arguments, sources):
    """clang names every namespace-scope object that would need code at start or at exit."""
    if shutil.which("clang++-19") is None:
        raise CannotRun("clang++-19 is not installed; install the package clang-19")
    arguments.generated = find_generated(arguments.build, sources)
    files = [source for source in sources if source.suffix == ".cpp"
             and source.is_below("kernel", "arch", "ksec", "platform")]

    def check_one(source):
        command = ["clang++-19", "--target=aarch64-linux-gnu", *flags_for(source, arguments),
                   "-Wno-everything", "-Wno-error", "-Wglobal-constructors",
                   "-Wexit-time-destructors", source.path]
        result = run(command, cwd=arguments.root)
        found = []
        for line in result.stderr.splitlines():
            if match := re.match(r"([^:\s]+):(\d+):\d+: (warning|error): (.*)", line):
                path, number, kind, text = match.groups()
                rule = "initialiser" if kind == "warning" else "does-not-compile"
                found.append(Violation(os.path.relpath(arguments.root / path, arguments.root),
                                       int(number), rule, text))
        return found

    return in_parallel(check_one, files)


def check_tidy(arguments, sources):
    """clang-tidy agrees with the EL1 code, and each suppression names its check and reason."""
    tool = shutil.which("clang-tidy-19")
    if tool is None:
        raise CannotRun("clang-tidy-19 is not installed; install the package clang-tidy-19")
    arguments.generated = find_generated(arguments.build, sources)
    config = arguments.root / ".clang-tidy"
    if not config.is_file():
        config = pathlib.Path(__file__).resolve().parents[2] / ".clang-tidy"
    code = [source for source in sources if source.is_below("kernel", "ksec", "arch")
            and source.suffix in (".hpp", ".cpp", ".h")]
    violations = [source.violation(number, "suppression", "name the check and, after a colon, the reason")
                  for source in code for number, line in enumerate(source.lines, 1)
                  if SUPPRESSION.search(line) and not REASONED.search(line)]

    def check_one(source):
        command = [tool, "--quiet", f"--config-file={config}", source.path, "--",
                   "--target=aarch64-linux-gnu", *flags_for(source, arguments), "-Wno-everything", "-Wno-error"]
        result = run(command, cwd=arguments.root)
        found = [match.groups() for line in result.stdout.splitlines()
                 if (match := re.match(r"([^:\s]+):(\d+):\d+: error: (.*) \[([\w.-]+)[\],]", line))]
        if result.returncode and not found:
            return [source.violation(1, "tidy", f"clang-tidy failed: {result.stderr.strip()[:200]}")]
        relative = [(os.path.relpath(arguments.root / path, arguments.root), *rest) for path, *rest in found]
        # Whatever the folders around the checkout are called: generated headers are not meant.
        return [Violation(path, int(number), "tidy", f"{check}: {text}") for path, number, text, check in relative
                if path.split(os.sep)[0] in ("kernel", "ksec", "arch")]

    files = [source for source in code if source.suffix == ".cpp"]
    return violations + sorted(set(in_parallel(check_one, files)))  # a header is seen from many files
