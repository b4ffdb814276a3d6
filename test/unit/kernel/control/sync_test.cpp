// SPDX-License-Identifier: Apache-2.0
// kl.core.Sync: each case runs the general way and, where there is one, the quick way, too.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <functional>
#include <harness/core_methods.hpp>
#include <harness/harness.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Sync.idl.hpp>
#include <kl/core/Thread.idl.hpp>
#include <test/unit/kernel/harness/lists.hpp>

using namespace kernel_test;
using mock::machine;
namespace endpoint = kl::core::Core::endpoint;
namespace futex = kl::core::Sync;
namespace threads = kl::core::Thread;

namespace {

constexpr u64 kWord = kUserMemory + 64;
constexpr u64 kNowhere = 0x4000'0000;
constexpr u64 kOther = kWord + 4 * 64;  // the same bucket

struct App {
    Kernel kernel;
    Thread& thread = (add_core_methods(kernel.policy), kernel.add_process("app", kClientClass));
    Process& process = *thread.process;
    bool is_quick = false;

    explicit App(bool quick = false) : is_quick(quick) {
        process.priority = 200;
        if (is_quick) {
            grant(futex::Method::Wait, sizeof(futex::Wait_Request), sizeof(futex::Wait_Response));
            grant(futex::Method::Wake, sizeof(futex::Wake_Request), sizeof(futex::Wake_Response));
            grant(futex::Method::WakeAndWait,
                  sizeof(futex::WakeAndWait_Request),
                  sizeof(futex::WakeAndWait_Response));
        }
    }

    void grant(futex::Method method, u32 request_size, u32 response_size) {
        const auto number = static_cast<u16>(method);
        kernel.policy.grant_fast(kClientClass,
                                 kCoreClass,
                                 request_tag(endpoint::sync_Sync, number, request_size).value,
                                 response_tag(endpoint::sync_Sync, number, response_size).value);
    }

    template <typename Response, typename Request>
    void ask(Thread& caller, futex::Method method, const Request& in) {
        Registers registers;
        registers.words.resize(sizeof(Request) / sizeof(u64));
        __builtin_memcpy(registers.words.data(), &in, sizeof(Request));
        const abi::Tag tag =
            request_tag(endpoint::sync_Sync, static_cast<u16>(method), sizeof(Request));
        kernel.call_fast(caller, Kernel::kKernelHandle, tag, registers);
        Kernel::expect_answer<Response>(caller, endpoint::sync_Sync, static_cast<u16>(method));
    }

    /// What a call that is over has answered, as a response of its method.
    template <typename Response> static Response answer(const Thread& caller) {
        const Answer answer = Kernel::answer_of(caller);
        CHECK(answer.status == Status::Ok);
        Response response{};
        __builtin_memcpy(&response, answer.words, sizeof(response));
        return response;
    }

    /// Its rc, of a response that has nothing else.
    static Status rc(const Thread& caller) {
        return static_cast<Status>(answer<futex::Wait_Response>(caller).rc);
    }

    void set_word(u64 address, u32 value) { kernel.put_value(process, address, value); }

    u32 word(u64 address) { return kernel.get_value<u32>(process, address); }

    void wait(Thread& caller, u64 address, u32 expected = 0, u64 deadline = 0) {
        futex::Wait_Request in{};
        in.address = address;
        in.expected = expected;
        in.deadline = deadline;
        ask<futex::Wait_Response>(caller, futex::Method::Wait, in);
    }

    void wake(Thread& caller, u64 address, u32 count) {
        futex::Wake_Request in{};
        in.address = address;
        in.count = count;
        ask<futex::Wake_Response>(caller, futex::Method::Wake, in);
    }

    void wake_and_wait(Thread& caller, u64 other, u64 address, u32 expected = 0) {
        futex::WakeAndWait_Request in{};
        in.other = other;
        in.address = address;
        in.expected = expected;
        ask<futex::WakeAndWait_Response>(caller, futex::Method::WakeAndWait, in);
    }

    void requeue(Thread& caller, u32 expected, u32 wakes, u32 moves, u64 target = kOther) {
        futex::Requeue_Request in{};
        in.address = kWord;
        in.expected = expected;
        in.wake = wakes;
        in.move = moves;
        in.target = target;
        ask<futex::Requeue_Response>(caller, futex::Method::Requeue, in);
    }

    /// As runtime code does that finds the lock taken.
    void lock(Thread& caller, u64 address = kWord, u64 deadline = 0) {
        futex::Lock_Request in{};
        in.address = address;
        in.expected = word(address) | futex::LockIsAwaited;
        in.deadline = deadline;
        set_word(address, in.expected);
        ask<futex::Lock_Response>(caller, futex::Method::Lock, in);
    }

    Status unlock(Thread& caller, u64 address = kWord) {
        futex::Unlock_Request in{};
        in.address = address;
        ask<futex::Unlock_Response>(caller, futex::Method::Unlock, in);
        kernel.run(caller);
        return rc(caller);
    }

    /// Waits for ever.
    void park(Thread& caller) { wait(caller, kUserMemory + 0x800); }
};

}  // namespace

static_assert(futex::LockIsAwaited == abi::kLockIsAwaited);

TEST_CASE("a thread waits only while the word is as expected", "[kernel][control]") {
    App app{GENERATE(false, true)};
    Thread& other = app.kernel.add_thread(app.process);
    app.set_word(kWord, 4);
    app.wait(app.thread, kWord, 5);
    CHECK(App::rc(app.thread) == Status::Busy);
    app.set_word(kWord, 5);
    app.wait(app.thread, kWord, 5);
    CHECK(Kernel::is_waiting(app.thread));
    app.wake(other, kWord, 3);
    CHECK(App::answer<futex::Wake_Response>(other).woken == 1);
    app.kernel.run(app.thread);
    CHECK(App::rc(app.thread) == Status::Ok);
    CHECK(Kernel::answer_of(app.thread).words[1] == 0);
}

TEST_CASE("a wait ends at its deadline", "[kernel][control]") {
    App app{GENERATE(false, true)};
    app.kernel.run(app.thread);
    const u64 deadline = machine().read_clock().value + 100;
    app.wait(app.thread, kWord, 0, deadline);
    REQUIRE(Kernel::is_waiting(app.thread));
    CHECK(machine().cpus[0].timer == base::Ticks{deadline});
    machine().advance(base::Ticks{100});
    app.kernel.interrupt();
    CHECK(app.kernel.is_running(app.thread));
    CHECK(App::rc(app.thread) == Status::Timeout);
    app.wake(app.thread, kWord, 1);
    CHECK(App::answer<futex::Wake_Response>(app.thread).woken == 0);
}

TEST_CASE("a thread that waits can be ended", "[kernel][control]") {
    App app{GENERATE(false, true)};
    Thread& other = app.kernel.add_thread(app.process);
    app.wait(app.thread, kWord);
    kernel::end_thread(app.thread);
    app.wake(other, kWord, 1);
    CHECK(App::answer<futex::Wake_Response>(other).woken == 0);
}

TEST_CASE("a stronger thread that wakes runs at once", "[kernel][control]") {
    App app{GENERATE(false, true)};
    Thread& strong = app.kernel.add_thread(app.process, 150);
    app.wait(strong, kWord);
    app.wake(app.thread, kWord, 1);
    CHECK(app.kernel.is_running(strong));
    app.park(strong);
    CHECK(app.kernel.is_running(app.thread));
    CHECK(App::answer<futex::Wake_Response>(app.thread).woken == 1);
}

TEST_CASE("an equal thread that wakes has its turn when the slice ends", "[kernel][control]") {
    App app{GENERATE(false, true)};
    Thread& equal = app.kernel.add_thread(app.process);
    app.wait(equal, kWord);
    app.kernel.run(app.thread);
    app.wake(app.thread, kWord, 1);
    CHECK(app.kernel.is_running(app.thread));
    const base::Ticks end{machine().read_clock().value + kernel::scheduler().slice_length.value};
    while (app.kernel.is_running(app.thread)) {
        REQUIRE(machine().cpus[0].timer.has_value());
        REQUIRE(*machine().cpus[0].timer <= end);
        machine().set_clock(*machine().cpus[0].timer);
        app.kernel.interrupt();
    }
    CHECK(app.kernel.is_running(equal));
}

TEST_CASE("equals have their turns, bound to the CPU or not", "[kernel][control]") {
    App app;
    Thread& bound = app.kernel.add_thread(app.process);
    Thread& also_bound = app.kernel.add_thread(app.process);
    kernel::scheduler().set_affinity(bound, 1, true);
    kernel::scheduler().set_affinity(also_bound, 1, true);
    app.kernel.run(bound);
    u32 turns[3] = {};
    for (u32 i = 0; i < 12; ++i) {
        REQUIRE(machine().cpus[0].timer.has_value());
        machine().set_clock(*machine().cpus[0].timer);
        app.kernel.interrupt();
        turns[0] += app.kernel.is_running(app.thread) ? 1 : 0;
        turns[1] += app.kernel.is_running(bound) ? 1 : 0;
        turns[2] += app.kernel.is_running(also_bound) ? 1 : 0;
    }
    CHECK(turns[0] >= 3);
    CHECK(turns[1] >= 3);
    CHECK(turns[2] >= 3);
}

TEST_CASE("a timer that is not needed any more fires once at most", "[kernel][control]") {
    App app{GENERATE(false, true)};
    Thread& equal = app.kernel.add_thread(app.process);
    app.kernel.run(equal);
    app.wait(equal, kWord);
    app.kernel.run(app.thread);  // alone from now on
    if (machine().cpus[0].timer.has_value()) {
        machine().set_clock(*machine().cpus[0].timer);
        app.kernel.interrupt();
    }
    CHECK(machine().cpus[0].timer == std::nullopt);
}

TEST_CASE("another CPU is told of a thread that wakes", "[kernel][control]") {
    Kernel kernel{2};
    add_core_methods(kernel.policy);
    Thread& waiter = kernel.add_process("app", kClientClass);
    Thread& waker = kernel.add_thread(*waiter.process);
    futex::Wait_Request wait{};
    wait.address = kWord;
    kernel.call_core<futex::Wait_Request, futex::Wait_Response>(
        waiter, endpoint::sync_Sync, 0, wait);
    kernel.run(waker);
    const u32 before = machine().cpus[1].kicks;
    futex::Wake_Request wake{};
    wake.address = kWord;
    wake.count = 1;
    kernel.call_core<futex::Wake_Request, futex::Wake_Response>(
        waker, endpoint::sync_Sync, 1, wake);
    CHECK(machine().cpus[1].kicks == before + 1);
}

TEST_CASE("who hands over waits, and the other goes on in its place", "[kernel][control]") {
    App app{GENERATE(false, true)};
    Thread& equal = app.kernel.add_thread(app.process);
    app.wait(equal, kOther);
    SECTION("an equal one") {
        app.wake_and_wait(app.thread, kOther, kWord);
        CHECK(app.kernel.is_running(equal));
        CHECK(Kernel::is_waiting(app.thread));
        app.wake_and_wait(equal, kWord, kOther);
        CHECK(app.kernel.is_running(app.thread));
        CHECK(App::rc(app.thread) == Status::Ok);
        CHECK(Kernel::is_waiting(equal));
    }
    SECTION("behind those who wait for the CPU and are as strong") {
        Thread& rival = app.kernel.add_thread(app.process);
        app.kernel.run(app.thread);
        app.wake_and_wait(app.thread, kOther, kWord);
        CHECK(app.kernel.is_running(rival));
        app.park(rival);
        CHECK(app.kernel.is_running(equal));
        CHECK(App::rc(equal) == Status::Ok);
    }
    SECTION("not on a CPU where it may not run") {
        kernel::scheduler().set_affinity(equal, 2, true);
        app.wake_and_wait(app.thread, kOther, kWord);
        CHECK_FALSE(app.kernel.is_running(equal));
        CHECK_FALSE(Kernel::is_waiting(equal));
    }
    SECTION("its deadline does not count any more") {
        const u64 deadline = machine().read_clock().value + 100'000'000;
        Thread& timed = app.kernel.add_thread(app.process, 150);
        app.wait(timed, kWord + 4, 0, deadline);
        app.wake_and_wait(app.thread, kWord + 4, kWord);
        CHECK(app.kernel.is_running(timed));
        machine().advance(base::Ticks{100'000'000});
        app.kernel.interrupt();
        CHECK(App::rc(timed) == Status::Ok);
    }
    SECTION("nobody waits: the caller does") {
        app.wake_and_wait(app.thread, kWord + 4, kWord);
        CHECK(Kernel::is_waiting(app.thread));
        CHECK(Kernel::is_waiting(equal));
    }
    SECTION("for the word at which it wakes") {
        app.wake_and_wait(app.thread, kOther, kOther);
        CHECK(app.kernel.is_running(equal));
        app.wake(equal, kOther, 1);
        app.kernel.run(app.thread);
        CHECK(App::rc(app.thread) == Status::Ok);
    }
    SECTION("nobody is woken when the own word has changed, or is none") {
        app.wake_and_wait(app.thread, kOther, kWord, 1);
        CHECK(App::rc(app.thread) == Status::Busy);
        app.wake_and_wait(app.thread, kOther, kWord + 1);
        CHECK(App::rc(app.thread) == Status::InvalidArgument);
        app.wake_and_wait(app.thread, kOther, kNowhere);
        CHECK(App::rc(app.thread) == Status::SourceFault);
        CHECK(Kernel::is_waiting(equal));
    }
}

TEST_CASE("a wake reaches the strongest first, and only as many as it says", "[kernel][control]") {
    App app{GENERATE(false, true)};
    constexpr u32 kWaiters = 20;  // more than one step wakes
    std::vector<Thread*> waiters;
    for (u32 i = 0; i < kWaiters; ++i) {
        waiters.push_back(&app.kernel.add_thread(app.process, 110 + i * 7 % kWaiters));
        app.wait(*waiters.back(), kWord);
        REQUIRE(Kernel::is_waiting(*waiters.back()));
    }
    Thread& elsewhere = app.kernel.add_thread(app.process, 150);
    app.wait(elsewhere, kOther);
    // Each is parked as it is woken: the caller is the weakest and only then learns how many.
    const auto park_from = [&](u32 first, u32 last) {
        for (u32 i = first; i < last; ++i) {
            app.kernel.run(*waiters[i]);
            CHECK(App::rc(*waiters[i]) == Status::Ok);
            app.park(*waiters[i]);
        }
        app.kernel.run(app.thread);
        return App::answer<futex::Wake_Response>(app.thread).woken;
    };
    std::ranges::sort(waiters, std::greater{}, [](Thread* each) { return each->home.priority; });
    app.wake(app.thread, kWord, 1);
    CHECK(park_from(0, 1) == 1);
    app.wake(app.thread, kWord, 3);
    CHECK(park_from(1, 4) == 3);
    app.wake(app.thread, kWord, ~u32{0});
    CHECK(park_from(4, kWaiters) == kWaiters - 4);
    CHECK(Kernel::is_waiting(elsewhere));
    app.wake(app.thread, kWord, 1);
    CHECK(park_from(0, 0) == 0);
}

TEST_CASE("who waits for a word and is given a priority is woken by that", "[kernel][control]") {
    App app;
    Thread& weak = app.kernel.add_thread(app.process, 110);
    Thread& strong = app.kernel.add_thread(app.process, 120);
    app.wait(strong, kWord);
    app.wait(weak, kWord);
    kernel::scheduler().reprioritize(weak, 130);
    app.wake(app.thread, kWord, 1);
    CHECK(app.kernel.is_running(weak));
}

TEST_CASE("addresses of words are only claims", "[kernel][control]") {
    App app{GENERATE(false, true)};
    app.wait(app.thread, kWord + 1);
    CHECK(App::rc(app.thread) == Status::InvalidArgument);
    for (const u64 address : {kNowhere, u64{1} << 39, ~u64{3}}) {
        app.wait(app.thread, address);
        CHECK(App::rc(app.thread) == Status::SourceFault);
        const futex::Requeue_Request in{.address = address, .target = kOther};
        app.ask<futex::Requeue_Response>(app.thread, futex::Method::Requeue, in);
        const auto answer = App::answer<futex::Requeue_Response>(app.thread);
        CHECK(static_cast<Status>(answer.rc) == Status::SourceFault);
    }
}

TEST_CASE("requeue wakes some and moves others", "[kernel][control]") {
    App app;
    constexpr u32 kWaiters = 20;
    std::vector<Thread*> waiters;
    for (u32 i = 0; i < kWaiters; ++i) {
        waiters.push_back(&app.kernel.add_thread(app.process));
        app.wait(*waiters.back(), kWord);
    }
    app.requeue(app.thread, 0, 2, 15);
    const auto answer = App::answer<futex::Requeue_Response>(app.thread);
    CHECK(answer.rc == 0);
    CHECK(answer.woken == 2);
    CHECK(answer.moved == 15);
    for (u32 i = 0; i < kWaiters; ++i) {
        CHECK(Kernel::is_waiting(*waiters[i]) == (i >= 2));
    }
    app.wake(app.thread, kOther, 99);
    CHECK(App::answer<futex::Wake_Response>(app.thread).woken == 15);
    app.wake(app.thread, kWord, 99);
    CHECK(App::answer<futex::Wake_Response>(app.thread).woken == 3);
}

TEST_CASE("requeue refuses what it cannot do", "[kernel][control]") {
    App app;
    const auto rc = [&app] {
        return static_cast<Status>(App::answer<futex::Requeue_Response>(app.thread).rc);
    };
    app.requeue(app.thread, 1, 1, 1);
    CHECK(rc() == Status::Busy);
    app.requeue(app.thread, 0, 1, 1, kWord);
    CHECK(rc() == Status::InvalidArgument);
    app.requeue(app.thread, 0, 1, 1, kOther + 2);
    CHECK(rc() == Status::InvalidArgument);
}

TEST_CASE("the owner of a lock runs as strongly as who waits for it", "[kernel][control]") {
    App app;
    Thread& owner = app.thread;
    Thread& middle = app.kernel.add_thread(app.process, 110);
    app.park(middle);
    Thread& strong = app.kernel.add_thread(app.process, 120);
    app.set_word(kWord, kernel::thread_id(owner));
    app.lock(strong);
    REQUIRE(Kernel::is_waiting(strong));
    CHECK(owner.effective() == 120);
    kernel::ipc::end_wait(middle, Status::Ok);
    app.kernel.interrupt();
    CHECK(app.kernel.is_running(owner));
    futex::Unlock_Request in{};
    in.address = kWord;
    app.ask<futex::Unlock_Response>(owner, futex::Method::Unlock, in);
    CHECK(app.kernel.is_running(strong));
    CHECK(App::rc(strong) == Status::Ok);
    CHECK(app.word(kWord) == kernel::thread_id(strong));
    CHECK(owner.effective() == 100);
    app.park(strong);
    CHECK(app.kernel.is_running(middle));
}

TEST_CASE("a lock goes to the strongest, and the others follow it", "[kernel][control]") {
    App app;
    Thread& owner = app.thread;
    app.set_word(kWord, kernel::thread_id(owner));
    app.set_word(kOther + 4, kernel::thread_id(owner));
    Thread* waiters[6];
    for (u32 i = 0; i < 3; ++i) {
        waiters[i] = &app.kernel.add_thread(app.process, 110 + i);
        app.lock(*waiters[i]);
    }
    waiters[4] = &app.kernel.add_thread(app.process, 114);
    app.park(*waiters[4]);
    waiters[3] = &app.kernel.add_thread(app.process, 113);
    app.set_word(kOther, kernel::thread_id(*waiters[4]));
    app.lock(*waiters[3], kOther);
    kernel::ipc::end_wait(*waiters[4], Status::Ok);
    app.lock(*waiters[4]);
    waiters[5] = &app.kernel.add_thread(app.process, 115);
    app.lock(*waiters[5], kOther + 4);
    CHECK(owner.effective() == 115);
    CHECK(app.kernel.is_running(owner));
    CHECK(app.unlock(owner) == Status::Ok);  // still raised by the other lock
    CHECK(app.word(kWord) == (kernel::thread_id(*waiters[4]) | futex::LockIsAwaited));
    CHECK(test::length_of(waiters[4]->followers) == 4);
    CHECK(owner.effective() == 115);
    u32 last = 200;
    for (const Thread& each : waiters[4]->followers) {
        CHECK(each.effective() <= last);
        CHECK(each.leader == waiters[4]);
        last = each.effective();
    }
    futex::Unlock_Request in{};
    in.address = kOther + 4;
    app.ask<futex::Unlock_Response>(owner, futex::Method::Unlock, in);
    CHECK(app.kernel.is_running(*waiters[5]));
    CHECK(owner.effective() == 100);
}

TEST_CASE("priority passes along a chain of locks and calls", "[kernel][control]") {
    App app;
    app.kernel.policy.add_method(kServerClass, 0, 0, make_shape(8), make_shape(8));
    Thread& server = app.kernel.add_process("server", kServerClass, 110);
    const u32 listener = app.kernel.add_listener(*server.process);
    const u32 channel = app.kernel.add_channel(app.process, *server.process);
    app.kernel.receive(server, listener);
    Thread& strong = app.kernel.add_thread(app.process, 150);
    app.set_word(kWord, kernel::thread_id(app.thread));
    app.park(strong);
    app.kernel.call(app.thread, channel, request_tag(0, 0, 8), {.words = {1}});
    REQUIRE(app.kernel.is_running(server));
    kernel::ipc::end_wait(strong, Status::Ok);
    app.kernel.interrupt();
    app.lock(strong);
    CHECK(app.thread.effective() == 150);
    CHECK(server.effective() == 150);
    CHECK(app.kernel.is_running(server));
}

TEST_CASE("a lock whose wait ends early raises nobody any more", "[kernel][control]") {
    App app;
    Thread& strong = app.kernel.add_thread(app.process, 150);
    app.set_word(kWord, kernel::thread_id(app.thread));
    app.kernel.run(strong);
    app.lock(strong, kWord, machine().read_clock().value + 100);
    CHECK(app.thread.effective() == 150);
    SECTION("at its deadline") {
        machine().advance(base::Ticks{100});
        app.kernel.interrupt();
        CHECK(App::rc(strong) == Status::Timeout);
    }
    SECTION("by the thread's end") { kernel::end_thread(strong); }
    CHECK(app.thread.effective() == 100);
    CHECK(app.word(kWord) == (kernel::thread_id(app.thread) | futex::LockIsAwaited));
    if (strong.phase() != kernel::state::kDead) {
        app.park(strong);
    }
    CHECK(app.unlock(app.thread) == Status::Ok);
    CHECK(app.word(kWord) == 0);
}

TEST_CASE("an owner's end is told to who waits for its locks", "[kernel][control]") {
    App app;
    Thread& owner = app.kernel.add_thread(app.process, 90);
    Thread& first = app.kernel.add_thread(app.process, 110);
    const u32 id = kernel::thread_id(owner);
    app.set_word(kWord, id);
    app.set_word(kOther, id);
    app.lock(first);
    Thread& second = app.kernel.add_thread(app.process, 120);
    app.lock(second, kOther);
    kernel::end_thread(owner);
    app.kernel.settle();
    for (Thread* each : {&second, &first}) {
        app.kernel.run(*each);
        CHECK(App::rc(*each) == Status::ResourceNotFound);
        app.park(*each);
    }
    CHECK(app.word(kWord) == (id | futex::LockIsAwaited));
    app.lock(app.thread);
    CHECK(App::rc(app.thread) == Status::ResourceNotFound);
    CHECK(kernel::scheduler().threads.find(id % kernel::kMaxThreads) == nullptr);
}

TEST_CASE("a lock refuses what it cannot do", "[kernel][control]") {
    App app;
    Thread& other = app.kernel.add_thread(app.process);
    futex::Lock_Request in{};
    in.address = kWord;
    in.expected = kernel::thread_id(other);
    app.ask<futex::Lock_Response>(app.thread, futex::Method::Lock, in);
    CHECK(App::rc(app.thread) == Status::InvalidArgument);
    in.expected |= futex::LockIsAwaited;
    app.ask<futex::Lock_Response>(app.thread, futex::Method::Lock, in);
    CHECK(App::rc(app.thread) == Status::Busy);
    for (const u32 nobody : {u32{0}, kernel::thread_id(other) ^ 0x100, ~futex::LockIsAwaited}) {
        app.set_word(kWord, nobody);
        app.lock(app.thread);
        CHECK(App::rc(app.thread) == Status::ResourceNotFound);
    }
    Thread& foreign = app.kernel.add_process("other", kOtherClass);
    app.set_word(kWord, kernel::thread_id(foreign));
    app.lock(app.thread);
    CHECK(App::rc(app.thread) == Status::ResourceNotFound);
    CHECK(app.unlock(app.thread) == Status::NotReady);
    in.address = kNowhere;
    app.ask<futex::Lock_Response>(app.thread, futex::Method::Lock, in);
    CHECK(App::rc(app.thread) == Status::SourceFault);
    CHECK(app.unlock(app.thread, kNowhere) == Status::SourceFault);
    CHECK(app.unlock(app.thread, kWord + 2) == Status::InvalidArgument);
}

TEST_CASE("waits for locks do not close a circle", "[kernel][control]") {
    App app;
    Thread& other = app.kernel.add_thread(app.process);
    app.set_word(kWord, kernel::thread_id(app.thread));
    app.set_word(kOther, kernel::thread_id(other));
    app.lock(app.thread);
    CHECK(App::rc(app.thread) == Status::Deadlock);
    app.lock(other);
    REQUIRE(Kernel::is_waiting(other));
    app.lock(app.thread, kOther);
    CHECK(App::rc(app.thread) == Status::Deadlock);
}

TEST_CASE("a chain of locks has at most seventeen links", "[kernel][control]") {
    App app;
    Thread* before = &app.thread;
    for (u32 i = 0; i < kernel::kMaxChain + 2; ++i) {
        Thread& next = app.kernel.add_thread(app.process);
        app.set_word(kWord + 8 * i, kernel::thread_id(*before));
        app.lock(next, kWord + 8 * i);
        CHECK(Kernel::is_waiting(next) == (i <= kernel::kMaxChain));
        before = &next;
    }
    CHECK(App::rc(*before) == Status::Deadlock);
}

TEST_CASE("a lock that can be read only stays as it is", "[kernel][control]") {
    App app;
    Thread& other = app.kernel.add_thread(app.process);
    app.set_word(kWord, kernel::thread_id(app.thread));
    app.lock(other);
    REQUIRE(app.process.table.protect(base::VirtAddr{kUserMemory}, {.read = true}).ok());
    CHECK(app.unlock(app.thread) == Status::SourceFault);
    CHECK(Kernel::is_waiting(other));
    CHECK(test::length_of(app.thread.followers) == 1);
}
