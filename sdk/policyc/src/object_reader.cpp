// SPDX-License-Identifier: Apache-2.0
#include "object_reader.hpp"

#include <algorithm>

namespace sdk::policyc {

using lang::Code;
using lang::Number;
using lang::Text;
using lang::Word;
using psl::Expression;

const Expression* ObjectReader::config() {
    if (node_.configs.empty()) {
        if (node_.is_whole) {
            diagnostics_.report<Code::ObjectLacks>(
                node_.name.span, Word{node_.name.text}, Text{"a config"}, Word{node_.model.text});
        }
        return nullptr;
    }
    return node_.configs[0].get();
}

Dictionary ObjectReader::dictionary(const Expression& config,
                                    const std::vector<const char*>& keys) {
    return {config, "the config of " + node_.name.text, keys, diagnostics_};
}

void ObjectReader::wrong(const Expression& value,
                         const std::string& what,
                         const std::string& needed) {
    diagnostics_.report<Code::ConfigValue>(value.span, Text{what}, Text{needed});
}

const psl::TypeExpression* ObjectReader::type(const char* name) {
    const psl::ObjectType* other = nullptr;
    for (const psl::ObjectType& candidate : node_.types) {
        if (candidate.name.text == name) {
            return &candidate.type;
        }
        other = &candidate;
    }
    if (!node_.is_whole) {
        return nullptr;  // it may be the part that could not be read
    }
    diagnostics_.report<Code::ObjectLacks>(other == nullptr ? node_.name.span : other->name.span,
                                           Word{node_.name.text},
                                           Text{std::string("'type ") + name + " = ...'"},
                                           Word{node_.model.text});
    return nullptr;
}

std::vector<std::string> ObjectReader::names(const Expression& list, const std::string& what) {
    std::vector<std::string> result;
    if (list.kind != Expression::Kind::List) {
        wrong(list, what, "a list of texts");
        return result;
    }
    for (const psl::ExpressionPtr& element : list.children) {
        if (element->kind != Expression::Kind::Text || element->text.empty()) {
            wrong(*element, what, "a list of texts");
        } else if (std::ranges::find(result, element->text) != result.end()) {
            diagnostics_.report<Code::DeclaredTwice>(
                element->span, Text{what + " entry"}, Word{element->text});
        } else {
            result.push_back(element->text);
        }
    }
    return result;
}

std::size_t ObjectReader::number_of(const std::string& name,
                                    const lang::Span& span,
                                    const char* what,
                                    const std::vector<std::string>& among) {
    const auto found = std::ranges::find(among, name);
    if (found == among.end()) {
        diagnostics_.report<Code::Undeclared>(span, Word{name}, Text{what}, Word{node_.name.text})
            .hint(lang::closest(name, among));
        return 0;
    }
    return static_cast<std::size_t>(found - among.begin());
}

std::vector<std::size_t> ObjectReader::numbers_of(const Expression& list,
                                                  const std::string& key,
                                                  const char* what,
                                                  const std::vector<std::string>& among) {
    std::vector<std::size_t> result;
    if (list.kind != Expression::Kind::List) {
        wrong(list, key, "a dictionary of lists of texts");
        return result;
    }
    for (const psl::ExpressionPtr& element : list.children) {
        if (element->kind != Expression::Kind::Text) {
            wrong(*element, key, "a dictionary of lists of texts");
        } else {
            result.push_back(number_of(element->text, element->span, what, among));
        }
    }
    return result;
}

std::uint64_t ObjectReader::number(const Expression* value,
                                   const char* what,
                                   std::int64_t least,
                                   std::int64_t most) {
    if (value == nullptr) {
        return static_cast<std::uint64_t>(least);
    }
    if (value->kind != Expression::Kind::Integer || value->integer < lang::Integer(least) ||
        value->integer > lang::Integer(most)) {
        wrong(
            *value, what, "a number from " + std::to_string(least) + " to " + std::to_string(most));
        return static_cast<std::uint64_t>(least);
    }
    return value->integer.low_bits();
}

void ObjectReader::limit(const Expression& list,
                         std::size_t count,
                         std::size_t most,
                         const char* what) {
    if (count > most) {
        diagnostics_.report<Code::TooManyOf>(
            list.span, Word{node_.name.text}, Text{what}, Number{static_cast<std::int64_t>(most)});
    }
}

}  // namespace sdk::policyc
