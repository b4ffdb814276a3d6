# SPDX-License-Identifier: Apache-2.0
"""The scenarios that `./tessera test system` boots. README.md explains how to add one."""

from machine import Machine, raspi4b, variants, virt
from scenario import Scenario, Type

SCENARIOS = ()
