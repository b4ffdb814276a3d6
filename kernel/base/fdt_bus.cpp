// SPDX-License-Identifier: Apache-2.0
// What a node means on its buses: addresses in `reg`, translated by `ranges`, and interrupts.
// [DTSPEC] "Device Tree Bindings", "Interrupts and Interrupt Mapping"
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

Result<u32> interrupt_cells(const Node& controller) {
    TRY_VALUE(const u32 count, controller.read_u32("#interrupt-cells"));
    if (count == 0 || count > kMaxCells) {
        return Status::InvalidArgument;
    }
    return count;
}

Result<Interrupt> read_interrupt(const Node& controller, const Property& from, u32 at) {
    Interrupt result{.controller = controller};
    TRY_VALUE(result.cell_count, interrupt_cells(controller));
    for (u32 i = 0; i < result.cell_count; ++i) {
        TRY_VALUE(result.cells[i], from.cell(at + i));
    }
    return result;
}

}  // namespace

Result<Range> Node::reg(u32 index) const {
    TRY_VALUE(const Node bus, parent());
    TRY_VALUE(const Property entries, property("reg"));
    TRY_VALUE(const CellSizes sizes, cell_sizes(bus));
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

Result<Range> Node::address(u32 index) const {
    TRY_VALUE(Range range, reg(index));
    TRY_VALUE(const Chain chain, chain_to(blob_, offset_));
    // The node stands at depth - 1 and its bus below; the root's own children need no translation.
    for (u32 level = chain.depth - 2; level > 0; --level) {
        const Node bus{blob_, chain.offsets[level]};
        TRY_VALUE(const CellSizes above, cell_sizes(Node{blob_, chain.offsets[level - 1]}));
        TRY_VALUE(range, translate(bus, above, range));
    }
    return range;
}

Result<Node> Node::interrupt_parent() const {
    const Tree tree{blob_};
    TRY_VALUE(const Chain chain, chain_to(blob_, offset_));
    for (u32 level = chain.depth; level > 0; --level) {
        const Node each{blob_, chain.offsets[level - 1]};
        if (level != chain.depth && each.has_property("#interrupt-cells")) {
            return each;
        }
        const Result<Property> link = each.property("interrupt-parent");
        if (link.ok()) {
            TRY_VALUE(const u32 number, link.value().as_u32());
            return tree.find_phandle(number);
        }
    }
    return Status::ResourceNotFound;
}

Result<Interrupt> Node::interrupt(u32 index) const {
    if (index >= kMaxInterrupts) {
        return Status::ResourceNotFound;
    }
    const Result<Property> extended = property("interrupts-extended");
    if (!extended.ok()) {
        TRY_VALUE(const Property plain, property("interrupts"));
        TRY_VALUE(const Node controller, interrupt_parent());
        TRY_VALUE(const u32 count, interrupt_cells(controller));
        return read_interrupt(controller, plain, index * count);
    }
    const Tree tree{blob_};
    u32 at = 0;
    for (u32 i = 0;; ++i) {
        TRY_VALUE(const u32 number, extended.value().cell(at));
        TRY_VALUE(const Node controller, tree.find_phandle(number));
        if (i == index) {
            return read_interrupt(controller, extended.value(), at + 1);
        }
        TRY_VALUE(const u32 count, interrupt_cells(controller));
        at += 1 + count;
    }
}

Result<u32> Interrupt::gic_line() const {
    constexpr u32 kShared = 0;
    constexpr u32 kPrivate = 1;
    if (cell_count < 3 || cells[0] > kPrivate) {
        return Status::InvalidArgument;
    }
    // Private lines are 16..31, shared ones 32..1019. [GIC] "Interrupt types"
    const u32 first = cells[0] == kShared ? 32 : 16;
    const u32 count = cells[0] == kShared ? 988 : 16;
    return cells[1] < count ? Result<u32>{first + cells[1]} : Status::InvalidArgument;
}

}  // namespace base::fdt
