// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

namespace {

using svc::audit::Names;
using svc::audit::Numbering;

}  // namespace

TEST_CASE("names are found by their numbers", "[services][audit]") {
    const Names names{table::kNames};
    CHECK(names.is_valid());
    CHECK(names.policy_hash() == "0x00aa11bb22cc33dd");
    CHECK(names.find_class(2) == "plant.Valve");
    CHECK(names.find_endpoint(Numbering::Endpoints, 1, 3).path == "handle.Handle");
    CHECK(names.find_endpoint(Numbering::Endpoints, 1, 3).interface == "kl.core.Handle");
    CHECK(names.find_method(Numbering::Endpoints, 1, 3, 1) == "Close");
    CHECK(names.find_method(Numbering::Security, 3, 0, 0) == "Login");
    CHECK(names.find_rule(7).place == "plant.psl:31");
    CHECK(names.find_rule(7).text == "assert (message.percent <= 80)");
    CHECK(names.find_value(7, 0) == "message.percent");
    CHECK(names.find_parameter({.class_id = 2, .endpoint = 0, .method = 0, .kind = 1}) ==
          "applied");
}

TEST_CASE("what the table does not have is empty", "[services][audit]") {
    const Names names{table::kNames};
    CHECK(names.find_class(9).empty());
    CHECK(names.find_method(Numbering::Endpoints, 2, 0, 9).empty());
    CHECK(names.find_method(Numbering::Security, 2, 0, 0).empty());
    CHECK(names.find_rule(8).place.empty());
    CHECK(names.find_value(7, 2).empty());
    CHECK_FALSE(Names{}.is_valid());
    CHECK(Names{}.find_class(0).empty());
    CHECK(Names{}.policy_hash().empty());
    CHECK_FALSE(Names{"tessera-names 2\nclass 0 A\n"}.is_valid());
}

TEST_CASE("lines without an end, with other ends or other words are read", "[services][audit]") {
    const Names names{"tessera-names 1\r\nfuture 1 2 3\r\n\r\nclass 1 A\r\nclass 2 B"};
    CHECK(names.is_valid());
    CHECK(names.find_class(1) == "A");
    CHECK(names.find_class(2) == "B");
}

TEST_CASE("a damaged table gives wrong names at worst", "[services][audit]") {
    std::mt19937 random{20260101};
    for (int round = 0; round < 2000; ++round) {
        std::string text{table::kNames};
        for (int i = 0; i < 8; ++i) {
            text[random() % text.size()] = static_cast<char>(random());
        }
        text.resize(random() % text.size());
        const Names names{text};
        (void)names.is_valid();
        (void)names.find_class(random() % 4);
        (void)names.find_endpoint(Numbering::Endpoints, random() % 4, random() % 4);
        (void)names.find_rule(7);
        (void)names.find_value(7, 0);
    }
    SUCCEED();
}
