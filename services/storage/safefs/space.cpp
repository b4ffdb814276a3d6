// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <services/storage/safefs/space.hpp>

namespace svc::storage::safefs {

namespace {

constexpr u64 bit(u32 address) { return u64{1} << (address % 64); }

}  // namespace

void Space::begin(u32 blocks, std::span<u64> memory) {
    const u64 words = memory.size() / 3;
    taken_ = memory.first(words);
    released_ = memory.subspan(words, words);
    new_ = memory.subspan(2 * words);
    std::ranges::fill(memory, 0);
    blocks_ = blocks;
    free_ = blocks - 2;
    pending_ = 0;
    next_ = 1;
    taken_[0] |= 1;
    for (u64 beyond = blocks - 1; beyond < taken_.size() * 64; ++beyond) {
        taken_[beyond / 64] |= u64{1} << (beyond % 64);
    }
}

bool Space::claim(u32 address) {
    if (address >= blocks_ || is_taken(address)) {
        return false;
    }
    taken_[address / 64] |= bit(address);
    --free_;
    return true;
}

u32 Space::find_free(u32 from, u32 end) const {
    u32 at = from;
    while (at < end) {
        const u64 open = ~taken_[at / 64] >> (at % 64);
        if (open != 0) {
            return std::min(at + static_cast<u32>(std::countr_zero(open)), end);
        }
        at = (at / 64 + 1) * 64;
    }
    return end;
}

Run Space::take(u32 most) {
    if (free_ == 0) {
        return {};
    }
    u32 first = find_free(next_, blocks_);
    if (first == blocks_) {
        first = find_free(1, blocks_);
    }
    Run run{first, 0};
    while (run.count < most && first + run.count < blocks_ && !is_taken(first + run.count)) {
        taken_[(first + run.count) / 64] |= bit(first + run.count);
        new_[(first + run.count) / 64] |= bit(first + run.count);
        ++run.count;
    }
    free_ -= run.count;
    next_ = first + run.count;
    return run;
}

void Space::release(u32 address) {
    if (is_new(address)) {
        taken_[address / 64] &= ~bit(address);
        new_[address / 64] &= ~bit(address);
        ++free_;
        return;
    }
    released_[address / 64] |= bit(address);
    ++pending_;
}

void Space::close() { std::ranges::fill(new_, 0); }

void Space::commit() {
    close();
    for (u64 i = 0; i < taken_.size(); ++i) {
        taken_[i] &= ~released_[i];
        released_[i] = 0;
    }
    free_ += pending_;
    pending_ = 0;
}

}  // namespace svc::storage::safefs
