// SPDX-License-Identifier: Apache-2.0
// The loop of a server process: receive, route to the endpoint's server, reply and receive again in
// one kernel entry. Generated dispatchers add the routing and the buffers.
#pragma once

#include <idl/server.hpp>

namespace idl {

class DispatcherBase {
public:
    DispatcherBase(const DispatcherBase&) = delete;
    DispatcherBase& operator=(const DispatcherBase&) = delete;

    /// Sends the answer of the step before, waits for one request and handles it. The new answer
    /// goes out with the next step. Ok: one request was handled. Timeout: CNTVCT reached
    /// `deadline` first. Others: as Recv.
    abi::Status step(u64 deadline = 0) {
        sdk::Incoming incoming;
        const bool has_answer = token_ != 0;
        if (has_answer && deadline == 0) {
            sdk::reply_receive(listener_,
                               token_,
                               answer_.tag,
                               answer_.outgoing(),
                               room_,
                               incoming,
                               handles_accepted_);
        } else {
            flush();
            sdk::receive(listener_, handles_accepted_, room_, incoming, deadline);
        }
        token_ = 0;
        answer_.arena.reset();
        if (incoming.status == abi::Status::Ok) {
            handle(incoming);
        }
        return incoming.status;
    }

    /// Sends the answer of the last step now; for a server that does something else before its
    /// next step.
    void flush() {
        if (token_ != 0) {
            // The caller's loss if it fails: the call is over, or its answer was not granted.
            static_cast<void>(sdk::reply(token_, answer_.tag, answer_.outgoing()));
            token_ = 0;
            answer_.arena.reset();
        }
    }

    /// Serves until the listener cannot be used any more, and says why.
    abi::Status run() {
        for (;;) {
            const abi::Status status = step();
            if (status == abi::Status::BadHandle || status == abi::Status::WrongType ||
                status == abi::Status::NoCapability || status == abi::Status::NotConnected ||
                status == abi::Status::BufferTooSmall || status == abi::Status::InvalidArgument ||
                status == abi::Status::BadCall) {
                return status;
            }
        }
    }

protected:
    DispatcherBase(u32 listener,
                   u32 handles_accepted,
                   const sdk::Room& room,
                   void* answer_fixed,
                   u32 answer_fixed_capacity,
                   ArenaWriter answer_arena)
        : listener_(listener), handles_accepted_(handles_accepted), room_(room),
          answer_{.fixed = answer_fixed,
                  .fixed_capacity = answer_fixed_capacity,
                  .arena = answer_arena} {}

    ~DispatcherBase() = default;

    /// Finds the endpoint's server; refuses when there is none.
    virtual void route(const Request& request, Answer& answer) = 0;

private:
    void handle(const sdk::Incoming& incoming) {
        const bool is_long = incoming.tag.is_long();
        Request request{.tag = incoming.tag, .badge = incoming.badge, .token = incoming.token};
        request.fixed = is_long ? room_.fixed : incoming.words;
        request.fixed_size = is_long ? incoming.fixed_size : incoming.tag.words() * 8;
        request.arena = is_long ? room_.arena : nullptr;
        request.arena_size = is_long ? incoming.arena_size : 0;
        answer_.fixed_size = 0;
        answer_.is_deferred = false;
        if (request.fixed_size > (is_long ? room_.fixed_size : abi::kShortBytes) ||
            request.arena_size > room_.arena_size) {
            answer_.refuse(incoming.tag);
        } else {
            route(request, answer_);
        }
        token_ = answer_.is_deferred ? 0 : incoming.token;
    }

    u32 listener_;
    u32 handles_accepted_;
    sdk::Room room_;
    Answer answer_;
    u64 token_ = 0;  // of the call that answer_ is for; 0: none
};

}  // namespace idl
