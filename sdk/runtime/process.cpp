// SPDX-License-Identifier: Apache-2.0
// Ends and last words. Everything here must work with next to nothing left: no static state, a
// small stack, and a policy that may grant neither call.
#include <kernel/base/assert.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/HAL.client.hpp>
#include <kl/core/Task.client.hpp>
#include <runtime/ipc.hpp>
#include <runtime/process.hpp>
#include <runtime/text.hpp>

namespace sdk {

void exit_process(s32 code) {
    kl::core::Task::Proxy task{kKernelHandle, kl::core::Core::endpoint::task_Task};
    (void)task.Exit(code);
    // Refused by the policy: a fault ends the process as well.
    __builtin_trap();
}

void debug_write(std::string_view line) {
    kl::core::HAL::Proxy hal{kKernelHandle, kl::core::Core::endpoint::hal_HAL};
    constexpr std::size_t kMaxLine = 254;
    Line<kMaxLine + 1> text;
    text.text(line.substr(0, kMaxLine)).character('\n');
    (void)hal.DebugWrite(text.view());
}

void panic(std::string_view reason) {
    debug_write(reason);
    exit_process(kExitAssertion);
}

}  // namespace sdk

namespace base {

void assert_failed(const char* condition, const char* file, u32 line) {
    sdk::Line<252> text;
    text.text("runtime: assertion-failed at=").text(file).character(':').decimal(line);
    text.text(" condition=").text(condition);
    sdk::panic(text.view());
}

}  // namespace base

namespace std {

/// What libstdc++ calls when one of its own preconditions does not hold.
[[noreturn]] void __glibcxx_assert_fail(const char* file,
                                        int line,
                                        const char* function,
                                        const char* condition) noexcept;

void __glibcxx_assert_fail(const char* file,
                           int line,
                           const char* function,
                           const char* condition) noexcept {
    (void)function;
    base::assert_failed(condition, file, static_cast<base::u32>(line));
}

}  // namespace std

extern "C" {

/// Called for a pure virtual function of an object under construction: a program's bug.
[[noreturn]] void __cxa_pure_virtual();

void __cxa_pure_virtual() { sdk::panic("runtime: pure virtual function called"); }
}
