// SPDX-License-Identifier: Apache-2.0
// A QEMU plugin that counts guest instructions, in one of two modes.
//
// Regions, all CPUs together, split by the half of the address space the instructions come from
// ("low": bit 63 clear, EL0 once the kernel runs; "high": the kernel):
//
//   at=ADDRESS   prints the totals when the instruction at ADDRESS runs for the first time
//   hint #0x70+k starts region k, hint #0x78+k ends it and prints its counts (k = 0..7). These are
//                unallocated hints, so the same guest runs unchanged without the plugin.
//   from=ADDRESS measures the ways from the last execution of the instruction at ADDRESS to the
//                next low one; the end of a region prints how many there were in it and their sum.
//
// Stretches, for which the kernel keeps interrupts masked. One begins when a CPU enters the kernel
// from EL0, wakes from wfi or polls for interrupts; it ends when the CPU returns to EL0, sleeps, or
// polls the next time. Boot is none: until its first return to EL0 a CPU has nobody to keep
// waiting.
//
//   masked=FILE   this mode; FILE gets a line for each stretch that is longer than all before:
//                 MASKED count=N from=ADDRESS at=ADDRESS,ADDRESS,...
//                 where `at` are blocks that ran every 256 instructions, the first 40 of them
//   poll=ADDRESS  the function that polls
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

// --- stretches

enum { kCpus = 8, kSamples = 40, kSampleEvery = 256 };

// What a translated block does; made once a translation, never freed.
struct work {
    uint64_t address;
    uint32_t count;
    bool is_kernel;
    bool polls;
    bool leaves;  // by eret
    bool sleeps;
};

struct stretch {
    bool is_running;
    uint64_t from;
    uint64_t count;
    uint32_t samples;
    uint64_t at[kSamples];
};

static struct stretch stretches[kCpus];
static uint64_t longest;
static uint64_t poll_address;
static FILE* masked_out;

static void begin_stretch(struct stretch* stretch, uint64_t from) {
    stretch->is_running = true;
    stretch->from = from;
    stretch->count = 0;
    stretch->samples = 0;
}

static void end_stretch(struct stretch* stretch) {
    if (stretch->is_running && stretch->count > longest) {
        longest = stretch->count;
        fprintf(
            masked_out, "MASKED count=%" PRIu64 " from=%" PRIx64 " at=", longest, stretch->from);
        for (uint32_t i = 0; i < stretch->samples; ++i) {
            fprintf(masked_out, "%s%" PRIx64, i == 0 ? "" : ",", stretch->at[i]);
        }
        fputc('\n', masked_out);
        fflush(masked_out);
    }
    stretch->is_running = false;
}

static void on_masked_block(unsigned cpu, void* argument) {
    const struct work* const work = argument;
    static bool has_started[kCpus];
    if (cpu >= kCpus) {
        return;
    }
    struct stretch* const stretch = &stretches[cpu];
    if (!work->is_kernel) {
        stretch->is_running = false;
        return;
    }
    if (!has_started[cpu]) {
        has_started[cpu] = work->leaves;
        return;
    }
    if (work->polls) {
        end_stretch(stretch);
    }
    if (!stretch->is_running) {
        begin_stretch(stretch, work->address);
    }
    stretch->count += work->count;
    if (stretch->count / kSampleEvery >= stretch->samples && stretch->samples < kSamples) {
        stretch->at[stretch->samples++] = work->address;
    }
    if (work->leaves || work->sleeps) {
        end_stretch(stretch);
    }
}

static void on_masked_translation(plugin_id id, struct block* block) {
    const size_t count = qemu_plugin_tb_n_insns(block);
    struct work* const work = calloc(1, sizeof *work);
    (void)id;
    if (work == NULL) {
        abort();
    }
    work->address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(block, 0));
    work->count = (uint32_t)count;
    work->is_kernel = (work->address >> 63) != 0;
    work->polls = work->address == poll_address;
    uint32_t word = 0;
    qemu_plugin_insn_data(qemu_plugin_tb_get_insn(block, count - 1), &word, sizeof word);
    work->leaves = word == 0xd69f03e0U;
    work->sleeps = word == 0xd503207fU;
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_masked_block, 0, work);
}

int qemu_plugin_install(plugin_id id,
                        const plugin_info* info,
                        int argument_count,
                        char** arguments) {
    bool is_masked_mode = false;
    (void)info;
    for (int i = 0; i < argument_count; ++i) {
        if (strncmp(arguments[i], "at=", 3) == 0) {
            watched = strtoull(arguments[i] + 3, NULL, 0);
        } else if (strncmp(arguments[i], "from=", 5) == 0) {
            origin = strtoull(arguments[i] + 5, NULL, 0);
        } else if (strncmp(arguments[i], "masked=", 7) == 0) {
            is_masked_mode = true;
            masked_out = fopen(arguments[i] + 7, "w");
        } else if (strncmp(arguments[i], "poll=", 5) == 0) {
            poll_address = strtoull(arguments[i] + 5, NULL, 0);
        }
    }
    if (is_masked_mode) {
        if (masked_out == NULL || poll_address == 0) {
            fputs("insncount: masked=FILE wants a file it can write and poll=ADDRESS\n", stderr);
            return 1;
        }
        qemu_plugin_register_vcpu_tb_trans_cb(id, on_masked_translation);
        return 0;
    }
    low.board = qemu_plugin_scoreboard_new(2 * sizeof(uint64_t));
    low.offset = 0;
    high.board = low.board;
    high.offset = sizeof(uint64_t);
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
