// SPDX-License-Identifier: Apache-2.0
// Threads of one process: start, end, priorities, CPUs, futexes.
#include <atomic>
#include <runtime/thread.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/support/kernel.hpp>

namespace trial {

namespace {

constinit volatile u32 flag = 0;
constinit volatile u32 word = 0;
constinit std::atomic<u32> done{0};

bool wait_done(u32 count) {
    for (u32 i = 0; i < 5000 && done < count; ++i) {
        sdk::sleep_ms(1);
    }
    return done >= count;
}

void start_and_end(Report& report) {
    Test test{report, "threads.start-and-end"};
    done = 0;
    constexpr u32 kCount = 20;
    (void)vmm().Free(allocate(kCount * 2 * kPage), kCount * 2 * kPage);  // page tables of the place
    const Holdings before = settled_holdings();
    const u64 stacks = allocate(kCount * 2 * kPage);
    for (u32 i = 0; i < kCount; ++i) {
        const auto thread = threads().Create(__builtin_bit_cast(
                                                 u64,
                                                 +[](u64) {
                                                     ++done;
                                                     (void)threads().Exit(0);
                                                 }),
                                             stacks + (i + 1) * 2 * kPage,
                                             i,
                                             0,
                                             100);
        test.equal("create", thread.status(), Status::Ok);
        (void)handles().Close(thread.value().thread.handle);
    }
    test.require("all ran", wait_done(kCount), done);
    (void)vmm().Free(stacks, kCount * 2 * kPage);
    require_restored(test, before);
}

void terminated(Report& report) {
    Test test{report, "threads.terminate"};
    static volatile u64 counter;
    const auto thread = sdk::start_thread(
        [](void*) {
            while (true) {
                counter = counter + 1;
            }
        },
        nullptr,
        {.priority = 100});
    test.require("started", thread.ok());
    sdk::sleep_ms(20);
    test.equal("terminate", threads().Terminate(thread.value()).status(), Status::Ok);
    // On another CPU it ends when that one enters the kernel: a moment later, on any host.
    bool stands_still = false;
    for (u32 i = 0; i < 200 && !stands_still; ++i) {
        const u64 count = counter;
        sdk::sleep_ms(20);
        stands_still = counter == count;
    }
    test.require("stands still", stands_still);
    test.equal("again", threads().Terminate(thread.value()).status(), Status::NotReady);
    test.equal("of itself", threads().Terminate(0).status(), Status::InvalidArgument);
    (void)handles().Close(thread.value());
}

void wrong_arguments(Report& report) {
    Test test{report, "threads.wrong-arguments-refused"};
    const auto create = [](u64 entry, u32 priority) {
        return threads().Create(entry, 0x1000, 0, 0, priority).status();
    };
    test.equal("priority above the process's", create(0x1000, 111), Status::InvalidArgument);
    test.equal("priority out of range", create(0x1000, 256), Status::InvalidArgument);
    test.equal("entry in the kernel", create(0xFFFF'FFC0'0000'0000, 10), Status::InvalidArgument);
    test.equal("own priority above the process's",
               threads().SetPriority(0, 200).status(),
               Status::InvalidArgument);
    test.equal("no CPU", threads().SetAffinity(0, 0).status(), Status::InvalidArgument);
    test.equal("CPUs that are not there",
               threads().SetAffinity(0, u64{1} << 40).status(),
               Status::InvalidArgument);
}

void priorities(Report& report) {
    Test test{report, "threads.lower-priority-waits"};
    // On one CPU, a thread of lower priority runs only when this one waits.
    test.equal("one CPU", threads().SetAffinity(0, 1).status(), Status::Ok);
    flag = 0;
    const auto thread = sdk::start_thread(
        [](void*) {
            (void)threads().SetAffinity(0, 1);
            flag = 1;
            flag = 2;
        },
        nullptr,
        {.priority = 20});
    test.require("started", thread.ok());
    for (u32 i = 0; i < 2000 && flag == 0; ++i) {
        sdk::sleep_ms(1);
    }
    test.require("runs when this one sleeps", flag != 0);
    (void)handles().Close(thread.value());
    u64 every = 0;
    for (u32 i = 0; i < cpu_count(); ++i) {
        every |= u64{1} << i;
    }
    test.equal("all CPUs", threads().SetAffinity(0, every).status(), Status::Ok);
}

void round_robin(Report& report) {
    Test test{report, "threads.equals-share-a-cpu"};
    static volatile u64 counts[3];
    static constinit volatile u32 stop = 0;
    for (u64 i = 0; i < 3; ++i) {
        counts[i] = 0;
        const auto thread = sdk::start_thread(
            [](void* argument) {
                (void)threads().SetAffinity(0, 1);
                const u64 index = __builtin_bit_cast(u64, argument);
                while (stop == 0) {
                    counts[index] = counts[index] + 1;
                }
                ++done;
            },
            __builtin_bit_cast(void*, i),
            {.priority = 60});
        test.require("started", thread.ok());
        (void)handles().Close(thread.value());
    }
    done = 0;
    sdk::sleep_ms(300);
    stop = 1;
    test.require("all ended", wait_done(3), done);
    const u64 sum = counts[0] + counts[1] + counts[2];
    for (const volatile u64& count : counts) {
        test.require("a fair share", count > sum / 10, count);
    }
}

void futexes(Report& report) {
    Test test{report, "threads.futex-wakes"};
    done = 0;
    word = 0;
    constexpr u32 kWaiters = 4;
    for (u32 i = 0; i < kWaiters; ++i) {
        const auto thread = sdk::start_thread(
            [](void*) {
                if (sync().Wait(address_of(&word), 0, 0).ok()) {
                    ++done;
                }
            },
            nullptr,
            {.priority = 100});
        (void)handles().Close(thread.value());
    }
    sdk::sleep_ms(50);
    test.equal("none woke by itself", done.load(), 0);
    test.equal("one", sync().Wake(address_of(&word), 1).value().woken, 1);
    test.require("one woke", wait_done(1), done);
    test.equal("other word", sync().Wake(address_of(&flag), 9).value().woken, 0);
    test.equal("the rest", sync().Wake(address_of(&word), 99).value().woken, kWaiters - 1);
    test.require("all woke", wait_done(kWaiters), done);
}

void joined(Report& report) {
    Test test{report, "threads.end-is-waited-for"};
    static constinit std::atomic<u32> go{0};
    go = 0;
    const auto thread = sdk::start_thread(
        [](void*) {
            while (go == 0) {
                sdk::sleep_ms(1);
            }
            (void)threads().Exit(-7);
        },
        nullptr,
        {.priority = 100});
    test.require("started", thread.ok());
    test.equal("not yet", threads().Wait(thread.value(), 0).status(), Status::Timeout);
    test.equal("nor soon", threads().Wait(thread.value(), 20).status(), Status::Timeout);
    go = 1;
    const auto ended = threads().Wait(thread.value(), kl::core::Thread::NoLimit);
    test.equal("status", ended.status(), Status::Ok);
    test.equal("code", ended.value().code, -7);
    test.equal("again", threads().Wait(thread.value(), 0).value().code, -7);
    test.equal("itself", threads().Wait(0, 10).status(), Status::Deadlock);
    (void)handles().Close(thread.value());
}

void suspended(Report& report) {
    Test test{report, "threads.suspend-and-resume"};
    static constinit std::atomic<u32> steps{0};
    steps = 0;
    const auto thread = sdk::start_thread(
        [](void*) {
            steps = 1;
            (void)threads().Suspend();
            steps = 2;
        },
        nullptr,
        {.priority = 100});
    test.require("started", thread.ok());
    const auto state = [&] { return threads().GetInfo(thread.value()).value().state; };
    for (u32 i = 0; i < 2000 && state() != kl::core::Thread::Suspended; ++i) {
        sdk::sleep_ms(1);
    }
    test.equal("state", state(), kl::core::Thread::Suspended);
    sdk::sleep_ms(20);
    test.equal("stays", steps.load(), 1);
    test.equal("resume", threads().Resume(thread.value()).status(), Status::Ok);
    test.equal("ends", threads().Wait(thread.value(), 5000).status(), Status::Ok);
    test.equal("went on", steps.load(), 2);
    test.equal("after its end", threads().Resume(thread.value()).status(), Status::NotReady);
    test.equal("itself", threads().Resume(0).status(), Status::NotReady);
    (void)handles().Close(thread.value());
}

void described(Report& report) {
    Test test{report, "threads.tell-what-they-are"};
    const auto self = threads().Attach();
    test.equal("attach", self.status(), Status::Ok);
    const u32 handle = self.value().thread.handle;
    const auto info = threads().GetInfo(handle);
    test.equal("info", info.status(), Status::Ok);
    test.equal("same id", info.value().id, threads().GetInfo(0).value().id);
    test.equal("state", info.value().state, kl::core::Thread::Ready);
    const u64 here = address_of(__builtin_frame_address(0));
    test.require("stack", here - info.value().stack < info.value().stackSize, info.value().stack);
    test.equal("affinity", threads().GetAffinity(handle).value().mask, (u64{1} << cpu_count()) - 1);
    test.equal("set TLS", threads().SetTls(0x1230).status(), Status::Ok);
    test.equal("TCB", threads().GetTcb().value().tcb, 0x1230);
    (void)handles().Close(handle);
    test.equal("closed", threads().GetInfo(handle).status(), Status::BadHandle);
    test.equal("no thread", threads().GetInfo(sdk::kKernelHandle).status(), Status::WrongType);
    test.equal("no line", threads().DetachIrq(sdk::kKernelHandle).status(), Status::WrongType);
}

void policies(Report& report) {
    Test test{report, "threads.policies"};
    namespace thread = kl::core::Thread;
    const auto set = [](u32 kind, u32 priority, u32 parameter) {
        return threads().SetSchedPolicy(0, kind, priority, parameter).status();
    };
    test.equal("round robin", set(thread::RoundRobin, 110, 2000), Status::Ok);
    const auto got = threads().GetSchedPolicy(0);
    test.equal("kind", got.value().kind, thread::RoundRobin);
    test.equal("priority", got.value().priority, 110);
    test.equal("slice", got.value().parameter, 2000);
    test.equal("no kind", set(3, 110, 0), Status::InvalidArgument);
    test.equal("too strong", set(thread::Fifo, 111, 0), Status::InvalidArgument);
    test.equal("short slice", set(thread::RoundRobin, 110, 99), Status::InvalidArgument);
    test.equal("long slice", set(thread::RoundRobin, 110, 1'000'001), Status::InvalidArgument);
    test.equal("slice of FIFO", set(thread::Fifo, 110, 1000), Status::InvalidArgument);
    test.equal("standard", set(thread::Standard, 110, 0), Status::Ok);
}

/// Two equal threads on one CPU: the second runs only when the first, with FIFO, is done.
void fifo(Report& report) {
    Test test{report, "threads.fifo-keeps-its-cpu"};
    static constinit volatile u32 turn = 0;
    static constinit volatile u64 seen = 0;
    turn = 0;
    const auto worker = [](u32 kind, void (*entry)(void*)) {
        const auto thread = sdk::start_thread(entry, nullptr, {.priority = 60});
        (void)threads().SetSchedPolicy(thread.value(), kind, 60, 0);
        return thread.value();
    };
    test.equal("one CPU", threads().SetAffinity(0, 1).status(), Status::Ok);
    const u32 first = worker(kl::core::Thread::Fifo, [](void*) {
        (void)threads().SetAffinity(0, 1);
        turn = 1;
        const u64 end = sdk::now_ticks() + sdk::ticks_of_ms(60);
        while (sdk::now_ticks() < end) {
        }
        seen = turn;
    });
    const u32 other = worker(kl::core::Thread::Standard, [](void*) {
        (void)threads().SetAffinity(0, 1);
        while (turn == 0) {
            (void)threads().Sleep(0);
        }
        turn = 2;
    });
    test.equal("first ended", threads().Wait(first, 5000).status(), Status::Ok);
    test.equal("other ended", threads().Wait(other, 5000).status(), Status::Ok);
    test.equal("nobody ran meanwhile", seen, 1);
    (void)handles().Close(first);
    (void)handles().Close(other);
    test.equal(
        "all CPUs", threads().SetAffinity(0, (u64{1} << cpu_count()) - 1).status(), Status::Ok);
}

void every_cpu(Report& report, u32 cpus) {
    Test test{report, "threads.run-on-every-cpu"};
    done = 0;
    for (u64 cpu = 0; cpu < cpus; ++cpu) {
        const auto thread = sdk::start_thread(
            [](void* argument) {
                const u64 mask = u64{1} << __builtin_bit_cast(u64, argument);
                if (threads().SetAffinity(0, mask).ok()) {
                    ++done;
                }
            },
            __builtin_bit_cast(void*, cpu),
            {.priority = 100});
        (void)handles().Close(thread.value());
    }
    test.require("all ran", wait_done(cpus), done);
}

}  // namespace

void run(Report& report, const Context& context) {
    start_and_end(report);
    terminated(report);
    wrong_arguments(report);
    priorities(report);
    round_robin(report);
    futexes(report);
    joined(report);
    suspended(report);
    described(report);
    policies(report);
    fifo(report);
    every_cpu(report, context.cpus);
}

}  // namespace trial
