// SPDX-License-Identifier: Apache-2.0
// Vector registers over a message: neither side keeps any, as no function keeps them over a call,
// and neither sees the other's.
#pragma once

#include <kernel/sched/scheduler.hpp>

namespace kernel {

/// Whether nothing but the use of vector registers keeps a thread off the shortest way.
inline bool is_usual(u32 status, u32 state) { return (status & ~flag::kUsesFp) == state; }

/// What is unusual about a message to a receiver in phase `waits`: 0 most often; kUsesFp alone, if
/// pass_fp() is all that is to be done.
inline u32 unusual(const Thread& sender, const Thread& receiver, u32 waits) {
    return sender.status | (receiver.status ^ waits);
}

/// Before a commit after which this CPU goes on with `receiver`.
[[gnu::always_inline]] inline void pass_fp(Thread& sender, Thread& receiver) {
    Cpu& cpu = this_cpu();
    if (cpu.fp_open) {
        sender.fp.control = arch::fp_control();
    }
    cpu.fp_open = (receiver.status & flag::kUsesFp) != 0;
    cpu.fp_owner = nullptr;
    arch::fp_disable();
    if (cpu.fp_open) {
        cpu.fp_owner = &receiver;
        arch::fp_enable();
        arch::fp_clear(receiver.fp.control);
    }
}

}  // namespace kernel
