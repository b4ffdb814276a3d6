// SPDX-License-Identifier: Apache-2.0
#include <kernel/abi/rights.hpp>
#include <kernel/base/bits.hpp>
#include <services/init/description.hpp>
#include <services/init/devices.hpp>

namespace svc::init {

namespace {

using base::Text;
using sdk::fdt::Interrupt;
using sdk::fdt::Node;
using sdk::fdt::Property;
using sdk::fdt::Tree;

constexpr u64 kMaxPropertyBytes = 1024;

}  // namespace

Result<u32> DeviceRegistry::find_or_register_range(u64 base, u64 size) {
    for (const Range& range : ranges_.view()) {
        if (range.base == base && range.size == size) {
            return range.handle;
        }
    }
    Range* const entry = ranges_.add();
    if (entry == nullptr) {
        return Status::OutOfMemory;
    }
    *entry = {.base = base, .size = 0, .handle = 0};  // matches nothing until it is complete
    TRY_VALUE(const u32 handle, kernel_.register_mmio(base, size));
    *entry = {.base = base, .size = size, .handle = handle};
    return handle;
}

Result<u32> DeviceRegistry::find_or_register_line(u32 line, bool is_edge) {
    for (const Line& each : lines_.view()) {
        if (each.line == line && each.handle != 0) {
            return each.handle;
        }
    }
    Line* const entry = lines_.add();
    if (entry == nullptr) {
        return Status::OutOfMemory;
    }
    *entry = {.line = line, .handle = 0};
    TRY_VALUE(entry->handle, kernel_.register_irq(line, is_edge));
    return entry->handle;
}

Result<void>
DeviceRegistry::hand_over_registers(const Node& node, u32 task, StartBlockWriter& writer) {
    for (u32 i = 0; node.reg(i).status() != Status::ResourceNotFound; ++i) {
        TRY_VALUE(const sdk::fdt::Range range, node.address(i));
        const u64 first = base::align_down(range.base, base::kPageSize);
        const u64 offset = range.base - first;
        if (range.size == 0 || range.size > ~u64{0} - offset - base::kPageSize) {
            return Status::InvalidArgument;
        }
        const u64 size = base::align_up(offset + range.size, base::kPageSize);
        TRY_VALUE(const u32 handle, find_or_register_range(first, size));
        constexpr u32 kRights = abi::rights::kRead | abi::rights::kWrite;
        TRY_VALUE(const u32 given, kernel_.give(handle, kRights, task));
        writer.add_registers(given, static_cast<u32>(offset), range.size);
    }
    return {};
}

Result<void>
DeviceRegistry::hand_over_interrupts(const Node& node, u32 task, StartBlockWriter& writer) {
    for (u32 i = 0; i < sdk::fdt::kMaxInterrupts; ++i) {
        const auto interrupt = node.interrupt(i);
        if (interrupt.status() == Status::ResourceNotFound) {
            break;
        }
        TRY(interrupt);
        TRY_VALUE(const u32 line, interrupt.value().gic_line());
        const bool is_edge = (interrupt.value().cells[2] & 3) != 0;  // [DTBIND] "arm,gic"
        TRY_VALUE(const u32 handle, find_or_register_line(line, is_edge));
        TRY_VALUE(const u32 given, kernel_.give(handle, abi::rights::kAttach, task));
        writer.add_interrupt(given, line);
    }
    return {};
}

Result<void> DeviceRegistry::hand_over(
    const Tree& tree, Text path, u32 task, StartBlockWriter& writer, std::string_view& problem) {
    problem = "no such device node";
    TRY_VALUE(const Node node, tree.find(path));
    const auto compatible = node.property("compatible");
    writer.begin_device(view_of(path),
                        compatible.ok() ? compatible.value().bytes() : std::span<const u8>{},
                        find_clock(tree, node));
    problem = "device registers";
    TRY(hand_over_registers(node, task, writer));
    problem = "device interrupts";
    TRY(hand_over_interrupts(node, task, writer));
    for (const Property property : node.properties()) {
        const std::string_view name = view_of(property.name());
        if (is_property_public(name) && property.bytes().size() <= kMaxPropertyBytes) {
            writer.add_property(name, property.bytes());
        }
    }
    problem = {};
    return {};
}

u64 find_clock(const Tree& tree, const Node& node) {
    const auto clocks = node.property("clocks");
    if (!clocks.ok()) {
        return 0;
    }
    const auto phandle = clocks.value().cell(0);
    if (!phandle.ok()) {
        return 0;
    }
    const auto clock = tree.find_phandle(phandle.value());
    const auto kinds = clock.ok() ? clock.value().property("compatible") : clock.status();
    if (!kinds.ok() || !kinds.value().lists("fixed-clock")) {
        return 0;
    }
    const auto frequency = clock.value().read_u32("clock-frequency");
    return frequency.ok() ? frequency.value() : 0;
}

bool is_property_public(std::string_view name) {
    constexpr std::string_view kHidden[] = {"reg",
                                            "ranges",
                                            "dma-ranges",
                                            "interrupts",
                                            "interrupts-extended",
                                            "interrupt-parent",
                                            "phandle",
                                            "linux,phandle",
                                            "clocks",
                                            "compatible",
                                            "power-domains",
                                            "iommus"};
    for (const std::string_view hidden : kHidden) {
        if (name == hidden) {
            return false;
        }
    }
    return true;
}

}  // namespace svc::init
