# SPDX-License-Identifier: Apache-2.0
"""Measures other systems on this machine: the bound, a bare-metal program of this repository that does
only what any kernel must, and Debian's Linux. Figures of seL4 are the recorded ones of peers.json,
since building it takes sources from elsewhere; so are Linux's when its package cannot be fetched."""

import contextlib
import os
import re
import subprocess
import time

from debian_kernel import Unavailable
from linux_peer import measure_linux

HERE = os.path.dirname(os.path.abspath(__file__))
VARIANTS = {"kernel.null_call": 0, "ipc.round_trip.short": 2}  # what limit.S calls VARIANT
LINE = re.compile(r"per round trip: (\d+)")


def measure_bound(folder, variant):
    """Guest instructions a round trip of one variant."""
    program = os.path.join(folder, f"limit-{variant}.elf")
    subprocess.run(["aarch64-linux-gnu-gcc", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none",
                    "-Wl,--no-warn-rwx-segments", f"-Wl,-T,{HERE}/peers/limit.ld", f"-DVARIANT={variant}",
                    "-o", program, f"{HERE}/peers/limit.S"], stdin=subprocess.DEVNULL, check=True, timeout=60)
    result = subprocess.run(
        ["qemu-system-aarch64", "-M", "virt,gic-version=2", "-cpu", "cortex-a72", "-m", "128", "-nic", "none",
         "-display", "none", "-monitor", "none", "-serial", "stdio", "-semihosting-config",
         "enable=on,userspace=on,target=native", "-icount", "shift=0,align=off,sleep=off", "-kernel", program],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
    found = LINE.search(result.stdout)
    if not found:
        raise RuntimeError(f"the bound's variant {variant} printed no figure: {result.stdout!r}")
    return int(found.group(1)) // 100


@contextlib.contextmanager
def step(text):
    """Says what is being done and then how long it took."""
    print(f"peer: {text} ... ", end="", flush=True)
    start = time.monotonic()
    outcome = "failed after "
    try:
        yield
        outcome = ""
    finally:
        print(f"{outcome}{time.monotonic() - start:.1f} s", flush=True)


def measure_peers(build):
    """{name: {system: value}} as measured now."""
    folder = os.path.join(build, "test/bench")
    os.makedirs(folder, exist_ok=True)
    with step("build and boot the bound"):
        measured = {name: {"bound": measure_bound(folder, variant)} for name, variant in VARIANTS.items()}
    try:
        _, figures = measure_linux(os.path.join(folder, "linux"), step)
    except Unavailable as error:
        print(f"peer: Linux is not measured, its figures below are recorded ones: {error}")
        return measured
    for name, value in figures.items():
        measured.setdefault(name, {})["Linux"] = value
    return measured


def take_over(recorded, measured):
    """Puts measured figures in place of recorded ones; returns lines that tell both."""
    lines = []
    for name, figures in measured.items():
        for system, value in figures.items():
            before = recorded.setdefault(name, {}).get(system)
            change = f"recorded {before}, {100 * value / before - 100:+.1f} %" if before else "none recorded"
            lines.append(f"{name} of {system}: {value} ({change})")
            recorded[name][system] = value
    return lines
