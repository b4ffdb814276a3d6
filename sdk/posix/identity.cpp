// SPDX-License-Identifier: Apache-2.0
#include <musl_errno.h>
#include <musl_numbers.h>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/kernel.hpp>

namespace sdk::posix {

namespace {

constinit std::string_view process_name{};

constexpr u64 kFieldBytes = 65;
constexpr u64 kIdBits = 31;

/// As in musl's sys/utsname.h.
struct SystemName {
    char system[kFieldBytes];
    char node[kFieldBytes];
    char release[kFieldBytes];
    char version[kFieldBytes];
    char machine[kFieldBytes];
    char domain[kFieldBytes];
};

void fill(char (&field)[kFieldBytes], std::string_view text) {
    u64 at = 0;
    for (; at < text.size() && at + 1 < kFieldBytes; ++at) {
        field[at] = text[at];
    }
    for (; at < kFieldBytes; ++at) {
        field[at] = '\0';
    }
}

}  // namespace

void set_process_name(std::string_view name) { process_name = name; }

s64 process_id(const Call& call) {
    (void)call;
    const auto info = tasks().GetInfo();
    // A pid is a positive int; SIDs are not used again, and begin at small numbers.
    return info.ok() ? static_cast<s64>(info.value().sid & ((u64{1} << kIdBits) - 1))
                     : failure(info.status());
}

s64 parent_id(const Call& call) {
    (void)call;
    return 1;
}

s64 user_id(const Call& call) {
    (void)call;
    return 0;
}

s64 set_user_id(const Call& call) {
    // 1, 2 or 3 words, by the call; all ones: as it is.
    constexpr u32 kAsItIs = ~u32{0};
    const u64 words = call.number == __NR_setuid || call.number == __NR_setgid       ? 1
                      : call.number == __NR_setreuid || call.number == __NR_setregid ? 2
                                                                                     : 3;
    for (u64 i = 0; i < words; ++i) {
        const auto id = static_cast<u32>(call.word[i]);
        if (id != 0 && (id != kAsItIs || words == 1)) {
            return -EINVAL;
        }
    }
    return 0;
}

s64 further_groups(const Call& call) {
    (void)call;
    return 0;
}

s64 process_group(const Call& call) {
    const s64 own = process_id(call);
    const auto asked = static_cast<s32>(call.word[0]);
    return own < 0 || asked == 0 || asked == own ? own : -ESRCH;
}

s64 system_name(const Call& call) {
    auto& name = *pointer<SystemName>(call.word[0]);
    fill(name.system, "Tessera");
    fill(name.node, process_name);
    fill(name.release, TESSERA_VERSION);
    fill(name.version, "");
    fill(name.machine, "aarch64");
    fill(name.domain, "");
    return 0;
}

}  // namespace sdk::posix
