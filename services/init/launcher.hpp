// SPDX-License-Identifier: Apache-2.0
// Builds processes. Three steps, each for all components before the next, so that a connection can
// name any server whatever the order, cycles included:
//
//   prepare   judge the program, create the task and, if it serves, its listener
//   furnish   load segments, stack and files, make connections, hand over devices, write the start
//             block, set the entry
//   start     watch and resume
//
// A component that fails in a step is taken apart and logged; the others go on. At a restart the
// three steps run for the one component again; its clients' handles stay as they are.
#pragma once

#include <runtime/elf.hpp>
#include <runtime/placement.hpp>
#include <runtime/romfs.hpp>
#include <runtime/start_block_writer.hpp>
#include <services/init/description.hpp>
#include <services/init/devices.hpp>
#include <services/init/kernel.hpp>

namespace svc::init {

using sdk::ElfFlaw;
using sdk::ElfProgram;
using sdk::ElfSegment;
using sdk::ElfVerdict;
using sdk::Placement;

/// One life of a component.
struct Life {
    u32 task = 0;      ///< 0 = none
    u64 sid = 0;       ///< by which the kernel names the process
    u32 listener = 0;  ///< handle of the task
    u64 image = 0;     ///< where its program stands
    bool is_running = false;
};

/// A component and its present life.
struct Unit {
    Component component{};
    Life life{};
    u32 heartbeat = 0;  ///< what its lives get a copy of; 0 = not made yet
};

/// What went wrong where, for one log line.
struct Failure {
    std::string_view step{};
    std::string_view detail{};
    Status status = Status::Ok;
};

class Launcher final {
public:
    Launcher(Kernel& kernel,
             const sdk::romfs::Reader& files,
             const sdk::fdt::Tree& tree,
             std::span<Unit> units)
        : kernel_(kernel), files_(files), tree_(tree), units_(units), devices_(kernel) {}

    /// First step. False: `failure` says why; the unit has no life.
    [[nodiscard]] bool prepare(Unit& unit, Failure& failure);
    /// Second step, for a prepared unit.
    [[nodiscard]] bool furnish(Unit& unit, Failure& failure);
    /// Third step, for a furnished unit; its end will be reported with `badge`.
    [[nodiscard]] bool start(Unit& unit, u64 badge, Failure& failure);
    /// Takes apart what there is of the unit's life.
    void discard(Unit& unit);

    /// Lines about things that were left out, through this function; may be null.
    using Note = void (*)(std::string_view event, std::string_view task, std::string_view what);

    void set_note(Note function) { note_ = function; }

private:
    Result<ElfProgram> find_program(const Component& component, Failure& failure);
    Result<void> load_program(Unit& unit, const ElfProgram& program, Failure& failure);
    Result<void> load_bytes(u32 task, u64 address, std::span<const u8> content);
    Result<u64> load_stack(u32 task, Placement& placement, Failure& failure);
    Result<void> write_texts(const Component& component, Failure& failure);
    Result<void> connect_all(const Unit& unit);
    Result<void> give_heartbeat(Unit& unit, Failure& failure);
    Result<void> give_devices(const Unit& unit, Failure& failure);
    Result<void> give_files(const Unit& unit, Placement& placement, Failure& failure);
    Result<void> give_image_files(const Unit& unit, Placement& placement, Failure& failure);
    Result<void> furnish_steps(Unit& unit, Failure& failure);
    const Unit* find_unit(std::string_view task) const;
    void note(std::string_view event, std::string_view task, std::string_view what) const;

    Kernel& kernel_;
    const sdk::romfs::Reader& files_;
    const sdk::fdt::Tree& tree_;
    std::span<Unit> units_;
    DeviceRegistry devices_;
    u32 image_files_ = 0;  ///< memory object of all that may read them; 0 = not made yet
    StartBlockWriter writer_{};
    alignas(8) u8 block_[sdk::start::kMaxBytes]{};
    Note note_ = nullptr;
};

}  // namespace svc::init
