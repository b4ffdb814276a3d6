// SPDX-License-Identifier: Apache-2.0
// Templates (.in) of policies, descriptions and init.yaml, expanded as the build of a solution does
// it: first the Jinja blocks {% if %}, {% elif %}, {% else %}, {% endif %} and {{ NAME }}, then
// tokens @NAME@, @NAME+@ and ${NAME}, where NAME may have dots, and CMake's $<...> by its whole
// text.
//
// What has no value, or is no template text that is understood, stays as it is: the reader of the
// result says so, with the place. Dropped branches leave their line ends, so lines keep their
// numbers unless a value has several.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

namespace sdk::policy {

/// Values by what they replace: "NAME", "NAME+" (the append form only) or "$<...>".
using Definitions = std::map<std::string, std::string>;

/// Reads NAME=text, NAME+=text, $<...>=text, or NAME alone (then the value is TRUE). Nothing when
/// that is none of them.
std::optional<std::pair<std::string, std::string>> parse_definition(const std::string& argument);

/// What becomes of tokens without a value.
enum class Undefined {
    Stays,    ///< and is reported by whoever reads the text
    Nothing,  ///< an empty block
};

struct Expansion {
    std::string text{};
    bool keeps_lines = true;  ///< line N of the template is line N of the text
};

/// O(text and values). Values are not expanded again.
Expansion expand(const std::string& text, const Definitions& definitions, Undefined undefined);

}  // namespace sdk::policy
