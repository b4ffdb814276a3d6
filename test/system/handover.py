# SPDX-License-Identifier: Apache-2.0
"""What a boot loader may hand over in x0 instead of a sound device tree.

QEMU's own loader gives x0 a sound tree and repairs what it is given, so here four instructions take
its place: they load x0, and jump to the image.
"""

import dataclasses
import os
import struct

STUB, IMAGE, TREE = 0x4010_0000, 0x4020_0000, 0x4400_0000  # in the RAM of `virt`


def _halved(tree):
    """As a loader with too small a buffer leaves it: shorter, and its header says so."""
    half = len(tree) // 2 & ~7
    return tree[:4] + struct.pack(">I", half) + tree[8:half]


def _cut(tree):
    """A transfer that ended early: the header promises what did not come."""
    half = len(tree) // 2 & ~7
    return tree[:half] + bytes(len(tree) - half)


def _endless(tree):
    return tree[:4] + b"\xff\xff\xff\xff" + tree[8:]


@dataclasses.dataclass(frozen=True)
class Handover:
    """What x0 holds, and what lies where it points: the board's tree after `damage`."""

    name: str
    x0: int = TREE
    damage: object = None  # tree -> bytes

    def write(self, folder, image, tree):
        """QEMU words; the files they name are made in `folder`."""
        with open(tree, "rb") as file:
            sound = file.read()
        # ldr x0, x0_value; ldr x1, image; br x1; nop; the two values
        stub = struct.pack("<4I2Q", 0x5800_0080, 0x5800_00A1, 0xD61F_0020, 0xD503_201F, self.x0, IMAGE)
        paths = []
        for name, content in (("stub", stub), ("tree", self.damage(sound) if self.damage else sound)):
            paths.append(os.path.join(folder, name))
            with open(paths[-1], "wb") as file:
                file.write(content)
        words = []
        for path, place in ((paths[1], TREE), (image, IMAGE), (paths[0], f"{STUB},cpu-num=0")):
            words += ["-device", f"loader,file={path},force-raw=on,addr={place}"]
        return words


SOUND = Handover("sound-tree")
REFUSED_SILENTLY = (
    Handover("x0-zero", x0=0),
    Handover("x0-boot-tags", x0=0x100),
    Handover("x0-unaligned", x0=TREE + 4),
    Handover("x0-a-device", x0=0x0900_0000),
    Handover("x0-all-ones", x0=2**64 - 8),
    Handover("wrong-magic", damage=lambda tree: b"\0" + tree[1:]),
    Handover("endless-tree", damage=_endless),
)
REFUSED_WITH_A_LINE = (Handover("halved-tree", damage=_halved), Handover("cut-tree", damage=_cut))
