// SPDX-License-Identifier: Apache-2.0
// What a signal does: its handler is called on the way out of a call of this library, with the
// masks that POSIX asks for, on the thread's own stack or on the one it named. The context tells
// where the call was made; only the mask in it may be changed.
#include <bit>
#include <cstddef>
#include <musl_errno.h>
#include <musl_numbers.h>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/lock.hpp>
#include <sdk/posix/record.hpp>

namespace sdk::posix {

namespace {

constexpr u64 kInformation = 4;
constexpr u64 kOnStack = 0x0800'0000;
constexpr u64 kRestart = 0x1000'0000;

constexpr s32 kOnStackNow = 1;
constexpr s32 kNoStack = 2;
constexpr u64 kSmallestStack = 6144;  // MINSIGSTKSZ
constexpr u64 kAligned = ~u64{15};

/// As musl's stack_t.
struct Stack {
    u64 begin;
    s32 flags;
    s32 reserved;
    u64 size;
};

/// As musl's ucontext_t.
struct Context {
    u64 flags;
    u64 link;
    Stack stack;
    u64 mask;
    u64 more_masks[15];
    u64 reserved;
    u64 fault_address;
    u64 registers[31];
    u64 stack_pointer;
    u64 counter;
    u64 state;
    u64 unused;
    u64 rest[512];
};

static_assert(offsetof(Context, fault_address) == 176 && offsetof(Context, rest) == 464 &&
              sizeof(Context) == 4560);

u64 stack_pointer() { return std::bit_cast<u64>(__builtin_frame_address(0)); }

bool is_on_stack(const ThreadSignals& own, u64 at) { return at - own.stack < own.stack_size; }

Stack stack_of(const ThreadSignals& own) {
    return {.begin = own.stack,
            .flags = own.stack_size == 0                 ? kNoStack
                     : is_on_stack(own, stack_pointer()) ? kOnStackNow
                                                         : 0,
            .reserved = 0,
            .size = own.stack_size};
}

/// Whether a call is made again after handlers that want it so. What waits for a time or with
/// another mask is not.
bool can_restart(const Call& call) {
    switch (call.number) {
    case __NR_futex:
        return call.word[3] == 0;
    case __NR_nanosleep:
    case __NR_clock_nanosleep:
    case __NR_ppoll:
    case __NR_pselect6:
    case __NR_rt_sigsuspend:
    case __NR_rt_sigtimedwait:
        return false;
    default:
        return true;
    }
}

}  // namespace

extern "C" void
tessera_posix_handle(u64 handler, s64 signal, SignalReport* report, Context* context, u64 stack);

namespace {

u64 stack_for(const ThreadSignals& own, const Action& action) {
    const bool is_wanted = (action.flags & kOnStack) != 0 && own.stack_size != 0;
    return is_wanted && !is_on_stack(own, stack_pointer()) ? (own.stack + own.stack_size) & kAligned
                                                           : 0;
}

/// These two are apart, so that only who wants a context has one on its stack.
[[gnu::noinline]] void run(Record& record, const Action& action, const SignalInfo& info) {
    const u64 stack = stack_for(record.signals, action);
    tessera_posix_handle(action.handler, info.signal, nullptr, nullptr, stack);
}

/// Gives the mask for after the handler, which may have changed it.
[[gnu::noinline]] u64
run_with_context(Record& record, const Action& action, const SignalInfo& info, u64 mask) {
    SignalReport report = report_of(info);
    Context context;  // its last part says that nothing follows; the rest is never looked at
    __builtin_memset(&context, 0, offsetof(Context, rest) + sizeof(u64) * 2);
    context.stack = stack_of(record.signals);
    context.mask = mask;
    context.stack_pointer = stack_pointer();
    context.counter = std::bit_cast<u64>(__builtin_return_address(0)) & ((u64{1} << 39) - 1);
    const u64 stack = stack_for(record.signals, action);
    tessera_posix_handle(action.handler, info.signal, &report, &context, stack);
    return context.mask;
}

}  // namespace

bool take_signals(Record& record, const Call& call, s64 result) {
    ThreadSignals& own = record.signals;
    const bool is_interrupted = result == -EINTR;
    const bool has_other_mask = own.keeps_mask != 0;
    u64 last_mask = has_other_mask ? own.kept_mask : 0;
    own.keeps_mask = 0;
    if (has_other_mask && !is_interrupted) {
        set_mask(record, last_mask);
    }
    // Handlers run with the mask of the call, and see the one that comes back.
    const bool shows_last_mask = has_other_mask && is_interrupted;
    u32 handlers = 0;
    bool restarts = true;
    SignalInfo info{};
    Action action{};
    u64 before = own.mask;
    while (take_signal(record, info, action)) {
        u64 after = shows_last_mask ? last_mask : before;
        if ((action.flags & kInformation) != 0) {
            after = run_with_context(record, action, info, after);
        } else {
            run(record, action, info);
        }
        if (shows_last_mask) {
            last_mask = after;
        } else {
            before = after;
        }
        set_mask(record, before);
        ++handlers;
        restarts = restarts && (action.flags & kRestart) != 0;
    }
    if (shows_last_mask) {
        set_mask(record, last_mask);
        if (has_signals(record)) {
            (void)take_signals(record, call, 0);
        }
    }
    return is_interrupted && handlers != 0 && restarts && can_restart(call) && *call.cancelled == 0;
}

s64 set_signal_stack(const Call& call) {
    ThreadSignals& own = current_record().signals;
    const Stack before = stack_of(own);
    if (call.word[0] != 0) {
        const Stack wanted = *pointer<const Stack>(call.word[0]);
        if (before.flags == kOnStackNow) {
            return -EPERM;
        }
        if (wanted.flags != 0 && wanted.flags != kNoStack) {
            return -EINVAL;
        }
        if (wanted.flags == 0 && wanted.size < kSmallestStack) {
            return -ENOMEM;
        }
        own.stack = wanted.begin;
        own.stack_size = wanted.flags == 0 ? wanted.size : 0;
    }
    if (call.word[1] != 0) {
        *pointer<Stack>(call.word[1]) = before;
    }
    return 0;
}

}  // namespace sdk::posix
