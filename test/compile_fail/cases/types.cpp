// SPDX-License-Identifier: Apache-2.0
// Quantities of different kinds do not mix (kernel/base/types.hpp).
#include <kernel/abi/call.hpp>
#include <kernel/base/types.hpp>

using namespace base;

PhysAddr frame{0x1000};
VirtAddr page{0x2000};
UserAddr claim{0x3000};

void take_frame(PhysAddr);
void take_line(IrqLine);
void take_ticks(Ticks);

void use() {
    PhysAddr from_number{5};           // instead: PhysAddr from_number = 5;
    PhysAddr other = frame;            // instead: PhysAddr other = page;
    Bytes distance = frame - other;    // instead: Bytes distance = frame - page;
    frame = frame + distance;          // instead: frame = frame + frame;
    frame = frame + Bytes{8};          // instead: frame = frame + 8;
    frame = frame - Bytes{8};          // instead: frame = Bytes{8} - frame;
    bool before = frame < other;       // instead: bool before = frame < page;
    bool same = claim == claim;        // instead: bool same = claim == page;
    u64 raw = frame.value;             // instead: u64 raw = frame;
    u64 size = distance.value;         // instead: u64 size = distance;
    take_frame(frame);                 // instead: take_frame(claim);
    take_frame(other);                 // instead: take_frame(PhysAddr{claim});
    take_line(IrqLine{3});             // instead: take_line(CpuId{3});
    take_line(IrqLine{4});             // instead: take_line(4);
    take_ticks(Ticks{10});             // instead: take_ticks(Bytes{10});
    bool equal = Sid{1} == Sid{2};     // instead: bool equal = Sid{1} == Asid{2};
    CpuId cpu{CpuId{1}.value + 1};     // instead: CpuId cpu = CpuId{1} + 1;
    Asid id{7};                        // instead: Asid id = IrqLine{7};
    Bytes all = PageCount{2}.bytes();  // instead: Bytes all = PageCount{2};
    PageCount pages = pages_for(all);  // instead: PageCount pages = pages_for(4096);
    int* nothing = nullptr;            // instead: int* nothing = static_cast<int*>(frame);
    abi::Tag tag{u64{0}};              // instead: abi::Tag tag = u64{0};
    abi::Buffer buffer{claim, 16};     // instead: abi::Buffer buffer{frame, 16};
    static_cast<void>(before && same && equal && raw + size != 0 && nothing == nullptr);
    static_cast<void>(cpu == CpuId{} && id == Asid{} && pages == PageCount{});
    static_cast<void>(tag.value + buffer.value);
}
