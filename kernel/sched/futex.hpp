// SPDX-License-Identifier: Apache-2.0
// Threads that wait for a word of their process's memory to change (kl.core.Sync), by word; those
// that wait for a certain thread queue at that one. The strongest is woken first, of equals the one
// that has waited longest.
#pragma once

#include <kernel/base/list.hpp>
#include <kernel/sched/thread.hpp>

namespace kernel {

class Futexes final {
public:
    /// `waiter` waits for waiter.wait_address, or its leader, from now on. O(weaker waiters in the
    /// bucket).
    void add(Thread& waiter) {
        Queue& queue = waiter.leader != nullptr ? waiter.leader->followers
                                                : queue_of(*waiter.process, waiter.wait_address);
        Thread* before = queue.back();
        while (before != nullptr && before->effective() < waiter.effective()) {
            before = queue.previous(*before);
        }
        if (before == nullptr) {
            queue.push_front(waiter);
        } else {
            queue.insert_after(*before, waiter);
        }
    }

    /// As add(), for one that waits, but for another word or leader, or with another priority.
    void move(Thread& waiter) {
        remove(waiter);
        add(waiter);
    }

    /// It does not wait any more, whyever. O(1).
    static void remove(Thread& waiter) { waiter.queue_node.unlink(); }

    /// Takes the first waiter for a word off its queue; null: there is none. O(waiters in the
    /// bucket).
    Thread* take(const Process& process, u64 address) {
        Queue& queue = queue_of(process, address);
        for (Thread* each = queue.front(); each != nullptr; each = queue.next(*each)) {
            if (each->process == &process && each->wait_address == address) {
                remove(*each);
                return each;
            }
        }
        return nullptr;
    }

private:
    using Queue = base::List<Thread, &Thread::queue_node>;

    static constexpr u32 kBuckets = 64;

    /// Words of one process spread by address, the same word of several by SID.
    Queue& queue_of(const Process& process, u64 address) {
        return queues_[((address >> 2) + process.sid.value) % kBuckets];
    }

    Queue queues_[kBuckets];
};

}  // namespace kernel
