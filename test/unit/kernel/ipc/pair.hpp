// SPDX-License-Identifier: Apache-2.0
// One client and one server, and the messages they exchange in most cases.
#pragma once

#include <test/unit/kernel/harness/harness.hpp>

namespace kernel_test {

inline constexpr abi::Tag kRequest = request_tag(0, 0, 16);
inline constexpr abi::Tag kResponse = response_tag(0, 0, 8);

struct Pair {
    explicit Pair(u32 cpu_count = 1) : kernel(cpu_count) {
        kernel.policy.add_method(kServerClass, 0, 0, make_shape(16), make_shape(8));
    }

    /// The client's request is with the server, which runs; returns the token.
    u64 deliver() {
        kernel.receive(server, listener);
        kernel.call(client, channel, kRequest, {.words = {1, 2}});
        return Kernel::answer_of(server).token;
    }

    Kernel kernel;
    Thread& server = kernel.add_process("server", kServerClass);
    Thread& client = kernel.add_process("client", kClientClass);
    u32 listener = kernel.add_listener(*server.process);
    u32 channel = kernel.add_channel(*client.process, *server.process);
};

inline Status status_of(const Thread& thread) { return Kernel::answer_of(thread).status; }

}  // namespace kernel_test
