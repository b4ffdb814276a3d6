#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of the bench's judgement and of the figures that need no machine."""

import io
import json
import os
import struct
import sys
import tarfile
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench import distance, judge, parse_counts, write_budgets  # pylint: disable=wrong-import-position
from bench_lines import parse_figures  # pylint: disable=wrong-import-position
from debian_kernel import (  # pylint: disable=wrong-import-position
    Unavailable, extract_image, fetch_kernel, find_kernel_package)
from linux_peer import FIGURES, cpio_entry, initial_files, parse_linux  # pylint: disable=wrong-import-position
from peer import take_over  # pylint: disable=wrong-import-position
from static_figures import code_lines, read_only_size  # pylint: disable=wrong-import-position
from verdicts import faults  # pylint: disable=wrong-import-position


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
        self.assertEqual(parse_figures("BENCH a.b instructions 12\r\nxBENCH c i 1\nBENCH d i x\n"),
                         {"a.b": ("instructions", 12)})


class Linux(unittest.TestCase):
    ALL = "".join(f"BENCH {name} instructions {number}\r\n" for number, name in enumerate(FIGURES))

    def test_all_its_figures_are_found_among_the_kernel_s_lines(self):
        found = parse_linux("[    0.9] Run /init\r\n" + self.ALL + "[    1.2] reboot: Power down\r\n")
        self.assertEqual(found, {name: number for number, name in enumerate(FIGURES)})

    def test_a_missing_figure_is_named_with_the_last_line(self):
        with self.assertRaisesRegex(Unavailable, f"{FIGURES[-1]}; its last line: .*panic"):
            parse_linux(self.ALL.rsplit("BENCH", 1)[0] + "Kernel panic - not syncing\r\n")

    def test_nothing_printed_is_said(self):
        with self.assertRaisesRegex(Unavailable, "last line: nothing"):
            parse_linux("")

    def test_figures_of_another_unit_do_not_count(self):
        with self.assertRaises(Unavailable):
            parse_linux(self.ALL.replace("instructions", "ticks"))

    def test_every_figure_has_a_recorded_one(self):
        with open(os.path.join(os.path.dirname(__file__), "peers.json"), encoding="utf-8") as file:
            recorded = json.load(file)["peers"]
        self.assertEqual([name for name in FIGURES if "Linux" not in recorded.get(name, {})], [])

    def test_measured_figures_replace_recorded_ones_and_tell_both(self):
        recorded = {"a": {"Linux": 100, "seL4": 7}}
        lines = take_over(recorded, {"a": {"Linux": 103}, "b": {"bound": 1}})
        self.assertEqual(recorded, {"a": {"Linux": 103, "seL4": 7}, "b": {"bound": 1}})
        self.assertEqual(lines, ["a of Linux: 103 (recorded 100, +3.0 %)", "b of bound: 1 (none recorded)"])


class InitialFiles(unittest.TestCase):
    @staticmethod
    def read(archive):
        """[(name, mode, data, device)] as a reader of the format sees it, which refuses what is malformed."""
        entries, at = [], 0
        while at < len(archive):
            assert archive[at:at + 6] == b"070701", f"no magic number at {at}"
            fields = [int(archive[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
            mode, size, device, length = fields[1], fields[6], tuple(fields[9:11]), fields[11]
            name = archive[at + 110:at + 110 + length]
            assert name[-1:] == b"\0", f"the name at {at} does not end"
            start = (at + 110 + length + 3) // 4 * 4
            entries.append((name[:-1].decode(), mode, archive[start:start + size], device))
            at = (start + size + 3) // 4 * 4
        return entries

    def test_names_and_data_of_any_length_come_back(self):
        for length in range(1, 9):
            name, data = "n" * length, b"d" * (length * 3 % 7)
            archive = cpio_entry(name, 0o100644, data) + cpio_entry("next", 0)
            self.assertEqual(self.read(archive), [(name, 0o100644, data, (0, 0)), ("next", 0, b"", (0, 0))])

    def test_the_program_is_init_and_has_a_console(self):
        self.assertEqual(self.read(initial_files(b"program", b"of files")), [
            ("dev", 0o040755, b"", (0, 0)), ("dev/console", 0o020600, b"", (5, 1)),
            ("init", 0o100755, b"program", (0, 0)),
            ("files", 0o100755, b"of files", (0, 0)), ("TRAILER!!!", 0, b"", (0, 0))])


class Kernel(unittest.TestCase):
    @staticmethod
    def package(*files):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for name, data in files:
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        stream.seek(0)
        return stream

    def test_the_package_behind_the_name_is_found(self):
        self.assertEqual(find_kernel_package("linux-image-arm64\n  Depends: linux-image-6.1.0-56-arm64\n"),
                         "linux-image-6.1.0-56-arm64")

    def test_no_package_is_one_sentence(self):
        for listing in ("", "linux-image-arm64\n  Depends: <other>\n"):
            with self.assertRaisesRegex(Unavailable, "finds no package"):
                find_kernel_package(listing)

    def test_only_the_image_leaves_the_package(self):
        with tempfile.TemporaryDirectory() as folder:
            path = extract_image(self.package(("./boot/config-6", b"c"), ("./boot/vmlinuz-6", b"kernel"),
                                              ("./boot/vmlinuz-7", b"other")), folder)
            self.assertEqual(os.listdir(folder), ["vmlinuz-6"])
            with open(path, "rb") as file:
                self.assertEqual(file.read(), b"kernel")

    def test_a_name_that_leads_elsewhere_is_no_image(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaises(Unavailable):
                extract_image(self.package(("./boot/vmlinuz-6/../../x", b"k"), ("./lib/vmlinuz-6", b"k")), folder)
            self.assertEqual(os.listdir(folder), [])

    def test_a_cut_package_leaves_no_image(self):
        with tempfile.TemporaryDirectory() as folder:
            whole = self.package(("./boot/vmlinuz-6", bytes(5000))).getvalue()
            with self.assertRaises(tarfile.TarError):
                extract_image(io.BytesIO(whole[:2048]), folder)
            self.assertNotIn("vmlinuz-6", os.listdir(folder))

    def test_a_kernel_that_is_there_is_not_fetched_again(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("vmlinuz-6", "vmlinuz-7.partial"):
                with open(os.path.join(folder, name), "wb"):
                    pass
            self.assertEqual(fetch_kernel(folder, self.fail), os.path.join(folder, "vmlinuz-6"))


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


class Verdicts(unittest.TestCase):
    GOOD = {"ksec.plain.request.10": ("i", 100), "ksec.plain.request.1000": ("i", 105),
            "ksec.plain.request.100000": ("i", 95), "policyc.seconds.100000": ("s", 60)}

    def test_a_verdict_that_costs_the_same_is_flat(self):
        self.assertEqual(faults(self.GOOD), [])

    def test_one_that_grows_with_the_rules_is_not(self):
        found = faults({**self.GOOD, "ksec.plain.request.100000": ("i", 106)})
        self.assertEqual(len(found), 1)
        self.assertIn("ksec.plain.request.100000", found[0])

    def test_hard_limits_are_limits(self):
        self.assertEqual(len(faults({**self.GOOD, "policyc.seconds.100000": ("s", 61)})), 1)
        self.assertEqual(len(faults({**self.GOOD, "policyc.megabytes.100000": ("MB", 1025)})), 1)

    def test_time_is_no_budget(self):
        with tempfile.NamedTemporaryFile("r") as file:
            write_budgets(file.name, judge({**self.GOOD}, {}))
            self.assertNotIn("policyc.seconds.100000", json.load(file))


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
