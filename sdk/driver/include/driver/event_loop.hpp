// SPDX-License-Identifier: Apache-2.0
// One thread, one listener: requests of clients, interrupts and timers in turn. Interrupts and
// requests come through the class's generated Dispatcher; this adds the timers.
#pragma once

#include <concepts>
#include <driver/timers.hpp>
#include <kernel/base/status.hpp>
#include <runtime/ipc.hpp>
#include <runtime/time.hpp>

namespace sdk::driver {

/// A generated Dispatcher.
template <typename T>
concept Stepper = requires(T dispatcher, u64 deadline) {
    { dispatcher.step(deadline) } -> std::same_as<base::Status>;
};

/// Serves until the listener is unusable, and gives the Status that ended it. `on_timer(number)`
/// is called for each timer that came due; it may start timers again.
template <Stepper Dispatcher, u32 count, std::invocable<u32> OnTimer>
base::Status run(Dispatcher& dispatcher, Timers<count>& timers, OnTimer on_timer) {
    while (true) {
        const base::Status status = dispatcher.step(timers.next());
        if (is_listener_lost(status)) {
            return status;
        }
        for (u32 due = timers.take_due(now_ticks()); due < count;
             due = timers.take_due(now_ticks())) {
            on_timer(due);
        }
    }
}

}  // namespace sdk::driver
