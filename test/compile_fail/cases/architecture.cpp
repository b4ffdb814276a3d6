// SPDX-License-Identifier: Apache-2.0
// Only physical addresses go through the linear map, only user addresses through the checked walk.
#include <arch/inline.hpp>
#include <arch/page_table.hpp>

using namespace base;

constexpr arch::Intent kRead = arch::Intent::Read;

void use(const arch::PageTable& table, PhysAddr frame, UserAddr claim, VirtAddr page) {
    auto* bytes = arch::linear<u8>(frame);   // instead: u8* bytes = arch::linear<u8>(claim);
    auto* words = arch::linear<u64>(frame);  // instead: auto* words = arch::linear<u64>(0x1000);
    auto found = table.find(claim, kRead);   // instead: auto found = table.find(page, kRead);
    auto again = table.find(claim, kRead);   // instead: auto again = table.find(claim, true);
    arch::zero_frame(frame);                 // instead: arch::zero_frame(page);
    arch::kick(CpuId{0});                    // instead: arch::kick(0);
    arch::irq_finish(IrqLine{40});           // instead: arch::irq_finish(CpuId{40});
    arch::set_timer(Ticks{5});               // instead: arch::set_timer(Bytes{5});
    arch::tlb_drop_page(Asid{1}, page);      // instead: arch::tlb_drop_page(Asid{1}, claim);
    static_cast<void>(bytes != nullptr && words != nullptr && found.ok() && again.ok());
}
