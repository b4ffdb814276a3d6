// SPDX-License-Identifier: Apache-2.0
// Where an architecture enters the kernel. Interrupts are masked, the stack is the CPU's own.
#pragma once

#include <kernel/base/types.hpp>
#include <kernel/hal/boot_info.hpp>

namespace arch {

struct Frame;  // <arch/frame.hpp>: registers of an EL0 thread, first member of its TCB

}  // namespace arch

namespace kernel {

/// First CPU, once: sets the kernel up, starts the other CPUs and init. Never returns.
[[noreturn]] void start(const BootInfo& info);

/// Each secondary CPU, once, from arch::start_cpu. Never returns.
[[noreturn]] void run_cpu(base::CpuId cpu);

}  // namespace kernel

extern "C" {
/// A system call or any other synchronous exception from EL0 that the fast path did not finish.
/// Returns the frame of the thread to run next. `syndrome` is ESR_EL1, `address` FAR_EL1.
arch::Frame* kernel_synchronous(arch::Frame* frame, base::u64 syndrome, base::u64 address);
/// An interrupt while EL0 ran.
arch::Frame* kernel_interrupt(arch::Frame* frame);
/// SError while EL0 ran: the fault of the running process (device access).
arch::Frame* kernel_serror(arch::Frame* frame, base::u64 syndrome);
/// An exception of the kernel itself: panic record, never returns.
[[noreturn]] void kernel_stop(
    base::u64 vector, base::u64 syndrome, base::u64 address, base::u64 pc, base::u64 frame_pointer);

/// The way back: first entry of this CPU into EL0. Provided by the architecture, never returns.
[[noreturn]] void enter_thread(arch::Frame* frame);
}
