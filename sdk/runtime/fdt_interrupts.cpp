// SPDX-License-Identifier: Apache-2.0
// [DTSPEC] "Interrupts and Interrupt Mapping"
#include <runtime/fdt.hpp>

namespace sdk::fdt {

namespace {

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

Result<Node> Node::interrupt_parent() const {
    const Tree tree{blob_};
    TRY_VALUE(const base::fdt::Walk here, walk());
    for (u32 level = 0; level < here.depth(); ++level) {
        const Node each{level == 0 ? here.node() : here.ancestor(level - 1)};
        if (level != 0 && each.has_property("#interrupt-cells")) {
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

}  // namespace sdk::fdt
