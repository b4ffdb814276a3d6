// SPDX-License-Identifier: Apache-2.0
// A server that makes objects and a client that gets them in messages, with the methods of
// kl.core.Handle and kl.core.Notice as functions.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Handle.idl.hpp>
#include <kl/core/Notice.idl.hpp>
#include <test/unit/kernel/harness/core_methods.hpp>
#include <test/unit/kernel/harness/harness.hpp>

namespace kernel_test {

namespace desk {

namespace rights = abi::rights;
namespace endpoint = kl::core::Core::endpoint;
namespace handles = kl::core::Handle;
namespace notices = kl::core::Notice;

inline constexpr u16 kGive = 1;  // one handle there
inline constexpr u16 kGet = 2;   // one handle back
inline constexpr u64 kScratch = kUserMemory + 0x2000;
inline constexpr u64 kRoom = kUserMemory + 0x3000;

inline abi::HandleDescriptor whole(u32 handle, u64 badge = 0) {
    return {.handle = handle, .rights = rights::kAll, .badge = badge};
}

}  // namespace desk

struct Desk {
    Kernel kernel;
    Thread& server = (add_core_methods(kernel.policy), kernel.add_process("server", kServerClass));
    Thread& client = kernel.add_process("client", kClientClass);
    u32 listener = kernel.add_listener(*server.process);
    u32 channel = kernel.add_channel(*client.process, *server.process);

    Desk() {
        kernel.policy.add_method(kServerClass, 0, 0, make_shape(8), make_shape(8));
        kernel.policy.add_method(
            kServerClass, 0, desk::kGive, make_shape(16, 0, {0}), make_shape(8));
        kernel.policy.add_method(
            kServerClass, 0, desk::kGet, make_shape(8), make_shape(16, 0, {0}));
        kernel.policy.set_room(kServerClass, 16, 0, 1);
    }

    template <typename Response, typename Request>
    Response ask(Thread& caller, u16 interface, auto method, const Request& request) {
        return kernel.call_core<Request, Response>(
            caller, interface, static_cast<u16>(method), request);
    }

    template <typename Response, typename Request>
    Response ask_handle(Thread& caller, desk::handles::Method method, const Request& request) {
        return ask<Response>(caller, desk::endpoint::handle_Handle, method, request);
    }

    template <typename Response, typename Request>
    Response ask_notice(Thread& caller, desk::notices::Method method, const Request& request) {
        return ask<Response>(caller, desk::endpoint::notice_Notice, method, request);
    }

    desk::handles::CreateUserObject_Response create(Thread& maker,
                                                    u64 context,
                                                    u32 with_channel = 0,
                                                    u32 endpoint = 0,
                                                    u32 type = desk::handles::FirstUserType) {
        desk::handles::CreateUserObject_Request request{};
        request.type = type;
        request.rights = abi::rights::kAll;
        request.context = context;
        request.channel = with_channel;
        request.endpoint = endpoint;
        return ask_handle<desk::handles::CreateUserObject_Response>(
            maker, desk::handles::Method::CreateUserObject, request);
    }

    desk::handles::CreateBadge_Response
    badge(Thread& maker, u64 context, u32 notice = 0, u64 event_id = 0) {
        desk::handles::CreateBadge_Request request{};
        request.notice = notice;
        request.eventId = event_id;
        request.context = context;
        return ask_handle<desk::handles::CreateBadge_Response>(
            maker, desk::handles::Method::CreateBadge, request);
    }

    Status close(Thread& owner, u32 handle) {
        desk::handles::Close_Request request{};
        request.target = handle;
        return static_cast<Status>(
            ask_handle<desk::handles::Close_Response>(owner, desk::handles::Method::Close, request)
                .rc);
    }

    desk::handles::Copy_Response
    copy(Thread& owner, const abi::HandleDescriptor& source, u32 task = 0) {
        desk::handles::Copy_Request request{};
        request.source = source;
        request.rights = abi::rights::kAll;
        request.task.handle = task;
        return ask_handle<desk::handles::Copy_Response>(
            owner, desk::handles::Method::Copy, request);
    }

    Status revoke_subtree(Thread& owner, u32 target, u32 badge_handle) {
        desk::handles::RevokeSubtree_Request request{};
        request.target = target;
        request.badge = badge_handle;
        return static_cast<Status>(ask_handle<desk::handles::RevokeSubtree_Response>(
                                       owner, desk::handles::Method::RevokeSubtree, request)
                                       .rc);
    }

    u32 make_notice(Thread& owner) {
        const auto made = ask_notice<desk::notices::Create_Response>(
            owner, desk::notices::Method::Create, desk::notices::Create_Request{});
        REQUIRE(made.rc == 0);
        return made.notice.handle;
    }

    Status subscribe(Thread& owner, u32 receiver, u32 object, u32 mask, u64 event_id) {
        desk::notices::SubscribeToObject_Request request{};
        request.receiver = desk::whole(receiver);
        request.object = desk::whole(object);
        request.mask = mask;
        request.eventId = event_id;
        return static_cast<Status>(ask_notice<desk::notices::SubscribeToObject_Response>(
                                       owner, desk::notices::Method::SubscribeToObject, request)
                                       .rc);
    }

    struct Events {
        Status status{};
        std::vector<desk::notices::Record> records;
    };

    /// What the answer to GetEvent in the caller's room says.
    Events events_of(Thread& owner) {
        const Answer answer = Kernel::answer_of(owner);
        if (answer.status != Status::Ok) {
            return {answer.status, {}};
        }
        const auto head =
            kernel.get_value<desk::notices::GetEvent_Response>(*owner.process, kCoreAnswer);
        Events result{static_cast<Status>(head.rc), {}};
        for (u32 at = 0; at < head.records.size; at += sizeof(desk::notices::Record)) {
            result.records.push_back(kernel.get_value<desk::notices::Record>(
                *owner.process, kCoreAnswerArena + head.records.offset + at));
        }
        return result;
    }

    Events get_event(Thread& owner, u32 notice, u64 timeout_ms = 0, u32 most = 16) {
        desk::notices::GetEvent_Request request{};
        request.notice = desk::whole(notice);
        request.timeoutMs = timeout_ms;
        request.most = most;
        const auto answer = ask_notice<desk::notices::GetEvent_Response>(
            owner, desk::notices::Method::GetEvent, request);
        if (Kernel::is_waiting(owner)) {
            return {Status::NotReady, {}};
        }
        return answer.rc != 0 ? Events{static_cast<Status>(answer.rc), {}} : events_of(owner);
    }

    void receive() { kernel.receive(server, listener, {.room_fixed = buffer(desk::kRoom, 64)}, 1); }

    /// Client to server; the descriptor as it arrived. The call is answered.
    abi::HandleDescriptor give(const abi::HandleDescriptor& sent) {
        receive();
        send(sent);
        kernel.run(server);
        const Answer got = Kernel::answer_of(server);
        REQUIRE(got.status == Status::Ok);
        const auto arrived = kernel.get_value<abi::HandleDescriptor>(*server.process, desk::kRoom);
        kernel.reply(server, 0, got.token, response_tag(0, desk::kGive, 8), {.words = {0}});
        return arrived;
    }

    void send(const abi::HandleDescriptor& sent) {
        kernel.put_value(*client.process, desk::kScratch, sent);
        kernel.call(client,
                    channel,
                    abi::Tag::make_long(abi::Kind::Request, 0, desk::kGive, 1),
                    {.send_fixed = buffer(desk::kScratch, 16)});
    }

    /// Server to client.
    abi::HandleDescriptor get(const abi::HandleDescriptor& sent) {
        receive();
        kernel.call(client,
                    channel,
                    accepting(with(request_tag(0, desk::kGet, 8), abi::Tag::kRoom), 1),
                    {.words = {0}, .room_fixed = buffer(desk::kRoom, 64)});
        kernel.run(server);
        const Answer got = Kernel::answer_of(server);
        REQUIRE(got.status == Status::Ok);
        kernel.put_value(*server.process, desk::kScratch, sent);
        kernel.reply(server,
                     0,
                     got.token,
                     abi::Tag::make_long(abi::Kind::Response, 0, desk::kGet, 1),
                     {.send_fixed = buffer(desk::kScratch, 16)});
        reply_status = Kernel::answer_of(server).status;
        if (reply_status != Status::Ok) {
            return {};
        }
        kernel.run(client);
        REQUIRE(Kernel::answer_of(client).status == Status::Ok);
        return kernel.get_value<abi::HandleDescriptor>(*client.process, desk::kRoom);
    }

    Status reply_status{};
};

}  // namespace kernel_test
