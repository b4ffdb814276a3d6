// SPDX-License-Identifier: Apache-2.0
// A QEMU plugin that counts guest instructions, all CPUs together, split by the half of the address
// space they come from ("low": bit 63 clear, EL0 once the kernel runs; "high": the kernel).
//
//   at=ADDRESS   prints the totals when the instruction at ADDRESS runs for the first time
//   hint #0x70+k starts region k, hint #0x78+k ends it and prints its counts (k = 0..7). These are
//                unallocated hints, so the same guest runs unchanged without the plugin.
//   from=ADDRESS measures the ways from the last execution of the instruction at ADDRESS to the
//   next
//                low one; the end of a region prints how many there were in it and their sum.
//
// QEMU's plugin header is in no distribution package, so the few functions used are declared here,
// for plugin interface version 4 (QEMU 9.2 to 10).
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct block;
struct instruction;
struct scoreboard;

typedef struct {
    struct scoreboard* board;
    size_t offset;
} counter;

typedef struct {
    const char* target_name;
} plugin_info;

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
                                           void (*callback)(plugin_id, struct block*));
size_t qemu_plugin_tb_n_insns(const struct block* block);
struct instruction* qemu_plugin_tb_get_insn(const struct block* block, size_t index);
size_t qemu_plugin_insn_data(const struct instruction* instruction, void* data, size_t size);
uint64_t qemu_plugin_insn_vaddr(const struct instruction* instruction);
void qemu_plugin_register_vcpu_tb_exec_cb(struct block* block,
                                          void (*callback)(unsigned, void*),
                                          int flags,
                                          void* argument);
void qemu_plugin_register_vcpu_insn_exec_cb(struct instruction* instruction,
                                            void (*callback)(unsigned, void*),
                                            int flags,
                                            void* argument);
void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(struct instruction* instruction,
                                                         int operation,
                                                         counter counter,
                                                         uint64_t value);
struct scoreboard* qemu_plugin_scoreboard_new(size_t size);
uint64_t qemu_plugin_u64_sum(counter counter);
void qemu_plugin_outs(const char* text);

#define EXPORT __attribute__((visibility("default")))
EXPORT extern const int qemu_plugin_version;
EXPORT const int qemu_plugin_version = 4;
EXPORT int
qemu_plugin_install(plugin_id id, const plugin_info* info, int argument_count, char** arguments);

enum { kRegions = 8 };

static counter low;
static counter high;
static uint64_t low_at_start[kRegions];
static uint64_t high_at_start[kRegions];
static uint64_t watched;
static bool watched_seen;
static uint64_t origin;
static uint64_t total_at_origin;
static bool on_the_way;
static uint64_t ways;
static uint64_t ways_sum;

static uint64_t total_now(void) { return qemu_plugin_u64_sum(low) + qemu_plugin_u64_sum(high); }

static void
print_counts(const char* what, uint64_t number, uint64_t low_count, uint64_t high_count) {
    char line[160];
    snprintf(line,
             sizeof line,
             "%s %" PRIx64 " low=%" PRIu64 " high=%" PRIu64 "\n",
             what,
             number,
             low_count,
             high_count);
    qemu_plugin_outs(line);
}

static void on_watched(unsigned cpu, void* argument) {
    (void)cpu;
    (void)argument;
    if (!watched_seen) {
        watched_seen = true;
        print_counts("INSNCOUNT at", watched, qemu_plugin_u64_sum(low), qemu_plugin_u64_sum(high));
    }
}

// The instruction at the origin is counted already and is part of the way.
static void on_origin(unsigned cpu, void* argument) {
    (void)cpu;
    (void)argument;
    total_at_origin = total_now() - 1;
    on_the_way = true;
}

static void on_low_block(unsigned cpu, void* argument) {
    (void)cpu;
    (void)argument;
    if (on_the_way) {
        on_the_way = false;
        ++ways;
        ways_sum += total_now() - total_at_origin;
    }
}

static void on_marker(unsigned cpu, void* argument) {
    const unsigned marker = (unsigned)(uintptr_t)argument;
    const unsigned region = marker % kRegions;
    const uint64_t low_now = qemu_plugin_u64_sum(low);
    const uint64_t high_now = qemu_plugin_u64_sum(high);
    (void)cpu;
    if (marker < kRegions) {
        low_at_start[region] = low_now;
        high_at_start[region] = high_now;
        ways = 0;
        ways_sum = 0;
    } else {
        print_counts("INSNCOUNT region",
                     region,
                     low_now - low_at_start[region],
                     high_now - high_at_start[region]);
        if (origin != 0) {
            char line[96];
            snprintf(line,
                     sizeof line,
                     "INSNCOUNT ways %x count=%" PRIu64 " sum=%" PRIu64 "\n",
                     region,
                     ways,
                     ways_sum);
            qemu_plugin_outs(line);
        }
    }
}

static void on_translation(plugin_id id, struct block* block) {
    const size_t count = qemu_plugin_tb_n_insns(block);
    (void)id;
    if (origin != 0 && (qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(block, 0)) >> 63) == 0) {
        qemu_plugin_register_vcpu_tb_exec_cb(block, on_low_block, 0, NULL);
    }
    for (size_t i = 0; i < count; ++i) {
        struct instruction* const instruction = qemu_plugin_tb_get_insn(block, i);
        const uint64_t address = qemu_plugin_insn_vaddr(instruction);
        uint32_t word = 0;
        qemu_plugin_insn_data(instruction, &word, sizeof word);
        qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
            instruction, 0, (address >> 63) != 0 ? high : low, 1);
        if (watched != 0 && address == watched) {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_watched, 0, NULL);
        }
        if (origin != 0 && address == origin) {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_origin, 0, NULL);
        }
        // HINT #imm7 with imm7 in 0x70..0x7f. [ARM] "HINT".
        if ((word & 0xfffff01fU) == 0xd503201fU && ((word >> 5) & 0x70U) == 0x70U) {
            qemu_plugin_register_vcpu_insn_exec_cb(
                instruction, on_marker, 0, (void*)(uintptr_t)((word >> 5) & 15U));
        }
    }
}

int qemu_plugin_install(plugin_id id,
                        const plugin_info* info,
                        int argument_count,
                        char** arguments) {
    (void)info;
    for (int i = 0; i < argument_count; ++i) {
        if (strncmp(arguments[i], "at=", 3) == 0) {
            watched = strtoull(arguments[i] + 3, NULL, 0);
        } else if (strncmp(arguments[i], "from=", 5) == 0) {
            origin = strtoull(arguments[i] + 5, NULL, 0);
        }
    }
    low.board = qemu_plugin_scoreboard_new(2 * sizeof(uint64_t));
    low.offset = 0;
    high.board = low.board;
    high.offset = sizeof(uint64_t);
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
