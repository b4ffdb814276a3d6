// SPDX-License-Identifier: Apache-2.0
// Device nodes into handles. A register range or an interrupt line is registered with the kernel
// once, when the first component needs it, and kept for as long as the system runs: each life of a
// driver gets a copy, with the rights to use it and none to pass it on.
#pragma once

#include <runtime/fdt.hpp>
#include <runtime/start_block_writer.hpp>
#include <services/init/kernel.hpp>

namespace svc::init {

using sdk::EntryTable;
using sdk::StartBlockWriter;

/// What the board's devices have become so far.
class DeviceRegistry final {
public:
    explicit DeviceRegistry(Kernel& kernel) : kernel_(kernel) {}

    /// Gives `task` the device at `path` of `tree` and enters it in its start block. `problem`
    /// says what failed. ResourceNotFound: no such node. InvalidArgument: the node is malformed.
    /// OutOfMemory: too many resources. Otherwise as the kernel's answers.
    Result<void> hand_over(const sdk::fdt::Tree& tree,
                           base::Text path,
                           u32 task,
                           StartBlockWriter& writer,
                           std::string_view& problem);

private:
    struct Range {
        u64 base;
        u64 size;
        u32 handle;
    };

    struct Line {
        u32 line;
        u32 handle;
    };

    Result<u32> find_or_register_range(u64 base, u64 size);
    Result<u32> find_or_register_line(u32 line, bool is_edge);
    Result<void>
    hand_over_registers(const sdk::fdt::Node& node, u32 task, StartBlockWriter& writer);
    Result<void>
    hand_over_interrupts(const sdk::fdt::Node& node, u32 task, StartBlockWriter& writer);

    Kernel& kernel_;
    EntryTable<Range, 64> ranges_{};
    EntryTable<Line, 64> lines_{};
};

/// Rate of the first clock of `node` when that is a fixed one, else 0. [DTBIND] "fixed-clock"
[[nodiscard]] u64 find_clock(const sdk::fdt::Tree& tree, const sdk::fdt::Node& node);

/// Whether a driver may see this property: not one that holds addresses or refers to other nodes.
[[nodiscard]] bool is_property_public(std::string_view name);

}  // namespace svc::init
