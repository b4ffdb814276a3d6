// SPDX-License-Identifier: Apache-2.0
// Names for the numbers in a decision record: the table that policyc writes beside the policy
// (ROM file policy.names). Plain text, one fact a line:
//
//   tessera-names 1
//   policy 0x00aa11bb22cc33dd                       the hash that the module has
//   class 4 plant.Valve
//   endpoint 4 0 valve plant.Valve                  class, number, path, interface
//   method 4 0 1 Get                                class, endpoint, number, name
//   parameter 4 0 1 0 2 reason                      class, endpoint, method, kind, index, name
//   rule 7 plant.psl:31 assert (message.percent <= 80)
//   value 7 0 message.percent                       rule, index, what the rule looked at
//
// security_endpoint and security_method lines are the same for security queries; kind is 0 request,
// 1 response, 2 error. Unknown words are skipped, so the table can grow. Look-ups scan the text:
// denials are rare, the table is small, and no memory is needed.
#pragma once

#include <kernel/base/types.hpp>
#include <string_view>

namespace svc::audit {

using base::u32;
using base::u64;

struct EndpointName {
    std::string_view path{};
    std::string_view interface{};
};

struct RuleName {
    std::string_view place{};  ///< file:line
    std::string_view text{};
};

/// Which of two numberings an endpoint belongs to.
enum class Numbering : u32 { Endpoints, Security };

/// What identifies a parameter of a message.
struct ParameterKey {
    u32 class_id = 0;
    u32 endpoint = 0;
    u32 method = 0;
    u32 kind = 0;
    u32 index = 0;
};

/// Borrows the text. Every result is empty when the table does not have it.
class Names final {
public:
    constexpr Names() = default;

    explicit constexpr Names(std::string_view text) : text_(text) {}

    /// Whether it begins as a names table of this version.
    [[nodiscard]] bool is_valid() const;

    /// The hash of the policy that the numbers are of, as the table spells it.
    [[nodiscard]] std::string_view policy_hash() const;

    [[nodiscard]] std::string_view find_class(u32 id) const;
    [[nodiscard]] EndpointName find_endpoint(Numbering numbering, u32 class_id, u32 endpoint) const;
    [[nodiscard]] std::string_view
    find_method(Numbering numbering, u32 class_id, u32 endpoint, u32 method) const;
    [[nodiscard]] std::string_view find_parameter(const ParameterKey& key) const;
    [[nodiscard]] RuleName find_rule(u32 rule) const;
    [[nodiscard]] std::string_view find_value(u32 rule, u32 index) const;

private:
    std::string_view text_{};
};

}  // namespace svc::audit
