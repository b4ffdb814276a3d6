// SPDX-License-Identifier: Apache-2.0
// Image header and the way of every CPU from the firmware to C++ at the kernel's address. All of it
// is position independent and fits the first page of the image, which alone is mapped one to one
// while the MMU goes on. Entry by the arm64 boot protocol: MMU and data cache off, EL2 or EL1, x0 =
// device tree or anything at all on the first CPU. Nothing is read from memory that another CPU
// may hold in its cache before the MMU is on. [ARM64BOOT] "Call the kernel image"
#include <arch/aarch64/macros.S>
#include <arch/percpu.h>

#define CURRENT_EL2 2
#define CURRENT_EL3 3

// SCTLR_EL1 with the MMU off: the bits that must be one where a feature is absent.
#define SCTLR_OFF 0x30d00800
// On: M C SA SA0 CP15BEN=0 ITD SED EOS I DZE UCT nTWE WXN TSCXT EIS nTLSMD LSMAOE. EL0 may read
// CTR and use DC ZVA and WFE; WFI and cache maintenance trap. SPAN (23) is added without PAN.
#define SCTLR_ON 0x305cd99d
#define SCTLR_SPAN 0x00800000
#define SCTLR_EPAN_BIT 57
#define SCTLR_BT (3 << 35)          // paciasp is no landing pad for br, at EL0 and EL1
#define SCTLR_ENIA_BIT 31           // of the pointer keys, A for instructions alone: EL0's

// Attribute 0 Device-nGnRE, 1 Normal write-back, 2 Normal non-cacheable: <arch/translation.hpp>.
#define MAIR 0x44ff04

// T0SZ = T1SZ = 25, write-back inner-shareable walks, 4 KiB both, IPS = 0.
#define TCR_BASE 0xb5193519
#define TCR_IPS_SHIFT 32
#define TCR_AS_BIT 36
#define TCR_E0PD1_BIT 56

#define HCR_HCD_BIT 29
#define HCR_RW_BIT 31
#define HCR_APK_API 0x0000030000000000
#define SPSR_EL1H_MASKED 0x3c5

// x10 = an ID register, x11 = four bits of it.
.macro FIELD register, lsb
        mrs     x10, \register
        ubfx    x11, x10, #\lsb, #4
.endm

        .arch_extension pan
        .section .boot.text, "ax"
        .global image_start
image_start:
        b       primary_entry
        .word   0
        .quad   0x80000                    // text_offset
        .global image_size_field
image_size_field:
        .quad   IMAGE_SIZE                 // grows when imagec appends the payload
        .quad   0xa                        // little-endian, 4 KiB pages, anywhere in memory
        .quad   0, 0, 0
        .ascii  "ARM\x64"
        .word   0

// From a physical address in the image to the kernel's; early_map writes it.
        .global kernel_delta
kernel_delta:
        .quad   0

// primary_entry - first CPU.
FUNC primary_entry
        msr     daifset, #0xf
        msr     spsel, #1
        mov     x19, x0                    // device tree
        mrs     x20, currentel
        ubfx    x20, x20, #2, #2
        mrs     x21, cntvct_el0            // start of the boot time
        cmp     x20, #CURRENT_EL2
        b.lo    1f
        mrs     x21, cntpct_el0            // the offset of the other is not cleared yet
1:
        adrp    x22, image_start           // where the image was loaded
        adrp    x23, cpu_stacks + STACK_GUARD_SIZE + STACK_SIZE
        mov     sp, x23
        mov     x29, #0
        mov     x30, #0
        mov     x0, x20
        bl      early_life_sign
        cmp     x20, #CURRENT_EL3          // not a state the boot protocol knows; it was reported
        b.hs    park
        bl      drop_to_el1
        mov     sp, x23
        mov     x0, x22
        mov     x1, x19
        bl      early_map
        bl      enable_mmu
        adr     x1, primary_high
        ldr     x9, kernel_delta
        add     x1, x1, x9
        br      x1
END primary_entry

// secondary_entry - every other CPU, from PSCI CPU_ON or from the spin table.
FUNC secondary_entry
        msr     daifset, #0xf
        msr     spsel, #1
        mrs     x20, currentel
        ubfx    x20, x20, #2, #2
        bl      drop_to_el1
        bl      enable_mmu
        adr     x1, secondary_high
        ldr     x9, kernel_delta
        add     x1, x1, x9
        br      x1
END secondary_entry

// drop_to_el1 - leaves EL2 with nothing trapped or offset that EL1 relies on.
//   Entry: EL2 or EL1 (x20), LR.   Exit: EL1, SP undefined.   Uses: x9, x10.
FUNC drop_to_el1
        cmp     x20, #CURRENT_EL2
        b.ne    2f
        ldr     x9, =SCTLR_OFF
        msr     sctlr_el1, x9
        ldr     x9, =((1 << HCR_RW_BIT) | (1 << HCR_HCD_BIT) | HCR_APK_API)
        msr     hcr_el2, x9
        isb                                // the registers below have their EL2 form now
        msr     hstr_el2, xzr
        msr     vttbr_el2, xzr
        mov     x9, #0x33ff                // CPTR_EL2: no FP trap, SVE stays trapped
        msr     cptr_el2, x9
        mov     x9, #3                     // EL1 may use both counters and timers
        msr     cnthctl_el2, x9
        msr     cntvoff_el2, xzr
        mrs     x9, midr_el1
        msr     vpidr_el2, x9
        mrs     x9, mpidr_el1
        msr     vmpidr_el2, x9
        FIELD   id_aa64dfr0_el1, 8         // give EL1 all event counters; EL0 gets none of them
        sub     x11, x11, #1
        cmp     x11, #14                   // 0: none, 15: not architected
        b.hs    1f
        mrs     x10, pmcr_el0
        ubfx    x10, x10, #11, #5
        msr     mdcr_el2, x10
1:      FIELD   id_aa64mmfr0_el1, 56       // fine-grained traps off
        cbz     x11, 1f
        msr     s3_4_c1_c1_4, xzr          // HFGRTR_EL2
        msr     s3_4_c1_c1_5, xzr          // HFGWTR_EL2
        msr     s3_4_c1_c1_6, xzr          // HFGITR_EL2
        msr     s3_4_c3_c1_4, xzr          // HDFGRTR_EL2
        msr     s3_4_c3_c1_5, xzr          // HDFGWTR_EL2
1:      FIELD   id_aa64mmfr1_el1, 40
        cbz     x11, 1f
        msr     s3_4_c1_c2_2, xzr          // HCRX_EL2
1:      FIELD   id_aa64pfr0_el1, 24        // GICv3: system registers for EL1
        cbz     x11, 1f
        mrs     x9, s3_4_c12_c9_5          // ICC_SRE_EL2
        orr     x9, x9, #1                 // SRE
        orr     x9, x9, #8                 // Enable
        msr     s3_4_c12_c9_5, x9
        isb
        mrs     x9, s3_4_c12_c9_5
        tbz     x9, #0, 1f                 // the GIC is used by memory access after all
        msr     s3_4_c12_c11_0, xzr        // ICH_HCR_EL2
1:      mov     x9, #SPSR_EL1H_MASKED
        msr     spsr_el2, x9
        msr     elr_el2, x30
        isb
        eret
        dsb     nsh
        isb
2:      ret
END drop_to_el1

// enable_mmu - system registers of EL1, then the MMU. The tables are ready and in memory.
//   Entry: EL1, MMU off, running in the first page of the image.   Exit: MMU on, same place.
//   Uses: x9-x13.
FUNC enable_mmu
        ldr     x9, =SCTLR_OFF
        msr     sctlr_el1, x9
        isb
        ldr     x9, =MAIR
        msr     mair_el1, x9
        ldr     x9, =TCR_BASE
        FIELD   id_aa64mmfr0_el1, 0        // physical address size; 48 bits is all 4 KiB gives
        mov     x12, #5
        cmp     x11, x12
        csel    x11, x11, x12, lo
        orr     x9, x9, x11, lsl #TCR_IPS_SHIFT
        ubfx    x11, x10, #4, #4           // 16-bit ASIDs
        cmp     x11, #2
        b.ne    1f
        orr     x9, x9, #(1 << TCR_AS_BIT)
1:      FIELD   s3_0_c0_c7_2, 60           // ID_AA64MMFR2: EL0 times nothing of the kernel
        cbz     x11, 1f
        orr     x9, x9, #(1 << TCR_E0PD1_BIT)
1:      msr     tcr_el1, x9
        adrp    x9, identity_tables
        msr     ttbr0_el1, x9
        adrp    x9, kernel_tables
        msr     ttbr1_el1, x9
        mov     x9, #(1 << 20)             // CPACR_EL1: FP trapped at EL0 only
        msr     cpacr_el1, x9
        mov     x9, #2                     // CNTKCTL_EL1: EL0 reads CNTVCT, nothing else
        msr     cntkctl_el1, x9
        mov     x9, #(1 << 12)             // MDSCR_EL1: no debug, EL0 has no debug channel
        msr     mdscr_el1, x9
        msr     contextidr_el1, xzr
        msr     tpidr_el0, xzr
        msr     tpidrro_el0, xzr
        FIELD   id_aa64dfr0_el1, 8
        sub     x11, x11, #1
        cmp     x11, #14
        b.hs    1f
        msr     pmuserenr_el0, xzr
1:      FIELD   id_aa64pfr0_el1, 44
        cbz     x11, 1f
        msr     s3_3_c13_c2_3, xzr         // AMUSERENR_EL0
1:      dsb     nsh
        tlbi    vmalle1
        ic      iallu
        dsb     nsh
        isb
        ldr     x9, =SCTLR_ON
        FIELD   id_aa64mmfr1_el1, 20       // PAN
        cbnz    x11, 1f
        orr     x9, x9, #SCTLR_SPAN
        b       2f
1:      msr     pan, #1
        cmp     x11, #3
        b.lo    2f
        orr     x9, x9, #(1 << SCTLR_EPAN_BIT)
2:      mrs     x10, id_aa64pfr1_el1
        tst     x10, #0xf                  // BTI
        b.eq    3f
        orr     x9, x9, #SCTLR_BT
3:      mrs     x10, id_aa64isar1_el1
        mrs     x11, s3_0_c0_c6_2          // ID_AA64ISAR2
        and     x10, x10, #0xff0           // APA, API
        and     x11, x11, #0xf000          // APA3
        orr     x10, x10, x11
        cbz     x10, 4f
        orr     x9, x9, #(1 << SCTLR_ENIA_BIT)
4:      msr     sctlr_el1, x9
        isb
        ret
END enable_mmu

// The rest runs at the kernel's address.

FUNC primary_high
        hint    #36                        // bti j
        bl      leave_identity
        adrp    x9, per_cpu_blocks
        add     x9, x9, :lo12:per_cpu_blocks
        msr     tpidr_el1, x9
        adrp    x10, cpu_stacks + STACK_GUARD_SIZE + STACK_SIZE
        mov     sp, x10
        mov     x0, x19
        mov     x1, x20
        mov     x2, x21
        mov     x3, x22
        mov     x29, #0
        mov     x30, #0
        b       boot_primary
END primary_high

// A secondary CPU finds its block by its own affinity; one that is not listed does not run.
FUNC secondary_high
        hint    #36                        // bti j
        bl      leave_identity
        mrs     x9, mpidr_el1
        ldr     x10, =0xff00ffffff
        and     x9, x9, x10
        adrp    x10, per_cpu_blocks
        add     x10, x10, :lo12:per_cpu_blocks
        mov     x11, #PERCPU_COUNT
1:      ldr     x12, [x10, #PERCPU_MPIDR]
        cmp     x12, x9
        b.eq    2f
        add     x10, x10, #PERCPU_SIZE
        subs    x11, x11, #1
        b.ne    1b
        b       park
2:      msr     tpidr_el1, x10
        ldr     x11, [x10, #PERCPU_STACK_TOP]
        mov     sp, x11
        ldr     w0, [x10, #PERCPU_INDEX]
        mov     x29, #0
        mov     x30, #0
        b       boot_secondary
END secondary_high

// leave_identity - nothing is mapped below any more, and exceptions have their vectors.
//   Uses: x9-x11.
FUNC leave_identity
        adrp    x9, empty_table
        adrp    x10, kernel_tables
        sub     x9, x9, x10
        mrs     x10, ttbr1_el1
        add     x9, x9, x10
        msr     ttbr0_el1, x9
        adrp    x9, vectors
        add     x9, x9, :lo12:vectors
        msr     vbar_el1, x9
        isb
        tlbi    vmalle1
        dsb     nsh
        isb
        ret
END leave_identity

// park - a CPU that must not run.
FUNC park
        wfe
        b       park
END park

        .ltorg
