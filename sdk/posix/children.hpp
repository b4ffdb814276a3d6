// SPDX-License-Identifier: Apache-2.0
// The processes that this one has made and not yet waited for. Each is a place of a table with its
// task handle; one notice tells of the end of all of them.
#pragma once

#include <sdk/posix/call.hpp>

namespace sdk::posix {

/// Most that are not waited for.
inline constexpr u32 kMaxChildren = 32;

/// A place for a child that is about to be made. -EAGAIN: none is left.
s64 reserve_child(u32& place);
/// The task in it, which the place owns from now on; its end will be told.
s64 watch_child(u32 place, u32 task);
/// It runs, and can be waited for by this number.
void confirm_child(u32 place, u32 pid);
/// Nothing came of it.
void release_child(u32 place);
/// kill() of another process: SIGKILL and SIGTERM end a child, 0 looks for one, others are -ENOSYS.
/// -ESRCH: no child.
s64 signal_child(s64 pid, s32 signal);

}  // namespace sdk::posix
