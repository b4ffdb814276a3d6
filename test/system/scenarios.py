# SPDX-License-Identifier: Apache-2.0
"""The scenarios that `./tessera test system` boots. README.md explains how to add one."""

from machine import Machine, raspi4b, variants, virt
from scenario import Scenario, Type

# Groups of test/system/programs; the conductor says how many tests there were and how many failed.
TRIAL = dict(image="trial", ends_at=r"^trial: finished passed=\d+ failed=\d+$", at_least=200,
             expect=(r"^trial: finished passed=\d+ failed=0$",), seconds=240)

# Four virtual CPUs on two real ones take a minute each, so they wait for --long.
QUICK = tuple(m for m in variants(boards=("virt",)) if m.cpus <= 2) + (raspi4b(cpus=1),)
SLOW = tuple(m for m in variants() if m not in QUICK)

SCENARIOS = (
    Scenario("trial", machines=QUICK, builds=("gcc",), **TRIAL),
    Scenario("trial", machines=(virt(cpus=1), virt(cpus=2, gic=3, el2=True), raspi4b(cpus=1)),
             builds=("clang",), **TRIAL),
    Scenario("trial", machines=SLOW, builds=("gcc",), only_long=True, **TRIAL),
    Scenario("random calls", image="trial-random", machines=(virt(cpus=1),), builds=("gcc",),
             tests=("random.100000-calls", "random.canary-undisturbed", "random.nothing-leaks"),
             ends_at=r"^trial: finished passed=\d+ failed=\d+$",
             expect=(r"^trial: finished passed=\d+ failed=0$",), seconds=240),
    # The real kernel meets an exception of its own where it picks the next thread.
    Scenario("panic", image="plant", machines=(virt(cpus=1), raspi4b(cpus=1)), builds=("gcc",), panics=True,
             broken_at="_ZN6kernel9Scheduler4pick", exit_code=134, seconds=60,
             expect=(r"panic: exception vector=\d+ syndrome=0x2000000 ", r"^backtrace:( 0x[0-9a-f]+)+$"),
             symbolised=(r"^0xffff[0-9a-f]+ kernel::Scheduler::pick\(.*\) at kernel/sched/scheduler\.cpp:\d+$",
                         r"^0xffff[0-9a-f]+ .* at kernel/(entry|boot)/\w+\.cpp:\d+$")),
)
