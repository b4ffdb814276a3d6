// SPDX-License-Identifier: Apache-2.0
// The system calls for host tests: each goes to a function that the test sets. A test that sets
// none fails when its subject calls.
#pragma once

#include <functional>
#include <runtime/ipc.hpp>
#include <string>
#include <vector>

namespace fake {

using base::u32;
using base::u64;
using base::u8;

/// A request or a reply as the subject sent it.
struct Sent {
    u32 handle = 0;  ///< of a call
    u64 token = 0;   ///< of a reply
    abi::Tag tag{};
    std::vector<u8> fixed{};
    std::vector<u8> arena{};
};

/// What the test answers to a call.
struct Answer {
    abi::Status status = abi::Status::Ok;
    abi::Tag tag{};
    std::vector<u8> fixed{};
    std::vector<u8> arena{};
};

struct Ipc {
    std::function<Answer(const Sent&)> on_call{};
    std::function<abi::Status(const Sent&)> on_reply{};
    u64 ticks = 1;        ///< what the clock shows; advanced by sleeping
    std::string debug{};  ///< lines written to the kernel's console
    u32 sleep_count = 0;
};

/// The state of the running test; reset() at its start.
Ipc& ipc();
void reset();

/// A response of the method that `request` called, with the struct as its fixed part.
template <typename Response> Answer respond(const Sent& request, const Response& response) {
    Answer answer;
    answer.fixed.resize(sizeof(Response));
    __builtin_memcpy(answer.fixed.data(), &response, sizeof(Response));
    answer.tag = sizeof(Response) <= abi::kShortBytes
                     ? abi::Tag::make_short(abi::Kind::Response,
                                            request.tag.endpoint(),
                                            request.tag.method(),
                                            sizeof(Response))
                     : abi::Tag::make_long(
                           abi::Kind::Response, request.tag.endpoint(), request.tag.method(), 0);
    return answer;
}

/// The same as a long message with an arena.
template <typename Response>
Answer respond(const Sent& request, const Response& response, std::vector<u8> arena) {
    Answer answer = respond(request, response);
    answer.arena = std::move(arena);
    answer.tag =
        abi::Tag::make_long(abi::Kind::Response, request.tag.endpoint(), request.tag.method(), 0);
    if (!answer.arena.empty()) {
        answer.tag.value |= abi::Tag::kArena;
    }
    return answer;
}

/// The fixed part of a message as the struct that it is.
template <typename T> T fixed_of(const Sent& sent) {
    T value{};
    __builtin_memcpy(
        &value, sent.fixed.data(), sent.fixed.size() < sizeof(T) ? sent.fixed.size() : sizeof(T));
    return value;
}

}  // namespace fake
