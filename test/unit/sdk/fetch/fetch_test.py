#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sdk/fetch/fetch-deps against an archive that is two scripts: apt-get and apt-cache of its own.

    fetch_test.py FETCH_DEPS
"""
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)
FILES = {"thing_1.0-1.dsc": b"description", "thing_1.0.orig.tar.gz": b"source"}

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

    def test_nonsense_in_the_lock_file_is_refused(self):
        for text in ("thing 1.0-1\n", "thing 1.0-1\n  abc * file\n", "  " + "0" * 64 + " * file\n"):
            self.lock.write_text(text)
            result = self.run_it()
            self.assertEqual((result.returncode, self.calls()), (2, []), text)
        self.write_lock("1.0-1")
        self.assertEqual(self.run_it("other").returncode, 2)


if __name__ == "__main__":
    unittest.main()
