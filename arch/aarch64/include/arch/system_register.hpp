// SPDX-License-Identifier: Apache-2.0
// System registers and barriers as single instructions. The only inline assembly outside cpu/ and
// mmu/ is an expansion of what stands here.
#pragma once

#include <kernel/base/types.hpp>

/// Value of a system register, named as the assembler names it.
#define ARCH_READ(name)                                                                            \
    ({                                                                                             \
        ::base::u64 arch_value;                                                                    \
        asm volatile("mrs %0, " #name : "=r"(arch_value)::"memory");                               \
        arch_value;                                                                                \
    })

/// Writes a system register; the caller adds the isb where the effect must be seen at once.
#define ARCH_WRITE(name, value)                                                                    \
    do {                                                                                           \
        const ::base::u64 arch_written_ = (value);                                                 \
        asm volatile("msr " #name ", %0" ::"r"(arch_written_) : "memory");                         \
    } while (false)

namespace arch {

inline void isb() { asm volatile("isb" ::: "memory"); }

/// All earlier memory accesses and TLB, cache maintenance of this CPU are complete everywhere.
inline void dsb_sy() { asm volatile("dsb sy" ::: "memory"); }

inline void dsb_ish() { asm volatile("dsb ish" ::: "memory"); }

/// Earlier stores are seen by all table walkers.
inline void dsb_ishst() { asm volatile("dsb ishst" ::: "memory"); }

inline void wait_for_event() { asm volatile("wfe" ::: "memory"); }

inline void send_event() { asm volatile("dsb sy\n\tsev" ::: "memory"); }

}  // namespace arch
