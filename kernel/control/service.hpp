// SPDX-License-Identifier: Apache-2.0
// The kernel as a server: kl.core.Core. A request arrives staged and granted; a handler sees it as
// the struct that idlc generated from the IDL, fills the response struct, and the response is
// judged like anybody's before the caller sees it. A handler that needs long returns More and is
// called again with the same request until it is Done; the thread's kernel_state and cursor are its
// memory. What it created it names as undo, in case the response is denied.
#pragma once

#include <bit>
#include <kernel/base/parts.hpp>
#include <kernel/ipc/ipc.hpp>
#include <kernel/ipc/kernel_method.hpp>
#include <kernel/ipc/notice.hpp>
#include <kernel/irq/lines.hpp>
#include <kernel/object/memory.hpp>
#include <kl/core/VMM.idl.hpp>

namespace kernel::control {

template <auto kFunction> struct Adapter;

template <typename Request,
          typename Response,
          Result<Outcome> (*kFunction)(Thread&, const Request&, Response&)>
struct Adapter<kFunction> {
    static Outcome run(Thread& caller, const void* request, void* response) {
        auto& out = *static_cast<Response*>(response);
        const auto outcome = kFunction(caller, *static_cast<const Request*>(request), out);
        out.rc = static_cast<base::s32>(outcome.status());
        return outcome.ok() ? outcome.value() : Outcome::Done;
    }

    static constexpr MethodEntry kEntry{&run, sizeof(Response), nullptr};
};

template <typename Request, typename Response, Response (*kFunction)(Thread&, const Request&)>
struct Adapter<kFunction> {
    static_assert(sizeof(Request) <= sizeof(QuickWords) && sizeof(Response) <= sizeof(QuickWords));

    static Outcome run(Thread& caller, const void* request, void* response) {
        *static_cast<Response*>(response) =
            kFunction(caller, *static_cast<const Request*>(request));
        return Outcome::Done;
    }

    static QuickWords run_quick(Thread& caller, u64 first, u64 second, u64) {
        const Response response = kFunction(caller, to_request(first, second));
        if constexpr (sizeof(Response) == sizeof(u64)) {
            u64 only = 0;
            __builtin_memcpy(&only, &response, sizeof(only));
            return {only, 0};
        } else {
            return std::bit_cast<QuickWords>(response);
        }
    }

    static Request to_request(u64 first, u64 second) {
        if constexpr (sizeof(Request) == sizeof(u64)) {
            return std::bit_cast<Request>(first);
        } else if constexpr (sizeof(Request) == sizeof(QuickWords)) {
            return std::bit_cast<Request>(QuickWords{first, second});
        } else {
            return {};  // no parameters
        }
    }

    static constexpr MethodEntry kEntry{&run, sizeof(Response), &run_quick};
};

/// The row of a method table for a handler: `Result<Outcome> f(Thread&, const Request&,
/// Response&)`, whose status becomes the response's rc; `Outcome f(...)`, which fills rc itself; or
/// for a quick method `Response f(Thread&, const Request&)`.
template <auto kFunction> inline constexpr MethodEntry kMethod = Adapter<kFunction>::kEntry;

/// The same for a handler that has a quick variant of its own, which may end with go_on().
template <auto kFunction, QuickMethod kQuickly>
inline constexpr MethodEntry kMethodOrQuick{
    kMethod<kFunction>.handler, kMethod<kFunction>.response_size, kQuickly};
/// The row of a method that is not served.
inline constexpr MethodEntry kUnserved{nullptr, 0, nullptr};

/// The interface that a table of methods makes.
template <const auto& kTable> struct Served {
    static constexpr u64 kCount = sizeof(kTable) / sizeof(kTable[0]);
    static_assert(kCount <= kMaxMethods);

    struct Quick {
        QuickMethod methods[kMaxMethods]{};
    };

    static constexpr Quick kQuick = [] {
        Quick quick;
        for (u64 i = 0; i < kCount; ++i) {
            quick.methods[i] = kTable[i].quick;
        }
        return quick;
    }();

    static constexpr Interface kInterface{kQuick.methods, kCount, kTable};
};

// One table per interface, indexed by method number.
extern const Interface kVmm;
extern const Interface kIo;
extern const Interface kThread;
extern const Interface kHandle;
extern const Interface kTask;
extern const Interface kSync;
extern const Interface kTime;
extern const Interface kHal;
extern const Interface kAudit;
extern const Interface kNotice;
extern const Interface kPm;
extern const Interface kProfiler;
extern const Interface kIpc;

/// State of the small interfaces.
struct SystemState {
    MemoryObject* clock = nullptr;  // the clock page
    u64 placement_seed = 0;
    u32 entropy_index = 0;
};

inline SystemState& system_state() { return *g_parts.system; }

// --- what handlers share
// ---------------------------------------------------------------------------

inline base::Ticks ticks_of(u32 microseconds) {
    return base::Ticks{arch::ticks_per_second() * microseconds / 1'000'000};
}

/// A text parameter, in the staged request; inside it, as the check has proved.
inline base::Text text_of(Thread& caller, const abi::ArenaRange& range) {
    const u8* arena = ipc::staged_fixed(caller.message) + kStagedArenaOffset;
    return {reinterpret_cast<const char*>(arena + range.offset),
            range.size > 0 ? range.size - 1 : 0};
}

/// A text of the kernel's own that ends with a NUL or with its buffer.
inline base::Text text_in(const char* buffer, u32 capacity) {
    const base::Text whole{buffer, capacity};
    return whole.first(whole.find('\0'));
}

/// Copies a text into a fixed buffer, cut to fit, NUL-terminated.
void copy_text(char* to, u32 capacity, base::Text from);

/// A handle of `process` for an object, derived from nothing. OutOfMemory.
template <typename T>
Result<u32> name_object(Process& process, T& object, u32 rights, SlotType type = T::kType) {
    const auto handle = insert_handle(process, {.rights = rights, .object = &object, .type = type});
    object.references += handle.ok() ? 1 : 0;
    return handle;
}

/// First of all in a quick method that may end with go_on(): the caller came by the fast path, and
/// until now nobody had to know that this CPU runs it.
inline void take_stock(Thread& caller) { this_cpu().thread = &caller; }

/// Ends a quick method whose caller will see its response when it runs next.
[[noreturn]] inline void answer_later(Thread& caller, u64 response) {
    caller.callee = SlotType::Free;  // who wakes it finds its answer in its frame
    set_result(caller, Status::Ok);
    caller.frame.x[9] = caller.expected_response;
    caller.frame.x[10] = response;
    go_on();
}

/// The notice or listener behind a handle. BadHandle, WrongType, NoCapability: no Recv right;
/// ResourceNotFound: a notice that was dropped; NotConnected: a listener of an earlier life.
Result<Receiver> receiver_of(Process& process, u32 handle);

/// If the response is denied, this handle is closed / this mapping is removed again / these pages
/// of a region are given back.
inline void undo_handle(Thread& caller, u32 handle) { caller.kernel_state[2] = handle; }

inline void undo_commit(Thread& caller, u64 address, u64 pages) {
    caller.kernel_state[1] = pages;
    caller.kernel_state[3] = address;
}

inline void undo_mapping(Thread& caller, const Process& target, u64 address) {
    if (&target == caller.process) {
        undo_commit(caller, address, 0);
    }
}

/// The descriptor of a handle that the caller was given; it goes again if the response is denied.
inline abi::HandleDescriptor give_handle(Thread& caller, u32 handle) {
    undo_handle(caller, handle);
    return {handle, abi::rights::kAll, 0};
}

/// The process that a handle of the caller controls; the caller's own for 0. BadHandle, WrongType,
/// NoCapability.
inline Result<Process&> controlled_task(Thread& caller, u32 handle) {
    return handle == abi::kInvalidHandle
               ? *caller.process
               : resolve<Process>(*caller.process, handle, abi::rights::kControl);
}

/// Turns caller.message into a response with `size` bytes of arena; returns where they go.
/// OutOfMemory.
Result<u8*> begin_response_arena(Thread& caller, u32 size);

/// Answers a text as the only variable-size part of a response. OutOfMemory.
Result<Outcome> answer_text(Thread& caller, base::Text text, abi::ArenaRange& range);

/// A method that does one thing to an interrupt line of the caller's. BadHandle, WrongType,
/// NoCapability.
template <typename Request, typename Response, void (*kAction)(Line&)>
Result<Outcome> on_line(Thread& caller, const Request& in, Response&) {
    TRY_VALUE(Line & line,
              resolve<Line>(*caller.process, in.resource.handle, abi::rights::kAttach));
    kAction(line);
    return Outcome::Done;
}

/// Reserves and maps a region of `target` in steps; Done: it is at `at`, and one of the caller's
/// own goes again if the response is denied. A mapping that fails half-way is taken back first.
Result<Outcome>
map_in_steps(Thread& caller, Process& target, const RegionRequest& request, u64& at);

/// Maps a part of a memory object of the caller's in steps into `target`. As VMM.MdlMap.
Result<Outcome>
map_memory(Thread& caller, Process& target, const kl::core::VMM::MdlMap_Request& part, u64& at);
/// Allocates or reserves memory of `target` in steps. As VMM.Allocate.
Result<Outcome> allocate_memory(Thread& caller,
                                Process& target,
                                const kl::core::VMM::Allocate_Request& request,
                                u64& at);
/// Unmaps a whole region of `target` in steps. InvalidArgument: it has none like that.
Result<Outcome> free_region(Thread& caller, Process& target, u64 address, u64 size);

/// Tells of a region, and the access of its page at `at`.
template <typename Response>
Outcome describe_region(const Process& process, const Region& region, u64 at, Response& out) {
    namespace vmm = kl::core::VMM;
    const auto page = process.table.look_up(base::VirtAddr{at});
    const arch::Access access = page.ok() ? page.value().access : arch::Access{};
    out.start = region.base.value;
    out.size = region.pages.bytes().value;
    out.flags = (access.read ? vmm::Read : 0) | (access.write ? vmm::Write : 0) |
                (access.execute ? vmm::Execute : 0);
    return Outcome::Done;
}

/// Length of the slices of a policy of kl.core.Thread; 0: there is no such policy.
base::Ticks slice_of(u32 kind, u32 microseconds);
/// Gives a thread a policy that there is.
void set_policy(Thread& thread, u32 kind, u32 microseconds);

/// Makes a memory object of 2^order contiguous pages in steps; Done: `given` names it, and it goes
/// again if the response is denied. OutOfMemory.
Result<Outcome>
make_block(Thread& caller, u32 order, bool is_uncached, abi::HandleDescriptor& given);

/// Pages of a memory object that a handle covers; the badge of its slot.
struct Window {
    u32 first;
    u32 pages;

    [[nodiscard]] u64 size() const { return u64{pages} * base::kPageSize; }
};

inline Window window_of(const Slot& slot) { return std::bit_cast<Window>(slot.badge); }

inline MemoryObject& memory_of(const Slot& slot) {
    return *static_cast<MemoryObject*>(slot.object);
}

/// Access of kl.core.VMM flags. InvalidArgument: unknown bits, none, or Write with Execute.
Result<arch::Access> access_of(u32 flags);

/// Makes the clock page. Once, at start.
void start_clock();

/// Takes a new process apart from its parts: shared with kernel/boot, which builds init.
Result<Process&> create_process(const char* name, u16 class_id, u64 budget_pages, u32 priority);
/// The first thread, once ksec granted `execute`. OutOfMemory.
Result<void> start_process(Process& process);

}  // namespace kernel::control
