// SPDX-License-Identifier: Apache-2.0
// The other side of <runtime/ipc.hpp> for tests: a Call goes to a dispatcher in the same thread, as
// the kernel would carry it, and what the tag says is compared with what is sent.
#pragma once

#include <functional>
#include <idl/dispatcher.hpp>
#include <vector>

namespace test {

/// A message under way.
struct Carried {
    abi::Tag tag{};
    std::vector<base::u8> fixed;
    std::vector<base::u8> arena;
};

struct FakeKernel {
    idl::DispatcherBase* server = nullptr;
    std::function<void()> serve;  ///< a server that is no dispatcher: receives and replies once
    abi::Status refuse = abi::Status::Ok;  ///< answer of the next Call without a server
    bool keep_deferred = false;            ///< the server answers later

    base::u32 handle = 7;  ///< that Calls are made on
    Carried request;
    Carried answer;
    bool answered = false;
    base::u64 deadline = 0;
    base::u64 receive_deadline = 0;
    base::u32 replies = 0;
    bool runs = false;  ///< what happens now is the kernel's doing, not the binding's
    /// Given to receive(), last first; Ok stands for the request.
    std::vector<abi::Status> receive_results;
    /// Changes the bytes of a message on its way, to see what the other side does.
    void (*corrupt_request)(Carried&) = nullptr;
    void (*corrupt_answer)(Carried&) = nullptr;
};

extern FakeKernel fake;

}  // namespace test
