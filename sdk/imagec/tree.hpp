// SPDX-License-Identifier: Apache-2.0
// Flattened device trees as values: read whole, changed freely, written in the same order. libfdt
// judges what comes in and lays out what goes out. [DTSPEC] "Flattened Devicetree".
#pragma once

#include <sdk/imagec/bytes.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sdk::imagec {

/// Larger or deeper trees are refused: init walks them with a fixed stack.
inline constexpr std::uint64_t kMaxTreeSize = std::uint64_t{2} << 20;
inline constexpr std::size_t kMaxTreeDepth = 16;

struct Property {
    std::string name{};
    Bytes value{};
};

struct Node {
    std::string name{};
    std::vector<Property> properties{};
    std::vector<Node> children{};

    /// Null when there is none.
    [[nodiscard]] const Property* find_property(std::string_view wanted) const;
    [[nodiscard]] const Node* find_child(std::string_view wanted) const;

    void set(std::string_view property, Bytes value);
    void set_string(std::string_view property, std::string_view value);
    void set_strings(std::string_view property, const std::vector<std::string>& values);
    void set_cells(std::string_view property, const std::vector<std::uint32_t>& cells);

    /// The first string of a property; empty when there is none or it is no string.
    [[nodiscard]] std::string get_string(std::string_view property) const;
};

struct Tree {
    Node root{};
    std::vector<std::pair<std::uint64_t, std::uint64_t>> reserved{};  // address, size
};

/// Big-endian 32-bit cells of a property; nothing when its size is no multiple of 4.
std::optional<std::vector<std::uint32_t>> find_cells(View value);

/// `name` is what diagnostics call the tree. TreeInvalid, TreeTooDeep.
Outcome<Tree> parse_tree(View flattened, const std::string& name);

Bytes flatten(const Tree& tree);

}  // namespace sdk::imagec
