// SPDX-License-Identifier: Apache-2.0
// Waiting for descriptors. There is one event for all of them: whoever waits looks again at its own
// whenever any has changed, which is right for the few that a program has and no search is needed.
#include <musl_errno.h>
#include <sdk/posix/descriptors.hpp>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/record.hpp>
#include <sdk/posix/signals.hpp>

namespace sdk::posix {

namespace {

constexpr u32 kAlways = poll_flag::kError | poll_flag::kHangUp | poll_flag::kInvalid;
constexpr u64 kSetSize = 1024;  // FD_SETSIZE
constexpr u64 kWordBits = 64;
constexpr u64 kSetWords = kSetSize / kWordBits;

/// As musl lays it out (struct pollfd).
struct Asked {
    s32 descriptor;
    u16 events;
    u16 result;
};

/// What holds of a number; kInvalid: it is none.
u32 look_at(u64 descriptor) {
    const Held held{descriptor};
    if (!held) {
        return poll_flag::kInvalid;
    }
    const u32 found = held->kind().readiness(*held);
    return found | ((found & poll_flag::kIn) != 0 ? poll_flag::kReadNormal : 0) |
           ((found & poll_flag::kOut) != 0 ? poll_flag::kWriteNormal : 0);
}

/// The mask of signals for the time of the call; null: the thread's own. What it lets through ends
/// the wait, so it is set before the first look.
s64 use_mask(const u64* mask, u64 size) {
    if (mask == nullptr) {
        return 0;
    }
    if (size != sizeof(*mask)) {
        return -EINVAL;
    }
    use_mask_for_call(*mask);
    return 0;
}

/// Calls `look()` until it gives something else than 0, or the time is over.
template <typename Look> s64 wait_until(const Call& call, u64 time_word, const Look& look) {
    u64 deadline = 0;
    if (time_word != 0) {
        const auto& time = *pointer<const Timespec>(time_word);
        const s64 flaw = time.seconds < 0 ? -EINVAL : ticks_after(time, deadline);
        if (flaw != 0) {
            return flaw;
        }
        if (time.seconds == 0 && time.nanoseconds == 0) {
            return look();
        }
    }
    while (true) {
        const u32 seen = readiness_event().count();
        if (const s64 found = look(); found != 0) {
            return found;
        }
        const s64 result = readiness_event().wait(seen, deadline, call.cancelled);
        if (result == -ETIMEDOUT) {
            return look();
        }
        if (result != 0) {
            return result;
        }
    }
}

s64 look_at_all(Asked* asked, u64 count) {
    s64 ready = 0;
    for (u64 i = 0; i < count; ++i) {
        const u32 found =
            asked[i].descriptor < 0 ? 0 : look_at(static_cast<u64>(asked[i].descriptor));
        asked[i].result = static_cast<u16>(found & (asked[i].events | kAlways));
        ready += asked[i].result != 0 ? 1 : 0;
    }
    return ready;
}

/// The three sets of select, by what makes a number one of their members.
struct Sets {
    static constexpr u64 kCount = 3;
    static constexpr u32 kWanted[kCount]{poll_flag::kIn | poll_flag::kHangUp | poll_flag::kError,
                                         poll_flag::kOut | poll_flag::kError,
                                         poll_flag::kPriority};
    u64 word[kCount][kSetWords];
};

u64 bit_of(u64 number) { return u64{1} << (number % kWordBits); }

/// How many bits of `found` were set, or -EBADF.
s64 look_at_sets(const Sets& asked, u64 numbers, Sets& found) {
    found = {};
    s64 ready = 0;
    for (u64 number = 0; number < numbers; ++number) {
        const u64 at = number / kWordBits;
        const u64 bit = bit_of(number);
        if (((asked.word[0][at] | asked.word[1][at] | asked.word[2][at]) & bit) == 0) {
            continue;
        }
        const u32 flags = look_at(number);
        if ((flags & poll_flag::kInvalid) != 0) {
            return -EBADF;
        }
        for (u64 set = 0; set < Sets::kCount; ++set) {
            if ((asked.word[set][at] & bit) != 0 && (flags & Sets::kWanted[set]) != 0) {
                found.word[set][at] |= bit;
                ++ready;
            }
        }
    }
    return ready;
}

}  // namespace

s64 poll(const Call& call) {
    auto* const asked = pointer<Asked>(call.word[0]);
    const u64 count = call.word[1];
    if (count > kMaxDescriptors) {
        return -EINVAL;
    }
    if (const s64 flaw = use_mask(pointer<const u64>(call.word[3]), call.word[4]); flaw != 0) {
        return flaw;
    }
    return wait_until(call, call.word[2], [=] { return look_at_all(asked, count); });
}

s64 select(const Call& call) {
    const u64 numbers = call.word[0];
    if (numbers > kSetSize) {
        return -EINVAL;
    }

    // As musl passes it: the mask and its size, behind one more pointer.
    struct Mask {
        const u64* bits;
        u64 size;
    };

    if (const auto* mask = pointer<const Mask>(call.word[5]); mask != nullptr) {
        if (const s64 flaw = use_mask(mask->bits, mask->size); flaw != 0) {
            return flaw;
        }
    }
    const u64 words = (numbers + kWordBits - 1) / kWordBits;
    Sets asked{};
    Sets found{};
    for (u64 set = 0; set < Sets::kCount; ++set) {
        const auto* given = pointer<const u64>(call.word[1 + set]);
        for (u64 i = 0; given != nullptr && i < words; ++i) {
            asked.word[set][i] = given[i];
        }
    }
    const s64 result =
        wait_until(call, call.word[4], [&] { return look_at_sets(asked, numbers, found); });
    for (u64 set = 0; result >= 0 && set < Sets::kCount; ++set) {
        auto* given = pointer<u64>(call.word[1 + set]);
        for (u64 i = 0; given != nullptr && i < words; ++i) {
            given[i] = found.word[set][i];
        }
    }
    return result;
}

}  // namespace sdk::posix
