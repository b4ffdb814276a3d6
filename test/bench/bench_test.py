#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of the bench's judgement and of the figures that need no machine."""

import json
import os
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench import BENCH_LINE, distance, judge, parse_counts, write_budgets  # pylint: disable=wrong-import-position
from static_figures import code_lines, read_only_size  # pylint: disable=wrong-import-position


class Budgets(unittest.TestCase):
    def test_three_percent_above_is_kept_and_more_is_not(self):
        self.assertTrue(judge({"a": ("i", 103)}, {"a": 100})[0]["holds"])
        self.assertFalse(judge({"a": ("i", 104)}, {"a": 100})[0]["holds"])

    def test_a_budget_without_a_figure_fails(self):
        self.assertFalse(judge({}, {"a": 100})[0]["holds"])

    def test_a_figure_without_a_budget_is_kept(self):
        self.assertTrue(judge({"a": ("i", 1)}, {})[0]["holds"])

    def test_the_distance_to_the_budget_has_a_sign(self):
        rows = judge({"a": ("i", 102), "b": ("i", 50), "c": ("i", 7)}, {"a": 100, "b": 100, "d": 1})
        self.assertEqual([distance(row) for row in rows], ["+2.0 %", "-50.0 %", "-", "-"])

    def test_figures_become_budgets_all_or_none(self):
        with tempfile.NamedTemporaryFile("w+", suffix=".json") as file:
            file.write("as it was")
            file.flush()
            with self.assertRaises(SystemExit):
                write_budgets(file.name, judge({"a": ("i", 102)}, {"a": 100, "d": 1}))
            with open(file.name, encoding="utf-8") as again:
                self.assertEqual(again.read(), "as it was")
            write_budgets(file.name, judge({"a": ("i", 102), "b": ("i", 3)}, {"a": 100}))
            with open(file.name, encoding="utf-8") as again:
                self.assertEqual(json.load(again), {"a": 102, "b": 3})


class Lines(unittest.TestCase):
    def test_blank_and_comment_lines_do_not_count(self):
        self.assertEqual(code_lines("// a\n\n  int b;  // c\n/* d\n e */\n/* f */ int g;\n"), 2)

    def test_comment_marks_in_texts_are_texts(self):
        self.assertEqual(code_lines('print("/*");\nint a;\nprint("//\\"");\n'), 3)

    def test_digit_separators_are_no_quotes(self):
        self.assertEqual(code_lines("x = 0x1'0000; // it's\ny = 'a';\n"), 2)


class Parsing(unittest.TestCase):
    def test_bench_lines_are_found_and_noise_is_not(self):
        self.assertEqual(BENCH_LINE.findall("BENCH a.b instructions 12\nxBENCH c i 1\nBENCH d i x\n"),
                         [("a.b", "instructions", "12")])


class Counting(unittest.TestCase):
    LOG = ("INSNCOUNT at 10000000 low=0 high=500\n"
           "INSNCOUNT region 2 low=20 high=100\nINSNCOUNT region 2 low=40 high=300\n"
           "INSNCOUNT region 5 low=9 high=9\nINSNCOUNT region 5 low=1 high=3\nINSNCOUNT region 5 low=1 high=5\n"
           "INSNCOUNT ways 6 count=4 sum=42\n")

    def test_figures_share_a_region_in_the_order_of_their_passes(self):
        counts, _ = parse_counts("BENCH-REGION a 2 1 10\nBENCH-REGION b 2 1 10\n", self.LOG)
        self.assertEqual(counts, {"a": (2, 10), "b": (4, 30)})

    def test_passes_that_warm_up_do_not_count(self):
        self.assertEqual(parse_counts("BENCH-REGION irq 5 2 1\n", self.LOG)[0], {"irq": (1, 4)})

    def test_the_counter_has_figures_of_its_own(self):
        self.assertEqual(parse_counts("", self.LOG)[1], {"boot.first_el0": ("instructions", 500),
                                                         "thread.switch": ("instructions", 10)})

    def test_a_pass_that_was_not_counted_is_refused(self):
        with self.assertRaises(SystemExit):
            parse_counts("BENCH-REGION c 3 1 10\n", self.LOG)


class Sizes(unittest.TestCase):
    def test_only_loaded_read_only_sections_count(self):
        header = bytearray(64)
        header[:6] = b"\x7fELF\x02\x01"
        struct.pack_into("<Q", header, 40, 64)
        struct.pack_into("<HH", header, 58, 64, 4)
        sections = b""
        for kind, flags, size in ((1, 6, 100), (1, 2, 20), (1, 3, 3), (1, 0, 1000)):
            section = bytearray(64)
            struct.pack_into("<IQQQQ", section, 4, kind, flags, 0, 0, size)
            sections += bytes(section)
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(header) + sections)
            file.flush()
            self.assertEqual(read_only_size(file.name), 120)

    def test_what_is_no_elf_file_is_refused(self):
        with tempfile.NamedTemporaryFile() as file:
            with self.assertRaises(ValueError):
                read_only_size(file.name)


if __name__ == "__main__":
    outcome = unittest.main(exit=False, verbosity=2).result
    bad = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - bad} passed, {bad} failed")
    sys.exit(0 if outcome.wasSuccessful() else 1)
