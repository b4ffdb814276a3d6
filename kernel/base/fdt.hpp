// SPDX-License-Identifier: Apache-2.0
// Reader of flattened device trees, versions 16 and 17 [DTSPEC] "Flattened Devicetree (DTB)
// Format". One reader for the boot code, the kernel and init.
//
// The blob is hostile: it comes from firmware or from a file. open() checks the header and walks
// the structure once; every later step is bounds checked again, so even a blob that changes under
// the reader yields wrong answers at worst, never an access outside its bytes. Nothing is
// allocated, copied or recursed into; every walk moves forward through the structure block, so its
// cost is bounded by the blob's size. Bytes are read one by one: no alignment is needed.
//
// Tree, Node and Property are values that borrow the blob:
//
//   TRY_VALUE(fdt::Tree tree, fdt::open(bytes));
//   for (fdt::Node cpu : cpus.children()) { ... }
//   TRY_VALUE(fdt::Node uart, tree.resolve("serial0"));
//   TRY_VALUE(fdt::Range registers, uart.address(0));
#pragma once

#include <kernel/base/fdt_property.hpp>
#include <kernel/base/fdt_structure.hpp>
#include <kernel/base/result.hpp>
#include <kernel/base/text.hpp>
#include <kernel/base/types.hpp>
#include <span>

namespace base::fdt {

inline constexpr u32 kMaxTreeBytes = 2u << 20;  ///< as the arm64 boot protocol limits it
inline constexpr u32 kMaxCells = 4;             ///< of one address, size or interrupt
inline constexpr u32 kMaxInterrupts = 64;       ///< of one node
inline constexpr u32 kMinHeaderBytes = 8;       ///< what total_size() needs

/// Addresses [base, base + size); base + size does not wrap.
struct Range {
    u64 base = 0;
    u64 size = 0;
};

/// InvalidArgument: the range would wrap.
constexpr Result<Range> make_range(u64 start, u64 size) {
    if (size != 0 && start + (size - 1) < start) {
        return Status::InvalidArgument;
    }
    return Range{start, size};
}

class Node;
class PropertyRange;
struct Interrupt;

template <u32 (*advance)(const Blob& blob, u32 offset)> class BasicNodeRange;
using ChildRange = BasicNodeRange<next_sibling>;
using NodeRange = BasicNodeRange<following_node>;

/// A node of the tree. Comparing nodes of different blobs has no meaning.
class Node final {
public:
    constexpr Node() = default;

    /// Name with unit address: `uart@9000000`; the root's is empty.
    [[nodiscard]] Text name() const;
    /// Name up to the '@'.
    [[nodiscard]] Text base_name() const;

    /// ResourceNotFound: this is the root. O(tree).
    [[nodiscard]] Result<Node> parent() const;
    /// Direct children in the blob's order: for (Node child : node.children()).
    [[nodiscard]] ChildRange children() const;
    /// First child with this name; a `name` without '@' also matches one with a unit address.
    /// ResourceNotFound.
    [[nodiscard]] Result<Node> child(Text name) const;

    /// Properties in the blob's order: for (Property property : node.properties()).
    [[nodiscard]] PropertyRange properties() const;
    /// ResourceNotFound.
    [[nodiscard]] Result<Property> property(Text name) const;
    [[nodiscard]] bool has_property(Text name) const;
    /// property(name) and as_u32() in one; likewise below. Errors of both.
    [[nodiscard]] Result<u32> read_u32(Text name) const;
    [[nodiscard]] Result<u64> read_u64(Text name) const;
    [[nodiscard]] Result<Text> read_text(Text name) const;
    /// The cell, or `fallback` when there is no such property. InvalidArgument: not one cell.
    [[nodiscard]] Result<u32> read_u32_or(Text name, u32 fallback) const;

    /// Whether `status` is absent, "okay" or "ok". [DTSPEC] "status"
    [[nodiscard]] bool is_enabled() const;

    /// Entry `index` of `reg` in the parent's address space. ResourceNotFound: no such entry.
    /// InvalidArgument: cell counts above kMaxCells, a size that is no multiple, or a range that
    /// wraps. Unimplemented: a number beyond 64 bits. O(tree).
    [[nodiscard]] Result<Range> reg(u32 index) const;
    /// The same, translated through the `ranges` of every bus above to the CPU's physical address
    /// space. Also ResourceNotFound: a bus has no `ranges` or none that covers it whole.
    [[nodiscard]] Result<Range> address(u32 index) const;

    /// Interrupt `index`, from `interrupts-extended` or `interrupts`. ResourceNotFound: no such
    /// interrupt, or its controller is missing. InvalidArgument: malformed. O(tree * index).
    [[nodiscard]] Result<Interrupt> interrupt(u32 index) const;
    /// Node that `interrupts` of this one refer to; a nexus (`interrupt-map`) is not followed.
    /// ResourceNotFound. O(tree).
    [[nodiscard]] Result<Node> interrupt_parent() const;

    friend bool operator==(const Node& a, const Node& b) {
        return a.blob_.data == b.blob_.data && a.offset_ == b.offset_;
    }

private:
    friend class Tree;
    template <u32 (*advance)(const Blob& blob, u32 offset)> friend class BasicNodeRange;

    Node(const Blob& blob, u32 offset) : blob_(blob), offset_(offset) {}

    Blob blob_;
    u32 offset_ = 0;  // of its BEGIN_NODE token in the structure block
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
    [[nodiscard]] Result<Range> reservation(u32 index) const;

private:
    Blob blob_;
};

/// Checks the blob at the start of `bytes`, which may be longer. O(tree).
/// BufferTooSmall: the header says more bytes than there are. BufferTooLarge: above kMaxTreeBytes
/// or nested deeper than kMaxDepth. InvalidArgument: no device tree, another version, or malformed.
[[nodiscard]] Result<Tree> open(std::span<const u8> bytes);

/// Size the header claims, from its first kMinHeaderBytes: for mapping a tree before open().
/// InvalidArgument: no device tree. BufferTooSmall: too few bytes. BufferTooLarge.
[[nodiscard]] Result<Bytes> total_size(std::span<const u8> header);

}  // namespace base::fdt
