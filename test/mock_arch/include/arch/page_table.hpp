// SPDX-License-Identifier: Apache-2.0
// An EL0 address space of the mock machine: three levels of 512 entries in its RAM, so that table
// frames are taken and given as on the real one. The entry format is its own:
//
//   [0] an entry is there   [1] read   [2] write   [3] execute   [4] device   [5] uncached
//   [47:12] frame or table
#pragma once

#include <arch/inline.hpp>
#include <kernel/hal/machine.hpp>
#include <sdk/runtime/include/runtime/field.hpp>

namespace arch {

class PageTable final {
public:
    struct Mapping {
        PhysAddr frame{};
        Access access{};
    };

    constexpr PageTable() = default;

    /// Takes the root frame. OutOfMemory.
    template <FrameSource Source> static Result<PageTable> create(Source& source, Asid asid) {
        TRY_VALUE(const PhysAddr root, source.take_frame());
        PageTable table;
        table.root_ = root;
        table.asid_ = asid;
        return table;
    }

    /// InvalidArgument, AlreadyExists, OutOfMemory.
    template <FrameSource Source>
    Result<void> map(VirtAddr at, PhysAddr frame, Access access, Source& source) {
        if (!is_page(at) || (frame.value & ~FrameField::kMask) != 0 || is_forbidden(access)) {
            return base::Status::InvalidArgument;
        }
        if (find_entry(at.value) != nullptr) {
            return base::Status::AlreadyExists;
        }
        TRY_VALUE(u64 & entry, make_entry(at, source));
        entry = frame.value | bits(access);
        return {};
    }

    /// As on the real machine, page by page.
    template <FrameSource Source>
    u32 move_pages(VirtAddr at, PageTable& target, VirtAddr to, u32 count, Source& source) {
        u32 moved = 0;
        for (; moved < count; ++moved) {
            const base::Bytes offset = base::PageCount{moved}.bytes();
            const VirtAddr from = at + offset;
            // As a real table of pages ends: nothing moves beyond 2 MiB on either side in one go.
            const bool is_beyond = (from.value >> 21) != (at.value >> 21) ||
                                   ((to + offset).value >> 21) != (to.value >> 21);
            if (is_beyond) {
                break;
            }
            u64* entry = is_page(from) && is_page(to) ? find_entry(from.value) : nullptr;
            if (entry == nullptr || (*entry & kWrite) == 0 ||
                (*entry & (kDevice | kUncached)) != 0) {
                break;
            }
            const Result<u64&> place = target.make_entry(to + offset, source);
            if (!place.ok() || place.value() != 0) {
                break;
            }
            place.value() = *entry;
            *entry = 0;
        }
        tlb_drop_page(asid_, at, moved);
        return moved;
    }

    /// ResourceNotFound.
    Result<PhysAddr> unmap(VirtAddr at) {
        u64* entry = is_page(at) ? find_entry(at.value) : nullptr;
        if (entry == nullptr) {
            return base::Status::ResourceNotFound;
        }
        const PhysAddr frame{*entry & FrameField::kMask};
        const bool was_visible = RightsField::any(*entry);
        *entry = 0;
        if (was_visible) {
            tlb_drop_page(asid_, at);
        }
        return frame;
    }

    /// ResourceNotFound, InvalidArgument.
    Result<void> protect(VirtAddr at, Access access) {
        if (is_forbidden(access)) {
            return base::Status::InvalidArgument;
        }
        u64* entry = is_page(at) ? find_entry(at.value) : nullptr;
        if (entry == nullptr) {
            return base::Status::ResourceNotFound;
        }
        const bool was_visible = RightsField::any(*entry);
        *entry = (*entry & FrameField::kMask) | bits(access);
        if (was_visible) {
            tlb_drop_page(asid_, at);
        }
        return {};
    }

    /// SourceFault.
    [[nodiscard]] Result<PhysAddr> find(UserAddr user, Intent intent) const {
        const u64* entry = find_entry(user.value);
        if (entry == nullptr || (*entry & (kDevice | kUncached)) != 0 ||
            !RightsField::any(*entry) || (intent == Intent::Write && (*entry & kWrite) == 0)) {
            return base::Status::SourceFault;
        }
        return PhysAddr{(*entry & FrameField::kMask) | user.page_offset()};
    }

    /// For tests.
    [[nodiscard]] bool is_mapped(VirtAddr at) const { return find_entry(at.value) != nullptr; }

    /// ResourceNotFound.
    [[nodiscard]] Result<Mapping> look_up(VirtAddr at) const {
        const u64* entry = find_entry(at.value);
        if (entry == nullptr) {
            return base::Status::ResourceNotFound;
        }
        // As on the real machine, write and execute bring read with them.
        return Mapping{PhysAddr{*entry & FrameField::kMask},
                       Access{.read = RightsField::any(*entry),
                              .write = (*entry & kWrite) != 0,
                              .execute = (*entry & kExecute) != 0,
                              .device = (*entry & kDevice) != 0,
                              .uncached = (*entry & kUncached) != 0}};
    }

    /// Pages from an unmapped page downwards without a table.
    [[nodiscard]] u64 gap_below(VirtAddr at) const {
        PhysAddr table = root_;
        for (u32 level = 1; level < 3; ++level) {
            const u64 entry = entries(table)[index(at.value, level)];
            if (entry == 0) {
                return at.value % (u64{1} << (39 - 9 * level)) / base::kPageSize + 1;
            }
            table = PhysAddr{entry & FrameField::kMask};
        }
        return 1;
    }

    /// Gives back at most `budget` table frames, the root last. True when all are gone.
    template <FrameSource Source> bool destroy_some(Source& source, u32 budget) {
        if (root_.value == 0) {
            return true;
        }
        mock::machine().require_unloaded(root());
        tlb_drop_space(asid_);
        u32 given = 0;
        for (u32 i = 0; i < kEntries; ++i) {
            u64& middle = entries(root_)[i];
            if (middle == 0) {
                continue;
            }
            for (u32 j = 0; j < kEntries; ++j) {
                u64& leaf = entries(PhysAddr{middle & FrameField::kMask})[j];
                if (leaf == 0) {
                    continue;
                }
                if (given == budget) {
                    return false;
                }
                source.give_frame(PhysAddr{leaf & FrameField::kMask});
                leaf = 0;
                ++given;
            }
            if (given == budget) {
                return false;
            }
            source.give_frame(PhysAddr{middle & FrameField::kMask});
            middle = 0;
            ++given;
        }
        if (given == budget) {
            return false;
        }
        source.give_frame(root_);
        root_ = PhysAddr{};
        return true;
    }

    [[nodiscard]] u64 root() const { return root_.value | (u64{asid_.value} << 48); }

    [[nodiscard]] Asid asid() const { return asid_; }

    /// Bits of an entry of which a CPU needs one to translate by it.
    static constexpr u64 kVisible = u64{7} << 1;

private:
    using FrameField = sdk::Field<12, 36>;
    using RightsField = sdk::Field<1, 3>;
    static constexpr u64 kPresent = u64{1} << 0;
    static constexpr u64 kRead = u64{1} << 1;
    static constexpr u64 kWrite = u64{1} << 2;
    static constexpr u64 kExecute = u64{1} << 3;
    static constexpr u64 kDevice = u64{1} << 4;
    static constexpr u64 kUncached = u64{1} << 5;
    static constexpr u64 kLimit = u64{1} << 39;
    static constexpr u32 kEntries = 512;

    static u64* entries(PhysAddr table) { return linear<u64>(table); }

    static u32 index(u64 address, u32 level) {
        return static_cast<u32>(address >> (39 - 9 * level)) % kEntries;
    }

    static bool is_page(VirtAddr at) { return at.page_offset() == 0 && at.value < kLimit; }

    static bool is_forbidden(Access access) {
        return access.execute && (access.write || access.device);
    }

    static u64 bits(Access access) {
        return kPresent | (access.read ? kRead : 0) | (access.write ? kWrite : 0) |
               (access.execute ? kExecute : 0) | (access.device ? kDevice : 0) |
               (access.uncached ? kUncached : 0);
    }

    /// The entry for a page, with the tables on the way. OutOfMemory.
    template <FrameSource Source> Result<u64&> make_entry(VirtAddr at, Source& source) {
        PhysAddr table = root_;
        for (u32 level = 1; level < 3; ++level) {
            u64& entry = entries(table)[index(at.value, level)];
            if (entry == 0) {
                TRY_VALUE(const PhysAddr fresh, source.take_frame());
                entry = fresh.value | kPresent;
            }
            table = PhysAddr{entry & FrameField::kMask};
        }
        return entries(table)[index(at.value, 3)];
    }

    /// Entry that holds a page, or null.
    [[nodiscard]] u64* find_entry(u64 address) const {
        if (address >= kLimit || root_.value == 0) {
            return nullptr;
        }
        PhysAddr table = root_;
        for (u32 level = 1; level < 3; ++level) {
            const u64 entry = entries(table)[index(address, level)];
            if (entry == 0) {
                return nullptr;
            }
            table = PhysAddr{entry & FrameField::kMask};
        }
        u64* page = &entries(table)[index(address, 3)];
        return *page == 0 ? nullptr : page;
    }

    PhysAddr root_{};
    Asid asid_{};
};

}  // namespace arch
