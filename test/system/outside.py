# SPDX-License-Identifier: Apache-2.0
"""What looks at a running machine from outside, and changes its memory: the RAM of QEMU is a file that both map.

RAM is full of a pattern at power-on, so that what was never cleared shows. An observer runs beside the boot, in a
thread, and has findings of its own at the end.
"""

import contextlib
import mmap
import os
import random
import signal
import struct
import threading
import time

from elf_file import find_size, find_symbol

PATTERN = bytes.fromhex("00e7c25e00e7c25e")  # 0x5EC2E7005EC2E700, as in test/system/programs/memory.cpp
PAGE = 4096
RAM_BASE = 0x40000000  # of virt
LINEAR = 0xFFFFFF8000000000  # arch/inline.hpp
IMAGE = 0xFFFFFFC000000000  # where the ELF file is linked
PARTS = 8  # pointers in kernel::Parts, the first to the begin of the state
ADDRESS = 0x0000FFFFFFFFF000
MAX_ASID = 64

# A page-table entry. [ARM] "Translation table descriptor formats"
VALID, TABLE, EL0, READ_ONLY, PXN, UXN = 1, 2, 1 << 6, 1 << 7, 1 << 53, 1 << 54


class Ram:
    """The physical memory of a machine."""

    def __init__(self, path, size, kernel_elf, image):
        with open(path, "r+b") as file:
            self.bytes = mmap.mmap(file.fileno(), size)
        self.size = size
        self.elf = kernel_elf
        with open(image, "rb") as file:
            self.head = file.read(64)
        self.image = None

    @staticmethod
    def fill(path, size):
        with open(path, "wb") as file:
            for _ in range(size >> 20):
                file.write(PATTERN * ((1 << 20) // len(PATTERN)))

    def word(self, at):
        return struct.unpack_from("<Q", self.bytes, at - RAM_BASE)[0]

    def table(self, at):
        return struct.unpack_from("<512Q", self.bytes, at - RAM_BASE)

    def is_ram(self, at):
        return RAM_BASE <= at < RAM_BASE + self.size

    def symbol(self, name):
        """Physical address of one of the kernel's symbols; None before the image is there."""
        if self.image is None:
            at = self.bytes.find(self.head)
            if at < 0:
                return None
            self.image = RAM_BASE + at
        return self.image + find_symbol(self.elf, name) - IMAGE

    def size_of(self, name):
        return find_size(self.elf, name)

    def state(self):
        """Physical range of the kernel's state, as far as pointers tell; None before it is there."""
        parts = self.symbol("_ZN6kernel7g_partsE")
        pointers = [] if parts is None else [self.word(parts + 8 * i) - LINEAR for i in range(PARTS)]
        return (min(pointers), max(pointers)) if pointers and all(map(self.is_ram, pointers)) else None

    def flip(self, at, bit):
        self.bytes[at - RAM_BASE] ^= 1 << bit


class Observer(threading.Thread):
    """One machine's. `more()` says whether another boot is wanted, with an observer made anew."""

    pause = 0.02

    def __init__(self, ram, seed):
        super().__init__(daemon=True)
        self.ram = ram
        self.random = random.Random(seed)
        self.over = threading.Event()
        self.process = None  # QEMU, once it runs
        self.ready_at = 0.0

    def run(self):
        while not self.over.is_set():
            if self.process is not None and self.ram.state() is not None:
                self.ready_at = self.ready_at or time.monotonic()
                self.step(self.ram.state())
            self.over.wait(self.pause)

    def attach(self, process):
        self.process = process

    def summary(self):
        """What it did, for people."""
        return "; ".join(f"{name}: {detail}" for name, _, detail in self.findings())

    @contextlib.contextmanager
    def stopped(self):
        """Holds the machine still, if it still runs: then nothing changes between two looks."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            yield True
        except ChildProcessError:  # it was stopped for good, and waited for, since
            yield False
        finally:
            self.process.send_signal(signal.SIGCONT)

    def finish(self):
        self.over.set()
        self.join()


class TableWalk(Observer):
    """Walks all page tables again and again: the kernel's, and those of every process that a thread names."""

    def __init__(self, ram, seed):
        super().__init__(ram, seed)
        self.count = 0
        self.most_spaces = 0
        self.most_pages = 0
        self.looked_twice = 0
        self.wrong = set()

    def roots(self, state):
        """Of processes: in the frame of each thread its process's root, with the ASID above it."""
        words = struct.unpack_from(f"<{(state[1] - state[0]) // 8}Q", self.ram.bytes, state[0] - RAM_BASE)
        found = {word & ADDRESS: word >> 48 for word in words
                 if 1 <= word >> 48 <= MAX_ASID and word & 0xFFF == 0 and self.ram.is_ram(word & ADDRESS)}
        return {root: asid for root, asid in found.items() if self.is_root(root)}

    def is_root(self, at, level=1):
        """Whether it has the form; registers of EL0, which may hold anything, stand in those frames, too."""
        links = [entry for entry in self.ram.table(at) if entry != 0]
        return bool(links) and all(entry & ~ADDRESS == VALID | TABLE and self.ram.is_ram(entry & ADDRESS) and
                   (level == 2 or self.is_root(entry & ADDRESS, 2)) for entry in links)

    def leaves(self, root, tables):
        """(physical, size, entry) of each mapping below a root; `tables` takes the tables' frames."""
        pending = [(root, 1)]
        while pending:
            at, level = pending.pop()
            tables.add(at)
            for entry in self.ram.table(at):
                if not entry & VALID:
                    continue
                below = entry & ADDRESS
                if level < 3 and entry & TABLE:
                    if self.ram.is_ram(below):
                        pending.append((below, level + 1))
                else:
                    yield below, PAGE << 9 * (3 - level), entry

    def violations(self, state):
        """What is wrong, if nothing changed meanwhile."""
        found, writable, runnable, frames, tables = set(), set(), set(), set(), set()
        kernel_tables = set()
        pages = 0
        for at, size, entry in self.leaves(self.ram.symbol("kernel_tables"), kernel_tables):
            pages += size // PAGE
            if entry & EL0 or not entry & UXN:
                found.add(f"kernel page of EL0 at {at:#x}")
            if not entry & READ_ONLY and not entry & PXN:
                found.add(f"kernel page writable and executable at {at:#x}")
        roots = self.roots(state)
        for root, asid in roots.items():
            for at, _, entry in self.leaves(root, tables):
                pages += 1
                if not entry & PXN:
                    found.add(f"page of asid {asid} that EL1 may run at {at:#x}")
                if not entry & READ_ONLY and not entry & UXN:
                    found.add(f"page of asid {asid} writable and executable at {at:#x}")
                if self.ram.is_ram(at):
                    frames.add(at)
                    (runnable if not entry & UXN else set() if entry & READ_ONLY else writable).add(at)
        found |= {f"frame writable and executable at {at:#x}" for at in writable & runnable}
        found |= {f"page table mapped by a process at {at:#x}" for at in frames & (tables | kernel_tables)}
        image_end = self.ram.symbol("__image_end")
        found |= {f"kernel memory mapped by a process at {at:#x}" for at in frames
                  if self.ram.image <= at < image_end or state[0] <= at < state[1]}
        self.most_spaces = max(self.most_spaces, len(roots))
        self.most_pages = max(self.most_pages, pages)
        return found

    def step(self, state):
        # While the machine runs, a frame can be seen as the table that it was and as the page that it is.
        if self.violations(state):
            self.looked_twice += 1
            with self.stopped() as is_still:
                self.wrong |= self.violations(state) if is_still else set()
        self.count += 1

    def findings(self):
        return [("page tables keep their rules", not self.wrong, "; ".join(sorted(self.wrong)[:4])),
                ("page tables were seen", self.count >= 20 and self.most_spaces >= 4 and self.most_pages > 1000,
                 f"{self.count} walks, {self.looked_twice} again on the stopped machine, at most {self.most_spaces} "
                 f"processes, {self.most_pages} pages")]

    def more(self):
        return False


class Trial(TableWalk):
    """The same, and how much of the kernel's stacks was used: they are zeros when the image is loaded."""

    # arch/percpu.h: of each CPU, in this order
    PARTS = (("guard", 4096), ("stack", 8192), ("guard", 4096), ("emergency", 4096))
    ALLOWED = 8192 * 3 // 4

    def used(self):
        """(part, bytes from its end down to the lowest word that is not zero) of each part of each CPU."""
        at = self.ram.symbol("cpu_stacks") - RAM_BASE
        end = at + self.ram.size_of("cpu_stacks")
        while at < end:
            for part, size in self.PARTS:
                content = self.ram.bytes[at:at + size]
                yield part, (len(content.lstrip(b"\0")) + 7) // 8 * 8
                at += size

    def findings(self):
        used = list(self.used())
        most = max(size for part, size in used if part == "stack")
        others = [size for part, size in used if part != "stack" and size > 0]
        return super().findings() + [
            ("kernel stacks are used to 75 % at most", 0 < most <= self.ALLOWED and not others,
             f"at most {most} of 8192 bytes, {len(others)} guards and emergency stacks written")]


class Layout(Observer):
    """Boots a machine several times and looks where the kernel went: how far above the address it is linked for."""

    BOOTS = 6
    slides = []

    def step(self, _):
        pass

    def finish(self):
        super().finish()
        delta = self.ram.symbol("kernel_delta")
        self.slides.append(None if delta is None else (self.ram.word(delta) + self.ram.image - IMAGE) % 2**64)

    def findings(self):
        seen = ", ".join("nowhere" if slide is None else f"{slide:#x}" for slide in self.slides)
        good = [slide for slide in self.slides if slide and slide % (2 << 20) == 0 and slide < 256 << 30]
        return [("the kernel is elsewhere at each boot", len(set(good)) == len(self.slides) == self.BOOTS, seen)]

    def more(self):
        return len(self.slides) < self.BOOTS


class LayoutOfCpu(Layout):
    """The same of a machine that has no seeds, but a CPU with random numbers."""

    slides = []


class FixedLayout(Layout):
    """The same of a machine that has nothing random: the kernel stays where it is linked."""

    BOOTS = 2
    slides = []

    def findings(self):
        return [("the kernel is where it was linked", self.slides == [0] * self.BOOTS, f"{self.slides}")]


class ProcessFlips(Observer):
    """Flips bits of processes that mark theirs (test/system/programs/flips.cpp): memory, code, saved registers."""

    MARKS = {kind: struct.pack("<QQ", 0x9E3779B97F4A7C15, 0xF1195000F1195000 + i)
             for i, kind in enumerate(("memory", "code", "registers"))}
    WANTED = 200
    EACH = 30
    AT_ONCE = 4  # a busy host lets the observer look a few times a second
    BEYOND = 1 << 20  # the last part of the state is not as large
    CODE_BYTES = 3200  # behind the mark, of the page
    # arch/frame.h: x23 and x24 are the mark, 32 bytes from the start; EL0's own are x0..x30, PC, SP and TLS, and of
    # PSTATE the flags. TTBR and the rest of PSTATE are the kernel's. PC is where it hurts.
    FRAME_MARK, FRAME_TTBR, FRAME_PSTATE = 32, 120, 280
    WORDS = [8 * i for i in (*range(4), *range(6, 15), *range(16, 35), *[12] * 8)]
    pause = 0.005

    def __init__(self, ram, seed):
        super().__init__(ram, seed)
        self.places = []
        self.flips = {kind: 0 for kind in self.MARKS}

    def look(self, state):
        """Marks of memory and code begin pages; a frame's is 16-aligned in the kernel's state."""
        words = memoryview(self.ram.bytes).cast("Q")
        first = struct.unpack("<QQ", self.MARKS["memory"])[0]
        begin, end = ((at - RAM_BASE) // 16 * 2 for at in (state[0], state[1] + self.BEYOND))
        found = [i * PAGE for i, word in enumerate(words[::PAGE // 8].tolist()) if word == first]
        found += [(begin + 2 * i) * 8 for i, word in enumerate(words[begin:end:2].tolist()) if word == first]
        self.places = [(kind, at) for at in found for kind in self.MARKS if self.is_marked(kind, at)]

    def is_marked(self, kind, at):
        if self.ram.bytes[at:at + 16] != self.MARKS[kind]:
            return False
        if kind != "registers":
            return at % PAGE == 0
        root = self.ram.word(RAM_BASE + at - self.FRAME_MARK + self.FRAME_TTBR)
        return at % 16 == 0 and 1 <= root >> 48 <= MAX_ASID and self.ram.is_ram(root & ADDRESS)

    def choose(self, kind, at):
        """(byte, bit) of what belongs to a mark."""
        if kind == "memory":
            return at + self.random.randrange(16, PAGE), self.random.randrange(8)
        if kind == "code":
            return at + 16 + self.random.randrange(self.CODE_BYTES), self.random.randrange(8)
        frame = at - self.FRAME_MARK
        if self.random.randrange(len(self.WORDS) + 1) == 0:
            return frame + self.FRAME_PSTATE + 3, self.random.randrange(4, 8)
        return frame + self.random.choice(self.WORDS) + self.random.randrange(8), self.random.randrange(8)

    def step(self, state):
        self.look(state)
        if not self.places:
            return
        with self.stopped() as is_still:  # whose page it is shall not change meanwhile
            for _ in range(self.AT_ONCE if is_still else 0):
                # What is rare now gets as much as what is not.
                kind = min({kind for kind, _ in self.places}, key=lambda kind: self.flips[kind])
                at = self.random.choice([at for found, at in self.places if found == kind])
                if self.is_marked(kind, at):
                    byte, bit = self.choose(kind, at)
                    self.ram.flip(RAM_BASE + byte, bit)
                    self.flips[kind] += 1

    def findings(self):
        return [(f"at least {self.WANTED} bits of processes flipped, {self.EACH} of each kind",
                 sum(self.flips.values()) >= self.WANTED and min(self.flips.values()) >= self.EACH, f"{self.flips}")]

    def more(self):
        return False


class KernelFlips(Observer):
    """Flips bits in the kernel's state while the guest works, until the kernel stops."""

    WANTED = 60
    pause = 0.05
    flips_in_all = 0

    def step(self, state):
        if time.monotonic() - self.ready_at > 1.0:  # once the tests run
            self.ram.flip(self.random.randrange(*state), self.random.randrange(8))
            KernelFlips.flips_in_all += 1

    def findings(self):
        return [(f"at least {self.WANTED} bits of the kernel flipped", self.flips_in_all >= self.WANTED,
                 f"{self.flips_in_all}")]

    def more(self):
        return self.flips_in_all < self.WANTED
