# SPDX-License-Identifier: Apache-2.0
"""The scenarios that `./tessera test system` boots. README.md explains how to add one."""

from machine import Machine, raspi4b, variants, virt
from scenario import Scenario, Type

# Groups of test/system/programs; the conductor says how many tests there were and how many failed.
TRIAL = dict(image="trial", ends_at=r"^trial: finished passed=\d+ failed=\d+$", at_least=200,
             expect=(r"^trial: finished passed=\d+ failed=0$",), seconds=240)

SCENARIOS = (
    Scenario("trial", machines=tuple(variants()), builds=("gcc",), **TRIAL),
    Scenario("trial", machines=(virt(cpus=1), virt(cpus=4, gic=3, el2=True), raspi4b()),
             builds=("clang",), **TRIAL),
    Scenario("random calls", image="trial-random", machines=(virt(cpus=2),), builds=("gcc",),
             tests=("random.100000-calls", "random.canary-undisturbed", "random.nothing-leaks"),
             ends_at=r"^trial: finished passed=\d+ failed=\d+$",
             expect=(r"^trial: finished passed=\d+ failed=0$",), seconds=240),
)
