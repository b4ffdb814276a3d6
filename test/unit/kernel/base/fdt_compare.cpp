// SPDX-License-Identifier: Apache-2.0
#include "fdt_compare.hpp"

#include <algorithm>
#include <cstring>
#include <libfdt.h>

namespace fdt_test {

using namespace base;

namespace {

std::string string_of(Text text) { return {text.begin(), text.end()}; }

/// Whether a blob that libfdt accepts breaks one of the rules that only our reader enforces:
/// alignment of the blocks, one root, no '/' in names, properties before children, depth, size,
/// version.
bool breaks_our_rules(const void* blob) {
    if (fdt_totalsize(blob) > sdk::fdt::kMaxTreeBytes || fdt_version(blob) < 16 ||
        fdt_off_dt_struct(blob) % 4 != 0 || fdt_off_mem_rsvmap(blob) % 8 != 0) {
        return true;
    }
    const u32 header = fdt_version(blob) >= 17 ? 40 : 36;
    if (std::min({fdt_off_dt_struct(blob), fdt_off_dt_strings(blob), fdt_off_mem_rsvmap(blob)}) <
        header) {
        return true;
    }
    u32 depth = 0;
    u32 roots = 0;
    bool after_child = false;
    int next = 0;
    for (int at = 0;; at = next) {
        switch (fdt_next_tag(blob, at, &next)) {
        case FDT_BEGIN_NODE:
            roots += depth == 0 ? 1 : 0;
            if (depth == 0 && *fdt_get_name(blob, at, nullptr) != 0) {
                return true;
            }
            if (std::strchr(fdt_get_name(blob, at, nullptr), '/') != nullptr) {
                return true;
            }
            after_child = false;
            if (++depth > sdk::fdt::kMaxDepth) {
                return true;
            }
            break;
        case FDT_END_NODE:
            --depth;
            after_child = true;
            break;
        case FDT_PROP: {
            int length = 0;
            fdt_get_property_by_offset(blob, at, &length);
            if (depth == 0 || after_child || length < 0) {
                return true;
            }
            break;
        }
        case FDT_END:
            return roots != 1;
        default:
            break;
        }
    }
}

std::string compare_properties(const void* blob, int offset, const sdk::fdt::Node& node) {
    int property = fdt_first_property_offset(blob, offset);
    for (const sdk::fdt::Property& mine : node.properties()) {
        int length = 0;
        const char* name = nullptr;
        const void* value = fdt_getprop_by_offset(blob, property, &name, &length);
        if (value == nullptr || string_of(mine.name()) != name ||
            mine.bytes().size() != static_cast<std::size_t>(length) ||
            std::memcmp(mine.bytes().data(), value, mine.bytes().size()) != 0) {
            return "property " + string_of(mine.name());
        }
        const void* first = fdt_getprop(blob, offset, name, &length);
        const auto found = node.property(mine.name());
        if (!found.ok() || found.value().bytes().data() != first) {
            return "first property " + string_of(mine.name());
        }
        if (found.value().lists("arm,pl011") !=
            (fdt_stringlist_search(blob, offset, name, "arm,pl011") >= 0)) {
            return "strings of " + string_of(mine.name());
        }
        property = fdt_next_property_offset(blob, property);
    }
    return property == -FDT_ERR_NOTFOUND ? "" : "fewer properties";
}

std::string compare_node(const void* blob, int offset, const sdk::fdt::Node& node) {
    if (string_of(node.name()) != fdt_get_name(blob, offset, nullptr)) {
        return "name";
    }
    const auto parent = node.parent();
    const int parent_offset = fdt_parent_offset(blob, offset);
    if (parent.ok() != (parent_offset >= 0) ||
        (parent.ok() &&
         string_of(parent.value().name()) != fdt_get_name(blob, parent_offset, nullptr))) {
        return "parent";
    }
    u32 children = 0;
    for (const sdk::fdt::Node& child : node.children()) {
        static_cast<void>(child);
        ++children;
    }
    for (int child = fdt_first_subnode(blob, offset); child >= 0;
         child = fdt_next_subnode(blob, child)) {
        --children;
    }
    if (children != 0) {
        return "children";
    }
    return compare_properties(blob, offset, node);
}

std::string compare_nodes(const void* blob, const sdk::fdt::Tree& tree) {
    int offset = 0;
    for (int depth = 0; const sdk::fdt::Node& node : tree.nodes()) {
        if (offset == 0) {
            offset = fdt_next_node(blob, -1, &depth);
        }
        if (offset < 0) {
            return "more nodes";
        }
        if (const std::string what = compare_node(blob, offset, node); !what.empty()) {
            return std::string{fdt_get_name(blob, offset, nullptr)} + ": " + what;
        }
        const char* name = fdt_get_name(blob, offset, nullptr);
        const int child = fdt_subnode_offset(blob, 0, name);
        const auto mine = tree.root().child(Text{name, std::strlen(name)});
        if (mine.ok() != (child >= 0)) {
            return std::string{name} + ": child of the root by name";
        }
        // Whatever the values say, asking about buses only gives an answer.
        static_cast<void>(node.address(0));
        static_cast<void>(node.interrupt(1));
        static_cast<void>(node.is_enabled());
        offset = fdt_next_node(blob, offset, &depth);
    }
    return offset < 0 ? "" : "fewer nodes";
}

std::string compare_lookups(const void* blob, const sdk::fdt::Tree& tree) {
    for (const char* path : {"/", "/chosen", "/aliases", "/soc/serial", "/n1", "/n1/n2", "//n0"}) {
        if (tree.find(Text{path, std::strlen(path)}).ok() != (fdt_path_offset(blob, path) >= 0)) {
            return std::string{"path "} + path;
        }
    }
    for (u32 phandle = 1; phandle < 5; ++phandle) {
        const auto mine = tree.find_phandle(phandle);
        const int theirs = fdt_node_offset_by_phandle(blob, phandle);
        if (mine.ok() != (theirs >= 0) ||
            (mine.ok() && string_of(mine.value().name()) != fdt_get_name(blob, theirs, nullptr))) {
            return "find_phandle";
        }
    }
    return {};
}

std::string compare_reservations(const void* blob, const sdk::fdt::Tree& tree) {
    const int count = fdt_num_mem_rsv(blob);
    for (int i = 0; i < count; ++i) {
        u64 base = 0;
        u64 size = 0;
        fdt_get_mem_rsv(blob, i, &base, &size);
        const auto mine = tree.reservation(static_cast<u32>(i));
        const bool wraps = size != 0 && base + (size - 1) < base;
        if (wraps ? mine.ok()
                  : !mine.ok() || mine.value().base != base || mine.value().size != size) {
            return "reservation";
        }
    }
    return tree.reservation(static_cast<u32>(count)).ok() ? "more reservations" : "";
}

}  // namespace

std::string compare_with_libfdt(std::span<const u8> blob) {
    const auto tree = sdk::fdt::open(blob);
    const bool accepted = fdt_check_full(blob.data(), blob.size()) == 0;
    if (!tree.ok()) {
        return accepted && !breaks_our_rules(blob.data()) ? "only libfdt accepts it" : "";
    }
    if (!accepted) {
        return "only our reader accepts it";
    }
    for (const auto compare : {compare_nodes, compare_lookups, compare_reservations}) {
        if (std::string what = compare(blob.data(), tree.value()); !what.empty()) {
            return what;
        }
    }
    return {};
}

}  // namespace fdt_test
