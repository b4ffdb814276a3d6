# SPDX-License-Identifier: Apache-2.0
"""Policies of many classes and rules of the usual shapes: grants, limits on a number of the message,
states of a Flow, members of a HashSet, patterns; and what it takes to compile them."""

import os
import random
import subprocess
import sys
import time

METHODS = 12
INTERFACE = """package Device
interface {
%s}
"""
HEAD = """use nk.basic._
use nk.flow._
use nk.hashmap._
use nk.regex._
use EDL kl.core.Core
use EDL Einit
policy object session : Flow {
    type State = "off" | "idle" | "busy"
    config = {states : ["off", "idle", "busy"], initial : "off",
              transitions : {"off" : ["idle", "busy"], "idle" : ["busy", "off"], "busy" : ["idle", "busy"]}}
}
policy object badges : HashSet { type Entry = UInt32  config = {set_size : 8, pool_size : 64} }
execute { grant () }
"""


def write_policy(folder, class_count, rule_count, seed, more=""):
    """Writes p.psl and what it uses. A server for every client; each rule is about a random pair and
    method. `more` stands before them."""
    chance = random.Random(seed)
    methods = "".join(f"    M{i}(in UInt16 value, in UInt32 badge, in string<31> name, out UInt8 ok);\n"
                      if i % 4 == 3 else f"    M{i}(in UInt16 value, in UInt32 badge, out UInt8 ok);\n"
                      for i in range(METHODS))
    (folder / "Device.idl").write_text(INTERFACE % methods, encoding="utf-8")
    (folder / "Server.edl").write_text("task class Server\nendpoints { device : Device }\n",
                                       encoding="utf-8")
    (folder / "Client.edl").write_text("task class Client\n", encoding="utf-8")
    servers = [f"s.S{i}" for i in range(class_count // 2)]
    clients = [f"c.C{i}" for i in range(class_count - len(servers))]
    lines = [HEAD, more]
    lines += [f"task class {name} : Server\n" for name in servers]
    lines += [f"task class {name} : Client\n" for name in clients]
    judged = set()  # events that have a rule on state: two of them may cost too much
    for _ in range(rule_count):
        method = chance.randrange(METHODS)
        client, server = chance.choice(clients), chance.choice(servers)
        kind = chance.random()
        if 0.75 <= kind < 0.9:
            kind = kind if (client, server, method) not in judged else 0
            judged.add((client, server, method))
        if kind < 0.35:
            rule = "grant ()"
        elif kind < 0.75:
            rule = f"assert (message.value <= {chance.randrange(65536)})"
        elif kind < 0.85:
            rule = 'session.allow {sid : src_sid, states : ["%s"]}' % chance.choice(("idle", "busy"))
        elif kind < 0.9:
            rule = "assert (badges.contains {sid : dst_sid, entry : message.badge})"
        elif kind < 0.95:
            rule = f"assert (message.badge != {chance.randrange(1 << 32)} && message.value > 3)"
            if chance.random() < 0.99:  # most such rules are copies of a few
                rule = "assert (message.badge != 0 && message.value > 3)"
        elif method % 4 == 3:
            rule = 'assert (re.match {text : message.name, pattern : "[a-z]+"})'
        else:
            rule = "deny (message.value == 0)"
        lines.append(f"request src={client} dst={server} "
                     f"endpoint=device method=M{method} {{ {rule} }}\n")
    (folder / "p.psl").write_text("".join(lines), encoding="utf-8")


def run(command, **kwargs):
    """Seconds and megabytes that a command took."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **kwargs)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
