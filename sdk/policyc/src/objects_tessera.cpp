// SPDX-License-Identifier: Apache-2.0
// Configs of the models of our own: Rbac, RateLimit, TimeWindow.
#include "object_reader.hpp"

#include <set>

namespace sdk::policyc {

using lang::Code;
using psl::Expression;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMillisecond = 1'000'000;
/// Tokens and times: no product of two of them overflows what the model computes with.
constexpr std::int64_t kMaxTokens = 1'000'000;
constexpr std::int64_t kMaxPeriodMs = 4'000'000;
constexpr std::int64_t kMaxSeconds = 9'000'000'000;  // clocks end in 2262

/// A dictionary from names to lists of names, as lists of numbers.
std::vector<std::vector<std::size_t>> relation(ObjectReader& reader,
                                               const Expression* value,
                                               const char* key,
                                               const std::vector<std::string>& from,
                                               const char* what,
                                               const std::vector<std::string>& to) {
    std::vector<std::vector<std::size_t>> result(from.size());
    if (value == nullptr) {
        return result;
    }
    if (value->kind != Expression::Kind::Dict) {
        reader.wrong(*value, key, "a dictionary of lists of texts");
        return result;
    }
    for (const psl::DictEntry& entry : value->entries) {
        if (entry.key.is_empty()) {
            continue;  // reported by the parser
        }
        const std::size_t number = reader.number_of(entry.key.text, entry.key.span, "role", from);
        std::vector<std::size_t> numbers = reader.numbers_of(*entry.value, key, what, to);
        if (number < result.size()) {
            result[number] = std::move(numbers);
        }
    }
    return result;
}

/// Whether a role includes itself by way of others.
bool has_cycle(const std::vector<std::vector<std::size_t>>& inherits, std::size_t role) {
    std::set<std::size_t> reached;
    std::vector<std::size_t> open = inherits[role];
    while (!open.empty()) {
        const std::size_t next = open.back();
        open.pop_back();
        if (next == role) {
            return true;
        }
        if (reached.insert(next).second && next < inherits.size()) {
            open.insert(open.end(), inherits[next].begin(), inherits[next].end());
        }
    }
    return false;
}

TimeWindowConfig::Window read_window(ObjectReader& reader, const Expression& value) {
    const char* const needed = "a list of pairs of seconds, as in [[28800, 64800]]";
    TimeWindowConfig::Window window;
    if (value.kind != Expression::Kind::List || value.children.size() != 2) {
        reader.wrong(value, "windows", needed);
        return window;
    }
    window.from_ns =
        reader.number(value.children[0].get(), "the start of a window", 0, kMaxSeconds) * kSecond;
    window.to_ns =
        reader.number(value.children[1].get(), "the end of a window", 0, kMaxSeconds) * kSecond;
    if (window.from_ns >= window.to_ns) {
        reader.wrong(value, "windows", "pairs whose first number is the smaller");
    }
    return window;
}

}  // namespace

RbacConfig read_rbac(ObjectReader& reader) {
    RbacConfig result;
    const Expression* const value = reader.config();
    if (value == nullptr) {
        return result;
    }
    Dictionary entries = reader.dictionary(*value, {"roles", "permissions", "inherits", "holds"});
    if (const Expression* const roles = entries.find("roles")) {
        result.roles = reader.names(*roles, "roles");
        reader.limit(*roles, result.roles.size(), kMaxRoles, "roles");
    }
    if (const Expression* const permissions = entries.find("permissions")) {
        result.permissions = reader.names(*permissions, "permissions");
        reader.limit(*permissions, result.permissions.size(), kMaxPermissions, "permissions");
    }
    const Expression* const inherits = entries.find_optional("inherits");
    result.inherits = relation(reader, inherits, "inherits", result.roles, "role", result.roles);
    result.holds = relation(
        reader, entries.find("holds"), "holds", result.roles, "permission", result.permissions);
    for (std::size_t role = 0; role < result.roles.size(); ++role) {
        if (has_cycle(result.inherits, role)) {
            reader.wrong(*inherits, "inherits", "free of cycles");
            result.inherits.assign(result.roles.size(), {});
        }
    }
    return result;
}

RateLimitConfig read_rate_limit(ObjectReader& reader) {
    RateLimitConfig result;
    if (const Expression* const value = reader.config()) {
        Dictionary entries = reader.dictionary(*value, {"rate", "period_ms", "burst"});
        result.rate = reader.number(entries.find("rate"), "rate", 1, kMaxTokens);
        result.period_ns =
            reader.number(entries.find("period_ms"), "period_ms", 1, kMaxPeriodMs) * kMillisecond;
        result.burst = reader.number(entries.find("burst"), "burst", 1, kMaxTokens);
    }
    return result;
}

TimeWindowConfig read_time_window(ObjectReader& reader) {
    TimeWindowConfig result;
    const Expression* const value = reader.config();
    if (value == nullptr) {
        return result;
    }
    Dictionary entries = reader.dictionary(*value, {"clock", "origin_s", "period_s", "windows"});
    if (const Expression* const clock = entries.find("clock")) {
        if (clock->kind != Expression::Kind::Text ||
            (clock->text != "wall" && clock->text != "monotonic")) {
            reader.wrong(*clock, "clock", "\"wall\" or \"monotonic\"");
        }
        result.is_wall = clock->text == "wall";
    }
    const auto seconds = [&](const char* key) {
        const Expression* const number = entries.find_optional(key);
        return number == nullptr ? 0 : reader.number(number, key, 0, kMaxSeconds) * kSecond;
    };
    result.origin_ns = seconds("origin_s");
    result.period_ns = seconds("period_s");
    const Expression* const windows = entries.find("windows");
    if (windows == nullptr) {
        return result;
    }
    if (windows->kind != Expression::Kind::List || windows->children.empty()) {
        reader.wrong(*windows, "windows", "a list of pairs of seconds, as in [[28800, 64800]]");
        return result;
    }
    reader.limit(*windows, windows->children.size(), kMaxWindows, "windows");
    for (const psl::ExpressionPtr& window : windows->children) {
        result.windows.push_back(read_window(reader, *window));
        if (result.period_ns != 0 && result.windows.back().to_ns > result.period_ns) {
            reader.wrong(*window, "windows", "inside the period");
        }
    }
    return result;
}

}  // namespace sdk::policyc
