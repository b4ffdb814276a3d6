// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <mock/ghost_tlb.hpp>
#include <mock/machine.hpp>
#include <sstream>

namespace mock {

namespace {

constexpr u64 kFrameMask = 0x0000'FFFF'FFFF'F000;
constexpr u32 kEntries = 512;

base::u16 asid_of(u64 root) { return static_cast<base::u16>(root >> 48); }

const u64* table_at(u64 entry) {
    return static_cast<const u64*>(
        machine().memory_at(PhysAddr{entry & kFrameMask}, base::kPageSize, base::kPageSize));
}

}  // namespace

GhostTlb::Entries GhostTlb::walk(u64 root) const {
    Entries found;
    const u64* const top = table_at(root);
    for (u64 i = 0; i < kEntries; ++i) {
        if (top[i] == 0) {
            continue;
        }
        found.emplace((i << 30) | 1, top[i]);
        const u64* const middle = table_at(top[i]);
        for (u64 j = 0; j < kEntries; ++j) {
            if (middle[j] == 0) {
                continue;
            }
            found.emplace((i << 30) | (j << 21) | 2, middle[j]);
            const u64* const last = table_at(middle[j]);
            for (u64 k = 0; k < kEntries; ++k) {
                if ((last[k] & visible_bits_) != 0) {
                    found.emplace((i << 30) | (j << 21) | (k << 12), last[k]);
                }
            }
        }
    }
    return found;
}

void GhostTlb::fill() {
    for (u32 cpu = 0; cpu < machine().cpu_count(); ++cpu) {
        const u64 root = machine().cpus[cpu].user_space;
        if (root == 0) {
            continue;
        }
        Entries& kept = entries_[cpu][asid_of(root)];
        const std::size_t before = kept.size();
        kept.merge(walk(root));
        kept_ += kept.size() - before;
    }
}

void GhostTlb::drop_page(Asid asid, VirtAddr page) {
    if (loses && loses(asid, page)) {
        return;
    }
    for (auto& spaces : entries_) {
        Entries& kept = spaces[asid.value];
        kept.erase(kept.lower_bound({page.value, 0}), kept.upper_bound({page.value, ~u64{0}}));
    }
}

void GhostTlb::drop_space(Asid asid) {
    if (loses && loses(asid, std::nullopt)) {
        return;
    }
    for (auto& spaces : entries_) {
        spaces.erase(asid.value);
    }
}

std::string GhostTlb::find_stale() const {
    for (u32 cpu = 0; cpu < machine().cpu_count(); ++cpu) {
        const u64 root = machine().cpus[cpu].user_space;
        const auto kept = entries_[cpu].find(asid_of(root));
        if (root == 0 || kept == entries_[cpu].end()) {
            continue;
        }
        const Entries valid = walk(root);
        for (const auto& [page, entry] : kept->second) {
            if (!valid.contains({page, entry})) {
                std::ostringstream text;
                text << "cpu " << cpu << " may use the stale entry " << std::hex << entry
                     << " for address " << page << " of asid " << asid_of(root);
                return text.str();
            }
        }
    }
    return {};
}

}  // namespace mock
