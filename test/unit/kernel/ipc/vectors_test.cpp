// SPDX-License-Identifier: Apache-2.0
// Vector registers over messages that go the shortest ways: nobody sees what another one left in
// them, the control register stays, and they are loaded for who runs.
#include "long_pair.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace {

struct FastNext {
    arch::Frame* frame;
    base::u64 badge;
};

}  // namespace

extern "C" FastNext
ipc_fast_call(base::u64 handle, base::u64, kernel::Thread* caller, base::u64 tag);
extern "C" FastNext
ipc_fast_reply(base::u64 listener, kernel::Thread* server, base::u64 token, base::u64 tag);

using namespace kernel_test;
using mock::machine;

namespace {

constexpr u64 kFirstUse = u64{0x07} << 26;

u64 control_of(const Thread& thread) { return thread.sid.value << 22; }

/// `thread` runs and has vector registers, with something in them.
void paint(Kernel& kernel, Thread& thread) {
    kernel.run(thread);
    kernel.exception(thread, kFirstUse);
    arch::FpState& registers = machine().current().fp;
    CHECK(machine().current().fp_enabled);
    registers.vectors[3][1] = registers.vectors[31][0] = 4711;
    registers.control = control_of(thread);
    registers.status = 1;
}

/// What `thread`, which runs now, finds.
void check(const Kernel& kernel, const Thread& thread, bool has_registers) {
    arch::FpState clean{};
    clean.control = control_of(thread);
    CHECK(machine().current().fp_enabled == has_registers);
    CHECK(kernel.is_running(thread));
    CHECK((!has_registers || machine().current().fp == clean));
}

struct VectorPair : Pair {
    VectorPair() {
        kernel.policy.grant_fast(kClientClass, kServerClass, kRequest.value, kResponse.value);
    }

    u64 call_fast() {
        client.frame.x[9] = kRequest.value;
        const FastNext next = ipc_fast_call(channel, 0, &client, kRequest.value);
        REQUIRE(next.frame == &server.frame);
        kernel.set_running(&server);
        return client.token;
    }

    void reply_fast(u64 token) {
        const FastNext next = ipc_fast_reply(listener, &server, token, kResponse.value);
        REQUIRE(next.frame == &client.frame);
        kernel.set_running(&client);
    }
};

}  // namespace

TEST_CASE("vector registers over a fast round trip", "[kernel][ipc]") {
    const bool has_client = GENERATE(false, true);
    const bool has_server = GENERATE(false, true);
    VectorPair pair;
    if (has_server) {
        paint(pair.kernel, pair.server);
    }
    pair.kernel.receive(pair.server, pair.listener);
    pair.kernel.run(pair.client);
    if (has_client) {
        paint(pair.kernel, pair.client);
    }
    for (u32 i = 0; i < 3; ++i) {
        const u64 token = pair.call_fast();
        check(pair.kernel, pair.server, has_server);
        machine().current().fp.vectors[7][0] = 12;
        pair.reply_fast(token);
        check(pair.kernel, pair.client, has_client);
    }
    // A slice later they are the client's still.
    machine().current().fp.vectors[9][0] = 13;
    pair.kernel.interrupt();
    REQUIRE(pair.kernel.is_running(pair.client));
    CHECK(machine().current().fp.vectors[9][0] == 13);
}

TEST_CASE("a server meets vector registers for the first time while it works", "[kernel][ipc]") {
    VectorPair pair;
    pair.kernel.receive(pair.server, pair.listener);
    paint(pair.kernel, pair.client);
    const u64 token = pair.call_fast();
    pair.kernel.exception(pair.server, kFirstUse);
    CHECK(machine().current().fp_enabled);
    CHECK(machine().current().fp == arch::FpState{});
    pair.reply_fast(token);
    check(pair.kernel, pair.client, true);
}

TEST_CASE("vector registers over a long request that fits", "[kernel][ipc]") {
    const bool has_client = GENERATE(false, true);
    const bool has_server = GENERATE(false, true);
    LongPair pair;
    pair.kernel.policy.grant_fast(kClientClass,
                                  kServerClass,
                                  abi::Tag::make_long(abi::Kind::Request, 0, kCopied, 0).value |
                                      ksec::kIfItFits,
                                  response_tag(0, kCopied, 8).value);
    if (has_server) {
        paint(pair.kernel, pair.server);
    }
    pair.receive();
    if (has_client) {
        paint(pair.kernel, pair.client);
    }
    pair.send(kCopied, {.send_arena = buffer(kArena, 4096)});
    REQUIRE(pair.kernel.policy.asked.empty());
    check(pair.kernel, pair.server, has_server);
    const u64 token = Kernel::answer_of(pair.server).token;
    pair.kernel.reply(pair.server, pair.listener, token, response_tag(0, kCopied, 8));
    check(pair.kernel, pair.client, has_client);
}
