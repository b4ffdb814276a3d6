// SPDX-License-Identifier: Apache-2.0
// Snapshots of large memory of which little is ever written: pages are write-protected until the
// first write to them, and only those written since keep_base() are part of a snapshot. A page that
// is first written after a snapshot was taken still had its base content then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace explore {

class Memory final {
public:
    /// Page-aligned ranges, which must outlive this. One at a time: it handles SIGSEGV.
    explicit Memory(std::vector<std::span<std::byte>> ranges);
    ~Memory();
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    /// Content of the pages written so far, in the order of their first write.
    using Snapshot = std::vector<std::byte>;

    /// O(pages written).
    void save(Snapshot& into) const;
    /// Memory as it was when `from` was saved; an empty snapshot is the base. O(pages written).
    void restore(const Snapshot& from);

    [[nodiscard]] std::size_t pages() const { return pages_.size(); }

    /// For the signal handler: a write to a protected page. False: not of these ranges.
    bool touch(std::uintptr_t address);

private:
    std::vector<std::span<std::byte>> ranges_;
    std::vector<std::byte*> pages_;  // written, in order
    std::vector<std::byte> base_;    // what they held at first
};

}  // namespace explore
