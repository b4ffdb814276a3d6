# SPDX-License-Identifier: Apache-2.0
"""What sectors hold, as pattern.hpp says, and the judgement of a drive's file after a run."""
import re
import struct

SECTOR = 512
WORDS = SECTOR // 8
MASK = (1 << 64) - 1
OF_SECTOR, OF_GENERATION, OF_INDEX = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
BACK = pow(OF_GENERATION, -1, 1 << 64)
DIGEST_FACTOR = 0x100000001B3
DIGEST = re.compile(r"^disks: contents digest=0x([0-9a-f]+)$", re.M)


def sector_bytes(sector, generation):
    begin = sector * OF_SECTOR + generation * OF_GENERATION
    return struct.pack(f"<{WORDS}Q", *((begin + index * OF_INDEX) & MASK for index in range(WORDS)))


def generation_of(sector, data):
    """None: it holds nothing that was ever written there."""
    if data == bytes(SECTOR):
        return 0
    generation = (struct.unpack_from("<Q", data)[0] - sector * OF_SECTOR) * BACK & MASK
    return generation if data == sector_bytes(sector, generation) else None


def judge(path, output):
    """(name, passed, detail) of a drive whose contents the guest told at last."""
    name = "the drive's file holds what was written"
    told = DIGEST.findall(output)
    if not told:
        return name, False, "the guest told no digest"
    digest = 0
    with open(path, "rb") as file:
        for sector, data in enumerate(iter(lambda: file.read(SECTOR), b"")):
            generation = generation_of(sector, data)
            if generation is None:
                return name, False, f"sector {sector} was never written so"
            digest = (digest * DIGEST_FACTOR + generation) & MASK
    return name, digest == int(told[-1], 16), f"digest {digest:#x}, told {told[-1]}"
