# SPDX-License-Identifier: Apache-2.0
"""The lines in which a guest, ours or another system's, tells what it measured."""

import re

BENCH_LINE = re.compile(r"^BENCH (\S+) (\S+) (\d+)\s*$", re.M)


def parse_figures(output):
    """Figures a guest printed, as {name: (unit, value)}."""
    return {name: (unit, int(value)) for name, unit, value in BENCH_LINE.findall(output)}
