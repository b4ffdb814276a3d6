// SPDX-License-Identifier: Apache-2.0
// A policy that a test writes line by line, behind the same entry table as ksec.elf. Every event it
// is asked about is kept, so that a test can say what was judged, in which order, with what effect.
#pragma once

#include <functional>
#include <ksec/verdict.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kernel_test {

using base::u16;
using base::u32;
using base::u64;
using base::u8;

inline constexpr u16 kCoreClass = 0;
inline constexpr u16 kInitClass = 1;
inline constexpr u16 kClientClass = 2;
inline constexpr u16 kServerClass = 3;
inline constexpr u16 kOtherClass = 4;

/// One question that the kernel asked.
struct Asked {
    bool is_judge = false;  ///< else the pure check
    ksec::Effect effect = ksec::Effect::Dry;
    ksec::Query query{};  ///< its message pointers are stale: see `fixed`
    std::vector<u8> fixed;
    std::vector<u8> arena;
};

/// Shape of a message; long when it has handles or an arena or is large.
ksec::Shape make_shape(u32 fixed_size,
                       u32 arena_max = 0,
                       std::vector<u16> handle_offsets = {},
                       bool staged = false);

class Policy final {
public:
    Policy();
    ~Policy();
    Policy(const Policy&) = delete;
    Policy& operator=(const Policy&) = delete;

    /// Declares a method; without error parameters.
    void
    add_method(u16 class_id, u16 endpoint, u16 method, ksec::Shape request, ksec::Shape response);
    /// What a Recv of that class must have room for.
    void set_room(u16 class_id, u32 fixed_size, u32 arena_size, u32 handles);
    /// Grants a short tag pair of (source, destination) on the fast path, in the place of one whose
    /// method number has the same last three bits.
    void grant_fast(u16 src_class, u16 dst_class, u64 request_tag, u64 response_tag);
    /// Questions about this kind of event, in order.
    [[nodiscard]] std::vector<Asked> asked_about(ksec::Event event) const;

    /// Decide; Granted when not set. `check` sees unknown methods too only after the built-in rule
    /// that denies them.
    std::function<ksec::Verdict(const ksec::Query&)> on_check;
    std::function<ksec::Verdict(const ksec::Query&, ksec::Effect)> on_judge;

    std::vector<Asked> asked;
    ksec::Reason grant_reason{};  ///< of committed grants: Audited, Recorded, or nothing
    std::vector<u64> ended_sids;

    [[nodiscard]] const ksec::EntryTable* entry() const { return &entry_; }

private:
    friend struct Hooks;

    struct FastRow {
        static constexpr u32 kEntries = 8;

        ksec::Row header{63, (kEntries - 1) * sizeof(ksec::RowEntry)};
        ksec::RowEntry entries[kEntries];

        FastRow() {
            for (ksec::RowEntry& entry : entries) {
                entry = {~u64{0}, ~u64{0}};
            }
        }
    };

    ksec::EntryTable entry_{};
    std::map<std::string, u16> classes_;
    std::map<u16, ksec::ClassInfo> info_;
    std::map<std::tuple<u16, u16, u16>, ksec::MethodInfo> methods_;
    std::map<std::pair<u16, u16>, FastRow> rows_;
};

}  // namespace kernel_test
