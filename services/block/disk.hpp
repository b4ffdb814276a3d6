// SPDX-License-Identifier: Apache-2.0
// What a block driver is to the server of kl.drivers.Block: disks that take transfers and say
// later how they ended. Whoever calls has checked a transfer against the disk's geometry and the
// memory; a disk checks what its device says.
#pragma once

#include <array>
#include <kernel/base/types.hpp>
#include <span>
#include <string_view>

namespace svc::block {

using base::s32;
using base::u16;
using base::u32;
using base::u64;
using base::u8;

inline constexpr u32 kSectorUnit = 512;
inline constexpr u32 kLargestSector = 4096;
inline constexpr u32 kSerialBytes = 20;

/// A power of two from kSectorUnit to kLargestSector.
constexpr bool is_sector_size(u32 bytes) {
    return bytes >= kSectorUnit && bytes <= kLargestSector && (bytes & (bytes - 1)) == 0;
}

struct Geometry {
    u64 sectors = 0;
    u32 sector_bytes = kSectorUnit;  ///< is_sector_size()
    bool is_read_only = false;
    bool has_cache = false;  ///< what is written is durable only after a flush
    std::array<u8, kSerialBytes> serial{};
};

enum class Operation : u8 { Read, Write, Flush };

struct Transfer {
    Operation operation = Operation::Flush;
    u64 sector = 0;
    std::span<u8> memory{};  ///< whole sectors; none for a flush
    u64 device_address = 0;  ///< where the device finds `memory`; 0 when there is no device
    u32 number = 0;          ///< which one it is, for done()
};

enum class Outcome : u8 { Good, Failed };

/// Is told of the ends of transfers.
class Completions {
public:
    /// From now on the device does not touch the transfer's memory, unless its disk is_stuck().
    virtual void done(u32 number, Outcome outcome) = 0;

protected:
    ~Completions() = default;
};

enum class Begun : u8 {
    Later,   ///< done() will be called
    Good,    ///< it is over, and done() will not be called
    Failed,  ///< the same
    Full,    ///< not taken: again after a done()
};

class Disk {
public:
    [[nodiscard]] virtual std::string_view name() const = 0;

    /// Constant while the process lives.
    [[nodiscard]] virtual const Geometry& geometry() const = 0;

    /// False: every transfer fails from now on.
    [[nodiscard]] virtual bool works() const = 0;

    /// Its device could not be stopped: memory that it was ever given may change at any time, and
    /// must never be used for anything else.
    [[nodiscard]] virtual bool is_stuck() const = 0;

    /// Never calls done() itself.
    virtual Begun begin(const Transfer& transfer) = 0;

protected:
    ~Disk() = default;
};

}  // namespace svc::block
