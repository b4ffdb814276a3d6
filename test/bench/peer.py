# SPDX-License-Identifier: Apache-2.0
"""Measures on this machine what can be built from this repository: the bound, a bare-metal program
that does only what any kernel must. Other systems' figures are the recorded ones of peers.json,
since building those systems takes sources from elsewhere."""

import os
import re
import subprocess

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


def measure_peers(build):
    """{name: {"bound": value}} as measured now."""
    folder = os.path.join(build, "test/bench")
    os.makedirs(folder, exist_ok=True)
    print("measuring the bound on this machine; figures of other systems are recorded ones")
    return {name: {"bound": measure_bound(folder, variant)} for name, variant in VARIANTS.items()}
