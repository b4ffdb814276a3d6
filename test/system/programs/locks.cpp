// SPDX-License-Identifier: Apache-2.0
// Words that threads wait for, and locks whose owner inherits the priority of who waits.
#include <atomic>
#include <runtime/thread.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/support/kernel.hpp>
#include <test/system/programs/support/section.hpp>

namespace trial {

namespace {

constexpr u32 kAwaited = kl::core::Sync::LockIsAwaited;
constexpr u32 kOwnPriority = 110;  // of the suite's thread, the process's highest

u32 own_id() { return threads().GetInfo(0).value().id; }

/// A lock as runtime code uses it.
class Lock final {
public:
    Status take(u64 deadline = 0) {
        const u32 self = own_id();
        u32 seen = 0;
        while (!word_.compare_exchange_strong(seen, self)) {
            if ((seen & kAwaited) == 0 && !word_.compare_exchange_strong(seen, seen | kAwaited)) {
                continue;
            }
            const Status status = sync().Lock(address(), seen | kAwaited, deadline).status();
            if (status != Status::Busy) {
                return status;
            }
            seen = 0;
        }
        return Status::Ok;
    }

    Status give() {
        u32 seen = own_id();
        return word_.compare_exchange_strong(seen, 0) ? Status::Ok
                                                      : sync().Unlock(address()).status();
    }

    [[nodiscard]] u64 address() const { return __builtin_bit_cast(u64, &word_); }

    [[nodiscard]] u32 value() const { return word_; }

    void reset(u32 value) { word_ = value; }

private:
    std::atomic<u32> word_{0};
};

constinit Lock lock;
constinit Lock second;
constinit std::atomic<u32> stage{0};
constinit std::atomic<u32> results[4];

bool reach(const std::atomic<u32>& value, u32 wanted) {
    for (u32 i = 0; i < 5000 && value < wanted; ++i) {
        sdk::sleep_ms(1);
    }
    return value >= wanted;
}

u32 start(void (*entry)(void*), u32 priority) {
    const auto thread = sdk::start_thread(entry, nullptr, {.priority = priority});
    return thread.ok() ? thread.value() : 0;
}

Status join(u32 thread) { return threads().Wait(thread, 5000).status(); }

void finish(Test& test, u32 thread) {
    test.equal("joined", join(thread), Status::Ok);
    (void)handles().Close(thread);
}

/// Counts under the lock are exact, whatever the number of CPUs.
void exclusive(Report& report) {
    Test test{report, "locks.exclude-each-other"};
    static constinit u32 count = 0;
    static constinit std::atomic<u32> wrong{0};
    constexpr u32 kThreads = 4;
    constexpr u32 kRounds = 300;
    u32 made[kThreads];
    for (u32& each : made) {
        each = start(
            [](void*) {
                for (u32 i = 0; i < kRounds; ++i) {
                    wrong += lock.take() == Status::Ok ? 0 : 1;
                    const u32 before = count;
                    if (i % 16 == 0) {
                        (void)threads().Sleep(0);
                    }
                    count = before + 1;
                    wrong += lock.give() == Status::Ok ? 0 : 1;
                }
            },
            100);
    }
    for (const u32 each : made) {
        finish(test, each);
    }
    test.equal("every count", count, kThreads * kRounds);
    test.equal("no failure", wrong.load(), 0);
    test.equal("free in the end", lock.value(), 0);
}

/// On one CPU: the owner is weak, a hog is stronger, and who waits for the lock is the strongest.
void inheritance(Report& report) {
    Test test{report, "locks.owner-inherits"};
    static constinit std::atomic<u32> hogging{0};
    test.equal("one CPU", threads().SetAffinity(0, 1).status(), Status::Ok);
    stage = hogging = 0;
    const u32 owner = start(
        [](void*) {
            (void)threads().SetAffinity(0, 1);
            (void)lock.take();
            stage = 1;
            while (hogging == 0) {
                (void)threads().Sleep(0);
            }
            stage = 2;  // reached only if the hog does not keep it from the CPU
            (void)lock.give();
        },
        50);
    test.require("taken", reach(stage, 1), stage);
    const u32 hog = start(
        [](void*) {
            (void)threads().SetAffinity(0, 1);
            hogging = 1;
            while (hogging == 1) {
            }
        },
        80);
    test.require("a hog runs", reach(hogging, 1));
    sdk::sleep_ms(20);
    test.equal("the owner does not run", stage.load(), 1);
    test.equal("taken", lock.take(sdk::now_ticks() + sdk::ticks_of_ms(5000)), Status::Ok);
    test.equal("the owner has run", stage.load(), 2);
    test.equal("given", lock.give(), Status::Ok);
    hogging = 2;
    finish(test, owner);
    finish(test, hog);
    test.equal(
        "all CPUs", threads().SetAffinity(0, (u64{1} << cpu_count()) - 1).status(), Status::Ok);
}

constexpr u32 kDepth = 8;
constexpr u32 kWeakPriority = 50;
constexpr u32 kHogPriority = 80;
constinit Lock chained[kDepth];
constinit std::atomic<u32> go{0};
constinit std::atomic<u32> hogging{0};

u64 soon() { return sdk::now_ticks() + sdk::ticks_of_ms(5000); }

/// Stronger than who has the locks, weaker than who waits for them.
u32 start_hog(Test& test) {
    hogging = 0;
    const u32 hog = start(
        [](void*) {
            (void)threads().SetAffinity(0, 1);
            hogging = 1;
            while (hogging == 1) {
            }
        },
        kHogPriority);
    test.require("a hog runs", reach(hogging, 1));
    return hog;
}

void stop_hog(Test& test, u32 hog) {
    hogging = 2;
    finish(test, hog);
}

/// With a lock of its own, until `go`; with that of the one before then, if there is one.
void hold(void* argument) {
    (void)threads().SetAffinity(0, 1);
    auto* const own = static_cast<Lock*>(argument);
    (void)own->take();
    ++stage;
    if (own != chained) {
        (void)(own - 1)->take(soon());
    }
    while (go == 0) {
        (void)threads().Sleep(0);
    }
    work_in_section();
    if (own != chained) {
        (void)(own - 1)->give();
    }
    (void)own->give();
}

/// Who is strong waits for the sections of all who stand before it, and for nothing else.
void bounded_wait(Report& report, std::string_view name, u32 depth) {
    Test test{report, name};
    const OneCpu one{test};
    const u64 section = measure_section();
    stage = go = 0;
    u32 holders[kDepth];
    for (u32 i = 0; i < depth; ++i) {
        const auto made = sdk::start_thread(&hold, &chained[i], {.priority = kWeakPriority + i});
        holders[i] = made.ok() ? made.value() : 0;
        test.require("has its lock", reach(stage, i + 1), i);
        sdk::sleep_ms(2);  // and waits for the one before
    }
    const u32 hog = start_hog(test);
    go = 1;
    const u64 begin = sdk::now_ticks();
    const Status taken = chained[depth - 1].take(soon());
    const u64 waited = sdk::now_ticks() - begin;
    test.equal("taken", taken, Status::Ok);
    test.require("it had to wait", waited >= section * depth / 2, ns_of_ticks(waited));
    test.equal("given", chained[depth - 1].give(), Status::Ok);
    stop_hog(test, hog);
    for (u32 i = 0; i < depth; ++i) {
        finish(test, holders[i]);
    }
    tell_wait(name, waited, section, depth);
}

/// Has two locks and gives them back one by one, a section each.
void hold_two(void*) {
    (void)threads().SetAffinity(0, 1);
    (void)chained[0].take();
    (void)chained[1].take();
    stage = 1;
    while (go == 0) {
        (void)threads().Sleep(0);
    }
    work_in_section();
    (void)chained[1].give();
    work_in_section();
    (void)chained[0].give();
}

/// What the stronger lent goes back with its lock; what the other lent stays, so that it does not
/// wait for the hog either.
void two_sources(Report& report) {
    Test test{report, "locks.two-lend-to-one-owner"};
    const OneCpu one{test};
    const u64 section = measure_section();
    stage = go = 0;
    static constinit std::atomic<u64> second_done{0};
    second_done = 0;
    const u32 owner = start(&hold_two, kWeakPriority);
    test.require("has both", reach(stage, 1));
    const u32 hog = start_hog(test);
    const u32 weaker = start(
        [](void*) {
            (void)threads().SetAffinity(0, 1);
            ++stage;
            results[0] = static_cast<u32>(chained[0].take(soon()));
            second_done = sdk::now_ticks();
            (void)chained[0].give();
        },
        kHogPriority + 5);
    test.require("the weaker waits", reach(stage, 2));
    sdk::sleep_ms(2);
    go = 1;
    const u64 begin = sdk::now_ticks();
    const Status taken = chained[1].take(soon());
    const u64 waited = sdk::now_ticks() - begin;
    for (u32 i = 0; i < 5000 && second_done == 0; ++i) {
        sdk::sleep_ms(1);
    }
    test.equal("taken", taken, Status::Ok);
    test.equal("taken by the weaker", static_cast<Status>(results[0].load()), Status::Ok);
    test.equal("given", chained[1].give(), Status::Ok);
    stop_hog(test, hog);
    finish(test, weaker);
    finish(test, owner);
    tell_wait("locks.two-lend-to-one-owner", waited, section, 1);
    tell_wait("locks.two-lend-to-one-owner-weaker", second_done - begin, section, 2);
}

/// An owner that never gives the lock back is ended by somebody stronger still: what was lent ends
/// there, and who waits is told at once.
void owner_killed(Report& report) {
    Test test{report, "locks.owner-killed-while-it-is-lent-to"};
    const OneCpu one{test};
    stage = 0;
    static constinit std::atomic<u64> waited_until{0};
    waited_until = 0;
    const u32 owner = start(
        [](void*) {
            (void)threads().SetAffinity(0, 1);
            (void)chained[0].take();
            stage = 1;
            while (true) {
            }
        },
        kWeakPriority);
    test.require("has it", reach(stage, 1));
    const u32 hog = start_hog(test);
    const u32 waiter = start(
        [](void*) {
            (void)threads().SetAffinity(0, 1);
            ++stage;
            results[0] = static_cast<u32>(chained[0].take(soon()));
            waited_until = sdk::now_ticks();
        },
        kOwnPriority - 10);
    test.require("who waits", reach(stage, 2));
    sdk::sleep_ms(3);
    const u64 killed = sdk::now_ticks();
    test.equal("killed", threads().Terminate(owner).status(), Status::Ok);
    for (u32 i = 0; i < 5000 && waited_until == 0; ++i) {
        sdk::sleep_ms(1);
    }
    test.equal("told", static_cast<Status>(results[0].load()), Status::ResourceNotFound);
    chained[0].reset(0);
    stop_hog(test, hog);
    finish(test, waiter);
    finish(test, owner);
    tell_wait("locks.owner-killed-while-it-is-lent-to", waited_until - killed, 0, 0);
}

void owner_ends(Report& report) {
    Test test{report, "locks.owner's-end-is-told"};
    stage = 0;
    results[0] = 1;
    const u32 owner = start(
        [](void*) {
            (void)lock.take();
            stage = 1;
            while (stage < 2) {
                sdk::sleep_ms(1);
            }
        },
        kOwnPriority);
    test.require("taken", reach(stage, 1));
    const u32 waiter = start(
        [](void*) {
            ++stage;
            results[0] = static_cast<u32>(lock.take());
        },
        kOwnPriority);
    finish(test, waiter);
    test.equal("who waited", static_cast<Status>(results[0].load()), Status::ResourceNotFound);
    finish(test, owner);
    test.equal("who comes later", lock.take(), Status::ResourceNotFound);
    test.require("the word is as it was", (lock.value() & kAwaited) != 0, lock.value());
    lock.reset(0);
    test.equal("who takes it over", lock.take(), Status::Ok);
    test.equal("and gives it", lock.give(), Status::Ok);
}

void errors(Report& report) {
    Test test{report, "locks.wrong-use-refused"};
    static constinit u32 words[2] = {};
    const u64 word = address_of(words);
    const u64 odd = word + 1;
    const u64 nowhere = 0x30'0000'0000;
    const u32 self = own_id();
    test.equal("wait for no word", sync().Wait(odd, 0, 0).status(), Status::InvalidArgument);
    test.equal("wait elsewhere", sync().Wait(nowhere, 0, 0).status(), Status::SourceFault);
    test.equal("wait for another value", sync().Wait(word, 1, 0).status(), Status::Busy);
    test.equal("wait until now", sync().Wait(word, 0, 1).status(), Status::Timeout);
    test.equal(
        "move to the same", sync().Requeue(word, 0, 1, 1, word).status(), Status::InvalidArgument);
    test.equal(
        "move to no word", sync().Requeue(word, 0, 1, 1, odd).status(), Status::InvalidArgument);
    test.equal(
        "move from another value", sync().Requeue(word, 1, 1, 1, word + 4).status(), Status::Busy);
    test.equal("move from elsewhere",
               sync().Requeue(nowhere, 0, 1, 1, word).status(),
               Status::SourceFault);
    test.equal("hand over for no word",
               sync().WakeAndWait(word, odd, 0).status(),
               Status::InvalidArgument);
    test.equal("hand over for another value",
               sync().WakeAndWait(word + 4, word, 1).status(),
               Status::Busy);
    test.equal("hand over and wait elsewhere",
               sync().WakeAndWait(word, nowhere, 0).status(),
               Status::SourceFault);
    test.equal("lock without mark", sync().Lock(word, 1, 0).status(), Status::InvalidArgument);
    test.equal("lock no word", sync().Lock(odd, kAwaited, 0).status(), Status::InvalidArgument);
    test.equal("lock elsewhere", sync().Lock(nowhere, kAwaited, 0).status(), Status::SourceFault);
    test.equal("lock another value", sync().Lock(word, kAwaited | 1, 0).status(), Status::Busy);
    words[0] = kAwaited | (self ^ 0x100);
    test.equal("nobody has it", sync().Lock(word, words[0], 0).status(), Status::ResourceNotFound);
    words[0] = kAwaited | self;
    test.equal("own lock", sync().Lock(word, words[0], 0).status(), Status::Deadlock);
    words[0] = kAwaited;
    test.equal("another's", sync().Unlock(word).status(), Status::NotReady);
    test.equal("unlock no word", sync().Unlock(odd).status(), Status::InvalidArgument);
    test.equal("unlock elsewhere", sync().Unlock(nowhere).status(), Status::SourceFault);
}

void circle(Report& report) {
    Test test{report, "locks.circle-refused"};
    stage = 0;
    test.equal("first", lock.take(), Status::Ok);
    const u32 other = start(
        [](void*) {
            (void)second.take();
            stage = 1;
            results[0] = static_cast<u32>(lock.take());
            (void)lock.give();
            (void)second.give();
        },
        kOwnPriority);
    test.require("second", reach(stage, 1));
    for (u32 i = 0; i < 2000 && (lock.value() & kAwaited) == 0; ++i) {
        sdk::sleep_ms(1);
    }
    sdk::sleep_ms(20);
    test.equal("a circle", second.take(), Status::Deadlock);
    test.equal("given", lock.give(), Status::Ok);
    finish(test, other);
    test.equal("the other had it", static_cast<Status>(results[0].load()), Status::Ok);
}

void limits(Report& report) {
    Test test{report, "locks.wait-ends-at-its-deadline"};
    stage = 0;
    test.equal("taken", lock.take(), Status::Ok);
    const u32 other = start(
        [](void*) {
            results[0] = static_cast<u32>(lock.take(sdk::now_ticks() + sdk::ticks_of_ms(20)));
            stage = 1;
        },
        kOwnPriority);
    test.require("ends", reach(stage, 1));  // joined now, it would wait for who waits for it
    finish(test, other);
    test.equal("in time", static_cast<Status>(results[0].load()), Status::Timeout);
    test.equal("given", lock.give(), Status::Ok);
    test.equal("free", lock.value(), 0);
}

void moved(Report& report) {
    Test test{report, "locks.requeue-moves-who-waits"};
    static constinit u32 words[2] = {};
    static constinit std::atomic<u32> woken{0};
    constexpr u32 kWaiters = 12;
    woken = stage = 0;
    for (u32 i = 0; i < kWaiters; ++i) {
        (void)handles().Close(start(
            [](void*) {
                ++stage;
                woken += sync().Wait(address_of(&words[0]), 0, 0).ok() ? 1 : 0;
            },
            100));
    }
    test.require("all wait", reach(stage, kWaiters));
    sdk::sleep_ms(50);
    const u64 from = address_of(&words[0]);
    const auto answer = sync().Requeue(from, 0, 1, kWaiters - 2, from + 4);
    test.equal("status", answer.status(), Status::Ok);
    test.equal("woken", answer.value().woken, 1);
    test.equal("moved", answer.value().moved, kWaiters - 2);
    test.equal("from the new place", sync().Wake(from + 4, 99).value().woken, kWaiters - 2);
    test.equal("who stayed", sync().Wake(from, 99).value().woken, 1);
    test.require("all go on", reach(woken, kWaiters), woken);
}

/// Threads in a ring hand over the turn, and who has it changes what no atomic guards.
void turns(Report& report) {
    Test test{report, "locks.turns-are-handed-over"};
    static constexpr u32 kThreads = 3;
    static constexpr u32 kRounds = 3'000;
    static constinit std::atomic<u32> words[kThreads] = {};  // how often it has been whose turn
    static constinit u32 unguarded = 0;
    static constinit std::atomic<u32> failed{0};
    stage = 0;
    u32 threads[kThreads];
    for (u32& each : threads) {
        each = start(
            [](void*) {
                const u32 self = stage++;
                const u32 next = (self + 1) % kThreads;
                Status status = sync().Wait(address_of(&words[self]), 0, 0).status();
                for (u32 turn = 1; turn <= kRounds; ++turn) {
                    failed += status != Status::Ok && status != Status::Busy ? 1 : 0;
                    failed += words[self] != turn ? 1 : 0;
                    unguarded = unguarded + 1;
                    ++words[next];
                    status = turn < kRounds ? sync()
                                                  .WakeAndWait(address_of(&words[next]),
                                                               address_of(&words[self]),
                                                               turn)
                                                  .status()
                                            : sync().Wake(address_of(&words[next]), 1).status();
                }
            },
            100);
    }
    test.require("all are there", reach(stage, kThreads));
    words[0] = 1;
    test.equal("begun", sync().Wake(address_of(&words[0]), 1).status(), Status::Ok);
    for (const u32 each : threads) {
        finish(test, each);
    }
    test.equal("failed", failed.load(), 0u);
    test.equal("turns", unguarded, kThreads * kRounds);
}

}  // namespace

void run(Report& report, const Context&) {
    exclusive(report);
    inheritance(report);
    bounded_wait(report, "locks.strong-waits-for-one-section", 1);
    bounded_wait(report, "locks.strong-waits-for-eight-sections", kDepth);
    two_sources(report);
    owner_killed(report);
    owner_ends(report);
    errors(report);
    circle(report);
    limits(report);
    moved(report);
    turns(report);
}

}  // namespace trial
