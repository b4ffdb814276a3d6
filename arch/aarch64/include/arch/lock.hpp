// SPDX-License-Identifier: Apache-2.0
// The ticket lock as two inline functions on a word: tickets handed out in the upper half, the one
// being served in the lower. First come, first served, so the wait is bounded by the other CPUs'
// holds. A waiter sleeps in wfe: its exclusive load of the word makes the release's store an event.
// Little-endian only: release stores the lower half alone.
#pragma once

#include <kernel/base/types.hpp>

namespace arch {

/// Takes the lock. Returns the ticket that lock_release wants. Interrupts are masked.
inline base::u32 lock_acquire(base::u32& word) {
    base::u32 ticket;
    base::u32 scratch;
    base::u32 failed;
    asm volatile("1:  ldaxr   %w0, [%3]\n"
                 "    add     %w1, %w0, #16, lsl #12\n"
                 "    stxr    %w2, %w1, [%3]\n"
                 "    cbnz    %w2, 1b\n"
                 "    eor     %w1, %w0, %w0, ror #16\n"
                 : "=&r"(ticket), "=&r"(scratch), "=&r"(failed)
                 : "r"(&word)
                 : "memory");
    if (scratch != 0) [[unlikely]] {
        asm volatile("    sevl\n"
                     "1:  wfe\n"
                     "    ldaxrh  %w0, [%2]\n"
                     "    cmp     %w0, %w1\n"
                     "    b.ne    1b\n"
                     : "=&r"(scratch)
                     : "r"(ticket >> 16), "r"(&word)
                     : "cc", "memory");
    }
    return ticket;
}

/// Hands the lock to the next in line. Pairs, as a release, with the acquiring loads above.
inline void lock_release(base::u32& word, base::u32 ticket) {
    asm volatile("stlrh %w0, [%1]" ::"r"((ticket >> 16) + 1), "r"(&word) : "memory");
}

/// The ticket of who holds the lock, for one that has not kept it.
inline base::u32 lock_ticket(base::u32 word) { return word << 16; }

}  // namespace arch
