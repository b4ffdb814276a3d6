// SPDX-License-Identifier: Apache-2.0
#include "system.hpp"

#include <arch/inline.hpp>
#include <kernel/base/assert.hpp>
#include <kernel/base/bits.hpp>
#include <kernel/control/service.hpp>
#include <kernel/entry/run.hpp>
#include <kernel/hal/entry.hpp>
#include <kernel/ipc/kernel_method.hpp>
#include <kernel/sync/kernel_lock.hpp>

/// What vectors.S calls first; a null frame: nothing was changed.
struct FastNext {
    arch::Frame* frame;
    base::u64 badge;
};

extern "C" FastNext
ipc_fast_call(base::u64 handle, base::u64, kernel::Thread* caller, base::u64 tag);

namespace kernel_test {

using mock::machine;

namespace {

constexpr u64 kEntryPoint = 0x1'0000;

/// Whole pages, so that nothing else lies in them.
std::byte* take_block() {
    constexpr u64 kSize = base::align_up(sizeof(kernel::State), base::kPageSize);
    return new (std::align_val_t{base::kPageSize}) std::byte[kSize];
}

/// What is still linked belongs to the test that ends: the block goes as a whole.
void give_block(std::byte* block) { ::operator delete[](block, std::align_val_t{base::kPageSize}); }

}  // namespace

System::System(u32 cpu_count) : state_(take_block(), give_block) {
    machine().reset(cpu_count);
    machine().set_clock(base::Ticks{1000});
    kernel::create_state(state_.get());
    const kernel::BootInfo info = machine().boot_info(Bytes{1u << 20});
    kernel::frames().initialize(info.free_memory, info.free_count);
    kernel::control::start_clock();
    kernel::policy().entry = policy.entry();
    kernel::policy().core_sid = kernel::objects().next_sid();
    kernel::endpoints().core.sid = kernel::policy().core_sid;
    for (u32 i = 0; i < cpu_count; ++i) {
        select(i);
        machine().cpus[i].started = true;
        enter_by_interrupt(~u32{0});  // comes online and idles
    }
    select(0);
}

System::~System() = default;

Thread& System::add_process(const std::string& name, u16 class_id, u32 priority) {
    const auto made = kernel::control::create_process(name.c_str(), class_id, 2000, priority);
    KASSERT(made.ok());
    Process& process = made.value();
    process.references = 1;  // the test's
    kernel::RegionRequest request{};
    request.address = kUserMemory;
    request.size = kUserPages * base::kPageSize;
    request.writable = true;
    const auto region = kernel::reserve_region(process, request);
    KASSERT(region.ok());
    for (u32 done = 0; done < kUserPages;) {
        const auto mapped =
            kernel::map_region_step(process, region.value(), done, {.read = true, .write = true});
        KASSERT(mapped.ok());
        done = mapped.value();
    }
    process.entry = kEntryPoint;
    process.stack = kUserMemory + request.size;
    Thread* before[kernel::kMaxThreads];
    for (u32 i = 0; i < kernel::kMaxThreads; ++i) {
        before[i] = kernel::scheduler().threads.find(i);
    }
    KASSERT(kernel::control::start_process(process).ok());
    for (u32 i = 0; i < kernel::kMaxThreads; ++i) {
        Thread* thread = kernel::scheduler().threads.find(i);
        if (thread != nullptr && before[i] == nullptr) {
            return *thread;
        }
    }
    mock::stop("no thread was made");
    __builtin_unreachable();
}

Thread& System::add_thread(Process& process, u32 priority) {
    const auto made = kernel::create_thread(process, kEntryPoint, process.stack, 0, 0, priority);
    KASSERT(made.ok());
    kernel::scheduler().wake(made.value());
    return made.value();
}

u32 System::add_listener(Process& server) {
    Endpoint* endpoint = kernel::find_endpoint(server.name);
    if (endpoint == nullptr) {
        endpoint = kernel::endpoints().endpoints.take();
        KASSERT(endpoint != nullptr);
        endpoint->class_id = server.class_id;
        endpoint->core_row = policy.entry()->row(kCoreClass, server.class_id);
        endpoint->sid = kernel::objects().next_sid();
        kernel::control::copy_text(endpoint->name,
                                   kernel::kNameBytes,
                                   kernel::control::text_in(server.name, kernel::kNameBytes));
    }
    endpoint->process = &server;
    ++endpoint->life;
    server.port = endpoint;
    kernel::Slot content{};
    content.type = kernel::SlotType::Listener;
    content.object = endpoint;
    content.rights = abi::rights::kRecv;
    const auto handle = kernel::insert_handle(server, content);
    KASSERT(handle.ok());
    ++endpoint->references;
    return handle.value();
}

u32 System::add_channel(Process& client, Process& server, kernel::SlotRef parent, u32 more_rights) {
    KASSERT(server.port != nullptr);
    kernel::Slot content{};
    content.type = kernel::SlotType::Client;
    content.object = server.port;
    content.rights = abi::rights::kCall | abi::rights::kCopy | abi::rights::kTransfer | more_rights;
    content.life = server.port->life;
    content.row = policy.entry()->row(client.class_id, server.class_id);
    content.parent = parent;
    const auto handle = kernel::insert_handle(client, content);
    KASSERT(handle.ok());
    ++server.port->references;
    return handle.value();
}

void System::select(u32 cpu) {
    selected_ = cpu;
    machine().select(base::CpuId{cpu});
}

/// Runs kernel code that ends by entering a thread, by idling, or by running out of lock holds.
template <typename Function> Exit System::enter(u32 lock_holds, Function&& function) {
    Thread*& current = current_[selected_];
    machine().lock_holds = 0;
    machine().lock_limit = lock_holds;
    Exit exit = Exit::User;
    try {
        current = &kernel::thread_of(function());
    } catch (const mock::Entered& entered) {
        current = &kernel::thread_of(entered.frame);
    } catch (const mock::Idle&) {
        current = nullptr;
        exit = Exit::Idle;
    } catch (const mock::Spinning&) {
        current = nullptr;
        exit = Exit::Between;
    }
    KASSERT(!machine().is_locked());
    if (current != nullptr) {
        machine().load_user_space(current->frame.ttbr);
    }
    return exit;
}

Exit System::enter_by_interrupt(u32 lock_holds) {
    Thread* thread = current_[selected_];
    return enter(lock_holds, [thread]() -> arch::Frame* {
        if (thread == nullptr) {
            kernel::run_forever();
        }
        return kernel_interrupt(&thread->frame);
    });
}

Exit System::enter_by_call(Thread& thread, u32 lock_holds) {
    KASSERT(running() == &thread);
    return enter(lock_holds, [&]() -> arch::Frame* {
        auto& x = thread.frame.x;
        const FastNext next = ipc_fast_call(x[0], 0, &thread, x[9]);
        if (next.frame != nullptr) {
            mock::stop("the vectors would pass the payload on");
        }
        if (next.badge == 0) {
            return kernel_synchronous(&thread.frame, svc(abi::kSvcCall), 0);
        }
        const auto quick = reinterpret_cast<kernel::QuickMethod>(next.badge);
        const kernel::QuickWords words = quick(thread, x[10], x[11], x[12]);
        kernel::kernel_lock().release();
        kernel::set_result(thread, Status::Ok);
        x[9] = thread.expected_response;
        x[10] = words.first;
        x[11] = words.second;
        return &thread.frame;
    });
}

Exit System::enter_by_exception(Thread& thread, u64 syndrome, u64 address, u32 lock_holds) {
    KASSERT(running() == &thread);
    return enter(lock_holds, [&] { return kernel_synchronous(&thread.frame, syndrome, address); });
}

Endpoint* endpoint_named(const std::string& name) {
    alignas(u64) char padded[kernel::kNameBytes]{};
    name.copy(padded, sizeof(padded) - 1);
    return kernel::find_endpoint(padded);
}

}  // namespace kernel_test
