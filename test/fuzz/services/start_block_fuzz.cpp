// SPDX-License-Identifier: Apache-2.0
// Start blocks: whatever open() accepts must be readable to the last byte.
#include <cstring>
#include <runtime/start_block.hpp>
#include <vector>

namespace {

using base::u32;
using base::u64;
using base::u8;

/// Reads every byte of a text or a value.
template <typename Range> u32 sum(const Range& range) {
    u32 total = 0;
    for (const auto element : range) {
        total += static_cast<u8>(element);
    }
    return total;
}

u32 read_device(const sdk::StartBlock& block, u32 index) {
    const auto device = block.device(index);
    if (!device.ok()) {
        return 0;
    }
    u32 total = sum(device.value().path) + sum(device.value().compatible);
    total += device.value().is_compatible("arm,pl011") ? 1 : 0;
    for (const auto& window : device.value().registers) {
        total += window.handle;
    }
    for (const auto& interrupt : device.value().interrupts) {
        total += interrupt.line;
    }
    const auto speed = block.property(index, "current-speed");
    return total + (speed.ok() ? sum(speed.value()) : 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
    std::vector<u64> words((size + 7) / 8);
    if (size > 0) {
        std::memcpy(words.data(), data, size);
    }
    const void* const start = words.data();
    const auto opened = sdk::StartBlock::open({static_cast<const u8*>(start), size});
    if (!opened.ok()) {
        return 0;
    }
    const auto& block = opened.value();
    volatile u32 total = sum(block.task()) + sum(block.eclass()) + sum(block.program());
    for (u32 i = 0; i < block.argument_count() && i < 64; ++i) {
        total = total + sum(block.argument(i));
    }
    for (u32 i = 0; i < block.device_count() && i < 64; ++i) {
        total = total + read_device(block, i);
    }
    (void)block.environment("A");
    if (const auto handle = block.connection("console"); handle.ok()) {
        const auto server = block.server_class(handle.value());
        total = total + (server.ok() ? sum(server.value()) : 0);
    }
    (void)block.file("policy.names");
    return 0;
}
