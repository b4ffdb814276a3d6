// SPDX-License-Identifier: Apache-2.0
// The only way to user memory: every page is translated by a walk that checks EL0's own rights and
// ordinary memory, and reached through the linear map. So the kernel takes no fault on a user's
// address, whatever it is. Sizes are bounded by the caller (kCopyStep per lock hold).
#pragma once

#include <arch/page_table.hpp>
#include <kernel/base/names.hpp>

namespace kernel {

inline constexpr base::u32 kCopyStep = 16 << 10;  // bytes copied in one lock hold

/// Reads `size` bytes of a space into kernel memory. SourceFault.
base::Result<void>
copy_from_user(const arch::PageTable& space, base::UserAddr from, void* to, base::u64 size);
/// Writes kernel memory into a space. SourceFault.
base::Result<void>
copy_to_user(const arch::PageTable& space, base::UserAddr to, const void* from, base::u64 size);

enum class Fault : base::u32 { None, Source, Target };

/// Copies between two spaces, straight; says whose memory was bad.
Fault copy_across(const arch::PageTable& from_space,
                  base::UserAddr from,
                  const arch::PageTable& to_space,
                  base::UserAddr to,
                  base::u64 size);

}  // namespace kernel
