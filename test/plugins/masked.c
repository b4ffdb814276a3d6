// SPDX-License-Identifier: Apache-2.0
// A QEMU plugin that measures how long the kernel keeps interrupts masked, in guest instructions. A
// stretch begins when a CPU enters the kernel from EL0, wakes from wfi or polls for interrupts; it
// ends when the CPU returns to EL0, sleeps, or polls the next time. Boot is none: until its first
// return to EL0 a CPU has nobody to keep waiting.
//
//   out=FILE      gets a line for each stretch that is longer than all before:
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

#define EXPORT __attribute__((visibility("default")))
EXPORT extern const int qemu_plugin_version;
EXPORT const int qemu_plugin_version = 4;
EXPORT int
qemu_plugin_install(plugin_id id, const plugin_info* info, int argument_count, char** arguments);

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
static FILE* out;

static void begin(struct stretch* stretch, uint64_t from) {
    stretch->is_running = true;
    stretch->from = from;
    stretch->count = 0;
    stretch->samples = 0;
}

static void end(struct stretch* stretch) {
    if (stretch->is_running && stretch->count > longest) {
        longest = stretch->count;
        fprintf(out, "MASKED count=%" PRIu64 " from=%" PRIx64 " at=", longest, stretch->from);
        for (uint32_t i = 0; i < stretch->samples; ++i) {
            fprintf(out, "%s%" PRIx64, i == 0 ? "" : ",", stretch->at[i]);
        }
        fputc('\n', out);
        fflush(out);
    }
    stretch->is_running = false;
}

static void on_block(unsigned cpu, void* argument) {
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
        end(stretch);
    }
    if (!stretch->is_running) {
        begin(stretch, work->address);
    }
    stretch->count += work->count;
    if (stretch->count / kSampleEvery >= stretch->samples && stretch->samples < kSamples) {
        stretch->at[stretch->samples++] = work->address;
    }
    if (work->leaves || work->sleeps) {
        end(stretch);
    }
}

static void on_translation(plugin_id id, struct block* block) {
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
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_block, 0, work);
}

int qemu_plugin_install(plugin_id id,
                        const plugin_info* info,
                        int argument_count,
                        char** arguments) {
    (void)info;
    for (int i = 0; i < argument_count; ++i) {
        if (strncmp(arguments[i], "out=", 4) == 0) {
            out = fopen(arguments[i] + 4, "w");
        } else if (strncmp(arguments[i], "poll=", 5) == 0) {
            poll_address = strtoull(arguments[i] + 5, NULL, 0);
        }
    }
    if (out == NULL || poll_address == 0) {
        fputs("masked: needs out=FILE and poll=ADDRESS\n", stderr);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
