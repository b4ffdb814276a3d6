// SPDX-License-Identifier: Apache-2.0
// The stop: a kernel bug leaves a record and ends everything. Input from EL0 never gets here.
#pragma once

#include <kernel/base/assert.hpp>
#include <kernel/base/types.hpp>

namespace kernel {

inline constexpr base::u64 kPanicMagic = 0x4349'4e41'5053'4554;  // "TESPANIC"
inline constexpr base::u32 kPanicFrames = 16;
inline constexpr base::u32 kPanicExitCode = 134;

struct PanicRecord {
    base::u64 magic = 0;
    const char* reason = nullptr;
    base::u64 vector = 0;
    base::u64 syndrome = 0;  // ESR_EL1
    base::u64 address = 0;   // FAR_EL1, or the line of an assertion
    base::u64 pc = 0;
    base::u32 frame_count = 0;
    base::u32 reserved = 0;
    base::u64 frames[kPanicFrames]{};  // return addresses, innermost first
};

/// Writes the record, shows it, and powers off. Never returns.
[[noreturn]] void panic(const char* reason, const PanicRecord& details, base::u64 frame_pointer);

}  // namespace kernel
