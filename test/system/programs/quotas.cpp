// SPDX-License-Identifier: Apache-2.0
// One process uses up whatever it can get. It gets an error, others notice nothing, and all of it
// is back when the process ends.
#include <test/system/programs/support/spawn.hpp>

namespace trial {

namespace {

struct Board {
    volatile u32 made;
    volatile s32 status;
    volatile s32 again;
};

void finish(Board& board, u32 made, Status status) {
    board.made = made;
    board.status = static_cast<s32>(status);
}

constexpr u32 kLimit = 100'000;

s32 use_memory(u64 board) {
    u32 made = 0;
    Status status = Status::Ok;
    u64 last = 0;
    while (made < kLimit) {
        const auto area = vmm().Allocate(0, kPage, kWritable);
        status = area.status();
        if (!area.ok()) {
            break;
        }
        last = area.value().at;
        ++made;
    }
    finish(at<Board>(board), made, status);
    // What is given back can be had again.
    (void)vmm().Free(last, kPage);
    at<Board>(board).again = static_cast<s32>(vmm().Allocate(0, kPage, kWritable).status());
    return 0;
}

s32 use_large_memory(u64 board) {
    u32 made = 0;
    Status status = Status::Ok;
    while (made < kLimit) {
        status = vmm().Allocate(0, 16 * kPage, kWritable).status();
        if (status != Status::Ok) {
            break;
        }
        ++made;
    }
    finish(at<Board>(board), made, status);
    at<Board>(board).again = static_cast<s32>(vmm().Allocate(0, kPage, kWritable).status());
    return 0;
}

s32 use_objects(u64 board) {
    u32 made = 0;
    Status status = Status::Ok;
    while (made < kLimit) {
        status = vmm().MdlCreate(kPage, 0).status();
        if (status != Status::Ok) {
            break;
        }
        ++made;
    }
    finish(at<Board>(board), made, status);
    return 0;
}

s32 use_handles(u64 board) {
    const u32 memory = vmm().MdlCreate(kPage, 0).value().mdl.handle;
    u32 made = 0;
    Status status = Status::Ok;
    u32 last = 0;
    while (made < kLimit) {
        const auto copy = handles().Copy(memory, ~0u, 0);
        status = copy.status();
        if (!copy.ok()) {
            break;
        }
        last = copy.value().copy;
        ++made;
    }
    finish(at<Board>(board), made, status);
    (void)handles().Close(last);
    at<Board>(board).again = static_cast<s32>(handles().Copy(memory, ~0u, 0).status());
    return 0;
}

s32 use_threads(u64 board) {
    u32 made = 0;
    Status status = Status::Ok;
    while (made < kLimit) {
        const u64 stack = allocate(kPage);
        const auto thread =
            threads().Create(__builtin_bit_cast(
                                 u64, +[](u64) { (void)threads().Sleep(~u64{0} >> 1); }),
                             stack + kPage,
                             0,
                             0,
                             10);
        status = thread.status();
        if (!thread.ok()) {
            break;
        }
        ++made;
    }
    finish(at<Board>(board), made, status);
    return 0;
}

s32 use_tasks(u64 board) {
    u32 made = 0;
    Status status = Status::Ok;
    while (made < kLimit) {
        sdk::Line<30> name;
        name.text("brood-").decimal(made);
        status = tasks().Create(name.view(), "trial.Equal", "", 64 * kPage, 1).status();
        if (status != Status::Ok) {
            break;
        }
        ++made;
    }
    finish(at<Board>(board), made, status);
    return 0;
}

struct Greed {
    std::string_view name;
    ChildMain main;
    u32 at_least;
    bool checks_again;
};

constexpr Greed kGreeds[] = {
    {"pages", use_memory, 50, true},
    {"large-areas", use_large_memory, 5, false},
    {"memory-objects", use_objects, 50, false},
    {"handles", use_handles, 100, true},
    {"threads", use_threads, 10, false},
    {"processes", use_tasks, 5, false},
};

}  // namespace

void run(Report& report, const Context& context) {
    Spawner spawner{context};
    auto& board = spawner.board<Board>();
    for (const Greed& greed : kGreeds) {
        sdk::Line<60> name;
        name.text("quotas.").text(greed.name);
        Test test{report, name.view()};
        const Holdings before = settled_holdings();
        const Child child =
            spawner.build(greed.main, spawner.board_address(), {.memory = 1u << 20});
        board.again = 0;
        (void)spawner.start(child);
        const Ending ending = Spawner::wait(child, 20'000);
        test.require("ended", ending.ended && ending.reason == kExited, ending.reason);
        test.equal("error", static_cast<Status>(board.status), Status::OutOfMemory);
        test.require("got some", board.made >= greed.at_least, board.made);
        test.require("not all there is", board.made < kLimit, board.made);
        if (greed.checks_again) {
            test.equal("after giving one back", static_cast<Status>(board.again), Status::Ok);
        }
        Spawner::discard(child);
        require_restored(test, before);
    }
    Test test{report, "quotas.all-at-once"};
    const Holdings before = settled_holdings();
    {
        Child children[4];
        u32 index = 0;
        for (const ChildMain main : {use_memory, use_objects, use_handles, use_threads}) {
            children[index++] = spawner.spawn(main, spawner.board_address(), {.memory = 1u << 20});
        }
        // Somebody who does nothing wrong works all the time.
        for (u32 i = 0; i < 50; ++i) {
            const u64 page = allocate(kPage);
            test.require("undisturbed", page != 0);
            (void)vmm().Free(page, kPage);
        }
        for (const Child& child : children) {
            (void)Spawner::wait(child, 20);
            Spawner::discard(child);  // in the middle of it, some of them
        }
    }
    require_restored(test, before);
}

}  // namespace trial
