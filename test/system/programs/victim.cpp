// SPDX-License-Identifier: Apache-2.0
// Ends or hangs as it is told. Until then it gives init signs of life, if it owes them.
#include <atomic>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Sync.client.hpp>
#include <runtime/heartbeat.hpp>
#include <runtime/ipc.hpp>
#include <runtime/process.hpp>
#include <runtime/thread.hpp>
#include <trial/Victim.edl.hpp>

namespace {

using base::u32;
using base::u64;

/// A word that is 0 until somebody is done.
class Done final {
public:
    void await() {
        kl::core::Sync::Proxy sync{sdk::kKernelHandle, kl::core::Core::endpoint::sync_Sync};
        while (word_ == 0) {
            (void)sync.Wait(__builtin_bit_cast(u64, &word_), 0, 0);
        }
    }

private:
    std::atomic<u32> word_{0};
};

constinit Done first;
constinit Done second;

/// Each would be done once the other is.
void wait_for_each_other() {
    (void)sdk::start_thread([](void*) { first.await(); }, nullptr, {.priority = 100});
    second.await();
}

class Doom final : public trial::Doom::Server {
public:
    idl::Outcome<trial::Doom::Die_Results> Die(const idl::Caller&,
                                               const trial::Doom::Die_Arguments& in) override {
        if (in.way == 0) {
            __builtin_trap();
        }
        sdk::exit_process(in.way == 1 ? 0 : 7);
    }

    idl::Outcome<trial::Doom::Hang_Results> Hang(const idl::Caller&,
                                                 const trial::Doom::Hang_Arguments& in) override {
        if (in.way == 0) {
            for (volatile u64 forever = 0;;) {
                forever = forever + 1;
            }
        }
        if (in.way == 1) {
            wait_for_each_other();
        }
        open_ = 1;
        return trial::Doom::Hang_Results{.done = 0};
    }

    idl::Outcome<trial::Doom::Count_Results> Count(const idl::Caller&,
                                                   const trial::Doom::Count_Arguments&) override {
        return trial::Doom::Count_Results{.count = ++count_};
    }

    /// Of its work, to which answering this does not belong.
    [[nodiscard]] u64 open() const { return open_; }

private:
    u64 count_ = 0;
    u64 open_ = 0;
};

}  // namespace

base::s32 sdk::program_main(const StartBlock& start) {
    Doom doom;
    Heartbeat heartbeat{start};
    trial::Victim::Dispatcher dispatcher{start.listener(), doom};
    while (!is_listener_lost(dispatcher.step(heartbeat.next()))) {
        dispatcher.flush();
        heartbeat.beat(0, doom.open());
    }
    return 1;
}
