// SPDX-License-Identifier: Apache-2.0
// Threads of musl are threads of the kernel, one each. What the kernel does not keep of them is in
// a fixed table of records, taken and given back by their ids; the thread pointer leads to the own
// one.
#include <bit>
#include <musl_errno.h>
#include <new>
#include <runtime/process.hpp>
#include <runtime/time.hpp>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/kernel.hpp>
#include <sdk/posix/record.hpp>

namespace sdk::posix {

namespace {

constinit Record records[kMaxThreads]{{.id = 0,
                                       .handle = 0,
                                       .cleared_word = 0,
                                       .waits_at = 0,
                                       .waits = 0,
                                       .signal_word = 0,
                                       .is_first = 1,
                                       .signals = {}}};

constexpr u32 kTaken = 0xFFFF'FFFF;  // id of a record whose thread is being made

// As in musl's sched.h.
constexpr u64 kThreadFlag = 0x1'0000;
constexpr u64 kStoreParentId = 0x10'0000;
constexpr u64 kClearChildId = 0x20'0000;

u64 thread_pointer() {
    u64 value = 0;
    asm volatile("mrs %0, tpidr_el0" : "=r"(value));
    return value;
}

/// The id that the kernel gave a thread, by its handle or 0 for the caller; 0: it has ended.
u32 ask_id(u32 handle) {
    const auto info = threads().GetInfo(handle);
    return info.ok() ? info.value().id : 0;
}

/// Notes a thread's id where it is looked for. Who makes a thread and the thread itself both do,
/// since either may be first to need it.
u32 note_id(Record& record, u32* told, u32 handle) {
    const u32 number = ask_id(handle);
    __atomic_store_n(&record.id, number, __ATOMIC_RELEASE);
    if (told != nullptr) {
        *told = number;
    }
    return number;
}

Record* take_record() {
    for (Record& record : records) {
        u32 expected = 0;
        if (record.is_first == 0 &&
            __atomic_compare_exchange_n(
                &record.id, &expected, kTaken, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            return &record;
        }
    }
    return nullptr;
}

void give_back(Record& record) {
    record.handle = 0;
    record.cleared_word = 0;
    record.waits_at = 0;
    end_signals(record);
    __atomic_store_n(&record.id, 0U, __ATOMIC_RELEASE);
}

/// What a new thread finds on its stack.
struct alignas(16) Begin {
    s32 (*function)(void*);
    void* argument;
    u32* id;  ///< where its id goes as well; may be null
    Record* record;
};

/// Frees the record and the handle of the calling thread; gives the word to clear at the end.
u64 take_leave() {
    Record& record = current_record();
    if (record.is_first == 0) {
        while (__atomic_load_n(&record.handle, __ATOMIC_ACQUIRE) == 0) {
            (void)threads().Sleep(0);  // whoever made this thread has not noted its handle yet
        }
    }
    const u32 handle = record.handle;
    const u64 word = record.cleared_word;
    give_back(record);
    if (handle != 0) {
        (void)handles().Close(handle);
    }
    return word;
}

template <typename Traits> constexpr u64 tag_of(base::u16 endpoint) {
    return Traits::kRequest.tag(abi::Kind::Request, endpoint, Traits::kMethod, 0).value;
}

/// What tessera_posix_leave sends.
constexpr u64 kLastTags[3]{
    tag_of<kl::core::VMM::Free_Traits>(kl::core::Core::endpoint::vmm_VMM),
    tag_of<kl::core::Sync::Wake_Traits>(kl::core::Core::endpoint::sync_Sync),
    tag_of<kl::core::Thread::Exit_Traits>(kl::core::Core::endpoint::thread_Thread)};

}  // namespace

extern "C" {
void tessera_posix_thread();
[[noreturn]] void
tessera_posix_leave(u64 memory, u64 size, u64 word, const u64* tags, u64 kernel_handle);
[[noreturn]] void tessera_posix_run_thread(const Begin* begin);
[[noreturn]] void tessera_posix_unmap_self(u64 memory, u64 size);
s64 tessera_posix_clone(s32 (*function)(void*),
                        u64 stack,
                        u32 flags,
                        void* argument,
                        u32* id,
                        u64* tls,
                        u64 cleared_word);
s32 tessera_posix_set_thread_area(u64* tls);
}

Record& current_record() {
    const u64 own = thread_pointer();
    return own == 0 ? records[0] : **pointer<Record*>(own);
}

Record* find_record(u64 id) {
    if (id == 0) {
        return &current_record();
    }
    for (Record& record : records) {
        if (id < kTaken && __atomic_load_n(&record.id, __ATOMIC_ACQUIRE) == id) {
            return &record;
        }
    }
    return nullptr;
}

Record* record_at(u32 index) {
    Record& record = records[index];
    const u32 id = __atomic_load_n(&record.id, __ATOMIC_ACQUIRE);
    return id == 0 || id == kTaken ? nullptr : &record;
}

u32 handle_of(const Record& record) { return &record == &current_record() ? 0 : record.handle; }

s32 tessera_posix_set_thread_area(u64* tls) {
    tls[0] = std::bit_cast<u64>(&current_record());
    return threads().SetTls(std::bit_cast<u64>(tls)).ok() ? 0 : -1;
}

s64 tessera_posix_clone(s32 (*function)(void*),
                        u64 stack,
                        u32 flags,
                        void* argument,
                        u32* id,
                        u64* tls,
                        u64 cleared_word) {
    if ((flags & kThreadFlag) == 0) {
        return -ENOSYS;
    }
    Record* record = take_record();
    if (record == nullptr) {
        return -EAGAIN;
    }
    record->cleared_word = (flags & kClearChildId) != 0 ? cleared_word : 0;
    begin_signals(*record, current_record());
    tls[0] = std::bit_cast<u64>(record);
    const u64 top = (stack & ~u64{15}) - sizeof(Begin);
    u32* const told = (flags & kStoreParentId) != 0 ? id : nullptr;
    const auto* begin = new (pointer<void>(top))
        Begin{.function = function, .argument = argument, .id = told, .record = record};
    const auto own = threads().GetSchedPolicy(0);
    if (!own.ok()) {
        give_back(*record);
        return failure(own.status());
    }
    const auto& sharing = own.value();
    const auto made = threads().Create(std::bit_cast<u64>(&tessera_posix_thread),
                                       top,
                                       std::bit_cast<u64>(begin),
                                       std::bit_cast<u64>(tls),
                                       sharing.priority);
    if (!made.ok()) {
        give_back(*record);
        return made.status() == Status::OutOfMemory ? -EAGAIN : failure(made.status());
    }
    const u32 handle = made.value().thread.handle;
    if (sharing.kind != kl::core::Thread::Standard) {
        (void)threads().SetSchedPolicy(handle, sharing.kind, sharing.priority, sharing.parameter);
    }
    // It cannot end before it finds its handle, so it still has an id, and its record is its own.
    const u32 number = note_id(*record, told, handle);
    __atomic_store_n(&record->handle, handle, __ATOMIC_RELEASE);
    return number;
}

void tessera_posix_run_thread(const Begin* begin) {
    note_id(*begin->record, begin->id, 0);
    (void)begin->function(begin->argument);
    tessera_posix_unmap_self(0, 0);
}

void tessera_posix_unmap_self(u64 memory, u64 size) {
    const u64 word = take_leave();
    tessera_posix_leave(memory, size, word, kLastTags, kKernelHandle);
}

s64 end_thread(const Call& call) {
    (void)call;
    tessera_posix_unmap_self(0, 0);
}

s64 end_process(const Call& call) {
    flush_output();
    exit_process(static_cast<s32>(call.word[0]));
}

s64 set_tid_address(const Call& call) {
    Record& record = current_record();
    record.cleared_word = call.word[0];
    return thread_id(call);
}

s64 thread_id(const Call& call) {
    (void)call;
    Record& record = current_record();
    if (record.id == 0) {  // the first thread, when it first asks
        record.id = ask_id(0);
    }
    return record.id;
}

s64 keep_robust_list(const Call& call) {
    (void)call;
    return 0;
}

}  // namespace sdk::posix
