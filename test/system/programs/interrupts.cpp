// SPDX-License-Identifier: Apache-2.0
// Interrupts as messages, with the transmit interrupt of the console's PL011: it is pending
// whenever its FIFO has room after something was written, so it comes when it is unmasked.
#include <kernel/base/mmio.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/support/kernel.hpp>

namespace trial {

namespace {

// [PL011] "Interrupt mask set/clear", "Raw interrupt status", "Interrupt clear"
constexpr u64 kData = 0x00;
constexpr u64 kMask = 0x38;
constexpr u64 kClear = 0x44;
constexpr u32 kTransmit = 1 << 5;
constexpr u64 kBadge = 0xB0B0;

sdk::Incoming wait_interrupt(u32 listener, u64 milliseconds) {
    sdk::Incoming incoming;
    sdk::receive(listener, 0, {}, incoming, sdk::now_ticks() + sdk::ticks_of_ms(milliseconds));
    return incoming;
}

Status answer(const sdk::Incoming& incoming) {
    return sdk::reply(
        incoming.token, abi::Tag::make_short(abi::Kind::Response, abi::kIrqEndpoint, 0, 0), {});
}

void deliver(Report& report, base::Mmio uart, u32 listener, const sdk::start::Interrupt& line) {
    Test test{report, "interrupts.arrive-as-messages"};
    for (u32 i = 0; i < 20; ++i) {
        uart.write32(kData, '.');
        uart.write32(kMask, kTransmit);
        const sdk::Incoming incoming = wait_interrupt(listener, 1000);
        uart.write32(kMask, 0);
        uart.write32(kClear, kTransmit);
        if (!test.equal("received", incoming.status, Status::Ok)) {
            return;
        }
        test.equal("endpoint", incoming.tag.endpoint(), abi::kIrqEndpoint);
        test.equal("badge", incoming.badge, kBadge);
        test.equal("line", incoming.words[0], line.line);
        test.equal("answer", answer(incoming), Status::Ok);
        test.equal("second answer", answer(incoming), Status::StaleToken);
    }
    uart.write32(kData, '\n');
}

void silent(Report& report, base::Mmio uart, u32 listener) {
    Test test{report, "interrupts.silent-until-answered"};
    uart.write32(kData, '\n');
    uart.write32(kMask, kTransmit);
    const sdk::Incoming first = wait_interrupt(listener, 1000);
    test.equal("first", first.status, Status::Ok);
    // The device goes on asking, but the line is not answered yet.
    test.equal("no second", wait_interrupt(listener, 20).status, Status::Timeout);
    test.equal("answer", answer(first), Status::Ok);
    const sdk::Incoming second = wait_interrupt(listener, 1000);
    test.equal("second", second.status, Status::Ok);
    uart.write32(kMask, 0);
    uart.write32(kClear, kTransmit);
    test.equal("answer", answer(second), Status::Ok);
    test.equal("no more", wait_interrupt(listener, 20).status, Status::Timeout);
}

void ownership(Report& report, u32 listener, const sdk::start::Interrupt& line) {
    Test test{report, "interrupts.lines-have-one-owner"};
    test.equal("registered twice", io().RegisterIrq(line.line, 0).status(), Status::Busy);
    test.equal("attached twice", io().AttachIrq(line.handle, listener, 1).status(), Status::Busy);
    test.equal("no such line", io().RegisterIrq(100'000, 0).status(), Status::InvalidArgument);
    test.equal("largest", io().RegisterIrq(~0u, 0).status(), Status::InvalidArgument);
    for (const u32 kernels_own : {0u, 15u, 27u, 30u}) {
        test.equal(
            "the kernel's", io().RegisterIrq(kernels_own, 0).status(), Status::InvalidArgument);
    }
    // Every number that a controller could have, and some more.
    for (u32 number = 0; number < 2048; ++number) {
        const auto registered = io().RegisterIrq(number, 0);
        if (registered.ok()) {
            test.require("no shared line of the controller", number >= 32 && number < 1020, number);
            (void)handles().Close(registered.value().resource.handle);
        } else {
            test.require("how it is refused",
                         registered.status() == Status::InvalidArgument ||
                             (registered.status() == Status::Busy && number == line.line),
                         number);
        }
    }
    test.equal("odd flags", io().RegisterIrq(77, 6).status(), Status::InvalidArgument);
}

void windows(Report& report) {
    Test test{report, "interrupts.register-windows-are-exclusive"};
    const auto refused = [&](std::string_view what, u64 address, u64 size) {
        const auto registered = io().RegisterMmio(address, size);
        test.require(what, !registered.ok(), address);
        if (registered.ok()) {
            (void)handles().Close(registered.value().resource.handle);
        }
    };
    // RAM begins at 1 GiB on virt and at 0 on the Raspberry Pi: the lower address is no RAM on
    // virt.
    const auto low = io().RegisterMmio(64 << 20, kPage);
    if (low.ok()) {
        (void)handles().Close(low.value().resource.handle);
        refused("RAM", 0x4000'0000 + (64 << 20), kPage);
    }
    refused("odd address", 0x0A00'0010, kPage);
    refused("odd size", 0x0A00'0000, 100);
    refused("nothing", 0x0A00'0000, 0);
    refused("that wraps", ~u64{0} - 0xFFF, 2 * kPage);
}

/// Every page of RAM, the interrupt controller, and a sample of everything else: what is given is
/// never memory.
void every_page(Report& report, u64 seed) {
    Test test{report, "interrupts.no-window-shows-memory"};
    const auto given = [](u64 address, u64 size = kPage) {
        const auto registered = io().RegisterMmio(address, size);
        if (registered.ok()) {
            (void)handles().Close(registered.value().resource.handle);
        }
        return registered.ok();
    };
    // RAM begins at 1 GiB on virt and at 0 on the Raspberry Pi, where 64 MiB of it at the end of
    // the first GiB are the video core's.
    const bool is_virt = given(64 << 20);
    const u64 memory = is_virt ? 0x4000'0000 : 0;
    const u64 memory_size = is_virt ? 256 << 20 : 0x3B40'0000;
    const u64 controllers[] = {is_virt ? 0x0800'0000U : 0xFF84'1000U,
                               is_virt ? 0x0800'0000U : 0xFF84'2000U};
    u32 shown = 0;
    for (u64 page = 0; page < memory_size; page += kPage) {
        shown += given(memory + page) ? 1 : 0;
    }
    test.equal("pages of RAM", shown, 0);
    test.require("RAM behind registers", !given(memory - kPage * (is_virt ? 1 : 0), 2 * kPage));
    for (const u64 controller : controllers) {
        test.require("interrupt controller", !given(controller), controller);
    }
    Random random{seed};
    for (u32 i = 0; i < 2000; ++i) {
        const u64 address = (random.next() >> random.below(48)) & ~(kPage - 1);
        const u64 size = (random.next() >> (24 + random.below(36))) & ~(kPage - 1);
        const bool meets_memory = address < memory + memory_size && address + size > memory;
        test.require("a range with RAM in it", !given(address, size) || !meets_memory, address);
    }
}

void detached(Report& report, base::Mmio uart, u32 listener, const sdk::start::Interrupt& line) {
    Test test{report, "interrupts.none-after-detach"};
    test.equal("disable", io().DisableIrq(line.handle).status(), Status::Ok);
    uart.write32(kData, '\n');
    uart.write32(kMask, kTransmit);
    test.equal("disabled", wait_interrupt(listener, 20).status, Status::Timeout);
    test.equal("enable", io().EnableIrq(line.handle).status(), Status::Ok);
    const sdk::Incoming incoming = wait_interrupt(listener, 1000);
    test.equal("enabled", incoming.status, Status::Ok);
    uart.write32(kMask, 0);
    uart.write32(kClear, kTransmit);
    test.equal("answer", answer(incoming), Status::Ok);
    test.equal("detach", io().DetachIrq(line.handle).status(), Status::Ok);
    uart.write32(kData, '\n');
    uart.write32(kMask, kTransmit);
    test.equal("detached", wait_interrupt(listener, 20).status, Status::Timeout);
    uart.write32(kMask, 0);
    uart.write32(kClear, kTransmit);
}

}  // namespace

void run(Report& report, const Context& context) {
    const auto device = context.start.device(0);
    const u32 listener = context.start.listener();
    if (!device.ok() || device.value().registers.empty() || device.value().interrupts.empty()) {
        Test test{report, "interrupts.device"};
        test.require("no console device", false);
        return;
    }
    const auto mapped = io().MapMem(device.value().registers[0].handle, 0);
    const base::Mmio uart{mapped.value().at + device.value().registers[0].offset};
    const sdk::start::Interrupt line = device.value().interrupts[0];
    {
        Test test{report, "interrupts.attach"};
        test.equal("map", mapped.status(), Status::Ok);
        test.equal("attach", io().AttachIrq(line.handle, listener, kBadge).status(), Status::Ok);
        test.equal("enable", io().EnableIrq(line.handle).status(), Status::Ok);
        if (test.failed()) {
            return;
        }
    }
    deliver(report, uart, listener, line);
    silent(report, uart, listener);
    ownership(report, listener, line);
    windows(report);
    every_page(report, context.seed);
    detached(report, uart, listener, line);
}

}  // namespace trial
