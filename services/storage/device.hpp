// SPDX-License-Identifier: Apache-2.0
// What a file system needs of a block device, wherever it is: another process's driver, memory, a
// partition of either, a file in a host test.
#pragma once

#include <services/storage/result.hpp>
#include <span>

namespace svc::storage {

/// An array of blocks that keeps what is written to it. Transfers of any number of blocks at once
/// are the normal case, so that an implementation pays its fixed cost (a call, a request in a ring)
/// once for each.
///
/// Power may fail at any time. What was written before a flush that returned is durable. Of what
/// was written since, each block has any of the contents it had since that flush, independently of
/// other blocks; the one under the head may be torn, a mix of the old and the new contents or
/// neither.
class Device {
public:
    /// A power of two from 512 to 4096. Constant, as is the count.
    [[nodiscard]] virtual u32 block_bytes() const = 0;

    [[nodiscard]] virtual u64 block_count() const = 0;

    /// Fills `data`, whose size is a multiple of the block size, from block `first` on.
    /// Errors: Invalid (beyond the end, or no whole blocks), Io.
    virtual Result<void> read(u64 first, std::span<u8> data) = 0;

    /// Reads by the same client see it at once; a power cut may lose it. After an error each block
    /// has its old or its new contents, and writing it again is allowed.
    /// Errors: Invalid, Io, ReadOnly.
    virtual Result<void> write(u64 first, std::span<const u8> data) = 0;

    /// Returns when everything that was written before is durable. After an error nobody knows
    /// which of it will be: an implementation that can find out (a driver started anew over a
    /// device that kept its power) does so and repeats the request before it gives up.
    virtual Result<void> flush() = 0;

protected:
    ~Device() = default;
};

}  // namespace svc::storage
