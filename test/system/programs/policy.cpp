// SPDX-License-Identifier: Apache-2.0
// What the policy does not grant does not happen: requests, answers, errors, kernel services,
// starts of processes.
#include <kl/core/Audit.client.hpp>
#include <ksec/include/ksec/verdict.hpp>
#include <runtime/log.hpp>
#include <runtime/process.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/support/kernel.hpp>
#include <test/system/programs/support/spawn.hpp>
#include <test/system/programs/support/trap.hpp>
#include <trial/Claim.idl.hpp>
#include <trial/Claimant.endpoints.hpp>
#include <trial/Equal.edl.hpp>
#include <trial/Guarded.client.hpp>
#include <trial/Server.edl.hpp>
#include <trial/State.idl.hpp>
#include <trial/Tests.endpoints.hpp>

namespace trial {

namespace {

Guarded::Proxy guarded(u32 server) { return {server, Server::endpoint::guarded}; }

u64 arrived(u32 server) { return guarded(server).Highest().value().calls; }

void values(Report& report, u32 server) {
    Test test{report, "policy.values-decide-over-requests"};
    const u64 before = arrived(server);
    u64 granted = 0;
    for (u32 level = 0; level < 200; ++level) {
        const auto reply = guarded(server).Set(level);
        test.equal("status", reply.status(), level <= 100 ? Status::Ok : Status::SecurityDisallow);
        granted += reply.ok() ? 1 : 0;
    }
    for (const u32 level : {0x8000'0000u, 0xFFFF'FFFFu, 0x1'0000u, 0x100u}) {
        test.equal("large", guarded(server).Set(level).status(), Status::SecurityDisallow);
    }
    test.equal("delivered", arrived(server) - before, granted);
}

void long_values(Report& report, u32 server) {
    Test test{report, "policy.values-of-long-messages-decide"};
    const u64 before = arrived(server);
    for (const u32 level : {0u, 100u, 101u, 0xFFFF'FFFFu}) {
        const Status wanted = level <= 100 ? Status::Ok : Status::SecurityDisallow;
        test.equal("SetWide", guarded(server).SetWide(level, {}).status(), wanted);
        test.equal("SetNamed", guarded(server).SetNamed(level, "pump").status(), wanted);
    }
    test.equal("delivered", arrived(server) - before, 4);
}

void nothing_says_yes(Report& report, u32 server) {
    Test test{report, "policy.no-rule-means-denied"};
    const u64 before = arrived(server);
    test.equal("request", guarded(server).Never(1).status(), Status::SecurityDisallow);
    test.equal("delivered", arrived(server), before);
}

void answers(Report& report, u32 server) {
    {
        Test test{report, "policy.values-decide-over-answers"};
        test.equal("granted", guarded(server).Draw(100).status(), Status::Ok);
        const auto reply = guarded(server).Draw(101);
        test.equal("denied", reply.status(), Status::SecurityDisallow);
        test.equal("nothing leaks", reply.value().level, 0);
        test.equal("server goes on", guarded(server).Draw(5).value().level, 5);
    }
    {
        Test test{report, "policy.answer-without-a-rule"};
        test.equal("status", guarded(server).Mute(1).status(), Status::SecurityDisallow);
        test.equal("server goes on", guarded(server).Draw(6).value().level, 6);
    }
    Test test{report, "policy.values-decide-over-errors"};
    const auto complaint = guarded(server).Complain(7);
    test.equal("granted", complaint.transport(), Status::Ok);
    test.require("is an error", complaint.has_error());
    test.equal("reason", complaint.error().reason, 7);
    test.equal("denied", guarded(server).Complain(101).status(), Status::SecurityDisallow);
}

struct Scene {
    u32 channel;
    volatile s32 client;
    volatile s32 server;
};

s32 hush_server(u64 board) {
    alignas(8) u8 fixed[128];
    const u64 arena = allocate(2 * kPage);
    sdk::Incoming incoming;
    const sdk::Room room{
        .fixed = fixed, .fixed_size = 128, .arena = &at<u8>(arena), .arena_size = 2 * kPage};
    sdk::receive(0x1'0001, 1, room, incoming);
    if (incoming.status != Status::Ok) {
        return 1;
    }
    const u64 answer = 3;
    const Status status = sdk::reply(
        incoming.token,
        abi::Tag::make_short(
            abi::Kind::Response, Equal::endpoint::peer, static_cast<u16>(Peer::Method::Hush), 8),
        {.fixed = &answer, .fixed_size = 8});
    at<Scene>(board).server = static_cast<s32>(status);
    return 0;
}

s32 hush_client(u64 board) {
    sdk::Incoming incoming;
    const u64 value = 1;
    sdk::call(
        at<Scene>(board).channel,
        abi::Tag::make_short(
            abi::Kind::Request, Equal::endpoint::peer, static_cast<u16>(Peer::Method::Hush), 8),
        {.fixed = &value, .fixed_size = 8},
        {},
        incoming);
    at<Scene>(board).client = static_cast<s32>(incoming.status);
    return incoming.words[0] == 0 ? 0 : 1;
}

void both_sides_are_told(Report& report, const Context& context) {
    Test test{report, "policy.both-sides-are-told-of-a-denied-answer"};
    Spawner spawner{context};
    const Child server = spawner.build(hush_server, spawner.board_address(), {.serves = true});
    const Child client = spawner.build(hush_client, spawner.board_address());
    spawner.board<Scene>().channel = Spawner::connect(client, server);
    test.equal("server", spawner.start(server), Status::Ok);
    test.equal("client", spawner.start(client), Status::Ok);
    const Ending served = Spawner::wait(server);
    const Ending asked = Spawner::wait(client);
    test.require("server ended",
                 served.ended && served.reason == kExited && served.code == 0,
                 static_cast<u64>(served.code));
    test.require("client ended and got no word",
                 asked.ended && asked.reason == kExited && asked.code == 0);
    test.equal("client's status",
               static_cast<Status>(spawner.board<Scene>().client),
               Status::SecurityDisallow);
    test.equal("server's status",
               static_cast<Status>(spawner.board<Scene>().server),
               Status::SecurityDisallow);
    Spawner::discard(client);
    Spawner::discard(server);
}

constexpr u8 kSecret = 0x5A;
constexpr u8 kUntouched = 0xC3;
constexpr u16 kWhisper = static_cast<u16>(Peer::Method::Whisper);

s32 whispering_server(u64 board) {
    sdk::Incoming incoming;
    u64 fixed[16];
    const u64 arena = allocate(2 * kPage);
    const sdk::Room room{
        .fixed = fixed, .fixed_size = 128, .arena = &at<u8>(arena), .arena_size = 2 * kPage};
    sdk::receive(0x1'0001, 1, room, incoming);
    Peer::Whisper_Response response;
    __builtin_memset(&at<u8>(arena), kSecret, kPage);
    for (u64& word : response.words) {
        word = ~u64{0} / 255 * kSecret;
    }
    response.data = {.offset = 0, .size = 4096};
    const abi::Tag tag =
        abi::Tag::make_long(abi::Kind::Response, Equal::endpoint::peer, kWhisper, 0);
    at<Scene>(board).server = static_cast<s32>(sdk::reply(incoming.token,
                                                          abi::Tag{tag.value | abi::Tag::kArena},
                                                          {.fixed = &response,
                                                           .fixed_size = sizeof(response),
                                                           .arena = &at<u8>(arena),
                                                           .arena_size = 4096}));
    return 0;
}

/// Its result is the number of bytes and registers in which something of the answer arrived.
s32 listening_client(u64 board) {
    const u64 fixed = allocate(kPage);
    const u64 arena = allocate(2 * kPage);
    __builtin_memset(&at<u8>(fixed), kUntouched, kPage);
    __builtin_memset(&at<u8>(arena), kUntouched, 2 * kPage);
    Registers registers;
    registers.x[0] = at<Scene>(board).channel;
    registers.x[5] = abi::Buffer{base::UserAddr{fixed}, sizeof(Peer::Whisper_Response)}.value;
    registers.x[6] = abi::Buffer{base::UserAddr{arena}, 4096}.value;
    registers.x[9] =
        abi::Tag::make_short(abi::Kind::Request, Equal::endpoint::peer, kWhisper, 8).value |
        abi::Tag::kRoom;
    trial_trap(&registers, trial_call);
    at<Scene>(board).client = static_cast<s32>(status_of(registers));
    s32 leaks = 0;
    for (u32 i = 1; i < 19; ++i) {
        leaks += registers.x[i] != 0 ? 1 : 0;
    }
    for (u64 i = 0; i < kPage; ++i) {
        leaks += at<u8>(fixed + i) != kUntouched ? 1 : 0;
        leaks += at<u8>(arena + i) != kUntouched ? 1 : 0;
    }
    return leaks;
}

void nothing_of_it_arrives(Report& report, const Context& context) {
    Test test{report, "policy.nothing-of-a-denied-answer-arrives"};
    Spawner spawner{context};
    auto& scene = spawner.board<Scene>();
    const Child server =
        spawner.build(whispering_server, spawner.board_address(), {.serves = true});
    const Child client = spawner.build(listening_client, spawner.board_address());
    scene.channel = Spawner::connect(client, server);
    test.equal("server", spawner.start(server), Status::Ok);
    test.equal("client", spawner.start(client), Status::Ok);
    (void)Spawner::wait(server);
    const Ending asked = Spawner::wait(client);
    test.require("client ended", asked.ended && asked.reason == kExited, asked.pc);
    test.equal("bytes and registers that leaked", asked.code, 0);
    test.equal("client's status", static_cast<Status>(scene.client), Status::SecurityDisallow);
    test.equal("server's status", static_cast<Status>(scene.server), Status::SecurityDisallow);
    Spawner::discard(client);
    Spawner::discard(server);
}

Status ask(u32 channel, State::Method method, u32 badge) {
    sdk::Incoming incoming;
    const u64 fixed = badge;
    sdk::call(
        channel,
        abi::Tag::make_short(
            abi::Kind::Request, Tests::security::self, static_cast<u16>(method), sizeof(fixed)),
        {.fixed = &fixed, .fixed_size = sizeof(fixed)},
        {},
        incoming);
    return incoming.status;
}

Status show(u32 channel, u32 level, std::string_view word, u32 size) {
    State::Show_Request request;
    request.level = level;
    request.word = {0, size};
    alignas(8) char arena[40]{};
    __builtin_memcpy(arena, word.data(), word.size());
    sdk::Incoming incoming;
    const abi::Tag tag = abi::Tag::make_long(
        abi::Kind::Request, Tests::security::self, static_cast<u16>(State::Method::Show), 0);
    sdk::call(channel,
              abi::Tag{tag.value | abi::Tag::kArena},
              {.fixed = &request,
               .fixed_size = sizeof(request),
               .arena = arena,
               .arena_size = (size + 7) & ~7u},
              {},
              incoming);
    return incoming.status;
}

Status claim(u32 channel, Claim::Method method) {
    sdk::Incoming incoming;
    sdk::call(channel,
              abi::Tag::make_short(
                  abi::Kind::Request, Claimant::security::self, static_cast<u16>(method), 0),
              {},
              {},
              incoming);
    return incoming.status;
}

/// Takes what every process can take once, and dies with it.
s32 take_and_die(u64 way) {
    const u32 channel = handles().SecurityConnect().value().channel;
    const Status first = claim(channel, Claim::Method::Take);
    const Status second = claim(channel, Claim::Method::Take);
    if (first != Status::Ok || second != Status::SecurityDisallow) {
        return 1;
    }
    if (way % 2 == 1) {
        __builtin_trap();
    }
    return 0;
}

/// On four CPUs more lives than the policy has room for (512, says security.report), so that state
/// that stays shows: the next life could not begin.
void births(Report& report, const Context& context) {
    Test test{report, "policy.state-is-not-inherited"};
    Spawner spawner{context};
    constexpr u32 kRoom = 512;
    const u32 lives = (context.cpus < 4 ? 100 : kRoom + 48) + 100 * (context.effort - 1);
    for (u32 i = 0; i < lives; ++i) {
        const Ending ending = spawner.run(take_and_die, i, {.eclass = "trial.Claimant"});
        const bool is_right =
            i % 2 == 1 ? ending.reason == kFaulted : ending.reason == kExited && ending.code == 0;
        test.require("a life that began with nothing", ending.ended && is_right, i);
    }
}

/// Threads that all want the same.
struct Rush {
    u32 channel;
    u32 threads;
    u32 rounds;
    volatile u32 at_round[4];  // what each has done
    volatile u32 wins[4];
    volatile u32 strange;
};

void rush(Rush& board, u32 self) {
    (void)threads().SetAffinity(0, u64{1} << self);
    for (u32 round = 1; round <= board.rounds; ++round) {
        const Status status = claim(board.channel, Claim::Method::Take);
        board.wins[self] = board.wins[self] + (status == Status::Ok ? 1 : 0);
        if (status != Status::Ok && status != Status::SecurityDisallow) {
            board.strange = board.strange + 1;
        }
        board.at_round[self] = 2 * round - 1;
        const auto wait_for = [&board](u32 reached) {
            for (u32 i = 0; i < board.threads; ++i) {
                while (board.at_round[i] < reached) {
                    (void)threads().Sleep(0);
                }
            }
        };
        wait_for(2 * round - 1);
        if (self == 0 && claim(board.channel, Claim::Method::Give) != Status::Ok) {
            board.strange = board.strange + 1;
        }
        board.at_round[self] = 2 * round;
        wait_for(2 * round);
    }
}

template <u32 kSelf> void rush_as(Rush* board) {
    rush(*board, kSelf);
    (void)threads().Sleep(~u64{0} >> 1);
}

s32 rush_all(u64 address) {
    auto& board = at<Rush>(address);
    board.channel = handles().SecurityConnect().value().channel;
    void (*const mains[])(Rush*) = {rush_as<0>, rush_as<1>, rush_as<2>, rush_as<3>};
    for (u32 i = 1; i < board.threads; ++i) {
        const u64 stack = allocate(2 * kPage) + 2 * kPage;
        if (!threads().Create(__builtin_bit_cast(u64, mains[i]), stack, address, 0, 100).ok()) {
            return 1;
        }
    }
    rush(board, 0);
    return 0;
}

/// Verdict and state are one step: of those who ask at the same time, one gets it. The kernel's own
/// count of what it denied says the same.
void one_of_many(Report& report, const Context& context) {
    Test test{report, "policy.one-of-many-takes-it"};
    Spawner spawner{context};
    auto& board = spawner.board<Rush>();
    board.threads = context.cpus < 4 ? context.cpus : 4;
    board.rounds = 200 * context.effort;
    const u64 denied = profiler().GetCounters().value().denied;
    const Ending ending =
        spawner.run(rush_all, spawner.board_address(), {.eclass = "trial.Claimant"});
    test.require("ended", ending.ended && ending.reason == kExited && ending.code == 0);
    u32 wins = 0;
    for (const u32 won : board.wins) {
        wins += won;
    }
    test.equal("winners", wins, board.rounds);
    test.equal("strange answers", board.strange, 0);
    test.equal("what the kernel denied",
               profiler().GetCounters().value().denied - denied,
               u64{board.rounds} * (board.threads - 1));
}

/// Threads of two processes, each on a CPU of its own where there are four, ask at the same time
/// what the policy answers by what it answered before. One more reads the records of that, in the
/// kernel's order; the runner asks the interpreter the same questions (test/system/replay.py).
constexpr u32 kAskers = 4;        // the first half of one process
constexpr u32 kBurst = 16;        // questions in a round, few enough for the kernel's ring
constexpr u32 kAskPriority = 90;  // below the reader's

struct Log {
    u64 seed;
    u32 cpus;
    u32 rounds;
    volatile u32 round;  // begun
    volatile u32 at_round[kAskers];
    volatile u32 granted[kAskers];
    volatile u32 strange;
    volatile u32 lost;
    volatile u32 length;
    char letters[60'000];  // of each event: whose, what, and in capitals when granted
};

void ask_randomly(Log& log, u32 self) {
    (void)threads().SetAffinity(0, u64{1} << (self % log.cpus));
    const u32 channel = handles().SecurityConnect().value().channel;
    Random random{log.seed + self};
    for (u32 round = 1; round <= log.rounds; ++round) {
        while (log.round < round) {
            (void)threads().Sleep(0);
        }
        for (u32 i = 0; i < kBurst; ++i) {
            const Status status =
                claim(channel, random.below(2) == 0 ? Claim::Method::Take : Claim::Method::Give);
            if (status == Status::Ok) {
                log.granted[self] = log.granted[self] + 1;
            } else if (status != Status::SecurityDisallow) {
                log.strange = log.strange + 1;
            }
        }
        log.at_round[self] = round;
    }
}

template <u32 kSelf> void ask_as(Log* log) {
    ask_randomly(*log, kSelf);
    (void)threads().Sleep(~u64{0} >> 1);
}

bool start_asker(u64 address, void (*main)(Log*)) {
    const u64 stack = allocate(2 * kPage) + 2 * kPage;
    return threads().Create(__builtin_bit_cast(u64, main), stack, address, 0, kAskPriority).ok();
}

void wait_for_askers(const Log& log, u32 round) {
    for (const volatile u32& reached : log.at_round) {
        while (reached < round) {
            sdk::sleep_ms(1);
        }
    }
}

/// Takes all records there are; whose they are is told by who came first.
void take_records(Log& log, u64& first_sid) {
    kl::core::Audit::Proxy audit{sdk::kKernelHandle, kl::core::Core::endpoint::audit_Audit};
    while (true) {
        const auto batch = audit.Read();
        log.strange = log.strange + (batch.ok() ? 0 : 1);
        if (!batch.ok() || batch.value().records.empty()) {
            return;
        }
        for (u64 i = 0; i < batch.value().records.size(); i += sizeof(ksec::Record)) {
            ksec::Record record;
            __builtin_memcpy(&record, batch.value().records.data() + i, sizeof(record));
            log.lost = log.lost + static_cast<u32>(record.lost);
            if (record.event != static_cast<u8>(ksec::Event::Security)) {
                continue;
            }
            first_sid = first_sid == 0 ? record.src_sid : first_sid;
            const bool takes = record.method == static_cast<u16>(Claim::Method::Take);
            const char letter = takes ? (record.src_sid == first_sid ? 'T' : 'U')
                                      : (record.src_sid == first_sid ? 'G' : 'H');
            if (log.length < sizeof(log.letters)) {
                log.letters[log.length] =
                    static_cast<char>(letter + (record.granted != 0 ? 0 : 'a' - 'A'));
                log.length = log.length + 1;
            }
        }
    }
}

s32 ask_and_read(u64 address) {
    constexpr u32 kListener = 0x1'0001;
    auto& log = at<Log>(address);
    kl::core::Audit::Proxy audit{sdk::kKernelHandle, kl::core::Core::endpoint::audit_Audit};
    if (!audit.Open(kListener, 1).ok() || !start_asker(address, ask_as<0>) ||
        !start_asker(address, ask_as<1>)) {
        return 1;
    }
    u64 first_sid = 0;
    take_records(log,
                 first_sid);  // of what was before; how many were lost is told by the next ones
    const u32 channel = handles().SecurityConnect().value().channel;
    if (claim(channel, Claim::Method::Take) != Status::Ok ||
        claim(channel, Claim::Method::Give) != Status::Ok) {
        return 2;
    }
    take_records(log, first_sid);
    first_sid = 0;
    log.length = 0;
    log.lost = 0;
    for (u32 round = 1; round <= log.rounds; ++round) {
        log.round = round;
        wait_for_askers(log, round);
        take_records(log, first_sid);
    }
    return 0;
}

s32 ask_only(u64 address) {
    auto& log = at<Log>(address);
    if (!start_asker(address, ask_as<2>)) {
        return 1;
    }
    ask_randomly(log, 3);
    wait_for_askers(log, log.rounds);
    return 0;
}

void log_of_verdicts(Report& report, const Context& context) {
    Test test{report, "policy.log-of-verdicts-is-whole"};
    constexpr u32 kRounds = 160;  // 10,240 events
    Spawner spawner{context};
    auto& log = spawner.board<Log>();
    log.seed = context.seed;
    log.cpus = context.cpus < kAskers ? context.cpus : kAskers;
    log.rounds = context.cpus < kAskers ? kRounds / 8 : kRounds;
    const Child reader = spawner.spawn(
        ask_and_read, spawner.board_address(), {.eclass = "trial.Claimant", .serves = true});
    const Ending other = spawner.run(
        ask_only, spawner.board_address(), {.eclass = "trial.Claimant", .priority = kAskPriority});
    const Ending ending = Spawner::wait(reader);
    Spawner::discard(reader);
    test.require("ended", ending.ended && ending.code == 0, log.round);
    test.require("ended, too", other.ended && other.code == 0, static_cast<u64>(other.code));
    test.equal("lost", log.lost, 0);
    test.equal("strange answers", log.strange, 0);
    test.equal("events", log.length, log.rounds * kAskers * kBurst);
    u32 told = 0;
    u32 recorded = 0;
    for (const u32 granted : log.granted) {
        told += granted;
    }
    for (u32 i = 0; i < log.length; ++i) {
        recorded += log.letters[i] < 'a' ? 1 : 0;
    }
    test.equal("what the askers were told", told, recorded);
    constexpr u32 kInLine = 128;
    for (u32 i = 0; i < log.length; i += kInLine) {
        const u32 left = log.length - i;
        sdk::Line<kInLine + 16> line;
        line.text("policy: log ").text({&log.letters[i], left < kInLine ? left : kInLine});
        sdk::debug_write(line.view());
    }
}

/// `security` queries: a Call that ends in the policy module.
void questions(Report& report) {
    Test test{report, "policy.security-queries-are-answered-by-the-verdict"};
    const auto connected = handles().SecurityConnect();
    if (!test.equal("connect", connected.status(), Status::Ok)) {
        return;
    }
    const u32 channel = connected.value().channel;
    test.equal("granted", ask(channel, State::Method::Login, 81), Status::Ok);
    test.equal("denied", ask(channel, State::Method::Login, 82), Status::SecurityDisallow);
    test.equal("no rule", ask(channel, State::Method::Never, 81), Status::SecurityDisallow);
    test.equal(
        "no method", ask(channel, static_cast<State::Method>(77), 81), Status::SecurityDisallow);
    test.equal("text", show(channel, 9, "open", 5), Status::Ok);
    test.equal("other text", show(channel, 9, "shut", 5), Status::SecurityDisallow);
    test.equal("other level", show(channel, 10, "open", 5), Status::SecurityDisallow);
    test.equal("not terminated", show(channel, 9, "open", 4), Status::SecurityDisallow);
    (void)handles().Close(channel);
    test.equal("closed", ask(channel, State::Method::Login, 81), Status::BadHandle);
}

void kernel_refuses(Report& report) {
    Test test{report, "policy.kernel-service-without-a-rule"};
    test.equal(
        "power off", power().Request(kl::core::PM::PowerOff, 0).status(), Status::SecurityDisallow);
}

/// Runs as trial.Denied: its requests are granted, the kernel's answers are not.
s32 denied_main(u64) {
    const u64 before = pages_left();
    for (u32 i = 0; i < 20; ++i) {
        if (vmm().Allocate(0, 4 * kPage, kWritable).status() != Status::SecurityDisallow ||
            vmm().MdlCreate(2 * kPage, 0).status() != Status::SecurityDisallow ||
            handles().SecurityConnect().status() != Status::SecurityDisallow) {
            return 1;
        }
    }
    // Page tables made on the way stay, as they do for anybody.
    return before - pages_left() <= 3 ? 0 : 2;
}

void kernel_takes_back(Report& report, const Context& context) {
    Test test{report, "policy.kernel-takes-back-what-a-denied-answer-made"};
    Spawner spawner{context};
    const Ending ending = spawner.run(denied_main, 0, {.eclass = "trial.Denied"});
    test.require("ended", ending.ended && ending.reason == kExited, ending.pc);
    test.equal("exit code", ending.code, 0);
}

void start_refused(Report& report, const Context& context) {
    Test test{report, "policy.start-of-a-process-without-a-rule"};
    const Holdings before = settled_holdings();
    {
        Spawner spawner{context};
        const Child child =
            spawner.build([](u64) -> s32 { return 0; }, 0, {.eclass = "trial.Forbidden"});
        test.require("built", child.task != 0);
        test.equal("resume", spawner.start(child), Status::SecurityDisallow);
        test.equal("again", spawner.start(child), Status::SecurityDisallow);
        test.equal("no end yet", tasks().GetExitInfo(child.task).status(), Status::NotReady);
        Spawner::discard(child);
        test.equal("unknown class",
                   tasks().Create("x", "trial.Nobody", "", 1 << 20, 1).status(),
                   Status::ResourceNotFound);
    }
    require_restored(test, before);
}

void empty_class(Report& report, const Context& context) {
    Test test{report, "policy.class-without-grants-can-do-nothing"};
    // trial.Denied has no grant for IO, threads, time or HAL.
    Spawner spawner{context};
    const Ending ending = spawner.run(
        [](u64) -> s32 {
            const Status answers[] = {
                io().RegisterMmio(0x0900'0000, kPage).status(),
                io().RegisterIrq(40, 0).status(),
                threads().Create(0x1000, 0, 0, 0, 1).status(),
                time().SetSystemTime(0).status(),
                notices().SubscribeToObject(0, 0, 1, 1).status(),
                profiler().GetCounters().status(),
                power().Request(0, 0).status(),
            };
            s32 wrong = 0;
            for (const Status status : answers) {
                wrong += status != Status::SecurityDisallow ? 1 : 0;
            }
            return wrong;
        },
        0,
        {.eclass = "trial.Denied"});
    test.require("ended", ending.ended && ending.reason == kExited, ending.pc);
    test.equal("not refused", ending.code, 0);
}

}  // namespace

void run(Report& report, const Context& context) {
    const u32 server = connection(context, "server");
    values(report, server);
    long_values(report, server);
    nothing_says_yes(report, server);
    answers(report, server);
    both_sides_are_told(report, context);
    nothing_of_it_arrives(report, context);
    questions(report);
    births(report, context);
    one_of_many(report, context);
    log_of_verdicts(report, context);
    kernel_refuses(report);
    kernel_takes_back(report, context);
    start_refused(report, context);
    empty_class(report, context);
}

}  // namespace trial
