// SPDX-License-Identifier: Apache-2.0
#include "emit.hpp"

#include <fmt/format.h>
#include <iterator>
#include <kernel/abi/call.hpp>

namespace sdk::policyc {

namespace {

using Buffer = fmt::memory_buffer;

template <typename... Arguments>
void print(Buffer& out, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Arguments>(arguments)...);
}

/// One word: names have no blanks, texts are escaped by the caller.
std::string one_line(const std::string& text) {
    std::string result;
    for (const char c : text) {
        const bool is_blank = static_cast<unsigned char>(c) <= 0x20 || c == 0x7F;
        if (!is_blank) {
            result += c;
        } else if (!result.empty() && result.back() != ' ') {
            result += ' ';
        }
    }
    return result;
}

void print_endpoint_names(Buffer& out,
                          const char* prefix,
                          std::size_t owner,
                          std::size_t number,
                          const LoweredEndpoint& endpoint) {
    print(out,
          "{}endpoint {} {} {} {}\n",
          prefix,
          owner,
          number,
          endpoint.path.empty() ? "-" : endpoint.path,
          endpoint.interface);
    for (std::size_t m = 0; m < endpoint.methods.size(); ++m) {
        const LoweredMethod& method = endpoint.methods[m];
        print(out, "{}method {} {} {} {}\n", prefix, owner, number, m, method.name);
        const LoweredShape* const shapes[] = {&method.request, &method.response, &method.error};
        for (std::size_t kind = 0; kind < std::size(shapes); ++kind) {
            for (std::size_t p = 0; p < shapes[kind]->parameters.size(); ++p) {
                print(out,
                      "{}parameter {} {} {} {} {} {}\n",
                      prefix,
                      owner,
                      number,
                      m,
                      kind,
                      p,
                      shapes[kind]->parameters[p]);
            }
        }
    }
}

}  // namespace

std::string emit_names(const Lowered& policy) {
    Buffer out;
    print(out, "tessera-names 1\npolicy {:#018x}\n", policy.hash);
    for (std::size_t c = 0; c < policy.classes.size(); ++c) {
        const LoweredClass& row = policy.classes[c];
        print(out, "class {} {}\n", c, row.name);
        for (std::size_t e = 0; e < row.endpoints.size(); ++e) {
            print_endpoint_names(out, "", c, e, row.endpoints[e]);
        }
        for (std::size_t e = 0; e < policy.implicit_endpoints.size(); ++e) {
            print_endpoint_names(out, "", c, abi::kIrqEndpoint + e, policy.implicit_endpoints[e]);
        }
        for (std::size_t e = 0; e < row.security.size(); ++e) {
            print_endpoint_names(out, "security_", c, e, row.security[e]);
        }
    }
    for (std::size_t r = 0; r < policy.rules.size(); ++r) {
        const LoweredRule& rule = policy.rules[r];
        print(out, "rule {} {} {}\n", r, rule.place, one_line(rule.text));
        for (std::size_t v = 0; v < rule.values.size(); ++v) {
            print(out, "value {} {} {}\n", r, v, one_line(rule.values[v]));
        }
    }
    return fmt::to_string(out);
}

}  // namespace sdk::policyc
