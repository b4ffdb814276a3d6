// SPDX-License-Identifier: Apache-2.0
// Priorities are the kernel's, 1 to 255 with more being stronger, for SCHED_FIFO and SCHED_RR.
// SCHED_OTHER has no priority of its own: it is the one that the process was given.
#include <musl_errno.h>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/kernel.hpp>
#include <sdk/posix/record.hpp>

namespace sdk::posix {

namespace {

// As in musl's sched.h.
enum Policy : u64 { kOther = 0, kFifo = 1, kRoundRobin = 2 };

constexpr u32 kSlice = 10'000;  // microseconds, where the program names none
constexpr s32 kHighest = 255;
constexpr u64 kBitsInWord = 64;
constexpr u64 kBitsInByte = 8;

struct Parameters {
    s32 priority;
};

s64 apply(u64 id, u64 policy, s32 priority) {
    const Record* record = find_record(id);
    if (record == nullptr) {
        return -ESRCH;
    }
    if (policy > kRoundRobin || priority < (policy == kOther ? 0 : 1) ||
        priority > (policy == kOther ? 0 : kHighest)) {
        return -EINVAL;
    }
    const auto given = tasks().GetInitialThreadPriority(0);
    if (!given.ok()) {
        return failure(given.status());
    }
    const u32 wanted = policy == kOther ? given.value().priority : static_cast<u32>(priority);
    if (wanted > given.value().priority) {
        return -EPERM;
    }
    const u32 kind = policy == kFifo         ? kl::core::Thread::Fifo
                     : policy == kRoundRobin ? kl::core::Thread::RoundRobin
                                             : kl::core::Thread::Standard;
    return failure(
        threads()
            .SetSchedPolicy(handle_of(*record), kind, wanted, policy == kRoundRobin ? kSlice : 0)
            .status());
}

/// Policy and priority of a thread, as POSIX has them.
s64 look(u64 id, u64& policy, s32& priority) {
    const Record* record = find_record(id);
    if (record == nullptr) {
        return -ESRCH;
    }
    const auto found = threads().GetSchedPolicy(handle_of(*record));
    if (!found.ok()) {
        return failure(found.status());
    }
    policy = found.value().kind == kl::core::Thread::Fifo         ? kFifo
             : found.value().kind == kl::core::Thread::RoundRobin ? kRoundRobin
                                                                  : kOther;
    priority = policy == kOther ? 0 : static_cast<s32>(found.value().priority);
    return 0;
}

}  // namespace

s64 yield(const Call& call) {
    (void)call;
    return failure(threads().Sleep(0).status());
}

s64 set_scheduler(const Call& call) {
    return apply(call.word[0], call.word[1], pointer<const Parameters>(call.word[2])->priority);
}

s64 get_scheduler(const Call& call) {
    u64 policy = 0;
    s32 priority = 0;
    const s64 result = look(call.word[0], policy, priority);
    return result != 0 ? result : static_cast<s64>(policy);
}

s64 set_parameters(const Call& call) {
    u64 policy = 0;
    s32 priority = 0;
    if (const s64 result = look(call.word[0], policy, priority); result != 0) {
        return result;
    }
    return apply(call.word[0], policy, pointer<const Parameters>(call.word[1])->priority);
}

s64 get_parameters(const Call& call) {
    u64 policy = 0;
    return look(call.word[0], policy, pointer<Parameters>(call.word[1])->priority);
}

s64 highest_priority(const Call& call) {
    return call.word[0] > kRoundRobin ? -EINVAL : (call.word[0] == kOther ? 0 : kHighest);
}

s64 lowest_priority(const Call& call) {
    return call.word[0] > kRoundRobin ? -EINVAL : (call.word[0] == kOther ? 0 : 1);
}

s64 round_robin_interval(const Call& call) {
    constexpr s64 kNanoseconds = 1000;
    if (find_record(call.word[0]) == nullptr) {
        return -ESRCH;
    }
    *pointer<Timespec>(call.word[1]) = {.seconds = 0, .nanoseconds = kSlice * kNanoseconds};
    return 0;
}

s64 set_affinity(const Call& call) {
    const Record* record = find_record(call.word[0]);
    if (record == nullptr) {
        return -ESRCH;
    }
    if (call.word[1] < kBitsInWord / kBitsInByte) {
        return -EINVAL;
    }
    return failure(
        threads().SetAffinity(handle_of(*record), *pointer<const u64>(call.word[2])).status());
}

s64 get_affinity(const Call& call) {
    const Record* record = find_record(call.word[0]);
    if (record == nullptr) {
        return -ESRCH;
    }
    if (call.word[1] < kBitsInWord / kBitsInByte) {
        return -EINVAL;
    }
    const auto found = threads().GetAffinity(handle_of(*record));
    if (!found.ok()) {
        return failure(found.status());
    }
    *pointer<u64>(call.word[2]) = found.value().mask;
    return sizeof(u64);  // bytes written; musl clears the rest
}

}  // namespace sdk::posix
