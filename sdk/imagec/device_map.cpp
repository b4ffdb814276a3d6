// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <sdk/imagec/device_map.hpp>

namespace sdk::imagec {

namespace {

// What the kernel drives itself, whatever a component asks for.
constexpr std::array<std::string_view, 10> kKernelDevices{"arm,gic-400",
                                                          "arm,cortex-a15-gic",
                                                          "arm,cortex-a7-gic",
                                                          "arm,gic-v3",
                                                          "arm,gic-v3-its",
                                                          "arm,gic-v2m-frame",
                                                          "arm,armv8-timer",
                                                          "arm,armv7-timer",
                                                          "arm,psci-1.0",
                                                          "arm,psci-0.2"};

bool lists(const Node& node, std::string_view property, std::string_view wanted) {
    const auto* const found = node.find_property(property);
    if (found == nullptr) {
        return false;
    }
    const auto strings = find_strings(found->value);
    return strings && std::find(strings->begin(), strings->end(), wanted) != strings->end();
}

/// A number of `count` cells from `at`; nothing when it does not fit 64 bits or is not there.
std::optional<std::uint64_t>
number(const std::vector<std::uint32_t>& cells, std::size_t at, std::uint32_t count) {
    if (count > 2 || at + count > cells.size()) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        value = value << 32 | cells[at + i];
    }
    return value;
}

}  // namespace

DeviceMap::DeviceMap(const Tree& tree, std::string name) : name_(std::move(name)) {
    flatten_nodes(tree.root, 0, "");
    entries_.front().path = "/";
}

void DeviceMap::flatten_nodes(const Node& node, std::size_t parent, const std::string& path) {
    const auto index = entries_.size();
    entries_.push_back(Entry{.node = &node, .parent = parent, .path = path});
    for (const auto& child : node.children) {  // at most kMaxTreeDepth deep
        flatten_nodes(child, index, path + "/" + child.name);
    }
}

std::vector<std::size_t> DeviceMap::candidates(const std::string& reference) const {
    std::vector<std::size_t> found;
    auto path = reference;
    if (!path.starts_with('/')) {
        const auto* const aliases = entries_.front().node->find_child("aliases");
        path = aliases == nullptr ? std::string{} : aliases->get_string(reference);
    }
    for (std::size_t i = 1; i < entries_.size(); ++i) {
        if (entries_[i].path == path) {
            return {i};
        }
    }
    const auto mark = reference.rfind('#');
    const auto compatible = reference.substr(0, mark);
    for (std::size_t i = 1; i < entries_.size(); ++i) {
        if (lists(*entries_[i].node, "compatible", compatible) && !is_disabled(i)) {
            found.push_back(i);
        }
    }
    if (mark == std::string::npos) {
        return found;
    }
    std::size_t wanted = 0;
    const char* const first = reference.data() + mark + 1;
    const char* const last = reference.data() + reference.size();
    const auto parsed = std::from_chars(first, last, wanted);
    if (parsed.ec != std::errc{} || parsed.ptr != last || wanted >= found.size()) {
        return {};
    }
    return {found[wanted]};
}

Outcome<Device> DeviceMap::resolve(const std::string& reference, const std::string& who) const {
    const auto refuse = [&](Code code, std::string cause, std::string way_out) {
        return Diagnostic{.code = code,
                          .file = name_,
                          .cause = fmt::format("{}: {}", who, cause),
                          .way_out = std::move(way_out)};
    };
    const auto found = candidates(reference);
    if (found.size() != 1) {
        return refuse(
            Code::DeviceUnknown,
            found.empty() ? fmt::format("the board has no device '{}'", reference)
                          : fmt::format("'{}' names {} devices", reference, found.size()),
            "write a full path (/soc/serial@...), an alias (serial0), or compatible#index "
            "(arm,pl011#0)");
    }
    const auto index = found.front();
    const auto& path = entries_[index].path;
    if (is_disabled(index)) {
        return refuse(Code::DeviceDisabled,
                      fmt::format("device {} is disabled on this board", path),
                      "choose another, or set status = \"okay\" in the board's tree");
    }
    if (is_of_kernel(index)) {
        return refuse(Code::DeviceOfKernel,
                      fmt::format("device {} belongs to the kernel", path),
                      "interrupt controllers, timers, memory and CPUs are not given to components");
    }
    Device device{.path = path};
    auto pages = pages_of(index);
    if (!pages.ok()) {
        return refuse(pages.failure().code, pages.failure().cause, pages.failure().way_out);
    }
    device.pages = std::move(pages.value());
    auto interrupts = interrupts_of(index);
    if (!interrupts.ok()) {
        return refuse(
            interrupts.failure().code, interrupts.failure().cause, interrupts.failure().way_out);
    }
    device.interrupts = std::move(interrupts.value());
    return device;
}

std::vector<Pages> DeviceMap::kernel_pages() const {
    std::vector<Pages> all;
    for (std::size_t i = 1; i < entries_.size(); ++i) {
        if (!is_of_kernel(i) || entries_[i].node->get_string("device_type") == "memory") {
            continue;
        }
        const auto pages = pages_of(i);
        if (pages.ok()) {
            all.insert(all.end(), pages.value().begin(), pages.value().end());
        }
    }
    return all;
}

std::uint64_t DeviceMap::memory_size() const {
    std::uint64_t total = 0;
    for (const auto& entry : entries_) {
        const auto* const reg = entry.node->find_property("reg");
        if (entry.node->get_string("device_type") != "memory" || reg == nullptr) {
            continue;
        }
        const auto address_cells = cell_count(entry.parent, "#address-cells", 2);
        const auto size_cells = cell_count(entry.parent, "#size-cells", 1);
        const auto cells = find_cells(reg->value);
        const std::size_t stride = std::size_t{address_cells} + size_cells;
        for (std::size_t at = 0; cells && stride != 0 && at + stride <= cells->size();
             at += stride) {
            total += number(*cells, at + address_cells, size_cells).value_or(0);
        }
    }
    return total;
}

std::size_t DeviceMap::cpu_count() const {
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(), [](const auto& entry) {
            return entry.node->get_string("device_type") == "cpu";
        }));
}

std::uint32_t
DeviceMap::cell_count(std::size_t index, std::string_view property, std::uint32_t otherwise) const {
    const auto* const found = entries_[index].node->find_property(property);
    const auto cells = found == nullptr ? std::nullopt : find_cells(found->value);
    return cells && cells->size() == 1 && cells->front() <= 4 ? cells->front() : otherwise;
}

bool DeviceMap::is_disabled(std::size_t index) const {
    for (auto i = index; i != 0; i = entries_[i].parent) {
        const auto status = entries_[i].node->get_string("status");
        if (!status.empty() && status != "okay" && status != "ok") {
            return true;
        }
    }
    return false;
}

bool DeviceMap::is_of_kernel(std::size_t index) const {
    const auto& node = *entries_[index].node;
    const auto type = node.get_string("device_type");
    return type == "memory" || type == "cpu" ||
           std::any_of(kKernelDevices.begin(), kKernelDevices.end(), [&](auto compatible) {
               return lists(node, "compatible", compatible);
           });
}

/// The CPU address of `address` on the bus that entries_[bus] is; nothing when it cannot be
/// reached.
std::optional<std::uint64_t> DeviceMap::translate(std::size_t bus, std::uint64_t address) const {
    while (bus != 0) {
        const auto* const ranges = entries_[bus].node->find_property("ranges");
        if (ranges == nullptr) {
            return std::nullopt;
        }
        const auto parent = entries_[bus].parent;
        const auto child_cells = cell_count(bus, "#address-cells", 2);
        const auto size_cells = cell_count(bus, "#size-cells", 1);
        const auto parent_cells = cell_count(parent, "#address-cells", 2);
        const auto cells = find_cells(ranges->value);
        const std::size_t stride = std::size_t{child_cells} + parent_cells + size_cells;
        bool translated = ranges->value.empty();
        for (std::size_t at = 0;
             !translated && cells && stride != 0 && at + stride <= cells->size();
             at += stride) {
            const auto child = number(*cells, at, child_cells);
            const auto target = number(*cells, at + child_cells, parent_cells);
            const auto size = number(*cells, at + child_cells + parent_cells, size_cells);
            if (child && target && size && address >= *child && address - *child < *size) {
                address = *target + (address - *child);
                translated = true;
            }
        }
        if (!translated) {
            return std::nullopt;
        }
        bus = parent;
    }
    return address;
}

Outcome<std::vector<Pages>> DeviceMap::pages_of(std::size_t index) const {
    std::vector<Pages> pages;
    const auto* const reg = entries_[index].node->find_property("reg");
    const auto bus = entries_[index].parent;
    if (reg == nullptr || (bus != 0 && entries_[bus].node->find_property("ranges") == nullptr)) {
        return pages;  // not addressed by the CPU, e.g. behind an I2C bus
    }
    const auto address_cells = cell_count(bus, "#address-cells", 2);
    const auto size_cells = cell_count(bus, "#size-cells", 1);
    const auto cells = find_cells(reg->value);
    const std::size_t stride = std::size_t{address_cells} + size_cells;
    const auto refuse = [&](std::string_view why) {
        return Diagnostic{.code = Code::DeviceRegInvalid,
                          .cause = fmt::format("registers of {} {}", entries_[index].path, why),
                          .way_out = "correct `reg` and `ranges` in the board's tree"};
    };
    if (!cells || stride == 0 || cells->size() % stride != 0) {
        return refuse("are not whole pairs of address and size");
    }
    for (std::size_t at = 0; at < cells->size(); at += stride) {
        const auto address = number(*cells, at, address_cells);
        const auto size = number(*cells, at + address_cells, size_cells);
        const auto start = address ? translate(bus, *address) : std::nullopt;
        if (!start || !size || *size == 0 || !is_below_top(*start, *size)) {
            return refuse("have no address the CPU can reach");
        }
        pages.push_back(Pages{.first = *start / kPage, .last = (*start + *size - 1) / kPage});
    }
    return pages;
}

const DeviceMap::Entry* DeviceMap::find_phandle(std::uint32_t phandle) const {
    for (const auto& entry : entries_) {
        const auto* const property = entry.node->find_property("phandle");
        const auto cells = property == nullptr ? std::nullopt : find_cells(property->value);
        if (cells && cells->size() == 1 && cells->front() == phandle) {
            return &entry;
        }
    }
    return nullptr;
}

Outcome<std::vector<std::string>> DeviceMap::interrupts_of(std::size_t index) const {
    std::vector<std::string> lines;
    const auto& node = *entries_[index].node;
    const auto* const extended = node.find_property("interrupts-extended");
    const auto* const plain = extended != nullptr ? extended : node.find_property("interrupts");
    if (plain == nullptr) {
        return lines;
    }
    const auto refuse = [&](std::string_view why) {
        return Diagnostic{.code = Code::DeviceRegInvalid,
                          .cause = fmt::format("interrupts of {} {}", entries_[index].path, why),
                          .way_out = "correct `interrupts` and `interrupt-parent` in the board's "
                                     "tree"};
    };
    const auto cells = find_cells(plain->value);
    if (!cells) {
        return refuse("are not whole cells");
    }
    std::optional<std::uint32_t> parent;
    for (auto i = index; !parent; i = entries_[i].parent) {
        const auto* const property = entries_[i].node->find_property("interrupt-parent");
        const auto value = property == nullptr ? std::nullopt : find_cells(property->value);
        if (value && value->size() == 1) {
            parent = value->front();
        }
        if (i == 0) {
            break;
        }
    }
    for (std::size_t at = 0; at < cells->size();) {
        const auto phandle = extended != nullptr ? (*cells)[at++] : parent.value_or(0);
        const auto* const controller = find_phandle(phandle);
        if (controller == nullptr) {
            return refuse("name no interrupt controller");
        }
        const auto* const width = controller->node->find_property("#interrupt-cells");
        const auto widths = width == nullptr ? std::nullopt : find_cells(width->value);
        if (!widths || widths->size() != 1 || widths->front() == 0 ||
            widths->front() > cells->size() - at) {
            return refuse("are not whole specifiers of their controller");
        }
        // The last of several cells is the trigger, which does not tell lines apart.
        const auto count = widths->front();
        std::string line = controller->path;
        for (std::uint32_t i = 0; i < std::max(1U, count - 1); ++i) {
            line += fmt::format(" {}", (*cells)[at + i]);
        }
        lines.push_back(std::move(line));
        at += count;
    }
    return lines;
}

}  // namespace sdk::imagec
