// SPDX-License-Identifier: Apache-2.0
// The one lock of the kernel (DESIGN section 5): fair, taken at every entry, dropped between the
// steps of long work. Everything in kernel/ but per-CPU fast-path registers is touched under it.
#pragma once

#include <arch/lock.hpp>
#include <kernel/base/types.hpp>

namespace kernel {

class KernelLock final {
public:
    /// Returns a ticket to release with, for who keeps it in a register.
    base::u32 acquire() { return arch::lock_acquire(word_); }

    void release(base::u32 ticket) { arch::lock_release(word_, ticket); }

    /// By the CPU that holds the lock.
    void release() { release(arch::lock_ticket(word_)); }

private:
    alignas(64) base::u32 word_ = 0;
};

extern "C" KernelLock g_kernel_lock;  // the vectors release it, too

inline KernelLock& kernel_lock() { return g_kernel_lock; }

}  // namespace kernel
