// SPDX-License-Identifier: Apache-2.0
// A PL011 as its manual describes it: FIFOs of 16, interrupts when the receive FIFO reaches 1/8, on
// a receive time-out and when the transmit FIFO falls through 1/8. [PL011] "Functional
// description". Characters leave the transmit FIFO only when the test lets time pass. With
// `is_emulated` it does what QEMU's does instead: the mark is one character, there is no time-out,
// and a sender with more than the FIFO holds waits and refills it while it is being read.
#pragma once

#include <deque>
#include <kernel/base/types.hpp>
#include <string>

namespace model {

using base::u32;
using base::u64;
using base::u8;

class Pl011 {
public:
    static constexpr std::size_t kFifo = 16;

    // --- what a driver sees
    u32 read32(u64 offset) {
        switch (offset) {
        case 0x00:
            return take_received();
        case 0x18:
            return (received_.empty() ? 1u << 4 : 0) | (sending_.size() == kFifo ? 1u << 5 : 0);
        case 0x24:
            return integer;
        case 0x28:
            return fraction;
        case 0x38:
            return mask;
        case 0x40:
            return raised_ & mask;
        default:
            ++strange_accesses;
            return 0;
        }
    }

    void write32(u64 offset, u32 value) {
        switch (offset) {
        case 0x00:
            if (sending_.size() == kFifo) {
                ++lost_sends;
            } else {
                sending_.push_back(static_cast<char>(value));
            }
            return;
        case 0x24:
            integer = value;
            return;
        case 0x28:
            fraction = value;
            return;
        case 0x2C:
            line_control = value;
            return;
        case 0x30:
            control = value;
            return;
        case 0x34:
            return;
        case 0x38:
            mask = value;
            return;
        case 0x44:
            raised_ &= ~value;
            return;
        default:
            ++strange_accesses;
        }
    }

    // --- what the test does
    void receive(u32 character) {
        if (received_.size() == kFifo) {
            overrun_ = true;
            return;
        }
        received_.push_back(character | (overrun_ ? 1u << 11 : 0));
        overrun_ = false;
        if (received_.size() == mark()) {
            raised_ |= 1u << 4;
        }
    }

    /// A sender that waits for room in the FIFO.
    void paste(const std::string& text) {
        waiting_ += text;
        refill();
    }

    [[nodiscard]] std::size_t waiting_count() const { return waiting_.size(); }

    void receive(const std::string& text) {
        for (const char c : text) {
            receive(static_cast<u8>(c));
        }
    }

    /// Nothing came for 32 bit times.
    void pause() {
        if (!received_.empty() && !is_emulated) {
            raised_ |= 1u << 6;
        }
    }

    /// Sends `count` characters of the FIFO.
    void pass(std::size_t count) {
        for (std::size_t i = 0; i < count && !sending_.empty(); ++i) {
            sent.push_back(sending_.front());
            sending_.pop_front();
            if (sending_.size() == kFifo / 8) {
                raised_ |= 1u << 5;
            }
        }
    }

    [[nodiscard]] bool is_interrupting() const { return (raised_ & mask) != 0; }

    [[nodiscard]] bool is_transmit_enabled() const { return (mask & (1u << 5)) != 0; }

    std::string sent{};
    u32 integer = 0;
    u32 fraction = 0;
    u32 line_control = 0;
    u32 control = 0;
    u32 mask = 0;
    u32 lost_sends = 0;
    u32 strange_accesses = 0;
    bool is_emulated = false;
    bool is_damaged = false;  ///< what is pasted has framing errors

private:
    [[nodiscard]] std::size_t mark() const { return is_emulated ? 1 : kFifo / 8; }

    void refill() {
        while (!waiting_.empty() && received_.size() < kFifo) {
            receive(static_cast<u8>(waiting_.front()) | (is_damaged ? 1u << 8 : 0));
            waiting_.erase(0, 1);
        }
    }

    u32 take_received() {
        if (received_.empty()) {
            ++strange_accesses;
            return 0;
        }
        const u32 data = received_.front();
        received_.pop_front();
        if (received_.size() < mark()) {
            raised_ &= ~(1u << 4);
        }
        if (received_.empty()) {
            raised_ &= ~(1u << 6);
        }
        refill();
        return data;
    }

    std::deque<u32> received_{};
    std::string waiting_{};
    std::deque<char> sending_{};
    u32 raised_ = 0;
    bool overrun_ = false;
};

/// What a driver holds: a reference to the model.
struct Bus {
    Pl011* uart;

    u32 read32(u64 offset) { return uart->read32(offset); }

    void write32(u64 offset, u32 value) { uart->write32(offset, value); }
};

}  // namespace model
