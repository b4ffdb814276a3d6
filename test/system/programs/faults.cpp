// SPDX-License-Identifier: Apache-2.0
// Everything that a process can do to itself ends that process, with the right reason, and nothing
// else: one child for each sin. A misaligned stack pointer is not among them: QEMU does not check
// it.
#include <runtime/time.hpp>
#include <test/system/programs/support/spawn.hpp>

namespace trial {

namespace {

// Exception classes. [ARM] "ESR_EL1"
constexpr u32 kClassShift = 26;
constexpr s32 kUnknown = 0x00;
constexpr s32 kFetch = 0x20;
constexpr s32 kPcAlignment = 0x22;
constexpr s32 kData = 0x24;
constexpr s32 kBreakpoint = 0x3C;

constexpr u64 kKernelAddress = 0xFFFF'FFC0'0000'0000;
constexpr u64 kStackBottom = (u64{0x1F} << 32) - Spawner::kStackBytes;
constexpr u64 kLeapBytes = 64u << 10;
constexpr u64 kBelow = 8 * kLeapBytes;  // what a process has mapped below its stack and the guard
constexpr u64 kTrampled = 0x7AA3'0000'0000'0000;

void jump_to(u64 address) { __builtin_bit_cast(void (*)(), address)(); }

/// Recurses until the stack is used up.
[[gnu::noinline]] u64 recurse(u64 depth) {
    volatile u64 frame[64];
    frame[0] = depth;
    if (depth == ~u64{0}) {
        return 0;
    }
    return recurse(depth + 1) + frame[0];
}

/// Recurses by frames that are larger than the guard, of which only the far end is touched.
[[gnu::noinline]] u64 recurse_in_leaps(u64 depth) {
    volatile u64 frame[kLeapBytes / sizeof(u64)];
    frame[0] = kTrampled + depth;
    return depth == ~u64{0} ? 0 : recurse_in_leaps(depth + 1) + frame[0];
}

constinit u32 data_code[4] = {0xD65F'03C0, 0xD65F'03C0, 0xD65F'03C0, 0xD65F'03C0};  // ret
constinit const u64 constants[2] = {17, 18};

s32 read_null(u64) { return static_cast<s32>(at<volatile u32>(0)); }

s32 write_null(u64) {
    at<volatile u32>(8) = 1;
    return 0;
}

s32 read_kernel(u64) { return static_cast<s32>(at<volatile u32>(kKernelAddress)); }

s32 write_kernel(u64) {
    at<volatile u32>(kKernelAddress + 0x1000) = 1;
    return 0;
}

s32 read_linear_map(u64) { return static_cast<s32>(at<volatile u32>(0xFFFF'FF80'0000'0000)); }

s32 read_between_halves(u64) { return static_cast<s32>(at<volatile u32>(u64{1} << 48)); }

s32 jump_to_null(u64) {
    volatile u64 nowhere = 0;  // or clang puts a trap here
    jump_to(nowhere);
    return 0;
}

s32 jump_to_kernel(u64) {
    jump_to(kKernelAddress);
    return 0;
}

s32 run_data(u64) {
    jump_to(address_of(data_code));
    return 0;
}

s32 run_stack(u64) {
    volatile u32 code[2] = {0xD65F'03C0, 0xD65F'03C0};
    jump_to(address_of(code));
    return 0;
}

s32 run_allocated(u64) {
    const u64 page = allocate(kPage);
    at<volatile u32>(page) = 0xD65F'03C0;
    jump_to(page);
    return 0;
}

s32 write_text(u64) {
    at<volatile u32>(__builtin_bit_cast(u64, &read_null)) = 0;
    return 0;
}

s32 write_constant(u64) {
    at<volatile u64>(address_of(constants)) = 1;
    return 0;
}

s32 write_read_only(u64) {
    const u64 page = allocate(kPage);
    (void)vmm().Protect(page, kPage, kReadable);
    at<volatile u32>(page) = 1;
    return 0;
}

s32 use_freed(u64) {
    const u64 page = allocate(kPage);
    at<volatile u32>(page) = 1;
    (void)vmm().Free(page, kPage);
    at<volatile u32>(page) = 2;
    return 0;
}

s32 overflow_stack(u64) { return static_cast<s32>(recurse(0)); }

s32 jump_misaligned(u64) {
    jump_to(__builtin_bit_cast(u64, &read_null) + 2);
    return 0;
}

s32 undefined(u64) {
    asm volatile(".inst 0x00000000");
    return 0;
}

s32 breakpoint(u64) {
    asm volatile("brk #7");
    return 0;
}

s32 halt(u64) {
    asm volatile("hlt #7");
    return 0;
}

s32 hvc(u64) {
    asm volatile("hvc #0");
    return 0;
}

s32 smc(u64) {
    asm volatile(".inst 0xd4000003");  // smc #0
    return 0;
}

s32 eret(u64) {
    asm volatile("eret");
    return 0;
}

#define SYSTEM_READ(name, register)                                                                \
    s32 name(u64) {                                                                                \
        u64 value;                                                                                 \
        asm volatile("mrs %0, " register : "=r"(value));                                           \
        return static_cast<s32>(value);                                                            \
    }
#define SYSTEM_WRITE(name, register)                                                               \
    s32 name(u64) {                                                                                \
        asm volatile("msr " register ", %0" ::"r"(u64{0}));                                        \
        return 0;                                                                                  \
    }
SYSTEM_READ(read_sctlr, "sctlr_el1")
SYSTEM_READ(read_ttbr0, "ttbr0_el1")
SYSTEM_READ(read_vbar, "vbar_el1")
SYSTEM_READ(read_esr, "esr_el1")
SYSTEM_READ(read_current_el, "currentel")
SYSTEM_READ(read_counter_control, "pmcr_el0")
SYSTEM_READ(read_physical_counter_control, "cntp_ctl_el0")
SYSTEM_WRITE(write_sctlr, "sctlr_el1")
SYSTEM_WRITE(write_ttbr0, "ttbr0_el1")
SYSTEM_WRITE(write_vbar, "vbar_el1")
SYSTEM_WRITE(write_daif, "daif")
SYSTEM_WRITE(write_tpidr_el1, "tpidr_el1")
SYSTEM_WRITE(write_timer, "cntv_cval_el0")
SYSTEM_WRITE(write_spsr, "spsr_el1")
#undef SYSTEM_READ
#undef SYSTEM_WRITE

s32 tlb_flush(u64) {
    asm volatile("tlbi vmalle1");
    return 0;
}

s32 instruction_cache(u64) {
    asm volatile("ic iallu");
    return 0;
}

s32 mask_interrupts(u64) {
    asm volatile("msr daifset, #2");
    return 0;
}

constexpr s32 kAny = -1;

struct Sin {
    std::string_view name;
    ChildMain commit;
    s32 wanted;  // exception class, or kAny
};

constexpr Sin kSins[] = {
    {"read-null", read_null, kData},
    {"write-null", write_null, kData},
    {"read-kernel", read_kernel, kData},
    {"write-kernel", write_kernel, kData},
    {"read-linear-map", read_linear_map, kData},
    {"read-between-the-halves", read_between_halves, kData},
    {"jump-to-null", jump_to_null, kFetch},
    {"jump-to-kernel", jump_to_kernel, kFetch},
    {"run-data", run_data, kFetch},
    {"run-stack", run_stack, kFetch},
    {"run-allocated-memory", run_allocated, kFetch},
    {"write-text", write_text, kData},
    {"write-constant", write_constant, kData},
    {"write-read-only", write_read_only, kData},
    {"use-after-free", use_freed, kData},
    {"stack-overflow", overflow_stack, kData},
    {"jump-misaligned", jump_misaligned, kPcAlignment},
    {"undefined-instruction", undefined, kUnknown},
    {"breakpoint", breakpoint, kBreakpoint},
    {"halt", halt, kUnknown},
    {"hypervisor-call", hvc, kAny},
    {"monitor-call", smc, kAny},
    {"exception-return", eret, kAny},
    {"read-sctlr", read_sctlr, kAny},
    {"read-ttbr0", read_ttbr0, kAny},
    {"read-vbar", read_vbar, kAny},
    {"read-esr", read_esr, kAny},
    {"read-currentel", read_current_el, kAny},
    {"read-performance-counters", read_counter_control, kAny},
    {"read-physical-timer", read_physical_counter_control, kAny},
    {"write-sctlr", write_sctlr, kAny},
    {"write-ttbr0", write_ttbr0, kAny},
    {"write-vbar", write_vbar, kAny},
    {"write-daif", write_daif, kAny},
    {"write-tpidr-el1", write_tpidr_el1, kAny},
    {"write-virtual-timer", write_timer, kAny},
    {"write-spsr", write_spsr, kAny},
    {"flush-tlb", tlb_flush, kAny},
    {"instruction-cache", instruction_cache, kAny},
    {"mask-interrupts", mask_interrupts, kAny},
};

void sins(Report& report, Spawner& spawner) {
    const Holdings before = settled_holdings();
    for (const Sin& sin : kSins) {
        sdk::Line<60> name;
        name.text("faults.").text(sin.name);
        Test test{report, name.view()};
        const Ending ending = spawner.run(sin.commit, 0);
        test.require("ended", ending.ended);
        test.equal("by a fault", ending.reason, kFaulted);
        if (sin.wanted != kAny) {
            test.equal("exception class",
                       static_cast<s32>(static_cast<u32>(ending.code) >> kClassShift),
                       sin.wanted);
        }
    }
    Test test{report, "faults.leave-nothing-behind"};
    require_restored(test, before);
}

void guard_page(Report& report, Spawner& spawner) {
    Test test{report, "faults.stack-overflow-hits-the-guard"};
    const Ending ending = spawner.run(overflow_stack, 0);
    test.require("below the stack",
                 ending.address < kStackBottom && ending.address >= kStackBottom - kPage,
                 ending.address);
}

struct Leaps {
    volatile u32 are_over;
    volatile u32 is_ready;
};

bool map_below() { return vmm().Allocate(kStackBottom - kPage - kBelow, kBelow, kWritable).ok(); }

s32 overflow_in_leaps(u64 maps) {
    return maps != 0 && !map_below() ? 1 : static_cast<s32>(recurse_in_leaps(0));
}

/// Has memory at the same addresses, in which nothing may appear.
s32 stand_by(u64 board) {
    auto& leaps = at<Leaps>(board);
    if (!map_below()) {
        return 1;
    }
    leaps.is_ready = 1;
    while (leaps.are_over == 0) {
        (void)threads().Sleep(1'000'000);
    }
    for (u64 i = 0; i < kBelow; i += sizeof(u64)) {
        if (at<volatile u64>(kStackBottom - kPage - kBelow + i) != 0) {
            return 2;
        }
    }
    return 0;
}

/// A frame may reach across the guard, into what else its process has; never out of that.
void leaps_across_the_guard(Report& report, Spawner& spawner) {
    Test test{report, "faults.frames-larger-than-the-guard-stay-in-their-process"};
    auto& leaps = spawner.board<Leaps>();
    leaps.are_over = 0;
    leaps.is_ready = 0;
    const Child bystander = spawner.spawn(stand_by, spawner.board_address(), {.memory = 1u << 20});
    for (u32 i = 0; i < 1000 && leaps.is_ready == 0; ++i) {
        sdk::sleep_ms(1);
    }
    test.require("bystander", leaps.is_ready != 0);
    const Ending alone = spawner.run(overflow_in_leaps, 0);
    test.require("alone", alone.ended && alone.reason == kFaulted, alone.reason);
    test.require("at the first leap",
                 alone.address < kStackBottom && alone.address >= kStackBottom - 2 * kLeapBytes,
                 alone.address);
    const Ending beside = spawner.run(overflow_in_leaps, 1, {.memory = 1u << 20});
    test.require("beside", beside.ended && beside.reason == kFaulted, beside.reason);
    const bool is_below = beside.address < kStackBottom - kPage - kBelow;
    const bool is_in_guard =
        beside.address < kStackBottom && beside.address >= kStackBottom - kPage;  // by chance
    test.require("below all it has, or in the guard", is_below || is_in_guard, beside.address);
    leaps.are_over = 1;
    const Ending ending = Spawner::wait(bystander);
    test.require(
        "undisturbed", ending.reason == kExited && ending.code == 0, static_cast<u64>(ending.code));
    Spawner::discard(bystander);
}

void exact_report(Report& report, Spawner& spawner) {
    Test test{report, "faults.report-address-and-place"};
    const Ending ending = spawner.run(
        [](u64) -> s32 {
            at<volatile u32>(0x1234'5678) = 1;
            return 0;
        },
        0);
    test.equal("address", ending.address, 0x1234'5678);
    const u64 text = __builtin_bit_cast(u64, &read_null);
    test.require("pc in this program",
                 ending.pc > text - (1 << 20) && ending.pc < text + (1 << 20),
                 ending.pc);
}

/// Maps registers that nobody answers at, and reads them.
s32 touch_device(u64 handle) {
    const auto mapped = io().MapMem(static_cast<u32>(handle), 0);
    if (!mapped.ok()) {
        return 5;
    }
    const u32 value = at<volatile u32>(mapped.value().at);
    asm volatile("dsb sy" ::"r"(value));
    return 6;
}

void external_abort(Report& report, Spawner& spawner) {
    Test test{report, "faults.device-access-abort"};
    // A hole of virt; on the Raspberry Pi this is RAM, and a block that QEMU does not model serves.
    auto registered = io().RegisterMmio(0x0B00'0000, kPage);
    if (!registered.ok()) {
        registered = io().RegisterMmio(0xFD58'0000, kPage);
    }
    if (!test.equal("register", registered.status(), Status::Ok)) {
        return;
    }
    const u32 device = registered.value().resource.handle;
    // The handle's number in the child: the kernel channel is slot 0, this one slot 1.
    const Child child = spawner.build(touch_device, 0x1'0001);
    test.equal("handle", Spawner::give(child, device), 0x1'0001);
    (void)spawner.start(child);
    const Ending ending = Spawner::wait(child);
    test.require("ended by a fault",
                 ending.ended && ending.reason == kFaulted,
                 static_cast<u64>(ending.code));
    Spawner::discard(child);
    (void)handles().Close(device);
}

/// Faults with a register and a word of its stack that its parent knows.
s32 leave_marks(u64 mark) {
    asm volatile("mov x27, %0\n\tstr %0, [sp, #-16]!\n\tldr xzr, [%1]"
                 :
                 : "r"(mark), "r"(u64{0x1234'5678})
                 : "x27", "memory");
    return 0;
}

/// What a process that is kept has left: its registers, its stack, its regions.
void kept(Report& report, Spawner& spawner) {
    Test test{report, "faults.kept-to-be-looked-at"};
    constexpr u64 kMark = 0x7E55'E2A0'1357'9BDF;
    constexpr u32 kStackPointer = 31;
    constexpr u32 kPc = 32;
    const Holdings before = settled_holdings();
    const Child child = spawner.build(leave_marks, kMark);
    test.equal("keep", tasks().KeepAfterFault(child.task).status(), Status::Ok);
    test.equal("not yet", tasks().GetThreadContext(child.task, 0).status(), Status::NotReady);
    (void)spawner.start(child);
    test.equal("too late", tasks().KeepAfterFault(child.task).status(), Status::NotReady);
    const Ending ending = Spawner::wait(child);
    test.equal("faulted", ending.reason, kFaulted);
    u64 registers[kl::core::Task::NumRegisters]{};
    auto kernel = tasks();
    for (u32 i = 0; i < 1000 && registers[kPc] == 0; ++i) {
        const auto found = kernel.GetThreadContext(child.task, 0);
        if (found.ok()) {
            u32 count = 0;
            for (const u64 each : found.value().registers) {
                registers[count++] = each;
            }
        } else {
            sdk::sleep_ms(1);
        }
    }
    test.equal("register", registers[27], kMark);
    test.equal("pc", registers[kPc], ending.pc);
    const auto stack = kernel.ReadMemory(child.task, registers[kStackPointer], sizeof(u64));
    if (test.equal("stack", stack.status(), Status::Ok)) {
        u64 word = 0;
        __builtin_memcpy(&word, stack.value().data.data(), sizeof(word));
        test.equal("word", word, kMark);
    }
    test.equal("what it could not read",
               tasks().ReadMemory(child.task, ending.address, 8).status(),
               Status::SourceFault);
    const auto region = tasks().GetNextVmRegion(child.task, registers[kStackPointer]);
    test.require("region of its stack",
                 region.ok() && region.value().start <= registers[kStackPointer]);
    test.equal(
        "one thread", tasks().GetThreadContext(child.task, 1).status(), Status::ResourceNotFound);
    test.equal("let go", tasks().TerminateAfterFreezing(child.task).status(), Status::Ok);
    test.equal("again", tasks().TerminateAfterFreezing(child.task).status(), Status::NotReady);
    Spawner::discard(child);
    require_restored(test, before);
}

/// Nobody lets it go, but the last handle to it is closed.
void kept_and_forgotten(Report& report, Spawner& spawner) {
    Test test{report, "faults.kept-and-forgotten"};
    const Holdings before = settled_holdings();
    for (u32 i = 0; i < 8; ++i) {
        const Child child = spawner.build(leave_marks, i);
        (void)tasks().KeepAfterFault(child.task);
        (void)spawner.start(child);
        if (i % 2 == 0) {
            test.equal("faulted", Spawner::wait(child).reason, kFaulted);
        }
        (void)handles().Close(child.task);
    }
    require_restored(test, before);
}

void harmless(Report& report, Spawner& spawner) {
    Test test{report, "faults.harmless-instructions-are-none"};
    const Ending ending = spawner.run(
        [](u64) -> s32 {
            u64 value;
            asm volatile("mrs %0, cntvct_el0" : "=r"(value));
            asm volatile("mrs %0, cntfrq_el0" : "=r"(value));
            asm volatile("mrs %0, tpidr_el0" : "=r"(value));
            asm volatile("yield\n isb\n dsb sy\n nop\n sevl\n wfe");
            return 0;
        },
        0);
    test.require("lives",
                 ending.ended && ending.reason == kExited && ending.code == 0,
                 static_cast<u64>(ending.code));
}

}  // namespace

void run(Report& report, const Context& context) {
    Spawner spawner{context};
    sins(report, spawner);
    guard_page(report, spawner);
    leaps_across_the_guard(report, spawner);
    exact_report(report, spawner);
    external_abort(report, spawner);
    kept(report, spawner);
    kept_and_forgotten(report, spawner);
    harmless(report, spawner);
}

}  // namespace trial
