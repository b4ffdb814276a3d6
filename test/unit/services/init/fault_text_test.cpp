// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <services/init/fault_text.hpp>
#include <set>

namespace {

using base::u32;

constexpr u32 syndrome(u32 exception, u32 specific) {
    return exception << 26 | 1u << 25 | specific;
}

}  // namespace

TEST_CASE("what a program did wrong is said in words", "[services][init]") {
    using svc::init::describe_fault;
    CHECK(describe_fault(syndrome(0x24, 0x1FF'FFFF)) == "data-abort");
    CHECK(describe_fault(syndrome(0x20, 0)) == "instruction-abort");
    CHECK(describe_fault(syndrome(0x00, 0)) == "undefined-instruction");
    CHECK(describe_fault(syndrome(0x3C, 1)) == "breakpoint");
    CHECK(describe_fault(syndrome(0x3F, 0)) == "unknown-exception");
}

TEST_CASE("an abort says why it came", "[services][init]") {
    using svc::init::describe_cause;
    CHECK(describe_cause(syndrome(0x24, 0x04)) == "translation");
    CHECK(describe_cause(syndrome(0x24, 0x47)) == "translation");  // a write, at level 3
    CHECK(describe_cause(syndrome(0x20, 0x0F)) == "permission");
    CHECK(describe_cause(syndrome(0x24, 0x0B)) == "access-flag");
    CHECK(describe_cause(syndrome(0x24, 0x21)) == "alignment");
    CHECK(describe_cause(syndrome(0x24, 0x10)) == "external");
    CHECK(describe_cause(syndrome(0x24, 0x00)) == "address-size");
}

TEST_CASE("only what concerns an address names one", "[services][init]") {
    std::set<u32> with_address;
    for (u32 exception = 0; exception < 64; ++exception) {
        if (svc::init::has_fault_address(syndrome(exception, 0))) {
            with_address.insert(exception);
        }
    }
    CHECK(with_address == std::set<u32>{0x20, 0x22, 0x24});
}
