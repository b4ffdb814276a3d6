// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <kernel/abi/rights.hpp>
#include <kernel/base/bits.hpp>
#include <runtime/heartbeat.hpp>
#include <runtime/ipc.hpp>
#include <services/init/image_files.hpp>
#include <services/init/launcher.hpp>

namespace svc::init {

namespace {

using sdk::kStackBytes;
using sdk::StartIdentity;
using sdk::fdt::Node;
using sdk::fdt::Property;

/// Closes a handle of init's own at the end of a scope.
class Closing final {
public:
    Closing(Kernel& kernel, u32 handle) : kernel_(kernel), handle_(handle) {}

    ~Closing() { kernel_.close(handle_); }

    Closing(const Closing&) = delete;
    Closing& operator=(const Closing&) = delete;

private:
    Kernel& kernel_;
    u32 handle_;
};

Access access_of(const ElfSegment& segment) {
    if (segment.execute) {
        return Access::ReadExecute;
    }
    return segment.write ? Access::ReadWrite : Access::Read;
}

/// A memory object of `size` bytes, filled by `fill(std::span<u8>)`. Nothing of it stays mapped
/// here.
template <typename Fill> Result<u32> make_object(Kernel& kernel, u64 size, Fill fill) {
    TRY_VALUE(const u32 memory, kernel.create_memory(size));
    const auto mapping = kernel.map(memory, size);
    if (!mapping.ok()) {
        kernel.close(memory);
        return mapping.status();
    }
    fill(mapping.value());
    kernel.unmap(mapping.value());
    return u32{memory};
}

/// A memory object of `size` bytes in `task` at `address`, filled by `fill(std::span<u8>)` before
/// the task can see it.
template <typename Fill>
Result<void> load_object(Kernel& kernel, const SegmentRequest& request, Fill fill) {
    TRY_VALUE(const u32 memory, make_object(kernel, request.size, fill));
    const Closing closing{kernel, memory};
    SegmentRequest loaded = request;
    loaded.memory = memory;
    return kernel.load_segment(loaded);
}

}  // namespace

bool Launcher::prepare(Unit& unit, Failure& failure) {
    const Component& component = unit.component;
    unit.life = {};
    const auto program = find_program(component, failure);
    if (!program.ok()) {
        failure.status = program.status();
        return false;
    }
    failure = {.step = "create-task"};
    const auto task = kernel_.create_task({.name = component.task,
                                           .eclass = component.eclass,
                                           .program = component.program,
                                           .memory = component.memory,
                                           .priority = component.priority});
    if (!task.ok()) {
        failure.status = task.status();
        return false;
    }
    unit.life.task = task.value();
    if (component.cpu_budget.amount != 0) {
        failure.step = "set-cpu-budget";
        const auto limited = kernel_.limit_cpu(unit.life.task, component.cpu_budget);
        if (!limited.ok()) {
            failure.status = limited.status();
            discard(unit);
            return false;
        }
    }
    if (component.dynamic_channels) {
        const auto sid = kernel_.get_sid(task.value());
        unit.life.sid = sid.ok() ? sid.value() : 0;  // unknown: nobody finds it by its SID
    }
    if (!component.serves) {
        return true;
    }
    failure.step = "create-listener";
    const auto listener = kernel_.create_listener(unit.life.task);
    if (!listener.ok()) {
        failure.status = listener.status();
        discard(unit);
        return false;
    }
    unit.life.listener = listener.value();
    return true;
}

bool Launcher::furnish(Unit& unit, Failure& failure) {
    const auto done = furnish_steps(unit, failure);
    if (!done.ok()) {
        failure.status = done.status();
        discard(unit);
    }
    return done.ok();
}

bool Launcher::start(Unit& unit, u64 badge, Failure& failure) {
    failure = {.step = "watch"};
    auto done = kernel_.watch(unit.life.task, badge);
    if (done.ok()) {
        failure.step = "resume";
        done = kernel_.resume(unit.life.task);
    }
    if (!done.ok()) {
        failure.status = done.status();
        discard(unit);
        return false;
    }
    unit.life.is_running = true;
    return true;
}

void Launcher::discard(Unit& unit) {
    if (unit.life.task != 0) {
        if (!unit.life.is_running) {
            (void)kernel_.terminate(unit.life.task);
        }
        kernel_.close(unit.life.task);
    }
    unit.life = {};
}

Result<ElfProgram> Launcher::find_program(const Component& component, Failure& failure) {
    failure = {.step = "find-program", .detail = component.program};
    TRY_VALUE(const sdk::romfs::File file, files_.find(component.program));
    const ElfVerdict verdict = sdk::parse_elf(file.content);
    if (verdict.flaw != ElfFlaw::None) {
        failure = {.step = "judge-program", .detail = describe(verdict.flaw)};
        return Status::InvalidArgument;
    }
    return verdict.program;
}

Result<void> Launcher::furnish_steps(Unit& unit, Failure& failure) {
    TRY_VALUE(const ElfProgram program, find_program(unit.component, failure));
    failure = {.step = "entropy"};
    TRY_VALUE(const Entropy place, kernel_.get_entropy());
    TRY_VALUE(const Entropy seed, kernel_.get_entropy());
    Placement placement{place.words[0], place.words[1]};
    unit.life.image = placement.image();
    TRY(load_program(unit, program, failure));
    TRY_VALUE(const u64 stack, load_stack(unit.life.task, placement, failure));

    writer_.clear();
    TRY(write_texts(unit.component, failure));
    TRY(connect_all(unit));
    TRY(give_heartbeat(unit, failure));
    TRY(give_devices(unit, failure));
    TRY(give_files(unit, placement, failure));
    TRY(give_image_files(unit, placement, failure));
    failure = {.step = "start-block", .detail = "more entries than a start block holds"};
    StartIdentity identity{.task = unit.component.task,
                           .eclass = unit.component.eclass,
                           .program = unit.component.program,
                           .kernel = sdk::kKernelHandle,
                           .listener = unit.life.listener,
                           .guard = place.words[2]};
    std::memcpy(identity.seed, seed.words, sizeof(identity.seed));
    TRY_VALUE(const u32 size, writer_.finish(identity, block_));
    failure = {.step = "load-start-block"};
    const u64 block = placement.take(base::align_up(size, base::kPageSize));
    TRY(load_bytes(unit.life.task, block, {block_, size}));
    failure = {.step = "set-entry"};
    return kernel_.set_entry({.task = unit.life.task,
                              .entry = unit.life.image + program.entry,
                              .stack = stack,
                              .argument = block});
}

Result<void> Launcher::load_program(Unit& unit, const ElfProgram& program, Failure& failure) {
    failure = {.step = "load-program", .detail = unit.component.program};
    for (u32 i = 0; i < program.segment_count; ++i) {
        const ElfSegment& segment = program.segments[i];
        const auto loaded = load_object(
            kernel_,
            {.task = unit.life.task,
             .address = unit.life.image + segment.address,
             .size = segment.memory_size,
             .access = access_of(segment)},
            [&](std::span<u8> memory) { fill_segment(program, i, unit.life.image, memory); });
        TRY(loaded);
    }
    return {};
}

Result<void> Launcher::load_bytes(u32 task, u64 address, std::span<const u8> content) {
    const u64 size = base::align_up(content.size() != 0 ? content.size() : 1, base::kPageSize);
    return load_object(kernel_,
                       {.task = task, .address = address, .size = size, .access = Access::Read},
                       [&](std::span<u8> memory) {
                           if (!content.empty()) {
                               std::memcpy(memory.data(), content.data(), content.size());
                           }
                       });
}

Result<u64> Launcher::load_stack(u32 task, Placement& placement, Failure& failure) {
    failure = {.step = "load-stack"};
    const u64 bottom = placement.take(kStackBytes);
    TRY(load_object(
        kernel_,
        {.task = task, .address = bottom, .size = kStackBytes, .access = Access::ReadWrite},
        [](std::span<u8>) {}));
    return bottom + kStackBytes;
}

Result<void> Launcher::write_texts(const Component& component, Failure& failure) {
    failure = {.step = "arguments", .detail = "malformed list of texts"};
    if (const auto list = component.node.property("args"); list.ok()) {
        for (const std::string_view text : TextList{list.value()}) {
            writer_.add_argument(text);
        }
    }
    if (const auto list = component.node.property("environment"); list.ok()) {
        for (const std::string_view text : TextList{list.value()}) {
            writer_.add_environment(text);
        }
    }
    return {};
}

/// A connection that cannot be made is left out and noted: the program finds out when it looks for
/// it, and may do without.
Result<void> Launcher::connect_all(const Unit& unit) {
    const auto list = unit.component.node.child("connections");
    if (!list.ok()) {
        return {};
    }
    for (const Node node : list.value().children()) {
        const auto entry = read_connection(node);
        if (!entry.ok()) {
            note("connection-skipped", unit.component.task, "malformed node");
            continue;
        }
        const Unit* const server = find_unit(entry.value().target);
        if (server == nullptr || server->life.task == 0) {
            note("connection-skipped", unit.component.task, entry.value().target);
            continue;
        }
        const auto channel = kernel_.connect(unit.life.task, server->life.task);
        if (!channel.ok()) {
            note("connection-refused", unit.component.task, entry.value().target);
            continue;
        }
        writer_.add_connection(entry.value().id, channel.value(), server->component.eclass);
    }
    return {};
}

/// Signs of life come with the number of the component, whichever life gives them: those of a life
/// that is over come no more.
Result<void> Launcher::give_heartbeat(Unit& unit, Failure& failure) {
    if (unit.component.heartbeat_ms == 0) {
        return {};
    }
    failure = {.step = "heartbeat"};
    if (unit.heartbeat == 0) {
        const auto number = static_cast<u64>(&unit - units_.data());
        TRY_VALUE(unit.heartbeat, kernel_.create_heartbeat(number));
    }
    TRY_VALUE(const u32 channel, kernel_.give(unit.heartbeat, abi::rights::kCall, unit.life.task));
    writer_.add_connection(sdk::Heartbeat::kConnection, channel, "Einit");
    return {};
}

Result<void> Launcher::give_devices(const Unit& unit, Failure& failure) {
    const auto list = unit.component.node.property("devices");
    if (!list.ok()) {
        return {};
    }
    for (const std::string_view path : TextList{list.value()}) {
        failure = {.step = "device"};
        TRY(devices_.hand_over(tree_, text_of(path), unit.life.task, writer_, failure.detail));
    }
    return {};
}

Result<void> Launcher::give_files(const Unit& unit, Placement& placement, Failure& failure) {
    const auto list = unit.component.node.property("files");
    if (!list.ok()) {
        return {};
    }
    for (const std::string_view name : TextList{list.value()}) {
        failure = {.step = "file", .detail = name};
        TRY_VALUE(const sdk::romfs::File file, files_.find(name));
        const u64 address =
            placement.take(base::align_up(file.content.size() + 1, base::kPageSize));
        TRY(load_bytes(unit.life.task, address, file.content));
        writer_.add_file(name, address, file.content.size());
    }
    return {};
}

/// One memory object, read-only, for all components and lives that may read them.
Result<void> Launcher::give_image_files(const Unit& unit, Placement& placement, Failure& failure) {
    if (!unit.component.node.has_property("image-files")) {
        return {};
    }
    failure = {.step = "image-files"};
    const u64 size = image_files_size(files_);
    if (image_files_ == 0) {
        TRY_VALUE(image_files_, make_object(kernel_, size, [&](std::span<u8> memory) {
                      write_image_files(files_, memory);
                  }));
    }
    const u64 address = placement.take(size);
    TRY(kernel_.load_segment({.task = unit.life.task,
                              .memory = image_files_,
                              .address = address,
                              .size = size,
                              .access = Access::Read}));
    writer_.add_file(sdk::start::kImageFiles, address, size);
    return {};
}

const Unit* Launcher::find_unit(std::string_view task) const {
    for (const Unit& unit : units_) {
        if (unit.component.task == task) {
            return &unit;
        }
    }
    return nullptr;
}

void Launcher::note(std::string_view event, std::string_view task, std::string_view what) const {
    if (note_ != nullptr) {
        note_(event, task, what);
    }
}

}  // namespace svc::init
