# SPDX-License-Identifier: Apache-2.0
"""The machines that scenarios run on, and their QEMU command lines.

Flat images only: QEMU enters an ELF file at another exception level than hardware does. Nothing
reads the runner's own standard input, every machine is without network, display and monitor.
"""

import dataclasses
import os
import re


@dataclasses.dataclass(frozen=True)
class Machine:
    """One QEMU variant. `boot_arguments` reach the guest in /chosen/bootargs.

    Every machine has semihosting, and is told so by the boot argument tessera.semihost: a kernel
    that powers off with a code makes QEMU exit with it.
    """

    board: str = "virt"  # or "raspi4b"
    cpus: int = 1  # raspi4b always has 4; fewer are used by the boot argument tessera.cpus=N
    gic: int = 2  # virt only
    el2: bool = False  # virt only: enter at EL2, PSCI by SMC
    cpu: str = "cortex-a72"  # virt only; "max" has PAN, BTI, PAC and a large GIC
    tree: bool = True  # raspi4b only: whether QEMU passes a device tree
    icount: bool = False  # deterministic: one guest instruction a nanosecond
    memory_mb: int = 256  # virt only
    boot_arguments: str = ""
    extra: tuple = ()  # more QEMU words

    def __post_init__(self):
        if self.board not in ("virt", "raspi4b") or self.cpus not in (1, 2, 3, 4) or self.gic not in (2, 3):
            raise ValueError(f"no such machine: {self}")

    @property
    def image_board(self):
        """What the image is built for."""
        return "virt" if self.board == "virt" else "rpi4"

    def describe(self):
        words = [self.board, f"{self.cpus}cpu"]
        if self.board == "virt":
            words.append(f"gic{self.gic}")
            words.append("el2" if self.el2 else "el1")
            if self.cpu != "cortex-a72":
                words.append(self.cpu)
        elif not self.tree:
            words.append("no-tree")
        if self.icount:
            words.append("icount")
        return " ".join(words)

    def command(self, image, tree, boot_arguments=""):
        arguments = " ".join(filter(None, ["tessera.semihost", self.boot_arguments, boot_arguments]))
        words = ["qemu-system-aarch64", "-nic", "none", "-display", "none", "-monitor", "none"]
        words += ["-serial", "stdio", "-no-reboot", "-semihosting-config", "enable=on,target=native"]
        if self.board == "virt":
            options = f"virt,gic-version={self.gic}" + (",virtualization=on" if self.el2 else "")
            if self.icount:
                options += ",dtb-randomness=off"
            words += ["-M", options, "-cpu", self.cpu, "-smp", str(self.cpus), "-m", str(self.memory_mb)]
        else:
            words += ["-M", "raspi4b"]
            arguments = " ".join(filter(None, [f"tessera.cpus={self.cpus}" if self.cpus < 4 else "", arguments]))
            if self.tree:
                words += ["-dtb", tree]
        if self.board == "virt" or self.tree:
            words += ["-append", arguments]
        if self.icount:
            words += ["-icount", "shift=0,sleep=off"]
        elif self.cpus > (os.cpu_count() or 1) or self.board == "raspi4b":
            # More virtual CPUs than real ones: the fair lock would wait for CPUs that the host has put
            # aside, so they take turns on one thread. With enough of them they run at the same time.
            words += ["-accel", "tcg,thread=single"]
        return words + list(self.extra) + ["-kernel", image]


def virt(**options):
    return Machine(board="virt", **options)


def raspi4b(**options):
    return Machine(board="raspi4b", **{"cpus": 4, **options})


def variants(boards=("virt", "raspi4b")):
    """Every boot path there is, once: CPUs x GIC x entry level on virt, CPUs and trees on raspi4b."""
    machines = []
    if "virt" in boards:
        machines += [virt(cpus=c, gic=g, el2=e) for c in (1, 2, 4) for g in (2, 3) for e in (False, True)]
        machines += [virt(cpus=2, gic=3, cpu="max")]
    if "raspi4b" in boards:
        machines += [raspi4b(cpus=c) for c in (1, 2, 4)] + [raspi4b(tree=False)]
    return machines


ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def clean(text):
    """UART bytes as lines of text."""
    return ANSI.sub("", text.decode("utf-8", "replace")).replace("\r", "")
