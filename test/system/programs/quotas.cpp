// SPDX-License-Identifier: Apache-2.0
// One process uses up whatever it can get. It gets an error, others notice nothing, and all of it
// is back when the process ends, or when it gives it back itself: to the page, each time.
#include <iterator>
#include <runtime/time.hpp>
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

// What fills an account to its end and gives back all of it, again and again.

constexpr u32 kRounds = 80;  // times the effort, if that is more than the least
constexpr u32 kFewRounds = 40;
constexpr u32 kMostOfOne = 512;  // of one kind that a process has
constexpr u64 kSmallBudget = 96 * kPage;

constinit u64 cycle_object = 0;  // of the child: what copies are made of
constinit u64 cycle_stack = 0;

struct Kind {
    std::string_view name;
    Result<u64> (*make)(u32 number);
    void (*give)(u64 made);
};

template <typename Reply, typename Value> Result<u64> made_or_not(const Reply& reply, Value value) {
    return reply.ok() ? Result<u64>{value} : Result<u64>{reply.status()};
}

void close(u64 handle) { (void)handles().Close(static_cast<u32>(handle)); }

constexpr Kind kKinds[] = {
    {"quotas.to-failure-and-back-pages",
     [](u32) {
         const auto area = vmm().Allocate(0, kPage, kWritable);
         return made_or_not(area, area.value().at);
     },
     [](u64 area) { (void)vmm().Free(area, kPage); }},
    {"quotas.to-failure-and-back-memory-objects",
     [](u32) {
         const auto memory = vmm().MdlCreate(kPage, 0);
         return made_or_not(memory, memory.value().mdl.handle);
     },
     close},
    {"quotas.to-failure-and-back-handles",
     [](u32) {
         const auto copy = handles().Copy(static_cast<u32>(cycle_object), ~0u, 0);
         return made_or_not(copy, copy.value().copy);
     },
     close},
    {"quotas.to-failure-and-back-user-objects",
     [](u32 number) {
         const auto object =
             handles().CreateUserObject(kl::core::Handle::FirstUserType, 1, number, 0, 0);
         return made_or_not(object, object.value().handle);
     },
     close},
    {"quotas.to-failure-and-back-badges",
     [](u32 number) {
         const auto badge = handles().CreateBadge(0, 0, number);
         return made_or_not(badge, badge.value().badge);
     },
     close},
    {"quotas.to-failure-and-back-notices",
     [](u32) {
         const auto notice = notices().Create();
         return made_or_not(notice, notice.value().notice.handle);
     },
     close},
    {"quotas.to-failure-and-back-threads",
     [](u32) {
         const auto thread =
             threads().Create(__builtin_bit_cast(
                                  u64, +[](u64) { (void)threads().Sleep(~u64{0} >> 1); }),
                              cycle_stack + kPage,
                              0,
                              0,
                              10);
         return made_or_not(thread, thread.value().thread.handle);
     },
     [](u64 thread) {
         (void)threads().Terminate(static_cast<u32>(thread));
         close(thread);
     }},
    {"quotas.to-failure-and-back-processes",
     [](u32 number) {
         sdk::Line<30> name;
         name.text("brood-").decimal(number);
         const auto task = tasks().Create(name.view(), "trial.Equal", "", 12 * kPage, 1);
         return made_or_not(task, task.value().task.handle);
     },
     [](u64 task) {
         (void)tasks().Terminate(static_cast<u32>(task));
         close(task);
     }},
};

struct Cycles {
    u32 kind;
    u32 rounds;
    volatile u32 done;
    volatile u32 made;    // in each round
    volatile u32 wrong;   // rounds after which something lacked, or that got less or more
    volatile s32 status;  // the last that was not OutOfMemory
};

struct Accounts {
    u64 pages;
    Holdings all;

    friend bool operator==(const Accounts&, const Accounts&) = default;
};

Accounts accounts() { return {.pages = pages_left(), .all = holdings()}; }

/// Threads and processes are taken apart in steps.
bool are_again(const Accounts& wanted) {
    for (u32 i = 0; i < 500; ++i) {
        if (accounts() == wanted) {
            return true;
        }
        sdk::sleep_ms(1);
    }
    return false;
}

s32 cycle(u64 address) {
    auto& board = at<Cycles>(address);
    const Kind& kind = kKinds[board.kind];
    static constinit u64 held[kMostOfOne]{};
    cycle_object = vmm().MdlCreate(kPage, 0).value().mdl.handle;
    cycle_stack = allocate(kPage);
    Accounts before{};
    for (u32 round = 0; round <= board.rounds; ++round) {
        u32 made = 0;
        Status status = Status::Ok;
        while (made < kMostOfOne && status == Status::Ok) {
            const auto one = kind.make(made);
            status = one.status();
            if (one.ok()) {
                held[made++] = one.value();
            }
        }
        if (status != Status::OutOfMemory) {
            board.status = static_cast<s32>(status);
        }
        for (u32 left = made; left > 0;) {
            kind.give(held[--left]);
        }
        if (round == 0) {  // the first leaves page tables
            board.made = made;
            sdk::sleep_ms(10);
            before = accounts();
            continue;
        }
        if (made != board.made || !are_again(before)) {
            board.wrong = board.wrong + 1;
            before = accounts();
        }
        board.done = round;
    }
    return 0;
}

void cycles(Report& report, const Context& context, Spawner& spawner) {
    for (u32 i = 0; i < std::size(kKinds); ++i) {
        Test test{report, kKinds[i].name};
        const Holdings before = settled_holdings();
        auto& board = spawner.board<Cycles>();
        board.done = 0;
        board.made = 0;
        board.wrong = 0;
        board.status = 0;
        board.kind = i;
        board.rounds = context.effort == 1 ? kFewRounds : kRounds * context.effort;
        const Child child = spawner.spawn(cycle, spawner.board_address(), {.memory = kSmallBudget});
        const Ending ending = Spawner::wait(child, 60'000 + 10'000 * context.effort);
        test.require("ended", ending.ended && ending.reason == kExited, ending.reason);
        test.equal("rounds", board.done, board.rounds);
        test.require("got some", board.made >= 4, board.made);
        test.equal("error", static_cast<Status>(board.status), Status::Ok);
        test.equal("rounds that left something, or got something else", board.wrong, 0);
        Spawner::discard(child);
        require_restored(test, before);
    }
}

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
    cycles(report, context, spawner);
    Test test{report, "quotas.all-at-once"};
    const Holdings before = settled_holdings();
    for (u32 round = 0; round < context.effort; ++round) {
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
