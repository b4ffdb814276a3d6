# SPDX-License-Identifier: Apache-2.0
"""The example plant: a person at the console, who types and reads what the system makes of it."""

from machine import raspi4b, virt
from scenario import Scenario, Type

PROMPT = "plant> "
PASTE = 5000  # characters at once: more than the driver's queue and the UART's FIFO hold together
MACHINES = (virt(cpus=1), virt(cpus=2, gic=3), virt(cpus=4), raspi4b())

REFUSED = r"^set: SecurityDisallow \(the security policy refused it\)$"
STATUS = r"^target {target} %, level \d+\.\d %, valve \d+ % open, \d+ reports of the sensor$"
COUNTS = r"\d+ messages denied, \d+ decisions recorded, 0 records lost$"

OPERATOR = "DENIED  operator -> controller  plant\\.Control\\.SetTarget  rule security\\.psl:\\d+ assert "


def over_limit(percent):
    return rf"{OPERATOR}\(message\.percent <= 80\)  \[message\.percent={percent}\]$"


# One for each attempt of the intruder but the last, in its order: who, to whom, what and why.
DENIALS = (
    r"DENIED  intruder -> valve  plant\.Valve\.Set  no rule grants it$",
    r"DENIED  intruder -> controller  plant\.Control\.SetTarget  rule security\.psl:\d+ assert "
    r"\(message\.percent <= 60\)  \[message\.percent=100\]$",
    r"DENIED  intruder  used handle 0x00010028, which is not valid for it$",
    r"DENIED  intruder  used handle 0x0001002b, which is not valid for it$",
    r"DENIED  intruder  12 more with other values$",
    r"DENIED  intruder  used handle 0x[0-9a-f]{8}, which is not valid for it$",
    r"DENIED  intruder -> controller  plant\.Control\.Note  malformed: text is not terminated by NUL$",
    r"DENIED  intruder -> controller  plant\.Control\.Note  malformed: text lies outside of the arena$",
    r"DENIED  intruder -> controller  plant\.Control method 77  malformed: there is no such method$",
    r"DENIED  intruder -> kernel  kl\.core\.IO\.RegisterMmio  no rule grants it$",
    r"DENIED  intruder -> kernel  kl\.core\.Task\.Terminate  no rule grants it$",
    r"DENIED  intruder  answered a call that is not its to answer$",
    r"DENIED  intruder  the same \d+ more times$",
    r"init: task-ended task=intruder reason=fault what=data-abort cause=translation address=0x9000000 pc=0x",
    r"init: task-restarted task=intruder$",
)
ATTACK_ENDS = r"^\d+ of 11 attempts got through$"
ATTACK_FAILED = r"^0 of 11 attempts got through$"

SCENARIOS = (
    Scenario("plant console", image="plant", machines=MACHINES, builds=("gcc",), seconds=120, types=(
        Type(PROMPT, "help\r"),
        Type("  help      this text", "set 40\r"),
        Type("^target is now 40 %$", "set\t41\r"),
        Type("^target is now 41 %$", "status\r"),
        Type(COUNTS, "ps\r"),
        Type("KiB free$", "set 999\r"),
        Type(REFUSED, "set 81\rset 82\rset 83\r"),
        Type(f"(?s){REFUSED}.*{REFUSED}.*{REFUSED}", "set -1\r"),
        Type("^usage: set N", "open sesame\r"),
        Type("^unknown command 'open'", "x" * PASTE + "\r"),
        Type("^unknown command 'x{76}'", "status\r")),
             expect=("^target is now 40 %$", "^target is now 41 %$", STATUS.replace("{target}", "41"),
                     "^0 messages denied, 0 decisions recorded, 0 records lost$",
                     r"^ +\d+ valve +running ", r"^{cpus} CPU\(s\), \d+ KiB free$",
                     over_limit(999), over_limit(81), over_limit(82), over_limit(83),
                     "^usage: set N", "^unknown command 'open'; type 'help'$",
                     STATUS.replace("{target}", "41"),
                     "^4 messages denied, 4 decisions recorded, 0 records lost$"),
             forbid=("task-ended",), ends_at=COUNTS),
    Scenario("plant attack", image="plant", machines=MACHINES, builds=("gcc",), seconds=120,
             types=(Type(PROMPT, "attack\r"), Type(ATTACK_ENDS, "status\r"), Type(COUNTS, "set 50\r")),
             expect=DENIALS, forbid=("GRANTED", r"^[1-9]\d* of 11 attempts"), ends_at="^target is now 50 %$"),
    # Each attack ends the intruder, and each time it is back at once.
    Scenario("plant attacks in a row", image="plant", machines=(virt(cpus=2),), builds=("gcc",), seconds=120,
             types=(Type(PROMPT, "attack\r"), *(Type(ATTACK_ENDS, "attack\r") for _ in range(13))),
             expect=(ATTACK_FAILED,) * 14, forbid=("task-waits", "task-given-up"), ends_at=ATTACK_ENDS, only_long=True),
)
