// SPDX-License-Identifier: Apache-2.0
// What kl.core.Core serves, as tables that kernel/control fills: a row for each method. A quick
// method needs three words of a short message only, is one step, and frees nothing; the fast path
// runs it in the caller's own entry. After one that moved a thread, go_on() decides who runs.
#pragma once

#include <kernel/sched/thread.hpp>

namespace kernel {

enum class Outcome : u32 {
    Done,
    More,
    Waits,       // the caller sleeps; resume_kernel_request answers
    WaitsAgain,  // the caller sleeps; the method is called again when it wakes up
    Gone,        // the caller has ended
};

using Handler = Outcome (*)(Thread& caller, const void* request, void* response);

/// Response of a quick method: what x10 and x11 will hold.
struct QuickWords {
    u64 first;
    u64 second;
};

using QuickMethod = QuickWords (*)(Thread& caller, u64 first, u64 second, u64 third);

/// Ends a quick method for which this CPU may have to run another thread: `caller` waits, or runs
/// later, and finds what it is to see in its frame. Defined in kernel/entry.
[[noreturn]] void go_on();

struct MethodEntry {
    Handler handler;
    u32 response_size;
    QuickMethod quick;  // null: it is not
};

inline constexpr u32 kMaxMethods = 32;  // a power of two

/// Methods of one interface by number, and the quick ones once more for the fast path: kMaxMethods,
/// null where there is none, so that no number leads outside, not even in speculation.
struct Interface {
    const QuickMethod* quick;
    u64 count;
    const MethodEntry* methods;
};

inline constexpr u32 kMaxInterfaces = 32;  // a power of two

/// By endpoint number of kl.core.Core; an interface without methods where nothing is served.
struct InterfaceTable {
    const Interface* at[kMaxInterfaces];
};

extern const InterfaceTable kInterfaces;

/// The interface that a request to the kernel names. An endpoint that the kernel does not have
/// leads to some other; no policy grants a request to one.
inline const Interface& kernel_interface(abi::Tag tag) {
    return *kInterfaces.at[tag.endpoint() % kMaxInterfaces];
}

}  // namespace kernel
