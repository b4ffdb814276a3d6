# SPDX-License-Identifier: Apache-2.0
"""Copies of an image in which one function of the kernel cannot begin.

The kernel has no way to make it panic, on purpose. A copy whose function begins with an undefined
instruction lets the real kernel meet a real exception of its own, so that what follows is tested.
"""

from elf_file import bytes_at, find_function

UNDEFINED = bytes(4)  # [ARM] "UDF": permanently undefined
SAMPLE_BYTES = 64


def break_function(image, kernel_elf, name, output):
    """Writes `image` to `output`, broken at the one function whose linker name begins with `name`."""
    address = find_function(kernel_elf, name)
    if address is None:
        raise ValueError(f"the kernel has not one function {name}...")
    with open(image, "rb") as file:
        data = file.read()
    sample = bytes_at(kernel_elf, address, SAMPLE_BYTES)
    at = data.find(sample)
    if at < 0 or data.find(sample, at + 1) >= 0:
        raise ValueError(f"the code of {name} is not once in {image}")
    with open(output, "wb") as file:
        file.write(data[:at] + UNDEFINED + data[at + len(UNDEFINED):])
