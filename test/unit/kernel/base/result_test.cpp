// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <kernel/base/result.hpp>

using namespace base;

namespace {

int g_evaluations = 0;

Result<u32> count_and(Result<u32> result) {
    ++g_evaluations;
    return result;
}

Result<u64> doubled(Result<u32> input) {
    TRY_VALUE(const u32 value, count_and(input));
    return u64{value} * 2;
}

Result<void> passes(Result<void> input, bool& reached) {
    TRY(input);
    reached = true;
    return {};
}

Result<u32&> pick(u32& value, bool is_there) {
    return is_there ? Result<u32&>{value} : Status::ResourceNotFound;
}

}  // namespace

TEST_CASE("a result is a value or a status", "[kernel][base]") {
    const Result<u32> good{7u};
    CHECK(good.ok());
    CHECK(good.value() == 7);
    CHECK(good.status() == Status::Ok);
    const Result<u32> bad{Status::Busy};
    CHECK_FALSE(bad.ok());
    CHECK(bad.status() == Status::Busy);
}

TEST_CASE("TRY_VALUE evaluates once and passes failure on", "[kernel][base]") {
    g_evaluations = 0;
    CHECK(doubled(21u).value() == 42);
    CHECK(g_evaluations == 1);
    CHECK(doubled(Status::OutOfMemory).status() == Status::OutOfMemory);
    CHECK(g_evaluations == 2);
}

TEST_CASE("TRY stops at a failure", "[kernel][base]") {
    bool reached = false;
    CHECK(passes(Status::Timeout, reached).status() == Status::Timeout);
    CHECK_FALSE(reached);
    CHECK(passes({}, reached).ok());
    CHECK(reached);
}

TEST_CASE("a result of a reference refers to the object itself", "[kernel][base]") {
    u32 value = 1;
    pick(value, true).value() = 5;
    CHECK(value == 5);
    CHECK(pick(value, false).status() == Status::ResourceNotFound);
}

TEST_CASE("every error status has the sign bit, success alone has not", "[kernel][base]") {
    CHECK(static_cast<s32>(Status::Ok) == 0);
    CHECK(static_cast<s32>(Status::Fail) == -0x7fff'0001);
    CHECK(static_cast<s32>(Status::BadCall) < 0);
}
