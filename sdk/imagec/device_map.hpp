// SPDX-License-Identifier: Apache-2.0
// The devices of a board's tree: found by path, alias or compatible and index, with the register
// pages and interrupt lines that say which of them cannot be told apart by hardware. [DTSPEC]
// "reg", "ranges", "interrupt-parent".
#pragma once

#include <sdk/imagec/tree.hpp>
#include <string>
#include <vector>

namespace sdk::imagec {

/// A range of 4 KiB pages of CPU addresses, [first, last].
struct Pages {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

struct Device {
    std::string path{};
    std::vector<Pages> pages{};
    std::vector<std::string> interrupts{};  // controller and line, in a form to compare
};

class DeviceMap final {
public:
    /// `tree` is borrowed for the life of the map; `name` is what diagnostics call it.
    DeviceMap(const Tree& tree, std::string name);

    /// The device that `reference` names. DeviceUnknown, DeviceDisabled, DeviceOfKernel,
    /// DeviceRegInvalid. `who` begins the cause, e.g. "task 'uart'".
    [[nodiscard]] Outcome<Device> resolve(const std::string& reference,
                                          const std::string& who) const;

    /// Register pages of what the kernel keeps: its interrupt controllers.
    [[nodiscard]] std::vector<Pages> kernel_pages() const;

    /// Bytes of RAM that the tree describes; 0 when it leaves that to the firmware.
    [[nodiscard]] std::uint64_t memory_size() const;

    /// CPUs that the tree describes; 0 when it leaves that to the firmware.
    [[nodiscard]] std::size_t cpu_count() const;

private:
    struct Entry {
        const Node* node = nullptr;
        std::size_t parent = 0;
        std::string path{};
    };

    void flatten_nodes(const Node& node, std::size_t parent, const std::string& path);
    [[nodiscard]] std::vector<std::size_t> candidates(const std::string& reference) const;
    [[nodiscard]] Outcome<std::vector<Pages>> pages_of(std::size_t index) const;
    [[nodiscard]] Outcome<std::vector<std::string>> interrupts_of(std::size_t index) const;
    [[nodiscard]] std::optional<std::uint64_t> translate(std::size_t bus,
                                                         std::uint64_t address) const;
    [[nodiscard]] std::uint32_t
    cell_count(std::size_t index, std::string_view property, std::uint32_t otherwise) const;
    [[nodiscard]] const Entry* find_phandle(std::uint32_t phandle) const;
    [[nodiscard]] bool is_disabled(std::size_t index) const;
    [[nodiscard]] bool is_of_kernel(std::size_t index) const;

    std::string name_;
    std::vector<Entry> entries_{};  // in tree order, the root first
};

}  // namespace sdk::imagec
