// SPDX-License-Identifier: Apache-2.0
// For what threads of one process share inside this library. A lock is kept for a few steps and,
// where a kind of descriptor says so, for a call of a service; never while waiting for an event.
#pragma once

#include <sdk/posix/call.hpp>

namespace sdk::posix {

/// Taken by one thread at a time. Nobody ends or is cancelled while it has this.
class Lock final {
public:
    void take();
    void give();

private:
    u32 word_ = 0;  // 0 free, 1 taken, 2 taken and awaited
};

/// Has a lock as long as it lives.
class Holder final {
public:
    explicit Holder(Lock& lock) : lock_(lock) { lock_.take(); }

    ~Holder() { lock_.give(); }

    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

private:
    Lock& lock_;
};

/// Something that happens again and again, and that threads wait for:
///   u32 seen = event.count();  look whether to wait (with a lock);  event.wait(seen, ...);  again
class Event final {
public:
    u32 count() const { return __atomic_load_n(&count_, __ATOMIC_SEQ_CST); }

    /// Until it has happened since it was `seen`. Results as of wait_for (record.hpp), but 0 for
    /// -EAGAIN.
    s64 wait(u32 seen, u64 deadline, const volatile s32* cancelled);
    /// It happens now. Costs a call of the kernel only if somebody waits.
    void signal();

private:
    u32 count_ = 0;
    u32 waiting_ = 0;
};

}  // namespace sdk::posix
