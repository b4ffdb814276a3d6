// SPDX-License-Identifier: Apache-2.0
// What the fast path refuses: nothing has changed then, and the long way decides.
#include "pair.hpp"

#include <catch2/catch_test_macros.hpp>
#include <kernel/control/teardown.hpp>
#include <kernel/ipc/notice.hpp>

namespace {

struct FastNext {
    arch::Frame* frame;
    base::u64 badge;
};

}  // namespace

extern "C" FastNext
ipc_fast_reply(base::u64 listener, kernel::Thread* server, base::u64 token, base::u64 tag);

using namespace kernel_test;

namespace {

struct FastPair : Pair {
    FastPair() {
        kernel.policy.grant_fast(kClientClass, kServerClass, kRequest.value, kResponse.value);
    }

    /// Whether the fast path takes this reply of the server.
    bool replies(u64 with_token, abi::Tag tag, u32 to_listener) {
        return ipc_fast_reply(to_listener, &server, with_token, tag.value).frame != nullptr;
    }
};

}  // namespace

TEST_CASE("a fast call to a new life fails once as any other does", "[kernel][ipc]") {
    FastPair pair;
    kernel::end_process(*pair.server.process, {});
    pair.kernel.settle();
    Thread& reborn = pair.kernel.add_process("server", kServerClass);
    pair.kernel.receive(reborn, pair.kernel.add_listener(*reborn.process));
    pair.kernel.call_fast(pair.client, pair.channel, kRequest);
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::NotConnected);
    CHECK(Kernel::is_waiting(reborn));
}

TEST_CASE("a fast call to a server that does not wait queues", "[kernel][ipc]") {
    FastPair pair;
    pair.kernel.call_fast(pair.client, pair.channel, kRequest);
    CHECK(Kernel::is_waiting(pair.client));
    CHECK(endpoint_named("server")->pending == 1);
    CHECK(pair.kernel.policy.asked.empty());
}

TEST_CASE("a fast reply is the granted answer to the call in progress", "[kernel][ipc]") {
    FastPair pair;
    const u64 token = pair.deliver();
    SECTION("not another tag") { CHECK_FALSE(pair.replies(token, kRequest, pair.listener)); }
    SECTION("not another token") {
        CHECK_FALSE(pair.replies(token + 0x1'0000, kResponse, pair.listener));
    }
    SECTION("not while receiving elsewhere") { CHECK_FALSE(pair.replies(token, kResponse, 0)); }
    SECTION("not while others queue") {
        Thread& other = pair.kernel.add_process("other", kClientClass);
        const u32 channel = pair.kernel.add_channel(*other.process, *pair.server.process);
        pair.kernel.call(other, channel, kRequest);
        REQUIRE(Kernel::is_waiting(other));
        CHECK_FALSE(pair.replies(token, kResponse, pair.listener));
    }
    SECTION("not while a notice queues") {
        kernel::Notice* notice = nullptr;
        REQUIRE(
            kernel::attach_notice(notice, *endpoint_named("server"), 7, abi::kEventEndpoint).ok());
        kernel::raise_notice(*notice, 1);
        CHECK_FALSE(pair.replies(token, kResponse, pair.listener));
    }
    // Nothing has changed: the long way answers.
    CHECK(Kernel::is_waiting(pair.client));
    pair.kernel.reply(pair.server, 0, token, kResponse, {.words = {9}});
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::Ok);
    CHECK(Kernel::answer_of(pair.client).words[0] == 9);
}

TEST_CASE("an answer before which handles are accepted", "[kernel][ipc]") {
    FastPair pair;
    const u64 token = pair.deliver();
    pair.kernel.policy.asked.clear();
    pair.kernel.reply(
        pair.server, pair.listener, token, accepting(kResponse, 2), {.words = {0x1234}});
    CHECK(pair.kernel.policy.asked.empty());
    CHECK(pair.kernel.is_running(pair.client));
    CHECK(status_of(pair.client) == Status::Ok);
    CHECK(Kernel::answer_of(pair.client).words[0] == 0x1234);
    CHECK(pair.client.frame.x[9] == kResponse.value);
    CHECK(pair.client.token != token);
    CHECK(Kernel::is_waiting(pair.server));
    CHECK(pair.server.accepted_handles == 2);
    CHECK(pair.server.client == nullptr);
}
