// SPDX-License-Identifier: Apache-2.0
// Notices: requests of the kernel without a thread, judged like any other.
#include "pair.hpp"

#include <catch2/catch_test_macros.hpp>
#include <kernel/ipc/notice.hpp>
#include <kernel/irq/lines.hpp>

using namespace kernel_test;

namespace {

constexpr u64 kBadge = 77;
constexpr abi::Tag kNotice = request_tag(abi::kEventEndpoint, 0, 8);
constexpr abi::Tag kAnswer = response_tag(abi::kEventEndpoint, 0, 0);

struct NoticePair : Pair {
    NoticePair() {
        REQUIRE(
            kernel::attach_notice(notice, *endpoint_named("server"), kBadge, abi::kEventEndpoint)
                .ok());
    }

    void grant_without_question(abi::Tag answer = kAnswer) {
        kernel.policy.grant_fast(kCoreClass, kServerClass, kNotice.value, answer.value);
    }

    void deny(ksec::Event event) {
        kernel.policy.on_judge = [event](const ksec::Query& query, ksec::Effect) {
            return query.event == event ? ksec::Verdict::Denied : ksec::Verdict::Granted;
        };
    }

    void check_has_notice(u64 bits) {
        kernel.run(server);
        const Answer got = Kernel::answer_of(server);
        CHECK(got.status == Status::Ok);
        CHECK(got.badge == kBadge);
        CHECK(got.tag.value == kNotice.value);
        CHECK(got.words[0] == bits);
    }

    kernel::Notice* notice = nullptr;
};

}  // namespace

TEST_CASE("a notice that is denied is dropped, and the server goes on waiting", "[kernel][ipc]") {
    for (const bool server_first : {true, false}) {
        for (const bool in_check : {true, false}) {
            CAPTURE(server_first, in_check);
            NoticePair pair;
            if (in_check) {
                pair.kernel.policy.on_check = [](const ksec::Query&) {
                    return ksec::Verdict::Denied;
                };
            } else {
                pair.deny(ksec::Event::Request);
            }
            if (server_first) {
                pair.kernel.receive(pair.server, pair.listener);
            }
            kernel::raise_notice(*pair.notice, 5);
            if (!server_first) {
                pair.kernel.receive(pair.server, pair.listener);
            }
            pair.kernel.interrupt();
            CHECK(Kernel::is_waiting(pair.server));
            CHECK(pair.notice->stage == kernel::NoticeStage::Idle);
            CHECK(pair.notice->bits == 0);
            CHECK(endpoint_named("server")->pending == 0);
        }
    }
}

TEST_CASE("a request behind a denied notice is delivered", "[kernel][ipc]") {
    NoticePair pair;
    pair.kernel.policy.on_judge = [](const ksec::Query& query, ksec::Effect) {
        return query.src_class == kCoreClass ? ksec::Verdict::Denied : ksec::Verdict::Granted;
    };
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {42}});
    kernel::raise_notice(*pair.notice, 5);
    pair.kernel.receive(pair.server, pair.listener);
    pair.kernel.run(pair.server);
    CHECK(Kernel::answer_of(pair.server).words[0] == 42);
}

TEST_CASE("a notice that a row grants, and its answer, need no question", "[kernel][ipc]") {
    NoticePair pair;
    pair.grant_without_question();
    kernel::raise_notice(*pair.notice, 1);
    kernel::raise_notice(*pair.notice, 4);
    pair.kernel.receive(pair.server, pair.listener);
    pair.check_has_notice(5);
    pair.kernel.reply(pair.server, 0, Kernel::answer_of(pair.server).token, kAnswer);
    CHECK(status_of(pair.server) == Status::Ok);
    CHECK(pair.notice->stage == kernel::NoticeStage::Idle);
    CHECK(pair.kernel.policy.asked.empty());
}

TEST_CASE("a denied answer to a notice is the server's to know, and ends the notice",
          "[kernel][ipc]") {
    NoticePair pair;
    pair.deny(ksec::Event::Response);
    pair.kernel.receive(pair.server, pair.listener);
    kernel::raise_notice(*pair.notice, 5);
    pair.check_has_notice(5);
    pair.kernel.reply(pair.server, pair.listener, Kernel::answer_of(pair.server).token, kAnswer);
    pair.kernel.run(pair.server);
    CHECK(status_of(pair.server) == Status::SecurityDisallow);
    CHECK(pair.notice->stage == kernel::NoticeStage::Idle);
}

TEST_CASE("the token of a notice answers nothing for another process", "[kernel][ipc]") {
    NoticePair pair;
    pair.kernel.receive(pair.server, pair.listener);
    kernel::raise_notice(*pair.notice, 5);
    pair.check_has_notice(5);
    pair.kernel.reply(pair.client, 0, Kernel::answer_of(pair.server).token, kAnswer);
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::StaleToken);
    CHECK(pair.notice->stage == kernel::NoticeStage::InService);
}

TEST_CASE("an interrupt's own path leaves what is unusual to the other", "[kernel][ipc]") {
    NoticePair pair;
    pair.kernel.run(pair.client);
    pair.kernel.run(pair.server);
    SECTION("nobody waits") { CHECK(kernel::raise_directly(*pair.notice, 1) == nullptr); }
    SECTION("no row grants it") {
        pair.kernel.receive(pair.server, pair.listener);
        CHECK(kernel::raise_directly(*pair.notice, 1) == nullptr);
        CHECK(Kernel::is_waiting(pair.server));
    }
    SECTION("it queues already") {
        pair.grant_without_question();
        kernel::raise_notice(*pair.notice, 1);
        CHECK(kernel::raise_directly(*pair.notice, 2) == nullptr);
        CHECK(pair.notice->bits == 1);
    }
    SECTION("it has no receiver") {
        kernel::detach_notice(*pair.notice);
        CHECK(kernel::raise_directly(*pair.notice, 1) == nullptr);
    }
    SECTION("what runs is as strong") {
        pair.grant_without_question();
        pair.kernel.receive(pair.server, pair.listener);
        pair.kernel.run(pair.client);
        CHECK(kernel::raise_directly(*pair.notice, 1) == nullptr);
        CHECK(Kernel::is_waiting(pair.server));
    }
    CHECK(pair.kernel.policy.asked.empty());
}

TEST_CASE("an interrupt that a row grants goes to a stronger driver without a question",
          "[kernel][ipc]") {
    constexpr abi::Tag kRaised = request_tag(abi::kIrqEndpoint, 0, 8);
    Pair pair;
    Thread& driver = pair.kernel.add_process("driver", kOtherClass, 150);
    const u32 listener = pair.kernel.add_listener(*driver.process);
    pair.kernel.policy.grant_fast(
        kCoreClass, kOtherClass, kRaised.value, response_tag(abi::kIrqEndpoint, 0, 0).value);
    mock::machine().assignable_from = 40;
    mock::machine().assignable_to = 50;
    const auto line = kernel::register_line(base::IrqLine{41}, false);
    REQUIRE(line.ok());
    REQUIRE(kernel::attach_line(line.value(), *endpoint_named("driver"), kBadge).ok());
    kernel::enable_line(line.value());
    pair.kernel.receive(driver, listener);
    pair.kernel.run(pair.client);
    mock::machine().lines[41].pending = true;
    pair.kernel.interrupt();
    CHECK(pair.kernel.is_running(driver));
    CHECK(Kernel::answer_of(driver).badge == kBadge);
    CHECK(Kernel::answer_of(driver).tag.value == kRaised.value);
    CHECK(pair.kernel.policy.asked.empty());
    pair.kernel.check_invariants();
}

TEST_CASE("one receiver has one subscription of an identity to an object", "[kernel][ipc]") {
    Pair pair;
    const kernel::Receiver first{endpoint_named("server"), nullptr};
    pair.kernel.add_listener(*pair.client.process);
    const kernel::Receiver second{endpoint_named("client"), nullptr};
    const kernel::Sid object = pair.client.process->sid;
    // In the same list, since lists are shared by some objects.
    const kernel::Sid other{object.value + kernel::EndpointPools::kSubscriptionLists};
    REQUIRE(kernel::subscribe(first, object, 1, 7).ok());
    CHECK(kernel::subscribe(first, object, 1, 7).status() == Status::Busy);
    CHECK(kernel::subscribe(first, object, 1, 8).ok());
    CHECK(kernel::subscribe(second, object, 1, 7).ok());
    CHECK(kernel::subscribe(first, other, 1, 7).ok());
    const u64 id = 7;
    CHECK(kernel::unsubscribe(first, object, &id));
    CHECK_FALSE(kernel::unsubscribe(first, object, &id));
    CHECK(kernel::unsubscribe(second, object, &id));
    CHECK(kernel::unsubscribe(first, object, nullptr));
    CHECK(kernel::unsubscribe(first, other, nullptr));
    CHECK(pair.server.process->subscription_count == 0);
    CHECK(pair.client.process->subscription_count == 0);
}
