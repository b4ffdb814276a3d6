#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the bench image in guest instructions and compares with the committed budgets.

The image prints lines `BENCH <name> <unit> <value>`. It is booted under `-icount shift=0,sleep=off`
on a cortex-a72 with one CPU, and once more with two for what needs them, so the figures are the same
in every run. Figures without a machine (sizes, lines) are added. A figure more than 3 % above its
budget fails, and so does a budget without a figure.
"""

import argparse
import json
import os
import re
import subprocess
import tempfile
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "../system"))

from bench_lines import parse_figures  # pylint: disable=wrong-import-position
from elf_file import find_function  # pylint: disable=wrong-import-position
from machine import Drive, virt  # pylint: disable=wrong-import-position
from scenario import PANIC_LINE, Scenario, boot, last_lines  # pylint: disable=wrong-import-position
from peer import measure_peers, take_over  # pylint: disable=wrong-import-position
from static_figures import el1_lines, read_only_size  # pylint: disable=wrong-import-position
from symbolise import symbolise  # pylint: disable=wrong-import-position
import verdicts  # pylint: disable=wrong-import-position

REGION_LINE = re.compile(r"^BENCH-REGION (\S+) (\d+) (\d+) (\d+)\s*$", re.M)
REGION_COUNT = re.compile(r"^INSNCOUNT region ([0-9a-f]+) low=(\d+) high=(\d+)$", re.M)
DECISION = "_ZN6kernel9Scheduler6choose"  # kernel::Scheduler::choose: who runs next
SLEEP_REGION = 6  # of test/bench/programs/loops.hpp
CLOCK_ERROR = 3  # instructions: a short way begins and ends within a tick of 16
CLOCK_ERROR_PART = 0.005
ONE_TICK = 16  # a way that each pass begins at a tick, with the timer's interrupt, ends anywhere within one
BEGIN_AT_A_TICK = {"irq.to_driver"}
FILES_IMAGE = "bench_files"  # of programs in C: without a C library it is not there, nor are its figures
FILES_FIGURES = ("file.", "posix.", "disk.")
DISK_IMAGES = ("bench_disk", "bench_disk_raw")
DISK = (Drive(16384),)
TOLERANCE = 1.03
UNSTEADY = ("policyc.", "disk.")  # figures that differ from run to run have no budgets
SECONDS = 90


def refuse(cause, way_out):
    print(f"bench: {cause}\n  way out: {way_out}", file=sys.stderr)
    sys.exit(1)


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def find_image(build, name="bench"):
    """The entry of an image for virt; None: there is none, which only those of C programs may be."""
    path = os.path.join(build, "sdk/imagec/images/images.json")
    try:
        entries = load(path)
    except (OSError, ValueError):
        refuse(f"{path} cannot be read", "build first: ./tessera bench does it")
    for entry in entries:
        if (entry["name"], entry["board"]) == (name, "virt"):
            return entry
    if name != "bench":
        return None
    refuse("the build has no image 'bench' for virt", "add it to `images` in test/bench/meson.build")


def boot_bench(entry, machine, extra=(), folder=""):
    """What the image printed; ends the program when it does not finish. A drive's file goes to `folder`."""
    command = machine.command(entry["image"], "", folder=folder)
    command[-2:-2] = list(extra)
    ends_at = "" if entry["name"] == "bench" else r"^bench: finished"
    run = boot(command, Scenario("bench", entry["name"], seconds=SECONDS, ends_at=ends_at))
    has_ended = run.exit_code == 0 or (ends_at and re.search(ends_at, run.output, re.M))
    if run.timed_out or not has_ended or PANIC_LINE.search(run.output):
        for line in symbolise(run.output, (entry["kernel_elf"], entry["ksec_elf"])):
            print(f"    at {line}")
        print("\n".join("    | " + line for line in last_lines(run.output)))
        why = f"did not end within {SECONDS} s" if run.timed_out else f"ended with code {run.exit_code}"
        refuse(f"the image {entry['name']} {why} on {machine.describe()}", "see the lines above")
    return run.output


def plugin_words(build, entry, log):
    """QEMU words that count instructions into `log`; () when the plugin was not built."""
    plugin = os.path.join(build, "test/bench/libinsncount.so")
    if not os.path.exists(plugin):
        return ()
    listing = subprocess.run([os.path.join(build, "sdk/imagec/imagec"), "list", "--json", entry["image"]],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    first = next(part["entry"] for part in json.loads(listing.stdout)["parts"] if part["name"] == "init")
    decision = find_function(entry["kernel_elf"], DECISION)
    if decision is None:
        refuse(f"the kernel has no function {DECISION}...", "give bench.py its new name")
    return ("-plugin", f"{plugin},at={first:#x},from={decision:#x}", "-d", "plugin", "-D", log)


def parse_counts(output, log):
    """What the plugin counted: {name: (instructions at EL0, at EL1)} an operation, and its own figures.

    A region that two figures use was passed once for each, in this order; one that is passed often
    was passed a few times more before, to warm up.
    """
    passes = {}
    for region, low, high in REGION_COUNT.findall(log):
        passes.setdefault(int(region, 16), []).append((int(low), int(high)))
    counts = {}
    for name, region, count, operations in REGION_LINE.findall(output):
        region, count, operations = int(region), int(count), int(operations)
        seen = passes.get(region, [])
        taken = [seen.pop(0)] if count == 1 and seen else seen[-count:]
        if len(taken) != count:
            refuse(f"{len(taken)} of {count} passes of region {region} ({name}) were counted",
                   "see the hints in test/bench/programs/loops.S")
        counts[name] = tuple(sum(half) / (count * operations) for half in zip(*taken))
    own = {}
    found = re.search(r"^INSNCOUNT at [0-9a-f]+ low=(\d+) high=(\d+)", log, re.M)
    if not found:
        refuse("init's first instruction was not seen", "check that kInitBase and the image agree")
    own["boot.first_el0"] = ("instructions", int(found.group(1)) + int(found.group(2)))
    ways = re.search(rf"^INSNCOUNT ways {SLEEP_REGION:x} count=(\d+) sum=(\d+)", log, re.M)
    if ways and int(ways.group(1)) > 0:
        own["thread.switch"] = ("instructions", round(int(ways.group(2)) / int(ways.group(1))))
    return counts, own


def compare(figures, counts):
    """Clock and counter must tell the same."""
    for name, halves in counts.items():
        value = figures[name][1]
        error = ONE_TICK if name in BEGIN_AT_A_TICK else max(CLOCK_ERROR, value * CLOCK_ERROR_PART)
        if abs(sum(halves) - value) > error:
            refuse(f"{name}: {value} instructions by the clock, {sum(halves):.1f} by the counter",
                   "the machine or the region's hints are not what bench.py expects")
    if counts:
        print(f"the counter confirms {len(counts)} figures of the clock; at EL0 and at EL1: " + ", ".join(
            f"{name} {low:.0f} + {high:.0f}" for name, (low, high) in counts.items()))


def measure_disk(build):
    """What a disk costs: instructions by the counter, MB/s by this machine's clock. Without icount, whose time runs
    ahead of a device."""
    figures = {}
    log = os.path.join(build, "test/bench/disk.log")
    for entry in filter(None, (find_image(build, name) for name in DISK_IMAGES)):
        words = plugin_words(build, entry, log)
        with tempfile.TemporaryDirectory() as folder:
            if words:
                output = boot_bench(entry, virt(drives=DISK), words, folder)
                with open(log, encoding="utf-8") as file:
                    counts, _ = parse_counts(output, file.read())
                figures.update({name: ("instructions", round(sum(halves))) for name, halves in counts.items()})
            figures.update(parse_figures(boot_bench(entry, virt(drives=DISK), folder=folder)))
    return figures


def measure(build):
    entry = find_image(build)
    log = os.path.join(build, "test/bench/counts.log")
    words = plugin_words(build, entry, log)
    output = boot_bench(entry, virt(icount=0), words)
    figures = parse_figures(output)
    if words:
        with open(log, encoding="utf-8") as file:
            counts, own = parse_counts(output, file.read())
        compare(figures, counts)
        figures.update(own)
    for name, figure in parse_figures(boot_bench(entry, virt(icount=0, cpus=2))).items():
        figures.setdefault(name, figure)
    if files := find_image(build, FILES_IMAGE):
        figures.update(parse_figures(boot_bench(files, virt(icount=0))))
    figures.update(measure_disk(build))
    figures["size.kernel_text"] = ("bytes", read_only_size(entry["kernel_elf"]))
    figures["size.ksec_text"] = ("bytes", read_only_size(entry["ksec_elf"]))
    lines = el1_lines(ROOT)
    figures["lines.el1"] = ("lines", sum(lines.values()))
    try:
        figures.update(verdicts.measure_least(build))
        figures.update(verdicts.measure_verdicts(build))
    except verdicts.Failure as failure:
        refuse(str(failure), "run policyc on test/bench/verdicts/measured.psl by hand")
    print("lines of EL1 code: " + ", ".join(f"{folder} {count}" for folder, count in lines.items()))
    return figures


def judge(figures, budgets):
    """Rows of name, unit, value, budget and whether it holds."""
    rows = []
    for name in sorted(set(figures) | set(budgets)):
        unit, value = figures.get(name, ("-", None))
        budget = budgets.get(name)
        holds = value is not None and (budget is None or value <= budget * TOLERANCE)
        rows.append({"name": name, "unit": unit, "value": value, "budget": budget, "holds": holds})
    return rows


def distance(row):
    """How far a figure is from its budget, as text: below is negative, more than +3 % fails."""
    if row["value"] is None or not row["budget"]:
        return "-"
    return f"{100 * row['value'] / row['budget'] - 100:+.1f} %"


def print_table(rows, peers, measured=()):
    """All figures; those of other systems in `measured`, pairs of name and system, bear an asterisk."""
    names = sorted({peer for figures in peers.values() for peer in figures})
    header = f"{'name':<28} {'unit':<13} {'value':>12} {'budget':>12} {'distance':>10} {'':<9}"
    header += "".join(f"{n:>12}" for n in names)
    print(header)
    for row in rows:
        if row["name"].startswith("ksec.") and row["holds"]:
            continue  # in a table of their own
        verdict = "" if row["holds"] else ("MISSING" if row["value"] is None else "EXCEEDED")
        cells = [row["value"], row["budget"]]
        text = "".join(f"{'-' if cell is None else cell:>12} " for cell in cells)
        beside = "".join(
            f"{peers.get(row['name'], {}).get(name, '-')}{'*' if (row['name'], name) in measured else ''}".rjust(12)
            for name in names)
        print(f"{row['name']:<28} {row['unit']:<13} {text}{distance(row):>10} {verdict:<9}{beside}".rstrip())


def write_budgets(path, rows):
    """Makes the figures the budgets; refuses, with the file as it was, when one was not measured."""
    missing = [row["name"] for row in rows if row["value"] is None]
    if missing:
        refuse(f"no figure for {', '.join(missing)}", "mend the bench image, or take the budget out by hand")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({row["name"]: row["value"] for row in rows if not row["name"].startswith(UNSTEADY)}, file, indent=2)
        file.write("\n")
    print(f"the figures are the budgets now: {os.path.relpath(path)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/gcc")
    parser.add_argument("--json", default="", help="file to write the results to")
    parser.add_argument("--peer", action="store_true", help="measure the bound and Linux on this machine, too; other figures are recorded ones")
    parser.add_argument("--check", action="store_true", help="close with the number of budgets kept")
    parser.add_argument("--write-budgets", action="store_true", help="make today's figures the budgets")
    options = parser.parse_args()
    budgets_file = os.path.join(HERE, "budgets.json")
    budgets = load(budgets_file)
    recorded = load(os.path.join(HERE, "peers.json"))
    figures = measure(options.build)
    peers = recorded["peers"]
    measured = measure_peers(options.build) if options.peer else {}
    changes = take_over(peers, measured)
    if not find_image(options.build, FILES_IMAGE):
        budgets = {name: value for name, value in budgets.items() if not name.startswith(FILES_FIGURES)}
        print("left out, since there is no C library: figures of files and of threads in C")
    rows = judge(figures, budgets)
    print_table(rows, peers, {(name, system) for name, values in measured.items() for system in values})
    verdicts.print_verdicts(figures)
    above = [row["name"] for row in rows if row["holds"] and row["budget"] and row["value"] > row["budget"]]
    if above:
        print(f"above their budgets, within the 3 % allowed: {', '.join(above)}")
    print("beside ours: " + recorded["about"])
    if changes:
        print("* measured now, on this machine; what bears no asterisk beside ours is recorded:")
        print("\n".join("    " + line for line in changes))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"results": [{key: row[key] for key in ("name", "unit", "value", "budget")}
                                   for row in rows if row["value"] is not None]}, file, indent=1)
            file.write("\n")
    if options.write_budgets:
        write_budgets(budgets_file, rows)
        return 0
    failed = [row for row in rows if not row["holds"]]
    for row in failed:
        print(f"FAIL {row['name']}: " + ("no figure" if row["value"] is None else
              f"{row['value']} is {distance(row)} from {row['budget']}"))
    wrong = verdicts.faults(figures)
    print("".join(f"FAIL {line}\n" for line in wrong), end="")
    if options.check:
        print(f"{len(rows) - len(failed)} passed, {len(failed) + len(wrong)} failed")
    return 1 if failed or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
