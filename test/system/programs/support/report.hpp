// SPDX-License-Identifier: Apache-2.0
// How tests speak: one line `TEST <name> PASS` or `TEST <name> FAIL <why>` each, on the kernel's
// console. A Test collects requirements and prints its line when it goes out of scope, with the
// first requirement that was not met.
//
//   Test test{report, "handles.closed-twice"};
//   test.equal("second close", handles().Close(copy).status(), Status::BadHandle);
#pragma once

#include <runtime/start_block.hpp>
#include <runtime/text.hpp>
#include <string_view>
#include <type_traits>

namespace trial {

using base::Result;
using base::s32;
using base::s64;
using base::Status;
using base::u16;
using base::u32;
using base::u64;
using base::u8;

/// Counts of one suite.
struct Report {
    u32 passed = 0;
    u32 failed = 0;
};

/// One test. Lives on the stack of the suite's first thread.
class Test final {
public:
    Test(Report& report, std::string_view name) : report_(report) { name_.text(name); }

    ~Test();
    Test(const Test&) = delete;
    Test& operator=(const Test&) = delete;

    /// `holds` must be true; `what` and `value` explain when it is not.
    bool require(std::string_view what, bool holds, u64 value = 0);
    /// Both must be the same Status.
    bool equal(std::string_view what, Status got, Status wanted);

    template <typename A, typename B>
        requires(std::is_integral_v<A> && std::is_integral_v<B>)
    bool equal(std::string_view what, A got, B wanted) {
        return equal_words(what, static_cast<u64>(got), static_cast<u64>(wanted));
    }

    [[nodiscard]] bool failed() const { return failed_; }

private:
    bool equal_words(std::string_view what, u64 got, u64 wanted);

    Report& report_;
    sdk::Line<80> name_;
    sdk::Line<150> why_;
    bool failed_ = false;
};

/// What a suite is given.
struct Context {
    const sdk::StartBlock& start;
    u64 seed;
    u32 effort;
    u32 cpus;
};

/// Defined by each program: runs its tests.
void run(Report& report, const Context& context);

/// Client handle of a connection; ends the process when there is none.
u32 connection(const Context& context, std::string_view id);

}  // namespace trial
