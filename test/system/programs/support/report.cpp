// SPDX-License-Identifier: Apache-2.0
#include <runtime/process.hpp>
#include <runtime/status_text.hpp>
#include <test/system/programs/support/report.hpp>

namespace trial {

Test::~Test() {
    sdk::Line<250> line;
    line.text("TEST ").text(name_.view());
    if (failed_) {
        line.text(" FAIL ").text(why_.view());
    } else {
        line.text(" PASS");
    }
    ++(failed_ ? report_.failed : report_.passed);
    sdk::debug_write(line.view());
}

bool Test::require(std::string_view what, bool holds, u64 value) {
    if (!holds && !failed_) {
        failed_ = true;
        why_.text(what).text(" value=").hex(value);
    }
    return holds;
}

bool Test::equal(std::string_view what, Status got, Status wanted) {
    if (got != wanted && !failed_) {
        failed_ = true;
        why_.text(what).text(" got=").text(sdk::name_of(got));
        why_.text(" wanted=").text(sdk::name_of(wanted));
    }
    return got == wanted;
}

bool Test::equal_words(std::string_view what, u64 got, u64 wanted) {
    if (got != wanted && !failed_) {
        failed_ = true;
        why_.text(what).text(" got=").hex(got).text(" wanted=").hex(wanted);
    }
    return got == wanted;
}

u32 connection(const Context& context, std::string_view id) {
    const auto handle = context.start.connection(id);
    if (!handle.ok()) {
        sdk::panic("trial: a connection is missing in init.yaml");
    }
    return handle.value();
}

}  // namespace trial
