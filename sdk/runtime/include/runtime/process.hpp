// SPDX-License-Identifier: Apache-2.0
// The running process: its start block, its end, and what the compiler expects to find.
#pragma once

#include <runtime/start_block.hpp>
#include <string_view>

namespace sdk {

using base::s32;

/// Exit codes of the runtime itself; a program's own are small and not negative.
inline constexpr s32 kExitNoStartBlock = -100;
inline constexpr s32 kExitAssertion = -101;

/// Defined by each program. Its result ends the process.
s32 program_main(const StartBlock& start);

/// Ends the process, all threads included.
[[noreturn]] void exit_process(s32 code);

/// Sends a line to the kernel's own console: before any driver runs, and for last words. Cut to
/// 254 characters.
void debug_write(std::string_view line);

/// Writes why and ends the process with kExitAssertion.
[[noreturn]] void panic(std::string_view reason);

}  // namespace sdk
