# SPDX-License-Identifier: Apache-2.0
"""Fetches Debian's arm64 kernel without installing anything.

apt works on state of its own in a folder of the build, for arm64 alone, with the machine's own
sources, keys and proxies; what the machine has installed is neither read nor changed. apt checks the
signatures as always. The image is taken out of the package and kept, the rest is thrown away, so only
the first use needs a network.
"""

import glob
import os
import re
import shutil
import subprocess
import tarfile

PACKAGE = "linux-image-arm64"  # a name for the newest kernel, which it depends on
DEPENDENCY = re.compile(r"^\s*Depends: (linux-image-[\w.+-]+-arm64)$", re.M)
IMAGE = re.compile(r"(?:\./)?boot/(vmlinuz-[\w.+-]+)")
# Hooks of the machine would act on the machine, and its own list of architectures is not wanted.
SETTINGS = """\
#clear APT::Architectures;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
APT::Architecture "arm64";
APT::Architectures {{ "arm64"; }};
Acquire::Languages "none";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
"""


class Unavailable(Exception):
    """Why another system cannot be measured here, as one sentence without its full stop."""


def run(command, seconds, **options):
    """The finished command; Unavailable when it cannot be run or takes too long."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=seconds, check=False, **options)
    except FileNotFoundError as error:
        raise Unavailable(f"the program {command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{command[0]} did not end within {seconds} s") from error


def last_words(result):
    """The last line a command complained in, or printed."""
    lines = (result.stderr.strip() or result.stdout.strip() or "no word of why").splitlines()
    return lines[-1]


def prepare_apt(folder):
    """Makes state for apt in `folder` and returns the file of settings that leads there."""
    for part in ("state/lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    with open(os.path.join(folder, "status"), "w", encoding="utf-8"):
        pass  # nothing is installed there
    settings = os.path.join(folder, "apt.conf")
    with open(settings, "w", encoding="utf-8") as file:
        file.write(SETTINGS.format(folder=folder))
    return settings


def find_kernel_package(listing):
    """The kernel's package among the dependencies apt-cache printed; Unavailable without one."""
    found = DEPENDENCY.findall(listing)
    if not found:
        raise Unavailable(f"apt finds no package {PACKAGE} for arm64 in this machine's sources")
    return found[-1]


def extract_image(stream, folder):
    """Copies the kernel out of a package's file tree, an open tar stream, and returns its path."""
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            match = IMAGE.fullmatch(member.name)
            if match and member.isfile():
                path = os.path.join(folder, match.group(1))
                with open(path + ".partial", "wb") as file:
                    shutil.copyfileobj(archive.extractfile(member), file)
                os.replace(path + ".partial", path)  # whole or not there at all
                return path
    raise Unavailable("the kernel's package holds no boot/vmlinuz-*")


def fetch_kernel(folder, step):
    """Path of the kernel image, fetched into `folder` unless it is there.

    `step(text)` is a context in which one step runs. Raises Unavailable.
    """
    folder = os.path.abspath(folder)
    kept = [path for path in glob.glob(os.path.join(folder, "vmlinuz-*")) if not path.endswith(".partial")]
    if kept:
        return max(kept, key=os.path.getmtime)
    for tool in ("apt-get", "apt-cache", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise Unavailable(f"the program {tool} is not installed")
    settings = prepare_apt(folder)
    with step("fetch the package lists for arm64"):
        # A source of somebody else may fail; whether the kernel is in the lists shows below.
        lists = run(["apt-get", "-q", "-c", settings, "update"], 180)
    listing = run(["apt-cache", "-c", settings, "depends", "--important", PACKAGE], 60)
    try:
        package = find_kernel_package(listing.stdout)
    except Unavailable as error:
        raise Unavailable(f"{error} ({last_words(lists)})") from error
    with step(f"fetch the package {package}"):
        result = run(["apt-get", "-q", "-c", settings, "download", package], 600, cwd=folder)
    packages = glob.glob(os.path.join(folder, package + "_*.deb"))
    if result.returncode != 0 or not packages:
        raise Unavailable(f"the package {package} cannot be fetched ({last_words(result)})")
    with step("take the kernel out of it"):
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", packages[0]], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as tree:
            try:
                path = extract_image(tree.stdout, folder)
            except tarfile.TarError as error:
                raise Unavailable(f"the package {package} cannot be unpacked ({error})") from error
            finally:
                tree.kill()  # modules follow, which nobody needs
        for used in packages:
            os.unlink(used)
    return path
