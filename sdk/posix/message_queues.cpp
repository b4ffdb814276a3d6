// SPDX-License-Identifier: Apache-2.0
// Message queues between threads of this process, since no service keeps them for several. Each has
// a row of slots in one region, with memory for it while there is the queue; the oldest message of
// the highest priority is looked for. A queue ends with its name and its last descriptor.
#include <kernel/base/bits.hpp>
#include <musl_errno.h>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/kernel.hpp>
#include <sdk/posix/pipe.hpp>
#include <sdk/posix/record.hpp>
#include <sdk/posix/signals.hpp>
#include <string_view>

namespace sdk::posix {

namespace {

using base::align_up;
using base::kPageSize;

constexpr u64 kMaxQueues = 32;
constexpr u64 kMaxNameSize = 255;
constexpr u64 kMaxQueueBytes = 256 * 1024;
constexpr s64 kMaxMessages = 1024;
constexpr s64 kDefaultMessages = 10;
constexpr s64 kDefaultMessageSize = 8192;
constexpr u64 kMaxPriority = 32768;  // MQ_PRIO_MAX
constexpr u64 kClockRealTime = 0;
constexpr u32 kModeBits = 07777;
constexpr u32 kReadWrite = kl::core::VMM::Read | kl::core::VMM::Write;

// As in musl's signal.h.
enum Notification : u32 { kBySignal = 0, kNone = 1, kByThread = 2 };

/// As musl lays it out (struct mq_attr).
struct Attributes {
    s64 flags;
    s64 messages;
    s64 message_size;
    s64 waiting;
    s64 unused[4];
};

/// The begin of musl's struct sigevent. musl calls with a socket in place of the signal, from which
/// a thread of its own reads, and with 32 bytes to be sent there, the last of which says why.
struct SignalEvent {
    u64 value;
    s32 socket;  // or the signal
    u32 notification;
};

/// Who is to be told when a message comes.
struct Told {
    Description* notice = nullptr;  // held
    SignalInfo signal{};            // for the process
};

struct Slot {
    u64 order;  // 0: free
    u32 size;
    u32 priority;
};

struct Queue {
    Lock lock;
    Event changed;
    u64 number;  // 0: free
    u32 descriptors;
    u32 mode;
    bool is_named;
    u8 unused[3];
    u32 receivers;  // that wait
    Attributes attributes;
    u64 last_order;
    const Description* registered;  // by whom; null: nobody is to be told
    Told told;                      // nothing with kNone
    u64 name_size;
    char name[kMaxNameSize];
};

constinit Lock lock;                // for what there is, and their names and descriptors
constinit Queue* queues = nullptr;  // made with the first queue
constinit u64 slots_region = 0;     // the same
constinit u64 last_number = 0;

u64 stride_of(const Attributes& attributes) {
    constexpr u64 kAlignment = 16;
    return sizeof(Slot) + align_up(static_cast<u64>(attributes.message_size), kAlignment);
}

u64 memory_of(const Queue& queue) {
    return slots_region + static_cast<u64>(&queue - queues) * kMaxQueueBytes;
}

u64 bytes_of(const Attributes& attributes) {
    return align_up(static_cast<u64>(attributes.messages) * stride_of(attributes), kPageSize);
}

Slot& slot_of(const Queue& queue, s64 index) {
    return *pointer<Slot>(memory_of(queue) + static_cast<u64>(index) * stride_of(queue.attributes));
}

char* text_of(Slot& slot) { return pointer<char>(__builtin_bit_cast(u64, &slot) + sizeof(Slot)); }

bool open_pool() {
    if (queues != nullptr) {
        return true;
    }
    const auto slots = vmm().Allocate(0, kMaxQueues * kMaxQueueBytes, kl::core::VMM::Reserve);
    if (!slots.ok()) {
        return false;
    }
    const auto made =
        vmm().Allocate(0, align_up(kMaxQueues * sizeof(Queue), kPageSize), kReadWrite);
    if (!made.ok()) {
        (void)vmm().Free(slots.value().at, kMaxQueues * kMaxQueueBytes);
        return false;
    }
    slots_region = slots.value().at;
    queues = pointer<Queue>(made.value().at);
    return true;
}

Queue* find(std::string_view name) {
    for (u64 i = 0; queues != nullptr && i < kMaxQueues; ++i) {
        if (queues[i].is_named && std::string_view{queues[i].name, queues[i].name_size} == name) {
            return &queues[i];
        }
    }
    return nullptr;
}

void end_if_unused(Queue& queue) {
    if (!queue.is_named && queue.descriptors == 0) {
        (void)vmm().Decommit(memory_of(queue), bytes_of(queue.attributes));
        queue.number = 0;
    }
}

s64 check_attributes(const Attributes& attributes) {
    if (attributes.messages <= 0 || attributes.message_size <= 0) {
        return -EINVAL;
    }
    const bool fits = attributes.messages <= kMaxMessages &&
                      attributes.message_size <= static_cast<s64>(kMaxQueueBytes) &&
                      bytes_of(attributes) <= kMaxQueueBytes;
    return fits ? 0 : -EINVAL;
}

/// With a name; -ENFILE, -ENOSPC.
s64 create_queue(std::string_view name, u32 mode, const Attributes& attributes, Queue*& queue) {
    if (!open_pool()) {
        return -ENOSPC;
    }
    for (u64 i = 0; i < kMaxQueues; ++i) {
        Queue& each = queues[i];
        if (each.number != 0) {
            continue;
        }
        if (!vmm().Commit(memory_of(each), bytes_of(attributes), kReadWrite).ok()) {
            return -ENOSPC;
        }
        each.number = ++last_number;
        each.descriptors = 0;
        each.mode = mode & kModeBits;
        each.is_named = true;
        each.receivers = 0;
        each.attributes = {.flags = 0,
                           .messages = attributes.messages,
                           .message_size = attributes.message_size,
                           .waiting = 0,
                           .unused = {}};
        each.last_order = 0;
        each.registered = nullptr;
        each.told = {};
        each.name_size = name.size();
        __builtin_memcpy(each.name, name.data(), name.size());
        queue = &each;
        return 0;
    }
    return -ENFILE;
}

/// Ends the registration; what is to be told goes out of `queue`, for the caller to tell.
Told take_registration(Queue& queue) {
    const Told told = queue.told;
    queue.registered = nullptr;
    queue.told = {};
    return told;
}

constexpr char kMessageCame = 1;
constexpr char kRemoved = 2;

void tell(const Told& told, char reason) {
    if (told.notice != nullptr) {
        send_notice(*told.notice, reason);
        let_go(*told.notice);
    }
    if (told.signal.signal != 0 && reason == kMessageCame) {
        Record* waiting = nullptr;
        {
            const Holder holder{signal_lock()};
            (void)post(nullptr, told.signal, nullptr, waiting);
        }
        wake_for_signal(waiting);
    }
}

/// `object` of a description is its Queue.
class QueueKind final : public Kind {
public:
    s64 tell_status(Description& description, FileStatus& status) const override {
        const Queue& queue = queue_of(description);
        status.inode = queue.number;
        status.mode = mode::kRegular | queue.mode;
        status.links = queue.is_named ? 1 : 0;
        return 0;
    }

    u32 readiness(Description& description) const override {
        Queue& queue = queue_of(description);
        const Holder holder{queue.lock};
        return (queue.attributes.waiting != 0 ? poll_flag::kIn : 0) |
               (queue.attributes.waiting < queue.attributes.messages ? poll_flag::kOut : 0);
    }

    void close(Description& description) const override {
        Queue& queue = queue_of(description);
        Told told{};
        {
            const Holder holder{queue.lock};
            if (queue.registered == &description) {
                told = take_registration(queue);
            }
        }
        tell(told, kRemoved);
        const Holder holder{lock};
        --queue.descriptors;
        end_if_unused(queue);
    }

    static Queue& queue_of(const Description& description) {
        return *pointer<Queue>(description.object);
    }
};

constinit const QueueKind queue_kind;

bool is_queue(const Held& held) { return held && &held->kind() == &queue_kind; }

/// -ENAMETOOLONG, -EACCES (a slash), -ENOENT (empty).
s64 take_name(u64 word, std::string_view& name) {
    const char* const text = pointer<const char>(word);
    u64 size = 0;
    while (text[size] != '\0') {
        if (text[size] == '/') {
            return -EACCES;
        }
        if (++size > kMaxNameSize) {
            return -ENAMETOOLONG;
        }
    }
    name = {text, size};
    return size == 0 ? -ENOENT : 0;
}

s64 find_or_create(std::string_view name, const Call& call, Queue*& queue) {
    const auto flags = static_cast<u32>(call.word[1]);
    queue = find(name);
    if (queue != nullptr) {
        constexpr u32 kNew = open_flag::kCreate | open_flag::kExclusive;
        return (flags & kNew) == kNew ? -EEXIST : 0;
    }
    if ((flags & open_flag::kCreate) == 0) {
        return -ENOENT;
    }
    Attributes attributes{.flags = 0,
                          .messages = kDefaultMessages,
                          .message_size = kDefaultMessageSize,
                          .waiting = 0,
                          .unused = {}};
    if (call.word[3] != 0) {
        attributes = *pointer<const Attributes>(call.word[3]);
    }
    const s64 flaw = check_attributes(attributes);
    return flaw != 0 ? flaw : create_queue(name, static_cast<u32>(call.word[2]), attributes, queue);
}

/// Waits for a change of the queue, as far as the description may. `seen` as of Event.
s64 wait_for_change(Queue& queue, u32 seen, const Held& held, const Call& call) {
    if (held->is_non_blocking()) {
        return -EAGAIN;
    }
    u64 deadline = 0;
    if (call.word[4] != 0) {
        const auto& time = *pointer<const Timespec>(call.word[4]);
        if (const s64 flaw = ticks_at(kClockRealTime, time, deadline); flaw != 0) {
            return flaw;
        }
    }
    return queue.changed.wait(seen, deadline, call.cancelled);
}

void put(Queue& queue, const char* text, u32 size, u32 priority) {
    s64 free = 0;
    while (slot_of(queue, free).order != 0) {
        ++free;
    }
    Slot& slot = slot_of(queue, free);
    slot = {.order = ++queue.last_order, .size = size, .priority = priority};
    __builtin_memcpy(text_of(slot), text, size);
    ++queue.attributes.waiting;
}

Slot& next_of(Queue& queue) {
    Slot* next = nullptr;
    for (s64 i = 0; i < queue.attributes.messages; ++i) {
        Slot& slot = slot_of(queue, i);
        if (slot.order != 0 && (next == nullptr || slot.priority > next->priority ||
                                (slot.priority == next->priority && slot.order < next->order))) {
            next = &slot;
        }
    }
    return *next;
}

s64 take(Queue& queue, char* text, u32* priority) {
    Slot& slot = next_of(queue);
    __builtin_memcpy(text, text_of(slot), slot.size);
    if (priority != nullptr) {
        *priority = slot.priority;
    }
    slot.order = 0;
    --queue.attributes.waiting;
    return slot.size;
}

}  // namespace

s64 open_queue(const Call& call) {
    std::string_view name;
    if (const s64 flaw = take_name(call.word[0], name); flaw != 0) {
        return flaw;
    }
    const auto flags = static_cast<u32>(call.word[1]);
    if ((flags & open_flag::kAccess) == open_flag::kAccess) {
        return -EINVAL;
    }
    Queue* queue = nullptr;
    {
        const Holder holder{lock};
        if (const s64 result = find_or_create(name, call, queue); result != 0) {
            return result;
        }
        ++queue->descriptors;
    }
    constexpr u32 kKept = open_flag::kAccess | open_flag::kNonBlocking;
    const s64 number = open_descriptor(
        queue_kind, (flags & kKept) | open_flag::kCloseOnExec, __builtin_bit_cast(u64, queue));
    if (number < 0) {
        const Holder holder{lock};
        --queue->descriptors;
        end_if_unused(*queue);
    }
    return number;
}

s64 unlink_queue(const Call& call) {
    std::string_view name;
    if (const s64 flaw = take_name(call.word[0], name); flaw != 0) {
        return flaw;
    }
    const Holder holder{lock};
    Queue* const queue = find(name);
    if (queue == nullptr) {
        return -ENOENT;
    }
    queue->is_named = false;
    end_if_unused(*queue);
    return 0;
}

s64 send_message(const Call& call) {
    const Held held{call.word[0]};
    if (!is_queue(held) || !held->is_writable()) {
        return -EBADF;
    }
    Queue& queue = QueueKind::queue_of(*held);
    if ((call.word[3] & 0xFFFF'FFFF) >= kMaxPriority) {
        return -EINVAL;
    }
    if (call.word[2] > static_cast<u64>(queue.attributes.message_size)) {
        return -EMSGSIZE;
    }
    while (true) {
        const u32 seen = queue.changed.count();
        bool is_put = false;
        Told told{};
        {
            const Holder holder{queue.lock};
            if (queue.attributes.waiting < queue.attributes.messages) {
                // Whoever waits for a message gets it; only else somebody is told.
                const bool is_news = queue.attributes.waiting == 0 && queue.receivers == 0 &&
                                     queue.registered != nullptr;
                put(queue,
                    pointer<const char>(call.word[1]),
                    static_cast<u32>(call.word[2]),
                    static_cast<u32>(call.word[3]));
                is_put = true;
                told = is_news ? take_registration(queue) : Told{};
            }
        }
        if (is_put) {
            queue.changed.signal();
            signal_readiness();
            tell(told, kMessageCame);
            return 0;
        }
        if (const s64 result = wait_for_change(queue, seen, held, call); result != 0) {
            return result;
        }
    }
}

s64 receive_message(const Call& call) {
    const Held held{call.word[0]};
    if (!is_queue(held) || !held->is_readable()) {
        return -EBADF;
    }
    Queue& queue = QueueKind::queue_of(*held);
    if (call.word[2] < static_cast<u64>(queue.attributes.message_size)) {
        return -EMSGSIZE;
    }
    const u32 waits = held->is_non_blocking() ? 0 : 1;
    while (true) {
        const u32 seen = queue.changed.count();
        s64 size = -1;
        {
            const Holder holder{queue.lock};
            if (queue.attributes.waiting != 0) {
                size = take(queue, pointer<char>(call.word[1]), pointer<u32>(call.word[3]));
            } else {
                queue.receivers += waits;
            }
        }
        if (size >= 0) {
            queue.changed.signal();
            signal_readiness();
            return size;
        }
        const s64 result = wait_for_change(queue, seen, held, call);
        {
            const Holder holder{queue.lock};
            queue.receivers -= waits;
        }
        if (result != 0) {
            return result;
        }
    }
}

s64 set_notification(const Call& call) {
    const Held held{call.word[0]};
    if (!is_queue(held)) {
        return -EBADF;
    }
    Queue& queue = QueueKind::queue_of(*held);
    if (call.word[1] == 0) {
        Told told{};
        {
            const Holder holder{queue.lock};
            told = take_registration(queue);
        }
        tell(told, kRemoved);
        return 0;
    }
    const auto& event = *pointer<const SignalEvent>(call.word[1]);
    Told told{};
    if (event.notification == kByThread) {
        told.notice = take_hold(static_cast<u64>(event.socket));
        if (told.notice == nullptr || !is_notice(*told.notice)) {
            if (told.notice != nullptr) {
                let_go(*told.notice);
            }
            return -EBADF;
        }
    } else if (event.notification == kBySignal) {
        if (event.socket <= 0 || static_cast<u32>(event.socket) > kSignals) {
            return -EINVAL;
        }
        told.signal = {.signal = event.socket,
                       .code = kCodeMessage,
                       .sender = static_cast<s32>(process_id(call)),
                       .count = 0,
                       .value = event.value};
    } else if (event.notification != kNone) {
        return -EINVAL;
    }
    bool is_busy = false;
    {
        const Holder holder{queue.lock};
        is_busy = queue.registered != nullptr;
        if (!is_busy) {
            queue.registered = &*held;
            queue.told = told;
        }
    }
    if (is_busy && told.notice != nullptr) {
        let_go(*told.notice);
    }
    return is_busy ? -EBUSY : 0;
}

s64 exchange_attributes(const Call& call) {
    const Held held{call.word[0]};
    if (!is_queue(held)) {
        return -EBADF;
    }
    Queue& queue = QueueKind::queue_of(*held);
    constexpr s64 kNonBlocking = open_flag::kNonBlocking;
    const auto* const wanted = pointer<const Attributes>(call.word[1]);
    if (wanted != nullptr && (wanted->flags & ~kNonBlocking) != 0) {
        return -EINVAL;
    }
    const u32 flags = held->flags();
    if (call.word[2] != 0) {
        const Holder holder{queue.lock};
        auto& attributes = *pointer<Attributes>(call.word[2]);
        attributes = queue.attributes;
        attributes.flags = s64{flags} & kNonBlocking;
    }
    if (wanted != nullptr) {
        held->set_flags((flags & ~open_flag::kNonBlocking) | static_cast<u32>(wanted->flags));
    }
    return 0;
}

}  // namespace sdk::posix
