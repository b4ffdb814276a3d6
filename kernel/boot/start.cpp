// SPDX-License-Identifier: Apache-2.0
// From a mapped machine to the first process, in order. Every step that the payload or the policy
// can make fail stops with one line that says which: without a policy EL0 does not start.
#include <arch/inline.hpp>
#include <kernel/boot/state.hpp>
#include <kernel/diag/log.hpp>
#include <kernel/entry/run.hpp>
#include <kernel/hal/entry.hpp>
#include <kernel/hal/payload.hpp>
#include <kernel/object/memory.hpp>
#include <type_traits>

namespace kernel {

namespace {

namespace image = abi::image;

constexpr u64 kInitStackBytes = u64{64} * 1024;
constexpr u64 kInitStackTop = 0x10'0000'0000;
constexpr u64 kRomfsAddress = 0x11'0000'0000;
constexpr u64 kSystemAddress = 0x12'0000'0000;
constexpr u32 kInitPriority = 200;

/// Somewhere in the GiB above `lowest`: where something of init stands, by its own random number.
u64 place_of(u64 lowest, u32 number) {
    return lowest + arch::boot_entropy(arch::kEntropyOfStart + number) % 0x4'0000 * base::kPageSize;
}

/// Cuts room for the state off the end of the largest range and builds the state there.
void place_state(MemoryRange* ranges, u32 count) {
    u32 largest = 0;
    for (u32 i = 0; i < count; ++i) {
        largest = ranges[largest].size < ranges[i].size ? i : largest;
    }
    const Bytes size = base::pages_for(Bytes{sizeof(State)}).bytes();
    KASSERT(size < ranges[largest].size);
    ranges[largest].size = ranges[largest].size - size;
    create_state(arch::linear<void>(ranges[largest].base + ranges[largest].size));
}

/// Ends the start with a word on the console, unless the condition holds.
void require(bool condition, const char* otherwise) {
    if (!condition) {
        log_line("boot: stop reason=", otherwise);
        arch::power_off(1);
    }
}

/// The value, likewise.
template <typename T> T require(const Result<T>& result, const char* otherwise) {
    require(result.ok(), otherwise);
    if constexpr (!std::is_void_v<T>) {
        return result.value();
    }
}

/// A frame with the bytes of one page of a segment: the payload's own where it is whole and not
/// written, a cleared copy otherwise.
PhysAddr page_of(const PayloadSection& section, const image::Segment& segment, u64 offset) {
    const PhysAddr frame = require(frames().take_zeroed(), "out-of-memory");
    if (offset < segment.file_size) {
        const u64 left = segment.file_size - offset;
        arch::copy_linear(frame,
                          section.base + Bytes{segment.offset + offset},
                          Bytes{left < base::kPageSize ? left : base::kPageSize});
    }
    return frame;
}

void load_ksec(const Payload& payload) {
    const PayloadSection section = payload.sections[static_cast<u32>(image::SectionKind::Ksec)];
    const image::SegmentImage& segments =
        *require(read_segments(section, image::kKsecBase, u64{1} << 30), "no-policy");
    for (u32 i = 0; i < segments.segment_count; ++i) {
        const image::Segment& segment = segments.segments[i];
        const arch::Access access = require(control::access_of(segment.flags), "policy-mapping");
        for (u64 offset = 0; offset < segment.memory_size; offset += base::kPageSize) {
            const PhysAddr frame = page_of(section, segment, offset);
            require(arch::map_kernel_page(VirtAddr{segment.address + offset}, frame, access),
                    "policy-mapping");
        }
    }
    const auto* entry = reinterpret_cast<const ksec::EntryTable*>(segments.entry);
    require(entry->magic == ksec::kEntryMagic && entry->version == ksec::kEntryVersion,
            "policy-version");
    entry->seed(arch::boot_entropy(arch::kEntropyOfStart));
    policy().entry = entry;
    policy().core_sid = objects().next_sid();
    endpoints().core.sid = policy().core_sid;
}

/// `execute` of the kernel itself, then of Einit by the kernel.
void judge_start(Sid init_sid) {
    Parties parties{ksec::Event::Execute, core_party(), core_party()};
    require(grant_message(parties, Message{}), "policy-denies-kernel");
    parties.dst = {policy().entry->init_class, init_sid};
    require(grant_message(parties, Message{}), "policy-denies-init");
}

void map_pages(Process& process, u64 address, PhysAddr from, u64 size) {
    for (u64 offset = 0; offset < size; offset += base::kPageSize) {
        const VirtAddr at{address + offset};
        require(process.table.map(at, from + Bytes{offset}, {.read = true}, process),
                "init-mapping");
    }
}

void load_segment(Process& process, const PayloadSection& section, const image::Segment& segment) {
    const arch::Access access = require(control::access_of(segment.flags), "init-segment");
    require(reserve_region(process,
                           {.address = segment.address,
                            .size = base::pages_for(Bytes{segment.memory_size}).bytes().value,
                            .writable = access.write,
                            .executable = access.execute}),
            "init-segment");
    for (u64 offset = 0; offset < segment.memory_size; offset += base::kPageSize) {
        const PhysAddr frame = page_of(section, segment, offset);
        if (access.execute) {
            arch::sync_code(frame);
        }
        require(process.charge(1), "init-segment");
        require(process.table.map(VirtAddr{segment.address + offset}, frame, access, process),
                "init-segment");
    }
}

void make_stack(Process& process, u64 top) {
    constexpr arch::Access kData{.read = true, .write = true};
    Region& stack = require(
        reserve_region(
            process, {.address = top - kInitStackBytes, .size = kInitStackBytes, .writable = true}),
        "init-stack");
    for (u32 done = 0; done < stack.pages.value;) {
        done = require(map_region_step(process, stack, done, kData), "init-stack");
    }
}

void start_init(const Payload& payload) {
    const auto& segments_at = payload.sections[static_cast<u32>(image::SectionKind::Init)];
    const auto& romfs = payload.sections[static_cast<u32>(image::SectionKind::Romfs)];
    const auto& system = payload.sections[static_cast<u32>(image::SectionKind::System)];
    const image::SegmentImage& segments =
        *require(read_segments(segments_at, image::kInitBase, u64{1} << 30), "no-init");
    const u16 init_class = policy().entry->init_class;
    Process& process =
        require(control::create_process("init", init_class, frames().free_frames(), kInitPriority),
                "init-process");
    process.references = 1;  // the kernel's own
    judge_start(process.sid);
    for (u32 i = 0; i < segments.segment_count; ++i) {
        load_segment(process, segments_at, segments.segments[i]);
    }
    const u64 stack = place_of(kInitStackTop, 1);
    const u64 romfs_at = place_of(kRomfsAddress, 2);
    const u64 system_at = place_of(kSystemAddress, 3);
    make_stack(process, stack);
    map_pages(process, romfs_at, romfs.base, romfs.size.value);
    map_pages(process, system_at, system.base, system.size.value);
    process.entry = segments.entry;
    process.stack = stack;
    require(control::start_process(process), "init-thread");
    Thread& first = *scheduler().threads.find(0);
    const u64 arguments[] = {
        process.handles.at(0).handle, romfs_at, romfs.size.value, system_at, system.size.value};
    for (u32 i = 0; i < 5; ++i) {
        first.frame.x[i] = arguments[i];
    }
}

}  // namespace

[[noreturn]] void start(const BootInfo& info) {
    BootInfo machine = info;
    place_state(machine.free_memory, machine.free_count);
    frames().initialize(machine.free_memory, machine.free_count);
    control::start_clock();
    log_line("boot: interrupts gic=", u64{info.gic_version});
    log_line("boot: memory free_mib=", frames().free_frames() >> 8);
    require(info.payload_limit.value >= sizeof(image::PayloadHeader), "bad-image");
    const auto& header = *arch::linear<const image::PayloadHeader>(info.payload);
    const Payload payload =
        require(read_payload(header, info.payload, info.payload_limit), "bad-image");
    load_ksec(payload);
    log_line("boot: policy hash=", policy().entry->policy_hash);
    start_init(payload);
    arch::seal_kernel();
    for (u32 i = 1; i < info.cpu_count && i < kMaxCpus; ++i) {
        if (!arch::start_cpu(CpuId{i})) {
            log_line("boot: cpu-refused cpu=", u64{i});
        }
    }
    log_line("boot: init-start cpus=", u64{info.cpu_count});
    run_forever();
}

[[noreturn]] void run_cpu(CpuId) { run_forever(); }

}  // namespace kernel
