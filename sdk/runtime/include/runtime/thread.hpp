// SPDX-License-Identifier: Apache-2.0
// A further thread of this process, on a stack of its own with a guard page below.
#pragma once

#include <kernel/base/result.hpp>
#include <kernel/base/types.hpp>

namespace sdk {

using base::Result;
using base::Status;
using base::u32;
using base::u64;

struct ThreadOptions {
    u64 stack_bytes = 16u << 10;  ///< rounded up to pages; without the guard page
    u32 priority = 128;           ///< at most the process's
};

/// Starts `entry(argument)`; when it returns the thread ends. Gives the thread's handle.
/// InvalidArgument: no stack. OutOfMemory: no memory, or no thread left in the budget.
/// SecurityDisallow. The stack is not given back when the thread ends.
Result<u32>
start_thread(void (*entry)(void* argument), void* argument, const ThreadOptions& options = {});

}  // namespace sdk
