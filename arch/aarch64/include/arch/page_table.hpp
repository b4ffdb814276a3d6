// SPDX-License-Identifier: Apache-2.0
// An EL0 address space: three levels of tables reached through the linear map. All walks are loops
// of three steps; an address from EL0 beyond the 39 bits or off its page is an error like any
// unmapped one. A leaf entry always carries kOwned; without kValid it is a page that EL0 may not
// touch but that still holds its frame.
//
// The kernel lock orders all changes. The hardware walks the tables at any time, so an entry
// changes in single stores, and every change that takes rights away ends with its translation
// dropped on all CPUs.
#pragma once

#include <arch/inline.hpp>
#include <arch/system_register.hpp>
#include <arch/translation.hpp>
#include <kernel/hal/machine.hpp>

namespace arch {

class PageTable final {
public:
    /// What a page maps to.
    struct Mapping {
        PhysAddr frame{};
        Access access{};
    };

    constexpr PageTable() = default;

    /// An empty table; takes its root frame. OutOfMemory.
    template <FrameSource Source> static Result<PageTable> create(Source& source, Asid asid) {
        TRY_VALUE(const PhysAddr root, source.take_frame());
        return PageTable{root, asid};
    }

    /// Maps one page.
    /// Errors: InvalidArgument (unaligned, out of range, writable and executable), AlreadyExists,
    /// OutOfMemory; then nothing is mapped, but tables may have been made, which stay.
    template <FrameSource Source>
    Result<void> map(VirtAddr at, PhysAddr frame, Access access, Source& source) {
        if (!is_page(at) || (frame.value & ~translation::kFrameMask) != 0 ||
            translation::is_forbidden(access)) {
            return base::Status::InvalidArgument;
        }
        TRY_VALUE(u64 & page, make_entry(at, source));
        if (page != 0) {
            return base::Status::AlreadyExists;
        }
        store(page, frame.value | translation::user_attributes(access));
        dsb_ishst();
        return {};
    }

    /// Moves up to `count` pages, frames and all, to the empty entries from `to` on in `target`,
    /// which gets the tables it needs from `source`: those that EL0 may write here, up to the first
    /// that is none or that `target` has no place for. Returns how many. Their translations here
    /// are dropped everywhere. Ends early where a table ends, there or here. Cost: 14 instructions
    /// a page.
    template <FrameSource Source>
    u32 move_pages(VirtAddr at, PageTable& target, VirtAddr to, u32 count, Source& source) {
        u64* from = find_entry(at.value);
        if (from == nullptr || !is_page(at) || !is_page(to)) {
            return 0;
        }
        const Result<u64&> place = target.make_entry(to, source);
        if (!place.ok()) {
            return 0;
        }
        u64* into = &place.value();
        const u32 left_here = translation::kEntries - translation::index(at.value, 3);
        const u32 left_there = translation::kEntries - translation::index(to.value, 3);
        const u32 left = left_here < left_there ? left_here : left_there;
        const u32 limit = count < left ? count : left;
        const u64* const first = from;
        for (const u64* const end = from + limit; from != end; ++from, ++into) {
            const u64 page = *from;
            if ((page & (kMustBe | translation::kReadOnly)) != kWanted || *into != 0) {
                break;
            }
            store(*into, page);
            store(*from, 0);
        }
        const u32 moved = static_cast<u32>(from - first);
        tlb_drop_page(asid_, at, moved);
        return moved;
    }

    /// Unmaps one page, drops its translation everywhere and returns its frame. ResourceNotFound.
    Result<PhysAddr> unmap(VirtAddr at) {
        u64* page = find_entry(at.value);
        if (page == nullptr || !is_page(at)) {
            return base::Status::ResourceNotFound;
        }
        const u64 old = *page;
        store(*page, 0);
        drop(old, at);
        return PhysAddr{old & translation::kFrameMask};
    }

    /// Changes the access of one page; no access at all keeps the frame. Break-before-make where
    /// the memory type changes. ResourceNotFound, InvalidArgument (writable and executable).
    Result<void> protect(VirtAddr at, Access access) {
        if (translation::is_forbidden(access)) {
            return base::Status::InvalidArgument;
        }
        u64* page = find_entry(at.value);
        if (page == nullptr || !is_page(at)) {
            return base::Status::ResourceNotFound;
        }
        const u64 old = *page;
        const u64 wanted = (old & translation::kFrameMask) | translation::user_attributes(access);
        const bool must_break = ((old ^ wanted) & translation::kAttributeMask) != 0;
        if (must_break) {
            store(*page, 0);
            drop(old, at);
        }
        store(*page, wanted);
        if (!must_break && (old & translation::kValid) != 0) {
            drop(old, at);
        } else {
            dsb_ishst();
        }
        return {};
    }

    /// Physical address of a user address for EL0 access of this kind to Normal memory. Any
    /// number may be asked. SourceFault.
    [[nodiscard]] Result<PhysAddr> find(UserAddr user, Intent intent) const {
        const u64* page = find_entry(user.value);
        if (page == nullptr) {
            return base::Status::SourceFault;
        }
        const u64 entry = *page;
        const u64 refused = intent == Intent::Write ? entry & translation::kReadOnly : 0;
        if ((entry & kMustBe) != kWanted || refused != 0) {
            return base::Status::SourceFault;
        }
        return PhysAddr{(entry & translation::kFrameMask) | user.page_offset()};
    }

    /// Frame and access of the page around `at`, device memory included. ResourceNotFound.
    [[nodiscard]] Result<Mapping> look_up(VirtAddr at) const {
        const u64* page = find_entry(at.value);
        if (page == nullptr) {
            return base::Status::ResourceNotFound;
        }
        return Mapping{PhysAddr{*page & translation::kFrameMask}, translation::user_access(*page)};
    }

    /// Pages from an unmapped page downwards that have no table in common with a mapped one; 1 when
    /// its own table is there.
    [[nodiscard]] u64 gap_below(VirtAddr at) const {
        using namespace translation;
        const PhysAddr middle{entries(root_)[index(at.value, 1)] & kFrameMask};
        if (middle.value == 0) {
            return at.value % kBlock1Size / kPageSize + 1;
        }
        const bool has_leaf = entries(middle)[index(at.value, 2)] != 0;
        return has_leaf ? 1 : at.value % kBlock2Size / kPageSize + 1;
    }

    /// Gives table frames back to `source`, the root last; the frames of pages are the caller's to
    /// have unmapped. One unit of `budget` is a frame or 64 entries looked at. True when all are
    /// gone. No CPU may have this space active; the first step drops its translations.
    template <FrameSource Source> bool destroy_some(Source& source, u32 budget) {
        using namespace translation;
        constexpr u32 kStride = kEntries + 1;  // its entries, then the table itself
        const auto give = [&source](u64& entry) {
            const PhysAddr table{entry & kFrameMask};
            store(entry, 0);
            source.give_frame(table);
        };
        if (root_.value == 0) {
            return true;
        }
        if (cursor_ == 0) {
            tlb_drop_space(asid_);
        }
        for (; budget > 0; --budget) {
            const u32 top = cursor_ / kStride;
            const u32 at = cursor_ % kStride;
            if (top == kEntries) {
                source.give_frame(root_);
                root_ = PhysAddr{};
                return true;
            }
            u64& middle = entries(root_)[top];
            if (middle == 0) {
                cursor_ = skip_empty(root_, top) * kStride;
            } else if (at == kEntries) {
                give(middle);
                ++cursor_;
            } else if (u64& leaf = entries(PhysAddr{middle & kFrameMask})[at]; leaf != 0) {
                give(leaf);
                ++cursor_;
            } else {
                cursor_ += skip_empty(PhysAddr{middle & kFrameMask}, at) - at;
            }
        }
        return false;
    }

    /// What goes into TTBR0_EL1.
    [[nodiscard]] u64 root() const { return root_.value | (u64{asid_.value} << 48); }

    [[nodiscard]] Asid asid() const { return asid_; }

private:
    /// What an entry must be like for the kernel to touch the page on behalf of its owner.
    static constexpr u64 kMustBe =
        translation::kValid | translation::kUser | translation::kAttributeMask;
    static constexpr u64 kWanted =
        translation::kValid | translation::kUser | translation::kAttributeNormal;

    PageTable(PhysAddr root, Asid asid) : root_(root), asid_(asid) {}

    static u64* entries(PhysAddr table) { return linear<u64>(table); }

    static bool is_page(VirtAddr at) {
        return at.page_offset() == 0 && at.value < translation::kAddressLimit;
    }

    /// One store of the whole entry; the walkers read it at any time.
    static void store(u64& entry, u64 value) { __atomic_store_n(&entry, value, __ATOMIC_RELAXED); }

    /// The first entry of a table from `from` on that is in use, or 64 entries further.
    static u32 skip_empty(PhysAddr table, u32 from) {
        const u32 all = translation::kEntries;
        const u32 stop = from + 64 < all ? from + 64 : all;
        while (from < stop && entries(table)[from] == 0) {
            ++from;
        }
        return from;
    }

    /// The leaf entry for an address if it holds a frame, else null.
    [[nodiscard]] u64* find_entry(u64 address) const {
        using namespace translation;
        if (address >= kAddressLimit) {
            return nullptr;
        }
        const u64 middle = entries(root_)[index(address, 1)];
        if (middle == 0) {
            return nullptr;
        }
        const u64 leaf = entries(PhysAddr{middle & kFrameMask})[index(address, 2)];
        if (leaf == 0) {
            return nullptr;
        }
        u64* page = &entries(PhysAddr{leaf & kFrameMask})[index(address, 3)];
        return *page != 0 ? page : nullptr;
    }

    /// The leaf entry for an address below the limit; tables are made on the way and stay, used or
    /// not. OutOfMemory.
    template <FrameSource Source> Result<u64&> make_entry(VirtAddr at, Source& source) {
        PhysAddr table = root_;
        for (u32 level = 1; level < 3; ++level) {
            u64& entry = entries(table)[translation::index(at.value, level)];
            if (entry == 0) {
                TRY_VALUE(const PhysAddr fresh, source.take_frame());
                dsb_ishst();  // its zeros, before the walkers can come across it
                store(entry, fresh.value | translation::kTable | translation::kValid);
            }
            table = PhysAddr{entry & translation::kFrameMask};
        }
        return entries(table)[translation::index(at.value, 3)];
    }

    void drop(u64 old, VirtAddr at) const {
        if ((old & translation::kValid) != 0) {
            tlb_drop_page(asid_, at);
        }
    }

    PhysAddr root_{};
    Asid asid_{};
    u32 cursor_ = 0;  // of destroy_some: how far it is, in entries of level 2 and tables of such
};

}  // namespace arch
