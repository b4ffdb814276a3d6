// SPDX-License-Identifier: Apache-2.0
// Device trees for tests, written with libfdt in reading order.
#pragma once

#include <array>
#include <cstdint>
#include <libfdt.h>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

class TreeBuilder final {
public:
    TreeBuilder() { check(fdt_create(blob_.data(), static_cast<int>(blob_.size()))); }

    TreeBuilder& reserve(std::uint64_t base, std::uint64_t size) {
        check(fdt_add_reservemap_entry(blob_.data(), base, size));
        return *this;
    }

    TreeBuilder& begin(const std::string& name) {
        if (!in_structure_) {
            check(fdt_finish_reservemap(blob_.data()));
            in_structure_ = true;
        }
        check(fdt_begin_node(blob_.data(), name.c_str()));
        return *this;
    }

    TreeBuilder& end() {
        check(fdt_end_node(blob_.data()));
        return *this;
    }

    TreeBuilder& text(const std::string& name, const std::string& value) {
        check(fdt_property(
            blob_.data(), name.c_str(), value.c_str(), static_cast<int>(value.size() + 1)));
        return *this;
    }

    TreeBuilder& flag(const std::string& name) {
        check(fdt_property(blob_.data(), name.c_str(), nullptr, 0));
        return *this;
    }

    TreeBuilder& cells(const std::string& name, const std::vector<std::uint32_t>& values) {
        std::vector<fdt32_t> raw;
        for (const std::uint32_t value : values) {
            raw.push_back(cpu_to_fdt32(value));
        }
        check(fdt_property(
            blob_.data(), name.c_str(), raw.data(), static_cast<int>(raw.size() * sizeof(raw[0]))));
        return *this;
    }

    /// The finished tree, without slack behind it.
    std::vector<std::uint8_t> finish() {
        check(fdt_finish(blob_.data()));
        return {blob_.begin(), blob_.begin() + fdt_totalsize(blob_.data())};
    }

private:
    static void check(int result) {
        if (result != 0) {
            throw std::runtime_error(fdt_strerror(result));
        }
    }

    std::array<std::uint8_t, 65536> blob_{};
    bool in_structure_ = false;
};

}  // namespace test
