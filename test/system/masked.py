# SPDX-License-Identifier: Apache-2.0
"""How long the kernel keeps interrupts masked, in guest instructions, seen by a plugin of QEMU.

test/plugins/insncount.c says what a stretch is. Only what a run does is seen: this is the longest stretch that was
met, not a bound.
"""

import collections
import re

from elf_file import find_symbol
from symbolise import find_places

STRETCH = re.compile(r"^MASKED count=(\d+) from=([0-9a-f]+) at=([0-9a-f,]+)$", re.M)
POLL = "_ZN4arch17interrupt_pendingEv"


def plugin_words(plugin, kernel_elf, path):
    """The words of QEMU that make it write its stretches to `path`."""
    return ["-plugin", f"{plugin},masked={path},poll={find_symbol(kernel_elf, POLL):#x}"]


def longest(path, kernel_elf):
    """(instructions, where most of them were) of the longest stretch; (0, "nowhere") when there was none."""
    with open(path, encoding="ascii") as file:
        stretches = STRETCH.findall(file.read())
    if not stretches:
        return 0, "nowhere"
    count, _, samples = max(stretches, key=lambda stretch: int(stretch[0]))
    places = collections.Counter()
    for address in samples.split(","):
        places.update(place.split(" at ")[0].split("(")[0] for place in find_places(kernel_elf, int(address, 16))[-1:])
    return int(count), ", ".join(f"{name} {part}/{places.total()}" for name, part in places.most_common(3))
