# SPDX-License-Identifier: Apache-2.0
"""The machines that scenarios run on, and their QEMU command lines.

Flat images only: QEMU enters an ELF file at another exception level than hardware does. Nothing
reads the runner's own standard input, every machine is without network, display and monitor.

Several virtual CPUs take turns on one thread of the host: a guest CPU that waits for the kernel's
lock (wfe) or for an interrupt (wfi) passes its turn on, so four cost hardly more than one however
busy the host is. On a thread each they would also wait for CPUs that the host has put aside; this
is `parallel`, which alone finds what only true simultaneity shows. With `icount` time is counted in
instructions, so that a run is the same on every host, and a slower clock makes turns shorter.
"""

import dataclasses
import os
import re

from handover import Handover


@dataclasses.dataclass(frozen=True)
class Drive:
    """A virtio block device over a file that is made for the run, all zero."""

    kilobytes: int
    serial: str = ""
    read_only: bool = False

    def words(self, number, folder):
        path = self.path(number, folder)
        with open(path, "wb") as file:
            file.truncate(self.kilobytes << 10)
        read_only = ",readonly=on" if self.read_only else ""
        serial = f",serial={self.serial}" if self.serial else ""
        return ["-drive", f"if=none,id=drive{number},format=raw,file={path}{read_only}",
                "-device", f"virtio-blk-device,drive=drive{number},bus=virtio-mmio-bus.{number}{serial}"]

    @staticmethod
    def path(number, folder):
        return os.path.join(folder, f"drive{number}.img")


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
    icount: int | None = None  # deterministic: a guest instruction takes 2^icount ns
    parallel: bool = False  # a thread of the host for each CPU
    handover: Handover | None = None  # virt only: x0 as this says, no boot arguments
    memory_mb: int = 256  # virt only
    ram: str = ""  # virt only: the file that is its RAM, shared with whoever looks from outside
    boot_arguments: str = ""
    drives: tuple = ()  # of Drive, virt only: in the first transports
    extra: tuple = ()  # more QEMU words

    def __post_init__(self):
        if self.board not in ("virt", "raspi4b") or self.cpus not in (1, 2, 3, 4) or self.gic not in (2, 3):
            raise ValueError(f"no such machine: {self}")
        if (self.parallel and self.icount is not None) or (self.handover and self.board != "virt"):
            raise ValueError(f"no such machine: {self}")
        if self.board == "raspi4b" and self.cpus < 4 and not self.tree:
            raise ValueError("without a tree raspi4b has no boot arguments, hence all CPUs")

    @property
    def image_board(self):
        """What the image is built for."""
        return "virt" if self.board == "virt" else "rpi4"

    @property
    def host_threads(self):
        """How many CPUs of the host it keeps busy."""
        return self.cpus if self.parallel else 1

    @property
    def signs(self):
        """Patterns of what every image prints at its start on this machine, in this order, and first."""
        level = 2 if self.el2 or self.board == "raspi4b" else 1
        gic = self.gic if self.board == "virt" else 2
        source = "firmware" if self.tree and not self.handover else "(firmware|image)"
        if not self.tree:
            source = "image"
        return (rf"\A\s*Tessera EL{level}$", rf"^boot: device-tree from={source}$", rf"^boot: interrupts gic={gic}$")

    def describe(self):
        words = [self.board, f"{self.cpus}cpu"]
        if self.board == "virt":
            words.append(f"gic{self.gic}")
            words.append("el2" if self.el2 else "el1")
            if self.cpu != "cortex-a72":
                words.append(self.cpu)
        elif not self.tree:
            words.append("no-tree")
        if self.icount is not None:
            words.append(f"icount{self.icount}")
        if self.parallel:
            words.append("parallel")
        if self.handover:
            words.append(self.handover.name)
        return " ".join(words)

    def command(self, image, tree, boot_arguments="", folder=""):
        """The words of QEMU. `tree` is the board's own; `folder` takes files that a handover or a drive needs."""
        arguments = " ".join(filter(None, ["tessera.semihost", self.boot_arguments, boot_arguments]))
        words = ["qemu-system-aarch64", "-nic", "none", "-display", "none", "-monitor", "none"]
        words += ["-serial", "stdio", "-no-reboot", "-semihosting-config", "enable=on,target=native"]
        if self.board == "virt":
            options = f"virt,gic-version={self.gic}" + (",virtualization=on" if self.el2 else "")
            if self.icount is not None:
                options += ",dtb-randomness=off"
            if self.ram:
                options += ",memory-backend=ram"
                words += ["-object", f"memory-backend-file,id=ram,share=on,size={self.memory_mb}M,mem-path={self.ram}"]
            words += ["-M", options, "-cpu", self.cpu, "-smp", str(self.cpus), "-m", str(self.memory_mb)]
        else:
            words += ["-M", "raspi4b"]
            arguments = " ".join(filter(None, [f"tessera.cpus={self.cpus}" if self.cpus < 4 else "", arguments]))
            if self.tree:
                words += ["-dtb", tree]
        if self.icount is not None:
            words += ["-icount", f"shift={self.icount},sleep=off"]
        elif not self.parallel:
            words += ["-accel", "tcg,thread=single"]
        if self.drives:
            words += ["-global", "virtio-mmio.force-legacy=false"]
        for number, drive in enumerate(self.drives):
            words += drive.words(number, folder)
        words += list(self.extra)
        if self.handover:
            return words + self.handover.write(folder, image, tree)
        if self.board == "virt" or self.tree:
            words += ["-append", arguments]
        return words + ["-kernel", image]


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
