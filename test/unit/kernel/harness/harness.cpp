// SPDX-License-Identifier: Apache-2.0
#include "harness.hpp"

#include "invariants.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <tuple>

namespace kernel_test {

using mock::machine;

namespace {

constexpr u32 kShortRegisters[abi::kShortWords] = {10, 11, 12, 13, 14, 15, 18};

constexpr u32 kPatience = 10'000;  // entries after which nothing will happen any more

/// What methods of kl.core.Core answered in this run: endpoint, method, status. It goes to the file
/// that the environment names in ANSWERS.
struct Answers {
    std::set<std::tuple<u32, u32, base::s32>> seen;

    ~Answers() {
        if (const char* path = std::getenv("ANSWERS"); path != nullptr) {
            std::ofstream file{path};
            for (const auto& [endpoint, method, status] : seen) {
                file << endpoint << ' ' << method << ' ' << status << '\n';
            }
        }
    }
};

Answers answers;

}  // namespace

void Kernel::note_answer(u16 endpoint, u16 method, Status status) {
    answers.seen.emplace(endpoint, method, static_cast<base::s32>(status));
}

std::map<const Thread*, Kernel::Expected>& Kernel::expected_answers() {
    static std::map<const Thread*, Expected> expected;
    return expected;
}

/// One entry, which must not stop the kernel, and what holds after it.
template <typename Function> void Kernel::run_kernel(Function&& function) {
    try {
        if (function() == Exit::Between) {
            // Only other CPUs can end this: they have been told to enter.
            bool is_told = false;
            for (u32 i = 0; i < machine().cpu_count(); ++i) {
                is_told = is_told || (i != selected_ && machine().cpus[i].kicked);
            }
            REQUIRE(is_told);
        }
    } catch (const mock::PowerOff& off) {
        FAIL("the kernel stopped with code " << off.code << ": " << machine().take_console());
    } catch (const mock::Stop& stop) {
        FAIL("the kernel stopped: " << stop.reason);
    }
    check_invariants();
}

void Kernel::interrupt() {
    run_kernel([this] { return enter_by_interrupt(kPatience); });
}

void Kernel::next_slice() {
    machine().advance(kernel::scheduler().slice_length);
    interrupt();
}

void Kernel::run(Thread& thread) {
    for (u32 i = 0; i < kPatience && current_[selected_] != &thread; ++i) {
        next_slice();
    }
    INFO("thread of " << (thread.process == nullptr ? "nobody" : thread.process->name)
                      << " in phase " << thread.phase());
    REQUIRE(current_[selected_] == &thread);
}

void Kernel::settle() {
    for (u32 i = 0; i < 1000; ++i) {
        interrupt();
    }
}

void Kernel::load(Thread& thread, const Registers& registers) {
    arch::Frame& frame = thread.frame;
    frame.x[2] = registers.token;
    frame.x[3] = registers.send_fixed.value;
    frame.x[4] = registers.send_arena.value;
    frame.x[5] = registers.room_fixed.value;
    frame.x[6] = registers.room_arena.value;
    frame.x[7] = registers.deadline;
    frame.x[9] |= registers.deadline != 0 ? abi::Tag::kDeadline : 0;
    for (std::size_t i = 0; i < registers.words.size() && i < abi::kShortWords; ++i) {
        frame.x[kShortRegisters[i]] = registers.words[i];
    }
}

void Kernel::call(Thread& thread, u32 handle, abi::Tag tag, const Registers& registers) {
    expected_answers().erase(&thread);
    run(thread);
    thread.frame.x[0] = handle;
    thread.frame.x[9] = tag.value;
    load(thread, registers);
    exception(thread, svc(abi::kSvcCall));
}

void Kernel::call_fast(Thread& thread, u32 handle, abi::Tag tag, const Registers& registers) {
    run(thread);
    thread.frame.x[0] = handle;
    thread.frame.x[9] = tag.value;
    load(thread, registers);
    run_kernel([&] { return enter_by_call(thread, kPatience); });
}

void Kernel::receive(Thread& thread, u32 listener, const Registers& registers, u32 handles) {
    run(thread);
    thread.frame.x[0] = listener;
    thread.frame.x[9] = u64{handles} << 52;
    load(thread, registers);
    exception(thread, svc(abi::kSvcRecv));
}

void Kernel::reply(
    Thread& thread, u32 listener, u64 token, abi::Tag tag, const Registers& registers) {
    run(thread);
    thread.frame.x[0] = listener;
    thread.frame.x[9] = tag.value;
    load(thread, registers);
    thread.frame.x[2] = token;
    exception(thread, svc(abi::kSvcReply));
}

void Kernel::exception(Thread& thread, u64 syndrome, u64 address) {
    REQUIRE(current_[selected_] == &thread);
    run_kernel([&] { return enter_by_exception(thread, syndrome, address, kPatience); });
}

Answer Kernel::answer_of(const Thread& thread) {
    Answer answer;
    answer.status = static_cast<Status>(static_cast<base::s32>(thread.frame.x[0]));
    answer.badge = thread.frame.x[1];
    answer.token = thread.frame.x[2];
    answer.fixed_size = thread.frame.x[3];
    answer.arena_size = thread.frame.x[4];
    answer.tag = abi::Tag{thread.frame.x[9]};
    for (u32 i = 0; i < abi::kShortWords; ++i) {
        answer.words[i] = thread.frame.x[kShortRegisters[i]];
    }
    const auto expected = expected_answers().find(&thread);
    if (expected != expected_answers().end() && !is_waiting(thread)) {
        const auto& [endpoint, method, is_short, rc_offset] = expected->second;
        base::s32 rc = static_cast<base::s32>(answer.status);
        if (answer.status == Status::Ok && is_short) {
            __builtin_memcpy(
                &rc, reinterpret_cast<const u8*>(answer.words) + rc_offset, sizeof(rc));
        } else if (answer.status == Status::Ok) {
            REQUIRE(kernel::copy_from_user(
                        thread.process->table, UserAddr{kCoreAnswer + rc_offset}, &rc, sizeof(rc))
                        .ok());
        }
        note_answer(endpoint, method, static_cast<Status>(rc));
        expected_answers().erase(expected);
    }
    return answer;
}

bool Kernel::is_waiting(const Thread& thread) {
    return thread.phase() != kernel::state::kRunning || thread.work != kernel::Work::None;
}

void Kernel::put(Process& process, u64 address, std::span<const u8> bytes) {
    REQUIRE(
        kernel::copy_to_user(process.table, UserAddr{address}, bytes.data(), bytes.size()).ok());
}

std::vector<u8> Kernel::get(Process& process, u64 address, u32 size) {
    std::vector<u8> bytes(size);
    REQUIRE(kernel::copy_from_user(process.table, UserAddr{address}, bytes.data(), size).ok());
    return bytes;
}

void Kernel::check_invariants() const {
    if (const std::string wrong = find_violation(*this); !wrong.empty()) {
        FAIL(wrong);
    }
}

}  // namespace kernel_test
