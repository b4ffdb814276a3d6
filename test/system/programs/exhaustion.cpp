// SPDX-License-Identifier: Apache-2.0
// One process takes as much as it can get of everything, as fast as it can. A canary's answers and
// turns stay as they are; callers of one server get equal shares; records of refusals are counted
// to the last.
#include <atomic>
#include <kernel/base/mmio.hpp>
#include <kl/core/Audit.client.hpp>
#include <ksec/include/ksec/verdict.hpp>
#include <runtime/log.hpp>
#include <runtime/thread.hpp>
#include <test/system/programs/support/canary.hpp>
#include <test/system/programs/support/peer.hpp>

namespace trial {

namespace {

constexpr u64 kAttackMs = 60;  // times the effort
constexpr u32 kLinks = 10;
constexpr u32 kProcesses = 4;
constexpr u32 kThreads = 12;  // of each
constexpr u32 kCallers = kProcesses * kThreads;
constexpr u64 kSongPlace = Spawner::kBoardBytes - kPage;

struct Board {
    volatile u32 stop;
    volatile u64 done;  // by the attacker, of whatever it does
    u32 channel[kLinks];
    u32 to_server[kProcesses];
    u32 registers;
    u32 line;
    bool on_one_cpu;
    bool makes_edges;
    volatile u64 last;       // interrupt
    volatile u32 long_gaps;  // between two of them: more than half of a budget's period
    volatile u64 until;
    volatile u64 counted;  // by a bystander
    volatile u32 timers;
    volatile u64 latest;
    volatile u32 calls[kCallers];
};

// Attackers. Each repeats itself until it is told to stop.

s32 take_memory(u64 address) {
    auto& board = at<Board>(address);
    while (board.stop == 0) {
        u64 areas[64];
        u32 count = 0;
        while (count < 64 && (areas[count] = allocate(4 * kPage)) != 0) {
            ++count;
        }
        while (count > 0) {
            (void)vmm().Free(areas[--count], 4 * kPage);
        }
        board.done = board.done + 1;
    }
    return 0;
}

s32 take_handles(u64 address) {
    auto& board = at<Board>(address);
    const u32 memory = vmm().MdlCreate(kPage, 0).value().mdl.handle;
    while (board.stop == 0) {
        while (board.stop == 0 && handles().Copy(memory, ~0u, 0).ok()) {
        }
        (void)handles().Revoke(memory);
        board.done = board.done + 1;
    }
    return 0;
}

s32 take_threads(u64 address) {
    auto& board = at<Board>(address);
    const u64 stack = allocate(kPage);
    while (board.stop == 0) {
        u32 made[64];
        u32 count = 0;
        while (count < 64) {
            const auto thread =
                threads().Create(__builtin_bit_cast(
                                     u64, +[](u64) { (void)threads().Sleep(~u64{0} >> 1); }),
                                 stack + kPage,
                                 0,
                                 0,
                                 100);
            if (!thread.ok()) {
                break;
            }
            made[count++] = thread.value().thread.handle;
        }
        while (count > 0) {
            (void)threads().Terminate(made[--count]);
            (void)handles().Close(made[count]);
        }
        board.done = board.done + 1;
    }
    return 0;
}

s32 take_processes(u64 address) {
    auto& board = at<Board>(address);
    while (board.stop == 0) {
        u32 made[16];
        u32 count = 0;
        while (count < 16) {
            sdk::Line<20> name;
            name.text("brood-").decimal(count);
            const auto task = tasks().Create(name.view(), "trial.Equal", "", 64 * kPage, 1);
            if (!task.ok()) {
                break;
            }
            made[count++] = task.value().task.handle;
        }
        while (count > 0) {
            (void)handles().Close(made[--count]);
        }
        board.done = board.done + 1;
    }
    return 0;
}

constexpr u32 kAmountUs = 2'000;  // of a driver with a budget
constexpr u32 kPeriodUs = 10'000;
constexpr u64 kContestMs = 50;   // the first time
constexpr u64 kAuditRoom = 256;  // records that the kernel keeps

void note_gap(Board& board) {
    const u64 now = sdk::now_ticks();
    const bool is_long = board.last != 0 && now - board.last > sdk::ticks_of_ms(kPeriodUs / 2000);
    board.long_gaps = board.long_gaps + (is_long ? 1 : 0);
    board.last = now;
}

/// Weaker than any driver, and never done.
s32 count_on_one_cpu(u64 address) {
    auto& board = at<Board>(address);
    (void)threads().SetAffinity(0, 1);
    while (sdk::now_ticks() < board.until) {
        board.counted = board.counted + 1;
    }
    board.stop = 1;
    return 0;
}

/// A device that never stops asking, and a driver that says each time that it is done. As fast as a
/// line can be: who answers finds it raised again. Of an edge it makes more, while it is masked
/// too.
s32 storm(u64 address) {
    // [PL031] "Data register", "Match register", "Interrupt mask set or clear"
    constexpr u64 kSeconds = 0x00;
    constexpr u64 kMatch = 0x04;
    constexpr u64 kMask = 0x10;
    constexpr u64 kClear = 0x1C;
    auto& board = at<Board>(address);
    if (board.on_one_cpu) {
        (void)threads().SetAffinity(0, 1);
    }
    const base::Mmio clock{io().MapMem(board.registers, 0).value().at};
    (void)io().AttachIrq(board.line, kListener, 1);
    (void)io().EnableIrq(board.line);
    clock.write32(kMask, 1);
    clock.write32(kMatch, clock.read32(kSeconds));
    PeerRoom room;
    const u64 limit = sdk::now_ticks() + sdk::ticks_of_ms(10 * kContestMs);
    const auto goes_on = [&] {  // a bystander that never runs tells nobody to stop
        return board.stop == 0 && (!board.on_one_cpu || sdk::now_ticks() < limit);
    };
    while (goes_on()) {
        const sdk::Incoming incoming =
            room.receive(kListener, sdk::now_ticks() + sdk::ticks_of_ms(1));
        if (incoming.status == Status::Ok) {
            board.done = board.done + 1;
            note_gap(board);
            if (board.makes_edges) {
                clock.write32(kMask, 0);
                clock.write32(kMask, 1);
            }
            (void)sdk::reply(
                incoming.token,
                abi::Tag::make_short(abi::Kind::Response, incoming.tag.endpoint(), 0, 0),
                {});
        }
    }
    clock.write32(kMask, 0);
    clock.write32(kClear, 1);
    return 0;
}

/// Nothing but refusals.
s32 provoke(u64 address) {
    auto& board = at<Board>(address);
    while (board.stop == 0) {
        const Status status = hal().DebugWrite("!").status();
        board.done = board.done + (status == Status::SecurityDisallow ? 1 : 0);
    }
    return 0;
}

s32 serve(u64) {
    PeerRoom room;
    while (true) {
        const sdk::Incoming request = room.receive();
        if (request.status != Status::Ok) {
            return 1;
        }
        (void)answer(request.token, ~request.words[0]);
    }
}

/// One link of a chain: asks the next. The upper bits of the argument are the board's address.
s32 link(u64 argument) {
    auto& board = at<Board>(argument & ~(kPage - 1));
    const u64 self = argument & (kPage - 1);
    PeerRoom room;
    while (true) {
        const sdk::Incoming request = room.receive();
        if (request.status != Status::Ok) {
            return 1;
        }
        const sdk::Incoming incoming = ask(board.channel[self], request.words[0] + 1);
        (void)answer(request.token, incoming.words[0]);
    }
}

s32 pull(u64 address) {
    auto& board = at<Board>(address);
    while (board.stop == 0) {
        const sdk::Incoming incoming = ask(board.channel[kLinks - 1], 0);
        board.done = board.done + (incoming.words[0] == ~u64{kLinks - 1} ? 1 : 0);
    }
    return 0;
}

struct Caller {
    Board* board;
    u64 process;
    u64 number;
};

void call_and_count(void* argument) {
    auto& caller = *static_cast<Caller*>(argument);
    Board& board = *caller.board;
    while (board.stop == 0) {
        const sdk::Incoming incoming = ask(board.to_server[caller.process], 1);
        if (incoming.status == Status::Ok) {
            board.calls[caller.number] = board.calls[caller.number] + 1;
        }
    }
}

s32 flood(u64 argument) {
    static constinit Caller callers[kThreads]{};
    auto& board = at<Board>(argument & ~(kPage - 1));
    const u64 self = argument & (kPage - 1);
    for (u64 i = 0; i < kThreads; ++i) {
        callers[i] = {&board, self, self * kThreads + i};
        (void)sdk::start_thread(
            &call_and_count, &callers[i], {.stack_bytes = 2 * kPage, .priority = 100});
    }
    while (board.stop == 0) {
        sdk::sleep_ms(1);
    }
    sdk::sleep_ms(5);  // for their last calls
    return 0;
}

/// A timer that is armed again as soon as it fires, in one of the ways there are; or one that never
/// does and makes the queue longer.
void keep_a_timer(void* argument) {
    auto& board = *static_cast<Board*>(argument);
    static constinit u32 word = 0;
    static constinit std::atomic<u32> number{0};
    const u32 way = number++ % 8;
    while (board.stop == 0) {
        switch (way) {
        case 0:
            (void)threads().Sleep(sdk::now_ticks() + 1);
            break;
        case 1:
            (void)threads().Sleep(1);  // long ago
            break;
        case 2:
            (void)sync().Wait(address_of(&word), 0, sdk::now_ticks() + 1);
            break;
        case 3:
            (void)threads().Sleep(sdk::now_ticks() + sdk::ticks_per_second() / 100'000);
            break;
        default:
            (void)sync().Wait(address_of(&word), 0, ~u64{0} - way);
            break;
        }
        board.done = board.done + 1;
    }
}

/// As many threads as there are.
s32 take_timers(u64 address) {
    auto& board = at<Board>(address);
    while (sdk::start_thread(&keep_a_timer, &board, {.stack_bytes = kPage, .priority = 100}).ok()) {
        board.timers = board.timers + 1;
    }
    while (board.stop == 0) {
        (void)threads().Sleep(sdk::now_ticks() + 1);
    }
    return 0;
}

/// Sleeps until this moment and that, and notes how late it woke at the latest.
s32 keep_time(u64 address) {
    auto& board = at<Board>(address);
    for (u64 next = sdk::now_ticks(); board.stop == 0;) {
        next += sdk::ticks_of_ms(1);
        (void)threads().Sleep(next);
        const u64 now = sdk::now_ticks();
        board.latest = now - next > board.latest ? now - next : board.latest;
        next = now > next + sdk::ticks_of_ms(1) ? now : next;
    }
    return 0;
}

/// Runs `attackers`, which are built, for a while beside a canary.
void attack(Test& test,
            std::string_view name,
            const Context& context,
            Spawner& spawner,
            const Child* attackers,
            u32 count,
            u64 least = 0) {
    auto& board = spawner.board<Board>();
    board.stop = 0;
    board.done = 0;
    Canary canary{spawner, kSongPlace, connection(context, "server")};
    for (u32 i = 0; i < count; ++i) {
        test.equal("start", spawner.start(attackers[i]), Status::Ok);
    }
    sdk::sleep_ms(kAttackMs * context.effort);
    for (u32 i = 0; board.done < least && i < 1'000; ++i) {
        sdk::sleep_ms(10);  // a host with other work may hardly have run them
    }
    board.stop = 1;
    for (u32 i = 0; i < count; ++i) {
        test.require("the attacker ended", Spawner::wait(attackers[i]).ended, i);
    }
    canary.judge(test, name);
}

struct Attack {
    std::string_view name;
    ChildMain main;
    std::string_view eclass = "trial.Equal";
};

constexpr Attack kAttacks[] = {{"exhaustion.memory", take_memory},
                               {"exhaustion.handles", take_handles},
                               {"exhaustion.threads", take_threads},
                               {"exhaustion.processes", take_processes}};

void single(Report& report, const Context& context, const Attack& one) {
    Test test{report, one.name};
    const Holdings before = settled_holdings();
    {
        Spawner spawner{context};
        const Child attacker = spawner.build(
            one.main, spawner.board_address(), {.eclass = one.eclass, .memory = 1u << 20});
        attack(test, one.name, context, spawner, &attacker, 1);
        test.require("it did something", spawner.board<Board>().done > 0);
        Spawner::discard(attacker);
    }
    require_restored(test, before);
}

/// What a bystander counts in a while, alone or beside a storm.
u64 count_beside(Test& test, Spawner& spawner, const Child* driver, u64 contest_ms) {
    auto& board = spawner.board<Board>();
    board.stop = 0;
    board.done = 0;
    board.counted = 0;
    board.last = 0;
    board.long_gaps = 0;
    board.on_one_cpu = true;
    const Child bystander =
        spawner.build(count_on_one_cpu, spawner.board_address(), {.priority = 20});
    board.until = sdk::now_ticks() + sdk::ticks_of_ms(contest_ms);
    test.equal("bystander", spawner.start(bystander), Status::Ok);
    if (driver != nullptr) {
        test.equal("driver", spawner.start(*driver), Status::Ok);
    }
    test.require("the bystander ends", Spawner::wait(bystander).ended);
    Spawner::discard(bystander);
    return board.counted;
}

/// A line is masked until it is answered, and who has used up his budget answers when the period is
/// over: so a storm takes no more than its driver's budget, whatever the device does.
void storm_on_a_budget(Report& report,
                       const Context& context,
                       std::string_view name,
                       u32 registers,
                       u32 line,
                       bool makes_edges) {
    Test test{report, name};
    u64 share = 0;
    u32 gaps = 0;
    u64 interrupts = 0;
    constexpr u32 kTries = 5;  // on a busy host
    constexpr u64 kLeast = 100 - 100 * kAmountUs / kPeriodUs * 3 / 2;
    for (u32 i = 0; i < kTries && (share < kLeast || interrupts <= 10); ++i) {
        Spawner spawner{context};
        auto& board = spawner.board<Board>();
        const u64 contest_ms = kContestMs << i;
        const u64 alone = count_beside(test, spawner, nullptr, contest_ms);
        board.makes_edges = makes_edges;
        const Child driver = spawner.build(storm,
                                           spawner.board_address(),
                                           {.priority = 100,
                                            .serves = true,
                                            .cpu_amount = kAmountUs,
                                            .cpu_period = kPeriodUs,
                                            .name = "host-0"});
        board.registers = Spawner::give(driver, registers);
        board.line = Spawner::give(driver, line);
        const u64 beside = count_beside(test, spawner, &driver, contest_ms);
        test.require("the driver ends", Spawner::wait(driver).ended);
        Spawner::discard(driver);
        share = alone == 0 ? 0 : 100 * beside / alone;
        gaps = board.long_gaps;
        interrupts = board.done;
    }
    test.require("interrupts", interrupts > 10, interrupts);
    test.require("what is left to others, in percent", share >= kLeast, share);
    sdk::LogLine{"exhaustion", "storm"}
        .field("by", name)
        .field("interrupts", interrupts)
        .field("left-percent", share)
        .field("pauses", gaps);
}

void storms_on_a_budget(Report& report, const Context& context, u32 registers) {
    for (const u32 edges : {0u, 1u}) {
        const u32 line = io().RegisterIrq(34, edges).value().resource.handle;
        storm_on_a_budget(report,
                          context,
                          edges == 0 ? "exhaustion.held-line-takes-no-more-than-its-budget"
                                     : "exhaustion.edges-take-no-more-than-their-budget",
                          registers,
                          line,
                          edges != 0);
        (void)handles().Close(line);
    }
}

/// The latest that somebody strong wakes, in microseconds, beside `attackers`.
u64 latest_beside(
    Test& test, const Context& context, Spawner& spawner, const Child* attackers, u32 count) {
    auto& board = spawner.board<Board>();
    board.stop = 0;
    board.latest = 0;
    const Child punctual = spawner.spawn(keep_time, spawner.board_address(), {.priority = 109});
    attack(test, "exhaustion.flood-of-timers", context, spawner, attackers, count);
    test.require("who keeps time ended", Spawner::wait(punctual).ended);
    Spawner::discard(punctual);
    return board.latest * 1'000'000 / sdk::ticks_per_second();
}

void timers(Report& report, const Context& context) {
    Test test{report, "exhaustion.flood-of-timers"};
    constexpr u64 kBoundUs = 10'000'000;  // of a busy host; the scenarios hold others to less
    const Holdings before = settled_holdings();
    {
        Spawner spawner{context};
        auto& board = spawner.board<Board>();
        const u64 alone_us = latest_beside(test, context, spawner, nullptr, 0);
        Child floods[kProcesses];
        for (Child& flood : floods) {
            flood = spawner.build(take_timers, spawner.board_address(), {.memory = 1u << 20});
        }
        const u64 flooded_us = latest_beside(test, context, spawner, floods, kProcesses);
        test.require("timers", board.timers >= 100, board.timers);
        test.require("latest", flooded_us < kBoundUs, flooded_us);
        sdk::LogLine{"exhaustion", "timers"}
            .field("threads", board.timers)
            .field("fired", board.done)
            .field("alone-late-us", alone_us)
            .field("late-us", flooded_us);
        for (const Child& flood : floods) {
            Spawner::discard(flood);
        }
    }
    require_restored(test, before);
}

void interrupts(Report& report, const Context& context) {
    // The clock of `virt`; on other boards there is RAM at this address, which is refused.
    const u32 registers = io().RegisterMmio(0x901'0000, kPage).value().resource.handle;
    const u32 line = io().RegisterIrq(34, 0).value().resource.handle;
    if (registers != 0) {
        Test test{report, "exhaustion.interrupt-storm"};
        Spawner spawner{context};
        auto& board = spawner.board<Board>();
        const Child driver =
            spawner.build(storm, spawner.board_address(), {.serves = true, .name = "host-0"});
        board.registers = Spawner::give(driver, registers);
        board.line = Spawner::give(driver, line);
        attack(test, "exhaustion.interrupt-storm", context, spawner, &driver, 1);
        test.require("interrupts", board.done > 100, board.done);
        Spawner::discard(driver);
    }
    (void)handles().Close(line);
    if (registers != 0) {
        storms_on_a_budget(report, context, registers);
    }
    (void)handles().Close(registers);
}

void chain(Report& report, const Context& context) {
    Test test{report, "exhaustion.deep-chain"};
    Spawner spawner{context};
    auto& board = spawner.board<Board>();
    Child links[kLinks];
    for (u32 i = 0; i < kLinks; ++i) {
        sdk::Line<20> name;
        name.text("host-").decimal(i);
        links[i] = spawner.build(i == 0 ? serve : link,
                                 spawner.board_address() + (i == 0 ? 0 : i - 1),
                                 {.serves = true, .name = name.view()});
        if (i > 0) {
            board.channel[i - 1] = Spawner::connect(links[i], links[i - 1]);
        }
    }
    const Child puller = spawner.build(pull, spawner.board_address());
    board.channel[kLinks - 1] = Spawner::connect(puller, links[kLinks - 1]);
    for (const Child& child : links) {
        (void)spawner.start(child);
    }
    attack(test, "exhaustion.deep-chain", context, spawner, &puller, 1);
    test.require("calls through all links", board.done > 0);
    Spawner::discard(puller);
    for (const Child& child : links) {
        Spawner::discard(child);
    }
}

void callers(Report& report, const Context& context) {
    Test test{report, "exhaustion.flood-of-calls"};
    Spawner spawner{context};
    auto& board = spawner.board<Board>();
    const Child server = spawner.spawn(serve, 0, {.serves = true, .name = "host-0"});
    test.require("server", server.task != 0);
    Child floods[kProcesses];
    for (u32 i = 0; i < kProcesses; ++i) {
        floods[i] = spawner.build(flood, spawner.board_address() + i, {.memory = 1u << 20});
        board.to_server[i] = Spawner::connect(floods[i], server);
    }
    attack(test, "exhaustion.flood-of-calls", context, spawner, floods, kProcesses);
    u64 sum = 0;
    u64 least = ~u64{0};
    u64 most = 0;
    for (const u64 calls : board.calls) {
        sum += calls;
        least = calls < least ? calls : least;
        most = calls > most ? calls : most;
    }
    const u64 share = sum / kCallers;
    sdk::LogLine{"exhaustion", "flood"}
        .field("callers", kCallers)
        .field("share", share)
        .field("least", least)
        .field("most", most);
    // A busy host leaves too little time for a judgement, and several CPUs on one thread of it do
    // not run at the same time; the scenarios want the figures of a clock that runs by
    // instructions.
    if (context.cpus == 1 && share >= 20) {
        test.require("least of them, 20 % below", least * 5 >= share * 4, least);
        test.require("most of them, 20 % above", most * 5 <= share * 6, most);
    }
    for (const Child& child : floods) {
        Spawner::discard(child);
    }
    Spawner::discard(server);
}

/// Reads all records there are. The numbers of the records and the losses they tell of must add up.
void count_records(Test& test, u64& last) {
    kl::core::Audit::Proxy audit{sdk::kKernelHandle, kl::core::Core::endpoint::audit_Audit};
    while (true) {
        const auto batch = audit.Read();
        if (!test.equal("read", batch.status(), Status::Ok) || batch.value().records.empty()) {
            return;
        }
        for (u64 i = 0; i + sizeof(ksec::Record) <= batch.value().records.size();
             i += sizeof(ksec::Record)) {
            ksec::Record record;
            __builtin_memcpy(&record, batch.value().records.data() + i, sizeof(record));
            if (last != 0) {
                test.equal("number", record.sequence, last + record.lost + 1);
            }
            last = record.sequence;
        }
    }
}

void refusals(Report& report, const Context& context) {
    Test test{report, "exhaustion.flood-of-refusals"};
    kl::core::Audit::Proxy audit{sdk::kKernelHandle, kl::core::Core::endpoint::audit_Audit};
    test.equal("open", audit.Open(context.start.listener(), 1).status(), Status::Ok);
    const auto provoke_one = [&] {
        test.equal("refused", power().Request(~u32{0}, 0).status(), Status::SecurityDisallow);
    };
    u64 last = 0;
    count_records(test, last);
    provoke_one();  // tells how many were lost before
    count_records(test, last);
    Spawner spawner{context};
    const Child provoker =
        spawner.build(provoke, spawner.board_address(), {.eclass = "trial.Fuzzer"});
    const u64 before = last;
    const u64 denied = profiler().GetCounters().value().denied;
    attack(test, "exhaustion.flood-of-refusals", context, spawner, &provoker, 1, 2 * kAuditRoom);
    const u64 provoked = spawner.board<Board>().done;
    test.equal("verdicts", profiler().GetCounters().value().denied - denied, provoked);
    count_records(test, last);
    test.require("more than there is room for", last - before < provoked, last - before);
    provoke_one();
    count_records(test, last);
    test.equal("all are counted", last - before, provoked + 1);
    Spawner::discard(provoker);
}

}  // namespace

void run(Report& report, const Context& context) {
    {
        const Spawner first{context};  // page tables that stay
    }
    for (const Attack& one : kAttacks) {
        single(report, context, one);
    }
    timers(report, context);
    interrupts(report, context);
    chain(report, context);
    callers(report, context);
    refusals(report, context);
}

}  // namespace trial
