// SPDX-License-Identifier: Apache-2.0
// Finding one's way around in a flattened device tree: nodes by path, alias and phandle, children,
// addresses, interrupts. The bytes are read by <kernel/base/fdt.hpp>, whose promises hold here,
// too: a hostile blob yields wrong answers at worst, nothing is allocated or recursed into, and
// every walk moves forward.
//
// Tree, Node and Property are values that borrow the blob:
//
//   TRY_VALUE(fdt::Tree tree, fdt::open(bytes));
//   for (fdt::Node cpu : cpus.children()) { ... }
//   TRY_VALUE(fdt::Node uart, tree.resolve("serial0"));
//   TRY_VALUE(fdt::Range registers, uart.address(0));
#pragma once

#include <kernel/base/fdt.hpp>

namespace sdk::fdt {

using base::Bytes;
using base::Result;
using base::Status;
using base::Text;
using base::u32;
using base::u64;
using base::u8;
using base::fdt::Blob;
using base::fdt::kMaxCells;
using base::fdt::kMaxDepth;
using base::fdt::kMaxTreeBytes;
using base::fdt::Property;
using base::fdt::Range;

inline constexpr u32 kMaxInterrupts = 64;    ///< of one node
inline constexpr u32 kNoNode = 0xFFFF'FFFF;  ///< offset that stands for "no such node"

/// Next child of the same parent / next node of the tree, parents before children; kNoNode.
u32 next_sibling(const Blob& blob, u32 offset);
u32 following_node(const Blob& blob, u32 offset);

class PropertyRange;
struct Interrupt;

template <u32 (*advance)(const Blob& blob, u32 offset)> class BasicNodeRange;
using ChildRange = BasicNodeRange<next_sibling>;
using NodeRange = BasicNodeRange<following_node>;

/// A node of the tree, with its place in it.
class Node final : public base::fdt::Node {
public:
    using base::fdt::Node::Node;

    explicit Node(const base::fdt::Node& node) : base::fdt::Node(node) {}

    /// ResourceNotFound: this is the root. O(tree).
    [[nodiscard]] Result<Node> parent() const;
    /// Direct children in the blob's order: for (Node child : node.children()).
    [[nodiscard]] ChildRange children() const;
    /// First child with this name; a `name` without '@' also matches one with a unit address.
    /// ResourceNotFound.
    [[nodiscard]] Result<Node> child(Text name) const;

    /// Properties in the blob's order: for (Property property : node.properties()).
    [[nodiscard]] PropertyRange properties() const;
    /// base::fdt::Walk::reg() and address() of this node. O(tree).
    [[nodiscard]] Result<Range> reg(u32 index) const;
    [[nodiscard]] Result<Range> address(u32 index) const;

    /// Interrupt `index`, from `interrupts-extended` or `interrupts`. ResourceNotFound: no such
    /// interrupt, or its controller is missing. InvalidArgument: malformed. O(tree * index).
    [[nodiscard]] Result<Interrupt> interrupt(u32 index) const;
    /// Node that `interrupts` of this one refer to; a nexus (`interrupt-map`) is not followed.
    /// ResourceNotFound. O(tree).
    [[nodiscard]] Result<Node> interrupt_parent() const;

private:
    friend class Tree;
    template <u32 (*advance)(const Blob& blob, u32 offset)> friend class BasicNodeRange;

    /// The walk that has come here. InvalidArgument: no node starts at this offset.
    [[nodiscard]] Result<base::fdt::Walk> walk() const;
};

/// One interrupt of a device as its controller's binding words it.
struct Interrupt {
    Node controller;
    u32 cells[kMaxCells]{};
    u32 cell_count = 0;

    /// Interrupt id of an Arm GIC: cells (type, number, flags). [DTBIND] "arm,gic".
    /// InvalidArgument: fewer than three cells, an unknown type, or a number out of range.
    [[nodiscard]] Result<u32> gic_line() const;
};

/// What ends the ranges below.
struct RangeEnd {};

/// Nodes one after the other; `advance` says which comes next. Range and iterator in one.
template <u32 (*advance)(const Blob& blob, u32 offset)> class BasicNodeRange final {
public:
    explicit BasicNodeRange(const Node& first) : node_(first) {}

    [[nodiscard]] BasicNodeRange begin() const { return *this; }

    [[nodiscard]] RangeEnd end() const { return {}; }

    [[nodiscard]] Node operator*() const { return node_; }

    BasicNodeRange& operator++() {
        node_.offset_ = advance(node_.blob_, node_.offset_);
        return *this;
    }

    bool operator==(RangeEnd) const { return node_.offset_ == kNoNode; }

private:
    Node node_;
};

/// Properties of one node. Range and iterator in one.
class PropertyRange final {
public:
    PropertyRange(const Blob& blob, u32 offset) : blob_(blob), next_(offset) { ++*this; }

    [[nodiscard]] PropertyRange begin() const { return *this; }

    [[nodiscard]] RangeEnd end() const { return {}; }

    [[nodiscard]] Property operator*() const { return property_; }

    PropertyRange& operator++();

    bool operator==(RangeEnd) const { return done_; }

private:
    Blob blob_;
    u32 next_;
    bool done_ = false;
    Property property_;
};

/// A checked device tree.
class Tree final {
public:
    Tree() = default;

    explicit Tree(const Blob& blob) : blob_(blob) {}

    [[nodiscard]] Node root() const;

    /// Every node, parents first: for (Node node : tree.nodes()).
    [[nodiscard]] NodeRange nodes() const { return NodeRange{root()}; }

    /// Bytes the blob occupies, its header's word.
    [[nodiscard]] Bytes size() const { return Bytes{blob_.total_size}; }

    /// Node at an absolute path, unit addresses optional. InvalidArgument: no leading '/'.
    /// ResourceNotFound. O(tree).
    [[nodiscard]] Result<Node> find(Text path) const;
    /// Node that /aliases calls `name`. ResourceNotFound; InvalidArgument: not a path.
    [[nodiscard]] Result<Node> alias(Text name) const;
    /// Node by absolute path or by alias with an optional path behind it (`serial0/port`). Errors
    /// of both.
    [[nodiscard]] Result<Node> resolve(Text path_or_alias) const;
    /// Node that /chosen names in a property such as `stdout-path`; what follows a ':' is not part
    /// of the name. Errors of property lookup and resolve().
    [[nodiscard]] Result<Node> chosen_node(Text property) const;
    /// ResourceNotFound: no node has it, or it is 0 or ~0, which none can have. O(tree).
    [[nodiscard]] Result<Node> find_phandle(u32 phandle) const;

    /// Entry `index` of the memory reservation block. ResourceNotFound: fewer. O(index).
    [[nodiscard]] Result<Range> reservation(u32 index) const {
        return base::fdt::reservation(blob_, index);
    }

private:
    Blob blob_;
};

/// base::fdt::open(). O(tree).
[[nodiscard]] Result<Tree> open(std::span<const u8> bytes);

}  // namespace sdk::fdt
