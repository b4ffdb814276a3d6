// SPDX-License-Identifier: Apache-2.0
// Signs of life for init (services/Heartbeat.idl), of a component that its description marks
// `heartbeat`; for any other all of this does nothing. One loop:
//
//   Heartbeat heartbeat{start};
//   while (true) {
//       dispatcher.step(heartbeat.next());
//       heartbeat.beat(requests done so far, requests that wait);
//   }
#pragma once

#include <Einit.endpoints.hpp>
#include <runtime/start_block.hpp>
#include <runtime/time.hpp>
#include <services/Heartbeat.client.hpp>

namespace sdk {

class Heartbeat final {
public:
    static constexpr std::string_view kConnection = "heartbeat";

    explicit Heartbeat(const StartBlock& start) {
        const auto channel = start.connection(kConnection);
        channel_ = channel.ok() ? channel.value() : 0;
        next_ = channel_ != 0 ? 1 : 0;
    }

    /// When beat() must be called again, in CNTVCT ticks; 0: never. Fits the deadline of step().
    [[nodiscard]] u64 next() const { return next_; }

    /// Gives a sign if it is time for one: four in each period, so that init may miss some. Waits
    /// for init no longer than until the next. `done` and `open` as in the interface.
    void beat(u64 done, u64 open) {
        if (channel_ == 0 || now_ticks() < next_) {
            return;
        }
        services::Heartbeat::Proxy init{channel_, Einit::endpoint::heartbeat};
        const u64 limit = now_ticks() + ticks_of_ms(quarter_ms_);
        const auto answer = init.until(limit).Beat(done, open);
        if (answer.ok()) {
            quarter_ms_ = answer.value().withinMs / kSignsInPeriod;
        }
        next_ = quarter_ms_ != 0 ? now_ticks() + ticks_of_ms(quarter_ms_) : 0;
    }

private:
    static constexpr u64 kSignsInPeriod = 4;

    u32 channel_ = 0;
    u64 next_ = 0;
    u64 quarter_ms_ = 25;  // until init says
};

}  // namespace sdk
