// SPDX-License-Identifier: Apache-2.0
// early_map runs with the MMU off, at the physical address: it may use only addresses relative to
// the program counter, which the small code model gives, and no table of pointers. What it writes
// goes past the cache, so the lines are invalidated before the MMU makes them visible.
#include <arch/aarch64/mmu/kernel_map.hpp>
#include <arch/inline.hpp>
#include <arch/percpu.h>
#include <arch/system_register.hpp>
#include <arch/translation.hpp>
#include <kernel/abi/image.hpp>
#include <kernel/base/bits.hpp>
#include <kernel/base/fdt.hpp>

using arch::u32;
using arch::u64;
using base::u8;

namespace {

// Tables of the kernel's half: root, level 2 and 3 of the image; the rest as needed.
constexpr u32 kPoolTables = 28;

struct alignas(4096) Table {
    u64 entry[arch::translation::kEntries];
};

constexpr u64 kRelative = 1027;  // R_AARCH64_RELATIVE

/// [ELF64] "Elf64_Rela": at `offset` stands the address `addend`.
struct Relocation {
    u64 offset;
    u64 info;
    u64 addend;
};

struct alignas(4096) CpuStacks {
    u8 guard[STACK_GUARD_SIZE];
    u8 stack[STACK_SIZE];
    u8 emergency_guard[STACK_GUARD_SIZE];
    u8 emergency[EMERGENCY_STACK_SIZE];
};

}  // namespace

extern "C" {
// Named by boot/start.S and by the linker script.
[[gnu::section(".boot.tables")]] constinit Table kernel_tables[kPoolTables]{};
[[gnu::section(".boot.tables")]] constinit Table identity_tables[3]{};
[[gnu::section(".boot.tables")]] constinit Table empty_table{};
[[gnu::section(".boot.stacks")]] constinit CpuStacks cpu_stacks[PERCPU_COUNT]{};

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): symbols of the linker
// script
extern u8 __image_start[];
extern u8 __text_end[];
extern u8 __rodata_end[];
extern u8 __sealed_start[];
extern u8 __sealed_end[];
extern u8 __image_end[];
extern const Relocation __relocations_start[];
extern const Relocation __relocations_end[];
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

extern u64 kernel_delta;  // NOLINT(readability-identifier-naming): a label of start.S

/// Chooses the kernel's addresses, relocates it, and fills the identity map of the first page and
/// the map of the image. `image` is where it lies, `tree` what came in x0; the MMU is off.
void early_map(u64 image, u64 tree);
}

namespace arch {

namespace {

using base::Status;
using namespace translation;

struct KernelMap {
    u64 image = 0;        // physical
    u32 tables_used = 3;  // of kernel_tables; early_map has filled the first three
    u64 next_window = kDeviceBase;
};

[[gnu::section(".sealed")]] constinit KernelMap state;

// Linker symbols are the ends of regions, not objects: their addresses are all that counts.
u64 address_of(const void* symbol) { return reinterpret_cast<u64>(symbol); }

u64* table_at(u64 entry) {
    const u64 frame = entry & kFrameMask;
    return reinterpret_cast<u64*>(frame - state.image + address_of(__image_start));
}

void store(u64& entry, u64 value) { __atomic_store_n(&entry, value, __ATOMIC_RELAXED); }

/// What was stored before is what all CPUs translate with from here on.
void drop_translations() {
    dsb_ishst();
    asm volatile("tlbi vmalle1is" ::: "memory");
    dsb_ish();
}

Result<u64> take_table() {
    if (state.tables_used == kPoolTables) {
        return Status::OutOfMemory;
    }
    return image_physical(&kernel_tables[state.tables_used++]).value | kTable | kValid;
}

/// The table that `entry` refers to, made if it is not there; a block is split into the same
/// mapping in smaller pieces of `piece` bytes.
Result<u64*> table_below(u64& entry, u64 piece) {
    if (is_table(entry)) {
        return table_at(entry);
    }
    TRY_VALUE(const u64 made, take_table());
    u64* table = table_at(made);
    const u64 old = entry;
    if ((old & kValid) != 0) {
        const u64 leaf = piece == translation::kPageSize ? kTable : 0;
        for (u32 i = 0; i < kEntries; i++) {
            table[i] = (old | leaf) + i * piece;
        }
        // Break before make. Nobody is in the range meanwhile: code, stack and tables are in the
        // image, which has a map of its own.
        store(entry, 0);
        drop_translations();
    }
    dsb_ishst();
    store(entry, made);
    dsb_ishst();
    return table;
}

/// Largest of `size` bytes that one entry can map at both addresses.
bool fits_block(u64 at, u64 from, u64 size, u64 block) {
    return ((at | from) & (block - 1)) == 0 && size >= block;
}

Result<u64*> leaf_for(u64 at) {
    TRY_VALUE(u64 * middle, table_below(kernel_tables[0].entry[index(at, 1)], kBlock2Size));
    TRY_VALUE(u64 * leaf, table_below(middle[index(at, 2)], translation::kPageSize));
    return &leaf[index(at, 3)];
}

}  // namespace

void kernel_map_start(PhysAddr image) { state.image = image.value; }

void leave_user_space() {
    const u64 root = image_physical(&empty_table).value;
    asm volatile("msr ttbr0_el1, %0\n\tisb" ::"r"(root) : "memory");
}

PhysAddr image_physical(const void* inside_image) {
    return PhysAddr{address_of(inside_image) - address_of(__image_start) + state.image};
}

PhysAddr image_base() { return PhysAddr{state.image}; }

Bytes image_size() { return Bytes{address_of(__image_end) - address_of(__image_start)}; }

u64 as_linked(u64 address) {
    const u64 offset = address - address_of(__image_start);
    return offset < image_size().value ? abi::image::kKernelBase + offset : address;
}

Result<void> kernel_map_range(VirtAddr at, PhysAddr from, Bytes size, Access access) {
    const u64 attributes = kernel_attributes(access);
    u64 to = at.value;
    u64 frame = from.value;
    u64 left = size.value;
    while (left != 0) {
        u64 step = kBlock1Size;
        u64* entry = &kernel_tables[0].entry[index(to, 1)];
        for (u32 level = 2;
             step != kPageSize && !(fits_block(to, frame, left, step) && *entry == 0);
             ++level) {
            step /= kEntries;
            TRY_VALUE(u64 * table, table_below(*entry, step));
            entry = &table[index(to, level)];
        }
        if (*entry != 0) {
            return Status::AlreadyExists;
        }
        store(*entry, frame | attributes | (step == kPageSize ? kTable : 0));
        to += step;
        frame += step;
        left -= step;
    }
    dsb_ishst();
    isb();
    return {};
}

namespace {

Result<u64> map_window(PhysAddr base, Bytes size, Access access) {
    const u64 offset = base.page_offset();
    if (size.value > kDeviceLimit - kDeviceBase) {
        return Status::OutOfMemory;
    }
    const u64 length = base::align_up(offset + size.value, translation::kPageSize);
    if (length > kDeviceLimit - state.next_window) {
        return Status::OutOfMemory;
    }
    const VirtAddr at{state.next_window};
    state.next_window += length + translation::kPageSize;  // a hole between any two
    TRY(kernel_map_range(at, base.page_base(), Bytes{length}, access));
    return at.value + offset;
}

}  // namespace

Result<u64> kernel_map_device(PhysAddr base, Bytes size) {
    return map_window(base, size, Access{.read = true, .write = true, .device = true});
}

Result<u64> kernel_map_view(PhysAddr base, Bytes size) {
    return map_window(base, size, Access{.read = true});
}

Result<void> kernel_map_ram(PhysAddr base, Bytes size) {
    const auto map = [](u64 from, u64 to) -> Result<void> {
        constexpr Access kData{.read = true, .write = true};
        const u64 length = from < to ? to - from : 0;
        return kernel_map_range(VirtAddr{kLinearBase + from}, PhysAddr{from}, Bytes{length}, kData);
    };
    const u64 start = base.value;
    const u64 end = start + size.value;
    const u64 image_end = state.image + image_size().value;
    TRY(map(start, state.image < end ? state.image : end));
    return map(image_end > start ? image_end : start, end);
}

Result<void> map_kernel_page(VirtAddr at, PhysAddr frame, Access access) {
    const bool in_range =
        at.value >= abi::image::kKsecBase && at.value < kDeviceBase && at.page_offset() == 0;
    if (!in_range || frame.page_offset() != 0 || frame.value >= kLinearLimit ||
        is_forbidden(access)) {
        return Status::InvalidArgument;
    }
    TRY_VALUE(u64 * entry, leaf_for(at.value));
    if (*entry != 0) {
        return Status::AlreadyExists;
    }
    TRY_VALUE(u64 * alias, leaf_for(kLinearBase + frame.value));
    if (*alias == 0) {
        return Status::InvalidArgument;
    }
    if (access.execute) {
        sync_code(frame);  // it was written as data
    }
    // The frame leaves the linear map: from now on it has one address, with one access.
    store(*alias, 0);
    drop_translations();
    store(*entry, frame.value | kernel_attributes(access) | kTable);
    dsb_ishst();
    isb();
    return {};
}

void seal_kernel() {
    const auto seal = [](u64 at) {
        u64& page = kernel_tables[2].entry[index(at, 3)];
        store(page, page | kReadOnly);
    };
    const u64 own = address_of(&kernel_tables[2]);
    for (u64 at = address_of(__sealed_start); at < address_of(__sealed_end); at += kPageSize) {
        if (at != own) {
            seal(at);
        }
    }
    seal(own);  // the last store to any of them
    drop_translations();
    isb();
}

}  // namespace arch

/// How far above kKernelBase the image goes: one of some 2^17 places, 2 MiB apart, by the seeds
/// that the firmware left in /chosen or, without one, by the CPU's random numbers; 0 when there are
/// neither. The first 4 GiB above kKernelBase have other uses.
static u64 choose_slide(u64 tree) {
    namespace fdt = base::fdt;
    constexpr u64 kPlaces = 251 << 9;
    u64 random = 0;
    const auto stir = [&random](const base::Result<fdt::Property>& seed) {
        for (const u8 byte : seed.ok() ? seed.value().bytes() : std::span<const u8>{}) {
            random = (random ^ byte) * 0x0000'0100'0000'01B3;  // FNV-1a
        }
    };
    const auto at = [tree](u64 size) { return std::span{reinterpret_cast<const u8*>(tree), size}; };
    const bool is_there = tree != 0 && base::is_aligned(tree, 8) && tree < arch::kLinearLimit;
    const auto size = is_there ? fdt::total_size(at(fdt::kMinHeaderBytes)) : base::Status::NotReady;
    const auto blob = size.ok() ? fdt::open(at(size.value().value)) : size.status();
    for (fdt::Walk walk{blob.ok() ? blob.value() : fdt::Blob{}}; walk.advance();) {
        if (walk.node().name() == "chosen") {
            stir(walk.node().property("kaslr-seed"));
            stir(walk.node().property("rng-seed"));
        }
    }
    if (random == 0 && (ARCH_READ(id_aa64isar0_el1) >> 60) != 0) {
        random = ARCH_READ(s3_3_c2_c4_0);  // RNDR
    }
    return random == 0 ? 0 : (u64{4} << 30) + (((random >> 32) % kPlaces) << 21);
}

extern "C" void early_map(u64 image, u64 tree) {
    using namespace arch::translation;
    constexpr arch::Access kCode{.read = true, .execute = true};
    constexpr arch::Access kConstants{.read = true};
    constexpr arch::Access kData{.read = true, .write = true};

    // Here and nowhere else the address of a symbol is the physical one.
    const auto at = [](const void* symbol) { return reinterpret_cast<u64>(symbol); };
    const auto link = [](const void* table) {
        return reinterpret_cast<u64>(table) | kTable | kValid;
    };

    identity_tables[0].entry[index(image, 1)] = link(&identity_tables[1]);
    identity_tables[1].entry[index(image, 2)] = link(&identity_tables[2]);
    identity_tables[2].entry[index(image, 3)] = image | kernel_attributes(kCode) | kTable;

    const u64 slide = choose_slide(tree);
    for (const Relocation* each = __relocations_start; each != __relocations_end; ++each) {
        if (each->info == kRelative) {  // the linker leaves empty ones
            const u64 place = each->offset - abi::image::kKernelBase + image;
            *reinterpret_cast<u64*>(place) = each->addend + slide;
        }
    }
    const u64 to = abi::image::kKernelBase + slide;
    kernel_delta = to - image;
    kernel_tables[0].entry[index(to, 1)] = link(&kernel_tables[1]);
    kernel_tables[1].entry[index(to, 2)] = link(&kernel_tables[2]);
    u64* pages = kernel_tables[2].entry;
    u32 page = 0;
    u64 frame = image;
    for (; frame < at(__text_end); frame += kPageSize) {
        pages[page++] = frame | kernel_attributes(kCode) | kTable;
    }
    for (; frame < at(__rodata_end); frame += kPageSize) {
        pages[page++] = frame | kernel_attributes(kConstants) | kTable;
    }
    for (; frame < at(__image_end); frame += kPageSize) {
        pages[page++] = frame | kernel_attributes(kData) | kTable;
    }
    for (const CpuStacks& stacks : cpu_stacks) {
        pages[(at(stacks.guard) - image) / kPageSize] = 0;
        pages[(at(stacks.emergency_guard) - image) / kPageSize] = 0;
    }

    const u64 line_size = u64{4} << ((ARCH_READ(ctr_el0) >> 16) & 0xF);
    const auto invalidate = [line_size](u64 from, u64 size) {
        for (u64 line = from; line < from + size; line += line_size) {
            asm volatile("dc ivac, %0" ::"r"(line) : "memory");
        }
    };
    arch::dsb_sy();
    invalidate(image, at(__image_end) - image);
    arch::dsb_sy();
}
