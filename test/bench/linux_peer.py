# SPDX-License-Identifier: Apache-2.0
"""Measures Debian's kernel on the machine the bench image runs on, with peers/linux_bench.c as /init."""

import os
import stat

from bench_lines import parse_figures
from debian_kernel import Unavailable, fetch_kernel, last_words, run

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "peers/linux_bench.c")
FILES_SOURCE = os.path.join(HERE, "files/meter.c")
FIGURES = ("ipc.round_trip.short", "ipc.round_trip.64b", "ipc.round_trip.4k", "ipc.round_trip.64k",
           "kernel.null_call", "thread.switch", "file.open_read_close", "file.stat", "file.read_4k", "file.write_4k",
           "file.read_64k.kib", "file.write_64k.kib", "file.fread_1m.kib", "posix.thread", "posix.mutex", "posix.turn")
SECONDS = 240  # of which an idle machine takes ten
MACHINE = ("-M", "virt,gic-version=2", "-cpu", "cortex-a72", "-smp", "1", "-m", "512", "-nic", "none",
           "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
           "-icount", "shift=0,align=off,sleep=off")
WORDS = "console=ttyAMA0 quiet loglevel=3 panic=-1"


def cpio_entry(name, mode, data=b"", device=(0, 0), number=0):
    """One file as the format "newc" has it: a header of hexadecimal fields, name and data, all padded to 4."""
    text = name.encode() + b"\0"
    fields = (number, mode, 1, 0, 0, 0, len(data), 0, 0, *device, len(text), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + text
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def initial_files(program, files_program):
    """The initial file system: /init, the /files that it runs, and the console they talk to."""
    return b"".join((
        cpio_entry("dev", stat.S_IFDIR | 0o755, number=1),
        cpio_entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1), number=2),
        cpio_entry("init", stat.S_IFREG | 0o755, program, number=3),
        cpio_entry("files", stat.S_IFREG | 0o755, files_program, number=4),
        cpio_entry("TRAILER!!!", 0)))


def parse_linux(output):
    """{name: instructions} of all FIGURES; Unavailable, naming them, when some were not printed."""
    found = {name: value for name, (unit, value) in parse_figures(output).items() if unit == "instructions"}
    missing = [name for name in FIGURES if name not in found]
    if missing:
        lines = output.strip().splitlines() or ["nothing"]
        raise Unavailable(f"Linux printed no figure for {', '.join(missing)}; its last line: {lines[-1]}")
    return {name: found[name] for name in FIGURES}


def build(folder, name, source):
    """The bytes of a program for Linux."""
    program = os.path.join(folder, name)
    result = run(["aarch64-linux-gnu-gcc", "-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE", "-static", "-pthread", "-o", program, source], 120)
    if result.returncode != 0:
        raise Unavailable(f"the program for Linux does not build ({last_words(result)})")
    with open(program, "rb") as file:
        return file.read()


def build_initial_files(folder):
    """Path of the initial file system, made anew."""
    path = os.path.join(folder, "initial_files.cpio")
    with open(path, "wb") as archive:
        archive.write(initial_files(build(folder, "init", SOURCE), build(folder, "files", FILES_SOURCE)))
    return path


def measure_linux(folder, step):
    """The kernel's name, and {name: instructions} as measured now. Raises Unavailable."""
    os.makedirs(folder, exist_ok=True)
    kernel = fetch_kernel(folder, step)
    name = os.path.basename(kernel).removeprefix("vmlinuz-")
    with step("build its /init"):
        files = build_initial_files(folder)
    with step(f"boot Linux {name} and measure"):
        result = run(["qemu-system-aarch64", *MACHINE, "-kernel", kernel, "-initrd", files, "-append", WORDS],
                     SECONDS)
        figures = parse_linux(result.stdout + result.stderr)
    return name, figures
