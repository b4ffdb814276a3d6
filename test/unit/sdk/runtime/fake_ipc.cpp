// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <fake_ipc.hpp>
#include <kernel/base/assert.hpp>
#include <runtime/process.hpp>
#include <runtime/time.hpp>
#include <stdexcept>

namespace fake {

namespace {

Ipc state;

std::vector<u8> bytes_of(const void* data, u32 size) {
    const auto* first = static_cast<const u8*>(data);
    return size == 0 ? std::vector<u8>{} : std::vector<u8>(first, first + size);
}

Sent record(abi::Tag tag, const sdk::Outgoing& message) {
    Sent sent;
    sent.tag = tag;
    const u32 size = tag.is_long() ? message.fixed_size : tag.words() * 8;
    sent.fixed = bytes_of(message.fixed, size);
    sent.arena = bytes_of(message.arena, message.arena_size);
    return sent;
}

}  // namespace

Ipc& ipc() { return state; }

void reset() { state = Ipc{}; }

}  // namespace fake

namespace sdk {

void call(u32 handle,
          abi::Tag tag,
          const Outgoing& message,
          const Room& room,
          Incoming& incoming,
          u64 deadline) {
    (void)deadline;
    if (!fake::ipc().on_call) {
        throw std::logic_error("unexpected call");
    }
    fake::Sent sent = fake::record(tag, message);
    sent.handle = handle;
    const fake::Answer answer = fake::ipc().on_call(sent);
    incoming = {};
    incoming.status = answer.status;
    incoming.tag = answer.tag;
    if (answer.status != abi::Status::Ok) {
        return;
    }
    if (!answer.tag.is_long()) {
        std::memcpy(incoming.words,
                    answer.fixed.data(),
                    std::min(answer.fixed.size(), sizeof(incoming.words)));
        return;
    }
    if (answer.fixed.size() > room.fixed_size || answer.arena.size() > room.arena_size) {
        throw std::logic_error("the answer does not fit the room");
    }
    std::memcpy(room.fixed, answer.fixed.data(), answer.fixed.size());
    if (!answer.arena.empty()) {
        std::memcpy(room.arena, answer.arena.data(), answer.arena.size());
    }
    incoming.fixed_size = static_cast<u32>(answer.fixed.size());
    incoming.arena_size = static_cast<u32>(answer.arena.size());
}

abi::Status reply(u64 token, abi::Tag tag, const Outgoing& message) {
    if (!fake::ipc().on_reply) {
        throw std::logic_error("unexpected reply");
    }
    fake::Sent sent = fake::record(tag, message);
    sent.token = token;
    return fake::ipc().on_reply(sent);
}

void receive(u32, u32, const Room&, Incoming&, u64) {
    throw std::logic_error("unexpected receive");
}

void reply_receive(u32, u64, abi::Tag, const Outgoing&, const Room&, Incoming&, u32) {
    throw std::logic_error("unexpected reply and receive");
}

u64 now_ticks() { return fake::ipc().ticks; }

u64 ticks_per_second() { return 1000; }

u64 ticks_of_ms(u64 milliseconds) { return milliseconds; }

void sleep_ms(u64 milliseconds) {
    ++fake::ipc().sleep_count;
    fake::ipc().ticks += milliseconds;
}

void debug_write(std::string_view line) {
    fake::ipc().debug.append(line);
    fake::ipc().debug.push_back('\n');
}

void exit_process(s32 code) { throw std::runtime_error("exit " + std::to_string(code)); }

void panic(std::string_view reason) { throw std::runtime_error(std::string(reason)); }

}  // namespace sdk
