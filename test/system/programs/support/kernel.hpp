// SPDX-License-Identifier: Apache-2.0
// The kernel's interfaces, within reach.
#pragma once

#include <kl/core/CM.client.hpp>
#include <kl/core/Core.edl.hpp>
#include <kl/core/HAL.client.hpp>
#include <kl/core/Handle.client.hpp>
#include <kl/core/IO.client.hpp>
#include <kl/core/IPC.client.hpp>
#include <kl/core/Notice.client.hpp>
#include <kl/core/PM.client.hpp>
#include <kl/core/Profiler.client.hpp>
#include <kl/core/Sync.client.hpp>
#include <kl/core/Task.client.hpp>
#include <kl/core/Thread.client.hpp>
#include <kl/core/Time.client.hpp>
#include <kl/core/VMM.client.hpp>
#include <runtime/ipc.hpp>
#include <test/system/programs/support/report.hpp>

namespace trial {

inline constexpr u32 kReadable = kl::core::VMM::Read;
inline constexpr u32 kWritable = kl::core::VMM::Read | kl::core::VMM::Write;
inline constexpr u32 kRunnable = kl::core::VMM::Read | kl::core::VMM::Execute;
inline constexpr u64 kPage = base::kPageSize;

inline kl::core::VMM::Proxy vmm() {
    return {sdk::kKernelHandle, kl::core::Core::endpoint::vmm_VMM};
}

inline kl::core::IO::Proxy io() { return {sdk::kKernelHandle, kl::core::Core::endpoint::io_IO}; }

inline kl::core::IPC::Proxy sync_objects() {
    return {sdk::kKernelHandle, kl::core::Core::endpoint::ipc_IPC};
}

inline kl::core::Thread::Proxy threads() {
    return {sdk::kKernelHandle, kl::core::Core::endpoint::thread_Thread};
}

inline kl::core::Handle::Proxy handles() {
    return {sdk::kKernelHandle, kl::core::Core::endpoint::handle_Handle};
}

inline kl::core::Task::Proxy tasks() {
    return {sdk::kKernelHandle, kl::core::Core::endpoint::task_Task};
}

inline kl::core::Sync::Proxy sync() {
    return {sdk::kKernelHandle, kl::core::Core::endpoint::sync_Sync};
}

inline kl::core::Time::Proxy time() {
    return {sdk::kKernelHandle, kl::core::Core::endpoint::time_Time};
}

inline kl::core::HAL::Proxy hal() {
    return {sdk::kKernelHandle, kl::core::Core::endpoint::hal_HAL};
}

inline kl::core::Notice::Proxy notices() {
    return {sdk::kKernelHandle, kl::core::Core::endpoint::notice_Notice};
}

inline kl::core::CM::Proxy connections() {
    return {sdk::kKernelHandle, kl::core::Core::endpoint::cm_CM};
}

inline kl::core::PM::Proxy power() { return {sdk::kKernelHandle, kl::core::Core::endpoint::pm_PM}; }

inline kl::core::Profiler::Proxy profiler() {
    return {sdk::kKernelHandle, kl::core::Core::endpoint::profiler_Profiler};
}

/// CPUs that run.
u32 cpu_count();

/// What must be the same before and after, when nobody else does anything.
struct Holdings {
    u64 frames = 0;
    u64 objects = 0;

    friend bool operator==(const Holdings&, const Holdings&) = default;
};

Holdings holdings();
/// The same once nothing is being taken apart any more: three equal readings in a row.
Holdings settled_holdings();
/// Requires that the system's holdings come back to `before` within two seconds: processes are
/// taken apart in steps.
void require_restored(Test& test, const Holdings& before);

/// Pages left in this process's budget.
u64 pages_left();

/// Readable and writable memory of this process; 0 when there is none.
u64 allocate(u64 size);

/// The memory at an address, as a T. The compiler does not get to know which object that is: tests
/// touch places where none is.
template <typename T> T& at(u64 address) {
    asm("" : "+r"(address));
    return *__builtin_bit_cast(T*, address);
}

inline u64 address_of(const volatile void* object) { return __builtin_bit_cast(u64, object); }

/// Pseudo-random numbers of a seed (xorshift64*).
class Random final {
public:
    explicit constexpr Random(u64 seed) : state_(seed * 0x9E37'79B9'7F4A'7C15 | 1) {}

    constexpr u64 next() {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545'F491'4F6C'DD1D;
    }

    /// Below `limit`, which is not 0.
    constexpr u64 below(u64 limit) { return next() % limit; }

private:
    u64 state_;
};

}  // namespace trial
