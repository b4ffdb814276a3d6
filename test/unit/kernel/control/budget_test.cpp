// SPDX-License-Identifier: Apache-2.0
// CPU budgets: who has used up his runs only when nobody else wants to, whoever helps him or waits
// for him, and not a moment longer than he must. docs/decisions/0011
#include <catch2/catch_test_macros.hpp>
#include <harness/core_methods.hpp>
#include <harness/harness.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Task.idl.hpp>
#include <kl/core/Thread.idl.hpp>

using namespace kernel_test;
using base::CpuId;
using base::Ticks;
using mock::machine;
namespace endpoint = kl::core::Core::endpoint;
namespace tasks = kl::core::Task;
namespace threads = kl::core::Thread;

namespace {

constexpr Ticks kStep{20'000};
constexpr Ticks kAmount{2'000'000};
constexpr Ticks kPeriod{10'000'000};
constexpr abi::Tag kRequest = request_tag(0, 0, 8);
constexpr abi::Tag kResponse = response_tag(0, 0, 8);

struct Plant {
    explicit Plant(u32 cpus = 1) : kernel(cpus) {
        add_core_methods(kernel.policy);
        kernel.policy.add_method(kServerClass, 0, 0, make_shape(8), make_shape(8));
    }

    /// A strong process that may run for kAmount in kPeriod.
    Thread& add_limited(const std::string& name, u32 priority = 200) {
        Thread& thread = kernel.add_process(name, kServerClass, priority);
        kernel::limit_cpu(*thread.process, kAmount, kPeriod);
        kernel::set_meter(thread);
        return thread;
    }

    /// Lets time pass; who runs computes.
    void pass(Ticks time) {
        for (Ticks done{}; done < time; done.value += kStep.value) {
            machine().advance(kStep);
            if (machine().is_pending(CpuId{kernel.selected()})) {
                kernel.interrupt();
            }
            kernel.check_invariants();
        }
    }

    static u64 used_by(const Thread& thread) {
        kernel::scheduler().charge_all();
        return thread.process->cpu_ticks;
    }

    /// In ten periods the hog gets its budgets, and the other one the rest.
    void check_shares(const Thread& hog, const Thread& other) {
        const u64 hogged = used_by(hog);
        const u64 left = used_by(other);
        pass(Ticks{10 * kPeriod.value});
        CHECK(used_by(hog) - hogged <= 10 * kAmount.value + 2 * kStep.value);
        CHECK(used_by(hog) - hogged >= 10 * kAmount.value - 2 * kStep.value);
        CHECK(used_by(other) - left >= 10 * (kPeriod.value - kAmount.value) - 2 * kStep.value);
    }

    Kernel kernel;
};

void use_up(Plant& plant, Thread& hog) {
    plant.kernel.run(hog);
    plant.pass(Ticks{kAmount.value + 4 * kStep.value});
}

}  // namespace

TEST_CASE("a hog gets its budget in each period, others the rest", "[kernel][budget]") {
    Plant plant;
    Thread& weak = plant.kernel.add_process("weak", kClientClass, 50);
    Thread& hog = plant.add_limited("hog");
    plant.kernel.run(hog);
    plant.check_shares(hog, weak);
}

TEST_CASE("who has used up a budget takes what nobody wants", "[kernel][budget]") {
    Plant plant;
    Thread& hog = plant.add_limited("hog");
    plant.kernel.run(hog);
    plant.pass(kPeriod);
    CHECK(plant.kernel.is_running(hog));
    CHECK(plant.used_by(hog) >= kPeriod.value - kStep.value);
    // What it took beyond its budget counts: a rival that comes now is not kept waiting.
    Thread& weak = plant.kernel.add_process("weak", kClientClass, 1);
    plant.kernel.interrupt();
    plant.pass(kPeriod);
    CHECK(plant.used_by(weak) >= kPeriod.value - kAmount.value - 2 * kStep.value);
}

TEST_CASE("what was used too much is missing in the next period", "[kernel][budget]") {
    Plant plant;
    Thread& weak = plant.kernel.add_process("weak", kClientClass, 50);
    Thread& hog = plant.add_limited("hog");
    plant.kernel.run(hog);
    machine().advance(Ticks{kAmount.value + 50'000});  // masked so long
    plant.kernel.interrupt();
    REQUIRE(plant.kernel.is_running(weak));
    CHECK(plant.used_by(hog) == kAmount.value + 50'000);
    plant.pass(Ticks{2 * kPeriod.value});
    CHECK(plant.used_by(hog) <= 3 * kAmount.value + 2 * kStep.value);
}

TEST_CASE("all threads of a process share its budget, new ones too", "[kernel][budget]") {
    Plant plant;
    Thread& hog = plant.add_limited("hog");
    Thread& weak = plant.kernel.add_process("weak", kClientClass, 50);
    Thread& second = plant.kernel.add_thread(*hog.process, 200);
    Thread& third = plant.kernel.add_thread(*hog.process, 150);
    use_up(plant, hog);
    REQUIRE(plant.kernel.is_running(weak));
    for (const Thread* each : {&hog, &second, &third}) {
        CHECK(each->effective() == 0);
    }
    Thread& late = plant.kernel.add_thread(*hog.process, 200);
    CHECK(late.effective() == 0);
    plant.kernel.interrupt();
    CHECK(plant.kernel.is_running(weak));
    plant.pass(kPeriod);
    CHECK(late.own_priority == 200);
    CHECK(plant.used_by(hog) <= 2 * kAmount.value + 2 * kStep.value);
}

TEST_CASE("a budget is renewed for all threads", "[kernel][budget]") {
    Plant plant;
    Thread& hog = plant.add_limited("hog");
    plant.kernel.add_process("weak", kClientClass, 50);
    Thread& second = plant.kernel.add_thread(*hog.process, 150);
    use_up(plant, hog);
    plant.pass(Ticks{kPeriod.value - kAmount.value - 4 * kStep.value});
    CHECK(hog.effective() == 200);
    CHECK(second.effective() == 150);
    CHECK(plant.kernel.is_running(hog));
}

TEST_CASE("a priority that is set while the budget is used up holds later", "[kernel][budget]") {
    Plant plant;
    Thread& hog = plant.add_limited("hog");
    plant.kernel.add_process("weak", kClientClass, 50);
    use_up(plant, hog);
    kernel::scheduler().reprioritize(hog, 120);
    CHECK(hog.effective() == 0);
    plant.pass(kPeriod);
    CHECK(hog.own_priority == 120);
    use_up(plant, hog);
    plant.pass(Ticks{kPeriod.value - kAmount.value - 2 * kStep.value});
    CHECK(hog.effective() == 120);
}

TEST_CASE("a server goes on by itself when its client's budget is used up", "[kernel][budget]") {
    Plant plant;
    Thread& server = plant.kernel.add_process("server", kServerClass, 120);
    Thread& weak = plant.kernel.add_process("weak", kClientClass, 50);
    const u32 listener = plant.kernel.add_listener(*server.process);
    plant.kernel.receive(server, listener);
    Thread& client = plant.add_limited("client");
    const u32 channel = plant.kernel.add_channel(*client.process, *server.process);
    plant.kernel.call(client, channel, kRequest, {.words = {1}});
    REQUIRE(plant.kernel.is_running(server));
    CHECK(server.effective() == 200);
    plant.pass(Ticks{kAmount.value + 4 * kStep.value});
    REQUIRE(plant.kernel.is_running(server));
    CHECK(server.context == &server.home);
    CHECK(server.effective() == 120);
    CHECK(plant.used_by(client) <= kAmount.value + kStep.value);
    const u64 token = Kernel::answer_of(server).token;
    plant.kernel.reply(server, listener, token, kResponse, {.words = {7}});
    CHECK(plant.kernel.is_running(weak));  // the client waits for its budget
    plant.pass(kPeriod);
    plant.kernel.run(client);
    CHECK(Kernel::answer_of(client).words[0] == 7);
}

TEST_CASE("two processes cannot raise each other beyond their budgets", "[kernel][budget]") {
    Plant plant;
    Thread& weak = plant.kernel.add_process("weak", kClientClass, 50);
    Thread& hog = plant.add_limited("hog");
    plant.kernel.add_listener(*hog.process);
    hog.process->port->server = &hog;  // it served before, and does not receive now
    Thread& helper = plant.add_limited("helper");
    const u32 channel = plant.kernel.add_channel(*helper.process, *hog.process);
    plant.kernel.call(helper, channel, kRequest, {.words = {1}});
    REQUIRE(Kernel::is_waiting(helper));
    plant.kernel.run(hog);
    plant.check_shares(hog, weak);
}

TEST_CASE("nor can two threads of one process with a lock", "[kernel][budget]") {
    Plant plant;
    Thread& weak = plant.kernel.add_process("weak", kClientClass, 50);
    Thread& hog = plant.add_limited("hog");
    Thread& waiter = plant.kernel.add_thread(*hog.process, 200);
    plant.kernel.run(waiter);
    REQUIRE(kernel::scheduler().follow(waiter, hog, kUserMemory, Ticks{}).ok());
    plant.kernel.interrupt();
    REQUIRE(plant.kernel.is_running(hog));
    plant.check_shares(hog, weak);
}

TEST_CASE("two CPUs that run one process stop together", "[kernel][budget]") {
    Plant plant(2);
    Thread& hog = plant.add_limited("hog");
    Thread& second = plant.kernel.add_thread(*hog.process, 200);
    Thread& weak = plant.kernel.add_process("weak", kClientClass, 50);
    plant.kernel.run(hog);
    plant.kernel.select(1);
    plant.kernel.run(second);
    for (u32 i = 0; i < 2 * kPeriod.value / kStep.value; ++i) {
        machine().advance(kStep);
        for (u32 cpu = 0; cpu < 2; ++cpu) {
            plant.kernel.select(cpu);
            if (machine().is_pending(CpuId{cpu})) {
                plant.kernel.interrupt();
            }
            plant.kernel.check_invariants();
        }
    }
    // Both ran until the budget of both was gone; one CPU was free after that.
    CHECK(plant.used_by(weak) >= 2 * (kPeriod.value - kAmount.value) - 4 * kStep.value);
}

TEST_CASE("a process that ends with its budget used up leaves no timer", "[kernel][budget]") {
    Plant plant;
    Thread& hog = plant.add_limited("hog");
    Process& process = *hog.process;
    plant.kernel.add_process("weak", kClientClass, 50);
    use_up(plant, hog);
    kernel::end_process(process, {kernel::EndReason::Terminated, 0, 0, 0});
    plant.kernel.settle();
    REQUIRE(process.state == kernel::ProcessState::Ended);
    plant.pass(kPeriod);
    CHECK(kernel::scheduler().timers.first() == nullptr);
}

TEST_CASE("a notice raises a busy server to its own priority", "[kernel][budget]") {
    Plant plant;
    Thread& server = plant.kernel.add_process("server", kServerClass, 180);
    const u32 listener = plant.kernel.add_listener(*server.process);
    Thread& client = plant.kernel.add_process("client", kClientClass, 10);
    const u32 channel = plant.kernel.add_channel(*client.process, *server.process);
    plant.kernel.receive(server, listener);
    plant.kernel.call(client, channel, kRequest, {.words = {1}});
    REQUIRE(server.effective() == 10);
    Thread& middle = plant.kernel.add_process("middle", kClientClass, 100);
    plant.kernel.interrupt();
    REQUIRE(plant.kernel.is_running(middle));
    kernel::Notice* notice = nullptr;
    REQUIRE(kernel::attach_notice(notice, *server.process->port, 5, 0).ok());
    kernel::raise_notice(*notice, 1);
    CHECK(server.effective() == 180);
    plant.kernel.interrupt();
    CHECK(plant.kernel.is_running(server));
    plant.kernel.check_invariants();
}

TEST_CASE("kl.core.Task.SetCpuBudget", "[kernel][budget]") {
    Plant plant;
    Thread& parent = plant.kernel.add_process("parent", kClientClass);
    const auto set = [&](u32 task, u32 amount, u32 period) {
        tasks::SetCpuBudget_Request request{};
        request.task.handle = task;
        request.amount = amount;
        request.period = period;
        return static_cast<Status>(
            plant.kernel
                .call_core<tasks::SetCpuBudget_Request, tasks::SetCpuBudget_Response>(
                    parent,
                    endpoint::task_Task,
                    static_cast<u16>(tasks::Method::SetCpuBudget),
                    request)
                .rc);
    };
    const auto made = kernel::control::create_process("child", kServerClass, 100, 100);
    REQUIRE(made.ok());
    Process& child = made.value();
    const auto handle = kernel::control::name_object(*parent.process, child, abi::rights::kAll);
    REQUIRE(handle.ok());
    CHECK(set(handle.value(), 0, 1'000) == Status::InvalidArgument);
    CHECK(set(handle.value(), 4'001, 1'000) == Status::InvalidArgument);
    CHECK(set(handle.value(), 100, 999) == Status::InvalidArgument);
    CHECK(set(handle.value(), 100, 10'000'001) == Status::InvalidArgument);
    CHECK(set(handle.value() + 1, 100, 1'000) == Status::BadHandle);
    CHECK(set(System::kKernelHandle, 100, 1'000) == Status::WrongType);
    CHECK(set(handle.value(), 500, 1'000) == Status::Ok);
    CHECK(child.cpu_budget.amount.value == arch::ticks_per_second() / 2'000);
    CHECK(child.cpu_budget.period.value == arch::ticks_per_second() / 1'000);
    child.entry = 0x1'0000;
    REQUIRE(kernel::control::start_process(child).ok());
    CHECK(set(handle.value(), 500, 1'000) == Status::NotReady);
    parent.process->handles.find(handle.value())->rights = 0;
    CHECK(set(handle.value(), 500, 1'000) == Status::NoCapability);
}
