// SPDX-License-Identifier: Apache-2.0
// The sensor: measures the level twice a second and reports it. There being no tank, it also
// imagines one (tank.hpp).
#include <plant/Controller.endpoints.hpp>
#include <plant/Measure.client.hpp>
#include <runtime/log.hpp>
#include <runtime/process.hpp>
#include <runtime/status_text.hpp>
#include <runtime/time.hpp>
#include <sdk/examples/plant/tank.hpp>

namespace {

constexpr base::u64 kPeriodMs = 500;

}  // namespace

base::s32 sdk::program_main(const StartBlock& start) {
    const auto controller = start.connection("controller");
    if (!controller.ok()) {
        LogLine{"sensor", "no-connection"}.field("to", "controller");
        return 1;
    }
    plant::Measure::Proxy measure{controller.value(), plant::Controller::endpoint::measure};
    base::u32 level = 0;
    base::u32 opening = 0;
    Status last = Status::Ok;
    while (true) {
        const auto answer = measure.Report(level);
        if (answer.ok()) {
            opening = answer.value().opening;
        }
        if (answer.status() != last) {
            last = answer.status();
            LogLine{"sensor", "report"}.field("status", name_of(last));
        }
        level = plant::next_level(level, opening);
        sleep_ms(kPeriodMs);
    }
}
