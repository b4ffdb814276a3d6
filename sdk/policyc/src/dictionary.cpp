// SPDX-License-Identifier: Apache-2.0
#include "dictionary.hpp"

#include <algorithm>

namespace sdk::policyc {

using lang::Code;
using lang::Text;
using lang::Word;
using psl::Expression;

Dictionary::Dictionary(const Expression& value,
                       std::string what,
                       const std::vector<const char*>& keys,
                       lang::Diagnostics& diagnostics)
    : value_(value), what_(std::move(what)), diagnostics_(diagnostics) {
    const std::vector<std::string> known(keys.begin(), keys.end());
    std::string list;
    for (const std::string& key : known) {
        list += (list.empty() ? "" : ", ") + key;
    }
    if (value.kind != Expression::Kind::Dict) {
        diagnostics_.report<Code::NeedsDictionary>(value.span, Text{what_}, Text{list});
        return;
    }
    is_complete_ = true;
    for (const psl::DictEntry& entry : value.entries) {
        if (entry.key.is_empty()) {
            is_complete_ = false;  // the parser reported an entry without key: it may be the one
        } else if (std::ranges::find(known, entry.key.text) == known.end()) {
            diagnostics_.report<Code::UnknownKey>(entry.key.span, Text{what_}, Word{entry.key.text})
                .hint(lang::closest(entry.key.text, known));
        }
    }
}

const Expression* Dictionary::find(const char* key) {
    const Expression* const found = find_optional(key);
    if (found == nullptr && is_complete_) {
        diagnostics_.report<Code::MissingKey>(value_.span, Text{what_}, Word{key});
    }
    return found;
}

const Expression* Dictionary::find_optional(const char* key) const {
    for (const psl::DictEntry& entry : value_.entries) {
        if (entry.key.text == key) {
            return entry.value.get();
        }
    }
    return nullptr;
}

std::optional<lang::Integer> literal_integer(const Expression& expression) {
    if (expression.kind == Expression::Kind::Integer) {
        return expression.integer;
    }
    if (expression.kind == Expression::Kind::Unary && expression.op == psl::Operator::Negate &&
        expression.children[0]->kind == Expression::Kind::Integer) {
        return -expression.children[0]->integer;
    }
    return std::nullopt;
}

}  // namespace sdk::policyc
