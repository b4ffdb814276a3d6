// SPDX-License-Identifier: Apache-2.0
#include "model.hpp"

#include <catch2/catch_test_macros.hpp>
#include <services/drivers/pl011/device.hpp>

namespace {

using base::u32;
using base::u8;
using model::Bus;
using model::Pl011;
using Device = svc::pl011::Device<Bus>;

std::string received(Device& device) {
    u8 room[64];
    std::string all;
    while (const u32 count = device.peek(room)) {
        all.append(room, room + count);
        device.take(count);
    }
    return all;
}

bool send(Device& device, const std::string& text) {
    const void* const characters = text.data();
    return device.send({static_cast<const u8*>(characters), text.size()});
}

/// Lets the line run until nothing is left to send.
void run_line(Pl011& uart, Device& device) {
    for (u32 i = 0; i < 100'000; ++i) {
        uart.pass(3);
        if (uart.is_interrupting()) {
            device.on_interrupt();
        }
    }
}

}  // namespace

TEST_CASE("the line is set up for 8 bits with FIFOs and receive interrupts", "[services][pl011]") {
    Pl011 uart;
    Device device{Bus{&uart}};
    device.start({});
    CHECK(uart.line_control == 0x70);
    CHECK(uart.control == 0x301);
    CHECK(uart.mask == 0x50);
    CHECK(uart.integer == 0);  // the firmware's rate stays
    CHECK(uart.strange_accesses == 0);
}

TEST_CASE("a rate is set when the clock is known and can make it", "[services][pl011]") {
    Pl011 uart;
    Device device{Bus{&uart}};
    device.start({.clock_hz = 24'000'000, .bits_per_second = 115'200});
    CHECK(uart.integer == 13);  // 13.02
    CHECK(uart.fraction == 1);
    CHECK(svc::pl011::divisor_of({.clock_hz = 48'000'000, .bits_per_second = 115'200}) == 1667);
    CHECK(svc::pl011::divisor_of({.clock_hz = 0, .bits_per_second = 115'200}) == 0);
    CHECK(svc::pl011::divisor_of({.clock_hz = 1'000, .bits_per_second = 115'200}) == 0);
    CHECK(svc::pl011::divisor_of({.clock_hz = ~base::u64{0}, .bits_per_second = 1}) == 0);
    CHECK(svc::pl011::divisor_of({.clock_hz = 24'000'000, .bits_per_second = 1}) == 0);
}

TEST_CASE("text longer than the FIFO goes out whole and in order", "[services][pl011]") {
    Pl011 uart;
    Device device{Bus{&uart}};
    device.start({});
    std::string text;
    for (u32 i = 0; i < 4000; ++i) {
        text.push_back(static_cast<char>('a' + i % 26));
    }
    CHECK(send(device, text));
    CHECK(uart.is_transmit_enabled());
    run_line(uart, device);
    CHECK(uart.sent == text);
    CHECK(uart.lost_sends == 0);
    CHECK_FALSE(uart.is_transmit_enabled());
}

TEST_CASE("text that does not fit the queue is refused whole", "[services][pl011]") {
    Pl011 uart;
    Device device{Bus{&uart}};
    device.start({});
    CHECK(send(device, std::string(4096, 'x')));
    CHECK_FALSE(device.can_send(100));
    CHECK_FALSE(send(device, std::string(100, 'y')));
    run_line(uart, device);
    CHECK(uart.sent == std::string(4096, 'x'));
    CHECK(device.can_send(4096));
    CHECK_FALSE(send(device, std::string(4097, 'z')));
}

TEST_CASE("single characters arrive by the time-out, bursts by the level", "[services][pl011]") {
    Pl011 uart;
    Device device{Bus{&uart}};
    device.start({});
    uart.receive("a");
    CHECK_FALSE(uart.is_interrupting());
    uart.pause();
    REQUIRE(uart.is_interrupting());
    device.on_interrupt();
    CHECK_FALSE(uart.is_interrupting());
    uart.receive("hello");
    REQUIRE(uart.is_interrupting());
    device.on_interrupt();
    CHECK(received(device) == "ahello");
    CHECK(device.received_count() == 0);
}

TEST_CASE("what waits in the FIFO at the start is not lost", "[services][pl011]") {
    Pl011 uart;
    uart.receive("early");
    Device device{Bus{&uart}};
    device.start({});
    CHECK(received(device) == "early");
}

TEST_CASE("damaged characters and breaks are dropped and counted", "[services][pl011]") {
    Pl011 uart;
    Device device{Bus{&uart}};
    device.start({});
    uart.receive('a');
    uart.receive('b' | 1u << 8);  // framing
    uart.receive('c' | 1u << 9);  // parity
    uart.receive(0u | 5u << 8);   // break: framing too
    uart.receive('d');
    device.on_interrupt();
    CHECK(received(device) == "ad");
    CHECK(device.errors().damaged == 2);
    CHECK(device.errors().breaks == 1);
}

TEST_CASE("an overrun is counted and the character after it kept", "[services][pl011]") {
    Pl011 uart;
    Device device{Bus{&uart}};
    device.start({});
    uart.receive(std::string(17, 'x'));  // one too many
    device.on_interrupt();
    uart.receive("yz");
    device.on_interrupt();
    CHECK(received(device) == std::string(16, 'x') + "yz");
    CHECK(device.errors().overruns == 1);
}

TEST_CASE("a reader that never comes costs no memory", "[services][pl011]") {
    Pl011 uart;
    Device device{Bus{&uart}};
    device.start({});
    for (u32 i = 0; i < 200; ++i) {
        uart.receive("0123456789");
        device.on_interrupt();
    }
    CHECK(device.received_count() == 1024);
    CHECK(device.errors().overruns == 2000 - 1024);
}
