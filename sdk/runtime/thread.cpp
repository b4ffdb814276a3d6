// SPDX-License-Identifier: Apache-2.0
// What the thread shall run stands at the top of its own stack, so that nothing else is allocated
// and nothing has to outlive this call.
#include <bit>
#include <kernel/base/bits.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Thread.client.hpp>
#include <kl/core/VMM.client.hpp>
#include <new>
#include <runtime/ipc.hpp>
#include <runtime/thread.hpp>

namespace sdk {

namespace {

constexpr u64 kMaxStackBytes = 16u << 20;

struct alignas(16) ThreadRecord {
    void (*entry)(void*);
    void* argument;
};

kl::core::VMM::Proxy vmm() { return {kKernelHandle, kl::core::Core::endpoint::vmm_VMM}; }

kl::core::Thread::Proxy threads() {
    return {kKernelHandle, kl::core::Core::endpoint::thread_Thread};
}

}  // namespace

extern "C" void sdk_thread_start();

extern "C" [[noreturn]] void sdk_run_thread(const ThreadRecord* record) {
    record->entry(record->argument);
    auto proxy = threads();
    (void)proxy.Exit(0);
    __builtin_trap();
}

Result<u32>
start_thread(void (*entry)(void* argument), void* argument, const ThreadOptions& options) {
    if (options.stack_bytes == 0 || options.stack_bytes > kMaxStackBytes) {
        return Status::InvalidArgument;
    }
    const u64 size = base::kPageSize + base::align_up(options.stack_bytes, base::kPageSize);
    auto memory = vmm();
    const auto block = memory.Allocate(0, size, kl::core::VMM::Read | kl::core::VMM::Write);
    if (!block.ok()) {
        return block.status();
    }
    const u64 bottom = block.value().at;
    // An overflow writes before it reads, so a page that cannot be written is a guard.
    const auto guarded = memory.Protect(bottom, base::kPageSize, kl::core::VMM::Read);
    if (!guarded.ok()) {
        (void)memory.Free(bottom, size);
        return guarded.status();
    }
    const u64 top = bottom + size - sizeof(ThreadRecord);
    const auto* record =
        new (std::bit_cast<void*>(top)) ThreadRecord{.entry = entry, .argument = argument};
    auto proxy = threads();
    const auto created = proxy.Create(std::bit_cast<u64>(&sdk_thread_start),
                                      top,
                                      std::bit_cast<u64>(record),
                                      0,
                                      options.priority);
    if (!created.ok()) {
        (void)memory.Free(bottom, size);
        return created.status();
    }
    return created.value().thread.handle;
}

}  // namespace sdk
