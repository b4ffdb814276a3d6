// SPDX-License-Identifier: Apache-2.0
// Driver of the PL031 real-time clock, as far as its alarm goes: the first thread serves
// interrupts, the second, of low priority, raises them.
#include <bench/Driver.endpoints.hpp>
#include <bench/Pulse.idl.hpp>
#include <driver/device.hpp>
#include <runtime/process.hpp>
#include <runtime/svc.hpp>
#include <runtime/thread.hpp>
#include <tessera/Irq.idl.hpp>
#include <test/bench/programs/loops.hpp>

namespace {

namespace pulse = bench::Pulse;
using base::s32;
using base::u16;
using base::u32;
using base::u64;

constexpr u64 kWindowBytes = 0x20;
constexpr u64 kInterruptMask = 0x10;  // [PL031] "RTCIMSC": 1 lets the alarm interrupt
constexpr u64 kTickPhases = 16;       // instructions a tick: each start differs against it
constexpr u64 kWarmRounds = 16;
constexpr u32 kLowPriority = 100;
constexpr s32 kExitNoDevice = 1;
constexpr s32 kExitNoRegisters = 2;
constexpr s32 kExitNoInterrupt = 3;
constexpr s32 kExitRequest = 4;
constexpr s32 kExitThread = 5;
constexpr u64 kBadge = 1;

/// What the two threads share. The second one looks at `arrival` only right after a store that
/// interrupts it, so the first one is not writing then.
struct Pulse {
    u64 registers = 0;
    u64 rounds = 0;
    u64 token = 0;
    bench::Arrival arrival{};
};

/// Raises them all and answers the call that asked for it.
void raise_all(void* argument) {
    Pulse& shared = *static_cast<Pulse*>(argument);
    u64 ticks = 0;
    u64 missed = 0;
    for (u64 i = 0; i < kWarmRounds + shared.rounds; ++i) {
        const u64 before = shared.arrival.count;
        const u64 raised = bench::bench_raise(shared.registers, 1 + i % kTickPhases);
        if (i < kWarmRounds) {
            continue;
        }
        if (shared.arrival.count == before) {
            ++missed;  // the second changed between reading the clock and setting the alarm
        } else {
            ticks += shared.arrival.ticks - raised;
        }
    }
    const abi::Tag answer = abi::Tag::make_short(abi::Kind::Response,
                                                 bench::Driver::endpoint::pulse,
                                                 static_cast<u16>(pulse::Method::Measure),
                                                 pulse::kMeasure_ResponseSize);
    (void)sdk::reply_short(shared.token, answer, sdk::ShortWords<2>{{ticks, missed}});
}

}  // namespace

s32 sdk::program_main(const StartBlock& start) {
    const auto node = start.find_device("arm,pl031");
    if (!node.ok()) {
        return kExitNoDevice;
    }
    const auto registers = driver::map_registers(node.value(), 0, kWindowBytes);
    if (!registers.ok()) {
        return kExitNoRegisters;
    }
    registers.value().write32(kInterruptMask, 1);
    if (!driver::attach_interrupt(node.value(), 0, start.listener(), kBadge).ok()) {
        return kExitNoInterrupt;
    }
    const u64 raised = abi::Tag::make_short(abi::Kind::Request,
                                            abi::kIrqEndpoint,
                                            static_cast<u16>(tessera::Irq::Method::Raised),
                                            tessera::Irq::kRaised_RequestSize)
                           .value;
    Pulse shared{};
    shared.registers = registers.value().address();
    while (true) {
        bench::bench_take_interrupts(start.listener(), shared.registers, raised, &shared.arrival);
        if (shared.arrival.token == 0 || shared.token != 0) {
            return kExitRequest;  // the listener is lost, or a second measurement was asked for
        }
        shared.token = shared.arrival.token;
        shared.rounds = shared.arrival.word;
        if (!start_thread(raise_all, &shared, {.priority = kLowPriority}).ok()) {
            return kExitThread;
        }
    }
}
