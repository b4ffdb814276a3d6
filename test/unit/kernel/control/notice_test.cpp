// SPDX-License-Identifier: Apache-2.0
// kl.core.Notice: who hears of what, and what is left when anything involved is gone.
#include "desk.hpp"

#include <kernel/control/teardown.hpp>
#include <kernel/ipc/notice.hpp>

using namespace kernel_test;
using namespace kernel_test::desk;
using mock::machine;

namespace {

constexpr u32 kFirst = 0x1'0000;
constexpr u32 kSecond = 0x2'0000;

struct Office : Desk {
    u32 notice = make_notice(server);
    u32 object = create(server, 0).handle;

    Status raise(Thread& caller, u32 handle, u32 mask) {
        notices::SetObjectEvent_Request request{};
        request.object = whole(handle);
        request.mask = mask;
        return static_cast<Status>(ask_notice<notices::SetObjectEvent_Response>(
                                       caller, notices::Method::SetObjectEvent, request)
                                       .rc);
    }

    Status drop(u32 handle) {
        notices::DropAndWake_Request request{};
        request.notice = whole(handle);
        return static_cast<Status>(
            ask_notice<notices::DropAndWake_Response>(server, notices::Method::DropAndWake, request)
                .rc);
    }

    Status unsubscribe(u32 receiver, u32 from, u64 event_id) {
        notices::UnsubscribeFromEvent_Request request{};
        request.receiver = whole(receiver);
        request.object = whole(from);
        request.eventId = event_id;
        return static_cast<Status>(ask_notice<notices::UnsubscribeFromEvent_Response>(
                                       server, notices::Method::UnsubscribeFromEvent, request)
                                       .rc);
    }

    Status unsubscribe_all(u32 receiver, u32 from) {
        notices::UnsubscribeFromObject_Request request{};
        request.receiver = whole(receiver);
        request.object = whole(from);
        return static_cast<Status>(ask_notice<notices::UnsubscribeFromObject_Response>(
                                       server, notices::Method::UnsubscribeFromObject, request)
                                       .rc);
    }

    /// A handle of the server for the client's process.
    u32 task_of_client() {
        return kernel::control::name_object(*server.process, *client.process, rights::kAll).value();
    }

    static u32 subscriptions() { return kernel::endpoints().notices.used(); }
};

}  // namespace

TEST_CASE("custom events reach who subscribed to them, once", "[kernel][control]") {
    Office office;
    REQUIRE(office.subscribe(office.server, office.notice, office.object, kFirst, 11) ==
            Status::Ok);
    REQUIRE(office.subscribe(office.server, office.notice, office.object, kSecond | kFirst, 12) ==
            Status::Ok);
    CHECK(office.get_event(office.server, office.notice).status == Status::Timeout);
    CHECK(office.raise(office.server, office.object, kSecond) == Status::Ok);
    CHECK(office.raise(office.server, office.object, kFirst) == Status::Ok);
    const auto events = office.get_event(office.server, office.notice);
    REQUIRE(events.records.size() == 2);
    CHECK(events.records[0].eventId == 12);
    CHECK(events.records[0].mask == (kFirst | kSecond));
    CHECK(events.records[1].eventId == 11);
    CHECK(events.records[1].mask == kFirst);
    CHECK(office.get_event(office.server, office.notice).status == Status::Timeout);
}

TEST_CASE("as many events are taken as were asked for", "[kernel][control]") {
    Office office;
    for (u64 id = 0; id < kernel::kSubscriptionsPerObject; ++id) {
        REQUIRE(office.subscribe(office.server, office.notice, office.object, kFirst, id) ==
                Status::Ok);
    }
    CHECK(office.raise(office.server, office.object, kFirst) == Status::Ok);
    CHECK(office.get_event(office.server, office.notice, 0, 3).records.size() == 3);
    CHECK(office.get_event(office.server, office.notice, 0, 1).records.at(0).eventId == 3);
    CHECK(office.get_event(office.server, office.notice).records.size() == 4);
    CHECK(office.get_event(office.server, office.notice, 0, 0).status == Status::InvalidArgument);
}

TEST_CASE("GetEvent waits until there is something", "[kernel][control]") {
    for (const u64 wait_ms : {u64{1000}, ~u64{0}}) {
        Office office;
        Thread& other = office.kernel.add_thread(*office.server.process);
        REQUIRE(office.subscribe(office.server, office.notice, office.object, kFirst, 11) ==
                Status::Ok);
        office.get_event(office.server, office.notice, wait_ms);
        REQUIRE(Kernel::is_waiting(office.server));
        CHECK(office.get_event(other, office.notice, wait_ms).status == Status::Busy);
        CHECK(office.raise(other, office.object, kFirst) == Status::Ok);
        office.kernel.run(office.server);
        CHECK(office.events_of(office.server).records.at(0).eventId == 11);
    }
}

TEST_CASE("GetEvent ends with its time", "[kernel][control]") {
    Office office;
    office.get_event(office.server, office.notice, 10);
    REQUIRE(Kernel::is_waiting(office.server));
    machine().advance(base::Ticks{10 * mock::kTicksPerSecond / 1000});
    office.kernel.run(office.server);
    CHECK(office.events_of(office.server).status == Status::Timeout);
}

TEST_CASE("a dropped notice wakes who waits and hears nothing more", "[kernel][control]") {
    Office office;
    Thread& other = office.kernel.add_thread(*office.server.process);
    REQUIRE(office.subscribe(office.server, office.notice, office.object, kFirst, 11) ==
            Status::Ok);
    office.get_event(other, office.notice, 1000);
    REQUIRE(Kernel::is_waiting(other));
    CHECK(office.drop(office.notice) == Status::Ok);
    office.kernel.run(other);
    CHECK(office.events_of(other).status == Status::ResourceNotFound);
    CHECK(Office::subscriptions() == 0);
    CHECK(office.drop(office.notice) == Status::ResourceNotFound);
    CHECK(office.get_event(office.server, office.notice).status == Status::ResourceNotFound);
    CHECK(office.subscribe(office.server, office.notice, office.object, kFirst, 1) ==
          Status::ResourceNotFound);
    CHECK(office.unsubscribe(office.notice, office.object, 1) == Status::ResourceNotFound);
}

TEST_CASE("closing a notice ends the wait and the subscriptions", "[kernel][control]") {
    Office office;
    Thread& other = office.kernel.add_thread(*office.server.process);
    REQUIRE(office.subscribe(office.server, office.notice, office.object, kFirst, 11) ==
            Status::Ok);
    office.get_event(other, office.notice, ~u64{0});
    REQUIRE(Kernel::is_waiting(other));
    CHECK(office.close(office.server, office.notice) == Status::Ok);
    office.kernel.run(other);
    CHECK(office.events_of(other).status == Status::BadHandle);
    CHECK(Office::subscriptions() == 0);
    CHECK(kernel::endpoints().event_queues.used() == 0);
    CHECK(office.server.process->subscription_count == 0);
}

TEST_CASE("several observers hear of the end of a process, at once if it was before",
          "[kernel][control]") {
    Office office;
    const u32 task = office.task_of_client();
    const u32 second = office.make_notice(office.server);
    REQUIRE(office.subscribe(office.server, office.notice, task, notices::TaskEnded, 1) ==
            Status::Ok);
    REQUIRE(office.subscribe(office.server, second, task, notices::TaskEnded, 2) == Status::Ok);
    REQUIRE(office.subscribe(office.server, office.listener, task, notices::TaskEnded, 3) ==
            Status::Ok);
    kernel::end_process(*office.client.process, {kernel::EndReason::Exit, 0, 0, 0});
    office.kernel.settle();
    REQUIRE(office.subscribe(office.server, second, task, notices::TaskEnded, 4) == Status::Ok);
    CHECK(office.get_event(office.server, office.notice).records.at(0).eventId == 1);
    CHECK(office.get_event(office.server, second).records.size() == 2);
    office.receive();
    office.kernel.run(office.server);
    const Answer got = Kernel::answer_of(office.server);
    CHECK(got.tag.endpoint() == abi::kEventEndpoint);
    CHECK(got.badge == 3);
    CHECK(got.words[0] == notices::TaskEnded);
}

TEST_CASE("an object's end is the last event of a subscription", "[kernel][control]") {
    Office office;
    REQUIRE(office.subscribe(
                office.server, office.notice, office.object, notices::ObjectDestroyed, 1) ==
            Status::Ok);
    REQUIRE(office.subscribe(office.server, office.notice, office.object, kFirst, 2) == Status::Ok);
    REQUIRE(office.subscribe(
                office.server, office.listener, office.object, notices::ObjectDestroyed, 3) ==
            Status::Ok);
    CHECK(office.close(office.server, office.object) == Status::Ok);
    const auto events = office.get_event(office.server, office.notice);
    REQUIRE(events.records.size() == 1);
    CHECK(events.records[0].eventId == 1);
    CHECK(events.records[0].mask == notices::ObjectDestroyed);
    CHECK(Office::subscriptions() == 1);
    office.receive();
    office.kernel.run(office.server);
    const Answer got = Kernel::answer_of(office.server);
    CHECK(got.badge == 3);
    office.kernel.reply(office.server, 0, got.token, response_tag(abi::kEventEndpoint, 0, 0), {});
    CHECK(Kernel::answer_of(office.server).status == Status::Ok);
    CHECK(Office::subscriptions() == 0);
    CHECK(office.server.process->subscription_count == 1);  // the notice itself
}

TEST_CASE("subscriptions end by event, by object, and with their process", "[kernel][control]") {
    Office office;
    for (u64 id = 0; id < 4; ++id) {
        REQUIRE(office.subscribe(office.server, office.notice, office.object, kFirst, id) ==
                Status::Ok);
    }
    REQUIRE(office.subscribe(office.server, office.listener, office.object, kFirst, 7) ==
            Status::Ok);
    CHECK(office.raise(office.server, office.object, kFirst) == Status::Ok);
    CHECK(office.unsubscribe(office.notice, office.object, 1) == Status::Ok);
    CHECK(office.unsubscribe(office.notice, office.object, 1) == Status::ResourceNotFound);
    CHECK(office.get_event(office.server, office.notice).records.size() == 3);
    CHECK(office.unsubscribe_all(office.notice, office.object) == Status::Ok);
    CHECK(office.unsubscribe_all(office.notice, office.object) == Status::ResourceNotFound);
    CHECK(Office::subscriptions() == 1);
    REQUIRE(office.subscribe(office.server, office.notice, office.object, kFirst, 1) == Status::Ok);
    CHECK(office.raise(office.server, office.object, kFirst) == Status::Ok);
    kernel::end_process(*office.server.process, {kernel::EndReason::Terminated, 0, 0, 0});
    office.kernel.settle();
    CHECK(Office::subscriptions() == 0);
    CHECK(kernel::endpoints().event_queues.used() == 0);
}

TEST_CASE("wrong subscriptions are refused", "[kernel][control]") {
    Office office;
    const auto attempt = [&office](u32 receiver, u32 object, u32 mask, u64 id = 0) {
        return office.subscribe(office.server, receiver, object, mask, id);
    };
    CHECK(attempt(0x7777, office.object, kFirst) == Status::BadHandle);
    CHECK(attempt(office.notice, 0x7777, kFirst) == Status::BadHandle);
    CHECK(attempt(office.object, office.object, kFirst) == Status::WrongType);
    CHECK(attempt(office.notice, office.object, 0) == Status::InvalidArgument);
    CHECK(attempt(office.notice, office.object, kFirst | 8) == Status::InvalidArgument);
    CHECK(attempt(office.notice, office.listener, kFirst) == Status::NoCapability);
    CHECK(attempt(office.notice, office.object, kFirst) == Status::Ok);
    CHECK(attempt(office.notice, office.object, kSecond) == Status::Busy);
    CHECK(office.raise(office.server, 0x7777, kFirst) == Status::BadHandle);
    CHECK(office.raise(office.server, office.listener, kFirst) == Status::NoCapability);
    CHECK(office.raise(office.server, office.object, 0) == Status::InvalidArgument);
    CHECK(office.raise(office.server, office.object, notices::ObjectDestroyed) ==
          Status::InvalidArgument);
    CHECK(office.get_event(office.server, 0x7777).status == Status::BadHandle);
    CHECK(office.get_event(office.server, office.listener).status == Status::WrongType);
    CHECK(office.drop(0x7777) == Status::BadHandle);
    CHECK(office.drop(office.listener) == Status::WrongType);
    CHECK(office.unsubscribe(0x7777, office.object, 0) == Status::BadHandle);
    CHECK(office.unsubscribe(office.notice, 0x7777, 0) == Status::BadHandle);
    CHECK(office.unsubscribe_all(office.object, office.object) == Status::WrongType);
    office.server.process->handles.find(office.listener)->rights = 0;
    CHECK(attempt(office.listener, office.object, kFirst) == Status::NoCapability);
    CHECK(office.unsubscribe(office.listener, office.object, 0) == Status::NoCapability);
    office.server.process->handles.find(office.listener)->rights = rights::kRecv;
    office.server.process->port->process = office.client.process;
    CHECK(attempt(office.listener, office.object, kFirst) == Status::NotConnected);
    CHECK(office.unsubscribe_all(office.listener, office.object) == Status::NotConnected);
    office.server.process->port->process = office.server.process;
    CHECK(static_cast<Status>(
              office.copy(office.server, whole(office.notice), office.task_of_client()).rc) ==
          Status::NotReady);
}

TEST_CASE("subscriptions are limited for each object, each process, and for all",
          "[kernel][control]") {
    Office office;
    for (u64 id = 0; id < kernel::kSubscriptionsPerObject; ++id) {
        REQUIRE(office.subscribe(office.server, office.notice, office.object, kFirst, id) ==
                Status::Ok);
    }
    CHECK(office.subscribe(office.server, office.notice, office.object, kFirst, 100) ==
          Status::OutOfMemory);
    const u32 other = office.create(office.server, 0).handle;
    office.server.process->subscription_count = kernel::kSubscriptionsPerProcess;
    CHECK(office.subscribe(office.server, office.notice, other, kFirst, 1) == Status::OutOfMemory);
    const auto refused = office.ask_notice<notices::Create_Response>(
        office.server, notices::Method::Create, notices::Create_Request{});
    CHECK(static_cast<Status>(refused.rc) == Status::OutOfMemory);
    office.server.process->subscription_count = 1 + kernel::kSubscriptionsPerObject;
    std::vector<kernel::Notice*> all;
    while (auto* notice = kernel::endpoints().notices.take()) {
        all.push_back(notice);
    }
    CHECK(office.subscribe(office.server, office.notice, other, kFirst, 1) == Status::OutOfMemory);
    for (auto* notice : all) {
        kernel::endpoints().notices.give(*notice);
    }
    std::vector<kernel::EventQueue*> queues;
    while (auto* queue = kernel::endpoints().event_queues.take()) {
        queues.push_back(queue);
    }
    const auto none = office.ask_notice<notices::Create_Response>(
        office.server, notices::Method::Create, notices::Create_Request{});
    CHECK(static_cast<Status>(none.rc) == Status::OutOfMemory);
    for (auto* queue : queues) {
        kernel::endpoints().event_queues.give(*queue);
    }
    while (office.server.process->handles.free() > 0) {
        REQUIRE(office.create(office.server, 0).rc == 0);
    }
    const auto full = office.ask_notice<notices::Create_Response>(
        office.server, notices::Method::Create, notices::Create_Request{});
    CHECK(static_cast<Status>(full.rc) == Status::OutOfMemory);
}

TEST_CASE("events are not lost for want of a page", "[kernel][control]") {
    Office office;
    REQUIRE(office.subscribe(office.server, office.notice, office.object, kFirst, 11) ==
            Status::Ok);
    CHECK(office.raise(office.server, office.object, kFirst) == Status::Ok);
    Process& process = *office.server.process;
    const u64 budget = process.budget_pages;
    process.budget_pages = process.used_pages;
    CHECK(office.get_event(office.server, office.notice).status == Status::OutOfMemory);
    process.budget_pages = budget;
    CHECK(office.get_event(office.server, office.notice).records.size() == 1);
}

TEST_CASE("a thread that waits for events can be ended", "[kernel][control]") {
    Office office;
    Thread& other = office.kernel.add_thread(*office.server.process);
    office.get_event(other, office.notice, ~u64{0});
    REQUIRE(Kernel::is_waiting(other));
    kernel::end_thread(other);
    office.kernel.settle();
    CHECK(office.get_event(office.server, office.notice).status == Status::Timeout);
    CHECK(kernel::scheduler().threads.used() == 2);
}

TEST_CASE("a denied answer takes the notice back", "[kernel][control]") {
    Office office;
    office.kernel.policy.on_judge = [](const ksec::Query& query, ksec::Effect) {
        return query.event == ksec::Event::Response ? ksec::Verdict::Denied
                                                    : ksec::Verdict::Granted;
    };
    const auto made = office.ask_notice<notices::Create_Response>(
        office.server, notices::Method::Create, notices::Create_Request{});
    CHECK(static_cast<Status>(made.rc) == Status::SecurityDisallow);
    CHECK(kernel::endpoints().event_queues.used() == 1);
    CHECK(office.server.process->subscription_count == 1);
}
