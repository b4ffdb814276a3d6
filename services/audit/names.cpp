// SPDX-License-Identifier: Apache-2.0
#include <runtime/text.hpp>
#include <services/audit/names.hpp>
#include <span>

namespace svc::audit {

namespace {

constexpr std::string_view kHeader = "tessera-names 1";

/// Takes the next line off `rest`, without its end.
std::string_view take_line(std::string_view& rest) {
    const auto end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    return line;
}

/// Whether `line` begins with `word` and exactly these numbers; then it loses them.
bool match(std::string_view& line, std::string_view word, std::span<const u32> numbers) {
    if (sdk::take_word(line) != word) {
        return false;
    }
    for (const u32 number : numbers) {
        u64 value = 0;
        if (!sdk::parse_decimal(sdk::take_word(line), value) || value != number) {
            return false;
        }
    }
    return true;
}

/// What follows the key on the first line that has it.
std::string_view find(std::string_view text, std::string_view word, std::span<const u32> numbers) {
    while (!text.empty()) {
        std::string_view line = take_line(text);
        if (match(line, word, numbers)) {
            return line;
        }
    }
    return {};
}

constexpr std::string_view
word_for(Numbering numbering, std::string_view plain, std::string_view security) {
    return numbering == Numbering::Security ? security : plain;
}

}  // namespace

bool Names::is_valid() const {
    std::string_view rest = text_;
    return take_line(rest) == kHeader;
}

std::string_view Names::policy_hash() const { return find(text_, "policy", {}); }

std::string_view Names::find_class(u32 id) const {
    const u32 key[] = {id};
    std::string_view rest = find(text_, "class", key);
    return sdk::take_word(rest);
}

EndpointName Names::find_endpoint(Numbering numbering, u32 class_id, u32 endpoint) const {
    const u32 key[] = {class_id, endpoint};
    std::string_view rest = find(text_, word_for(numbering, "endpoint", "security_endpoint"), key);
    EndpointName name;
    name.path = sdk::take_word(rest);
    name.interface = sdk::take_word(rest);
    return name;
}

std::string_view
Names::find_method(Numbering numbering, u32 class_id, u32 endpoint, u32 method) const {
    const u32 key[] = {class_id, endpoint, method};
    std::string_view rest = find(text_, word_for(numbering, "method", "security_method"), key);
    return sdk::take_word(rest);
}

std::string_view Names::find_parameter(const ParameterKey& key) const {
    const u32 numbers[] = {key.class_id, key.endpoint, key.method, key.kind, key.index};
    std::string_view rest = find(text_, "parameter", numbers);
    return sdk::take_word(rest);
}

RuleName Names::find_rule(u32 rule) const {
    const u32 key[] = {rule};
    std::string_view rest = find(text_, "rule", key);
    RuleName name;
    name.place = sdk::take_word(rest);
    name.text = rest;
    return name;
}

std::string_view Names::find_value(u32 rule, u32 index) const {
    const u32 key[] = {rule, index};
    return find(text_, "value", key);
}

}  // namespace svc::audit
