// SPDX-License-Identifier: Apache-2.0
// Events as people write them on a command line: in PAL, or in words.
//
//     p <- execute dst=lab.Panel                    Panel calls Plant act.valve.Set value=10
//     Panel ~> Plant : act.valve.Set { value : 10 } Plant answers Panel act.valve.Set ok=1
//     request Panel ~> Plant : act.valve.Set        Plant fails Panel act.valve.Set fault=2
//     security src=Panel method=Login { badge : 1 } Panel asks Login badge=0x51
//                                                   Einit starts Panel
#pragma once

#include "command.hpp"

#include <lang/diagnostics.hpp>
#include <lang/psl_ast.hpp>
#include <memory>

namespace sdk::policy {

/// Parsed events; they point into the text that this object keeps.
class EventText final {
public:
    EventText() = default;
    EventText(const EventText&) = delete;
    EventText& operator=(const EventText&) = delete;

    /// One or several events. Several words are one event in words; one word that holds blanks is
    /// taken apart. Trouble: it is neither.
    Result<std::vector<const lang::psl::TestCase*>> parse(const std::vector<std::string>& words);

    /// Of everything that was parsed.
    [[nodiscard]] const lang::Sources& sources() const { return sources_; }

private:
    lang::Sources sources_;
    std::vector<std::unique_ptr<lang::psl::File>> files_;
};

}  // namespace sdk::policy
