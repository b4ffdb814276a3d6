// SPDX-License-Identifier: Apache-2.0
#include <kernel/sched/endpoint.hpp>

namespace kernel {

void Endpoint::queue_caller(Thread& caller) {
    caller.queue_node.unlink();
    Thread* before = callers.back();
    while (before != nullptr && before->effective() < caller.effective()) {
        before = callers.previous(*before);
    }
    if (before == nullptr) {
        callers.push_front(caller);
    } else {
        callers.insert_after(*before, caller);
    }
}

}  // namespace kernel
