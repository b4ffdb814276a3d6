// SPDX-License-Identifier: Apache-2.0
#include <runtime/process.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/support/spawn.hpp>

extern "C" const base::u8 _start[];

namespace trial {

namespace {

/// What of an ELF file is needed to find the parts of the program that is running.
struct ElfHeader {
    u8 identity[16];
    u16 type;
    u16 machine;
    u32 version;
    u64 entry;
    u64 program_headers;
    u64 section_headers;
    u32 flags;
    u16 header_size;
    u16 program_header_size;
    u16 program_header_count;
};

struct ProgramHeader {
    u32 type;
    u32 flags;
    u64 offset;
    u64 address;
    u64 physical;
    u64 file_size;
    u64 memory_size;
    u64 alignment;
};

constexpr u32 kLoad = 1;
constexpr u32 kElfExecute = 1;
constexpr u32 kElfWrite = 2;

/// Far from where init places anything.
constexpr u64 kStackTop = u64{0x1F} << 32;

constexpr u64 round_up(u64 size) { return (size + kPage - 1) / kPage * kPage; }

/// Names are never used twice: a process that was ended may take a moment to go.
constinit u32 children_made = 0;

/// At the top of a child's stack: what it shall run.
struct Start {
    ChildMain main;
    u64 argument;
};

constinit Environment environment{};

/// First function of every child.
[[noreturn]] void start_child(u64 record, u64 environment_address, u64 environment_size) {
    const Start start = at<Start>(record);
    environment = {.address = environment_address, .size = environment_size};
    sdk::exit_process(start.main(start.argument));
}

}  // namespace

Environment own_environment() { return environment; }

Spawner::Spawner(const Context& context) {
    const auto file = context.start.file(context.start.task());
    if (!file.ok()) {
        sdk::panic("trial: a program that spawns needs its own file in components.dts");
    }
    const u64 elf = address_of(file.value().data());
    const auto& header = at<const ElfHeader>(elf);
    const u64 base = address_of(_start) - header.entry;
    for (u32 i = 0; i < header.program_header_count; ++i) {
        const auto& segment =
            at<const ProgramHeader>(elf + header.program_headers + i * sizeof(ProgramHeader));
        if (segment.type != kLoad || segment.memory_size == 0 || part_count_ == kMaxParts) {
            continue;
        }
        Part& part = parts_[part_count_++];
        part.address = base + segment.address;
        part.size = round_up(segment.memory_size);
        part.flags = (segment.flags & kElfExecute) != 0 ? kRunnable
                     : (segment.flags & kElfWrite) != 0 ? kWritable
                                                        : kReadable;
        if (part.flags != kWritable) {
            part.memory = make_copy(part);
        }
    }
    board_memory_ = vmm().MdlCreate(kBoardBytes, 0).value().mdl.handle;
    board_ = vmm().MdlMap(board_memory_, 0, kBoardBytes, 0, kWritable).value().at;
    if (board_ == 0) {
        sdk::panic("trial: no memory for the board");
    }
}

Spawner::~Spawner() {
    for (u32 i = 0; i < part_count_; ++i) {
        if (parts_[i].memory != 0) {
            (void)handles().Close(parts_[i].memory);
        }
    }
    (void)vmm().Free(board_, kBoardBytes);
    (void)handles().Close(board_memory_);
}

u32 Spawner::make_copy(const Part& part) {
    const u32 memory = vmm().MdlCreate(part.size, 0).value().mdl.handle;
    const u64 view = vmm().MdlMap(memory, 0, part.size, 0, kWritable).value().at;
    if (view == 0) {
        return 0;
    }
    __builtin_memcpy(&at<u8>(view), &at<const u8>(part.address), part.size);
    (void)vmm().Free(view, part.size);
    return memory;
}

bool Spawner::load(u32 task, const Part& part) {
    const u32 memory = part.memory != 0 ? part.memory : make_copy(part);
    const bool loaded = tasks().LoadSeg(task, memory, 0, part.address, part.size, part.flags).ok();
    if (part.memory == 0) {
        (void)handles().Close(memory);
    }
    return loaded;
}

Child Spawner::build(ChildMain main, u64 argument, const ChildOptions& options) {
    sdk::Line<40> name;
    if (options.name.empty()) {
        name.text("child-").decimal(++children_made);
    } else {
        name.text(options.name);
    }
    const auto create = [&] {
        return tasks().Create(name.view(), options.eclass, "", options.memory, options.priority);
    };
    auto created = create();
    constexpr u32 kTries = 1000;
    for (u32 i = 0; i < kTries && created.status() == Status::AlreadyExists; ++i) {
        sdk::sleep_ms(1);  // who had the name is being taken apart
        created = create();
    }
    if (!created.ok()) {
        return {};
    }
    Child child{.task = created.value().task.handle, .listener = 0};
    bool loaded = options.cpu_amount == 0 ||
                  tasks().SetCpuBudget(child.task, options.cpu_amount, options.cpu_period).ok();
    for (u32 i = 0; i < part_count_; ++i) {
        loaded = loaded && load(child.task, parts_[i]);
    }
    loaded = loaded &&
             tasks().LoadSeg(child.task, board_memory_, 0, board_, kBoardBytes, kWritable).ok();
    const u32 stack = vmm().MdlCreate(kStackBytes, 0).value().mdl.handle;
    const u64 view = vmm().MdlMap(stack, 0, kStackBytes, 0, kWritable).value().at;
    if (view != 0) {
        at<Start>(view + kStackBytes - sizeof(Start)) = {.main = main, .argument = argument};
        (void)vmm().Free(view, kStackBytes);
    }
    loaded =
        loaded && view != 0 &&
        tasks().LoadSeg(child.task, stack, 0, kStackTop - kStackBytes, kStackBytes, kWritable).ok();
    (void)handles().Close(stack);
    const u64 record = kStackTop - sizeof(Start);
    loaded =
        loaded &&
        tasks().SetEntry(child.task, __builtin_bit_cast(u64, &start_child), record, record).ok();
    if (options.serves) {
        const auto listener = handles().CreateListener(child.task);
        child.listener = listener.value().listener;
        loaded = loaded && listener.ok();
    }
    if (!loaded) {
        discard(child);
        return {};
    }
    return child;
}

Status Spawner::start(const Child& child) {
    return child.task == 0 ? Status::NotReady : tasks().Resume(child.task).status();
}

Child Spawner::spawn(ChildMain main, u64 argument, const ChildOptions& options) {
    const Child child = build(main, argument, options);
    if (start(child) != Status::Ok) {
        discard(child);
        return {};
    }
    return child;
}

Ending Spawner::wait(const Child& child, u64 limit_ms) {
    const u64 limit = sdk::now_ticks() + sdk::ticks_of_ms(limit_ms);
    for (u64 pause_ms = 1; child.task != 0; pause_ms += pause_ms < 5 ? 1 : 0) {
        const auto info = tasks().GetExitInfo(child.task);
        if (info.ok()) {
            return {.ended = true,
                    .reason = info.value().reason,
                    .code = info.value().code,
                    .address = info.value().address,
                    .pc = info.value().pc};
        }
        if (sdk::now_ticks() > limit) {
            break;
        }
        sdk::sleep_ms(pause_ms);
    }
    return {};
}

void Spawner::discard(const Child& child) {
    if (child.task != 0) {
        (void)tasks().Terminate(child.task);
        (void)handles().Close(child.task);
    }
}

Ending Spawner::run(ChildMain main, u64 argument, const ChildOptions& options) {
    const Child child = spawn(main, argument, options);
    const Ending ending = wait(child);
    discard(child);
    return ending;
}

u32 Spawner::connect(const Child& client, const Child& server) {
    return handles().Connect(client.task, server.task).value().channel;
}

u32 Spawner::give(const Child& child, u32 handle, u32 rights) {
    return handles().Copy(handle, rights, child.task).value().copy;
}

}  // namespace trial
