// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstring>
#include <kernel/base/bits.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <runtime/ipc.hpp>
#include <runtime/text.hpp>
#include <runtime/time.hpp>
#include <test/bench/programs/starter.hpp>

namespace bench {

namespace {

namespace endpoint = kl::core::Core::endpoint;
namespace vmm = kl::core::VMM;
using base::Status;

constexpr u64 kMemoryBytes = 256u << 10;
constexpr u32 kPriority = 200;  // above the meter: it runs as soon as it can
constexpr u64 kCodeAt = 0x40'0000;
constexpr u64 kStackAt = 0x80'0000;
constexpr u64 kPageAt = 0xC0'0000;
constexpr u64 kPageSize = base::kPageSize;
constexpr u64 kTeardownMs = 1;

template <typename Reply> Result<void> outcome_of(const Reply& reply) {
    if (!reply.ok()) {
        return reply.status();
    }
    return {};
}

}  // namespace

Starter::Starter()
    : tasks_(sdk::kKernelHandle, endpoint::task_Task),
      memory_(sdk::kKernelHandle, endpoint::vmm_VMM),
      handles_(sdk::kKernelHandle, endpoint::handle_Handle) {}

Result<u64> Starter::start_process(u32 number) {
    if (page_ == nullptr) {
        TRY(share_page());
    }
    page_->ticks = 0;
    const u64 begin = bench_begin_start();
    TRY_VALUE(const u32 task, create_task(number));
    TRY(build(task));
    step_ = "the first instruction of a process";
    const u64 first = page_->ticks;
    sdk::sleep_ms(kTeardownMs);
    (void)handles_.Close(task);
    if (first == 0) {
        return Status::Timeout;
    }
    return first - begin;
}

Result<void> Starter::share_page() {
    TRY_VALUE(page_handle_, create_memory());
    TRY_VALUE(const u64 at, map(page_handle_));
    page_ = std::bit_cast<ChildPage*>(at);
    page_->exit_tag = abi::Tag::make_short(abi::Kind::Request,
                                           endpoint::task_Task,
                                           static_cast<base::u16>(kl::core::Task::Method::Exit),
                                           kl::core::Task::kExit_RequestSize)
                          .value;
    page_->kernel = sdk::kKernelHandle;
    return {};
}

Result<u32> Starter::create_task(u32 number) {
    step_ = "Task.Create";
    sdk::Line<32> name;
    name.text("child").decimal(number);
    const auto created =
        tasks_.Create(name.view(), "bench.Child", "child", kMemoryBytes, kPriority);
    if (!created.ok()) {
        return created.status();
    }
    return created.value().task.handle;
}

Result<u32> Starter::create_memory() {
    step_ = "VMM.MdlCreate";
    const auto created = memory_.MdlCreate(kPageSize, 0);
    if (!created.ok()) {
        return created.status();
    }
    return created.value().mdl.handle;
}

Result<u64> Starter::map(u32 memory) {
    step_ = "VMM.MdlMap";
    const auto mapped = memory_.MdlMap(memory, 0, kPageSize, 0, vmm::Read | vmm::Write);
    if (!mapped.ok()) {
        return mapped.status();
    }
    return mapped.value().at;
}

Result<void> Starter::load(u32 task, const Segment& segment) {
    step_ = "Task.LoadSeg";
    return outcome_of(
        tasks_.LoadSeg(task, segment.memory, 0, segment.address, kPageSize, segment.flags));
}

Result<void> Starter::load_code(u32 task) {
    TRY_VALUE(const u32 memory, create_memory());
    TRY_VALUE(const u64 at, map(memory));
    std::memcpy(std::bit_cast<void*>(at),
                bench_child,
                static_cast<std::size_t>(bench_child_end - bench_child));
    step_ = "VMM.Free";
    TRY(outcome_of(memory_.Free(at, kPageSize)));
    TRY(load(task, {.memory = memory, .address = kCodeAt, .flags = vmm::Read | vmm::Execute}));
    step_ = "Handle.Close";
    return outcome_of(handles_.Close(memory));
}

Result<void> Starter::load_stack(u32 task) {
    TRY_VALUE(const u32 memory, create_memory());
    TRY(load(task, {.memory = memory, .address = kStackAt, .flags = vmm::Read | vmm::Write}));
    step_ = "Handle.Close";
    return outcome_of(handles_.Close(memory));
}

Result<void> Starter::build(u32 task) {
    TRY(load_code(task));
    TRY(load_stack(task));
    TRY(load(task, {.memory = page_handle_, .address = kPageAt, .flags = vmm::Read | vmm::Write}));
    step_ = "Task.SetEntry";
    TRY(outcome_of(tasks_.SetEntry(task, kCodeAt, kStackAt + kPageSize, kPageAt)));
    step_ = "Task.Resume";
    return outcome_of(tasks_.Resume(task));
}

}  // namespace bench
