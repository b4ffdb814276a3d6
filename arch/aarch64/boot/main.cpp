// SPDX-License-Identifier: Apache-2.0
// First C++ of each CPU: from "the MMU is on" to kernel::start. The order matters: console, device
// tree, memory, then everything that needs memory. What makes the machine unusable is said on the
// console in one line, and the CPU stops.
#include <arch/aarch64/boot/board.hpp>
#include <arch/aarch64/cpu/console.hpp>
#include <arch/aarch64/cpu/cpus.hpp>
#include <arch/aarch64/cpu/entropy.hpp>
#include <arch/aarch64/gic/gic.hpp>
#include <arch/aarch64/mmu/kernel_map.hpp>
#include <arch/aarch64/psci/power.hpp>
#include <arch/aarch64/psci/psci.hpp>
#include <arch/aarch64/timer/timer.hpp>
#include <arch/system_register.hpp>
#include <kernel/base/bits.hpp>
#include <kernel/base/fdt.hpp>
#include <kernel/hal/board_tree.hpp>
#include <kernel/hal/boot_info.hpp>
#include <kernel/hal/entry.hpp>
#include <kernel/hal/machine.hpp>
#include <kernel/hal/payload.hpp>
#include <platform/board.hpp>

using arch::u32;
using arch::u64;
using base::u8;

extern "C" {
/// Size of image and payload, in the image header. imagec writes it after the link.
// NOLINTNEXTLINE(readability-identifier-naming): a label of start.S
extern const u64 image_size_field;

void early_life_sign(u64 level);
[[noreturn]] void boot_primary(u64 tree, u64 level, u64 ticks, u64 image);
[[noreturn]] void boot_secondary(u32 cpu);
}

namespace arch {

namespace {

using base::kPageSize;
using kernel::MemoryRange;

[[gnu::section(".sealed")]] constinit kernel::BoardTree board;
constinit kernel::BootInfo info;

[[noreturn]] void stop(const char* what, const char* detail = "") {
    console_print("boot: stop: ");
    console_print(what);
    console_print(detail);
    console_print("\n");
    while (true) {
        wait_for_event();
    }
}

void require(Result<void> result, const char* what) {
    if (!result.ok()) {
        stop(what);
    }
}

/// Bytes at a physical address, before the linear map.
std::span<const u8> view(PhysAddr base, Bytes size) {
    const Result<u64> window = kernel_map_view(base, size);
    if (!window.ok()) {
        stop("no window to look at the device tree");
    }
    return {reinterpret_cast<const u8*>(window.value()), size.value};
}

/// A blob that claims to be a device tree; empty when it does not.
std::span<const u8> view_tree(PhysAddr base, Bytes limit) {
    constexpr Bytes kHeader{base::fdt::kMinHeaderBytes};
    if (limit < kHeader) {
        return {};
    }
    const auto size = base::fdt::total_size(view(base, kHeader));
    if (!size.ok() || size.value() > limit) {
        return {};
    }
    return view(base, size.value());
}

/// Reads the tree the firmware handed over. x0 may hold anything: 0, an old boot tag address, or
/// a place that holds no tree.
bool read_firmware_tree(u64 address) {
    if (address == 0 || !base::is_aligned(address, 8) || address >= kLinearLimit) {
        return false;
    }
    const std::span<const u8> blob = view_tree(PhysAddr{address}, Bytes{base::fdt::kMaxTreeBytes});
    if (blob.empty()) {
        return false;
    }
    const char* const problem = kernel::read_board_tree(blob, own_mpidr(), board);
    if (problem != nullptr) {
        console_print("boot: firmware device tree not used: ");
        console_print(problem);
        console_print("\n");
        return false;
    }
    info.board_tree = PhysAddr{address};
    info.board_tree_size = Bytes{blob.size()};
    return true;
}

/// Finds the system description in the payload, and reads the board from it.
bool read_image_tree() {
    abi::image::PayloadHeader header;
    if (info.payload_limit.value < sizeof(header)) {
        return false;
    }
    __builtin_memcpy(&header, view(info.payload, Bytes{sizeof(header)}).data(), sizeof(header));
    const auto payload = kernel::read_payload(header, info.payload, info.payload_limit);
    const u32 kind = static_cast<u32>(abi::image::SectionKind::System);
    if (!payload.ok() || payload.value().sections[kind].size.value == 0) {
        return false;
    }
    const kernel::PayloadSection& system = payload.value().sections[kind];
    const char* const problem =
        kernel::read_board_tree(view_tree(system.base, system.size), own_mpidr(), board);
    if (problem != nullptr) {
        stop("device tree in the image: ", problem);
    }
    return true;
}

/// The payload follows the kernel; how far, only the image header knows.
void find_payload() {
    const u64 kernel_size = image_size().value;
    // The compiler must not take the value the field was linked with.
    const u64 total = *static_cast<const volatile u64*>(&image_size_field);
    info.payload = image_base() + image_size();
    info.payload_limit =
        Bytes{total > kernel_size && total < kLinearLimit ? total - kernel_size : 0};
}

/// Maps [start, end) of RAM but for what must not be mapped at all.
void map_ram(u64 start, u64 end) {
    while (start < end) {
        u64 stop_at = end;
        u64 next = end;
        for (u32 i = 0; i < board.reserved_count; i++) {
            const kernel::ReservedRange& reserved = board.reserved[i];
            const u64 from = reserved.range.base.value;
            const u64 to = from + reserved.range.size.value;
            if (reserved.mapped || to <= start || from >= stop_at) {
                continue;
            }
            stop_at = from > start ? from : start;
            next = to;
        }
        if (stop_at > start) {
            require(kernel_map_ram(PhysAddr{start}, Bytes{stop_at - start}),
                    "memory map too fragmented");
        }
        start = next;
    }
}

bool is_ram(PhysAddr base, Bytes size) {
    for (u32 i = 0; i < board.memory_count; i++) {
        const MemoryRange& range = board.memory[i];
        const u64 offset = base.value - range.base.value;
        if (base >= range.base && base::range_fits(offset, size.value, range.size.value)) {
            return base.value + size.value <= kLinearLimit;
        }
    }
    return false;
}

void start_memory() {
    for (u32 i = 0; i < board.memory_count; i++) {
        const u64 start = board.memory[i].base.value;
        const u64 end = start + board.memory[i].size.value;
        map_ram(start, end < kLinearLimit ? end : kLinearLimit);
    }
    if (!is_ram(image_base(), image_size() + info.payload_limit)) {
        stop("the image does not lie in the memory that the device tree describes");
    }
    if (!is_ram(info.board_tree, info.board_tree_size)) {
        info.board_tree_size = Bytes{0};
    }
    const MemoryRange taken[] = {
        {image_base(), image_size() + info.payload_limit},
        {info.board_tree, info.board_tree_size},
    };
    info.free_count =
        kernel::find_free_memory(board, taken, PhysAddr{kLinearLimit}, info.free_memory);
}

void start_devices(u64 entry_ticks) {
    psci_start(board.psci);
    u64 power = 0;
    if (platform::board.power_base != 0) {
        const Result<u64> window =
            kernel_map_device(PhysAddr{platform::board.power_base}, Bytes{kPageSize});
        power = window.ok() ? window.value() : 0;
    }
    power_start(power, board.semihosting);
    if (!timer_start()) {
        stop("the firmware did not set the timer frequency (CNTFRQ_EL0)");
    }
    stop_timer();
    entropy_start(board, entry_ticks);
    if (const char* problem = gic_start(board); problem != nullptr) {
        stop(problem);
    }
    if (!gic_start_cpu()) {
        stop("the interrupt controller has no part for the first CPU");
    }
}

}  // namespace

const kernel::BoardTree& this_board() { return board; }

base::Text boot_argument(base::Text name) {
    return name == "board" ? platform::board.name : base::value_of(board.arguments, name);
}

}  // namespace arch

// Runs with the MMU off, at the physical address: no tables of pointers here or below.
extern "C" void early_life_sign(u64 level) {
    const u64 console = platform::board.console_base;
    platform::console_start(console);
    const auto say = [console](const char* text) {
        for (; *text != '\0'; text++) {
            platform::console_put(console, *text);
        }
    };
    say("\r\nTessera EL");
    platform::console_put(console, static_cast<char>('0' + level));
    if (level > 2) {
        say(" unsupported: boot the flat image at EL2 or EL1");
    }
    say("\r\n");
}

extern "C" void boot_primary(u64 tree, u64 level, u64 ticks, u64 image) {
    using namespace arch;
    cpus_start_first();
    kernel_map_start(PhysAddr{image});
    const Result<u64> window = kernel_map_device(PhysAddr{platform::board.console_base},
                                                 PageCount{platform::board.console_pages}.bytes());
    if (window.ok()) {
        arch::console_start(window.value());
    }
    find_payload();
    const bool is_firmware_tree = read_firmware_tree(tree);
    if (!is_firmware_tree && !read_image_tree()) {
        stop("no device tree, neither from the firmware nor in the image");
    }
    console_print("boot: device-tree from=");
    console_print(is_firmware_tree ? "firmware\n" : "image\n");
    cpus_start();
    start_memory();
    start_devices(ticks);
    canary_start();
    protection_report(protect_cpu());
    const bool is_limited = board.cpu_limit != 0 && board.cpu_limit < board.cpu_count;
    info.cpu_count = is_limited ? board.cpu_limit : board.cpu_count;
    info.boot_entry_ticks = ticks;
    info.entry_level = static_cast<u32>(level);
    info.gic_version = board.gic_version;
    kernel::start(info);
}

extern "C" void boot_secondary(u32 cpu) {
    arch::protect_cpu();
    if (!arch::gic_start_cpu()) {
        arch::console_print("boot: a CPU has no part in the interrupt controller and stays off\n");
        while (true) {
            arch::wait_for_event();
        }
    }
    arch::stop_timer();
    kernel::run_cpu(base::CpuId{cpu});
}
