// SPDX-License-Identifier: Apache-2.0
// CPU budgets. A hog and a weaker bystander count as fast as they can on one CPU; their counts tell
// who had it, whatever the kernel's own accounts say.
#include <test/system/programs/support/peer.hpp>

namespace trial {

namespace {

constexpr u64 kContestMs = 200;
constexpr u32 kHogPriority = 100;
constexpr u32 kWeakPriority = 20;
constexpr u32 kAmountUs = 2'000;
constexpr u32 kPeriodUs = 10'000;
constexpr u32 kShare = 100 * kAmountUs / kPeriodUs;  // percent

/// An emulator on a busy host is set aside for longer than a period now and then.
constexpr u32 kTries = 5;

struct Board {
    volatile u64 until;  // 0: the hog does not run yet
    volatile u64 hog;
    volatile u64 weak;
    volatile u32 received;
    u32 to_hog;
};

void count_until(const volatile u64& until, volatile u64& count) {
    while (until == 0) {  // not counted: who begins could not take back what is half added
    }
    while (sdk::now_ticks() < until) {
        count = count + 1;
    }
}

s32 hog(u64 address) {
    auto& board = at<Board>(address);
    (void)threads().SetAffinity(0, 1);
    board.weak = 0;
    board.until = sdk::now_ticks() + sdk::ticks_of_ms(kContestMs);
    count_until(board.until, board.hog);
    return 0;
}

s32 bystander(u64 address) {
    auto& board = at<Board>(address);
    (void)threads().SetAffinity(0, 1);
    count_until(board.until, board.weak);
    return 0;
}

/// A hog that serves: who helps it waits for an answer all the time.
s32 serving_hog(u64 address) {
    auto& board = at<Board>(address);
    (void)threads().SetAffinity(0, 1);
    PeerRoom room;
    const sdk::Incoming request = room.receive();
    board.received = 1;
    (void)answer(request.token, 0);
    return hog(address);
}

s32 helper(u64 address) {
    auto& board = at<Board>(address);
    (void)threads().SetAffinity(0, 1);
    (void)ask(board.to_hog, 1);
    (void)ask(board.to_hog, 2, sdk::now_ticks() + sdk::ticks_of_ms(kContestMs));
    return 0;
}

/// The hog's part of what both have counted, in percent.
u64 hogs_share(const Board& board) {
    const u64 all = board.hog + board.weak;
    return all == 0 ? 0 : 100 * board.hog / all;
}

bool is_fair(u64 share) { return share >= kShare / 2 && share <= kShare + kShare / 4; }

void begin(Board& board) {
    board.hog = 0;
    board.weak = 0;
    board.received = 0;
    board.until = 0;
}

u64 contest(const Context& context, u32 amount, u32 period) {
    Spawner spawner{context};
    auto& board = spawner.board<Board>();
    begin(board);
    const Child weak =
        spawner.spawn(bystander, spawner.board_address(), {.priority = kWeakPriority});
    const Child strong =
        spawner.spawn(hog,
                      spawner.board_address(),
                      {.priority = kHogPriority, .cpu_amount = amount, .cpu_period = period});
    (void)Spawner::wait(strong);
    (void)Spawner::wait(weak);
    const u64 share = hogs_share(board);
    Spawner::discard(strong);
    Spawner::discard(weak);
    return share;
}

void without_budget(Report& report, const Context& context) {
    Test test{report, "budgets.without-one-the-stronger-has-all"};
    const u64 share = contest(context, 0, 0);
    test.require("share", share >= 80, share);
}

void with_budget(Report& report, const Context& context) {
    Test test{report, "budgets.a-hog-gets-its-share"};
    u64 share = 0;
    for (u32 i = 0; i < kTries && !is_fair(share); ++i) {
        share = contest(context, kAmountUs, kPeriodUs);
    }
    test.require("share", is_fair(share), share);
}

u64 contest_with_a_helper(Test& test, const Context& context) {
    Spawner spawner{context};
    auto& board = spawner.board<Board>();
    begin(board);
    const ChildOptions limited{
        .priority = kHogPriority, .serves = true, .cpu_amount = kAmountUs, .cpu_period = kPeriodUs};
    const Child weak =
        spawner.spawn(bystander, spawner.board_address(), {.priority = kWeakPriority});
    const Child strong = spawner.build(serving_hog, spawner.board_address(), limited);
    const Child helping = spawner.build(helper, spawner.board_address(), limited);
    board.to_hog = Spawner::connect(helping, strong);
    test.equal("hog", spawner.start(strong), Status::Ok);
    test.equal("helper", spawner.start(helping), Status::Ok);
    for (const Child& child : {strong, helping, weak}) {
        test.require("ends", Spawner::wait(child).ended);
        Spawner::discard(child);
    }
    test.equal("the helper was heard", board.received, 1u);
    return hogs_share(board);
}

void with_a_helper(Report& report, const Context& context) {
    Test test{report, "budgets.who-waits-for-a-hog-lends-it-nothing"};
    u64 share = 0;
    for (u32 i = 0; i < kTries && !is_fair(share); ++i) {
        share = contest_with_a_helper(test, context);
    }
    test.require("share", is_fair(share), share);
}

void refusals(Report& report, const Context& context) {
    Test test{report, "budgets.wrong-ones-refused"};
    Spawner spawner{context};
    const Child child = spawner.build(hog, spawner.board_address());
    const auto set = [&child](u32 amount, u32 period) {
        return tasks().SetCpuBudget(child.task, amount, period).status();
    };
    test.equal("of nothing", set(0, kPeriodUs), Status::InvalidArgument);
    test.equal("beyond four CPUs", set(4 * kPeriodUs + 1, kPeriodUs), Status::InvalidArgument);
    test.equal("too short a period", set(100, 999), Status::InvalidArgument);
    test.equal("too long a period", set(100, 10'000'001), Status::InvalidArgument);
    test.equal("of no task",
               tasks().SetCpuBudget(sdk::kKernelHandle, kAmountUs, kPeriodUs).status(),
               Status::WrongType);
    test.equal("whole", set(kAmountUs, kPeriodUs), Status::Ok);
    test.equal("start", spawner.start(child), Status::Ok);
    test.equal("of one that runs", set(kAmountUs, kPeriodUs), Status::NotReady);
    (void)Spawner::wait(child);
    Spawner::discard(child);
}

}  // namespace

void run(Report& report, const Context& context) {
    without_budget(report, context);
    with_budget(report, context);
    with_a_helper(report, context);
    refusals(report, context);
}

}  // namespace trial
