// SPDX-License-Identifier: Apache-2.0
// Driver of one PL011: maps its registers, takes its interrupt, serves drivers.Console.
#include <driver/device.hpp>
#include <drivers/Pl011.edl.hpp>
#include <runtime/log.hpp>
#include <runtime/process.hpp>
#include <runtime/status_text.hpp>
#include <services/drivers/pl011/console.hpp>

namespace {

using base::s32;
using base::u32;

constexpr s32 kExitNoDevice = 1;
constexpr s32 kExitNoRegisters = 2;
constexpr s32 kExitNoInterrupt = 3;
constexpr s32 kExitListener = 4;
constexpr base::u64 kInterruptBadge = 1;

/// Big-endian cell of the node, 0 when it is not there.
u32 read_cell(const sdk::StartBlock& start, std::string_view name) {
    const auto bytes = start.property(0, name);
    if (!bytes.ok() || bytes.value().size() != sizeof(u32)) {
        return 0;
    }
    u32 value = 0;
    for (const base::u8 byte : bytes.value()) {
        value = (value << 8) | byte;
    }
    return value;
}

s32 fail(std::string_view event, base::Status status, s32 code) {
    sdk::LogLine{"pl011", event}.field("status", sdk::name_of(status));
    return code;
}

}  // namespace

s32 sdk::program_main(const StartBlock& start) {
    const auto node = start.find_device("arm,pl011");
    if (!node.ok()) {
        return fail("no-device", node.status(), kExitNoDevice);
    }
    const auto registers = driver::map_registers(node.value(), 0, svc::pl011::kWindowBytes);
    if (!registers.ok()) {
        return fail("no-registers", registers.status(), kExitNoRegisters);
    }
    svc::pl011::Device device{registers.value()};
    device.start(
        {.clock_hz = node.value().clock_hz, .bits_per_second = read_cell(start, "current-speed")});
    const auto interrupt =
        driver::attach_interrupt(node.value(), 0, start.listener(), kInterruptBadge);
    if (!interrupt.ok()) {
        return fail("no-interrupt", interrupt.status(), kExitNoInterrupt);
    }
    svc::pl011::ConsoleService service{device};
    drivers::Pl011::Dispatcher dispatcher{start.listener(), service};
    dispatcher.on_irq(service);
    return fail("listener-lost", dispatcher.run(), kExitListener);
}
