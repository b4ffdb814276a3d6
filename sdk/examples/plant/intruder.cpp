// SPDX-License-Identifier: Apache-2.0
// The intruder: remote maintenance, taken over by somebody. It has what maintenance needs, a
// connection to the controller, and one to the valve that nobody ever removed; and it tries what an
// attacker with those would try. The list is data: a title for people and what to do.
#include <kernel/base/mmio.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/IO.client.hpp>
#include <kl/core/Task.client.hpp>
#include <plant/Control.client.hpp>
#include <plant/Controller.endpoints.hpp>
#include <plant/Intruder.edl.hpp>
#include <plant/Measure.idl.hpp>
#include <plant/Valve.client.hpp>
#include <plant/Valve.endpoints.hpp>
#include <runtime/ipc.hpp>
#include <runtime/log.hpp>
#include <runtime/process.hpp>
#include <runtime/status_text.hpp>

namespace {

using base::s32;
using base::Status;
using base::u16;
using base::u32;
using base::u64;
using base::u8;

/// What the intruder has.
struct Surroundings {
    u32 listener = 0;
    u32 controller = 0;
    u32 valve = 0;
    u64 own_token = 0;  ///< of the call that it is serving
};

/// What came of an attempt.
struct Result {
    Status last = Status::Ok;
    u32 tries = 0;
    u32 granted = 0;

    void add(Status status) {
        last = status;
        ++tries;
        granted += status == Status::Ok ? 1 : 0;
    }
};

Result one(Status status) {
    Result result;
    result.add(status);
    return result;
}

Result open_valve(const Surroundings& has) {
    plant::Valve::Proxy valve{has.valve, plant::Valve::endpoint::valve};
    return one(valve.Set(100).status());
}

Result exceed_limit(const Surroundings& has) {
    plant::Control::Proxy control{has.controller, plant::Controller::endpoint::control};
    return one(control.SetTarget(100).status());
}

/// Sends a Valve.Set through a handle.
Status set_through(u32 handle) {
    plant::Valve::Proxy valve{handle, plant::Valve::endpoint::valve};
    return valve.Set(100).status();
}

Result forge_handles(const Surroundings& has) {
    (void)has;
    constexpr u32 kGenerationShift = 16;
    constexpr u32 kFirstSlot = 40;  // far above what a process of this size has
    constexpr u32 kSlots = 12;
    Result result;
    for (u32 slot = kFirstSlot; slot < kFirstSlot + kSlots; ++slot) {
        result.add(set_through((u32{1} << kGenerationShift) | slot));
    }
    // Slots that exist, in generations that do not.
    result.add(set_through(sdk::kKernelHandle + (u32{1} << kGenerationShift)));
    result.add(set_through(has.valve + (u32{1} << kGenerationShift)));
    result.add(set_through(0));
    result.add(set_through(~u32{0}));
    return result;
}

Result call_listener(const Surroundings& has) { return one(set_through(has.listener)); }

/// A Control.Note with a text parameter as `range` says, whatever is in the arena.
Status send_note(u32 controller, abi::ArenaRange range) {
    plant::Control::Note_Request fixed{};
    fixed.text = range;
    alignas(8) const u8 arena[16] = {'h', 'a', 'r', 'm', 'l', 'e', 's', 's'};
    const abi::Tag tag =
        abi::Tag{abi::Tag::make_long(abi::Kind::Request,
                                     plant::Controller::endpoint::control,
                                     static_cast<u16>(plant::Control::Method::Note),
                                     0)
                     .value |
                 abi::Tag::kArena};
    sdk::Incoming incoming;
    sdk::call(controller,
              tag,
              {.fixed = &fixed, .fixed_size = sizeof(fixed), .arena = arena, .arena_size = 16},
              {},
              incoming);
    return incoming.status;
}

Result send_unterminated(const Surroundings& has) {
    return one(send_note(has.controller, {.offset = 0, .size = 8}));
}

Result send_outside(const Surroundings& has) {
    return one(send_note(has.controller, {.offset = 0xFFFF'FFF0, .size = 48}));
}

Result call_unknown_method(const Surroundings& has) {
    constexpr u16 kNoSuchMethod = 77;
    sdk::Incoming incoming;
    sdk::call(has.controller,
              abi::Tag::make_short(
                  abi::Kind::Request, plant::Controller::endpoint::control, kNoSuchMethod, 0),
              {},
              {},
              incoming);
    return one(incoming.status);
}

Result ask_for_registers(const Surroundings& has) {
    (void)has;
    constexpr u64 kSomeDevice = 0x0900'0000;
    kl::core::IO::Proxy io{sdk::kKernelHandle, kl::core::Core::endpoint::io_IO};
    return one(io.RegisterMmio(kSomeDevice, base::kPageSize).status());
}

Result end_valve(const Surroundings& has) {
    kl::core::Task::Proxy task{sdk::kKernelHandle, kl::core::Core::endpoint::task_Task};
    return one(task.Terminate(has.valve).status());
}

/// Tokens that differ in one bit from one that it has seen: those of other threads and calls are
/// among them.
Result guess_tokens(const Surroundings& has) {
    constexpr u32 kBits = 64;
    const abi::Tag tag = abi::Tag::make_short(abi::Kind::Response,
                                              plant::Controller::endpoint::measure,
                                              static_cast<u16>(plant::Measure::Method::Report),
                                              sizeof(plant::Measure::Report_Response));
    const plant::Measure::Report_Response fixed{};
    Result result;
    for (u32 bit = 0; bit < kBits; ++bit) {
        result.add(sdk::reply(
            has.own_token ^ (u64{1} << bit), tag, {.fixed = &fixed, .fixed_size = sizeof(fixed)}));
    }
    return result;
}

Result touch_device(const Surroundings& has) {
    (void)has;
    constexpr u64 kSomeDevice = 0x0900'0000;
    return one(base::Mmio{kSomeDevice}.read32(0) != 0 ? Status::Ok : Status::Fail);
}

struct Attempt {
    std::string_view title;
    Result (*make)(const Surroundings& has);
};

constexpr Attempt kAttempts[] = {
    {"open the valve to 100 %, past the controller", open_valve},
    {"set a target of 100 %, where maintenance may set 60 %", exceed_limit},
    {"call through handles that it made up", forge_handles},
    {"call its own listener as if it led to somebody", call_listener},
    {"send a text without a NUL at its end", send_unterminated},
    {"send a text that lies outside of its message", send_outside},
    {"call a method that does not exist", call_unknown_method},
    {"ask the kernel for the registers of a device", ask_for_registers},
    {"ask the kernel to end the valve", end_valve},
    {"answer somebody else's call, by guessing tokens", guess_tokens},
    {"read a device's registers without asking anybody", touch_device},
};

constexpr u32 kAttemptCount = sizeof(kAttempts) / sizeof(kAttempts[0]);

class AttackService final : public plant::Attack::Server {
public:
    explicit AttackService(const Surroundings& has) : has_(has) {}

    idl::Outcome<plant::Attack::Count_Results>
    Count(const idl::Caller& caller, const plant::Attack::Count_Arguments& in) override {
        (void)caller;
        (void)in;
        return plant::Attack::Count_Results{.count = kAttemptCount};
    }

    idl::Outcome<plant::Attack::Describe_Results>
    Describe(const idl::Caller& caller, const plant::Attack::Describe_Arguments& in) override {
        (void)caller;
        if (in.index >= kAttemptCount) {
            return plant::Attack::Describe_Results{.title = {},
                                                   .rc = static_cast<s32>(Status::InvalidArgument)};
        }
        return plant::Attack::Describe_Results{.title = kAttempts[in.index].title, .rc = 0};
    }

    idl::Outcome<plant::Attack::Try_Results> Try(const idl::Caller& caller,
                                                 const plant::Attack::Try_Arguments& in) override {
        if (in.index >= kAttemptCount) {
            return plant::Attack::Try_Results{.result = 0,
                                              .tries = 0,
                                              .granted = 0,
                                              .rc = static_cast<s32>(Status::InvalidArgument)};
        }
        has_.own_token = caller.token;
        const Result result = kAttempts[in.index].make(has_);
        return plant::Attack::Try_Results{.result = static_cast<s32>(result.last),
                                          .tries = result.tries,
                                          .granted = result.granted,
                                          .rc = 0};
    }

private:
    Surroundings has_;
};

u32 find_connection(const sdk::StartBlock& start, std::string_view id) {
    const auto handle = start.connection(id);
    return handle.ok() ? handle.value() : abi::kInvalidHandle;
}

}  // namespace

s32 sdk::program_main(const StartBlock& start) {
    const Surroundings has{.listener = start.listener(),
                           .controller = find_connection(start, "controller"),
                           .valve = find_connection(start, "valve"),
                           .own_token = 0};
    // What maintenance is there for, and may do.
    plant::Control::Proxy control{has.controller, plant::Controller::endpoint::control};
    const auto noted = control.Note("remote maintenance is connected");
    if (!noted.ok()) {
        LogLine{"intruder", "note"}.field("status", name_of(noted.status()));
    }
    AttackService service{has};
    plant::Intruder::Dispatcher dispatcher{start.listener(), service};
    LogLine{"intruder", "listener-lost"}.field("status", name_of(dispatcher.run()));
    return 1;
}
