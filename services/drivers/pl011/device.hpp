// SPDX-License-Identifier: Apache-2.0
// The PL011 itself: moves characters between its FIFOs and two bounded queues. It knows registers,
// but neither messages nor clients, and runs over any RegisterBus.
//
// Sending: the queue is emptied into the FIFO at once as far as it goes; the transmit interrupt is
// enabled only while something is left. Enabling it after the FIFO was filled to the brim matters:
// the interrupt comes when the level falls through the mark, not while it is below it.
// Receiving: interrupts at 1/8 full and on a time-out with fewer. Both are cleared by reading
// alone, never by the clear register: a device may raise them only when the level *reaches* the
// mark, so one that is cleared while characters stay behind would not come again, and neither would
// input. What does not fit into the queue stays in the FIFO, with the receive interrupts off, until
// a client made room; a sender that can wait then loses nothing, and one that cannot overruns the
// FIFO, which is counted, as are characters with errors. [PL011] "UARTRXINTR", "UARTRTINTR"
//
// The line's rate is left as the firmware set it, unless configuration asks for one and the clock
// is known.
#pragma once

#include <driver/registers.hpp>
#include <driver/ring.hpp>
#include <services/drivers/pl011/registers.hpp>
#include <span>

namespace svc::pl011 {

using base::u32;
using base::u64;
using base::u8;

struct Rate {
    u64 clock_hz = 0;
    u32 bits_per_second = 0;  ///< 0 = as it is
};

/// What went wrong on the line since the start.
struct LineErrors {
    u32 overruns = 0;  ///< times that characters were lost because the FIFO was full
    u32 damaged = 0;   ///< characters with a framing or parity error
    u32 breaks = 0;
};

/// Divisor in 1/64 for a rate; 0 when the clock cannot make it.
constexpr u32 divisor_of(const Rate& rate) {
    if (rate.bits_per_second == 0) {
        return 0;
    }
    // clock / (16 * rate) in 1/64 is 4 * clock / rate, rounded.
    constexpr u64 kMaxClock = u64{1} << 60;
    if (rate.clock_hz > kMaxClock) {
        return 0;
    }
    const u64 divisor = (4 * rate.clock_hz + rate.bits_per_second / 2) / rate.bits_per_second;
    constexpr u64 kLeast = 64;
    constexpr u64 kMost = 0xFFFF * u64{64};
    return divisor >= kLeast && divisor <= kMost ? static_cast<u32>(divisor) : 0;
}

template <sdk::driver::RegisterBus Bus> class Device final {
public:
    static constexpr u32 kTransmitQueue = 4096;
    static constexpr u32 kReceiveQueue = 1024;

    explicit Device(Bus bus) : window_(bus) {}

    /// 8 data bits, no parity, FIFOs on, receive interrupts on.
    void start(const Rate& rate) {
        window_.template write<InterruptMask>(0);
        if (const u32 divisor = divisor_of(rate); divisor != 0) {
            window_.template write<Control>(0);
            window_.template write<DivisorInteger>(divisor >> 6);
            window_.template write<DivisorFraction>(divisor & 0x3F);
        }
        window_.template write<LineControl>(LineControl::WordLength::make(3) |
                                            LineControl::FifoEnable::make(1));
        window_.template write<FifoLevels>(0);
        // Stale ones too, which may be there without a character: receive() empties the FIFO after.
        window_.template write<InterruptClear>(InterruptClear::kAll);
        window_.template write<Control>(Control::Enable::make(1) |
                                        Control::TransmitEnable::make(1) |
                                        Control::ReceiveEnable::make(1));
        receive();
        set_mask();
    }

    /// Whether `count` characters fit into the transmit queue.
    [[nodiscard]] bool can_send(u32 count) const { return count <= transmit_.room(); }

    /// Queues all of `characters` and starts sending; false and nothing queued when they do not
    /// fit.
    [[nodiscard]] bool send(std::span<const u8> characters) {
        if (characters.size() > transmit_.room()) {
            return false;
        }
        for (const u8 character : characters) {
            (void)transmit_.push(character);
        }
        transmit();
        return true;
    }

    /// Serves whatever raised the interrupt. Bounded by the FIFO's and the queues' sizes.
    void on_interrupt() {
        const u32 status = window_.template read<InterruptStatus>();
        window_.template write<InterruptClear>(status & ~InterruptClear::kReceive);
        receive();
        transmit();
    }

    /// Characters received and not taken yet.
    [[nodiscard]] u32 received_count() const { return received_.size(); }

    /// Copies the oldest characters without taking them.
    u32 peek(std::span<u8> room) const {
        u32 count = 0;
        while (count < room.size() && count < received_.size()) {
            room[count] = received_.at(count);
            ++count;
        }
        return count;
    }

    /// Takes the oldest `count` characters off the queue and fetches what waited for the room.
    void take(u32 count) {
        received_.drop(count);
        receive();
        set_mask();
    }

    [[nodiscard]] const LineErrors& errors() const { return errors_; }

private:
    /// Until the FIFO is empty or the queue full. The bound is for damaged characters, which take
    /// no room: whatever is left then keeps its interrupt.
    void receive() {
        for (u32 i = 0; i < kReceiveQueue && received_.room() > 0; ++i) {
            if (window_.template is_set<Flags, Flags::ReceiveEmpty>()) {
                return;
            }
            accept(window_.template read<Data>());
        }
    }

    void accept(u32 data) {
        if (Data::Overrun::any(data)) {
            ++errors_.overruns;
        }
        if (Data::Break::any(data)) {
            ++errors_.breaks;
        } else if (Data::FramingError::any(data) || Data::ParityError::any(data)) {
            ++errors_.damaged;
        } else {
            (void)received_.push(static_cast<u8>(Data::Character::get(data)));  // there is room
        }
    }

    void transmit() {
        u32 count = 0;
        while (count < transmit_.size() && !window_.template is_set<Flags, Flags::TransmitFull>()) {
            window_.template write<Data>(transmit_.at(count));
            ++count;
        }
        transmit_.drop(count);
        set_mask();
    }

    void set_mask() {
        const u32 receive_bits = received_.room() > 0 ? InterruptMask::kReceive : 0;
        const u64 transmit_bit = InterruptMask::Transmit::make(transmit_.empty() ? 0 : 1);
        window_.template write<InterruptMask>(receive_bits | transmit_bit);
    }

    sdk::driver::Window<Bus> window_;
    sdk::driver::Ring<u8, kTransmitQueue> transmit_;
    sdk::driver::Ring<u8, kReceiveQueue> received_;
    LineErrors errors_;
};

}  // namespace svc::pl011
