// SPDX-License-Identifier: Apache-2.0
// kl.core.Handle: objects that servers make, badges, revocation in bounded steps.
#include "desk.hpp"

#include <kernel/control/teardown.hpp>

using namespace kernel_test;
using namespace kernel_test::desk;

namespace {

constexpr u64 kContext = 0xC0'FFEE;

/// The longest hold of the kernel lock in a call is bounded by what one step may do.
u64 used_slots(const Thread& thread) { return thread.process->handles.used(); }

void deny_responses(Kernel& kernel) {
    kernel.policy.on_judge = [](const ksec::Query& query, ksec::Effect) {
        return query.event == ksec::Event::Response ? ksec::Verdict::Denied
                                                    : ksec::Verdict::Granted;
    };
}

}  // namespace

TEST_CASE("a user object comes back to its maker as its context", "[kernel][control]") {
    Desk desk;
    const auto made = desk.create(desk.server, kContext);
    REQUIRE(made.rc == 0);
    constexpr u32 kSome = rights::kTransfer | rights::kCopy;
    const auto given = desk.get({.handle = made.handle, .rights = kSome, .badge = 0});
    REQUIRE(given.handle != 0);
    CHECK(given.rights == kSome);
    CHECK(given.badge == 0);
    const u64 used = used_slots(desk.server);
    const auto back = desk.give(whole(given.handle));
    CHECK(back.handle == made.handle);
    CHECK(back.rights == (kSome | rights::kOwnObject));
    CHECK(back.badge == kContext);
    CHECK(used_slots(desk.server) == used);
}

TEST_CASE("a user object means nothing to others, and nothing after its maker",
          "[kernel][control]") {
    Desk desk;
    const auto made = desk.create(desk.client, kContext);
    REQUIRE(made.rc == 0);
    const auto seen = desk.give(whole(made.handle));
    CHECK(seen.handle != 0);
    CHECK((seen.rights & rights::kOwnObject) == 0);
    CHECK(seen.badge == 0);
    kernel::end_process(*desk.client.process, {kernel::EndReason::Terminated, 0, 0, 0});
    desk.kernel.settle();
    CHECK(kernel::objects().user_objects.used() == 1);
    CHECK(desk.close(desk.server, seen.handle) == Status::Ok);
    CHECK(kernel::objects().user_objects.used() == 0);
}

TEST_CASE("a call through an object reaches its endpoint with its context", "[kernel][control]") {
    Desk desk;
    const auto made = desk.create(desk.server, kContext, desk.listener, 0);
    REQUIRE(made.rc == 0);
    const auto given = desk.get(whole(made.handle));
    desk.receive();
    desk.kernel.call(desk.client, given.handle, request_tag(0, 0, 8), {.words = {42}});
    desk.kernel.run(desk.server);
    const Answer got = Kernel::answer_of(desk.server);
    CHECK(got.status == Status::Ok);
    CHECK(got.badge == kContext);
    CHECK(got.words[0] == 42);
    desk.kernel.reply(desk.server, 0, got.token, response_tag(0, 0, 8), {.words = {43}});
    desk.kernel.run(desk.client);
    CHECK(Kernel::answer_of(desk.client).words[0] == 43);
    // Another endpoint than its own, although the policy would grant it.
    desk.kernel.policy.add_method(kServerClass, 1, 0, make_shape(8), make_shape(8));
    desk.kernel.call(desk.client, given.handle, request_tag(1, 0, 8), {.words = {42}});
    CHECK(Kernel::answer_of(desk.client).status == Status::WrongType);
}

TEST_CASE("an object without a channel cannot be called, nor one without the right",
          "[kernel][control]") {
    Desk desk;
    const auto plain = desk.create(desk.client, kContext);
    desk.kernel.call(desk.client, plain.handle, request_tag(0, 0, 8), {.words = {42}});
    CHECK(Kernel::answer_of(desk.client).status == Status::WrongType);
    const auto made = desk.create(desk.server, kContext, desk.listener, 0);
    const auto given =
        desk.get({.handle = made.handle, .rights = rights::kAll & ~rights::kCall, .badge = 0});
    desk.kernel.call(desk.client, given.handle, request_tag(0, 0, 8), {.words = {42}});
    CHECK(Kernel::answer_of(desk.client).status == Status::NoCapability);
}

TEST_CASE("calls through the objects of an ended server are not connected", "[kernel][control]") {
    Desk desk;
    const auto made = desk.create(desk.server, kContext, desk.listener, 0);
    const auto given = desk.get(whole(made.handle));
    kernel::end_process(*desk.server.process, {kernel::EndReason::Terminated, 0, 0, 0});
    desk.kernel.settle();
    desk.kernel.call(desk.client, given.handle, request_tag(0, 0, 8), {.words = {42}});
    CHECK(Kernel::answer_of(desk.client).status == Status::NotConnected);
    // The name's next life never gets to see them.
    Thread& next = desk.kernel.add_process("server", kServerClass);
    const u32 listener = desk.kernel.add_listener(*next.process);
    desk.kernel.receive(next, listener, {.room_fixed = buffer(kRoom, 64)}, 1);
    for (u32 i = 0; i < 2; ++i) {
        desk.kernel.call(desk.client, given.handle, request_tag(0, 0, 8), {.words = {42}});
        CHECK(Kernel::answer_of(desk.client).status == Status::NotConnected);
    }
    CHECK(Kernel::is_waiting(next));
}

TEST_CASE("what makes no user object is refused", "[kernel][control]") {
    Desk desk;
    CHECK(static_cast<Status>(desk.create(desk.server, 0, 0, 0, 5).rc) == Status::InvalidArgument);
    CHECK(static_cast<Status>(desk.create(desk.server, 0, desk.listener, 0x1'0000).rc) ==
          Status::InvalidArgument);
    CHECK(static_cast<Status>(desk.create(desk.server, 0, 0x7777).rc) == Status::BadHandle);
    CHECK(static_cast<Status>(desk.create(desk.client, 0, desk.channel).rc) == Status::WrongType);
    const u32 notice = desk.make_notice(desk.server);
    CHECK(static_cast<Status>(desk.create(desk.server, 0, notice).rc) == Status::WrongType);
    desk.server.process->handles.find(desk.listener)->rights = 0;
    CHECK(static_cast<Status>(desk.create(desk.server, 0, desk.listener).rc) ==
          Status::NoCapability);
    CHECK(kernel::objects().user_objects.used() == 0);
}

TEST_CASE("a listener of an earlier life makes no object", "[kernel][control]") {
    Desk desk;
    desk.server.process->port->process = desk.client.process;
    CHECK(static_cast<Status>(desk.create(desk.server, 0, desk.listener).rc) ==
          Status::NotConnected);
    desk.server.process->port->process = desk.server.process;
}

TEST_CASE("user objects are limited for each process, and for all", "[kernel][control]") {
    Desk desk;
    kernel::HandleTable& table = desk.server.process->handles;
    const u32 free = table.free();
    for (u32 i = 0; i < free; ++i) {
        REQUIRE(desk.create(desk.server, i).rc == 0);
    }
    CHECK(static_cast<Status>(desk.create(desk.server, 0).rc) == Status::OutOfMemory);
    CHECK(static_cast<Status>(desk.badge(desk.server, 0).rc) == Status::OutOfMemory);
    Process& process = *desk.client.process;
    process.user_object_count = kernel::kUserObjectsPerProcess;
    CHECK(static_cast<Status>(desk.create(desk.client, 0).rc) == Status::OutOfMemory);
    process.user_object_count = 0;
    std::vector<kernel::UserObject*> others;
    while (auto* object = kernel::objects().user_objects.take()) {
        others.push_back(object);
    }
    CHECK(static_cast<Status>(desk.create(desk.client, 0).rc) == Status::OutOfMemory);
    for (auto* object : others) {
        kernel::objects().user_objects.give(*object);
    }
    kernel::end_process(*desk.server.process, {kernel::EndReason::Terminated, 0, 0, 0});
    desk.kernel.settle();
    CHECK(kernel::objects().user_objects.used() == 0);
}

TEST_CASE("a denied answer takes back the object and the badge", "[kernel][control]") {
    Desk desk;
    const u32 notice = desk.make_notice(desk.server);
    const u64 used = used_slots(desk.server);
    deny_responses(desk.kernel);
    CHECK(static_cast<Status>(desk.create(desk.server, 0, desk.listener).rc) ==
          Status::SecurityDisallow);
    CHECK(static_cast<Status>(desk.badge(desk.server, 0, notice, 5).rc) ==
          Status::SecurityDisallow);
    desk.kernel.policy.on_judge = {};
    CHECK(used_slots(desk.server) == used);
    CHECK(kernel::objects().user_objects.used() == 0);
    CHECK(kernel::endpoints().notices.used() == 0);
}

TEST_CASE("a badge's context takes the place of the object's, for its maker only",
          "[kernel][control]") {
    Desk desk;
    const auto made = desk.create(desk.server, kContext);
    const auto badge = desk.badge(desk.server, 77);
    REQUIRE(badge.rc == 0);
    const auto given = desk.get(whole(made.handle, badge.badge));
    CHECK(given.badge == 0);
    const auto copy = desk.copy(desk.client, whole(given.handle));
    REQUIRE(copy.rc == 0);
    CHECK(desk.give(whole(given.handle)).badge == 77);
    CHECK(desk.give(whole(copy.copy)).badge == 77);
    // A client's own badge forges nothing.
    const auto bare = desk.get(whole(made.handle));
    const auto forged = desk.badge(desk.client, 666);
    const auto marked = desk.copy(desk.client, whole(bare.handle, forged.badge));
    REQUIRE(marked.rc == 0);
    CHECK(desk.give(whole(marked.copy)).badge == kContext);
}

TEST_CASE("a badge tells when the last handle that it marks is closed", "[kernel][control]") {
    Desk desk;
    const u32 notice = desk.make_notice(desk.server);
    const auto made = desk.create(desk.server, kContext);
    const auto badge = desk.badge(desk.server, 77, notice, 99);
    const auto given = desk.get(whole(made.handle, badge.badge));
    const auto copy = desk.copy(desk.client, whole(given.handle));
    CHECK(desk.get_event(desk.server, notice).status == Status::Timeout);
    CHECK(desk.close(desk.client, given.handle) == Status::Ok);
    CHECK(desk.get_event(desk.server, notice).status == Status::Timeout);
    SECTION("by its holder") { CHECK(desk.close(desk.client, copy.copy) == Status::Ok); }
    SECTION("by the holder's death") {
        kernel::end_process(*desk.client.process, {kernel::EndReason::Terminated, 0, 0, 0});
        desk.kernel.settle();
    }
    SECTION("by revocation") {
        CHECK(desk.revoke_subtree(desk.server, made.handle, badge.badge) == Status::Ok);
    }
    const auto events = desk.get_event(desk.server, notice);
    REQUIRE(events.records.size() == 1);
    CHECK(events.records[0].eventId == 99);
    CHECK(events.records[0].mask == notices::BadgeClosed);
    CHECK(desk.get_event(desk.server, notice).status == Status::Timeout);
}

TEST_CASE("a subtree is revoked by its badge, and the rest stays", "[kernel][control]") {
    Desk desk;
    const auto made = desk.create(desk.server, kContext);
    const auto badge = desk.badge(desk.server, 77);
    const auto marked = desk.get(whole(made.handle, badge.badge));
    const auto copy = desk.copy(desk.client, whole(marked.handle));
    const auto bare = desk.get(whole(made.handle));
    const auto other = desk.create(desk.server, 5);
    const auto elsewhere = desk.get(whole(other.handle, badge.badge));
    CHECK(desk.revoke_subtree(desk.server, made.handle, badge.badge) == Status::Ok);
    const auto& table = desk.client.process->handles;
    CHECK(table.find(marked.handle) == nullptr);
    CHECK(table.find(copy.copy) == nullptr);
    CHECK(table.find(bare.handle) != nullptr);
    CHECK(table.find(elsewhere.handle) != nullptr);
    // What is marked still cannot be sent, which is no fault of the receiver's.
    desk.receive();
    desk.send(whole(elsewhere.handle));
    CHECK(Kernel::answer_of(desk.client).status == Status::HandleRevoked);
    CHECK(Kernel::is_waiting(desk.server));
    desk.send(whole(bare.handle));
    desk.kernel.run(desk.server);
    const Answer got = Kernel::answer_of(desk.server);
    CHECK(got.status == Status::Ok);
    desk.kernel.reply(desk.server, 0, got.token, response_tag(0, kGive, 8), {.words = {0}});
    // Nor can it be copied, nor the badge be used.
    CHECK(static_cast<Status>(desk.copy(desk.client, whole(elsewhere.handle)).rc) ==
          Status::HandleRevoked);
    CHECK(static_cast<Status>(desk.copy(desk.server, whole(made.handle, badge.badge)).rc) ==
          Status::HandleRevoked);
}

TEST_CASE("wrong badges and targets are refused", "[kernel][control]") {
    Desk desk;
    const auto made = desk.create(desk.server, kContext);
    const auto badge = desk.badge(desk.server, 77);
    CHECK(desk.revoke_subtree(desk.server, 0x7777, badge.badge) == Status::BadHandle);
    CHECK(desk.revoke_subtree(desk.server, made.handle, 0x7777) == Status::BadHandle);
    CHECK(desk.revoke_subtree(desk.server, made.handle, made.handle) == Status::WrongType);
    desk.server.process->handles.find(made.handle)->rights &= ~rights::kRevoke;
    CHECK(desk.revoke_subtree(desk.server, made.handle, badge.badge) == Status::NoCapability);
    CHECK(static_cast<Status>(desk.copy(desk.server, whole(made.handle, 0x7777)).rc) ==
          Status::BadHandle);
    CHECK(static_cast<Status>(desk.copy(desk.server, whole(made.handle, made.handle)).rc) ==
          Status::WrongType);
    const auto marked = desk.copy(desk.server, whole(made.handle, badge.badge));
    REQUIRE(marked.rc == 0);
    CHECK(static_cast<Status>(desk.copy(desk.server, whole(marked.copy, badge.badge)).rc) ==
          Status::AlreadyExists);
    CHECK(static_cast<Status>(desk.copy(desk.server, whole(badge.badge)).rc) ==
          Status::NoCapability);
    for (const u32 receiver : {u32{0x7777}, made.handle}) {
        const auto answer = static_cast<Status>(desk.badge(desk.server, 0, receiver).rc);
        CHECK(answer == (receiver == made.handle ? Status::WrongType : Status::BadHandle));
    }
    desk.server.process->subscription_count = kernel::kSubscriptionsPerProcess;
    CHECK(static_cast<Status>(desk.badge(desk.server, 0, desk.listener).rc) == Status::OutOfMemory);
    desk.server.process->subscription_count = 0;
    CHECK(kernel::objects().user_objects.used() == 2);
}

TEST_CASE("a badge that is closed while its message waits marks nothing", "[kernel][control]") {
    Desk desk;
    const auto made = desk.create(desk.client, kContext);
    const auto badge = desk.badge(desk.client, 77);
    desk.send(whole(made.handle, badge.badge));  // waits for the server
    kernel::close_slot(*desk.client.process, *desk.client.process->handles.find(badge.badge));
    desk.receive();
    desk.kernel.run(desk.server);
    CHECK(Kernel::answer_of(desk.server).status == Status::Ok);
    CHECK(desk.kernel.get_value<abi::HandleDescriptor>(*desk.server.process, kRoom).handle == 0);
}

TEST_CASE("deep and wide trees are revoked in bounded steps", "[kernel][control]") {
    Desk desk;
    Process& mine = *desk.server.process;
    Process& theirs = *desk.client.process;
    const auto made = desk.create(desk.server, kContext);
    u32 last = made.handle;
    Process* holder = &mine;
    const u64 used = used_slots(desk.server) + used_slots(desk.client);
    for (u32 i = 0; i < 400; ++i) {  // a chain through both tables, with a twig at every knot
        Process& next = i % 2 == 0 ? theirs : mine;
        Slot& source = *holder->handles.find(last);
        last = kernel::ipc::copy_slot(*holder, source, next, rights::kAll).value();
        holder = &next;
        if (i % 8 == 0) {
            REQUIRE(kernel::ipc::copy_slot(next, *next.handles.find(last), mine, 0).ok());
        }
    }
    u32 steps = 1;
    while (!kernel::revoke_step(*mine.handles.find(made.handle))) {
        ++steps;
        desk.kernel.check_invariants();
    }
    CHECK(used_slots(desk.server) + used_slots(desk.client) == used);
    CHECK(steps >= 450 / kernel::kLinksPerStep);
    CHECK(steps <= 2 * 450 / kernel::kLinksPerStep + 1);
}

TEST_CASE("closing a handle leaves its many children to the one above", "[kernel][control]") {
    Desk desk;
    Process& mine = *desk.server.process;
    const auto root = desk.create(desk.server, kContext);
    const auto middle = desk.copy(desk.server, whole(root.handle));
    for (u32 i = 0; i < 100; ++i) {
        REQUIRE(
            kernel::ipc::copy_slot(mine, *mine.handles.find(middle.copy), *desk.client.process, 0)
                .ok());
    }
    const u64 used = used_slots(desk.client);
    Slot& slot = *mine.handles.find(middle.copy);
    CHECK_FALSE(kernel::close_slot(mine, slot));
    CHECK(desk.close(desk.server, middle.copy) == Status::Ok);
    CHECK(used_slots(desk.client) == used);
    handles::Revoke_Request request{};
    request.target = root.handle;
    CHECK(desk.ask_handle<handles::Revoke_Response>(desk.server, handles::Method::Revoke, request)
              .rc == 0);
    CHECK(used_slots(desk.client) == used - 100);
}

TEST_CASE("handle numbers, and closing by kind", "[kernel][control]") {
    Desk desk;
    const auto number = desk.ask_handle<handles::Alloc_Response>(
        desk.client, handles::Method::Alloc, handles::Alloc_Request{});
    REQUIRE(number.rc == 0);
    CHECK(desk.client.process->handles.find(number.handle) != nullptr);
    const auto free = [&desk](u32 handle) {
        handles::Free_Request request{};
        request.handle = handle;
        return static_cast<Status>(
            desk.ask_handle<handles::Free_Response>(desk.client, handles::Method::Free, request)
                .rc);
    };
    CHECK(free(desk.channel) == Status::WrongType);
    CHECK(free(number.handle) == Status::Ok);
    CHECK(free(number.handle) == Status::BadHandle);
    const auto security = desk.ask_handle<handles::SecurityConnect_Response>(
        desk.client, handles::Method::SecurityConnect, handles::SecurityConnect_Request{});
    const auto disconnect = [&desk](handles::Method method, u32 handle) {
        handles::Disconnect_Request request{};
        request.channel = handle;
        return static_cast<Status>(
            desk.ask_handle<handles::Disconnect_Response>(desk.client, method, request).rc);
    };
    CHECK(disconnect(handles::Method::Disconnect, security.channel) == Status::WrongType);
    CHECK(disconnect(handles::Method::SecurityDisconnect, desk.channel) == Status::WrongType);
    CHECK(disconnect(handles::Method::Disconnect, desk.channel) == Status::Ok);
    CHECK(disconnect(handles::Method::SecurityDisconnect, security.channel) == Status::Ok);
    CHECK(disconnect(handles::Method::Disconnect, desk.channel) == Status::BadHandle);
    CHECK(disconnect(handles::Method::SecurityDisconnect, security.channel) == Status::BadHandle);
    CHECK(used_slots(desk.client) == 1);
    while (desk.client.process->handles.free() > 0) {
        REQUIRE(desk.ask_handle<handles::Alloc_Response>(
                        desk.client, handles::Method::Alloc, handles::Alloc_Request{})
                    .rc == 0);
    }
    CHECK(static_cast<Status>(desk.ask_handle<handles::Alloc_Response>(
                                      desk.client, handles::Method::Alloc, handles::Alloc_Request{})
                                  .rc) == Status::OutOfMemory);
}

TEST_CASE("identifiers are never the same", "[kernel][control]") {
    Desk desk;
    const auto alloc = [&desk](Thread& caller) {
        return desk
            .ask_handle<handles::UidAlloc_Response>(
                caller, handles::Method::UidAlloc, handles::UidAlloc_Request{})
            .uid;
    };
    const u64 first = alloc(desk.client);
    handles::UidFree_Request request{};
    request.uid = first;
    CHECK(desk.ask_handle<handles::UidFree_Response>(desk.client, handles::Method::UidFree, request)
              .rc == 0);
    CHECK(alloc(desk.server) != first);
    CHECK(alloc(desk.client) != first);
}

TEST_CASE("ksec hears of the end of every object", "[kernel][control]") {
    Desk desk;
    const auto made = desk.create(desk.server, kContext);
    const u64 sid = kernel::ipc::slot_sid(*desk.server.process->handles.find(made.handle)).value;
    CHECK(desk.kernel.policy.ended_sids.empty());
    CHECK(desk.close(desk.server, made.handle) == Status::Ok);
    CHECK(desk.kernel.policy.ended_sids == std::vector<u64>{sid});
}

TEST_CASE("what may not be handed on does not travel through an object either",
          "[kernel][control]") {
    Desk desk;
    const auto made = desk.create(desk.server, kContext, desk.listener, 0);
    const auto given = desk.get(whole(made.handle));
    const auto bound = desk.create(desk.client, 1);
    desk.client.process->handles.find(bound.handle)->rights &= ~rights::kTransfer;
    desk.kernel.put_value(*desk.client.process, kScratch, whole(bound.handle));
    desk.kernel.call(desk.client,
                     given.handle,
                     abi::Tag::make_long(abi::Kind::Request, 0, kGive, 1),
                     {.send_fixed = buffer(kScratch, 16)});
    CHECK(Kernel::answer_of(desk.client).status == Status::NoCapability);
}

namespace {

constexpr u16 kRouted = endpoint::cm_CM;

struct RoutedDesk : Desk {
    Status route(Thread& caller, u32 to, u32 from, u32 number) {
        handles::Route_Request request{};
        request.listener = to;
        request.endpoint = from;
        request.number = number;
        return static_cast<Status>(
            ask_handle<handles::Route_Response>(caller, handles::Method::Route, request).rc);
    }

    RoutedDesk() {
        kernel.policy.add_method(kCoreClass, kRouted, 0, make_shape(8), make_shape(8));
        kernel.policy.add_method(kCoreClass, kRouted, kGive, make_shape(16, 0, {0}), make_shape(8));
    }

    Answer call_core_and_receive() {
        receive();
        kernel.call(client, Kernel::kKernelHandle, request_tag(kRouted, 0, 8), {.words = {42}});
        kernel.run(server);
        return Kernel::answer_of(server);
    }
};

}  // namespace

TEST_CASE("a routed endpoint is served by a process, and judged as the kernel's",
          "[kernel][control]") {
    RoutedDesk desk;
    REQUIRE(desk.route(desk.server, desk.listener, kRouted, 5) == Status::Ok);
    desk.kernel.policy.asked.clear();
    const Answer got = desk.call_core_and_receive();
    REQUIRE(got.status == Status::Ok);
    CHECK(got.tag == request_tag(5, 0, 8));
    CHECK(got.badge == desk.client.process->sid.value);
    CHECK(got.words[0] == 42);
    for (const Asked& asked : desk.kernel.policy.asked_about(ksec::Event::Request)) {
        CHECK(asked.query.dst_class == kCoreClass);
        CHECK(asked.query.dst_sid == kernel::policy().core_sid.value);
        CHECK(asked.query.endpoint == kRouted);
    }
    desk.kernel.reply(desk.server, 0, got.token, response_tag(kRouted, 0, 8), {.words = {43}});
    CHECK(Kernel::answer_of(desk.server).status == Status::BadCall);
    desk.kernel.policy.asked.clear();
    desk.kernel.reply(desk.server, 0, got.token, response_tag(5, 0, 8), {.words = {43}});
    const auto judged = desk.kernel.policy.asked_about(ksec::Event::Response);
    REQUIRE(!judged.empty());
    for (const Asked& asked : judged) {
        CHECK(asked.query.src_class == kCoreClass);
        CHECK(asked.query.src_sid == kernel::policy().core_sid.value);
        CHECK(asked.query.endpoint == kRouted);
    }
    desk.kernel.run(desk.client);
    CHECK(Kernel::answer_of(desk.client).tag == response_tag(kRouted, 0, 8));
    CHECK(Kernel::answer_of(desk.client).words[0] == 43);
}

TEST_CASE("a denied request reaches nobody who serves for the kernel", "[kernel][control]") {
    RoutedDesk desk;
    REQUIRE(desk.route(desk.server, desk.listener, kRouted, 5) == Status::Ok);
    desk.kernel.policy.on_judge = [](const ksec::Query& query, ksec::Effect) {
        return query.endpoint == kRouted ? ksec::Verdict::Denied : ksec::Verdict::Granted;
    };
    desk.receive();
    desk.kernel.call(
        desk.client, Kernel::kKernelHandle, request_tag(kRouted, 0, 8), {.words = {42}});
    CHECK(Kernel::answer_of(desk.client).status == Status::SecurityDisallow);
    CHECK(Kernel::is_waiting(desk.server));
}

TEST_CASE("a route stays although its answer is denied", "[kernel][control]") {
    RoutedDesk desk;
    deny_responses(desk.kernel);
    CHECK(desk.route(desk.server, desk.listener, kRouted, 5) == Status::SecurityDisallow);
    desk.kernel.policy.on_judge = {};
    CHECK(desk.call_core_and_receive().status == Status::Ok);
}

TEST_CASE("what may not be handed on does not travel to a routed endpoint", "[kernel][control]") {
    RoutedDesk desk;
    REQUIRE(desk.route(desk.server, desk.listener, kRouted, 5) == Status::Ok);
    const auto bound = desk.create(desk.client, 1);
    desk.client.process->handles.find(bound.handle)->rights &= ~rights::kTransfer;
    desk.kernel.put_value(*desk.client.process, kScratch, whole(bound.handle));
    desk.kernel.call(desk.client,
                     Kernel::kKernelHandle,
                     abi::Tag::make_long(abi::Kind::Request, kRouted, kGive, 1),
                     {.send_fixed = buffer(kScratch, 16)});
    CHECK(Kernel::answer_of(desk.client).status == Status::NoCapability);
}

TEST_CASE("a route's end is the end of the service, until somebody takes it again",
          "[kernel][control]") {
    RoutedDesk desk;
    REQUIRE(desk.route(desk.server, desk.listener, kRouted, 5) == Status::Ok);
    CHECK(desk.route(desk.server, desk.listener, kRouted, 6) == Status::Busy);
    REQUIRE(desk.call_core_and_receive().status == Status::Ok);
    kernel::end_process(*desk.server.process, {kernel::EndReason::Terminated, 0, 0, 0});
    desk.kernel.settle();
    desk.kernel.run(desk.client);
    CHECK(Kernel::answer_of(desk.client).status == Status::NotConnected);
    desk.kernel.call(
        desk.client, Kernel::kKernelHandle, request_tag(kRouted, 0, 8), {.words = {42}});
    CHECK(Kernel::answer_of(desk.client).status == Status::NotConnected);
    Thread& next = desk.kernel.add_process("next", kServerClass);
    const u32 listener = desk.kernel.add_listener(*next.process);
    CHECK(desk.route(next, listener, kRouted, 7) == Status::Ok);
    desk.kernel.receive(next, listener, {.room_fixed = buffer(kRoom, 64)}, 1);
    desk.kernel.call(
        desk.client, Kernel::kKernelHandle, request_tag(kRouted, 0, 8), {.words = {42}});
    desk.kernel.run(next);
    CHECK(Kernel::answer_of(next).tag.endpoint() == 7);
}

TEST_CASE("routes of the kernel's own endpoints, or to nobody, are refused", "[kernel][control]") {
    RoutedDesk desk;
    const u32 listener = desk.listener;
    CHECK(desk.route(desk.server, 0x7777, kRouted, 5) == Status::BadHandle);
    CHECK(desk.route(desk.client, desk.channel, kRouted, 5) == Status::WrongType);
    CHECK(desk.route(desk.server, desk.make_notice(desk.server), kRouted, 5) == Status::WrongType);
    CHECK(desk.route(desk.server, listener, endpoint::vmm_VMM, 5) == Status::InvalidArgument);
    CHECK(desk.route(desk.server, listener, 32, 5) == Status::InvalidArgument);
    CHECK(desk.route(desk.server, listener, kRouted, 0x8000) == Status::InvalidArgument);
    desk.server.process->handles.find(listener)->rights = 0;
    CHECK(desk.route(desk.server, listener, kRouted, 5) == Status::NoCapability);
    desk.server.process->handles.find(listener)->rights = rights::kRecv;
    desk.server.process->port->process = desk.client.process;
    CHECK(desk.route(desk.server, listener, kRouted, 5) == Status::NotConnected);
    desk.server.process->port->process = desk.server.process;
}
