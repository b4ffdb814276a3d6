// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <new>
#include <services/storage/ramfs/inodes.hpp>

namespace svc::storage::ramfs {

namespace {

constexpr u64 kAllUsed = (u64{1} << kInodesPerPage) - 1;
constexpr u64 kMaxLife = (u64{1} << (64 - kNumberBits)) - 1;

constexpr u32 page_of(u32 number) { return number >> kSlotBits; }

constexpr u32 slot_of(u32 number) { return number & ((1u << kSlotBits) - 1); }

constexpr u8 bit_of(u32 page) { return static_cast<u8>(1u << (page % 8)); }

}  // namespace

Inodes::Page& Inodes::page(u32 number) {
    void* const at = pages_.data(number);
    return *std::launder(static_cast<Page*>(at));
}

Inode& Inodes::at(u32 number) { return page(page_of(number)).inodes[slot_of(number)]; }

Inode* Inodes::find(Node node) {
    const u32 number = Inodes::number(node);
    const u32 in = page_of(number);
    if (in == 0 || in > pages_.total() || slot_of(number) >= kInodesPerPage ||
        (map_[in / 8] & bit_of(in)) == 0) {
        return nullptr;
    }
    Inode& inode = at(number);
    return inode.kind != Kind::None && inode.life == node.value >> kNumberBits ? &inode : nullptr;
}

void Inodes::link(u32 number) {
    Page& here = page(number);
    here.newer = 0;
    here.older = first_;
    if (first_ != 0) {
        page(first_).newer = number;
    }
    first_ = number;
}

void Inodes::unlink(u32 number) {
    const Page& here = page(number);
    if (here.older != 0) {
        page(here.older).newer = here.newer;
    }
    (here.newer == 0 ? first_ : page(here.newer).older) = here.older;
}

Inode* Inodes::take(u32& number) {
    if (first_ == 0) {
        if (pages_.free_count() == 0) {
            return nullptr;
        }
        const u32 fresh = pages_.take();
        new (pages_.data(fresh)) Page{};
        map_[fresh / 8] = static_cast<u8>(map_[fresh / 8] | bit_of(fresh));
        link(fresh);
    }
    const u32 in = first_;
    Page& here = page(in);
    const auto slot = static_cast<u32>(std::countr_one(here.used));
    here.used |= u64{1} << slot;
    if (here.used == kAllUsed) {
        unlink(in);
    }
    life_ = life_ == kMaxLife ? 1 : life_ + 1;
    number = (in << kSlotBits) | slot;
    here.inodes[slot] = Inode{.life = life_};
    return &here.inodes[slot];
}

void Inodes::release(u32 number) {
    const u32 in = page_of(number);
    Page& here = page(in);
    here.inodes[slot_of(number)].kind = Kind::None;
    const bool was_full = here.used == kAllUsed;
    here.used &= ~(u64{1} << slot_of(number));
    if (was_full) {
        link(in);
    }
    if (here.used == 0) {
        unlink(in);
        map_[in / 8] = static_cast<u8>(map_[in / 8] & ~bit_of(in));
        pages_.release(in);
    }
}

}  // namespace svc::storage::ramfs
