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
#include <kernel/object/memory.hpp>

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
    u32 entropy_index = 0;
};

inline SystemState& system_state() { return *g_parts.system; }

// --- what handlers share
// ---------------------------------------------------------------------------

inline base::Ticks ticks_of(u32 microseconds) {
    return base::Ticks{arch::ticks_per_second() * microseconds / 1'000'000};
}

/// Bytes of a variable-size parameter, in the staged request; inside it, as the check has proved.
inline const char* text_of(Thread& caller, const abi::ArenaRange& range) {
    return reinterpret_cast<const char*>(ipc::staged_fixed(caller.message)) + kStagedArenaOffset +
           range.offset;
}

/// Copies a checked string into a fixed buffer, cut to fit, NUL-terminated.
void copy_text(char* to, u32 capacity, const char* from, u32 size);

/// Response descriptor of a fresh handle of the caller.
inline abi::HandleDescriptor own_handle(u32 handle) { return {handle, abi::rights::kAll, 0}; }

/// A handle of `process` for an object, derived from nothing. OutOfMemory.
template <typename T>
Result<u32> name_object(Process& process, T& object, u32 rights, SlotType type = T::kType) {
    const auto handle = insert_handle(process, {.rights = rights, .object = &object, .type = type});
    object.references += handle.ok() ? 1 : 0;
    return handle;
}

/// First of all in a quick method that may end with go_on(): the caller came by the fast path, and
/// until now nobody had to know that this CPU runs it.
inline void take_stock(Thread& caller) {
    scheduler().cpus[arch::cpu_index().value].thread = &caller;
}

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

inline void undo_mapping(Thread& caller, u64 address) { undo_commit(caller, address, 0); }

/// The descriptor of a handle that the caller was given; it goes again if the response is denied.
inline abi::HandleDescriptor give_handle(Thread& caller, u32 handle) {
    undo_handle(caller, handle);
    return own_handle(handle);
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

/// Reserves and maps a region of `target` in steps; Done: it is at `at`, and one of the caller's
/// own goes again if the response is denied. A mapping that fails half-way is taken back first.
Result<Outcome>
map_in_steps(Thread& caller, Process& target, const RegionRequest& request, u64& at);

/// Makes a memory object of `pages` pages in steps; Done: `given` names it, with the rights that
/// `flags` of kl.core.VMM leave (0: all), and it goes again if the response is denied.
/// InvalidArgument, OutOfMemory.
Result<Outcome> make_memory(Thread& caller, u64 pages, u32 flags, abi::HandleDescriptor& given);

/// Fills `request` for mapping a part of a memory object of `holder`. BadHandle, WrongType,
/// NoCapability, InvalidArgument; Busy: it would be writable here and executable elsewhere.
Status prepare_memory_mapping(
    Process& holder, u32 handle, u64 offset, u64 length, u32 flags, RegionRequest& request);

/// Access of kl.core.VMM flags. InvalidArgument: unknown bits, none, or Write with Execute.
Result<arch::Access> access_of(u32 flags);

/// Makes the clock page. Once, at start.
void start_clock();

/// Takes a new process apart from its parts: shared with kernel/boot, which builds init.
Result<Process&> create_process(const char* name, u16 class_id, u64 budget_pages, u32 priority);
/// The first thread, once ksec granted `execute`. OutOfMemory.
Result<void> start_process(Process& process);

}  // namespace kernel::control
