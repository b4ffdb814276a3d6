// SPDX-License-Identifier: Apache-2.0
#include "emit_models.hpp"

#include "expression_compiler.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sdk::policyc {

namespace {

std::string hex_list(const std::vector<u64>& values) {
    std::string result;
    for (const u64 value : values) {
        result += fmt::format("{:#x}u, ", value);
    }
    return result;
}

u64 bit(std::size_t number) { return u64{1} << number; }

/// The role and all that include it, directly or not.
std::vector<u64> seniors(const RbacConfig& config) {
    std::vector<u64> includes(config.roles.size());
    for (std::size_t role = 0; role < includes.size(); ++role) {
        includes[role] = bit(role);
    }
    for (std::size_t round = 0; round < includes.size(); ++round) {
        for (std::size_t role = 0; role < includes.size(); ++role) {
            for (const std::size_t junior : config.inherits[role]) {
                includes[role] |= includes[junior];
            }
        }
    }
    std::vector<u64> result(includes.size());
    for (std::size_t role = 0; role < includes.size(); ++role) {
        for (std::size_t senior = 0; senior < includes.size(); ++senior) {
            result[role] |= (includes[senior] & bit(role)) != 0 ? bit(senior) : 0;
        }
    }
    return result;
}

std::vector<u64> holders(const RbacConfig& config) {
    const std::vector<u64> above = seniors(config);
    std::vector<u64> result(config.permissions.size());
    for (std::size_t role = 0; role < config.roles.size(); ++role) {
        for (const std::size_t permission : config.holds[role]) {
            result[permission] |= above[role];
        }
    }
    return result;
}

/// An array of at least one number.
std::string array(const std::string& name, const std::vector<u64>& values) {
    return fmt::format(
        "constexpr u64 {}[] = {{{}}};\n", name, values.empty() ? "0" : hex_list(values));
}

/// Prints one object: `name` is that of the object in the module.
class ObjectPrinter final {
public:
    ObjectPrinter(const LoweredObject& object, std::string name)
        : object_(object), name_(std::move(name)) {}

    std::string run() {
        return std::visit([this](const auto& config) { return print(config); }, object_.config);
    }

private:
    std::string print(const PlainConfig&) const { return {}; }

    std::string print(const FlowConfig& config) const {
        std::vector<u64> transitions;
        for (const std::vector<std::size_t>& targets : config.transitions) {
            u64 mask = 0;
            for (const std::size_t target : targets) {
                mask |= bit(target);
            }
            transitions.push_back(mask);
        }
        return array("kTransitions_" + object_.name, transitions) +
               fmt::format(
                   "constexpr models::FlowConfig kConfig_{0}{{kTransitions_{0}, {1}, {2}}};\n"
                   "constinit models::FlowStorage<{3}> storage_{0}{{}};\n"
                   "constexpr models::Flow {4}{{kConfig_{0}, storage_{0}}};\n",
                   object_.name,
                   config.states.size(),
                   config.initial,
                   object_.slots,
                   name_);
    }

    std::string print(const HashSetConfig& config) const {
        return fmt::format("constinit models::HashSetStorage<{1}, {2}, {3}> storage_{0}{{}};\n"
                           "constexpr models::HashSet {4}{{storage_{0}}};\n",
                           object_.name,
                           object_.slots,
                           config.set_size,
                           config.fields.size(),
                           name_);
    }

    std::string print(const StaticMapConfig& config) const {
        std::vector<u64> values;
        for (const auto& [key, value] : config.keys) {
            values.push_back(value.is_negative() ? u64{0} - (-value).low_bits() : value.low_bits());
        }
        return array("kValues_" + object_.name, values) +
               fmt::format("constexpr models::StaticMapConfig kConfig_{0}{{kValues_{0}, {1}}};\n"
                           "constinit models::StaticMapStorage<{2}, {1}> storage_{0}{{}};\n"
                           "constexpr models::StaticMap {3}{{kConfig_{0}, storage_{0}}};\n",
                           object_.name,
                           config.keys.size(),
                           object_.slots,
                           name_);
    }

    std::string print(const MicConfig&) const {
        return fmt::format("constinit models::MicStorage<{1}> storage_{0}{{}};\n"
                           "constexpr models::Mic {2}{{storage_{0}}};\n",
                           object_.name,
                           object_.slots,
                           name_);
    }

    std::string print(const RbacConfig& config) const {
        return array("kSeniors_" + object_.name, seniors(config)) +
               array("kHolders_" + object_.name, holders(config)) +
               fmt::format("constexpr models::RbacConfig kConfig_{0}{{kSeniors_{0}, kHolders_{0}, "
                           "{1}, {2}}};\n"
                           "constinit models::RbacStorage<{3}> storage_{0}{{}};\n"
                           "constexpr models::Rbac {4}{{kConfig_{0}, storage_{0}}};\n",
                           object_.name,
                           config.roles.size(),
                           config.permissions.size(),
                           object_.slots,
                           name_);
    }

    std::string print(const RateLimitConfig& config) const {
        return fmt::format("static_assert(models::is_sound_rate({1}u, {2}u, {3}u));\n"
                           "constexpr models::RateLimitConfig kConfig_{0} = "
                           "models::make_rate_limit({1}u, {2}u, {3}u);\n"
                           "constinit models::RateLimitStorage<{4}> storage_{0}{{}};\n"
                           "constexpr models::RateLimit {5}{{kConfig_{0}, storage_{0}}};\n",
                           object_.name,
                           config.period_ns,
                           config.rate,
                           config.burst,
                           object_.slots,
                           name_);
    }

    std::string print(const TimeWindowConfig& config) const {
        std::string windows;
        for (const TimeWindowConfig::Window& window : config.windows) {
            windows += fmt::format("{{{}u, {}u}}, ", window.from_ns, window.to_ns);
        }
        return fmt::format("constexpr models::Window kWindows_{0}[] = {{{1}}};\n"
                           "constexpr models::TimeWindowConfig kConfig_{0}{{\n"
                           "    kWindows_{0}, {2}, models::WindowClock::{3}, {4}u, {5}u}};\n"
                           "constinit models::TimeWindowState storage_{0}{{}};\n"
                           "constexpr models::TimeWindow {6}{{kConfig_{0}, storage_{0}}};\n",
                           object_.name,
                           windows,
                           config.windows.size(),
                           config.is_wall ? "Wall" : "Monotonic",
                           config.origin_ns,
                           config.period_ns,
                           name_);
    }

    const LoweredObject& object_;
    std::string name_;
};

std::string print_automaton(const Automaton& automaton, std::size_t number) {
    return fmt::format(
        "constexpr u8 kDfaClasses{0}[256] = {{{1}}};\n"
        "constexpr u16 kDfaNext{0}[] = {{{2}}};\n"
        "constexpr u16 kDfaAccepts{0}[] = {{{3}}};\n"
        "constexpr Dfa kDfa{0}{{kDfaClasses{0}, kDfaNext{0}, kDfaAccepts{0}, {4}, {5}, "
        "{6}, 0}};\n",
        number,
        fmt::join(automaton.classes, ","),
        fmt::join(automaton.next, ","),
        fmt::join(automaton.accepts, ","),
        automaton.class_count,
        automaton.state_count(),
        automaton.start);
}

}  // namespace

std::string emit_objects(const Lowered& policy) {
    std::string out;
    std::string table;
    std::size_t count = 0;
    for (const LoweredObject& object : policy.objects) {
        const std::string name = object_code(object.name);
        out += fmt::format("// {} : {}\n", object.name, object.model);
        out += ObjectPrinter(object, name).run();
        out += fmt::format("static_assert(sizeof(storage_{}) == {});\n", object.name, object.bytes);
        if (object.model != "TimeWindow") {
            table += fmt::format("    &{},\n", name);
            ++count;
        }
    }
    out += fmt::format("constinit State policy_state{{{}}};\n", policy.audit_level);
    out += "constinit models::Journal policy_journal;\n";
    if (count != 0) {
        out += fmt::format("constexpr const models::SidObject* kObjects[] = {{\n{}}};\n", table);
    } else {
        out += "constexpr const models::SidObject* const* kObjects = nullptr;\n";
    }
    out += fmt::format("constexpr u32 kObjectCount = {};\n", count);
    out += fmt::format("constexpr auto* kEndSid = {};\n\n",
                       count != 0 ? "&models::end_sid"
                                  : "static_cast<decltype(&models::end_sid)>(nullptr)");
    return out;
}

std::string emit_automata(const Lowered& policy) {
    std::string out;
    for (std::size_t i = 0; i < policy.automata.size(); ++i) {
        out += print_automaton(policy.automata[i], i);
    }
    return out;
}

std::string emit_scans(const Lowered& policy) {
    if (policy.scans.empty()) {
        return "constexpr const Scan* kScans = nullptr;\n\n";
    }
    std::string out;
    for (std::size_t i = 0; i < policy.texts.size(); ++i) {
        out += fmt::format(
            "ScanText text_{}([[maybe_unused]] const Query& query) {{\n{}}}\n", i, policy.texts[i]);
    }
    out += "constexpr Scan kScans[] = {\n";
    for (const LoweredScan& scan : policy.scans) {
        out += fmt::format("    {{&kDfa{}, text_{}, {{{}, {}}}, {}, {}, 0}},\n",
                           scan.automaton,
                           scan.text,
                           scan.shift,
                           scan.width,
                           scan.otherwise,
                           scan.failed);
    }
    return out + "};\n\n";
}

}  // namespace sdk::policyc
