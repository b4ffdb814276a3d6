// SPDX-License-Identifier: Apache-2.0
// Sending, waiting for and masking signals; what they do is in handlers.cpp.
#include <bit>
#include <musl_errno.h>
#include <runtime/process.hpp>
#include <sdk/posix/children.hpp>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/lock.hpp>
#include <sdk/posix/record.hpp>

namespace sdk::posix {

namespace {

// As in musl's signal.h and pthread_impl.h.
enum Signal : s32 {
    kKill = 9,
    kChild = 17,
    kContinue = 18,
    kStop = 19,
    kTerminalStop = 20,
    kTerminalInput = 21,
    kTerminalOutput = 22,
    kUrgent = 23,
    kWindow = 28,
    kCancel = 33,
    kEveryThread = 34,
};

enum How : u64 { kBlock = 0, kUnblock = 1, kSetMask = 2 };

constexpr u64 kDefault = 0;
constexpr u64 kIgnore = 1;
constexpr u64 kNoDefer = 0x4000'0000;
constexpr u64 kResetHandler = 0x8000'0000;
constexpr u64 kInformation = 4;
constexpr u64 kSetBytes = 8;
constexpr u64 kNeverMasked = bit_of(kKill) | bit_of(kStop);
constexpr u64 kStops =
    bit_of(kStop) | bit_of(kTerminalStop) | bit_of(kTerminalInput) | bit_of(kTerminalOutput);
// Nothing here can be stopped, so what would stop a process does nothing either.
constexpr u64 kIgnoredByDefault =
    bit_of(kChild) | bit_of(kUrgent) | bit_of(kWindow) | bit_of(kContinue) | kStops;
constexpr u32 kPlaces = 128;

constinit Lock lock{};
constinit Action actions[kSignals]{};
constinit SignalQueue process_queue{};
constinit QueuedSignal places[kPlaces]{};
constinit QueuedSignal* spare = nullptr;  // given back
constinit s64 process = 0;                // its id; 0: not asked yet
constinit u32 places_used = 0;            // of which never given back

u64 bits_of(const SignalQueue& queue) { return __atomic_load_n(&queue.bits, __ATOMIC_SEQ_CST); }

void set_bits(SignalQueue& queue, u64 bits) {
    __atomic_store_n(&queue.bits, bits, __ATOMIC_SEQ_CST);
}

u64 mask_of(const Record& record) {
    return __atomic_load_n(&record.signals.mask, __ATOMIC_SEQ_CST);
}

bool is_waiting(const Record& record) {
    return __atomic_load_n(&record.waits_at, __ATOMIC_SEQ_CST) != 0;
}

QueuedSignal* take_place() {
    if (spare != nullptr) {
        QueuedSignal* const place = spare;
        spare = place->next;
        return place;
    }
    if (places_used == kPlaces) {
        return nullptr;
    }
    QueuedSignal& place = places[places_used++];
    place.is_spare = 1;
    return &place;
}

void give_back(QueuedSignal& place) {
    place.is_queued = 0;
    place.next = nullptr;
    if (place.is_spare != 0) {
        place.next = spare;
        spare = &place;
    }
}

void append(SignalQueue& queue, QueuedSignal& place) {
    place.next = nullptr;
    place.is_queued = 1;
    (queue.first == nullptr ? queue.first : queue.last->next) = &place;
    queue.last = &place;
}

/// Takes out the first place for which `is_meant` holds and gives it back; null: there is none.
template <typename Meant>
QueuedSignal* remove(SignalQueue& queue, const Meant& is_meant, SignalInfo& info) {
    QueuedSignal* before = nullptr;
    for (QueuedSignal* each = queue.first; each != nullptr; before = each, each = each->next) {
        if (!is_meant(*each)) {
            continue;
        }
        (before == nullptr ? queue.first : before->next) = each->next;
        if (queue.last == each) {
            queue.last = before;
        }
        info = each->info;
        each->last_count = each->info.count;
        give_back(*each);
        return each;
    }
    return nullptr;
}

bool has_place(const SignalQueue& queue, s32 signal) {
    for (const QueuedSignal* each = queue.first; each != nullptr; each = each->next) {
        if (each->info.signal == signal) {
            return true;
        }
    }
    return false;
}

/// The lowest of these signals, of equals the one that came first.
bool take_from(SignalQueue& queue, u64 wanted, SignalInfo& info) {
    const u64 found = queue.bits & wanted;
    if (found == 0) {
        return false;
    }
    const s32 signal = std::countr_zero(found) + 1;
    if (remove(
            queue,
            [signal](const QueuedSignal& each) { return each.info.signal == signal; },
            info) == nullptr) {
        info = {.signal = signal, .code = kCodeUser, .sender = 0, .count = 0, .value = 0};
    }
    if (!has_place(queue, signal)) {
        set_bits(queue, queue.bits & ~bit_of(signal));
    }
    return true;
}

bool take_from_both(Record& record, u64 wanted, SignalInfo& info) {
    return take_from(record.signals.queue, wanted, info) || take_from(process_queue, wanted, info);
}

void discard(SignalQueue& queue, u64 bits) {
    SignalInfo info{};
    while (take_from(queue, bits, info)) {
    }
}

template <typename Work> void for_each_thread(const Work& work) {
    for (u32 i = 0; i < kMaxThreads; ++i) {
        if (Record* record = record_at(i); record != nullptr) {
            work(*record);
        }
    }
}

void discard_everywhere(u64 bits) {
    discard(process_queue, bits);
    for_each_thread([bits](Record& record) { discard(record.signals.queue, bits); });
}

bool does_nothing(s32 signal) {
    const u64 handler = actions[signal - 1].handler;
    return handler == kIgnore || (handler == kDefault && (kIgnoredByDefault & bit_of(signal)) != 0);
}

bool ends_process(s32 signal) {
    return actions[signal - 1].handler == kDefault && (kIgnoredByDefault & bit_of(signal)) == 0;
}

[[noreturn]] void end_by(s32 signal) {
    flush_output();
    exit_process(kEndOfSignal - signal);
}

/// Whether somebody could want it although it does nothing: who awaits it, or has it masked and may
/// await it, or let it do something, later.
bool is_kept_by(const Record& record, u64 bit) {
    return ((mask_of(record) | record.signals.awaited) & bit) != 0;
}

/// For the process: whether all threads have it masked; and whether one awaits it.
bool is_masked_by_all(u64 bit) {
    bool is_masked = true;
    for_each_thread([bit, &is_masked](const Record& record) {
        is_masked = is_masked && is_kept_by(record, bit);
    });
    return is_masked;
}

Record* find_awaiting(u64 bit) {
    Record* found = nullptr;
    for_each_thread([bit, &found](Record& record) {
        if (found == nullptr && (record.signals.awaited & bit) != 0) {
            found = &record;
        }
    });
    return found;
}

/// Another thread that waits and could take one of these.
Record* find_waiting(u64 bits) {
    Record* found = nullptr;
    const Record* own = &current_record();
    for_each_thread([bits, own, &found](Record& record) {
        if (found == nullptr && &record != own && (bits & ~mask_of(record)) != 0 &&
            is_waiting(record)) {
            found = &record;
        }
    });
    return found;
}

/// Puts it into a queue, unless it is a standard one that is there already.
s64 put(SignalQueue& queue, const SignalInfo& info, QueuedSignal* place) {
    const u64 bit = bit_of(info.signal);
    const bool is_standard = info.signal < kFirstRealTime;
    if (place == nullptr && is_standard && (queue.bits & bit) != 0) {
        return 0;
    }
    if (place == nullptr) {
        place = take_place();
    }
    if (place == nullptr && !is_standard) {
        return -EAGAIN;
    }
    if (place != nullptr) {
        place->info = info;
        append(queue, *place);
    }
    set_bits(queue, queue.bits | bit);
    return 0;
}

/// Sends one that this process made up itself.
s64 send(Record* thread, const SignalInfo& info) {
    Record* waiting = nullptr;
    s64 result = 0;
    {
        const Holder holder{lock};
        result = post(thread, info, nullptr, waiting);
    }
    wake_for_signal(waiting);
    return result;
}

/// It does not change, so the kernel is asked once.
s64 own_process() {
    s64 id = __atomic_load_n(&process, __ATOMIC_RELAXED);
    if (id <= 0) {
        id = process_id({});
        __atomic_store_n(&process, id, __ATOMIC_RELAXED);
    }
    return id;
}

SignalInfo own_info(s32 signal, s32 code) {
    return {.signal = signal,
            .code = code,
            .sender = static_cast<s32>(own_process()),
            .count = 0,
            .value = 0};
}

bool is_signal_or_0(u64 word) { return static_cast<u32>(word) <= kSignals; }

bool is_own_process(u64 word) {
    const auto id = static_cast<s32>(word);
    return id == 0 || id == -1 || s64{id < 0 ? -id : id} == own_process();
}

s64 signal_thread(u64 id, s32 signal) {
    Record* const record = find_record(id);
    if (record == nullptr) {
        return -ESRCH;
    }
    if (signal == 0) {
        return 0;
    }
    if (signal == kEveryThread) {
        return -ENOSYS;
    }
    if (signal == kCancel) {
        end_wait(*record);
        return 0;
    }
    return send(record, own_info(signal, kCodeThread));
}

}  // namespace

Lock& signal_lock() { return lock; }

s64 post(Record* thread, const SignalInfo& info, QueuedSignal* place, Record*& waiting) {
    const s32 signal = info.signal;
    const u64 bit = bit_of(signal);
    waiting = nullptr;
    if (signal == kStop) {
        return -ENOSYS;
    }
    if (signal == kContinue) {
        discard_everywhere(kStops);
    } else if ((bit & kStops) != 0) {
        discard_everywhere(bit_of(kContinue));
    }
    if (thread == nullptr) {
        thread = find_awaiting(bit);
    }
    const bool is_kept = thread != nullptr ? is_kept_by(*thread, bit) : is_masked_by_all(bit);
    if (!is_kept && does_nothing(signal)) {
        return 0;
    }
    if (!is_kept && ends_process(signal)) {
        end_by(signal);
    }
    const s64 result = put(thread != nullptr ? thread->signals.queue : process_queue, info, place);
    if (result != 0) {
        return result;
    }
    if (thread != nullptr) {
        // Whoever awaited it has it now, and leaves further ones to others.
        if ((thread->signals.awaited & bit) != 0) {
            thread->signals.awaited = 0;
            waiting = thread;
        } else if ((mask_of(*thread) & bit) == 0) {
            waiting = thread;
        }
    } else if (const Record& own = current_record();
               own.id == 0 || (mask_of(own) & bit) != 0) {  // else the caller takes it itself
        waiting = find_waiting(bit);
    }
    return 0;
}

void wake_for_signal(Record* waiting) {
    if (waiting != nullptr && waiting != &current_record()) {
        end_wait(*waiting);
    }
}

void withdraw(QueuedSignal& place) {
    if (place.is_queued == 0) {
        return;
    }
    const auto take_out = [&place](SignalQueue& queue) {
        SignalInfo info{};
        const bool is_here =
            remove(
                queue, [&place](const QueuedSignal& each) { return &each == &place; }, info) !=
            nullptr;
        if (is_here && !has_place(queue, info.signal)) {
            set_bits(queue, queue.bits & ~bit_of(info.signal));
        }
    };
    take_out(process_queue);
    for_each_thread([&take_out](Record& record) { take_out(record.signals.queue); });
}

bool claim_signal(Record& record) {
    ThreadSignals& own = record.signals;
    while (true) {
        if (own.taken.signal != 0) {
            return true;
        }
        const u64 pending = bits_of(own.queue) | bits_of(process_queue);
        if ((pending & ~(mask_of(record) | own.awaited)) == 0) {
            return false;
        }
        const Holder holder{lock};
        SignalInfo info{};
        if (take_from_both(record, ~(own.mask | own.awaited), info) && !does_nothing(info.signal)) {
            own.taken = info;
        }
    }
}

bool has_signals(const Record& record) {
    const ThreadSignals& own = record.signals;
    const u64 pending = bits_of(own.queue) | bits_of(process_queue);
    return own.taken.signal != 0 || own.keeps_mask != 0 || (pending & ~own.mask) != 0;
}

bool take_signal(Record& record, SignalInfo& info, Action& action) {
    ThreadSignals& own = record.signals;
    const Holder holder{lock};
    while (true) {
        if (own.taken.signal != 0) {
            info = own.taken;
            own.taken.signal = 0;
        } else if (!take_from_both(record, ~own.mask, info)) {
            return false;
        }
        if (ends_process(info.signal)) {
            end_by(info.signal);
        }
        if (!does_nothing(info.signal)) {
            break;
        }
    }
    Action& current = actions[info.signal - 1];
    action = current;
    if ((action.flags & kResetHandler) != 0) {
        current.handler = kDefault;
        current.flags &= ~kInformation;
    }
    const u64 itself = (action.flags & kNoDefer) != 0 ? 0 : bit_of(info.signal);
    __atomic_store_n(
        &own.mask, (own.mask | action.mask | itself) & ~kNeverMasked, __ATOMIC_SEQ_CST);
    return true;
}

void set_mask(Record& record, u64 mask) {
    const u64 before = record.signals.mask;
    mask &= ~kNeverMasked;
    __atomic_store_n(&record.signals.mask, mask, __ATOMIC_SEQ_CST);
    if (const u64 left = mask & ~before & bits_of(process_queue); left != 0) {
        wake_for_signal(find_waiting(left));
    }
}

void use_mask_for_call(u64 mask) {
    Record& record = current_record();
    record.signals.kept_mask = record.signals.mask;
    record.signals.keeps_mask = 1;
    set_mask(record, mask);
}

SignalReport report_of(const SignalInfo& info) {
    return {.signal = info.signal,
            .error = 0,
            .code = info.code,
            .reserved = 0,
            .sender = info.sender,
            .count = info.count,
            .value = info.value,
            .rest = {}};
}

void begin_signals(Record& record, const Record& maker) {
    record.signals = {};
    record.signals.mask = maker.signals.mask;
}

void end_signals(Record& record) {
    const Holder holder{lock};
    discard(record.signals.queue, ~u64{0});
}

s64 signal_process(const Call& call) {
    const auto signal = static_cast<s32>(call.word[1]);
    if (!is_signal_or_0(call.word[1])) {
        return -EINVAL;
    }
    if (!is_own_process(call.word[0])) {
        return signal_child(static_cast<s32>(call.word[0]), signal);
    }
    return signal == 0 ? 0 : send(nullptr, own_info(signal, kCodeUser));
}

s64 signal_thread(const Call& call) {
    if (static_cast<s32>(call.word[0]) <= 0 || !is_signal_or_0(call.word[1])) {
        return -EINVAL;
    }
    return signal_thread(call.word[0], static_cast<s32>(call.word[1]));
}

s64 signal_thread_of_process(const Call& call) {
    if (static_cast<s32>(call.word[0]) <= 0 || static_cast<s32>(call.word[1]) <= 0 ||
        !is_signal_or_0(call.word[2])) {
        return -EINVAL;
    }
    if (!is_own_process(call.word[0])) {
        return -ESRCH;
    }
    return signal_thread(call.word[1], static_cast<s32>(call.word[2]));
}

s64 queue_signal(const Call& call) {
    const auto signal = static_cast<s32>(call.word[1]);
    if (!is_signal_or_0(call.word[1])) {
        return -EINVAL;
    }
    if (static_cast<s32>(call.word[0]) <= 0 || !is_own_process(call.word[0])) {
        return -ESRCH;
    }
    const auto& report = *pointer<const SignalReport>(call.word[2]);
    return signal == 0 ? 0
                       : send(nullptr,
                              {.signal = signal,
                               .code = report.code,
                               .sender = report.sender,
                               .count = report.count,
                               .value = report.value});
}

s64 set_action(const Call& call) {
    const auto signal = static_cast<s32>(call.word[0]);
    const bool is_new = call.word[1] != 0;
    if (signal < 1 || signal > static_cast<s32>(kSignals) || call.word[3] != kSetBytes ||
        (is_new && (bit_of(signal) & kNeverMasked) != 0)) {
        return -EINVAL;
    }
    const Action wanted = is_new ? *pointer<const Action>(call.word[1]) : Action{};
    const Holder holder{lock};
    Action& action = actions[signal - 1];
    if (call.word[2] != 0) {
        *pointer<Action>(call.word[2]) = action;
    }
    if (is_new) {
        action = wanted;
        if (does_nothing(signal)) {
            discard_everywhere(bit_of(signal));
        }
    }
    return 0;
}

s64 change_mask(const Call& call) {
    Record& record = current_record();
    const u64 before = record.signals.mask;
    if (call.word[3] != kSetBytes || (call.word[1] != 0 && call.word[0] > kSetMask)) {
        return -EINVAL;
    }
    if (call.word[1] != 0) {
        const u64 set = *pointer<const u64>(call.word[1]);
        set_mask(record,
                 call.word[0] == kBlock     ? before | set
                 : call.word[0] == kUnblock ? before & ~set
                                            : set);
    }
    if (call.word[2] != 0) {
        *pointer<u64>(call.word[2]) = before;
    }
    return 0;
}

s64 pending_signals(const Call& call) {
    const ThreadSignals& own = current_record().signals;
    if (call.word[1] > kSetBytes) {
        return -EINVAL;
    }
    *pointer<u64>(call.word[0]) = (bits_of(own.queue) | bits_of(process_queue)) & own.mask;
    return 0;
}

s64 suspend(const Call& call) {
    if (call.word[1] != kSetBytes) {
        return -EINVAL;
    }
    use_mask_for_call(*pointer<const u64>(call.word[0]));
    s64 result = 0;
    while (result == 0 || result == -EAGAIN) {
        result = wait_for_signal(signals_seen(), 0, call.cancelled);
    }
    return result;
}

s64 take_awaited_signal(const Call& call) {
    ThreadSignals& own = current_record().signals;
    const u64 wanted = *pointer<const u64>(call.word[0]) & ~kNeverMasked;
    u64 deadline = 0;
    s64 state = 0;  // why it does not wait any longer
    if (call.word[3] != kSetBytes) {
        return -EINVAL;
    }
    if (call.word[2] != 0) {
        const auto& time = *pointer<const Timespec>(call.word[2]);
        if (const s64 flaw = ticks_after(time, deadline); flaw != 0) {
            return flaw;
        }
        state = time.seconds <= 0 && time.nanoseconds == 0 ? -EAGAIN : 0;
    }
    while (true) {
        // Before anybody can see that it is awaited: whoever sends it then tells this thread once.
        const u32 seen = signals_seen();
        {
            const Holder holder{lock};
            SignalInfo info{};
            own.awaited = 0;
            // A cancelled thread takes nothing along.
            if (*call.cancelled == 0 && take_from_both(current_record(), wanted, info)) {
                if (call.word[1] != 0) {
                    *pointer<SignalReport>(call.word[1]) = report_of(info);
                }
                return info.signal;
            }
            if (state != 0) {
                return state;
            }
            own.awaited = wanted;
        }
        const s64 result = wait_for_signal(seen, deadline, call.cancelled);
        state = result == -ETIMEDOUT ? -EAGAIN : result == -EAGAIN ? 0 : result;
    }
}

}  // namespace sdk::posix
