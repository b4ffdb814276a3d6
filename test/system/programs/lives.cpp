// SPDX-License-Identifier: Apache-2.0
// Processes come and go; the system's accounts stay exact.
#include <test/system/programs/support/peer.hpp>

namespace trial {

namespace {

constexpr u32 kCycles = 100;

void ends(Report& report, Spawner& spawner, u32 cycles) {
    Test test{report, "lives.start-and-exit"};
    const Holdings before = settled_holdings();
    for (u32 i = 0; i < cycles; ++i) {
        const Ending ending =
            spawner.run([](u64 code) -> s32 { return static_cast<s32>(code); }, i);
        test.require("ended", ending.ended && ending.reason == kExited, ending.reason);
        test.equal("code", ending.code, static_cast<s32>(i));
    }
    require_restored(test, before);
}

void kills(Report& report, Spawner& spawner, u32 cycles) {
    Test test{report, "lives.start-and-kill"};
    const Holdings before = settled_holdings();
    for (u32 i = 0; i < cycles; ++i) {
        const Child child = spawner.spawn(
            [](u64) -> s32 {
                while (true) {
                    const u64 page = allocate(4 * kPage);
                    (void)vmm().MdlCreate(kPage, 0);
                    (void)vmm().Free(page, 4 * kPage);
                }
            },
            0);
        test.require("made", child.task != 0);
        if (i % 2 == 0) {
            (void)Spawner::wait(child, 1);
        }
        (void)tasks().Terminate(child.task);
        const Ending ending = Spawner::wait(child);
        test.equal("reason", ending.reason, kTerminated);
        Spawner::discard(child);
    }
    require_restored(test, before);
}

void unfinished(Report& report, Spawner& spawner, u32 cycles) {
    Test test{report, "lives.built-and-never-started"};
    const Holdings before = settled_holdings();
    for (u32 i = 0; i < cycles; ++i) {
        const Child child = spawner.build([](u64) -> s32 { return 0; }, 0, {.serves = i % 2 == 0});
        test.require("made", child.task != 0);
        Spawner::discard(child);
    }
    // Names of servers stay known to the kernel: one object for each.
    constexpr u32 kTries = 400;
    const u64 objects = before.objects + (cycles + 1) / 2;
    Holdings now = holdings();
    for (u32 i = 0; i < kTries && (now.objects > objects || now.frames != before.frames); ++i) {
        sdk::sleep_ms(5);
        now = holdings();
    }
    test.require("objects", now.objects <= objects, now.objects - before.objects);
    test.equal("free frames", now.frames, before.frames);
}

void names(Report& report, Spawner& spawner) {
    Test test{report, "lives.names-are-unique-while-they-live"};
    (void)spawner;
    const auto create = [] { return tasks().Create("twin", "trial.Equal", "", 1 << 18, 10); };
    const auto first = create();
    test.equal("first", first.status(), Status::Ok);
    test.equal("second", create().status(), Status::AlreadyExists);
    test.equal("empty",
               tasks().Create("", "trial.Equal", "", 1 << 18, 10).status(),
               Status::InvalidArgument);
    test.equal("priority",
               tasks().Create("x", "trial.Equal", "", 1 << 18, 256).status(),
               Status::InvalidArgument);
    test.equal(
        "no memory", tasks().Create("x", "trial.Equal", "", 0, 10).status(), Status::OutOfMemory);
    (void)tasks().Terminate(first.value().task.handle);
    (void)handles().Close(first.value().task.handle);
    auto third = create();
    for (u32 i = 0; i < 1000 && third.status() == Status::AlreadyExists; ++i) {
        sdk::sleep_ms(5);  // it is being taken apart, which may take long on a busy host
        third = create();
    }
    test.equal("after its end", third.status(), Status::Ok);
    (void)tasks().Terminate(third.value().task.handle);
    (void)handles().Close(third.value().task.handle);
}

void running_is_closed(Report& report, Spawner& spawner) {
    Test test{report, "lives.a-running-process-cannot-be-changed"};
    const Child child = spawner.spawn(
        [](u64) -> s32 {
            sdk::sleep_ms(60'000);
            return 0;
        },
        0);
    const u32 memory = vmm().MdlCreate(kPage, 0).value().mdl.handle;
    test.equal("LoadSeg",
               tasks().LoadSeg(child.task, memory, 0, 0x5000'0000, kPage, kWritable).status(),
               Status::NotReady);
    test.equal(
        "SetEntry", tasks().SetEntry(child.task, 0x1000, 0x2000, 0).status(), Status::NotReady);
    test.equal("Resume", tasks().Resume(child.task).status(), Status::NotReady);
    test.equal("CreateListener", handles().CreateListener(child.task).status(), Status::NotReady);
    test.equal("GetExitInfo", tasks().GetExitInfo(child.task).status(), Status::NotReady);
    (void)handles().Close(memory);
    Spawner::discard(child);
}

void last_thread(Report& report, Spawner& spawner) {
    Test test{report, "lives.end-with-their-last-thread"};
    const Ending ending = spawner.run(
        [](u64) -> s32 {
            (void)threads().Exit(9);
            return 1;
        },
        0);
    test.require("exit", ending.ended && ending.reason == kExited, ending.reason);
    test.equal("code", ending.code, 9);
}

}  // namespace

void run(Report& report, const Context& context) {
    Spawner spawner{context};
    names(report, spawner);
    running_is_closed(report, spawner);
    last_thread(report, spawner);
    const u32 cycles = kCycles * context.effort;
    ends(report, spawner, cycles);
    kills(report, spawner, cycles / 2);
    unfinished(report, spawner, cycles / 4);
}

}  // namespace trial
