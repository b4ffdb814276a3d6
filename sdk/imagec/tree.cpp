// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>
#include <libfdt.h>
#include <sdk/imagec/tree.hpp>

namespace sdk::imagec {

const Property* Node::find_property(std::string_view wanted) const {
    const auto found = std::find_if(
        properties.begin(), properties.end(), [&](const auto& p) { return p.name == wanted; });
    return found == properties.end() ? nullptr : &*found;
}

const Node* Node::find_child(std::string_view wanted) const {
    const auto found = std::find_if(
        children.begin(), children.end(), [&](const auto& c) { return c.name == wanted; });
    return found == children.end() ? nullptr : &*found;
}

void Node::set(std::string_view property, Bytes value) {
    const auto found = std::find_if(
        properties.begin(), properties.end(), [&](const auto& p) { return p.name == property; });
    if (found != properties.end()) {
        found->value = std::move(value);
    } else {
        properties.push_back(Property{.name = std::string(property), .value = std::move(value)});
    }
}

void Node::set_string(std::string_view property, std::string_view value) {
    set_strings(property, {std::string(value)});
}

void Node::set_strings(std::string_view property, const std::vector<std::string>& values) {
    Bytes bytes;
    for (const auto& value : values) {
        bytes.insert(bytes.end(), value.begin(), value.end());
        bytes.push_back(0);
    }
    set(property, std::move(bytes));
}

void Node::set_cells(std::string_view property, const std::vector<std::uint32_t>& cells) {
    Bytes bytes;
    for (const auto cell : cells) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            bytes.push_back(static_cast<std::uint8_t>(cell >> shift));
        }
    }
    set(property, std::move(bytes));
}

std::string Node::get_string(std::string_view property) const {
    const auto* const found = find_property(property);
    if (found == nullptr) {
        return {};
    }
    const auto strings = find_strings(found->value);
    return strings && !strings->empty() ? strings->front() : std::string{};
}

std::optional<std::vector<std::uint32_t>> find_cells(View value) {
    if (value.size() % 4 != 0) {
        return std::nullopt;
    }
    std::vector<std::uint32_t> cells;
    for (std::size_t i = 0; i < value.size(); i += 4) {
        cells.push_back(static_cast<std::uint32_t>(value[i]) << 24 |
                        static_cast<std::uint32_t>(value[i + 1]) << 16 |
                        static_cast<std::uint32_t>(value[i + 2]) << 8 | value[i + 3]);
    }
    return cells;
}

namespace {

Diagnostic refuse(const std::string& name, Code code, std::string cause) {
    return Diagnostic{.code = code,
                      .file = name,
                      .cause = std::move(cause),
                      .way_out = "compile it with dtc -O dtb from a .dts file"};
}

void read_properties(const void* flattened, int offset, Node& node) {
    int property = 0;
    fdt_for_each_property_offset(property, flattened, offset) {
        const char* property_name = nullptr;
        int length = 0;
        const auto* const value = static_cast<const std::uint8_t*>(
            fdt_getprop_by_offset(flattened, property, &property_name, &length));
        node.properties.push_back(
            Property{.name = property_name, .value = {value, value + length}});
    }
}

}  // namespace

Outcome<Tree> parse_tree(View flattened, const std::string& name) {
    if (flattened.size() > kMaxTreeSize) {
        return refuse(name,
                      Code::TreeInvalid,
                      fmt::format("is {} bytes long, a device tree may have {}",
                                  flattened.size(),
                                  kMaxTreeSize));
    }
    const Bytes copy(flattened.begin(), flattened.end());  // aligned as libfdt wants it
    if (copy.size() < sizeof(fdt_header)) {
        return refuse(name, Code::TreeInvalid, "is too short for a device tree");
    }
    if (const int flaw = fdt_check_full(copy.data(), copy.size()); flaw != 0) {
        return refuse(name,
                      Code::TreeInvalid,
                      fmt::format("is not a valid flattened device tree ({})", fdt_strerror(flaw)));
    }
    Tree tree;
    for (int i = 0; i < fdt_num_mem_rsv(copy.data()); ++i) {
        std::uint64_t address = 0;
        std::uint64_t size = 0;
        fdt_get_mem_rsv(copy.data(), i, &address, &size);
        tree.reserved.emplace_back(address, size);
    }
    // A node on the stack lives in its parent's vector, which grows only while the parent is on
    // top.
    std::vector<Node*> open{&tree.root};
    read_properties(copy.data(), 0, tree.root);
    int depth = 0;
    for (int offset = fdt_next_node(copy.data(), 0, &depth); offset >= 0 && depth > 0;
         offset = fdt_next_node(copy.data(), offset, &depth)) {
        const auto level = static_cast<std::size_t>(depth);
        if (level > kMaxTreeDepth) {
            return refuse(name,
                          Code::TreeTooDeep,
                          fmt::format("has nodes more than {} levels deep", kMaxTreeDepth));
        }
        open.resize(level);
        auto& child = open.back()->children.emplace_back();
        child.name = fdt_get_name(copy.data(), offset, nullptr);
        read_properties(copy.data(), offset, child);
        open.push_back(&child);
    }
    return tree;
}

namespace {

int write_node(void* buffer, const Node& node) {
    int flaw = fdt_begin_node(buffer, node.name.c_str());
    for (const auto& property : node.properties) {
        flaw = flaw != 0 ? flaw
                         : fdt_property(buffer,
                                        property.name.c_str(),
                                        property.value.data(),
                                        static_cast<int>(property.value.size()));
    }
    for (const auto& child : node.children) {  // at most kMaxTreeDepth deep
        flaw = flaw != 0 ? flaw : write_node(buffer, child);
    }
    return flaw != 0 ? flaw : fdt_end_node(buffer);
}

}  // namespace

Bytes flatten(const Tree& tree) {
    for (std::size_t size = 65536;; size *= 2) {
        Bytes buffer(size);
        int flaw = fdt_create(buffer.data(), static_cast<int>(size));
        for (const auto& [address, length] : tree.reserved) {
            flaw = flaw != 0 ? flaw : fdt_add_reservemap_entry(buffer.data(), address, length);
        }
        flaw = flaw != 0 ? flaw : fdt_finish_reservemap(buffer.data());
        flaw = flaw != 0 ? flaw : write_node(buffer.data(), tree.root);
        flaw = flaw != 0 ? flaw : fdt_finish(buffer.data());
        if (flaw == 0) {
            buffer.resize(fdt_totalsize(buffer.data()));
            return buffer;
        }
        if (flaw != -FDT_ERR_NOSPACE) {
            return {};  // not reachable: every other flaw is one of parse_tree or of this file
        }
    }
}

}  // namespace sdk::imagec
