// SPDX-License-Identifier: Apache-2.0
// Short messages from one process to another and back.
#include "pair.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace kernel_test;

TEST_CASE("a short request reaches a server that waits", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.receive(pair.server, pair.listener);
    CHECK(Kernel::is_waiting(pair.server));
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {7, 8}});
    CHECK(pair.kernel.is_running(pair.server));
    const Answer got = Kernel::answer_of(pair.server);
    CHECK(got.status == Status::Ok);
    CHECK(got.tag == kRequest);
    CHECK(got.words[0] == 7);
    CHECK(got.words[1] == 8);
    CHECK(got.words[2] == 0);
    pair.kernel.reply(pair.server, pair.listener, got.token, kResponse, {.words = {9}});
    CHECK(pair.kernel.is_running(pair.client));
    CHECK(Kernel::answer_of(pair.client).status == Status::Ok);
    CHECK(Kernel::answer_of(pair.client).tag == kResponse);
    CHECK(Kernel::answer_of(pair.client).words[0] == 9);
    CHECK(Kernel::is_waiting(pair.server));
}

TEST_CASE("a request queues until the server receives", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {7, 8}});
    CHECK(Kernel::is_waiting(pair.client));
    pair.kernel.receive(pair.server, pair.listener);
    CHECK(Kernel::answer_of(pair.server).words[0] == 7);
    const u64 token = Kernel::answer_of(pair.server).token;
    pair.kernel.reply(pair.server, pair.listener, token, kResponse, {.words = {9}});
    CHECK(Kernel::answer_of(pair.client).words[0] == 9);
}

TEST_CASE("a reply that does not receive leaves the server running", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.receive(pair.server, pair.listener);
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {1, 2}});
    const u64 token = Kernel::answer_of(pair.server).token;
    pair.kernel.reply(pair.server, abi::kInvalidHandle, token, kResponse, {.words = {9}});
    pair.kernel.run(pair.client);
    CHECK(Kernel::answer_of(pair.client).words[0] == 9);
    pair.kernel.run(pair.server);
    CHECK(Kernel::answer_of(pair.server).status == Status::Ok);
}

TEST_CASE("a denied response ends the call and leaves the server running", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.policy.on_judge = [](const ksec::Query& query, ksec::Effect) {
        return query.event == ksec::Event::Response ? ksec::Verdict::Denied
                                                    : ksec::Verdict::Granted;
    };
    pair.kernel.receive(pair.server, pair.listener);
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {1, 2}});
    const u64 token = Kernel::answer_of(pair.server).token;
    pair.kernel.reply(pair.server, pair.listener, token, kResponse, {.words = {9}});
    pair.kernel.run(pair.client);
    CHECK(Kernel::answer_of(pair.client).status == Status::SecurityDisallow);
    CHECK(Kernel::answer_of(pair.client).words[0] == 0);
    pair.kernel.run(pair.server);
    CHECK(Kernel::answer_of(pair.server).status == Status::SecurityDisallow);
}

TEST_CASE("a token answers once", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.receive(pair.server, pair.listener);
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {1, 2}});
    const u64 token = Kernel::answer_of(pair.server).token;
    pair.kernel.reply(pair.server, abi::kInvalidHandle, token, kResponse);
    pair.kernel.reply(pair.server, abi::kInvalidHandle, token, kResponse);
    CHECK(Kernel::answer_of(pair.server).status == Status::StaleToken);
}

TEST_CASE("a reply must be to the method that was called", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.receive(pair.server, pair.listener);
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {1, 2}});
    const u64 token = Kernel::answer_of(pair.server).token;
    pair.kernel.reply(pair.server, pair.listener, token, response_tag(0, 1, 8));
    CHECK(Kernel::answer_of(pair.server).status == Status::BadCall);
    CHECK(Kernel::is_waiting(pair.client));
    pair.kernel.reply(pair.server, pair.listener, token, kResponse);
    CHECK(Kernel::answer_of(pair.client).status == Status::Ok);
}
