// SPDX-License-Identifier: Apache-2.0
#include <lang/psl_ast.hpp>

namespace sdk::lang::psl {

const char* spelling(Operator op) {
    switch (op) {
    case Operator::Not:
        return "!";
    case Operator::Complement:
        return "~";
    case Operator::Negate:
    case Operator::Subtract:
        return "-";
    case Operator::Implies:
        return "==>";
    case Operator::Or:
        return "||";
    case Operator::And:
        return "&&";
    case Operator::Equal:
        return "==";
    case Operator::NotEqual:
        return "!=";
    case Operator::Less:
        return "<";
    case Operator::LessEqual:
        return "<=";
    case Operator::Greater:
        return ">";
    case Operator::GreaterEqual:
        return ">=";
    case Operator::BitAnd:
        return "&";
    case Operator::BitOr:
        return "|";
    case Operator::Add:
        return "+";
    case Operator::Multiply:
        return "*";
    }
    return "?";
}

const char* spelling(EventKind event) {
    switch (event) {
    case EventKind::Execute:
        return "execute";
    case EventKind::Request:
        return "request";
    case EventKind::Response:
        return "response";
    case EventKind::Error:
        return "error";
    case EventKind::Security:
        return "security";
    }
    return "?";
}

const char* spelling(SelectorKind selector) {
    switch (selector) {
    case SelectorKind::Src:
        return "src";
    case SelectorKind::Dst:
        return "dst";
    case SelectorKind::Interface:
        return "interface";
    case SelectorKind::Component:
        return "component";
    case SelectorKind::Endpoint:
        return "endpoint";
    case SelectorKind::Method:
        return "method";
    }
    return "?";
}

const Span& Item::span() const {
    return std::visit([](const auto& part) -> const Span& { return part.span; }, node);
}

const Span& span_of(const Declaration& declaration) {
    return std::visit([](const auto& part) -> const Span& { return part.span; }, declaration);
}

}  // namespace sdk::lang::psl
