// SPDX-License-Identifier: Apache-2.0
// Random system calls by several processes, on one and more CPUs: the kernel never stops, its
// invariants hold after every entry, no CPU could use a translation that is not in its tables any
// more, and when all processes have ended, every frame is back.
#include <arch/inline.hpp>
#include <arch/page_table.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <harness/core_methods.hpp>
#include <harness/harness.hpp>
#include <kernel/control/teardown.hpp>
#include <random>
#include <set>

using namespace kernel_test;
using mock::machine;

namespace {

constexpr u32 kProcesses = 4;
constexpr u32 kSteps = 1500;
constexpr u64 kFirstUse = u64{0x07} << 26;

class Chaos {
public:
    Chaos(u32 seed, u32 cpus) : kernel_(cpus), cpus_(cpus), random_(seed) {
        machine().tlb = &tlb_;
        free_before_ = kernel::frames().free_frames();
        add_core_methods(kernel_.policy);
        for (const u16 class_id : {kClientClass, kServerClass, kOtherClass}) {
            kernel_.policy.add_method(class_id, 0, 0, make_shape(16), make_shape(8));
            kernel_.policy.add_method(class_id, 0, 1, make_shape(64, 9000), make_shape(64, 9000));
            kernel_.policy.add_method(
                class_id, 0, 2, make_shape(64, 9000, {}, true), make_shape(64, 9000, {}, true));
            kernel_.policy.add_method(
                class_id, 0, 3, make_shape(40, 0, {0, 16}), make_shape(40, 0, {0}));
        }
        kernel_.policy.on_judge = [this](const ksec::Query&, ksec::Effect) {
            return chance(10) ? ksec::Verdict::Denied : ksec::Verdict::Granted;
        };
        for (u32 i = 0; i < kProcesses; ++i) {
            start(i);
        }
    }

    void run() {
        for (u32 step = 0; step < kSteps; ++step) {
            INFO("step " << step);
            kernel_.select(below(cpus_));
            machine().advance(base::Ticks{below(2000)});
            machine().set_clock_step(base::Ticks{below(3)});
            Thread* thread = kernel_.running();
            if (thread == nullptr || chance(10)) {
                kernel_.interrupt();
            } else if (chance(2)) {
                kernel_.next_slice();
            } else if (chance(1)) {
                kernel_.exception(*thread, (u64{0x24} << 26) | random_());
            } else if (chance(2)) {
                kernel_.exception(*thread, kFirstUse);
                mark_vectors();
            } else {
                system_call(*thread);
            }
            check_vectors();
            kernel_.policy.asked.clear();
            if (chance(3)) {
                start(below(kProcesses));
            }
        }
        finish();
    }

private:
    /// The control register outlives calls and preemptions: it says whose the registers are.
    void mark_vectors() {
        const Thread* thread = kernel_.running();
        if (thread != nullptr && (thread->status & kernel::flag::kUsesFp) != 0) {
            machine().current().fp.control = thread->sid.value;
            marked_.insert(thread->sid.value);
        }
    }

    void check_vectors() {
        for (u32 i = 0; i < cpus_; ++i) {
            const Thread* thread = kernel_.running_on(i);
            if (thread != nullptr && marked_.contains(thread->sid.value)) {
                REQUIRE(machine().cpus[i].fp.control == thread->sid.value);
            }
        }
    }

    u32 below(u32 limit) { return static_cast<u32>(random_() % limit); }

    bool chance(u32 percent) { return below(100) < percent; }

    static std::string name_of(u32 i) { return "process" + std::to_string(i); }

    Process* find(u32 i) {
        for (u32 j = 0; j < kernel::kMaxProcesses; ++j) {
            Process* process = kernel::objects().processes.find(j);
            if (process != nullptr && process->state <= kernel::ProcessState::Running &&
                name_of(i) == process->name) {
                return process;
            }
        }
        return nullptr;
    }

    bool is_ending(u32 i) {
        for (u32 j = 0; j < kernel::kMaxProcesses; ++j) {
            Process* process = kernel::objects().processes.find(j);
            if (process != nullptr && process->state == kernel::ProcessState::Ending &&
                name_of(i) == process->name) {
                return true;
            }
        }
        return false;
    }

    /// The process of that number, if it does not live: with threads, a listener, and channels.
    void start(u32 i) {
        if (find(i) != nullptr || is_ending(i)) {
            return;
        }
        Thread& thread = kernel_.add_process(
            name_of(i), static_cast<u16>(kClientClass + i % 3), 50 + below(100));
        Process& process = *thread.process;
        process.references = 0;  // nobody holds it: it goes when it ends
        if (i % 3 == 1) {
            kernel::limit_cpu(process, base::Ticks{1 + below(3000)}, base::Ticks{5000});
            kernel::set_meter(thread);
        }
        for (u32 more = below(3); more > 0; --more) {
            kernel_.add_thread(process, below(process.priority + 1));
        }
        kernel_.add_listener(process);
        for (u32 j = 0; j < kProcesses; ++j) {
            if (Process* other = find(j); other != nullptr && other != &process) {
                kernel_.add_channel(process, *other);
                kernel_.add_channel(*other, process);
            }
        }
    }

    u32 some_handle(Process& process) {
        if (chance(10)) {
            return static_cast<u32>(random_());
        }
        for (u32 tries = 0; tries < 20; ++tries) {
            const Slot& slot = process.handles.at(below(16));
            if (slot.handle != 0) {
                return slot.handle;
            }
        }
        return 0;
    }

    u64 some_address() {
        switch (below(8)) {
        case 0:
            return random_() & ((u64{1} << 39) - 1);
        case 1:
            return kUserMemory + u64{kUserPages} * base::kPageSize - below(9000);
        default:
            return kUserMemory + below(kUserPages * 4096 - 9000);
        }
    }

    abi::Buffer some_buffer(u32 size) {
        return chance(10) ? abi::Buffer{random_()}
                          : buffer(some_address(), chance(80) ? size : below(size + 1));
    }

    u64 some_token() {
        Thread* client = kernel::scheduler().threads.find(below(16));
        return client == nullptr || chance(5) ? random_() : client->token;
    }

    /// Fills memory with small numbers and handles, so that requests in it often make sense.
    void scribble(Process& process) {
        for (u32 i = 0; i < 64; ++i) {
            const u32 value = chance(50) ? some_handle(process) : below(4);
            const u64 at = kUserMemory + below(kUserPages * 512 - 1) * u64{8};
            static_cast<void>(
                kernel::copy_to_user(process.table, UserAddr{at}, &value, sizeof(value)).ok());
        }
    }

    void system_call(Thread& thread) {
        Process& process = *thread.process;
        if (chance(20)) {
            scribble(process);
        }
        auto& x = thread.frame.x;
        for (u64& value : x) {
            value = chance(50) ? below(5) : random_();
        }
        const u32 immediate = chance(2) ? below(0x10000) : below(3);
        const bool to_kernel = chance(30);
        x[0] = immediate == 0 && to_kernel ? Kernel::kKernelHandle : some_handle(process);
        x[2] = some_token();
        x[3] = some_buffer(64).value;
        x[4] = some_buffer(9000).value;
        x[5] = some_buffer(4096).value;
        x[6] = some_buffer(9000).value;
        x[7] = machine().read_clock().value + below(20'000);
        x[9] = some_tag(immediate, to_kernel).value;
        if (immediate == 0 && to_kernel) {
            x[10] = chance(50) ? some_handle(process) : x[10];
        }
        kernel_.exception(thread, svc(immediate));
    }

    abi::Tag some_tag(u32 immediate, bool to_kernel) {
        if (chance(5)) {
            return abi::Tag{random_()};
        }
        const u16 endpoint = static_cast<u16>(to_kernel ? below(12) : 0);
        const u16 method = static_cast<u16>(below(to_kernel ? 9 : 4));
        const auto kind = immediate == 2 ? abi::Kind::Response : abi::Kind::Request;
        const u16 owner = to_kernel ? kCoreClass : kClientClass;
        const ksec::MethodInfo* info = kernel_.policy.entry()->method_info(owner, endpoint, method);
        abi::Tag tag = abi::Tag::make_short(kind, endpoint, method, below(57));
        if (info != nullptr) {
            const ksec::Shape& shape = kind == abi::Kind::Request ? info->request : info->response;
            tag = shape.staging == ksec::Staging::Registers
                      ? abi::Tag::make_short(kind, endpoint, method, shape.fixed_size)
                      : abi::Tag::make_long(kind, endpoint, method, shape.handle_count);
            if (shape.arena_max > 0 && chance(80)) {
                tag = with(tag, abi::Tag::kArena);
            }
        }
        tag = accepting(with(tag, immediate == 0 && chance(90) ? abi::Tag::kRoom : 0), below(4));
        return with(tag, chance(30) ? abi::Tag::kDeadline : 0);
    }

    void finish() {
        machine().set_clock_step({});
        for (u32 i = 0; i < kProcesses; ++i) {
            if (Process* process = find(i); process != nullptr) {
                kernel_.select(0);
                kernel_.interrupt();
                kernel::end_process(*process, {});
            }
        }
        for (u32 round = 0; round < 400; ++round) {
            for (u32 cpu = 0; cpu < cpus_; ++cpu) {
                kernel_.select(cpu);
                kernel_.interrupt();
            }
        }
        CHECK(kernel::objects().processes.used() == 0);
        CHECK(kernel::scheduler().threads.used() == 0);
        CHECK(kernel::objects().regions.used() == 0);
        CHECK(kernel::objects().memory_objects.used() == 1);  // the clock page
        CHECK(kernel::frames().free_frames() == free_before_);
        CHECK(tlb_.kept() > 100);
    }

    mock::GhostTlb tlb_{arch::PageTable::kVisible};
    Kernel kernel_;
    u32 cpus_;
    std::mt19937_64 random_;
    u64 free_before_ = 0;
    std::set<u64> marked_;
};

}  // namespace

TEST_CASE("random calls do not stop the kernel", "[kernel][entry]") {
    const u32 cpus = GENERATE(1u, 2u, 4u);
    const u32 seed = GENERATE(range(1u, 6u));
    CAPTURE(cpus, seed);
    Chaos{seed, cpus}.run();
}
