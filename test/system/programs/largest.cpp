// SPDX-License-Identifier: Apache-2.0
// The longest work that anybody can give the kernel: the largest message, the end of a process that
// has all it can get, and the revocation of a handle from which all others derive. It is done in
// steps: a canary keeps its turns, and the scenario on one CPU counts the instructions between two
// looks at interrupts.
#include <runtime/log.hpp>
#include <test/system/programs/support/canary.hpp>
#include <test/system/programs/support/peer.hpp>
#include <trial/Bulk.idl.hpp>
#include <trial/Depot.endpoints.hpp>

namespace trial {

namespace {

constexpr u64 kSongPlace = Spawner::kBoardBytes - kPage;
constexpr u32 kMessages = 3;
constexpr u64 kLargeBudget = u64{48} << 20;

struct Board {
    u32 channel;
    volatile u32 stop;
    volatile u32 done;
    volatile s32 status;
    volatile s32 too_large;
    volatile u32 wrong;
    volatile u32 threads;
    volatile u32 handles;
    volatile u64 bytes;
    volatile u32 areas;
};

u64 sum_of(u64 memory) {
    u64 sum = 0;
    for (u64 offset = 0; offset < Bulk::MaxBulk; offset += kPage) {
        sum += at<u64>(memory + offset);
    }
    return sum;
}

constexpr u16 kTake = static_cast<u16>(Bulk::Method::Take);

s32 depot(u64) {
    const u64 arena = allocate(Bulk::MaxBulk);
    u64 fixed[4]{};
    while (true) {
        sdk::Incoming request;
        sdk::receive(kListener,
                     0,
                     {.fixed = fixed,
                      .fixed_size = sizeof(fixed),
                      .arena = &at<u8>(arena),
                      .arena_size = Bulk::MaxBulk},
                     request);
        if (request.status != Status::Ok) {
            return 1;
        }
        const u64 sum = request.arena_size == Bulk::MaxBulk ? sum_of(arena) : 0;
        (void)sdk::reply(request.token,
                         abi::Tag::make_short(abi::Kind::Response, Depot::endpoint::bulk, kTake, 8),
                         {.fixed = &sum, .fixed_size = 8});
    }
}

s32 sender(u64 address) {
    auto& board = at<Board>(address);
    const u64 memory = allocate(Bulk::MaxBulk + kPage);
    const auto send = [&](u32 size) {
        const abi::ArenaRange range{.offset = 0, .size = size};
        sdk::Incoming incoming;
        sdk::call(
            board.channel,
            abi::Tag{
                abi::Tag::make_short(abi::Kind::Request, Depot::endpoint::bulk, kTake, 0).value |
                abi::Tag::kLong | abi::Tag::kArena},
            {.fixed = &range,
             .fixed_size = sizeof(range),
             .arena = &at<u8>(memory),
             .arena_size = size},
            {},
            incoming);
        return incoming;
    };
    for (u32 i = 1; i <= kMessages; ++i) {
        for (u64 offset = 0; offset < Bulk::MaxBulk; offset += kPage) {
            at<u64>(memory + offset) = i * offset + 1;
        }
        const sdk::Incoming incoming = send(Bulk::MaxBulk);
        board.status = static_cast<s32>(incoming.status);
        board.wrong = board.wrong + (incoming.words[0] == sum_of(memory) ? 0 : 1);
        board.done = i;
    }
    board.too_large = static_cast<s32>(send(Bulk::MaxBulk + 8).status);
    return 0;
}

void message(Report& report, const Context& context) {
    Test test{report, "largest.message"};
    const Holdings before = settled_holdings();
    {
        Spawner spawner{context};
        auto& board = spawner.board<Board>();
        const Child taker = spawner.spawn(
            depot,
            0,
            {.eclass = "trial.Depot", .memory = 20u << 20, .serves = true, .name = "depot"});
        const Child giver = spawner.build(sender, spawner.board_address(), {.memory = 20u << 20});
        board.channel = Spawner::connect(giver, taker);
        Canary canary{spawner, kSongPlace, connection(context, "server")};
        (void)spawner.start(giver);
        const Ending ending = Spawner::wait(giver);
        test.require("ended", ending.ended && ending.reason == kExited, ending.reason);
        test.equal("status", static_cast<Status>(board.status), Status::Ok);
        test.equal("messages", board.done, kMessages);
        test.equal("arrived changed", board.wrong, 0);
        test.require("a larger one is refused", static_cast<Status>(board.too_large) != Status::Ok);
        canary.judge(test, "largest.message");
        Spawner::discard(giver);
        Spawner::discard(taker);
    }
    Holdings after = before;
    after.objects += 1;  // the name of the server stays
    require_restored(test, after);
}

/// Takes of everything until it is refused.
s32 be_large(u64 address) {
    auto& board = at<Board>(address);
    const u64 stack = allocate(kPage);
    const u32 memory = vmm().MdlCreate(kPage, 0).value().mdl.handle;
    const auto made_thread = [stack] {
        return threads()
            .Create(__builtin_bit_cast(
                        u64, +[](u64) { (void)threads().Sleep(~u64{0} >> 1); }),
                    stack + kPage,
                    0,
                    0,
                    10)
            .ok();
    };
    while (board.threads < 32 && made_thread()) {
        board.threads = board.threads + 1;
    }
    while (vmm().MdlMap(memory, 0, kPage, 0, kReadable).ok() && board.areas < 64) {
        board.areas = board.areas + 1;
    }
    while (handles().Copy(memory, ~0u, 0).ok()) {
        board.handles = board.handles + 1;
    }
    for (u64 size = u64{1} << 20; size >= kPage; size /= 4) {
        for (u32 i = 0; i < 64 && allocate(size) != 0; ++i) {
            board.bytes = board.bytes + size;
            board.areas = board.areas + 1;
        }
    }
    board.done = 1;
    while (true) {
        (void)threads().Sleep(~u64{0} >> 1);
    }
}

void process(Report& report, const Context& context) {
    Test test{report, "largest.process-ends"};
    const Holdings before = settled_holdings();
    {
        Spawner spawner{context};
        auto& board = spawner.board<Board>();
        board.done = 0;
        const Child child =
            spawner.spawn(be_large, spawner.board_address(), {.memory = kLargeBudget});
        test.require("has all it can have", wait_for(board.done, 1, 20'000));
        Canary canary{spawner, kSongPlace, connection(context, "server")};
        const u64 begin = sdk::now_ticks();
        (void)tasks().Terminate(child.task);
        test.require("ended", Spawner::wait(child).ended);
        const u64 took = sdk::now_ticks() - begin;
        sdk::sleep_ms(20);
        canary.judge(test, "largest.process-ends");
        Spawner::discard(child);
        test.require("memory", board.bytes > kLargeBudget / 10 * 9, board.bytes);
        test.require("handles", board.handles > 150, board.handles);
        test.require("threads", board.threads == 32, board.threads);
        sdk::LogLine{"largest", "process"}
            .field("bytes", board.bytes)
            .field("areas", board.areas)
            .field("handles", board.handles)
            .field("threads", board.threads)
            .field("ended-us", took * 1'000'000 / sdk::ticks_per_second());
    }
    require_restored(test, before);
}

/// Half of the tree is deep, half is wide, and most of it is in other processes.
void tree(Report& report, const Context& context) {
    Test test{report, "largest.tree-is-revoked"};
    constexpr u32 kHolders = 8;
    constexpr u32 kDeep = 100;
    const Holdings before = settled_holdings();
    {
        Spawner spawner{context};
        const u32 root = vmm().MdlCreate(kPage, 0).value().mdl.handle;
        u32 own[kDeep];
        u32 parent = root;
        u32 count = 0;
        for (u32& each : own) {
            each = handles().Copy(parent, abi::rights::kAll, 0).value().copy;
            test.require("copy", each != 0, count);
            parent = each;
            ++count;
        }
        u32 holders[kHolders];
        for (u32 i = 0; i < kHolders; ++i) {
            sdk::Line<20> name;
            name.text("brood-").decimal(i);
            holders[i] =
                tasks().Create(name.view(), "trial.Equal", "", 64 * kPage, 1).value().task.handle;
            for (u32 j = 0; handles().Copy(own[j % kDeep], abi::rights::kAll, holders[i]).ok();
                 ++j) {
                ++count;
            }
        }
        Canary canary{spawner, kSongPlace, connection(context, "server")};
        const u64 begin = sdk::now_ticks();
        test.equal("revoke", handles().Revoke(root).status(), Status::Ok);
        const u64 took = sdk::now_ticks() - begin;
        sdk::sleep_ms(5);
        canary.judge(test, "largest.tree-is-revoked");
        for (const u32 each : own) {
            test.equal("derived", vmm().MdlGetSize(each).status(), Status::BadHandle);
        }
        for (const u32 holder : holders) {
            test.equal(
                "room again", handles().Copy(root, abi::rights::kAll, holder).status(), Status::Ok);
            (void)tasks().Terminate(holder);
            (void)handles().Close(holder);
        }
        (void)handles().Close(root);
        test.require("handles", count > 1500, count);
        sdk::LogLine{"largest", "tree"}
            .field("handles", count)
            .field("revoked-us", took * 1'000'000 / sdk::ticks_per_second());
    }
    require_restored(test, before);
}

}  // namespace

void run(Report& report, const Context& context) {
    {
        const Spawner first{context};  // page tables that stay
    }
    message(report, context);
    process(report, context);
    tree(report, context);
}

}  // namespace trial
