// SPDX-License-Identifier: Apache-2.0
// The controller: holds the level at the target by moving the valve, once per report of the sensor.
#include <plant/Controller.edl.hpp>
#include <plant/Valve.client.hpp>
#include <plant/Valve.endpoints.hpp>
#include <runtime/console.hpp>
#include <runtime/log.hpp>
#include <runtime/process.hpp>
#include <runtime/status_text.hpp>
#include <sdk/examples/plant/tank.hpp>

namespace {

using base::s32;
using base::Status;
using base::u32;

constexpr u32 kWidestOpening = 80;  // percent; the policy has the same limit
constexpr u32 kHighestTarget = 100;
constexpr u32 kFirstTarget = 30;

class ControllerService final : public plant::Measure::Server, public plant::Control::Server {
public:
    explicit ControllerService(u32 valve) : valve_(valve, plant::Valve::endpoint::valve) {}

    idl::Outcome<plant::Measure::Report_Results>
    Report(const idl::Caller& caller, const plant::Measure::Report_Arguments& in) override {
        (void)caller;
        level_ = in.level < plant::kFullLevel ? in.level : plant::kFullLevel;
        ++reports_;
        const u32 wanted = plant::opening_for(target_, level_, kWidestOpening);
        const auto moved = valve_.Set(wanted);
        if (moved.ok()) {
            opening_ = moved.value().applied;
        }
        note_valve(moved.status());
        return plant::Measure::Report_Results{.opening = opening_,
                                              .rc = static_cast<s32>(moved.status())};
    }

    idl::Outcome<plant::Control::SetTarget_Results>
    SetTarget(const idl::Caller& caller, const plant::Control::SetTarget_Arguments& in) override {
        (void)caller;
        if (in.percent > kHighestTarget) {
            return plant::Control::SetTarget_Results{.rc =
                                                         static_cast<s32>(Status::InvalidArgument)};
        }
        target_ = in.percent;
        return plant::Control::SetTarget_Results{.rc = 0};
    }

    idl::Outcome<plant::Control::Status_Results>
    Status(const idl::Caller& caller, const plant::Control::Status_Arguments& in) override {
        (void)caller;
        (void)in;
        return plant::Control::Status_Results{
            .target = target_, .level = level_, .opening = opening_, .reports = reports_, .rc = 0};
    }

    idl::Outcome<plant::Control::Note_Results>
    Note(const idl::Caller& caller, const plant::Control::Note_Arguments& in) override {
        (void)caller;
        sdk::LogLine{"controller", "note"}.field("text", in.text);
        return plant::Control::Note_Results{.rc = 0};
    }

private:
    /// One line when the valve is lost and one when it is back.
    void note_valve(base::Status status) {
        if (status != valve_status_) {
            valve_status_ = status;
            sdk::LogLine{"controller", "valve"}.field("status", sdk::name_of(status));
        }
    }

    plant::Valve::Proxy valve_;
    u32 target_ = kFirstTarget;
    u32 level_ = 0;
    u32 opening_ = 0;
    u32 reports_ = 0;
    base::Status valve_status_ = base::Status::Ok;
};

}  // namespace

s32 sdk::program_main(const StartBlock& start) {
    auto console = Console::open(start);
    if (console.ok()) {
        Console::log_to(console.value());
    }
    const auto valve = start.connection("valve");
    if (!valve.ok()) {
        LogLine{"controller", "no-connection"}.field("to", "valve");
        return 1;
    }
    ControllerService controller{valve.value()};
    plant::Controller::Dispatcher dispatcher{start.listener(), controller, controller};
    LogLine{"controller", "listener-lost"}.field("status", name_of(dispatcher.run()));
    return 1;
}
