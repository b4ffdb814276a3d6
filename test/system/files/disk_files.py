# SPDX-License-Identifier: Apache-2.0
"""The judgement of a FAT on a drive's file after a run of deaths.c, by fsck.fat and mtools."""
import re
import shutil
import subprocess

MOST = 48 * 1024
TOLD = re.compile(r"^files: fat file=(\d+) version=(\d+)$", re.M)


def contents_of(file, version):
    """As deaths.c writes them; None: there is no such file."""
    if version == 0:
        return None
    return bytes((at * (2 * version + 1) + file * 31 + version) & 0xFF
                 for at in range((file * 7919 + version * 4051) % MOST))


def run(*command):
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MTOOLS_SKIP_CHECK": "1"})


def judge(path, output):
    """(name, passed, detail) of a drive that is one FAT."""
    name = "the drive's FAT is sound for others and holds what was written"
    told = {int(file): int(version) for file, version in TOLD.findall(output)}
    if not told:
        return name, False, "the guest told no versions"
    if shutil.which("mcopy") is None or shutil.which("fsck.fat", path="/usr/sbin:/sbin:/usr/bin") is None:
        return name, False, "fsck.fat or mcopy is not installed (packages dosfstools, mtools)"
    checked = run("fsck.fat", "-n", path)
    if checked.returncode != 0:
        return name, False, checked.stdout.decode(errors="replace")
    for file, version in told.items():
        found = run("mcopy", "-i", path, f"::f{file}", "-")
        wanted = contents_of(file, version)
        if (None if found.returncode != 0 else found.stdout) != wanted:
            return name, False, f"file {file} of version {version}: {found.stderr.decode(errors='replace')}"
    return name, True, f"{len(told)} files"
