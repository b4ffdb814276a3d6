// SPDX-License-Identifier: Apache-2.0
// The three system calls as kernel/abi/call.hpp lists their registers: what is refused, what is
// kept, and that nothing else than the answer comes back.
#include <test/system/programs/support/kernel.hpp>
#include <test/system/programs/support/trap.hpp>
#include <trial/Echo.idl.hpp>
#include <trial/Server.edl.hpp>

namespace trial {

namespace {

constexpr u64 kMarker = 0x5AA5'0000'0000'0000;

/// All registers with marks, so that what the kernel leaves behind is seen.
Registers marked() {
    Registers registers;
    for (u32 i = 0; i < 19; ++i) {
        registers.x[i] = kMarker + i;
    }
    for (u32 i = 0; i < 10; ++i) {
        registers.kept[i] = kMarker + 19 + i;
    }
    registers.flags = u64{0xF} << 28;
    return registers;
}

void require_kept(Test& test, const Registers& registers) {
    for (u32 i = 0; i < 10; ++i) {
        test.equal("x19..x28 kept", registers.kept[i], kMarker + 19 + i);
    }
}

/// Everything but x0 and what `mask` names must be zero.
void require_cleared(Test& test, const Registers& registers, u64 mask) {
    for (u32 i = 1; i < 19; ++i) {
        if ((mask >> i & 1) == 0) {
            test.require("register not cleared", registers.x[i] == 0, i);
        }
    }
    test.equal("flags cleared", registers.flags & (u64{0xF} << 28), 0);
}

void unknown_numbers(Report& report) {
    Test refused{report, "registers.every-unknown-svc-refused"};
    Test cleared{report, "registers.unknown-svc-clears-registers"};
    for (u32 number = 3; number <= 0xFFFF; ++number) {
        Registers registers = marked();
        trial_trap(&registers, trial_every_svc + 2 * number);
        if (!refused.equal("status", status_of(registers), Status::BadCall)) {
            refused.require("number", false, number);
        }
        require_kept(cleared, registers);
        require_cleared(cleared, registers, 0);
    }
}

void refused_calls(Report& report) {
    Test test{report, "registers.refused-call-clears-registers"};
    for (const u32* gate : {trial_call, trial_receive, trial_reply}) {
        Registers registers = marked();
        registers.x[0] = 0xFFFF'FFFF;
        registers.x[9] = 0;
        trial_trap(&registers, gate);
        test.require("refused", status_of(registers) != Status::Ok);
        require_kept(test, registers);
        require_cleared(test, registers, 0);
    }
}

Registers ping(u32 server, u64 value, u64 deadline) {
    Registers registers = marked();
    registers.x[0] = server;
    registers.x[9] =
        abi::Tag::make_short(
            abi::Kind::Request, Server::endpoint::echo, static_cast<u16>(Echo::Method::Ping), 8)
            .value;
    if (deadline != 0) {
        registers.x[9] |= abi::Tag::kDeadline;
        registers.x[7] = deadline;
    }
    registers.x[10] = value;
    trial_trap(&registers, trial_call);
    return registers;
}

void require_pinged(Test& test, const Registers& registers, u64 value) {
    const abi::Tag wanted = abi::Tag::make_short(
        abi::Kind::Response, Server::endpoint::echo, static_cast<u16>(Echo::Method::Ping), 8);
    test.equal("status", status_of(registers), Status::Ok);
    test.equal("tag", registers.x[9], wanted.value);
    test.equal("answer", registers.x[10], value + 1);
    require_kept(test, registers);
    require_cleared(test, registers, (1 << 9) | (1 << 10));
}

void answered_calls(Report& report, u32 server) {
    constexpr u64 kFarAway = ~u64{0} >> 1;
    {
        Test test{report, "registers.answer-is-all-that-comes-back"};
        for (u64 value = 0; value < 100; ++value) {
            require_pinged(test, ping(server, value, 0), value);
        }
    }
    Test test{report, "registers.answer-to-a-timed-call"};
    for (u64 value = 0; value < 100; ++value) {
        require_pinged(test, ping(server, value, kFarAway), value);
    }
}

void kernel_calls(Report& report) {
    Test test{report, "registers.kernel-call"};
    Registers registers = marked();
    registers.x[0] = sdk::kKernelHandle;
    registers.x[9] = abi::Tag::make_short(abi::Kind::Request,
                                          kl::core::Core::endpoint::task_Task,
                                          static_cast<u16>(kl::core::Task::Method::GetInfo),
                                          0)
                         .value;
    trial_trap(&registers, trial_call);
    test.equal("status", status_of(registers), Status::Ok);
    require_kept(test, registers);
    require_cleared(test, registers, 0x1FE00 | (1 << 18));
}

void all_payload(Report& report, u32 server) {
    Test test{report, "registers.seven-words-both-ways"};
    Random random{7};
    for (u32 round = 0; round < 50; ++round) {
        u64 words[7];
        for (u64& word : words) {
            word = random.next();
        }
        const Registers registers = short_call(
            server, Server::endpoint::echo, static_cast<u16>(Echo::Method::Seven), words, 7);
        test.equal("status", status_of(registers), Status::Ok);
        constexpr u32 kPlaces[] = {10, 11, 12, 13, 14, 15, 18};
        for (u32 i = 0; i < 7; ++i) {
            test.equal("word", registers.x[kPlaces[i]], ~words[i]);
        }
    }
}

/// Calls with one odd tag each.
void odd_tags(Report& report, u32 server) {
    const u64 good =
        abi::Tag::make_short(
            abi::Kind::Request, Server::endpoint::echo, static_cast<u16>(Echo::Method::Ping), 8)
            .value;
    const auto call = [server](u64 tag) {
        Registers registers;
        registers.x[0] = server;
        registers.x[9] = tag;
        trial_trap(&registers, trial_call);
        return status_of(registers);
    };
    {
        Test test{report, "registers.reserved-tag-bits-refused"};
        for (const u32 bit : {0U, 1U, 2U, 3U, 58U, 59U, 60U, 61U}) {
            test.equal("reserved bit", call(good | (u64{1} << bit)), Status::BadCall);
        }
    }
    {
        Test test{report, "registers.contradictory-tags-refused"};
        test.equal("handles in a short message", call(good | (u64{1} << 40)), Status::BadCall);
        test.equal("arena in a short message", call(good | abi::Tag::kArena), Status::BadCall);
        test.equal("words in a long message", call(good | abi::Tag::kLong), Status::BadCall);
        test.equal("too many handles",
                   call((good & ~(u64{7} << 36)) | abi::Tag::kLong | (u64{9} << 40)),
                   Status::BadCall);
        test.equal("no sync object", call(good | abi::Tag::kSyncObject), Status::BadHandle);
    }
    Test test{report, "registers.kinds-that-are-no-request-refused"};
    for (const u64 kind : {u64{1}, u64{2}, u64{3}}) {
        test.equal("kind", call(good | (kind << 62)), Status::BadCall);
    }
    Registers registers;
    registers.x[9] = good;  // a request as an answer
    trial_trap(&registers, trial_reply);
    test.equal("Reply with a request", status_of(registers), Status::BadCall);
}

u64 thread_register() {
    u64 value = 0;
    asm volatile("mrs %0, tpidr_el0" : "=r"(value));
    return value;
}

void thread_pointer(Report& report, u32 server) {
    Test test{report, "registers.thread-pointer-is-what-SetTls-set"};
    const u64 mark = kMarker + 99;
    test.equal("SetTls", threads().SetTls(mark).status(), Status::Ok);
    test.equal("after SetTls", thread_register(), mark);
    (void)ping(server, 1, 0);
    test.equal("after a call", thread_register(), mark);
    (void)threads().Sleep(0);
    test.equal("after a yield", thread_register(), mark);
    (void)threads().SetTls(0);
}

}  // namespace

void run(Report& report, const Context& context) {
    const u32 server = connection(context, "server");
    unknown_numbers(report);
    refused_calls(report);
    answered_calls(report, server);
    kernel_calls(report);
    all_payload(report, server);
    odd_tags(report, server);
    thread_pointer(report, server);
}

}  // namespace trial
