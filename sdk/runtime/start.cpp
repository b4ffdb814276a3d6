// SPDX-License-Identifier: Apache-2.0
// From the first instruction to program_main. The start block's size stands in its header, which
// init wrote; the header's own page is mapped whole, so reading it is safe before the check.
#include <runtime/process.hpp>
#include <runtime/stack_guard.hpp>
#include <runtime/start_block.hpp>

namespace {

using Initialiser = void (*)();

extern "C" {
extern const Initialiser __init_array_start[];
extern const Initialiser __init_array_end[];
}

std::span<const base::u8> block_bytes(const void* block) {
    if (block == nullptr) {
        return {};
    }
    const auto& header = *static_cast<const sdk::start::Header*>(block);
    return {static_cast<const base::u8*>(block), header.total_size};
}

}  // namespace

extern "C" [[noreturn]] void sdk_start(const void* block) {
    if (block != nullptr) {
        sdk::set_stack_guard(static_cast<const sdk::start::Header*>(block)->guard);
    }
    for (const Initialiser* each = __init_array_start; each != __init_array_end; ++each) {
        (*each)();
    }
    const auto start = sdk::StartBlock::open(block_bytes(block));
    if (!start.ok()) {
        sdk::debug_write("runtime: no valid start block");
        sdk::exit_process(sdk::kExitNoStartBlock);
    }
    sdk::exit_process(sdk::program_main(start.value()));
}
