#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles tests of the Open POSIX Test Suite and puts many of them into one archive.

    build.py --source TAR --manifest FILE --classes CLASS,... --program NAME --folder DIR
             --library ARCHIVE ... --nm NM --objcopy OBJCOPY --ar AR --archive OUT --names OUT -- CC ARGS...

Nothing of a test is changed. After it is compiled its main() gets a name of its own and all else that
it defines becomes local, so that one program can hold hundreds; a table of the names leads to them. What
does not compile, or wants functions that the libraries do not have, is left out; the
list of names that the runner gets has it with the reason. So it has a file without main(), of which the
suite wants only that it compiles: BUILT.
"""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tarfile

# What compilers since the suite's time refuse.
OLD_STYLE = ["-std=gnu99", "-D_POSIX_C_SOURCE=200112L", "-w", "-Wno-implicit-function-declaration",
             "-Wno-implicit-int", "-Wno-int-conversion", "-Wno-incompatible-pointer-types", "-Wno-return-type"]
# Tests of asynchronous I/O compare with the version of their time, and leave <fcntl.h> to <aio.h>.
ASYNCHRONOUS = ("aio_", "lio_")
AIO_HEADER = pathlib.Path(__file__).resolve().parent / "asynchronous.h"
# Of the compiler's own library, which is always linked.
COMPILERS_OWN = ("__addtf", "__subtf", "__multf", "__divtf", "__fix", "__float", "__ext", "__trunc", "__netf",
                 "__eqtf", "__letf", "__getf", "__lttf", "__gttf", "__unordtf", "__stack_chk")


def parse():
    parser = argparse.ArgumentParser()
    for name in ("source", "manifest", "folder", "archive", "names"):
        parser.add_argument("--" + name, type=pathlib.Path, required=True)
    for name in ("classes", "program", "nm", "objcopy", "ar"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--library", action="append", required=True)
    parser.add_argument("compiler", nargs="+")
    return parser.parse_args()


def selected(manifest, classes):
    """The names of the tests of these classes."""
    rows = [line.split() for line in manifest.read_text(encoding="utf-8").splitlines()
            if line and not line.startswith("#")]
    return [row[0] for row in rows if row[1] in classes]


def unpack(source, folder):
    """The suite's folder."""
    kept = folder / "source"
    if not kept.is_dir():
        partial = folder / "source.partial"
        with tarfile.open(source) as archive:
            archive.extractall(partial, filter="data") if hasattr(tarfile, "data_filter") \
                else archive.extractall(partial)
        partial.rename(kept)
    return next(kept.glob("*/conformance")).parent if not (kept / "conformance").is_dir() else kept


def run(words):
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    return result.returncode == 0, result.stderr


def compile_one(options, root, number, name):
    """The object of a test, or why there is none."""
    source = root / "conformance/interfaces" / (name + ".c")
    target = options.folder / f"{name.replace('/', '.')}.o"
    first = ["-include", str(AIO_HEADER)] if name.startswith(ASYNCHRONOUS) else []
    fine, words = run(options.compiler + OLD_STYLE + first + ["-I", str(root / "include"), "-c", str(source), "-o", str(target)])
    if not fine:
        return None, "does not compile: " + next((l for l in words.splitlines() if "error" in l), "?")
    entry = f"suite_test_{number}"
    fine, words = run([options.objcopy, f"--redefine-sym=main={entry}", f"--keep-global-symbol={entry}", str(target)])
    return (target, "") if fine else (None, words.strip())


def names_in(options, files, kind):
    """Symbols of a kind (-u undefined, --defined-only) by file."""
    found = {}
    words = [options.nm, kind, "-A", "-P", "-g"]
    result = subprocess.run(words + [str(f) for f in files], capture_output=True, text=True, check=True)
    for line in result.stdout.splitlines():
        place, _, rest = line.partition(": ")
        found.setdefault(place.split("[")[0].strip(), set()).add(rest.split()[0])
    return found


def plain(text):
    """What can stand in a string of C."""
    return text.replace("\\", "/").replace('"', "'")[:160]


def main():
    options = parse()
    options.folder.mkdir(parents=True, exist_ok=True)
    root = unpack(options.source, options.folder)
    names = selected(options.manifest, options.classes.split(","))
    workers = max(1, len(os.sched_getaffinity(0)))
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        objects = list(pool.map(lambda pair: compile_one(options, root, *pair), enumerate(names)))
    own = names_in(options, [target for target, _ in objects if target], "--defined-only")
    there = set().union(*names_in(options, options.library, "--defined-only").values())
    wanted = names_in(options, [target for target, _ in objects if target], "-u")
    rows, left = [], []
    for number, (name, (target, why)) in enumerate(zip(names, objects)):
        lacking = sorted(symbol for symbol in wanted.get(str(target), ())
                         if symbol not in there and not symbol.startswith(COMPILERS_OWN))
        if not target or lacking:
            left.append((name, "NOT-BUILT", why or "there is no " + " ".join(lacking)))
        elif str(target) not in own:
            left.append((name, "BUILT", "has no main()"))
        else:
            rows.append((number, name, target))
    table = options.folder / "table.c"
    header = pathlib.Path(__file__).resolve().parent / "suite.h"
    table.write_text(f'#include "{header}"\n'
                     + "".join(f"int suite_test_{number}(int, char**);\n" for number, _, _ in rows)
                     + "const struct test tests[] = {\n"
                     + "".join(f'    {{"{name}", suite_test_{number}}},\n' for number, name, _ in rows)
                     + "    {0, 0},\n};\n", encoding="utf-8")
    table_object = options.folder / "table.o"
    fine, words = run(options.compiler + ["-c", str(table), "-o", str(table_object)])
    if not fine:
        sys.exit(f"build.py: {words}")
    options.archive.unlink(missing_ok=True)
    fine, words = run([options.ar, "crsD", str(options.archive)] + [str(row[2]) for row in rows] + [str(table_object)])
    if not fine:
        sys.exit(f"build.py: {words}")
    options.names.write_text("".join(f'TEST("{options.program}", "{name}")\n' for _, name, _ in rows)
                             + "".join(f'OTHER("{name}", "{result}", "{plain(why)}")\n' for name, result, why in left),
                             encoding="utf-8")
    print(f"posix suite: {options.program}: {len(rows)} of {len(names)} tests, {len(left)} are not run")


if __name__ == "__main__":
    main()
