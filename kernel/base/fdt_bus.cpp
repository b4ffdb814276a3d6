// SPDX-License-Identifier: Apache-2.0
// The way through a tree, and what `reg` means on its buses. [DTSPEC] "Device Tree Bindings"
#include <kernel/base/fdt.hpp>

namespace base::fdt {

namespace {

/// #address-cells and #size-cells of a bus node. [DTSPEC] "#address-cells and #size-cells"
struct CellSizes {
    u32 address = 2;
    u32 size = 1;
};

Result<CellSizes> cell_sizes(const Node& bus) {
    TRY_VALUE(const u32 address, bus.read_u32_or("#address-cells", 2));
    TRY_VALUE(const u32 size, bus.read_u32_or("#size-cells", 1));
    if (address > kMaxCells || size > kMaxCells) {
        return Status::InvalidArgument;
    }
    return CellSizes{address, size};
}

/// Moves `range` from the address space below `bus` to the one above it, whose cell sizes are
/// `above`. An empty `ranges` means that the two are one. [DTSPEC] "ranges"
Result<Range> translate(const Node& bus, CellSizes above, Range range) {
    TRY_VALUE(const CellSizes below, cell_sizes(bus));
    TRY_VALUE(const Property ranges, bus.property("ranges"));
    if (ranges.bytes().empty()) {
        return range;
    }
    const u32 entry = below.address + above.address + below.size;
    if (entry == 0 || ranges.bytes().size() % (u64{entry} * 4) != 0) {
        return Status::InvalidArgument;
    }
    for (u32 at = 0; at < ranges.cell_count(); at += entry) {
        TRY_VALUE(const u64 child, ranges.cells(at, below.address));
        TRY_VALUE(const u64 parent, ranges.cells(at + below.address, above.address));
        TRY_VALUE(const u64 size, ranges.cells(at + below.address + above.address, below.size));
        if (range.base >= child && range.base - child < size &&
            range.size <= size - (range.base - child)) {
            const u64 moved = parent + (range.base - child);
            return moved < parent ? Result<Range>{Status::InvalidArgument}
                                  : make_range(moved, range.size);
        }
    }
    return Status::ResourceNotFound;
}

}  // namespace

bool Walk::advance() {
    u32 at = depth_ == 0 ? 0 : step(blob_, offset()).next;
    for (;;) {
        const Step token = step(blob_, at);
        at = token.next;
        if (token.token == Token::BeginNode && depth_ < kMaxDepth) {
            offsets_[depth_++] = token.at;
            return true;
        }
        if (token.token == Token::EndNode && depth_ > 0) {
            --depth_;
        } else if (token.token != Token::Property) {
            depth_ = 0;
            return false;
        }
    }
}

Result<Range> Walk::reg(u32 index) const {
    if (depth_ < 2) {
        return Status::ResourceNotFound;
    }
    TRY_VALUE(const Property entries, node().property("reg"));
    TRY_VALUE(const CellSizes sizes, cell_sizes(ancestor(0)));
    const u32 entry = sizes.address + sizes.size;
    if (entry == 0 || entries.bytes().size() % (u64{entry} * 4) != 0) {
        return Status::InvalidArgument;
    }
    if (index >= entries.cell_count() / entry) {
        return Status::ResourceNotFound;
    }
    TRY_VALUE(const u64 start, entries.cells(index * entry, sizes.address));
    TRY_VALUE(const u64 size, entries.cells(index * entry + sizes.address, sizes.size));
    return make_range(start, size);
}

Result<Range> Walk::address(u32 index) const {
    TRY_VALUE(Range range, reg(index));
    for (u32 above = 0; above + 2 < depth_; ++above) {  // the root's children need no translation
        TRY_VALUE(const CellSizes outside, cell_sizes(ancestor(above + 1)));
        TRY_VALUE(range, translate(ancestor(above), outside, range));
    }
    return range;
}

}  // namespace base::fdt
