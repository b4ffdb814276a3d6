// SPDX-License-Identifier: Apache-2.0
// From IDL messages to the descriptors that ksec's structural check walks. Equal layouts are one.
#pragma once

#include "lowered.hpp"

#include <lang/model.hpp>
#include <map>
#include <string>

namespace sdk::policyc {

class LayoutTable final {
public:
    /// The layout of a message: its index, or kNoLayout when nothing in it needs a look.
    u16 add(const lang::Message& message);

    /// Nesting that the layout's walk needs, the fixed part included.
    [[nodiscard]] u32 depth(const lang::Message& message) const;

    /// Whether the check of this message reads arena bytes: text, or ranges and unions in
    /// sequences.
    [[nodiscard]] static bool reads_arena(const lang::Message& message);

    [[nodiscard]] std::vector<LoweredLayout>& layouts() { return layouts_; }

private:
    void add_fields(const lang::Type& type, u32 base, u16 parameter, LoweredLayout& layout);
    static void add_handles(const lang::Type& type, u32 base, u16 parameter, LoweredLayout& layout);
    u16 add_element(const lang::Type& type, u16 parameter);
    u16 add_members(const lang::Type& type, u16 parameter);
    u16 intern(std::vector<LoweredLayout> group);

    std::vector<LoweredLayout> layouts_;
    std::map<std::string, u16> known_;
};

}  // namespace sdk::policyc
