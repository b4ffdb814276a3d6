// SPDX-License-Identifier: Apache-2.0
// The kernel on the mock machine, as a test drives it: processes with memory, threads that make
// system calls, a policy that the test decides. Everything goes in through the entries that the
// architecture uses, so scheduling, work in steps and the way out are part of every test.
//
//   Kernel kernel;
//   kernel.policy.add_method(kServerClass, 0, 0, make_shape(8), make_shape(8));
//   Thread& server = kernel.add_process("server", kServerClass);
//   ...
//   kernel.receive(server, listener);          // waits
//   kernel.call(client, channel, tag, {42});   // the server has it
//   CHECK(kernel.is_running(server));
#pragma once

#include "system.hpp"

#include <map>
#include <span>
#include <vector>

namespace kernel_test {

/// Where the answers of kl.core.Core arrive that need memory.
inline constexpr u64 kCoreAnswer = kUserMemory + 0x8000 + 0x3000;
inline constexpr u64 kCoreAnswerArena = kCoreAnswer + 0x1000;

/// What a system call gave back.
struct Answer {
    Status status{};
    u64 badge = 0;
    u64 token = 0;
    abi::Tag tag{};
    u64 words[abi::kShortWords]{};
    u64 fixed_size = 0;
    u64 arena_size = 0;
};

/// Registers of a system call beyond handle and tag.
struct Registers {
    std::vector<u64> words{};  ///< payload of a short message
    abi::Buffer send_fixed{};  // x3
    abi::Buffer send_arena{};  // x4
    abi::Buffer room_fixed{};  // x5
    abi::Buffer room_arena{};  // x6
    u64 deadline = 0;          // x7; sets the tag's bit when not zero
    u64 token = 0;             // x2
};

class Kernel final : public System {
public:
    using System::System;

    // --- execution on the selected CPU -----------------------------------------------------------

    /// Lets the scheduler run until `thread` is on the selected CPU; fails the test if it never is.
    void run(Thread& thread);

    [[nodiscard]] bool is_running(const Thread& thread) const { return running() == &thread; }

    /// An interrupt, or waking up from idling.
    void interrupt();
    /// The end of a time slice.
    void next_slice();
    /// Enters the kernel until teardown and other work in the background are done.
    void settle();

    // --- system calls: made when `thread` runs, which run() sees to ------------------------------

    void call(Thread& thread, u32 handle, abi::Tag tag, const Registers& registers = {});
    /// The same as the vectors take it: by the fast path when the row grants it.
    void call_fast(Thread& thread, u32 handle, abi::Tag tag, const Registers& registers = {});
    void receive(Thread& thread, u32 listener, const Registers& registers = {}, u32 handles = 0);
    /// Listener 0: does not receive afterwards.
    void
    reply(Thread& thread, u32 listener, u64 token, abi::Tag tag, const Registers& registers = {});
    /// Any exception from EL0.
    void exception(Thread& thread, u64 syndrome, u64 address = 0);
    /// Registers as the thread sees them when it runs next.
    [[nodiscard]] static Answer answer_of(const Thread& thread);
    /// Whether a system call of the thread is still going on.
    [[nodiscard]] static bool is_waiting(const Thread& thread);

    // --- memory ----------------------------------------------------------------------------------

    void put(Process& process, u64 address, std::span<const u8> bytes);
    [[nodiscard]] std::vector<u8> get(Process& process, u64 address, u32 size);

    template <typename T> void put_value(Process& process, u64 address, const T& value) {
        put(process, address, {reinterpret_cast<const u8*>(&value), sizeof(T)});
    }

    template <typename T> [[nodiscard]] T get_value(Process& process, u64 address) {
        T value{};
        const std::vector<u8> bytes = get(process, address, sizeof(T));
        __builtin_memcpy(&value, bytes.data(), sizeof(T));
        return value;
    }

    /// A request to kl.core.Core with its fixed part in memory; the response is read from there.
    /// Long or short as the shapes of `endpoint` and `method` say.
    template <typename Request, typename Response>
    Response call_core(Thread& thread,
                       u16 endpoint,
                       u16 method,
                       const Request& request,
                       std::span<const u8> arena = {});

    /// Notes what a call of such a method answers, once answer_of() sees it; call_core() does so
    /// itself. For the gate over documented errors (control/errors.py).
    template <typename Response>
    static void
    expect_answer(const Thread& thread, u16 endpoint, u16 method, bool is_short = true) {
        const Response response{};
        const auto rc_offset =
            reinterpret_cast<const u8*>(&response.rc) - reinterpret_cast<const u8*>(&response);
        expected_answers()[&thread] = {endpoint, method, is_short, static_cast<u32>(rc_offset)};
    }

    /// The invariants that hold between entries.
    void check_invariants() const;

private:
    /// Of a method whose rc stands at `rc_offset` of its answer.
    struct Expected {
        u16 endpoint;
        u16 method;
        bool is_short;
        u32 rc_offset;
    };

    static std::map<const Thread*, Expected>& expected_answers();
    static void note_answer(u16 endpoint, u16 method, Status status);

    template <typename Function> void run_kernel(Function&& function);
    void load(Thread& thread, const Registers& registers);
};

template <typename Request, typename Response>
Response Kernel::call_core(
    Thread& thread, u16 endpoint, u16 method, const Request& request, std::span<const u8> arena) {
    const ksec::MethodInfo* info = policy.entry()->method_info(kCoreClass, endpoint, method);
    Process& process = *thread.process;
    Registers registers;
    abi::Tag tag{};
    constexpr u64 kScratch = kUserMemory + 0x8000;
    constexpr u64 kArena = kScratch + 0x1000;
    if (info->request.staging == ksec::Staging::Registers) {
        tag = request_tag(endpoint, method, sizeof(Request));
        registers.words.resize((sizeof(Request) + 7) / 8);
        __builtin_memcpy(registers.words.data(), &request, sizeof(Request));
    } else {
        tag = abi::Tag::make_long(abi::Kind::Request, endpoint, method, info->request.handle_count);
        put_value(process, kScratch, request);
        registers.send_fixed = buffer(kScratch, sizeof(Request));
        if (!arena.empty()) {
            tag = with(tag, abi::Tag::kArena);
            put(process, kArena, arena);
            registers.send_arena = buffer(kArena, static_cast<u32>(arena.size()));
        }
    }
    const bool is_short = info->response.staging == ksec::Staging::Registers;
    if (!is_short) {
        tag = accepting(with(tag, abi::Tag::kRoom), info->response.handle_count);
        registers.room_fixed = buffer(kCoreAnswer, 4096);
        registers.room_arena = buffer(kCoreAnswerArena, 0x4000);
    }
    call(thread, kKernelHandle, tag, registers);
    Response response{};
    if (is_waiting(thread) || thread.process == nullptr) {
        expect_answer<Response>(thread, endpoint, method, is_short);
        return response;
    }
    const Answer answer = answer_of(thread);
    if (answer.status != Status::Ok) {
        response.rc = static_cast<base::s32>(answer.status);
    } else if (is_short) {
        __builtin_memcpy(&response, answer.words, sizeof(Response));
    } else {
        response = get_value<Response>(process, kCoreAnswer);
    }
    note_answer(endpoint, method, static_cast<Status>(response.rc));
    return response;
}

}  // namespace kernel_test
