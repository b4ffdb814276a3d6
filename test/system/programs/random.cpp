// SPDX-License-Identifier: Apache-2.0
// Random calls: children of a class that may ask the kernel for nearly anything trap with registers
// of a seeded generator, half of them plausible, half not. Children die of it and are replaced; the
// kernel, a canary and the system's accounts must not notice.
#include <runtime/time.hpp>
#include <test/system/programs/support/spawn.hpp>
#include <test/system/programs/support/trap.hpp>
#include <trial/Echo.client.hpp>
#include <trial/Server.edl.hpp>

namespace trial {

namespace {

constexpr u32 kCalls = 2000;

struct Board {
    u64 seed;
    u32 end;            // number of calls in all
    volatile u32 made;  // so far
};

/// A value that a kernel method might take: small numbers, handles, addresses, sizes, or anything.
u64 plausible(Random& random, u64 board) {
    switch (random.below(8)) {
    case 0:
        return random.below(8);
    case 1:
        return (random.below(3) << 16) | random.below(40);
    case 2:
        return kPage * random.below(64);
    case 3:
        return board + random.below(2 * kPage);
    case 4:
        return u64{1} << random.below(64);
    case 5:
        return abi::Buffer{base::UserAddr{board + 8 * kPage + random.below(64)},
                           static_cast<u32>(random.below(5000))}
            .value;
    case 6:
        return ~random.below(16);
    default:
        return random.next();
    }
}

u64 plausible_tag(Random& random) {
    u64 tag = (random.below(14) << 20) | (random.below(10) << 4);
    if (random.below(3) == 0) {
        tag |= abi::Tag::kLong | (random.below(3) << 40) | (random.below(2) << 48);
    } else {
        tag |= random.below(8) << 36;
    }
    tag |= random.below(4) << 52;
    if (random.below(4) == 0) {
        tag |= abi::Tag::kRoom;
    }
    if (random.below(16) == 0) {
        tag |= u64{1} << random.below(64);
    }
    return tag;
}

void fill(Random& random, Registers& registers, u64 board) {
    const bool is_plausible = random.below(4) != 0;
    for (u64& value : registers.x) {
        value = is_plausible ? plausible(random, board) : random.next();
    }
    if (is_plausible) {
        registers.x[0] = random.below(8) != 0 ? sdk::kKernelHandle : registers.x[0];
        registers.x[9] = plausible_tag(random);
    }
}

/// Waits of random length would last for ever: they end soon instead.
void bound_waits(Registers& registers, u32 operation) {
    const u64 soon = sdk::now_ticks() + sdk::ticks_of_ms(1);
    const abi::Tag tag{registers.x[9]};
    if (operation != abi::kSvcReply || registers.x[0] != 0) {
        if (tag.has_deadline()) {
            registers.x[7] = registers.x[7] < soon ? registers.x[7] : soon;
        }
    }
    if (operation == abi::kSvcCall) {
        const bool is_thread = tag.endpoint() == kl::core::Core::endpoint::thread_Thread;
        const auto method = static_cast<kl::core::Thread::Method>(tag.method());
        if (is_thread && method == kl::core::Thread::Method::Sleep) {
            registers.x[10] = registers.x[10] < soon ? registers.x[10] : soon;
        }
        if (is_thread && method == kl::core::Thread::Method::Suspend) {  // nobody would resume it
            registers.x[9] ^= u64{1} << 4;
        }
        if (tag.endpoint() == kl::core::Core::endpoint::sync_Sync) {
            registers.x[12] =
                registers.x[12] == 0 || registers.x[12] > soon ? soon : registers.x[12];
        }
    }
}

s32 babble(u64 address) {
    auto& board = at<Board>(address);
    while (board.made < board.end) {
        const u32 number = board.made;
        board.made = number + 1;
        Random random{board.seed + number};
        Registers registers;
        fill(random, registers, address);
        const u32 operation = static_cast<u32>(random.below(8) < 6 ? 0 : random.below(3));
        bound_waits(registers, operation);
        const u32* const gates[] = {trial_call, trial_receive, trial_reply};
        trial_trap(&registers, gates[operation]);
    }
    return 0;
}

struct Canary {
    u32 channel;
    volatile u32 stop;
    volatile u32 calls;
    volatile u32 wrong;
};

/// On the board's last page, where no babbler's plausible address points.
constexpr u64 kCanaryPlace = 15 * kPage;

s32 canary(u64 board) {
    auto& shared = at<Canary>(board + kCanaryPlace);
    Echo::Proxy echo{shared.channel, Server::endpoint::echo};
    while (shared.stop == 0) {
        const auto reply = echo.Ping(shared.calls);
        if (!reply.ok() || reply.value().next != u64{shared.calls} + 1) {
            shared.wrong = shared.wrong + 1;
        }
        shared.calls = shared.calls + 1;
        (void)threads().Sleep(sdk::now_ticks() + sdk::ticks_of_ms(1));
    }
    return 0;
}

/// Runs babblers until all calls are made; a child that hangs is ended after half a second
/// without progress.
u32 babble_all(Spawner& spawner, Board& board) {
    u32 lives = 0;
    while (board.made < board.end && lives < board.end) {
        ++lives;
        const Child child =
            spawner.spawn(babble, spawner.board_address(), {.eclass = "trial.Fuzzer"});
        if (child.task == 0) {
            return 0;
        }
        u32 before = 0;
        do {
            before = board.made;
        } while (!Spawner::wait(child, 500).ended && board.made != before);
        Spawner::discard(child);
    }
    return lives;
}

}  // namespace

void run(Report& report, const Context& context) {
    const u32 server = connection(context, "server");
    const u32 calls = kCalls * context.effort;
    Spawner spawner{context};
    auto& board = spawner.board<Board>();
    auto& bird = at<Canary>(spawner.board_address() + kCanaryPlace);
    board.seed = context.seed;
    // Once before counting: what stays for good is made now.
    board.end = 100;
    (void)babble_all(spawner, board);
    sdk::sleep_ms(50);
    const Holdings before = settled_holdings();

    const Child watcher = spawner.build(canary, spawner.board_address(), {.priority = 105});
    bird.channel = Spawner::give(watcher, server);
    (void)spawner.start(watcher);
    board.made = 0;
    board.end = calls;
    board.seed = context.seed + 1'000'000;
    const u32 lives = babble_all(spawner, board);
    bird.stop = 1;
    const Ending ending = Spawner::wait(watcher);
    Spawner::discard(watcher);
    {
        sdk::Line<60> name;
        name.text("random.").decimal(calls).text("-calls");
        Test test{report, name.view()};
        test.require("all made", board.made >= calls, board.made);
        test.require("lives", lives > 0, lives);
    }
    {
        Test test{report, "random.canary-undisturbed"};
        test.require("ended", ending.ended && ending.reason == kExited, ending.reason);
        test.require("sang", bird.calls > 0);
        test.equal("wrong", bird.wrong, 0);
    }
    Test test{report, "random.nothing-leaks"};
    require_restored(test, before);
}

}  // namespace trial
