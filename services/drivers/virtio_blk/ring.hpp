// SPDX-License-Identifier: Apache-2.0
// One split virtqueue in a page of memory that the device reads and writes. The device is not
// believed: nothing that it can write is read twice, and no index from it leads anywhere without
// having been compared with what was given to it. [VIRTIO] "Split Virtqueues"
//
// Each slot is a request with three descriptors of its own (header, data, status), written anew
// each time: the device can write only the used part, yet what it was asked must not depend on
// that. Which slots are the device's is kept outside of the page.
#pragma once

#include <kernel/base/types.hpp>
#include <span>

namespace svc::virtio_blk {

using base::u16;
using base::u32;
using base::u64;
using base::u8;

inline constexpr u32 kRingBytes = 4096;
inline constexpr u32 kDescriptorsPerSlot = 3;
inline constexpr u32 kMostDescriptors = 64;
inline constexpr u32 kMostSlots = 16;
inline constexpr u32 kIdBytes = 20;
inline constexpr u32 kNoSlot = ~u32{0};

/// Whether the device reads the data of a request or fills it.
enum class Direction : u8 { ToDevice, FromDevice };

struct Command {
    u32 kind = 0;   ///< request::
    u64 unit = 0;   ///< of 512 bytes
    u64 data = 0;   ///< device address
    u32 bytes = 0;  ///< 0: no data
    Direction direction = Direction::ToDevice;
};

class Ring final {
public:
    /// A slot that the device gave back.
    struct Used {
        u32 slot = kNoSlot;        ///< none: nothing is there
        u8 status = 0xFF;          ///< request::
        bool is_complete = false;  ///< it says that it wrote everything that was to be written
    };

    Ring() = default;

    /// `memory` is page aligned, kRingBytes, at `address` for the device.
    Ring(std::span<u8> memory, u64 address) : memory_(memory), address_(address) {}

    /// Empties the ring for a device that was reset and takes at most `descriptors` of them; false:
    /// too few for a single request.
    bool start(u32 descriptors);

    [[nodiscard]] u32 size() const { return size_; }

    [[nodiscard]] u64 descriptors_address() const { return address_; }

    [[nodiscard]] u64 available_address() const;
    [[nodiscard]] u64 used_address() const;
    /// Where kIdBytes of a command's data may go.
    [[nodiscard]] u64 id_address() const;
    [[nodiscard]] std::span<const u8> id() const;

    /// Puts a command into a free slot, which is the device's from now on. kNoSlot: none is free.
    u32 push(const Command& command);

    /// The next slot that the device gave back. After an answer that no device may give
    /// is_damaged() holds and nothing comes any more until start().
    Used pop();

    [[nodiscard]] bool is_damaged() const { return is_damaged_; }

    [[nodiscard]] bool is_idle() const { return busy_count_ == 0; }

private:
    template <typename T> [[nodiscard]] T& at(u32 offset) const;

    std::span<u8> memory_{};
    u64 address_ = 0;
    u32 size_ = 0;
    u32 slot_count_ = 0;
    u32 busy_count_ = 0;
    u16 available_ = 0;  // counts for ever, as the device's
    u16 used_ = 0;
    bool is_damaged_ = false;
    u32 expected_[kMostSlots]{};  // bytes that the device must have written, the status included;
                                  // 0: the slot is free
};

}  // namespace svc::virtio_blk
