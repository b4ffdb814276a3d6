#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an image of SECTORS sectors, all of generation 7 (pattern.hpp): disk_image.py SECTORS OUTPUT"""
import sys

from pattern import sector_bytes

with open(sys.argv[2], "wb") as output:
    for sector in range(int(sys.argv[1])):
        output.write(sector_bytes(sector, 7))
