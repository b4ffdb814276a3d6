// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <kernel/base/text.hpp>

using base::Text;

TEST_CASE("a literal is a text without its terminator", "[kernel][base]") {
    constexpr Text kText = "abc";
    static_assert(kText.size() == 3);
    CHECK(kText == Text{"abcd", 3});
    CHECK_FALSE(kText == Text{"abd"});
    CHECK_FALSE(kText == Text{"ab"});
    CHECK(Text{} == Text{""});
}

TEST_CASE("parts of a text stay inside it", "[kernel][base]") {
    constexpr Text kText = "uart@9000";
    CHECK(kText.find('@') == 4);
    CHECK(kText.find('!') == kText.size());
    CHECK(kText.first(4) == Text{"uart"});
    CHECK(kText.first(99) == kText);
    CHECK(kText.drop(5) == Text{"9000"});
    CHECK(kText.drop(99).empty());
}

TEST_CASE("a word of a line gives its value by name", "[kernel][base]") {
    constexpr Text kLine = "console=x  quiet a=b=c empty= =none console=y";
    CHECK(value_of(kLine, "console") == Text{"x"});
    CHECK(value_of(kLine, "a") == Text{"b=c"});
    CHECK(value_of(kLine, "") == Text{});
    for (const Text name : {Text{"quiet"}, Text{"empty"}}) {
        CHECK(value_of(kLine, name).empty());
        CHECK(value_of(kLine, name).data() != nullptr);
    }
    for (const Text name : {Text{"consol"}, Text{"x"}, Text{"qui"}, Text{"quiet "}, Text{"a=b"}}) {
        CHECK(value_of(kLine, name).data() == nullptr);
    }
    CHECK(value_of(Text{}, "a").data() == nullptr);
}
