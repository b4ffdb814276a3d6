// SPDX-License-Identifier: Apache-2.0
// Copy, clear, caches and TLBs. [ARM] "TLB maintenance instructions", "Cache maintenance"
#include <arch/inline.hpp>
#include <arch/system_register.hpp>

extern "C" {
void arch_clear_frame(void* frame);
void arch_copy_bulk(void* to, const void* from, base::u64 size);
}

namespace arch {

void zero_frame(PhysAddr frame) { arch_clear_frame(linear<void>(frame)); }

void copy_linear(PhysAddr to, PhysAddr from, Bytes size) {
    arch_copy_bulk(linear<void>(to), linear<const void>(from), size.value);
}

void copy_bytes(void* to, const void* from, u64 size) { arch_copy_bulk(to, from, size); }

namespace {

template <typename Operation> void for_lines(PhysAddr frame, Operation operation) {
    const u64 line_size = u64{4} << ((ARCH_READ(ctr_el0) >> 16) & 0xF);
    const u64 start = reinterpret_cast<u64>(linear<void>(frame));
    for (u64 line = start; line < start + base::kPageSize; line += line_size) {
        operation(line);
    }
}

}  // namespace

void flush_frame(PhysAddr frame) {
    for_lines(frame, [](u64 line) { asm volatile("dc civac, %0" ::"r"(line) : "memory"); });
    asm volatile("dsb sy" ::: "memory");  // devices are no part of the inner shareable domain
}

void sync_code(PhysAddr frame) {
    if ((ARCH_READ(ctr_el0) & (u64{1} << 28)) == 0) {  // IDC: stores need no clean
        for_lines(frame, [](u64 line) { asm volatile("dc cvau, %0" ::"r"(line) : "memory"); });
    }
    dsb_ish();
    // By address would miss the aliases of a virtually indexed instruction cache.
    asm volatile("ic ialluis" ::: "memory");
    dsb_ish();
    isb();
}

void tlb_drop_page(Asid asid, VirtAddr page, u32 count) {
    u64 operand = (u64{asid.value} << 48) | ((page.value >> 12) & 0xFFF'FFFF'FFFF);
    dsb_ishst();
    for (const u64 end = operand + count; operand != end; ++operand) {
        asm volatile("tlbi vale1is, %0" ::"r"(operand) : "memory");
    }
    dsb_ish();
}

void tlb_drop_space(Asid asid) {
    const u64 operand = u64{asid.value} << 48;
    dsb_ishst();
    asm volatile("tlbi aside1is, %0" ::"r"(operand) : "memory");
    dsb_ish();
}

}  // namespace arch
