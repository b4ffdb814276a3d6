// SPDX-License-Identifier: Apache-2.0
// Which blocks are free, in memory only: a mount finds it by walking the tree, so there is nothing
// on the device that could disagree with it. A block of the last commit that is released stays
// taken until the next commit is durable; one that was taken since then (a new one) may be written
// again and is free at once when it is released.
#pragma once

#include <services/storage/result.hpp>
#include <span>

namespace svc::storage::safefs {

/// Neighbouring blocks.
struct Run {
    u32 first = 0;
    u32 count = 0;
};

class Space final {
public:
    /// Memory that begin() needs for a device of `blocks`, in 64-bit words.
    static constexpr u64 words(u64 blocks) { return 3 * ((blocks + 63) / 64); }

    /// All but the commit blocks are free. `memory` has words(blocks).
    void begin(u32 blocks, std::span<u64> memory);

    /// Takes a block that the tree on the device uses. False if there is no such block or it is
    /// taken: the tree is damaged.
    [[nodiscard]] bool claim(u32 address);

    /// Up to `most` neighbouring blocks; none only if no block is free. Goes round the device,
    /// which keeps files together and wears a flash memory evenly.
    Run take(u32 most);

    void release(u32 address);

    /// The last commit does not reach it.
    [[nodiscard]] bool is_new(u32 address) const {
        return ((new_[address / 64] >> (address % 64)) & 1) != 0;
    }

    /// The device may show a commit of what there is now: no block is new any more.
    void close();

    /// It certainly does, so what was released before is free.
    void commit();

    [[nodiscard]] u32 free_count() const { return free_; }

    /// Blocks that the next commit makes free.
    [[nodiscard]] u32 pending_count() const { return pending_; }

private:
    [[nodiscard]] bool is_taken(u32 address) const {
        return ((taken_[address / 64] >> (address % 64)) & 1) != 0;
    }

    [[nodiscard]] u32 find_free(u32 from, u32 end) const;

    std::span<u64> taken_;
    std::span<u64> released_;
    std::span<u64> new_;
    u32 blocks_ = 0;
    u32 free_ = 0;
    u32 pending_ = 0;
    u32 next_ = 1;
};

}  // namespace svc::storage::safefs
