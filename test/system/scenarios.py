# SPDX-License-Identifier: Apache-2.0
"""The scenarios that `./tessera test system` boots. README.md explains how to add one."""

import plant
from disks import pattern
from files import disk_files
from handover import REFUSED_SILENTLY, REFUSED_WITH_A_LINE, SOUND
from machine import Drive, raspi4b, variants, virt
from outside import FixedLayout, KernelFlips, Layout, LayoutOfCpu, ProcessFlips, Trial
from scenario import Scenario

# Groups of test/system/programs; the conductor says how many CPUs run, how many tests there were and
# how many failed.
FINISHED = r"^trial: finished passed=\d+ failed=0$"
TRIAL = dict(image="trial", ends_at=r"^trial: finished passed=\d+ failed=\d+$", at_least=200, replayed=1280,
             expect=(r"^trial: machine cpus={cpus}$", FINISHED), seconds=180)
PROTECTED = dict(ends_at=TRIAL["ends_at"], at_least=200, forbid=(r"^hardening: \w+-escaped$",),
                 expect=(r"^boot: protection landing-pads=yes signed-pointers=yes branch-defence=none$",) + TRIAL["expect"])
RANDOM = dict(ends_at=TRIAL["ends_at"], expect=TRIAL["expect"],
              tests=("random.canary-undisturbed", "random.nothing-leaks"))
CHANGING = dict(ends_at=TRIAL["ends_at"], expect=TRIAL["expect"],
                tests=("changing.nothing-denied-is-delivered", "changing.no-bad-text-is-delivered"))
# In microseconds of a clock that runs by instructions, 250 each: whoever dies is gone, and a bystander has its turn,
# within 2,500,000 instructions.
CONTAINED = dict(ends_at=TRIAL["ends_at"], expect=TRIAL["expect"], seconds=240,
                 tests=("containment.peers-see-the-documented-code", "containment.canary-undisturbed",
                        "containment.accounts-are-exact-after-each-hundred"))
BY_INSTRUCTIONS = (virt(cpus=4, gic=3, icount=2), virt(cpus=4, gic=3, cpu="max", icount=2))
BOUNDED = (r"longest-teardown-us=\d{5,}$", r"widest-gap-us=\d{5,}$")
ATTACKED = (virt(cpus=1), virt(cpus=4, gic=3), virt(cpus=4, gic=3, cpu="max"), raspi4b())

# Time by instructions, with turns of two other lengths.
OTHER_TURNS = (virt(cpus=4, gic=2, icount=0), virt(cpus=4, gic=3, el2=True, icount=5))
# A nanosecond for each instruction: whatever somebody uses up, a stronger bystander that comes each millisecond has
# its turn within 300,000 instructions; 48 callers of one server are served within 20 % of the same number of times.
TIMED = (virt(cpus=1, icount=0), OTHER_TURNS[0])
PUNCTUAL = (r"widest-gap-us=(1[3-9]\d\d|[2-9]\d{3}|\d{5,})$",)
# One and a half periods of 200 ms, a restart delay of up to 200, and who asks each 5 ms.
REPLACED = (r"^restarts: heartbeat .*-us=(5[2-9]\d{4}|[6-9]\d{5}|\d{7,})",)
# On one CPU, or waiting for others counts too. The aim is 4,000, which only Task.Create is far above.
MASKED = 6_500
# What who is strong waits for beyond the critical sections of others, 100,000 instructions each: entries of the kernel,
# 60,000 instructions for a chain of eight. A hog that gets in between takes millions.
INVERTED = (r"^inversion: .* excess-ns=([1-9]\d{5}|\d{7,})$",)
# A driver with a fifth of the CPU, and a device that never stops asking; in each period nothing comes once it is used up.
STORMED = (r"^exhaustion: storm .* left-percent=(\d|[0-6]\d|7[0-7]) ", r"^exhaustion: storm .* pauses=[0-3]$")
# Beside 209 timers, of which half fire all the time, somebody strong wakes within 20,000 instructions.
LATE = (r"^exhaustion: timers .* late-us=([2-9]\d|\d{3,})$", r"^exhaustion: timers .* fired=\d{,2} ")
FAIR = dict(TRIAL, seconds=240, forbid=PUNCTUAL + REPLACED + INVERTED + STORMED + LATE,
            expect=(r"^exhaustion: flood callers=48 share=[1-9]\d\d least=\d{3} most=\d{3}$",) + TRIAL["expect"])
# CPUs that truly run at the same time. On a host with other work each waits for CPUs that are set
# aside, minutes in all, and tests with deadlines may fail of it.
PARALLEL = (virt(cpus=2, gic=3, parallel=True), virt(cpus=4, gic=2, parallel=True))
SECOND_COMPILER = (virt(cpus=1), virt(cpus=2, gic=3, el2=True), virt(cpus=4, gic=3), raspi4b())

DRIVES = (Drive(8192, serial="first"), Drive(1024, read_only=True))
DISKS_END = dict(ends_at=r"^init: task-ended task=tests .*\n", expect=(r"^init: task-ended task=tests reason=exit code=0$",),
                 seconds=90)
FILE_DRIVES = (Drive(8192, serial="fat"), Drive(8192, serial="safe"))
OUTLIVE = {"optional": True, "tests": ("posix.files-outlive-their-driver",), "holds": disk_files.judge,
           "ends_at": r"^init: task-ended task=tests reason=exit code=42\n", "forbid": ("^posix: failed",)}
DISKS = tuple("disks." + name for name in (
    "disks-are-what-they-are", "written-is-read", "bounds-are-refused", "sessions-are-apart", "claims-are-checked",
    "sessions-end", "undisturbed", "ram-disk-is-filled-from-the-image", "ram-disk-written-is-read"))

# Boots as far as the first process and its first component.
LIVES = dict(image="plant", ends_at=r"^init: task-started", seconds=60, builds=("gcc",))
WRONG_CONTROLLER = r"^boot: stop: the interrupt controller is not of the version that the device tree names$"

# The tests of test/system/files and test/system/posix.
FILES = tuple("posix.files-" + name for name in (
    "round-trips", "refusals", "large", "directories", "names", "attributes", "streams", "full-disk",
    "full-disks-recover", "too-large", "devices", "fat", "image", "children", "locks", "threads"))
# Those of test/system/third_party.
ZLIB = tuple("posix.zlib-" + name for name in (
    "sums", "levels", "in-pieces", "files", "corrupt-is-refused"))
CJSON = tuple("posix.cjson-" + name for name in (
    "documents", "errors-have-places", "nesting", "numbers", "unicode", "building"))
LUA = tuple("posix.lua-" + name for name in (
    "language", "files", "errors", "sorting", "primes", "memory-limit"))
# Those of test/system/cxx.
CXX = tuple("cxx." + name for name in (
    "exceptions-pass-frames", "handlers-are-chosen-by-type", "exceptions-are-thrown-again",
    "half-made-objects-are-destroyed", "exceptions-in-destructors", "exceptions-go-to-other-threads",
    "exceptions-in-many-threads", "exceptions-pass-functions-in-c", "exceptions-of-the-library", "out-of-memory",
    "exceptions-without-any-memory", "one-exception-in-many-threads", "dynamic-casts", "types-have-names",
    "any-and-variant", "statics-begin-in-order", "thread-locals-are-destroyed", "statics-in-functions-are-made-once",
    "streams-format", "streams-read", "standard-streams", "format", "charconv", "locales", "containers",
    "algorithms", "smart-pointers", "optional-and-expected", "regular-expressions", "dates-and-times",
    "random-numbers", "coroutines", "paths", "errors-have-names", "file-streams", "large-files", "directories",
    "many-files", "attributes-of-files", "links", "refusals-of-files", "full-disk", "files-by-threads", "threads",
    "mutexes-exclude", "timed-mutexes", "conditions", "futures", "latches-barriers-semaphores",
    "atomics-can-be-waited-for", "call-once", "threads-leave-nothing", "too-many-threads",
    "processes-end-as-they-should", "exceptions-before-main-end-the-process", "destructors-of-statics"))
CXX_LIBRARY = dict(
    image="cxx", optional=True, builds=("clang",), seconds=120, tests=CXX,
    ends_at=r"^init: task-ended task=tests .*\n", forbid=("^cxx: (failed|thrown|end) ",),
    expect=("^cxx: to cout, 1$", "^cxx: to cerr, 2$", "^cxx: to clog, 3$", "^cxx: to wcout, 4$",
            "^cxx: printed, 5$", "^cxx: threads beside=63$", "^cxx: nobody caught what=main$",
            "^cxx: nobody caught what=thread$",
            r"^libc\+\+abi: terminating due to uncaught exception of type St13runtime_error: uncaught$",
            r"^libc\+\+abi: terminating due to uncaught exception of type i$",
            r"^libc\+\+abi: terminating due to uncaught exception of type St12out_of_range: vector$",
            r"^libc\+\+abi: terminating$", r"^.*libcxx/include/vector:\d+: assertion .* index out of bounds$",
            r"^libc\+\+abi: terminating due to uncaught exception of type St13runtime_error: before main$",
            r"^init: task-ended task=tests reason=exit code=42$"))
SQLITE = tuple("posix.sqlite-" + name for name in (
    "versions", "journals", "queries", "write-ahead", "full-disks", "locks", "ends-in-transactions", "speedtest1"))
THIRD_PARTY = dict(optional=True, seconds=120, machines=(virt(cpus=1), virt(cpus=4)), forbid=("^posix: failed",),
                   ends_at=r"^init: task-ended task=tests .*\n",
                   expect=(r"^init: task-ended task=tests reason=exit code=42$",))
POSIX = (
    "posix.arguments-and-environment", "posix.identity", "posix.there-is-one-user", "posix.randomness",
    "posix.what-there-is-not",
    "posix.output", "posix.numbers-are-the-lowest-free", "posix.numbers-run-out", "posix.numbers-can-be-chosen",
    "posix.flags-belong-to-numbers-or-descriptions", "posix.the-console-is-no-file", "posix.vectors-are-checked",
    "posix.heap-keeps-patterns", "posix.heap-clears-and-aligns",
    "posix.heap-runs-out-and-recovers", "posix.mappings-can-be-taken-apart", "posix.access-can-be-changed",
    "posix.memory-stays",
    "posix.printf-formats", "posix.numbers-are-read", "posix.sorting-and-searching", "posix.floating-point",
    "posix.wide-characters", "posix.conversions", "posix.clocks-go-forward", "posix.sleeps-are-not-short",
    "posix.wrong-times-are-refused", "posix.calendar", "posix.computing-is-not-counted", "posix.return-values-are-joined",
    "posix.detached-threads-leave-nothing", "posix.too-many-threads", "posix.thread-local-variables",
    "posix.keys-and-once", "posix.floats-survive-calls", "posix.scheduling", "posix.sleepers-are-cancelled",
    "posix.waiters-are-cancelled", "posix.cancelling-can-be-refused", "posix.threads-leave-by-exit",
    "posix.mutexes-exclude", "posix.inheriting-mutexes-exclude", "posix.mutex-kinds-differ",
    "posix.robust-mutexes-tell-of-death", "posix.read-write-locks", "posix.spin-locks", "posix.conditions-wake",
    "posix.conditions-time-out", "posix.barriers", "posix.semaphores", "posix.pipes-carry-bytes",
    "posix.pipes-do-not-wait-if-asked", "posix.pipes-wait-for-each-other", "posix.small-writes-are-whole",
    "posix.closing-does-not-disturb-readers", "posix.waits-for-pipes-are-cancelled", "posix.pipes-run-out",
    "posix.sockets-go-both-ways", "posix.poll-tells-what-is-ready", "posix.poll-waits",
    "posix.select-tells-what-is-ready", "posix.objects-have-names", "posix.objects-are-files",
    "posix.mappings-show-the-same-bytes", "posix.wrong-mappings-are-refused", "posix.semaphores-have-names",
    "posix.queues-have-names", "posix.messages-come-by-priority", "posix.queues-wait", "posix.messages-are-announced",
    "posix.messages-send-signals",
    "posix.queues-run-out",
    "posix.children-exit", "posix.children-get-texts",
    "posix.children-end-by-faults", "posix.children-can-be-ended", "posix.what-cannot-be-started",
    "posix.many-children",
    "posix.handlers-run-before-raise-returns", "posix.actions-are-kept", "posix.masks-hold-signals-back",
    "posix.handlers-nest", "posix.handlers-jump-out", "posix.handlers-have-stacks", "posix.waits-end-for-handlers",
    "posix.waits-go-on-after-handlers", "posix.calls-are-made-again", "posix.suspending-loses-nothing",
    "posix.signals-are-awaited", "posix.masks-hold-while-polling", "posix.processes-choose-threads",
    "posix.waits-survive-many-signals",
    "posix.queues-lose-nothing", "posix.timers-send-signals", "posix.overruns-are-counted",
    "posix.timers-call-functions", "posix.wrong-timers-are-refused", "posix.alarms", "posix.atexit",
)

SCENARIOS = (
    Scenario("trial", machines=tuple(m for m in variants() if m.cpu != "max") + OTHER_TURNS[1:], builds=("gcc",), **TRIAL),
    Scenario("trial", machines=TIMED[:1], builds=("gcc",), masked_at_most=MASKED, **FAIR),
    Scenario("trial", machines=TIMED[1:], builds=("gcc",), **FAIR),
    Scenario("largest work", machines=TIMED[:1], builds=("gcc",), masked_at_most=MASKED, forbid=PUNCTUAL,
             **{**TRIAL, "image": "trial-largest", "at_least": 4, "replayed": 0}),
    Scenario("largest work", machines=TIMED[1:], builds=("gcc",), forbid=PUNCTUAL,
             **{**TRIAL, "image": "trial-largest", "at_least": 4, "replayed": 0}),
    Scenario("trial, all protections", image="trial", machines=(virt(cpus=2, gic=3, cpu="max"),), seconds=180,
             **PROTECTED),
    # Signed pointers without landing pads; a branch history that the kernel's vectors overwrite.
    Scenario("trial, other vectors", machines=(virt(cpus=2, gic=3, cpu="neoverse-v1"), virt(gic=3, cpu="neoverse-n1")),
             builds=("gcc",), **{**TRIAL, "expect": (r"^boot: protection .* branch-defence=loop$",) + TRIAL["expect"]}),
    Scenario("trial", machines=SECOND_COMPILER, builds=("clang",), **TRIAL),
    Scenario("trial", machines=tuple(m for m in variants() if m not in SECOND_COMPILER), builds=("clang",),
             only_long=True, **TRIAL),
    Scenario("trial", machines=PARALLEL, builds=("gcc",), only_long=True, **{**TRIAL, "seconds": 600}),
    # RAM full of a pattern at power-on, and somebody outside who walks all page tables meanwhile, and looks at the
    # kernel's stacks at the end.
    Scenario("trial, seen from outside", machines=(virt(cpus=1), virt(cpus=4, gic=3)), builds=("gcc",),
             outside=Trial, **TRIAL),
    Scenario("kernel somewhere else", image="trial", machines=(virt(cpus=2, memory_mb=64, gic=3),), builds=("gcc",),
             outside=Layout, ends_at=r"^boot: init-start", seconds=15),
    Scenario("kernel somewhere else", image="trial", machines=(virt(memory_mb=64, gic=3, cpu="max", icount=1),),
             builds=("gcc",), outside=LayoutOfCpu, ends_at=r"^boot: init-start", seconds=15),
    Scenario("kernel without seeds", image="trial", machines=(virt(memory_mb=64, icount=1),), builds=("gcc",),
             outside=FixedLayout, ends_at=r"^boot: init-start", seconds=15),
    Scenario("flipped bits of processes", machines=(virt(cpus=1, memory_mb=64),), builds=("gcc",), outside=ProcessFlips,
             forbid=(r"flips: bypassed",), **{**TRIAL, "image": "trial-flips", "at_least": 1, "replayed": 0}),
    # Whatever the kernel becomes of it, it does not grant in silence what the policy denies.
    Scenario("flipped bits of the kernel", image="trial-flips", machines=(virt(cpus=1, memory_mb=64),), builds=("gcc",),
             outside=KernelFlips, forbid=(r"flips: bypassed",), may_stop=True, ends_at=TRIAL["ends_at"], seconds=15),
    Scenario("random calls", image="trial-random", machines=ATTACKED, builds=("gcc",), seconds=240,
             **{**RANDOM, "tests": RANDOM["tests"] + ("random.1000000-calls",)}),
    Scenario("random calls", image="trial-random", machines=tuple(variants()), builds=("clang",), seconds=240,
             only_long=True, **RANDOM),
    Scenario("many random calls", image="trial-random-long", machines=ATTACKED[:2], builds=("gcc",), seconds=3000,
             only_long=True, **{**RANDOM, "tests": RANDOM["tests"] + ("random.100000000-calls",)}),
    # 100,000 messages by default, 10,000,000 in the long run.
    # All 2^17 system register words, all of the low 2^20 handle values, 128 times as many rounds of the rest.
    Scenario("long attacks", machines=ATTACKED, builds=("gcc",), only_long=True,
             **{**TRIAL, "image": "trial-attacks-long", "at_least": 100, "seconds": 3000}),
    Scenario("changing messages", image="trial-changing", machines=ATTACKED, builds=("gcc",), seconds=240, **CHANGING),
    Scenario("many changing messages", image="trial-changing-long", machines=ATTACKED[:2], builds=("gcc",), seconds=3000,
             only_long=True, **CHANGING),
    Scenario("deaths under load", image="trial-containment", machines=(virt(cpus=1),), builds=("gcc",),
             **{**CONTAINED, "tests": CONTAINED["tests"] + ("containment.500-deaths",)}),
    Scenario("deaths under load", image="trial-containment", machines=BY_INSTRUCTIONS, builds=("gcc",),
             forbid=BOUNDED, **CONTAINED),
    Scenario("many deaths under load", image="trial-containment-long", machines=(virt(cpus=1),) + BY_INSTRUCTIONS,
             builds=("gcc",), only_long=True,
             **{**CONTAINED, "seconds": 3000, "tests": CONTAINED["tests"] + ("containment.10000-deaths",)}),
    # Disks. What the driver is asked through 50 deaths, by default, is on the drive in the end, and nothing else.
    Scenario("disks", machines=tuple(virt(drives=DRIVES, **more) for more in ({}, {"cpus": 4, "gic": 3, "cpu": "max"})),
             image="disks", tests=DISKS, holds=pattern.judge, **DISKS_END),
    Scenario("RAM disk", image="disks-ram", machines=(virt(cpus=1), raspi4b()), **DISKS_END),
    Scenario("disk driver dies", image="disks-deaths", machines=(virt(drives=DRIVES[:1]), virt(cpus=4, gic=3, drives=DRIVES[:1])),
             tests=("disks.through-50-deaths",), holds=pattern.judge, **{**DISKS_END, "seconds": 240}),
    Scenario("disk driver dies often", image="disks-deaths-long", machines=(virt(drives=DRIVES[:1]),), builds=("gcc",),
             only_long=True, tests=("disks.through-1000-deaths",), holds=pattern.judge, **{**DISKS_END, "seconds": 3000}),
    # Programs in C, and one of them against a driver in C++.
    Scenario("c binding", image="echo", machines=(virt(cpus=1), raspi4b()), seconds=60,
             ends_at=r"^init: task-ended task=client reason=exit code=\d+$",
             expect=(*(rf"^echo: ping {n} good$" for n in range(10)), r"^echo: limit reported$", r"^echo: policy answers$",
                     r"^init: task-ended task=client reason=exit code=0$")),
    # A program in plain C, and a suite of C programs' library; only built where its source is there.
    Scenario("hello in C", image="hello_c", optional=True, machines=(virt(cpus=1), raspi4b()), seconds=60,
             ends_at=r"^init: task-ended task=hello .*\n",
             expect=(r"^good evening, hello: 2 argument\(s\), pi is about 3\.14159$", '^hello: argument 2 is "2 words"$',
                     r"^init: task-ended task=hello reason=exit code=0$")),
    Scenario("files in C", image="files_example", optional=True, machines=(virt(cpus=1), raspi4b()), seconds=60,
             ends_at=r"^init: task-ended task=diary .*\n", forbid=(r"^diary: / has ",),
             expect=(r"^diary: /keep has page3, 51 bytes$", r"^diary: 3 pages kept, there is room$",
                     r"^init: task-ended task=diary reason=exit code=0$")),
    Scenario("threads in C", image="threads", optional=True, machines=(virt(cpus=1), virt(cpus=4), raspi4b()), seconds=60,
             ends_at=r"^init: task-ended task=workers .*\n",
             expect=(r"^workers: 4 threads found 303 primes below 2000$",
                     r"^init: task-ended task=workers reason=exit code=0$")),
    # The database outlives the machine.
    Scenario("SQLite in C", image="sqlite", optional=True, machines=(virt(drives=DRIVES[:1]),), seconds=60,
             ends_at=r"^init: task-ended task=journal .*\n",
             expect=(r"^journal: start 1, its square is 1$", r"^init: task-ended task=journal reason=exit code=0$"),
             again={"expect": (r"^journal: start 2, its square is 4$",
                               r"^init: task-ended task=journal reason=exit code=0$")}),
    Scenario("C library", image="posix", optional=True, seconds=120, tests=POSIX,
             machines=(virt(cpus=1), virt(cpus=4), virt(cpus=4, cpu="max", gic=3), PARALLEL[0], raspi4b()),
             ends_at=r"^init: task-ended task=tests .*\n",
             expect=("^posix: a line on stderr$", "^posix: in parts$", "^posix: this line has no end$",
                     r"^init: task-ended task=tests reason=exit code=42$")),
    Scenario("files", image="files", optional=True, seconds=120, tests=FILES,
             machines=(virt(cpus=1), virt(cpus=4), virt(cpus=4, cpu="max", gic=3), raspi4b()),
             ends_at=r"^init: task-ended task=tests .*\n",
             expect=("^posix: by the console.s file$", r"^init: task-ended task=tests reason=exit code=42$"),
             forbid=("^posix: failed",)),
    Scenario("files on a disk", image="files_disk", optional=True, seconds=120, tests=FILES,
             machines=(virt(cpus=1, drives=DRIVES[:1]), virt(cpus=4, gic=3, drives=DRIVES[:1])),
             ends_at=r"^init: task-ended task=tests .*\n",
             expect=(r"^init: task-ended task=tests reason=exit code=42$",), forbid=("^posix: failed",)),
    Scenario("files of a vanished disk", image="files_vanish", optional=True, seconds=60,
             tests=("posix.files-of-a-vanished-disk",),
             machines=(virt(cpus=1, drives=DRIVES[:1]), virt(cpus=4, gic=3, drives=DRIVES[:1])),
             ends_at=r"^init: task-ended task=tests .*\n",
             expect=(r"^init: task-ended task=virtio .*", r"^init: task-ended task=tests reason=exit code=42$"),
             forbid=("^posix: failed",)),
    Scenario("files of a mortal server", image="file_restarts", optional=True, seconds=120,
             tests=("posix.files-outlive-their-server",), machines=(virt(cpus=1), virt(cpus=4, gic=3)),
             ends_at=r"^init: task-ended task=tests .*\n",
             expect=(r"^init: task-ended task=tests reason=exit code=42$",), forbid=("^posix: failed",)),
    Scenario("files of a mortal disk", image="file_deaths", seconds=120, machines=(virt(drives=FILE_DRIVES),
             virt(cpus=4, gic=3, drives=FILE_DRIVES)), expect=(r"^init: task-ended task=virtio ",) * 10, **OUTLIVE),
    Scenario("files of an often mortal disk", image="file_deaths-long", seconds=3000, only_long=True, builds=("gcc",),
             machines=(virt(drives=FILE_DRIVES),), expect=(r"^init: task-ended task=virtio ",) * 1000, **OUTLIVE),
    # Code that nobody here wrote; only built where its source is there.
    Scenario("zlib", image="third_zlib", tests=ZLIB, **THIRD_PARTY),
    Scenario("cJSON", image="third_cjson", tests=CJSON, **THIRD_PARTY),
    Scenario("Lua", image="third_lua", tests=LUA, **THIRD_PARTY),
    # C++ with its library, which only clang compiles. Signed pointers, since who unwinds must know of them.
    Scenario("hello in C++", image="hello_cpp", optional=True, builds=("clang",), seconds=60,
             machines=(virt(cpus=1), virt(cpus=4), raspi4b()), ends_at=r"^init: task-ended task=hello .*\n",
             expect=(r"^good evening, hello: pi is about 3\.14159$", "^hello: the first 3 squares sum up to 14$",
                     "^hello: the first 4 squares sum up to 30$", "^hello: 0 is less than 1$",
                     r"^init: task-ended task=hello reason=exit code=0$")),
    Scenario("C++ library", machines=(virt(cpus=1), virt(cpus=2), virt(cpus=4), virt(cpus=4, cpu="max", gic=3), raspi4b()),
             **CXX_LIBRARY),
    Scenario("C++ library", machines=PARALLEL, only_long=True, **CXX_LIBRARY),
    Scenario("SQLite", image="sqlite_tests", tests=SQLITE, **{**THIRD_PARTY, "seconds": 300, "machines": (
        virt(cpus=1, drives=DRIVES[:1]), virt(cpus=4, gic=3, drives=DRIVES[:1]))}),
    Scenario("C library without a console", image="posix_quiet", optional=True, seconds=60,
             machines=(virt(cpus=1),),
             ends_at=r"^init: task-ended task=silent .*\n",
             expect=("^hello, hello: 1 argument.s., pi is about 3[.]14159$",
                     r"^init: task-ended task=silent reason=exit code=0$")),
    # Time by instructions: who sleeps costs nothing.
    Scenario("Open POSIX Test Suite", image="posix_suite", optional=True, seconds=240, builds=("gcc",),
             machines=(virt(cpus=2, gic=3, icount=2),), suite={"core": 276}, ends_at=r"^PTS end$",
             expect=(r"^PTS begin tests=\d+$", "^PTS end$")),
    # All tests that need no fork; a test that only computes until a signal comes is ended after a minute.
    Scenario("the whole Open POSIX Test Suite", image="posix_suite_long", optional=True, seconds=2400, builds=("gcc",),
             only_long=True, machines=(virt(cpus=2, gic=3, icount=2),), suite={"core": 276, "clean": 309, "signals": 624},
             ends_at=r"^PTS end$", expect=(r"^PTS begin tests=\d+$", "^PTS end$")),
    # The real kernel meets an exception of its own where it picks the next thread.
    Scenario("panic", image="plant", machines=(virt(cpus=1), raspi4b(cpus=1)), builds=("gcc",), panics=True,
             broken_at="_ZN6kernel9Scheduler6choose", exit_code=134, seconds=60,
             expect=(r"panic: exception vector=\d+ syndrome=0x2000000 ", r"^backtrace:( 0x[0-9a-f]+)+$"),
             symbolised=(r"^0xffff[0-9a-f]+ kernel::Scheduler::choose\(.*\) at kernel/sched/scheduler\.cpp:\d+$",
                         r"^0xffff[0-9a-f]+ .* at kernel/(entry|boot)/\w+\.cpp:\d+$")),

    Scenario("fewer CPUs", machines=(virt(cpus=4, gic=3),), boot_arguments="tessera.cpus=3",
             expect=(r"^boot: init-start cpus=3$",), **LIVES),
    Scenario("no such number of CPUs", machines=(virt(cpus=4, gic=3),), boot_arguments="tessera.cpus=5 tessera.cpus=0",
             expect=(r"^boot: init-start cpus=4$",), **LIVES),
    Scenario("sound tree", machines=(virt(handover=SOUND), virt(el2=True, handover=SOUND)),
             expect=("^boot: device-tree from=firmware$",), **LIVES),
    Scenario("no tree", machines=tuple(virt(handover=case) for case in REFUSED_SILENTLY),
             expect=("^boot: device-tree from=image$",), forbid=("not used",), **LIVES),
    Scenario("damaged tree", machines=tuple(virt(handover=case) for case in REFUSED_WITH_A_LINE),
             expect=("^boot: firmware device tree not used: not a device tree, or a damaged one$",
                     "^boot: device-tree from=image$"), **LIVES),
    Scenario("tree of another machine", machines=(virt(gic=3, handover=SOUND), virt(gic=3, handover=REFUSED_SILENTLY[0])),
             image="plant", signs=False, expect=(WRONG_CONTROLLER,), forbid=("init-start",), ends_at=WRONG_CONTROLLER,
             seconds=60, builds=("gcc",)),
) + plant.SCENARIOS
