// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <kernel/control/service.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/Core.endpoints.hpp>

namespace kernel {

namespace control {

namespace {

constexpr u32 kMaxResponseWords = 16;

namespace endpoint = kl::core::Core::endpoint;

static_assert(endpoint::ipc_IPC < kMaxInterfaces);  // the last one

constexpr Interface kNothing{nullptr, 0, nullptr};

constexpr InterfaceTable make_table() {
    InterfaceTable table{};
    for (const Interface*& interface : table.at) {
        interface = &kNothing;
    }
    table.at[endpoint::vmm_VMM] = &kVmm;
    table.at[endpoint::io_IO] = &kIo;
    table.at[endpoint::thread_Thread] = &kThread;
    table.at[endpoint::handle_Handle] = &kHandle;
    table.at[endpoint::task_Task] = &kTask;
    table.at[endpoint::sync_Sync] = &kSync;
    table.at[endpoint::time_Time] = &kTime;
    table.at[endpoint::hal_HAL] = &kHal;
    table.at[endpoint::audit_Audit] = &kAudit;
    table.at[endpoint::notice_Notice] = &kNotice;
    table.at[endpoint::pm_PM] = &kPm;
    table.at[endpoint::profiler_Profiler] = &kProfiler;
    table.at[endpoint::ipc_IPC] = &kIpc;
    return table;
}

/// A thread that was created without its creator learning of it does not go on.
void undo_start(const Thread& caller, const Slot& slot) {
    if (slot.type != SlotType::Thread || slot.object == &caller) {
        return;
    }
    auto& thread = *static_cast<Thread*>(slot.object);
    if (thread.process != nullptr && thread.phase() != state::kDead) {
        end_thread(thread);
    }
}

/// Takes back what the denied response would have told of. True: done.
bool undo_step(Thread& caller) {
    Process& process = *caller.process;
    if (const u32 handle = static_cast<u32>(caller.kernel_state[2]); handle != 0) {
        if (Slot* slot = process.handles.find(handle); slot != nullptr) {
            undo_start(caller, *slot);
            if (!close_slot(process, *slot)) {
                return false;
            }
        }
        caller.kernel_state[2] = 0;
    }
    if (const u64 address = caller.kernel_state[3]; address != 0) {
        if (u64& pages = caller.kernel_state[1]; pages != 0) {
            const auto region = find_anonymous(process, address, pages * base::kPageSize);
            return !region.ok() || drop_pages_step(process, region.value(), address, pages);
        }
        Region* region = find_region(process, base::VirtAddr{address});
        if (region != nullptr && !unmap_region_step(process, *region)) {
            return false;
        }
        caller.kernel_state[3] = 0;
    }
    return true;
}

constexpr u64 kUndoing = ~u64{0};
constexpr u64 kWaiting = ~u64{1};

Parties response_parties(const Thread& caller) {
    const abi::Tag request{caller.request_tag};
    return {ksec::Event::Response, core_party(), party_of(*caller.process), request};
}

/// Judges and delivers the response; `fixed` holds `size` bytes.
void respond(Thread& caller, const void* fixed, u32 size) {
    const abi::Tag request{caller.request_tag};
    const ksec::MethodInfo* info = policy().entry->method_info(
        policy().entry->core_class, request.endpoint(), request.method());
    Message& message = caller.message;
    const u32 handles = info->response.handle_count;
    const bool is_short = info->response.staging == ksec::Staging::Registers;
    if (message.tag.kind() != abi::Kind::Response) {  // no arena was prepared
        ipc::release_message(caller);
        message.reset({}, nullptr);
    }
    message.settled = false;
    message.shape = &info->response;
    message.fixed_size = (size + 7) & ~u32{7};
    if (is_short) {
        message.tag =
            abi::Tag::make_short(abi::Kind::Response, request.endpoint(), request.method(), size);
        __builtin_memcpy(message.small, fixed, size);
        message.settled = message.tag.value == caller.expected_response;
    } else {
        if (message.staged.value == 0 && size > kSmallFixed) {
            const auto frame = caller.process->take_frame();
            if (!frame.ok()) {
                ipc::complete_call(caller, Status::OutOfMemory);
                return;
            }
            message.staged = frame.value();
            message.staged_order = 0;
        }
        message.tag =
            abi::Tag::make_long(abi::Kind::Response, request.endpoint(), request.method(), handles);
        __builtin_memcpy(ipc::staged_fixed(message), fixed, size);
    }
    if (!message.settled && !grant_message(response_parties(caller), message)) {
        caller.kernel_state[0] = kUndoing;
        ipc::start_work(caller, Work::Kernel);
        return;
    }
    if (message.arena_size > 0 && caller.room_arena.size() >= message.arena_size &&
        !copy_to_user(caller.process->table,
                      caller.room_arena.address(),
                      ipc::staged_fixed(message) + kStagedArenaOffset,
                      message.arena_size)
             .ok()) {
        ipc::complete_call(caller, Status::SourceFault);
        return;
    }
    const Status status = ipc::deliver_fixed(
        caller, caller, caller.room_fixed, caller.room_arena, caller.accepted_handles);
    if (status == Status::Ok) {
        ipc::finish_call(caller);
    } else {
        ipc::complete_call(caller, status == Status::TargetFault ? Status::SourceFault : status);
    }
}

}  // namespace

void copy_text(char* to, u32 capacity, base::Text from) {
    const base::Text copied = from.first(capacity - 1);
    __builtin_memcpy(to, copied.data(), copied.size());
    to[copied.size()] = '\0';
}

Result<Outcome> answer_text(Thread& caller, base::Text text, abi::ArenaRange& range) {
    const u32 size = static_cast<u32>(text.size()) + 1;
    TRY_VALUE(u8* const arena, begin_response_arena(caller, size));
    copy_text(std::bit_cast<char*>(arena), size, text);
    range = {0, size};
    return Outcome::Done;
}

Result<u8*> begin_response_arena(Thread& caller, u32 size) {
    ipc::release_message(caller);
    Message& message = caller.message;
    message.reset({}, nullptr);
    TRY(ipc::take_block(caller, u64{kStagedArenaOffset} + size));
    message.arena_staged = true;
    message.arena_size = size;
    message.tag = abi::Tag::make_long(abi::Kind::Response, 0, 0, 0);
    return ipc::staged_fixed(message) + kStagedArenaOffset;
}

Result<arch::Access> access_of(u32 flags) {
    const bool write = (flags & 2) != 0;
    const bool execute = (flags & 4) != 0;
    if (flags == 0 || flags > 7 || (write && execute)) {
        return Status::InvalidArgument;
    }
    arch::Access access{};
    access.read = true;
    access.write = write;
    access.execute = execute;
    return access;
}

Result<Outcome>
map_in_steps(Thread& caller, Process& target, const RegionRequest& request, u64& at) {
    u64& base_address = caller.kernel_state[1];
    u64& progress = caller.kernel_state[0];  // serial of the region above, its failure below
    if (base_address == 0) {
        TRY_VALUE(const Region& reserved, reserve_region(target, request));
        base_address = reserved.base.value;
        progress = u64{reserved.serial} << 32;
    }
    at = base_address;
    const auto failure = static_cast<Status>(static_cast<base::s32>(static_cast<u32>(progress)));
    Region* region = find_region(target, base::VirtAddr{base_address});
    // Between two steps another thread may have unmapped it, and mapped something else there.
    const bool is_same = region != nullptr && region->serial == progress >> 32;
    if (!is_same || (region->leaving && failure == Status::Ok)) {
        return failure == Status::Ok ? Status::InvalidArgument : failure;
    }
    if (failure != Status::Ok) {
        return unmap_region_step(target, *region) ? Result<Outcome>{failure} : Outcome::More;
    }
    const auto done = map_region_step(target, *region, caller.cursor, access_of(*region));
    if (!done.ok()) {
        progress |= static_cast<u32>(done.status());
        return Outcome::More;
    }
    caller.cursor = done.value();
    if (caller.cursor < region->pages.value) {
        return Outcome::More;
    }
    undo_mapping(caller, target, at);
    return Outcome::Done;
}

}  // namespace control

constinit const InterfaceTable kInterfaces = control::make_table();

namespace ipc {

void serve_kernel_request(Thread& caller) {
    __builtin_memset(caller.kernel_state, 0, sizeof(caller.kernel_state));
    scheduler().cancel_timer(caller);  // the kernel answers at once; sleeping has its own deadline
    start_work(caller, Work::Kernel);  // a step of its own
}

void advance_kernel_request(Thread& caller) {
    if (caller.kernel_state[0] == control::kUndoing) {
        if (control::undo_step(caller)) {
            complete_call(caller, Status::SecurityDisallow);
        }
        return;
    }
    const abi::Tag tag{caller.request_tag};
    const Interface& served = kernel_interface(tag);
    if (tag.method() >= served.count || served.methods[tag.method()].handler == nullptr) {
        complete_call(caller, Status::Unimplemented);
        return;
    }
    const MethodEntry& method = served.methods[tag.method() % kMaxMethods];
    const void* request = staged_fixed(caller.message);
    u64 response[control::kMaxResponseWords] = {};
    KASSERT(method.response_size <= sizeof(response));
    switch (method.handler(caller, request, response)) {
    case Outcome::Done:
        stop_work(caller);
        control::respond(caller, response, method.response_size);
        break;
    case Outcome::WaitsAgain:
        caller.kernel_state[0] = control::kWaiting;
        [[fallthrough]];
    case Outcome::Waits:
        stop_work(caller);
        break;
    case Outcome::More:
    case Outcome::Gone:
        break;
    }
}

void resume_kernel_method(Thread& caller, u64 response) {
    if (caller.kernel_state[0] == control::kWaiting) {
        caller.kernel_state[0] = 0;
        start_work(caller, Work::Kernel);
    } else {
        control::respond(caller, &response, sizeof(response));
    }
}

}  // namespace ipc

}  // namespace kernel
