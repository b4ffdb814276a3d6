#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How `tessera policy` behaves as a program: pipes, links, folders, what cannot be read or written, words
that are not UTF-8, terminals, and JSON for every refusal. What its answers say is test/unit/sdk/policy's.

Each case is a function; it works in a folder with the files of docs/policy.md. Closes with
`N passed, N failed`.
"""

import argparse
import json
import os
import pathlib
import pty
import re
import stat
import subprocess
import sys
import tempfile
import threading

CASES = []
SUBCOMMANDS = ("check", "diff", "explain", "flow", "graph", "propose", "test")


def case(function):
    CASES.append(function)
    return function


class Tool:
    """The program in a folder of its own."""

    def __init__(self, command, folder):
        self.command = command
        self.folder = folder
        self.environment = dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8")
        self.environment.pop("NO_COLOR", None)

    def run(self, *words, **others):
        others.setdefault("stdout", subprocess.PIPE)
        return subprocess.run([*self.command, *words], cwd=self.folder, env=self.environment,
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60, **others)

    def refuses(self, *words):
        """The text of a refusal, which is on standard error and nowhere else."""
        done = self.run(*words)
        expect(done.returncode, 2)
        expect(done.stdout, b"")
        text = done.stderr.decode("utf-8", "replace")
        assert "tessera policy: " in text, f"no reason in: {text}"
        return text

    def refuses_as_json(self, *words):
        """The same as JSON, which is on standard output and nowhere else."""
        done = self.run(*words, "--json")
        expect(done.returncode, 2)
        expect(done.stderr, b"")
        refusal = json.loads(done.stdout)
        assert refusal["error"], done.stdout
        return refusal

    def files(self):
        return sorted(path.name for path in self.folder.iterdir())


def expect(found, expected):
    assert found == expected, f"expected {expected!r}, found {found!r}"


def expect_in(part, text):
    assert part in text, f"expected {part!r} in {text!r}"


# ---- the command line


@case
def help_has_examples(tool):
    for name in SUBCOMMANDS:
        done = tool.run(name, "--help")
        expect(done.returncode, 0)
        expect_in(f"Examples:\n  tessera policy {name}".encode(), done.stdout)


@case
def a_wrong_command_line_is_refused_in_the_form_asked_for(tool):
    expect_in("there is no option '--forbit', did you mean '--forbid'?", tool.refuses("flow", "a", "b", "--forbit"))
    expect_in("tessera policy flow --help", tool.refuses("flow", "a"))
    for name in SUBCOMMANDS:
        refusal = tool.refuses_as_json(name, "--nonsense")
        expect_in("--nonsense", refusal["error"])
        expect_in(f"tessera policy {name} --help", refusal["way_out"])
    expect_in("did you mean 'graph'?", tool.refuses_as_json("grap")["error"])
    expect_in("there are: check", tool.refuses())


@case
def words_need_not_be_utf8(tool):
    expect_in("not valid UTF-8", tool.refuses_as_json("explain", b"\xff", "calls", "Lock", "Open")["error"])
    expect_in("no file", tool.refuses_as_json("graph", "-p", b"\xff.psl")["error"])
    odd = tool.folder / os.fsdecode(b"\xff.psl")
    odd.write_text("nonsense\n", encoding="utf-8")
    done = tool.run("check", "--json", os.fsencode(odd.name))
    expect(done.returncode, 1)
    expect_in("psl", json.loads(done.stdout)["results"][0]["file"])


@case
def reasons_are_in_the_json_of_a_refusal(tool):
    (tool.folder / "wrong.psl").write_text("nonsense\n", encoding="utf-8")
    (tool.folder / "lost.psl").write_text(
        "use security._\nassert { sequence { deny door.Lock ~> door.Keypad : bolt.Open } }\n", encoding="utf-8")
    (tool.folder / "init.yaml").write_text(
        "entities:\n- name: door.Keypad\n  connections:\n  - target: lok\n    id: a\n"
        "  - target: bolt\n    id: b\n- name: door.Lock\n  task: lock\n", encoding="utf-8")
    expect_in("wrong.psl", [one["file"] for one in tool.refuses_as_json("graph", "wrong.psl")["diagnostics"]])
    found = tool.refuses_as_json("test", "lost.psl")["diagnostics"]
    expect([(one["code"], one["file"], one["line"]) for one in found], [("TS6004", "lost.psl", 2)])
    for words in (["graph"], ["flow", "Keypad", "Lock"]):
        found = tool.refuses_as_json(*words, "--system", "init.yaml")["diagnostics"]
        expect([one["line"] for one in found], [4, 6])
        expect_in("did you mean 'lock'?", found[0]["message"])


# ---- inputs


@case
def a_policy_may_come_out_of_a_pipe(tool):
    text = (tool.folder / "security.psl").read_bytes()
    pipe = tool.folder / "piped.psl"
    os.mkfifo(pipe)
    for words in (["graph"], ["explain", "Keypad", "calls", "Lock", "Lock"], ["flow", "Lock", "Keypad"]):
        expected = tool.run(*words)
        writer = threading.Thread(target=pipe.write_bytes, args=[text], daemon=True)
        writer.start()
        done = tool.run(*words, "-p", pipe.name)
        expect(done.stdout.replace(b"piped.psl", b"security.psl"), expected.stdout)


@case
def folders_and_endless_or_missing_inputs_are_refused(tool):
    (tool.folder / "endless.psl").symlink_to("/dev/zero")
    for words in (["graph"], ["explain", "Keypad", "calls", "Lock", "Lock", "-p"], ["flow", "Lock", "Keypad", "-p"],
                  ["diff", "security.psl"], ["test"], ["propose", "x", "-p"]):
        expect_in("door is a folder", tool.refuses(*words, "door"))
        expect_in("no file nowhere", tool.refuses(*words, "nowhere"))
        expect_in("TS1010", tool.refuses(*words, "endless.psl"))
    for words in (["propose"], ["graph", "--system"], ["flow", "Lock", "Keypad", "--system"]):
        expect_in("directory", tool.refuses(*words, "door"))
        expect_in("No such file", tool.refuses(*words, "nowhere"))
        expect_in("larger than", tool.refuses(*words, "/dev/zero"))
        tool.refuses(*words, "/dev/null")
    expect_in("neither a file nor a folder", tool.refuses("check", "/dev/zero"))


# ---- outputs


@case
def an_output_is_complete_or_not_there(tool):
    before = tool.files()
    for target in ("nowhere/x.svg", "folder.svg"):
        (tool.folder / "folder.svg").mkdir(exist_ok=True)
        expect_in(f"cannot write {target}: ", tool.refuses("graph", "-o", target))
    expect(tool.files(), sorted([*before, "folder.svg"]))


@case
def writing_touches_no_other_file(tool):
    bystander = tool.folder / "door.svg.new"
    bystander.write_text("mine", encoding="utf-8")
    before = tool.files()
    expect(tool.run("graph", "-o", "door.svg").returncode, 0)
    expect(bystander.read_text(encoding="utf-8"), "mine")
    expect(tool.files(), sorted([*before, "door.svg"]))


@case
def an_output_keeps_its_permissions(tool):
    expected = 0o666 & ~os.umask(0o022)
    os.umask(0o666 & ~expected)
    target = tool.folder / "door.dot"
    expect(tool.run("graph", "-o", target.name).returncode, 0)
    expect(stat.S_IMODE(target.stat().st_mode), expected)
    target.chmod(0o600)
    expect(tool.run("graph", "-o", target.name).returncode, 0)
    expect(stat.S_IMODE(target.stat().st_mode), 0o600)


@case
def links_stay_links(tool):
    (tool.folder / "real").mkdir()
    link = tool.folder / "link.dot"
    link.symlink_to("real/door.dot")
    for _ in range(2):  # what the link leads to is not there at first
        expect(tool.run("graph", "-o", link.name).returncode, 0)
        expect(os.readlink(link), "real/door.dot")
        expect_in("digraph", link.read_text(encoding="utf-8"))


@case
def what_is_no_file_is_written_to_and_not_replaced(tool):
    pipe = tool.folder / "pipe.dot"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    expect(tool.run("graph", "-o", pipe.name).returncode, 0)
    expect_in(b"digraph", os.read(reader, 65536))
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode), "the pipe was replaced"
    (tool.folder / "full.svg").symlink_to("/dev/full")
    expect_in("No space left", tool.refuses("graph", "-o", "full.svg"))


@case
def a_proposal_replaces_none_of_its_inputs(tool):
    (tool.folder / "run.rec").write_text("a recording\n", encoding="utf-8")
    for output in ("run.rec", "./run.rec", "security.psl"):
        expect_in("is what the proposal is made from", tool.refuses("propose", "run.rec", "-o", output))
    expect((tool.folder / "run.rec").read_text(encoding="utf-8"), "a recording\n")


@case
def an_answer_that_cannot_be_printed_is_trouble(tool):
    with open("/dev/full", "wb") as full:
        done = tool.run("graph", stdout=full)
    expect(done.returncode, 2)
    expect_in(b"cannot write the answer: No space left", done.stderr)


# ---- terminals


def on_terminal(tool, words, stream):
    """What a run prints, with one of "stdout" and "stderr" on a terminal and the other in a pipe."""
    master, slave = pty.openpty()
    others = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: slave}
    done = subprocess.run([*tool.command, *words], cwd=tool.folder, env=tool.environment, timeout=60,
                          stdin=subprocess.DEVNULL, **others)
    os.close(slave)
    shown = b""
    try:
        while part := os.read(master, 65536):
            shown += part
    except OSError:
        pass  # how a terminal ends whose other side is closed
    os.close(master)
    piped = done.stderr if stream == "stdout" else done.stdout
    return shown, piped


@case
def colours_are_for_terminals(tool):
    (tool.folder / "wrong.psl").write_text("nonsense\n", encoding="utf-8")
    check = ["check", "wrong.psl"]
    shown, _ = on_terminal(tool, check, "stdout")
    expect_in(b"\x1b[", shown)
    _, piped = on_terminal(tool, check, "stderr")
    expect_in(b"TS3001", piped)
    assert b"\x1b" not in piped, f"colours in a pipe: {piped}"
    shown, _ = on_terminal(tool, ["graph", "wrong.psl"], "stderr")
    expect_in(b"\x1b[", shown)
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        tool.environment[name] = value
        shown, _ = on_terminal(tool, check, "stdout")
        assert b"\x1b" not in shown, f"colours under {name}={value}"
        tool.environment.update(TERM="xterm", NO_COLOR="")
    shown, _ = on_terminal(tool, check, "stdout")  # an empty NO_COLOR asks for nothing
    expect_in(b"\x1b[1;31merror", shown)


def files_of(document):
    """File names and texts of a tutorial, each as it is at the end."""
    return dict(re.findall(r"^```\w+ file=(\S+)\n(.*?)^```$", document.read_text(encoding="utf-8"), re.M | re.S))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tool", required=True, help="the program behind `tessera policy`")
    parser.add_argument("--sdk", required=True)
    parser.add_argument("document", type=pathlib.Path)
    options = parser.parse_args()
    command = [os.path.abspath(options.tool), "--sdk", os.path.abspath(options.sdk)]
    passed = failed = 0
    for function in CASES:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for file, text in files_of(options.document).items():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_text(text, encoding="utf-8")
            try:
                function(Tool(command, folder))
                passed += 1
            except (AssertionError, subprocess.TimeoutExpired, ValueError) as error:
                failed += 1
                print(f"{function.__name__.replace('_', ' ')}: {error}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
