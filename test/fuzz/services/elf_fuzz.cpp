// SPDX-License-Identifier: Apache-2.0
// Programs as init gets them: whatever is accepted must load inside its segments.
#include <cstdlib>
#include <cstring>
#include <runtime/elf.hpp>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const base::u8* data, std::size_t size) {
    // A copy of the exact size, so that a step outside is seen.
    const std::vector<base::u8> file(data, data + size);
    const auto verdict = sdk::parse_elf(file);
    if (verdict.flaw != sdk::ElfFlaw::None) {
        return 0;
    }
    const auto& program = verdict.program;
    base::u64 end = 0;
    for (base::u32 i = 0; i < program.segment_count; ++i) {
        const auto& segment = program.segments[i];
        const bool sound = segment.address >= end && segment.address % 4096 == 0 &&
                           segment.memory_size % 4096 == 0 && !(segment.write && segment.execute);
        if (!sound) {
            std::abort();
        }
        end = segment.address + segment.memory_size;
        if (segment.memory_size > (1u << 20)) {
            continue;
        }
        std::vector<base::u8> memory(segment.memory_size);
        sdk::fill_segment(program, i, 0x20'0000'0000, memory);
    }
    if (end != program.size || end > sdk::kMaxProgramBytes) {
        std::abort();
    }
    return 0;
}
