// SPDX-License-Identifier: Apache-2.0
// Reader of flattened device trees, versions 16 and 17 [DTSPEC] "Flattened Devicetree (DTB)
// Format". For the boot code and the kernel, which read a tree once from front to back;
// <runtime/fdt.hpp> finds its way around in it for init.
//
// The blob is hostile: it comes from firmware or from a file. open() checks the header and walks
// the structure once; every later step is bounds checked again, so even a blob that changes under
// the reader yields wrong answers at worst, never an access outside its bytes. Nothing is
// allocated, copied or recursed into; every walk moves forward through the structure block, so its
// cost is bounded by the blob's size. Bytes are read one by one: no alignment is needed.
//
// Blob, Node and Property are values that borrow the bytes:
//
//   TRY_VALUE(const fdt::Blob blob, fdt::open(bytes));
//   for (fdt::Walk walk{blob}; walk.advance();) { ... walk.node().property("reg") ... }
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

/// A node and its properties. Comparing nodes of different blobs has no meaning.
class Node {
public:
    constexpr Node() = default;

    /// `offset` is that of its BEGIN_NODE token in the structure block.
    Node(const Blob& blob, u32 offset) : blob_(blob), offset_(offset) {}

    /// Name with unit address: `uart@9000000`; the root's is empty.
    [[nodiscard]] Text name() const;
    /// Name up to the '@'.
    [[nodiscard]] Text base_name() const;

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

    friend bool operator==(const Node& a, const Node& b) {
        return a.blob_.data == b.blob_.data && a.offset_ == b.offset_;
    }

protected:
    Blob blob_;
    u32 offset_ = 0;
};

/// A way through all nodes, parents before children, which knows the ancestors of the node that it
/// is at. It begins before the root.
class Walk final {
public:
    Walk() = default;

    explicit Walk(const Blob& blob) : blob_(blob) {}

    /// Goes on to the next node; false: there is none.
    bool advance();

    /// The node that it is at, its parent (0), or who is that many levels above that.
    [[nodiscard]] Node node() const { return {blob_, offset()}; }

    [[nodiscard]] Node ancestor(u32 above) const { return {blob_, offsets_[depth_ - 2 - above]}; }

    [[nodiscard]] u32 offset() const { return offsets_[depth_ - 1]; }

    /// Levels of nodes down to here: 1 at the root.
    [[nodiscard]] u32 depth() const { return depth_; }

    /// Entry `index` of the node's `reg` in its parent's address space. ResourceNotFound: no such
    /// entry, or this is the root. InvalidArgument: cell counts above kMaxCells, a size that is no
    /// multiple, or a range that wraps. Unimplemented: a number beyond 64 bits.
    [[nodiscard]] Result<Range> reg(u32 index) const;
    /// The same, translated through the `ranges` of every bus above to the CPU's physical address
    /// space. Also ResourceNotFound: a bus has no `ranges` or none that covers it whole.
    [[nodiscard]] Result<Range> address(u32 index) const;

private:
    Blob blob_;
    u32 offsets_[kMaxDepth]{};
    u32 depth_ = 0;
};

/// Entry `index` of the memory reservation block. ResourceNotFound: fewer. O(index).
[[nodiscard]] Result<Range> reservation(const Blob& blob, u32 index);

/// Checks the blob at the start of `bytes`, which may be longer. O(tree).
/// BufferTooSmall: the header says more bytes than there are. BufferTooLarge: above kMaxTreeBytes
/// or nested deeper than kMaxDepth. InvalidArgument: no device tree, another version, or malformed.
[[nodiscard]] Result<Blob> open(std::span<const u8> bytes);

/// Size the header claims, from its first kMinHeaderBytes: for mapping a tree before open().
/// InvalidArgument: no device tree. BufferTooSmall: too few bytes. BufferTooLarge.
[[nodiscard]] Result<Bytes> total_size(std::span<const u8> header);

}  // namespace base::fdt
