// SPDX-License-Identifier: Apache-2.0
#include "harness.hpp"

#include <arch/inline.hpp>
#include <catch2/catch_test_macros.hpp>
#include <kernel/diag/log.hpp>
#include <kernel/entry/run.hpp>
#include <kernel/hal/entry.hpp>
#include <set>

namespace kernel_test {

using mock::machine;

namespace {

constexpr u64 kEntryPoint = 0x1'0000;
constexpr u32 kShortRegisters[abi::kShortWords] = {10, 11, 12, 13, 14, 15, 18};

std::string number_of(const Thread* thread) {
    return thread == nullptr ? "-" : std::to_string(thread->index);
}

/// One line per CPU and thread, for failures of the scheduler.
std::string describe_threads() {
    std::string text;
    for (u32 i = 0; i < machine().cpu_count(); ++i) {
        const kernel::Cpu& cpu = kernel::scheduler().cpus[i];
        text += "cpu " + std::to_string(i) + ": context of " +
                number_of(cpu.context == nullptr ? nullptr : cpu.context->owner) + ", thread " +
                number_of(cpu.thread) + (machine().cpus[i].kicked ? ", kicked" : "") + "\n";
    }
    for (u32 i = 0; i < kernel::kMaxThreads; ++i) {
        const Thread* thread = kernel::scheduler().threads.find(i);
        if (thread != nullptr) {
            text += "thread " + std::to_string(i) + ": phase " + std::to_string(thread->phase()) +
                    ", work " + std::to_string(static_cast<u32>(thread->work)) + ", priority " +
                    std::to_string(thread->effective()) + (thread->queued ? ", queued" : "") +
                    ", client " + number_of(thread->client) + ", server " +
                    number_of(thread->server) + ", context of " +
                    number_of(thread->context->owner) + ", affinity " +
                    std::to_string(thread->affinity & 0xF) + "\n";
        }
    }
    return text;
}

constexpr u32 kPatience = 10'000;  // entries after which nothing will happen any more

}  // namespace

Kernel::Kernel(u32 cpu_count)
    : state_(new(std::align_val_t{4096}) std::byte[sizeof(kernel::State)]) {
    machine().reset(cpu_count);
    machine().set_clock(base::Ticks{1000});
    kernel::create_state(state_.get());
    const kernel::BootInfo info = machine().boot_info(Bytes{1u << 20});
    kernel::frames().initialize(info.free_memory, info.free_count);
    kernel::policy().entry = policy.entry();
    kernel::policy().core_sid = kernel::objects().next_sid();
    for (u32 i = 0; i < cpu_count; ++i) {
        select(i);
        interrupt();  // comes online and idles
    }
    select(0);
}

Kernel::~Kernel() {
    // What is still linked belongs to the test that ends here: the block goes as a whole.
    ::operator delete[](state_.release(), std::align_val_t{4096});
}

Thread& Kernel::add_process(const std::string& name, u16 class_id, u32 priority) {
    const auto made = kernel::control::create_process(name.c_str(), class_id, 2000, priority);
    REQUIRE(made.ok());
    Process& process = made.value();
    process.references = 1;  // the test's
    kernel::RegionRequest request{};
    request.address = kUserMemory;
    request.size = kUserPages * base::kPageSize;
    request.writable = true;
    const auto region = kernel::reserve_region(process, request);
    REQUIRE(region.ok());
    for (u32 done = 0; done < kUserPages;) {
        const auto mapped =
            kernel::map_region_step(process, region.value(), done, {.read = true, .write = true});
        REQUIRE(mapped.ok());
        done = mapped.value();
    }
    process.entry = kEntryPoint;
    process.stack = kUserMemory + request.size;
    Thread* before[kernel::kMaxThreads];
    for (u32 i = 0; i < kernel::kMaxThreads; ++i) {
        before[i] = kernel::scheduler().threads.find(i);
    }
    REQUIRE(kernel::control::start_process(process).ok());
    for (u32 i = 0; i < kernel::kMaxThreads; ++i) {
        Thread* thread = kernel::scheduler().threads.find(i);
        if (thread != nullptr && before[i] == nullptr) {
            return *thread;
        }
    }
    FAIL("no thread was made");
    __builtin_unreachable();
}

Thread& Kernel::add_thread(Process& process, u32 priority) {
    const auto made = kernel::create_thread(process, kEntryPoint, process.stack, 0, 0, priority);
    REQUIRE(made.ok());
    kernel::scheduler().wake(made.value());
    return made.value();
}

u32 Kernel::add_listener(Process& server) {
    Endpoint* endpoint = kernel::find_endpoint(server.name);
    if (endpoint == nullptr) {
        endpoint = kernel::endpoints().endpoints.take();
        REQUIRE(endpoint != nullptr);
        endpoint->class_id = server.class_id;
        endpoint->core_row = policy.entry()->row(kCoreClass, server.class_id);
        endpoint->sid = kernel::objects().next_sid();
        kernel::control::copy_text(
            endpoint->name, kernel::kNameBytes, server.name, kernel::kNameBytes);
    }
    endpoint->process = &server;
    ++endpoint->life;
    server.port = endpoint;
    kernel::SlotContent content{};
    content.type = kernel::SlotType::Listener;
    content.object = endpoint;
    content.rights = abi::rights::kRecv;
    const auto handle = kernel::insert_handle(server, content);
    REQUIRE(handle.ok());
    ++endpoint->references;
    return handle.value();
}

u32 Kernel::add_channel(Process& client, Process& server) {
    REQUIRE(server.port != nullptr);
    kernel::SlotContent content{};
    content.type = kernel::SlotType::Client;
    content.object = server.port;
    content.rights = abi::rights::kCall | abi::rights::kCopy | abi::rights::kTransfer;
    content.life = server.port->life;
    content.row = policy.entry()->row(client.class_id, server.class_id);
    const auto handle = kernel::insert_handle(client, content);
    REQUIRE(handle.ok());
    ++server.port->references;
    return handle.value();
}

void Kernel::select(u32 cpu) {
    selected_ = cpu;
    machine().select(base::CpuId{cpu});
}

/// Runs kernel code that ends by entering a thread, by idling, or by stopping.
template <typename Function> void Kernel::run_kernel(Function&& function) {
    Thread* next = nullptr;
    machine().lock_holds = 0;
    machine().lock_limit = kPatience;
    try {
        next = &kernel::thread_of(function());
    } catch (const mock::Idle&) {
        next = nullptr;
    } catch (const mock::Spinning&) {
        // Only other CPUs can end this: they have been told to enter.
        bool is_told = false;
        for (u32 i = 0; i < machine().cpu_count(); ++i) {
            is_told = is_told || (i != selected_ && machine().cpus[i].kicked);
        }
        REQUIRE(is_told);
        next = nullptr;
    } catch (const mock::Entered& entered) {
        next = &kernel::thread_of(entered.frame);
    } catch (const mock::PowerOff& off) {
        FAIL("the kernel stopped with code " << off.code << ": " << machine().take_console());
    } catch (const mock::Stop& stop) {
        FAIL("the kernel stopped: " << stop.reason);
    }
    current_[selected_] = next;
    CHECK_FALSE(machine().is_locked());
    check_invariants();
}

void Kernel::interrupt() {
    Thread* thread = current_[selected_];
    run_kernel([thread]() -> arch::Frame* {
        if (thread == nullptr) {
            kernel::run_forever();
        }
        return kernel_interrupt(&thread->frame);
    });
}

void Kernel::next_slice() {
    machine().advance(kernel::scheduler().slice_length);
    interrupt();
}

void Kernel::run(Thread& thread) {
    for (u32 i = 0; i < kPatience && current_[selected_] != &thread; ++i) {
        next_slice();
    }
    INFO("thread of " << (thread.process == nullptr ? "nobody" : thread.process->name)
                      << " in phase " << thread.phase());
    REQUIRE(current_[selected_] == &thread);
}

void Kernel::settle() {
    for (u32 i = 0; i < 1000; ++i) {
        interrupt();
    }
}

void Kernel::load(Thread& thread, const Registers& registers) {
    arch::Frame& frame = thread.frame;
    frame.x[2] = registers.token;
    frame.x[3] = registers.send_fixed.value;
    frame.x[4] = registers.send_arena.value;
    frame.x[5] = registers.room_fixed.value;
    frame.x[6] = registers.room_arena.value;
    frame.x[7] = registers.deadline;
    frame.x[9] |= registers.deadline != 0 ? abi::Tag::kDeadline : 0;
    for (std::size_t i = 0; i < registers.words.size() && i < abi::kShortWords; ++i) {
        frame.x[kShortRegisters[i]] = registers.words[i];
    }
}

void Kernel::call(Thread& thread, u32 handle, abi::Tag tag, const Registers& registers) {
    run(thread);
    thread.frame.x[0] = handle;
    thread.frame.x[9] = tag.value;
    load(thread, registers);
    exception(thread, svc(abi::kSvcCall));
}

void Kernel::receive(Thread& thread, u32 listener, const Registers& registers, u32 handles) {
    run(thread);
    thread.frame.x[0] = listener;
    thread.frame.x[9] = u64{handles} << 52;
    load(thread, registers);
    exception(thread, svc(abi::kSvcRecv));
}

void Kernel::reply(
    Thread& thread, u32 listener, u64 token, abi::Tag tag, const Registers& registers) {
    run(thread);
    thread.frame.x[0] = listener;
    thread.frame.x[9] = tag.value;
    load(thread, registers);
    thread.frame.x[2] = token;
    exception(thread, svc(abi::kSvcReply));
}

void Kernel::exception(Thread& thread, u64 syndrome, u64 address) {
    REQUIRE(current_[selected_] == &thread);
    run_kernel([&]() { return kernel_synchronous(&thread.frame, syndrome, address); });
}

Answer Kernel::answer_of(const Thread& thread) {
    Answer answer;
    answer.status = static_cast<Status>(static_cast<base::s32>(thread.frame.x[0]));
    answer.badge = thread.frame.x[1];
    answer.token = thread.frame.x[2];
    answer.fixed_size = thread.frame.x[3];
    answer.arena_size = thread.frame.x[4];
    answer.tag = abi::Tag{thread.frame.x[9]};
    for (u32 i = 0; i < abi::kShortWords; ++i) {
        answer.words[i] = thread.frame.x[kShortRegisters[i]];
    }
    return answer;
}

bool Kernel::is_waiting(const Thread& thread) {
    return thread.phase() != kernel::state::kRunning || thread.work != kernel::Work::None;
}

void Kernel::put(Process& process, u64 address, std::span<const u8> bytes) {
    REQUIRE(
        kernel::copy_to_user(process.table, UserAddr{address}, bytes.data(), bytes.size()).ok());
}

std::vector<u8> Kernel::get(Process& process, u64 address, u32 size) {
    std::vector<u8> bytes(size);
    REQUIRE(kernel::copy_from_user(process.table, UserAddr{address}, bytes.data(), size).ok());
    return bytes;
}

void Kernel::check_invariants() const {
    std::set<const Thread*> on_cpu;
    for (const Thread* thread : current_) {
        if (thread != nullptr) {
            INFO("a thread runs on one CPU at a time");
            CHECK(on_cpu.insert(thread).second);
        }
    }
    for (u32 i = 0; i < kernel::kMaxEndpoints; ++i) {
        const Endpoint* endpoint = kernel::endpoints().endpoints.find(i);
        if (endpoint == nullptr) {
            continue;
        }
        u64 waiting = 0;
        for (const Thread* at = endpoint->waiters; at != nullptr; at = at->next_waiter) {
            INFO("who waits at an endpoint is in Recv on it");
            CHECK(at->phase() == kernel::state::kWaitReceive);
            CHECK(at->listener == endpoint);
            REQUIRE(++waiting <= kernel::kMaxThreads);
        }
        INFO("an endpoint counts what is queued, and nothing queues while a server waits");
        CHECK(endpoint->pending == endpoint->callers.count() + endpoint->notices.count());
        CHECK((waiting == 0 || endpoint->pending == 0));
    }
    for (u32 i = 0; i < kernel::kMaxThreads; ++i) {
        const Thread* thread = kernel::scheduler().threads.find(i);
        if (thread == nullptr || thread->phase() != kernel::state::kRunning) {
            continue;
        }
        u32 places = thread->queued ? 1 : 0;
        for (const kernel::Cpu& cpu : kernel::scheduler().cpus) {
            places += kernel::Scheduler::running(cpu) == thread ? 1 : 0;
        }
        if (places != 1) {
            UNSCOPED_INFO(describe_threads());
        }
        INFO("thread " << i << " can run: it is on one CPU or in one queue");
        REQUIRE(places == 1);
    }
    check_chains();
}

/// Links between clients and servers, contexts, and what is inherited along them.
void Kernel::check_chains() {
    for (u32 i = 0; i < kernel::kMaxThreads; ++i) {
        const Thread* thread = kernel::scheduler().threads.find(i);
        if (thread == nullptr || thread->phase() == kernel::state::kDead) {
            continue;
        }
        INFO("thread " << i << "\n" << describe_threads());
        if (thread->server != nullptr) {
            CHECK(thread->server->client == thread);
            CHECK(thread->server->context == thread->context);
            const u32 phase = thread->phase();
            CHECK((phase == kernel::state::kWaitReply || phase == kernel::state::kTransfer));
        }
        if (thread->client != nullptr) {
            CHECK(thread->client->server == thread);
        } else if (thread->phase() != kernel::state::kWaitReceive) {
            CHECK(thread->context == &thread->home);
        }
        if (thread->peer != nullptr) {
            CHECK(thread->peer->peer == thread);
        }
        CHECK((!thread->queued || thread->level == thread->effective()));
        CHECK(((thread->status & kernel::flag::kBoosted) != 0) == (thread->inherited > 0));
        const Thread* next = kernel::waits_for(*thread);
        if (next != nullptr && thread->phase() != kernel::state::kWaitReply) {
            CHECK(next->effective() >= thread->effective());
        } else if (next != nullptr) {
            CHECK(next->inherited >= thread->inherited);
        }
    }
}

}  // namespace kernel_test
