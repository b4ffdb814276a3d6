// SPDX-License-Identifier: Apache-2.0
// The worst TLB that the architecture allows: at every moment each CPU may walk the tables that it
// has loaded, and keeps all that it finds, by ASID and page, until the kernel drops it: pages, and
// where the tables below are, which only the drop of a whole space takes away. Nothing is ever
// evicted, and an entry outlives the table and the frame that it came from. QEMU cannot show this:
// there a write of TTBR0 with another ASID forgets everything.
//
// It reads tables of any format with three levels of 512 entries and frames in bits 47:12.
// [ARM] "Translation lookaside buffers"
#pragma once

#include <functional>
#include <kernel/base/types.hpp>
#include <kernel/hal/boot_info.hpp>
#include <kernel/hal/machine.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace mock {

class GhostTlb final {
public:
    /// `visible_bits`: of an entry of the last level that a CPU can translate by, one is set.
    explicit GhostTlb(base::u64 visible_bits) : visible_bits_(visible_bits) {}

    /// Each CPU walks what it has loaded.
    void fill();
    /// All CPUs forget a page, or a space, of an ASID.
    void drop_page(base::Asid asid, base::VirtAddr page);
    void drop_space(base::Asid asid);
    /// What a CPU could use that its tables do not say; empty: nothing.
    [[nodiscard]] std::string find_stale() const;

    /// Translations that were kept at some time, for tests that must have seen some.
    [[nodiscard]] base::u64 kept() const { return kept_; }

    /// Which drops never reach it (no page: of a space), for tests that show that they are needed.
    std::function<bool(base::Asid, std::optional<base::VirtAddr>)> loses;

private:
    /// What was read for an address; of a table its level is added to the first that it is for.
    using Entries = std::set<std::pair<base::u64, base::u64>>;

    /// The entries of a space that a CPU can translate by.
    [[nodiscard]] Entries walk(base::u64 root) const;

    base::u64 visible_bits_;
    base::u64 kept_ = 0;
    std::map<base::u16, Entries> entries_[kernel::kMaxCpus];  // by ASID
};

}  // namespace mock
