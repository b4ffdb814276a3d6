// SPDX-License-Identifier: Apache-2.0
// The components of a system, as the system description lists them: one node per process below
// /components, in the order in which they start. sdk/imagec wrote and checked it; it is checked
// again here, because one bad node must not cost the others.
#pragma once

#include <runtime/fdt.hpp>
#include <services/init/kernel.hpp>
#include <span>
#include <string_view>

namespace svc::init {

using base::Result;
using base::Status;
using base::u32;
using base::u64;
using base::u8;

inline constexpr u32 kMaxComponents = 62;  ///< the kernel's 64 processes less init and a spare

enum class RestartRule : u32 {
    Never,
    Always,
    OnFailure,  ///< after a fault, a termination or an exit code other than 0
};

/// A component node. Borrows the tree.
struct Component {
    std::string_view task{};     ///< name of the process and of its server
    std::string_view eclass{};   ///< policy class
    std::string_view program{};  ///< ROM file
    u32 priority = 128;
    u64 memory = 8u << 20;  ///< budget in bytes
    CpuBudget cpu_budget{};
    u32 heartbeat_ms = 0;  ///< a sign of life must come within it; 0: none is asked for
    RestartRule restart = RestartRule::Never;
    bool serves = false;            ///< gets a listener
    bool dynamic_channels = false;  ///< may ask kl.core.CM, and be asked for
    sdk::fdt::Node node{};
};

/// The characters of a text of the tree.
[[nodiscard]] inline std::string_view view_of(base::Text text) {
    return {text.data(), text.size()};
}

[[nodiscard]] inline base::Text text_of(std::string_view text) {
    return {text.data(), text.size()};
}

/// The strings of a property's value: for (const std::string_view text : TextList{property}). Range
/// and iterator in one; a value whose last string is not terminated has no strings.
class TextList final {
public:
    explicit TextList(const sdk::fdt::Property& property) {
        const std::string_view whole = view_of(base::fdt::text_of(property.bytes()));
        rest_ = whole.ends_with('\0') ? whole : std::string_view{};
    }

    [[nodiscard]] TextList begin() const { return *this; }

    [[nodiscard]] sdk::fdt::RangeEnd end() const { return {}; }

    [[nodiscard]] std::string_view operator*() const { return rest_.substr(0, rest_.find('\0')); }

    TextList& operator++() {
        rest_.remove_prefix(rest_.find('\0') + 1);
        return *this;
    }

    bool operator==(sdk::fdt::RangeEnd) const { return rest_.empty(); }

private:
    std::string_view rest_{};
};

/// Judges one node of /components. `problem` says what is wrong with it when the result is
/// InvalidArgument.
[[nodiscard]] Result<Component> read_component(const sdk::fdt::Node& node,
                                               std::string_view& problem);

/// A connection of a component.
struct ConnectionEntry {
    std::string_view id{};
    std::string_view target{};
};

/// InvalidArgument: no id or no target.
[[nodiscard]] Result<ConnectionEntry> read_connection(const sdk::fdt::Node& node);

}  // namespace svc::init
