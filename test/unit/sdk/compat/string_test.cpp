// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstring>
#include <rtl/retcode_hr.h>
#include <rtl/string.h>
#include <string>

TEST_CASE("texts are compared as unsigned characters", "[compat][string]") {
    CHECK(rtl_strcmp("ab", "ab") == 0);
    CHECK(rtl_strcmp("ab", "abc") < 0);
    CHECK(rtl_strcmp("\xFF", "a") > 0);
    CHECK(rtl_strncmp("abX", "abY", 2) == 0);
    CHECK(rtl_strncmp("abX", "abY", 3) < 0);
    CHECK(rtl_strncmp("ab\0x", "ab\0y", 4) == 0);
    CHECK(rtl_strncmp("a", "b", 0) == 0);
    CHECK(rtl_memcmp("ab\0x", "ab\0y", 4) < 0);
}

TEST_CASE("lengths end at the zero or the limit", "[compat][string]") {
    CHECK(rtl_strlen("") == 0);
    CHECK(rtl_strlen("abc") == 3);
    CHECK(rtl_strnlen("abc", 2) == 2);
    CHECK(rtl_strnlen("abc", 9) == 3);
}

TEST_CASE("copies of a limited size fill up or end in zero", "[compat][string]") {
    char buffer[6];
    std::memset(buffer, 'x', sizeof buffer);
    CHECK(rtl_strncpy(buffer, "ab", 5) == buffer);
    CHECK(std::memcmp(buffer, "ab\0\0\0x", 6) == 0);
    CHECK(rtl_strncpy(buffer, "abcdef", 3) == buffer);
    CHECK(std::memcmp(buffer, "abc\0\0x", 6) == 0);
    CHECK(rtl_strlcpy(buffer, "uvwxyz", 4) == 6);
    CHECK(std::string{buffer} == "uvw");
    CHECK(rtl_strlcpy(buffer, "q", 6) == 1);
    CHECK(std::string{buffer} == "q");
    CHECK(rtl_strlcpy(buffer, "none", 0) == 4);
    CHECK(buffer[0] == 'q');
    CHECK(rtl_memcpy(rtl_memset(buffer, 'm', 6), "ab", 2) == buffer);
    CHECK(std::memcmp(buffer, "abmmmm", 6) == 0);
}

TEST_CASE("a code is printed with its number in its group", "[compat][retcode]") {
    char line[64];
    std::snprintf(line, sizeof line, "failed: " RETCODE_HR_FMT, RETCODE_HR_PARAMS(rcTimeout));
    CHECK(std::string{line} == "failed: -2147418130 (code 18)");
}
