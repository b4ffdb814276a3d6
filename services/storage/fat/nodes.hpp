// SPDX-License-Identifier: Apache-2.0
// What tells nodes apart. FAT has no inodes: a node is the place of its entry, and the time of its
// creation, so that a place that is used again names another node. Two kinds of nodes need memory:
// those that moved to another place since their name was looked up, and those that have no name any
// more but are in use. If there is no room, the oldest one that moved is forgotten: whoever uses it
// gets Stale.
#pragma once

#include <services/storage/fat/format.hpp>
#include <services/storage/file_system.hpp>

namespace svc::storage::fat {

class Nodes final {
public:
    struct Known {
        u64 value = 0;
        u64 at = 0;     ///< where its entry is now; 0: it has no name
        Entry entry{};  ///< of one without a name
    };

    void begin(std::span<Known> memory) {
        memory_ = memory;
        count_ = 0;
        orphans_ = 0;
    }

    static Node make(u64 at, const Entry& entry) {
        return {at / kEntryBytes | (entry.created() << kPlaceBits)};
    }

    static u64 place(Node node) { return (node.value & kPlaceMask) * kEntryBytes; }

    /// The node that an entry at a place is.
    [[nodiscard]] Node node_at(u64 at, const Entry& entry) {
        const Known* const known = find_at(at);
        return known != nullptr ? Node{known->value} : make(at, entry);
    }

    /// Null if nothing is special about it.
    [[nodiscard]] Known* find(Node node);

    /// Can `count` more be kept?
    [[nodiscard]] bool has_room(u32 count) const { return memory_.size() - orphans_ >= count; }

    /// The entry has moved.
    void move(u64 from, u64 to, const Entry& entry);

    /// The entry has lost its name.
    void remove_name(u64 at, const Entry& entry);

    void forget(Known& known);

    [[nodiscard]] u32 orphans() const { return orphans_; }

private:
    static constexpr u32 kPlaceBits = 36;
    static constexpr u64 kPlaceMask = (u64{1} << kPlaceBits) - 1;

    [[nodiscard]] Known* find_at(u64 at);
    Known& add(Node node);

    std::span<Known> memory_;
    u32 count_ = 0;
    u32 orphans_ = 0;
};

}  // namespace svc::storage::fat
