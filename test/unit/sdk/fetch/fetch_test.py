#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sdk/fetch/fetch-deps against an archive that is two scripts: apt-get and apt-cache of its own.

    fetch_test.py FETCH_DEPS
"""
import hashlib
import io
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)
FILES = {"thing_1.0-1.dsc": b"description", "thing_1.0.orig.tar.gz": b"source"}
PART_HASH = "33530cb7c2d3db2c5b12ea6294959bee00e95a74a1b8082bd375cebe141db302"  # of one/a, one/b and two

APT_GET = """#!/bin/sh
echo "$*" >>"$ARCHIVE/calls"
case " $* " in
*" indextargets "*)
    echo "http://example.test/d/|stable|main|/keys/k.gpg"
    echo "http://example.test/d/|stable|main|/keys/k.gpg"
    echo "http://example.test/s/|stable-security|main|" ;;
*" update "*)
    cp "$(dirname "$3")/sources/sources.list" "$ARCHIVE/seen.list" ;;
*" source "*)
    [ ! -e "$ARCHIVE/slow" ] || exec sleep 60
    [ ! -e "$ARCHIVE/down" ] || { echo "E: no route to the archive" >&2; exit 100; }
    cp "$ARCHIVE"/files/* . ;;
esac
"""
APT_CACHE = """#!/bin/sh
echo "cache $*" >>"$ARCHIVE/calls"
printf 'Package: thing\\nVersion: %s\\n' "$(cat "$ARCHIVE/version")"
"""


class FetchDeps(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        self.archive = self.top / "archive"
        (self.archive / "files").mkdir(parents=True)
        for name, content in FILES.items():
            (self.archive / "files" / name).write_bytes(content)
        (self.archive / "version").write_text("1.0-1")
        self.make_program("apt-get", APT_GET)
        self.make_program("apt-cache", APT_CACHE)
        self.lock = self.top / "deps.lock"
        self.write_lock("1.0-1")

    def make_program(self, name, text):
        path = self.top / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def write_lock(self, version):
        lines = [f"thing {version}"]
        for name, content in FILES.items():
            mark = "*" if "orig" in name else " "
            lines.append(f"  {hashlib.sha256(content).hexdigest()} {mark} {name}")
        self.lock.write_text("# comment\n" + "\n".join(lines) + "\n")

    def run_it(self, *words):
        environment = {**os.environ, "PATH": f"{self.top / 'bin'}:{os.environ['PATH']}", "ARCHIVE": str(self.archive),
                       "TESSERA_SOURCES": str(self.top / "cache")}
        return subprocess.run([sys.executable, PROGRAM, "--lock", self.lock, "--to", self.top / "to", *words],
                              env=environment, capture_output=True, text=True, check=False)

    def calls(self):
        path = self.archive / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def test_what_is_pinned_is_fetched_once(self):
        self.assertEqual(self.run_it().returncode, 0)
        self.assertEqual((self.top / "to/thing_1.0.orig.tar.gz").read_bytes(), b"source")
        self.assertFalse((self.top / "to/thing_1.0-1.dsc").exists())
        asked = len(self.calls())
        self.assertGreater(asked, 0)
        (self.top / "to/thing_1.0.orig.tar.gz").unlink()
        self.assertEqual(self.run_it("thing").returncode, 0)
        self.assertTrue((self.top / "to/thing_1.0.orig.tar.gz").exists())
        self.assertEqual(len(self.calls()), asked)

    def test_the_archives_are_those_of_the_machine(self):
        self.run_it()
        self.assertEqual((self.archive / "seen.list").read_text().splitlines(),
                         ["deb-src [signed-by=/keys/k.gpg] http://example.test/d/ stable main",
                          "deb-src http://example.test/s/ stable-security main"])

    def test_other_content_is_refused(self):
        (self.archive / "files/thing_1.0.orig.tar.gz").write_bytes(b"Source")
        result = self.run_it()
        self.assertEqual(result.returncode, 1)
        self.assertIn("thing_1.0.orig.tar.gz has SHA-256", result.stderr)
        self.assertFalse((self.top / "to").exists())

    def test_a_spoilt_cache_is_refused(self):
        self.run_it()
        (self.top / "cache/thing-1.0-1/thing_1.0.orig.tar.gz").write_bytes(b"x")
        (self.top / "to/thing_1.0.orig.tar.gz").unlink()
        result = self.run_it()
        self.assertEqual(result.returncode, 1)
        self.assertIn("in the cache", result.stderr)
        self.assertFalse((self.top / "to/thing_1.0.orig.tar.gz").exists())

    def test_a_version_that_is_gone_is_told_with_the_newer_one(self):
        (self.archive / "version").write_text("1.0-1+deb9u1")
        result = self.run_it()
        self.assertEqual(result.returncode, 1)
        self.assertIn("no thing 1.0-1 any more; it has 1.0-1+deb9u1", result.stderr)
        self.assertIn("way out: pin", result.stderr)

    def test_a_failure_is_remembered_until_asked_again(self):
        (self.archive / "down").touch()
        self.assertIn("no route to the archive", self.run_it().stderr)
        asked = len(self.calls())
        (self.archive / "down").unlink()
        result = self.run_it()
        self.assertEqual(result.returncode, 1)
        self.assertIn("(asked before)", result.stderr)
        self.assertEqual(len(self.calls()), asked)
        self.assertEqual(self.run_it("--again").returncode, 0)
        self.assertEqual(self.run_it().returncode, 0)

    def test_a_slow_archive_is_given_up(self):
        (self.archive / "slow").touch()
        result = self.run_it("--limit", "1")
        self.assertEqual(result.returncode, 1)
        self.assertIn("apt-get did not end within 1 s", result.stderr)
        self.assertIn("--again; if it is slow, with --limit 4", result.stderr)
        (self.archive / "slow").unlink()
        self.assertIn("(asked before)", self.run_it().stderr)
        self.assertEqual(self.run_it("--again").returncode, 0)

    def pin_part(self, members, names):
        """Makes the archive's source a packed one of `names`, and pins `members` of it by what was packed at first."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as source:
            for number, name in enumerate(names):
                entry = tarfile.TarInfo(f"thing/{name}")
                entry.size = len(name)
                entry.mtime = 1000 * number
                source.addfile(entry, io.BytesIO(name.encode()))
        (self.archive / "files/thing_1.0.orig.tar.gz").write_bytes(packed.getvalue())
        self.lock.write_text(f"thing 1.0-1\n  {hashlib.sha256(b'description').hexdigest()}   thing_1.0-1.dsc\n"
                             f"  {hashlib.sha256(packed.getvalue()).hexdigest()} * thing_1.0.orig.tar.gz\n"
                             f"  {PART_HASH} = part-1.0.tar {members}\n")

    def test_a_part_is_packed_to_the_same_bytes(self):
        for names in (("one/b", "one/a", "two", "other/one/c"), ("other/x", "one/a", "one/b", "oneself", "two", "last")):
            self.pin_part("one two", names)
            result = self.run_it("--cache", str(self.top / names[0].replace("/", "-")))
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            with tarfile.open(self.top / "to/part-1.0.tar") as packed:
                self.assertEqual(packed.getnames(), ["part-1.0/one/a", "part-1.0/one/b", "part-1.0/two"])
            (self.top / "to/part-1.0.tar").unlink()

    def test_only_the_part_is_kept(self):
        self.pin_part("one two", ("one/a", "one/b", "two"))
        self.assertEqual(self.run_it().returncode, 0)
        self.assertEqual([each.name for each in (self.top / "cache/thing-1.0-1").iterdir()], ["part-1.0.tar"])
        (self.top / "cache/thing-1.0-1/part-1.0.tar").write_bytes(b"x")
        (self.top / "to/part-1.0.tar").unlink()
        self.assertIn("in the cache, part-1.0.tar has SHA-256", self.run_it().stderr)
        self.assertFalse((self.top / "to/part-1.0.tar").exists())

    def test_another_part_is_refused(self):
        self.pin_part("one", ("one/a", "one/b", "two"))
        result = self.run_it()
        self.assertEqual(result.returncode, 1)
        self.assertIn("packed anew, part-1.0.tar has SHA-256", result.stderr)
        self.assertFalse((self.top / "to").exists())

    def test_nonsense_in_the_lock_file_is_refused(self):
        for text in ("thing 1.0-1\n", "thing 1.0-1\n  abc * file\n", "  " + "0" * 64 + " * file\n",
                     "thing 1.0-1\n  " + "0" * 64 + " = part member\n"):
            self.lock.write_text(text)
            result = self.run_it()
            self.assertEqual((result.returncode, self.calls()), (2, []), text)
        self.write_lock("1.0-1")
        self.assertEqual(self.run_it("other").returncode, 2)


if __name__ == "__main__":
    unittest.main()
