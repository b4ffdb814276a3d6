// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <kernel/base/types.hpp>
#include <type_traits>

using namespace base;

TEST_CASE("address arithmetic keeps the kinds apart", "[kernel][base]") {
    const PhysAddr at{0x1000};
    CHECK(at + Bytes{0x20} == PhysAddr{0x1020});
    CHECK(at - Bytes{0x20} == PhysAddr{0xFE0});
    static_assert(std::is_same_v<decltype(at - at), Bytes>);
    CHECK(PhysAddr{0x1234} - at == Bytes{0x234});
}

TEST_CASE("addresses order and know their page", "[kernel][base]") {
    CHECK(UserAddr{1} < UserAddr{2});
    CHECK(VirtAddr{0x1FFF}.page_offset() == 0xFFF);
    CHECK(VirtAddr{0x1FFF}.page_base() == VirtAddr{0x1000});
    CHECK(VirtAddr{~u64{0}}.page_base() == VirtAddr{0xFFFF'FFFF'FFFF'F000});
}

TEST_CASE("pages_for rounds up", "[kernel][base]") {
    CHECK(pages_for(Bytes{0}) == PageCount{0});
    CHECK(pages_for(Bytes{1}) == PageCount{1});
    CHECK(pages_for(Bytes{4096}) == PageCount{1});
    CHECK(pages_for(Bytes{4097}) == PageCount{2});
    CHECK(PageCount{3}.bytes() == Bytes{12288});
}

TEST_CASE("identifiers are as small as their numbers and start at zero", "[kernel][base]") {
    static_assert(sizeof(Asid) == 2);
    static_assert(sizeof(CpuId) == 4);
    static_assert(sizeof(Sid) == 8);
    static_assert(std::is_trivially_copyable_v<PhysAddr>);
    CHECK(Sid{} == Sid{0});
    CHECK(CpuId{1} < CpuId{2});
}
