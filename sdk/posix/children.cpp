// SPDX-License-Identifier: Apache-2.0
// Who waits for a child looks at all that it may mean, and then waits for an event. Of several who
// wait one reads the notice and wakes the others, which then look for themselves. A wait is cut
// into short ones, since nobody can end one that is cancelled.
#include <musl_errno.h>
#include <runtime/time.hpp>
#include <sdk/posix/children.hpp>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/kernel.hpp>
#include <sdk/posix/lock.hpp>
#include <sdk/posix/record.hpp>
#include <sdk/posix/signals.hpp>

namespace sdk::posix {

namespace {

// As in musl's sys/wait.h and signal.h.
constexpr u64 kDoNotWait = 1;
constexpr u64 kExited = 4;
constexpr u64 kKeep = 0x0100'0000;

enum IdKind : u64 { kAnyProcess = 0, kProcess = 1, kGroup = 2 };

constexpr s32 kChildSignal = 17;
constexpr s32 kCodeExited = 1;
constexpr s32 kCodeKilled = 2;

enum Signal : s32 {
    kIllegal = 4,
    kTrap = 5,
    kBus = 7,
    kArithmetic = 8,
    kKill = 9,
    kSegment = 11,
    kTerminate = 15,
};

constexpr s32 kHighestSignal = 64;

constexpr u32 kBeingMade = 0xFFFF'FFFF;
constexpr u64 kPollMs = 50;
constexpr u32 kEverybody = 0x7FFF'FFFF;

struct Child {
    u32 pid;     // 0: the place is free
    u32 task;    // its handle
    s32 signal;  // by which this process ended it; 0: it did not
};

constinit Lock lock{};
constinit Child children[kMaxChildren]{};
constinit u32 notice = 0;      // 0: none yet
constinit u32 is_reading = 0;  // somebody waits for an event
constinit u32 events = 0;      // grows with each event; a word to wait for

/// How a child ended.
struct End {
    u32 pid;
    s32 signal;  // 0: by an exit
    s32 code;    // of the exit
};

/// Of a fault, by the class of its syndrome. [ARM] "ESR_EL1"
s32 signal_of(u32 syndrome) {
    constexpr u32 kClassShift = 26;
    constexpr u32 kAlignment = 0x21;
    constexpr u32 kCauseMask = 0x3F;
    switch (syndrome >> kClassShift) {
    case 0x20:
    case 0x21:
    case 0x24:
    case 0x25:
        return (syndrome & kCauseMask) == kAlignment ? kBus : kSegment;
    case 0x22:
    case 0x26:
        return kBus;
    case 0x2C:
        return kArithmetic;
    case 0x3C:
        return kTrap;
    default:
        return kIllegal;
    }
}

/// Whether a child has ended, and how.
bool has_ended(const Child& child, End& end) {
    const auto info = tasks().GetExitInfo(child.task);
    if (!info.ok() && info.status() == Status::NotReady) {
        return false;
    }

    enum Reason : u32 { kExit = 0, kTerminated = 1, kFault = 2 };

    end = {.pid = child.pid, .signal = kKill, .code = 0};
    if (!info.ok() || info.value().reason == kTerminated) {
        end.signal = child.signal != 0 ? child.signal : kKill;
    } else if (info.value().reason == kFault) {
        end.signal = signal_of(static_cast<u32>(info.value().code));
    } else if (const s32 code = info.value().code;
               code < kEndOfSignal && code >= kEndOfSignal - kHighestSignal) {
        end.signal = kEndOfSignal - code;
    } else {
        end.signal = 0;
        end.code = code;
    }
    return true;
}

void forget(Child& child) {
    if (child.task != 0) {
        (void)handles().Close(child.task);
    }
    child = {};
}

/// 1: a child that is meant has ended; 0: none has; -ECHILD: none is meant.
s64 look(s64 pid, bool keep, End& end) {
    const Holder holder{lock};
    s64 result = -ECHILD;
    for (Child& child : children) {
        if (child.pid == 0 || child.pid == kBeingMade || (pid > 0 && child.pid != pid)) {
            continue;
        }
        result = 0;
        if (has_ended(child, end)) {
            if (!keep) {
                forget(child);
            }
            return 1;
        }
    }
    return result;
}

/// Until an event comes that is not counted in `seen`, or for a short time.
void wait_for_event(u32 seen, const Call& call) {
    u32 nobody = 0;
    const u64 word = __builtin_bit_cast(u64, &events);
    if (!__atomic_compare_exchange_n(
            &is_reading, &nobody, 1U, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        (void)wait_for(word, seen, now_ticks() + ticks_of_ms(kPollMs), call.cancelled);
        return;
    }
    if (__atomic_load_n(&events, __ATOMIC_SEQ_CST) == seen) {
        (void)notices().GetEvent(notice, kPollMs, kl::core::Notice::MaxRecords);
    }
    __atomic_store_n(&is_reading, 0U, __ATOMIC_RELEASE);
    (void)__atomic_fetch_add(&events, 1U, __ATOMIC_SEQ_CST);
    (void)wake(word, kEverybody);
}

/// 0: one has ended; 1: none has, and nobody wants to wait.
s64 wait_for_child(s64 pid, u64 options, const Call& call, End& end) {
    while (true) {
        const u32 seen = __atomic_load_n(&events, __ATOMIC_SEQ_CST);
        if (const s64 found = look(pid, (options & kKeep) != 0, end); found != 0) {
            return found < 0 ? found : 0;
        }
        if ((options & kDoNotWait) != 0) {
            return 1;
        }
        if (call.cancelled != nullptr && *call.cancelled != 0) {
            return -EINTR;
        }
        wait_for_event(seen, call);
    }
}

}  // namespace

s64 reserve_child(u32& place) {
    const Holder holder{lock};
    if (notice == 0) {
        const auto made = notices().Create();
        if (!made.ok()) {
            return failure(made.status());
        }
        notice = made.value().notice.handle;
    }
    for (u32 i = 0; i < kMaxChildren; ++i) {
        if (children[i].pid == 0) {
            children[i].pid = kBeingMade;
            place = i;
            return 0;
        }
    }
    return -EAGAIN;
}

s64 watch_child(u32 place, u32 task) {
    const Holder holder{lock};
    children[place].task = task;
    return failure(
        notices().SubscribeToObject(notice, task, kl::core::Notice::TaskEnded, place).status());
}

void confirm_child(u32 place, u32 pid) {
    const Holder holder{lock};
    children[place].pid = pid;
}

void release_child(u32 place) {
    const Holder holder{lock};
    forget(children[place]);
}

s64 wait_process(const Call& call) {
    const auto pid = static_cast<s64>(static_cast<s32>(call.word[0]));
    End end{};
    // A group has one process, so this one's children are in none of its own.
    const s64 result = pid < -1 ? -ECHILD : wait_for_child(pid, call.word[2], call, end);
    if (result != 0) {
        return result < 0 ? result : 0;
    }
    if (call.word[1] != 0) {
        *pointer<s32>(call.word[1]) = end.signal != 0 ? end.signal : (end.code & 0xFF) << 8;
    }
    return end.pid;
}

s64 wait_id(const Call& call) {
    /// As musl lays out siginfo_t for children.
    struct Info {
        s32 signal;
        s32 error;
        s32 code;
        s32 reserved;
        s32 pid;
        u32 user;
        s32 status;
    };

    const u64 kind = call.word[0];
    if (kind > kGroup || (call.word[3] & kExited) == 0) {
        return -EINVAL;
    }
    if (kind == kGroup) {
        return -ECHILD;
    }
    End end{};
    const s64 pid = kind == kProcess ? static_cast<s32>(call.word[1]) : -1;
    const s64 result =
        kind == kProcess && pid <= 0 ? -EINVAL : wait_for_child(pid, call.word[3], call, end);
    if (result < 0) {
        return result;
    }
    if (call.word[2] != 0) {
        auto& info = *pointer<Info>(call.word[2]);
        info = {};
        if (result == 0) {
            info = {.signal = kChildSignal,
                    .error = 0,
                    .code = end.signal != 0 ? kCodeKilled : kCodeExited,
                    .reserved = 0,
                    .pid = static_cast<s32>(end.pid),
                    .user = 0,
                    .status = end.signal != 0 ? end.signal : end.code};
        }
    }
    return 0;
}

s64 signal_child(s64 pid, s32 signal) {
    const Holder holder{lock};
    for (Child& child : children) {
        if (pid <= 0 || child.pid != pid) {
            continue;
        }
        if (signal == 0) {
            return 0;
        }
        if (signal != kKill && signal != kTerminate) {
            return -ENOSYS;
        }
        child.signal = signal;
        return failure(tasks().Terminate(child.task).status());
    }
    return -ESRCH;
}

}  // namespace sdk::posix
