// SPDX-License-Identifier: Apache-2.0
// Processes come and go; the system's accounts stay exact.
#include <test/system/programs/support/peer.hpp>

namespace trial {

namespace {

constexpr u32 kCycles = 100;
constexpr u32 kServerNames = 8;  // every other one serves

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
        sdk::Line<20> name;
        name.text("unborn-").decimal(i % kServerNames);
        const Child child =
            spawner.build([](u64) -> s32 { return 0; },
                          0,
                          {.serves = i % kServerNames % 2 == 0, .name = name.view()});
        test.require("made", child.task != 0);
        Spawner::discard(child);
    }
    // Names of servers stay known to the kernel: one object for each.
    constexpr u32 kTries = 400;
    const u64 objects = before.objects + kServerNames / 2;
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

/// Each life takes over the slot of the one before, which was given back last, hence its ASID. All
/// have other memory at the same addresses.
struct Estate {
    volatile u32 life;
    volatile u32 watchers;  // that have seen all pages once
    volatile u64 foreign;   // the first word that was not the life's own
};

constexpr u64 kEstate = u64{1} << 37;
constexpr u64 kEstateWord = kEstate + kPage / 2;  // of each page
constexpr u64 kEstatePages = 16;
constexpr u32 kWatchers = 3;

/// What a life writes to its pages: no two lives or pages the same.
constexpr u64 own_word(u32 life, u64 page) {
    return 0x11FE'0000'0000'0000 | u64{life} << 16 | page;
}

/// Even ones have all pages and are killed, odd ones have half of them and touch the other half.
constexpr u64 pages_of(u32 life) { return life % 2 == 0 ? kEstatePages : kEstatePages / 2; }

void watch(Estate* estate) {
    const u32 life = estate->life;
    for (bool is_first = true;; is_first = false) {
        for (u64 page = 0; page < pages_of(life); ++page) {
            const u64 word = at<volatile u64>(kEstateWord + page * kPage);
            if (word != own_word(life, page)) {
                estate->foreign = word;
            }
        }
        if (is_first) {
            __atomic_fetch_add(&estate->watchers, 1, __ATOMIC_RELAXED);
        }
    }
}

s32 take_over(u64 board) {
    auto& estate = at<Estate>(board);
    const u32 life = estate.life;
    (void)allocate((1 + life % 7) * kPage);  // other frames than those of the life before
    const u64 stacks = allocate(kWatchers * kPage);
    if (!vmm().Allocate(kEstate, pages_of(life) * kPage, kWritable).ok() || stacks == 0) {
        return 1;
    }
    for (u64 page = 0; page < pages_of(life); ++page) {
        auto& word = at<volatile u64>(kEstateWord + page * kPage);
        estate.foreign = word != 0 ? word : estate.foreign;
        word = own_word(life, page);
    }
    for (u32 i = 1; i <= kWatchers; ++i) {
        const auto made =
            threads().Create(__builtin_bit_cast(u64, &watch), stacks + i * kPage, board, 0, 100);
        if (!made.ok()) {
            return 2;
        }
    }
    while (life % 2 == 0 || estate.watchers < kWatchers) {
        (void)threads().Sleep(0);
    }
    return static_cast<s32>(at<volatile u64>(kEstate + pages_of(life) * kPage));  // must fault
}

void successors(Report& report, Spawner& spawner, u32 lives) {
    Test test{report, "lives.successor-in-a-slot-sees-nothing-of-the-dead"};
    auto& estate = spawner.board<Estate>();
    estate.foreign = 0;
    for (u32 life = 0; life < lives; ++life) {
        estate.life = life;
        estate.watchers = 0;
        const Child child = spawner.spawn(take_over, spawner.board_address());
        for (u32 i = 0; i < 10'000 && life % 2 == 0 && estate.watchers < kWatchers; ++i) {
            sdk::sleep_ms(1);
        }
        if (life % 2 == 0) {
            test.equal("watched", estate.watchers, kWatchers);
            (void)tasks().Terminate(child.task);  // while its threads run, on other CPUs too
        }
        const Ending ending = Spawner::wait(child);
        test.equal("reason", ending.reason, life % 2 == 0 ? kTerminated : kFaulted);
        if (life % 2 != 0) {
            test.equal("address", ending.address, kEstate + pages_of(life) * kPage);
        }
        Spawner::discard(child);
    }
    test.equal("foreign", estate.foreign, 0);
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
    successors(report, spawner, cycles / 4);
}

}  // namespace trial
