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
        if (uart.is_interrupting()) {
            device.on_interrupt();
        }
    }
    CHECK(device.received_count() == 1024);
    CHECK_FALSE(uart.is_interrupting());  // it would never end
    CHECK(received(device).size() == 1024 + 16);
    uart.receive("yz");
    REQUIRE(uart.is_interrupting());
    device.on_interrupt();
    CHECK(received(device) == "yz");
    CHECK(device.errors().overruns == 1);
}

TEST_CASE("a paste of any length arrives whole, and typing goes on", "[services][pl011]") {
    for (const bool is_emulated : {false, true}) {
        for (const std::size_t size : {1u, 16u, 17u, 64u, 80u, 300u, 1023u, 1040u, 1041u, 5000u}) {
            CAPTURE(is_emulated, size);
            Pl011 uart;
            uart.is_emulated = is_emulated;
            Device device{Bus{&uart}};
            device.start({});
            const std::string text(size, 'x');
            uart.paste(text);
            std::string all;
            for (u32 i = 0; i < 20; ++i) {
                uart.pause();
                if (uart.is_interrupting()) {
                    device.on_interrupt();
                }
                CHECK(device.received_count() <= 1024);
                all += received(device);
            }
            CHECK(all == text);
            uart.paste("y");
            uart.pause();
            REQUIRE(uart.is_interrupting());
            device.on_interrupt();
            CHECK(received(device) == "y");
            CHECK(device.errors().overruns == 0);
        }
    }
}

TEST_CASE("a sender that waits is held up by a reader that does not come", "[services][pl011]") {
    Pl011 uart;
    uart.is_emulated = true;
    Device device{Bus{&uart}};
    device.start({});
    uart.paste(std::string(3000, 'x'));
    for (u32 i = 0; i < 10 && uart.is_interrupting(); ++i) {
        device.on_interrupt();
    }
    CHECK_FALSE(uart.is_interrupting());
    CHECK(device.received_count() == 1024);
    CHECK(uart.waiting_count() == 3000 - 1024 - 16);
    device.take(48);
    CHECK(device.received_count() == 1024);
    CHECK(received(device).size() == 3000 - 48);
}

TEST_CASE("a line of nothing but damage leaves time for others", "[services][pl011]") {
    Pl011 uart;
    Device device{Bus{&uart}};
    device.start({});
    uart.is_damaged = true;
    uart.paste(std::string(5000, 'x'));
    device.on_interrupt();
    CHECK(uart.waiting_count() > 3000);
    CHECK(uart.is_interrupting());  // the rest is not forgotten
    for (u32 i = 0; i < 10; ++i) {
        uart.pause();
        device.on_interrupt();
    }
    CHECK(uart.waiting_count() == 0);
    CHECK(device.errors().damaged == 5000);
}
