// SPDX-License-Identifier: Apache-2.0
// A child is made as services/init makes a component, by messages to the kernel alone: a task of
// the class that the table of programs.hpp names, the segments of its program, a stack, a start
// block with the texts that the caller gives, and copies of the connections that the parent has.
// Whether it may start is the policy's verdict at Resume. It does not share memory with its parent
// and pays for its own; a parent that ends leaves it running.
#include <cstring>
#include <kernel/abi/rights.hpp>
#include <musl_errno.h>
#include <new>
#include <runtime/elf.hpp>
#include <runtime/heartbeat.hpp>
#include <runtime/placement.hpp>
#include <runtime/start_block_writer.hpp>
#include <runtime/text.hpp>
#include <sdk/posix/children.hpp>
#include <sdk/posix/kernel.hpp>
#include <sdk/posix/programs.hpp>
#include <sdk/posix/spawn.hpp>

namespace sdk::posix {

namespace {

constexpr u64 kMemory = u64{16} << 20;  // what a child may use, everything included
constexpr u64 kStack = u64{256} << 10;
constexpr u64 kPidMask = (u64{1} << 31) - 1;
constexpr u32 kReadWrite = kl::core::VMM::Read | kl::core::VMM::Write;
constexpr u32 kPassedRights = abi::rights::kCall | abi::rights::kCopy | abi::rights::kTransfer;

constinit u32 made_so_far = 0;

/// Too large for a stack.
struct Desk {
    StartBlockWriter writer{};
    alignas(8) u8 block[start::kMaxBytes]{};
};

/// Memory of this process, until the end of the scope; null: there was none.
class Mapping final {
public:
    explicit Mapping(u64 size) : size_(base::align_up(size, base::kPageSize)) {
        const auto made = vmm().Allocate(0, size_, kReadWrite);
        at_ = made.ok() ? made.value().at : 0;
    }

    Mapping(u32 memory, u64 size) : size_(size) {
        const auto made = vmm().MdlMap(memory, 0, size, 0, kReadWrite);
        at_ = made.ok() ? made.value().at : 0;
    }

    ~Mapping() { free(); }

    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

    void free() {
        if (at_ != 0) {
            (void)vmm().Free(at_, size_);
        }
        at_ = 0;
    }

    [[nodiscard]] u64 at() const { return at_; }

private:
    u64 at_ = 0;
    u64 size_;
};

/// A handle of this process, closed at the end of the scope.
class Closing final {
public:
    explicit Closing(u32 handle) : handle_(handle) {}

    ~Closing() { (void)handles().Close(handle_); }

    Closing(const Closing&) = delete;
    Closing& operator=(const Closing&) = delete;

private:
    u32 handle_;
};

struct Part {
    u64 address;
    u64 size;
    u32 flags;
};

/// Memory of the task, filled by `fill(std::span<u8>)` before the task can see it.
template <typename Fill> Status load(u32 task, const Part& part, Fill fill) {
    const auto made = vmm().MdlCreate(part.size, 0);
    if (!made.ok()) {
        return made.status();
    }
    const u32 memory = made.value().mdl.handle;
    const Closing closing{memory};
    Mapping here{memory, part.size};
    if (here.at() == 0) {
        return Status::OutOfMemory;
    }
    fill(std::span{pointer<u8>(here.at()), part.size});
    here.free();  // nobody may write what somebody may execute
    return tasks().LoadSeg(task, memory, 0, part.address, part.size, part.flags).status();
}

u32 flags_of(const ElfSegment& segment) {
    return kl::core::VMM::Read | (segment.write ? kl::core::VMM::Write : 0) |
           (segment.execute ? kl::core::VMM::Execute : 0);
}

Status load_program(u32 task, const ElfProgram& program, u64 base) {
    for (u32 i = 0; i < program.segment_count; ++i) {
        const ElfSegment& segment = program.segments[i];
        const Status status =
            load(task,
                 {base + segment.address, segment.memory_size, flags_of(segment)},
                 [&](std::span<u8> memory) { fill_segment(program, i, base, memory); });
        if (status != Status::Ok) {
            return status;
        }
    }
    return Status::Ok;
}

/// Copies of the connections that may be copied. A child gives no signs of life in its parent's
/// name.
void connect(u32 task, StartBlockWriter& writer) {
    const StartBlock& own = own_start();
    for (u32 i = 0; i < own.connection_count(); ++i) {
        const std::string_view id = own.connection_id(i);
        const auto handle = own.connection(id);
        if (id == Heartbeat::kConnection || !handle.ok()) {
            continue;
        }
        const auto copied = handles().Copy(handle.value(), kPassedRights, task);
        const auto server = own.server_class(handle.value());
        if (copied.ok() && server.ok()) {
            writer.add_connection(id, copied.value().copy, server.value());
        }
    }
}

/// A name that no living process has: the program's, this process's number and a count.
std::string_view name_of(std::string_view path, Line<kl::core::Task::MaxName>& line) {
    const auto slash = path.rfind('/');
    std::string_view file = path;
    file.remove_prefix(slash == std::string_view::npos ? 0 : slash + 1);
    constexpr u64 kLongest = 24;
    const auto info = tasks().GetInfo();
    line.text(file.substr(0, kLongest))
        .text(".")
        .decimal(info.ok() ? info.value().sid : 0)
        .text(".")
        .decimal(__atomic_add_fetch(&made_so_far, 1U, __ATOMIC_RELAXED));
    return line.view();
}

/// What a child is made of.
struct Plan {
    const SpawnRequest& request;
    std::string_view path;
    std::string_view eclass;
    const ElfProgram& program;
};

s64 write_block(const Plan& plan, u32 task, std::string_view name, Desk& desk, u64 guard) {
    const SpawnRequest& request = plan.request;
    StartBlockWriter& writer = desk.writer;
    std::string_view called = plan.path;
    if (request.arguments != nullptr && request.arguments[0] != nullptr) {
        called = request.arguments[0];
        for (u64 i = 1; request.arguments[i] != nullptr; ++i) {
            writer.add_argument(request.arguments[i]);
        }
    }
    for (u64 i = 0; request.environment != nullptr && request.environment[i] != nullptr; ++i) {
        writer.add_environment(request.environment[i]);
    }
    connect(task, writer);
    const auto seed = hal().GetEntropy();
    if (!seed.ok()) {
        return failure(seed.status());
    }
    const auto& words = seed.value();
    const auto size = writer.finish({.task = name,
                                     .eclass = plan.eclass,
                                     .program = called,
                                     .kernel = kKernelHandle,
                                     .listener = 0,
                                     .seed = {words.a, words.b, words.c, words.d},
                                     .guard = guard},
                                    desk.block);
    return size.ok() ? s64{size.value()} : -E2BIG;
}

/// Everything of a task but its start.
s64 furnish(const Plan& plan, u32 task, std::string_view name) {
    const auto random = hal().GetEntropy();
    if (!random.ok()) {
        return failure(random.status());
    }
    Placement placement{random.value().a, random.value().b};
    if (const Status status = load_program(task, plan.program, placement.image());
        status != Status::Ok) {
        return failure(status);
    }
    const u64 stack = placement.take(kStack);
    if (const auto made = tasks().VmReserve(task, stack, kStack, kReadWrite); !made.ok()) {
        return failure(made.status());
    }
    const Mapping memory{sizeof(Desk)};
    if (memory.at() == 0) {
        return -ENOMEM;
    }
    auto& desk = *new (pointer<void>(memory.at())) Desk;
    const s64 size = write_block(plan, task, name, desk, random.value().c);
    if (size < 0) {
        return size;
    }
    const u64 bytes = base::align_up(static_cast<u64>(size), base::kPageSize);
    const u64 block = placement.take(bytes);
    const Status loaded = load(task, {block, bytes, kl::core::VMM::Read}, [&](std::span<u8> room) {
        std::memcpy(room.data(), desk.block, static_cast<u64>(size));
    });
    if (loaded != Status::Ok) {
        return failure(loaded);
    }
    return failure(
        tasks()
            .SetEntry(task, placement.image() + plan.program.entry, stack + kStack, block)
            .status());
}

/// Its number, once it runs.
s64 start_child(const Plan& plan, u32 task, std::string_view name, u32 place) {
    if (const s64 flaw = watch_child(place, task); flaw != 0) {
        return flaw;
    }
    if (const s64 flaw = furnish(plan, task, name); flaw != 0) {
        return flaw;
    }
    const auto sid = handles().GetSidByHandle(task);
    if (!sid.ok()) {
        return failure(sid.status());
    }
    if (const Status resumed = tasks().Resume(task).status(); resumed != Status::Ok) {
        return failure(resumed);
    }
    const auto pid = static_cast<u32>(sid.value().sid & kPidMask);
    confirm_child(place, pid);
    return pid;
}

s64 make_child(const Plan& plan) {
    u32 place = 0;
    if (const s64 flaw = reserve_child(place); flaw != 0) {
        return flaw;
    }
    Line<kl::core::Task::MaxName> line;
    const std::string_view name = name_of(plan.path, line);
    const auto priority = tasks().GetInitialThreadPriority(0);
    const auto made = tasks().Create(name,
                                     plan.eclass,
                                     plan.path.substr(0, kl::core::Task::MaxPath),
                                     kMemory,
                                     priority.ok() ? priority.value().priority : 0);
    if (!made.ok()) {
        release_child(place);
        return made.status() == Status::ResourceNotFound ? -EACCES : failure(made.status());
    }
    const u32 task = made.value().task.handle;
    const s64 result = start_child(plan, task, name, place);
    if (result < 0) {
        (void)tasks().Terminate(task);
        release_child(place);
    }
    return result;
}

}  // namespace

}  // namespace sdk::posix

base::s64 tessera_posix_spawn(const sdk::posix::SpawnRequest* request) {
    using namespace sdk::posix;
    if (request->path == nullptr) {
        return -EFAULT;
    }
    if (request->actions != nullptr) {
        return -ENOTSUP;
    }
    const std::string_view path = request->path;
    const auto file = find_program(path);
    if (!file.ok()) {
        return -ENOENT;
    }
    const auto eclass = find_class(path);
    if (!eclass.ok()) {
        return -EACCES;
    }
    const sdk::ElfVerdict verdict = sdk::parse_elf(file.value());
    if (verdict.flaw != sdk::ElfFlaw::None) {
        return -ENOEXEC;
    }
    return make_child(
        {.request = *request, .path = path, .eclass = eclass.value(), .program = verdict.program});
}
