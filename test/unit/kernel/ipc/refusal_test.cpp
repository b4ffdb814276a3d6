// SPDX-License-Identifier: Apache-2.0
// Every reason for which a call is refused, and that nobody else notices.
#include "pair.hpp"

#include <catch2/catch_test_macros.hpp>
#include <kernel/diag/audit_ring.hpp>

using namespace kernel_test;

TEST_CASE("a refused call does not reveal whether a receiver waits", "[kernel][ipc]") {
    for (const bool waits : {false, true}) {
        Pair pair;
        pair.kernel.policy.on_judge = [](const ksec::Query& query, ksec::Effect) {
            return query.event == ksec::Event::Request ? ksec::Verdict::Denied
                                                       : ksec::Verdict::Granted;
        };
        if (waits) {
            pair.kernel.receive(pair.server, pair.listener);
        }
        pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {1, 2}});
        pair.kernel.run(pair.client);
        CHECK(status_of(pair.client) == Status::SecurityDisallow);
        CHECK(Kernel::is_waiting(pair.server) == waits);
        CHECK(kernel::audit_ring().count() == 1);
    }
}

TEST_CASE("a call that queues is judged without effect, then with", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {1, 2}});
    pair.kernel.receive(pair.server, pair.listener);
    const auto asked = pair.kernel.policy.asked_about(ksec::Event::Request);
    REQUIRE(asked.size() == 3);
    CHECK_FALSE(asked[0].is_judge);
    CHECK((asked[1].is_judge && asked[1].effect == ksec::Effect::Dry));
    CHECK((asked[2].is_judge && asked[2].effect == ksec::Effect::Commit));
    CHECK(asked[2].query.src_class == kClientClass);
    CHECK(asked[2].query.dst_sid == pair.server.process->sid.value);
    CHECK(asked[2].fixed.size() == 16);
    CHECK(asked[2].fixed[8] == 2);
}

TEST_CASE("a queued call denied at the rendezvous leaves the server receiving", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.policy.on_judge = [](const ksec::Query&, ksec::Effect effect) {
        return effect == ksec::Effect::Commit ? ksec::Verdict::Denied : ksec::Verdict::Granted;
    };
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {1, 2}});
    pair.kernel.receive(pair.server, pair.listener);
    CHECK(Kernel::is_waiting(pair.server));
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::SecurityDisallow);
}

TEST_CASE("handles that are not channels cannot be called", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.call(pair.client, 0, kRequest);
    CHECK(status_of(pair.client) == Status::BadHandle);
    pair.kernel.call(pair.client, pair.channel + 0x1'0000, kRequest);
    CHECK(status_of(pair.client) == Status::BadHandle);
    pair.kernel.call(pair.client, pair.channel ^ 0x100, kRequest);
    CHECK(status_of(pair.client) == Status::BadHandle);
    pair.kernel.call(pair.server, pair.listener, kRequest);
    CHECK(status_of(pair.server) == Status::WrongType);
    pair.client.process->handles.find(pair.channel)->rights = abi::rights::kCopy;
    pair.kernel.call(pair.client, pair.channel, kRequest);
    CHECK(status_of(pair.client) == Status::NoCapability);
    CHECK(kernel::audit_ring().count() == 5);
    CHECK(pair.kernel.policy.asked.empty());
}

TEST_CASE("tags with contradictory or unknown bits are refused", "[kernel][ipc]") {
    Pair pair;
    for (const u64 bits : {u64{1},
                           u64{8},
                           u64{1} << 58,
                           u64{1} << 61,
                           u64{3} << 62,
                           u64{1} << 62,
                           abi::Tag::kArena,
                           u64{1} << 40,
                           abi::Tag::kLong}) {
        CAPTURE(bits);
        pair.kernel.call(pair.client, pair.channel, with(kRequest, bits));
        pair.kernel.run(pair.client);
        CHECK(status_of(pair.client) == Status::BadCall);
    }
    const abi::Tag nine_handles = abi::Tag::make_long(abi::Kind::Request, 0, 0, 9);
    pair.kernel.call(pair.client, pair.channel, nine_handles);
    CHECK(status_of(pair.client) == Status::BadCall);
}

TEST_CASE("an unknown method is denied", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.receive(pair.server, pair.listener);
    for (const abi::Tag tag : {request_tag(0, 1, 16),
                               request_tag(1, 0, 16),
                               request_tag(0xFFFF, 0xFFFF, 0),
                               abi::Tag::make_long(abi::Kind::Request, 9, 9, 0)}) {
        pair.kernel.call(pair.client, pair.channel, tag);
        pair.kernel.run(pair.client);
        CHECK(status_of(pair.client) == Status::SecurityDisallow);
    }
    CHECK(Kernel::is_waiting(pair.server));
}

TEST_CASE("an unknown supervisor call is refused", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.run(pair.client);
    for (const u32 immediate : {3u, 4u, 0x8000u, 0xFFFFu}) {
        pair.kernel.exception(pair.client, svc(immediate));
        pair.kernel.run(pair.client);
        CHECK(status_of(pair.client) == Status::BadCall);
    }
}

TEST_CASE("a fault ends the process and nothing else", "[kernel][ipc]") {
    Pair pair;
    pair.deliver();
    pair.kernel.exception(pair.server, u64{0x24} << 26, 0xDEAD);
    pair.kernel.settle();
    CHECK(pair.kernel.is_running(pair.client));
    CHECK(status_of(pair.client) == Status::NotConnected);
    pair.kernel.call(pair.client, pair.channel, kRequest);
    CHECK(status_of(pair.client) == Status::NotConnected);
}

TEST_CASE("a token of somebody else is stale, and recorded", "[kernel][ipc]") {
    Pair pair;
    Thread& stranger = pair.kernel.add_process("stranger", kOtherClass);
    const u64 token = pair.deliver();
    pair.kernel.reply(stranger, 0, token, kResponse);
    pair.kernel.run(stranger);
    CHECK(status_of(stranger) == Status::StaleToken);
    CHECK(kernel::audit_ring().count() == 1);
    for (const u64 guess : {u64{0}, ~u64{0}, token + 0x1'0000, token ^ 1, u64{0x8000}}) {
        pair.kernel.reply(stranger, 0, guess, kResponse);
        pair.kernel.run(stranger);
        CHECK(status_of(stranger) == Status::StaleToken);
    }
    CHECK(Kernel::is_waiting(pair.client));
}

TEST_CASE("a listener of somebody else cannot be received on", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.receive(pair.client, pair.listener + 0x1'0000);
    CHECK(status_of(pair.client) == Status::BadHandle);
    pair.kernel.receive(pair.client, pair.channel);
    CHECK(status_of(pair.client) == Status::WrongType);
}
