// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <arch/page_table.hpp>
#include <cstring>
#include <kernel/abi/image.hpp>
#include <kernel/base/assert.hpp>
#include <kernel/base/bits.hpp>
#include <sys/wait.h>
#include <unistd.h>

namespace mock {

namespace {

/// For the check below only.
struct AnyFrameSource {
    base::Result<PhysAddr> take_frame() { return base::Status::OutOfMemory; }

    void give_frame(PhysAddr) {}
};

static_assert(arch::PageTableLike<arch::PageTable, AnyFrameSource>);

constexpr u64 kFrameBytes = base::kPageSize;
constexpr u64 kFrames = kMemorySize.value / kFrameBytes;
constexpr u8 kPowerOnByte = 0xA5;

alignas(4096) u8 g_memory[kMemorySize.value];

}  // namespace

Machine& machine() {
    static Machine instance;
    return instance;
}

void stop(std::string reason) { throw Stop{std::move(reason)}; }

bool stops_in_child(void (*body)()) {
    constexpr int kStopped = 42;
    const pid_t child = fork();
    if (child == 0) {
        std::set_terminate([] { _exit(kStopped); });
        try {
            body();
        } catch (const Stop&) {
            _exit(kStopped);
        }
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == kStopped;
}

void Machine::reset(u32 cpu_count) {
    KASSERT(cpu_count >= 1 && cpu_count <= kernel::kMaxCpus);
    *this = Machine{};
    cpu_count_ = cpu_count;
    for (u32 i = 0; i < kernel::kMaxCpus; ++i) {
        cpus[i].per_cpu.index = i;
        cpus[i].started = i == 0;
    }
    device_ranges = {{PhysAddr{0x0900'0000}, Bytes{0x10'0000}}};
    unmapped_.assign(kFrames, false);
    std::memset(g_memory, kPowerOnByte, sizeof(g_memory));
}

void Machine::select(CpuId cpu) {
    KASSERT(cpu.value < cpu_count_);
    selected_ = cpu.value;
}

Ticks Machine::read_clock() {
    clock_ = Ticks{clock_.value + clock_step_.value};
    return clock_;
}

bool Machine::is_pending(CpuId cpu) const {
    const Cpu& each = cpus[cpu.value];
    if (each.kicked || (each.timer && *each.timer <= clock_)) {
        return true;
    }
    for (const auto& [number, line] : lines) {
        if (line.enabled && line.pending && !line.active && line.cpu == cpu) {
            return true;
        }
    }
    return false;
}

kernel::BootInfo Machine::boot_info(Bytes reserved) const {
    kernel::BootInfo info;
    info.free_memory[0] = {kMemoryBase + reserved, kMemorySize - reserved};
    info.free_count = 1;
    info.cpu_count = cpu_count_;
    info.boot_entry_ticks = 1;
    return info;
}

bool Machine::is_memory(PhysAddr at, u64 size) const {
    return at >= kMemoryBase && base::range_fits((at - kMemoryBase).value, size, kMemorySize.value);
}

void* Machine::memory_at(PhysAddr at, u64 size, u64 alignment) {
    if (!is_memory(at, size)) {
        stop("linear: no RAM at this address");
    }
    const u64 offset = (at - kMemoryBase).value;
    if (unmapped_[offset / kFrameBytes]) {
        stop("linear: the frame has left the linear map");
    }
    if (!base::is_aligned(at.value, alignment)) {
        stop("linear: misaligned");
    }
    return g_memory + offset;
}

PhysAddr Machine::physical_of(const void* pointer) const {
    const auto* byte = static_cast<const u8*>(pointer);
    if (std::less<>{}(byte, g_memory) || !std::less<>{}(byte, g_memory + sizeof(g_memory))) {
        stop("physical: not in the linear map");
    }
    return kMemoryBase + Bytes{static_cast<u64>(byte - g_memory)};
}

void Machine::leave_linear_map(PhysAddr frame) {
    unmapped_[(frame - kMemoryBase).value / kFrameBytes] = true;
}

u32 Machine::acquire(u32& word) {
    if (held_ != nullptr) {
        stop("lock: taken twice");
    }
    if (lock_holds == lock_limit) {
        throw Spinning{};
    }
    held_ = &word;
    ++lock_holds;
    return word++;
}

void Machine::load_user_space(u64 root) {
    current().user_space = root;
    if (tlb != nullptr) {
        tlb->fill();
    }
}

void Machine::require_unloaded(u64 root) const {
    for (const Cpu& cpu : cpus) {
        if (cpu.user_space == root) {
            stop("page tables: a CPU has them loaded");
        }
    }
}

void Machine::release(u32& word, u32 ticket) {
    if (tlb != nullptr) {
        tlb->fill();
    }
    if (held_ != &word || word != ticket + 1) {
        stop("lock: released by somebody else");
    }
    held_ = nullptr;
}

}  // namespace mock

namespace base {

// The kernel's own, which prints and powers off, takes its place where the kernel is linked.
[[gnu::weak]] void assert_failed(const char* condition, const char* file, u32 line) {
    mock::stop(std::string{"KASSERT("} + condition + ") " + file + ":" + std::to_string(line));
}

}  // namespace base

namespace arch {

using mock::machine;

u64 ticks_per_second() { return mock::kTicksPerSecond; }

void set_timer(Ticks when) {
    machine().current().timer = when;
    ++machine().current().timers_set;
}

void stop_timer() { machine().current().timer.reset(); }

u32 cpu_count() { return machine().cpu_count(); }

bool start_cpu(CpuId cpu) {
    if (cpu.value >= machine().cpu_count()) {
        mock::stop("start_cpu: no such CPU");
    }
    if (machine().cpus[cpu.value].started || !machine().start_cpu_succeeds) {
        return false;
    }
    machine().cpus[cpu.value].started = true;
    return true;
}

bool can_stop_cpus() { return machine().can_stop_cpus; }

void stop_cpu() {
    if (machine().is_locked()) {
        mock::stop("stop_cpu: under the kernel lock");
    }
    machine().current().started = false;
    machine().current().timer.reset();
    throw mock::Idle{};
}

void kick(CpuId cpu) {
    if (cpu.value >= machine().cpu_count()) {
        mock::stop("kick: no such CPU");
    }
    if (cpu != cpu_index()) {
        machine().cpus[cpu.value].kicked = true;
        ++machine().cpus[cpu.value].kicks;
    }
}

void wait_for_interrupt() {
    if (machine().is_locked()) {
        mock::stop("wait_for_interrupt: under the kernel lock");
    }
    ++machine().current().waits;
    if (!interrupt_pending()) {
        throw mock::Idle{};
    }
}

bool interrupt_pending() {
    machine().read_clock();  // time passes between two steps
    return machine().is_pending(cpu_index());
}

Pending irq_take() {
    mock::Cpu& cpu = machine().current();
    if (cpu.kicked) {
        cpu.kicked = false;
        return {.source = Source::Kick, .line = {}};
    }
    if (cpu.timer && *cpu.timer <= machine().read_clock()) {
        cpu.timer.reset();
        return {.source = Source::Timer, .line = {}};
    }
    for (auto& [number, line] : machine().lines) {
        if (line.enabled && line.pending && !line.active && line.cpu == cpu_index()) {
            line.pending = false;
            line.active = true;
            ++line.taken;
            return {.source = Source::Line, .line = IrqLine{number}};
        }
    }
    return {};
}

void irq_finish(IrqLine line) {
    mock::Line& state = machine().lines[line.value];
    if (!state.active) {
        mock::stop("irq_finish: the line is not active");
    }
    state.active = false;
    ++state.finished;
}

bool irq_is_assignable(IrqLine line) {
    return line.value >= machine().assignable_from && line.value < machine().assignable_to;
}

void irq_enable(IrqLine line, CpuId cpu, bool edge) {
    if (cpu.value >= machine().cpu_count() || !irq_is_assignable(line)) {
        mock::stop("irq_enable: no such line or CPU");
    }
    mock::Line& state = machine().lines[line.value];
    state.enabled = true;
    state.cpu = cpu;
    state.edge = edge;
}

void irq_disable(IrqLine line) { machine().lines[line.value].enabled = false; }

void zero_frame(PhysAddr frame) {
    if (frame.page_offset() != 0) {
        mock::stop("zero_frame: not a frame");
    }
    std::memset(machine().memory_at(frame, base::kPageSize, base::kPageSize), 0, base::kPageSize);
    ++machine().zeroed_frames;
}

void copy_linear(PhysAddr to, PhysAddr from, Bytes size) {
    if (!base::range_fits(to.page_offset(), size.value, base::kPageSize) ||
        !base::range_fits(from.page_offset(), size.value, base::kPageSize)) {
        mock::stop("copy_linear: beyond one frame");
    }
    if (to < from + size && from < to + size && size.value != 0) {
        mock::stop("copy_linear: the ranges overlap");
    }
    std::memcpy(machine().memory_at(to, size.value, 1),
                machine().memory_at(from, size.value, 1),
                size.value);
    machine().copied_bytes += size.value;
}

void copy_bytes(void* to, const void* from, u64 size) {
    std::memcpy(to, from, size);
    machine().copied_bytes += size;
}

void sync_code(PhysAddr frame) {
    if (frame.page_offset() != 0 || !machine().is_memory(frame, base::kPageSize)) {
        mock::stop("sync_code: not a frame");
    }
    machine().synced_frames.push_back(frame);
}

void flush_frame(PhysAddr frame) {
    if (frame.page_offset() != 0 || !machine().is_memory(frame, base::kPageSize)) {
        mock::stop("flush_frame: not a frame");
    }
    machine().flushed_frames.push_back(frame);
}

void tlb_drop_page(Asid asid, VirtAddr page, u32 count) {
    for (u32 i = 0; i < count; ++i) {
        const VirtAddr at = page + base::PageCount{i}.bytes();
        machine().tlb_drops.push_back({asid, at});
        if (machine().tlb != nullptr) {
            machine().tlb->drop_page(asid, at);
        }
    }
    if (machine().tlb != nullptr) {
        machine().tlb->fill();  // a CPU may walk the tables again at once
    }
}

void tlb_drop_space(Asid asid) {
    machine().tlb_drops.push_back({asid, std::nullopt});
    if (machine().tlb != nullptr) {
        machine().tlb->drop_space(asid);
        machine().tlb->fill();
    }
}

void leave_user_space() {
    ++machine().current().user_space_left;
    machine().current().user_space = 0;
}

bool is_device_range(PhysAddr base, Bytes size) {
    for (const auto& [start, length] : machine().device_ranges) {
        if (base >= start && base::range_fits((base - start).value, size.value, length.value)) {
            return true;
        }
    }
    return false;
}

Result<void> map_kernel_page(VirtAddr at, PhysAddr frame, Access access) {
    constexpr u64 kWindow = u64{1} << 30;
    if (at.value < abi::image::kKsecBase || at.value - abi::image::kKsecBase >= kWindow ||
        at.page_offset() != 0 || frame.page_offset() != 0 ||
        !machine().is_memory(frame, base::kPageSize) || (access.write && access.execute)) {
        return base::Status::InvalidArgument;
    }
    if (!machine().kernel_pages.emplace(at.value, mock::KernelPage{frame, access}).second) {
        return base::Status::AlreadyExists;
    }
    machine().leave_linear_map(frame);
    return {};
}

void seal_kernel() {}

u64 as_linked(u64 address) { return address; }

base::Text boot_argument(base::Text name) {
    const std::string& line = machine().boot_arguments;
    return name == "board" ? base::Text{"mock"} : base::value_of({line.data(), line.size()}, name);
}

void power_off(u32 code) { throw mock::PowerOff{.code = code, .reset = false}; }

void reset() { throw mock::PowerOff{.code = 0, .reset = true}; }

void console_write(const char* text, u64 length) { machine().console.append(text, length); }

u64 boot_entropy(u64 index) {
    // splitmix64: spreads a small seed over all bits.
    u64 value = machine().entropy_seed + (index + 1) * 0x9E37'79B9'7F4A'7C15;
    value = (value ^ (value >> 30)) * 0xBF58'476D'1CE4'E5B9;
    value = (value ^ (value >> 27)) * 0x94D0'49BB'1331'11EB;
    return value ^ (value >> 31);
}

}  // namespace arch

extern "C" [[noreturn]] void enter_thread(arch::Frame* frame) {
    throw mock::Entered{.frame = frame};
}
