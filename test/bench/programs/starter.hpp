// SPDX-License-Identifier: Apache-2.0
// Starts the smallest process there is, as init starts components: from Task.Create over a page of
// code, a stack and a page to be told things in, to Resume.
#pragma once

#include <kernel/base/result.hpp>
#include <kl/core/Handle.client.hpp>
#include <kl/core/Task.client.hpp>
#include <kl/core/VMM.client.hpp>
#include <string_view>
#include <test/bench/programs/loops.hpp>

namespace bench {

using base::Result;
using base::u32;

class Starter final {
public:
    Starter();

    /// Ticks from before Task.Create to the first instruction of the process, which has ended when
    /// this returns. `number` makes its name. Errors as of the kernel's methods; step() says which.
    Result<u64> start_process(u32 number);

    /// What was being done when start_process failed.
    [[nodiscard]] std::string_view step() const { return step_; }

private:
    struct Segment {
        u32 memory;
        u64 address;
        u32 flags;
    };

    Result<void> share_page();
    Result<u32> create_task(u32 number);
    Result<u32> create_memory();
    Result<u64> map(u32 memory);
    Result<void> load(u32 task, const Segment& segment);
    Result<void> load_code(u32 task);
    Result<void> load_stack(u32 task);
    Result<void> build(u32 task);

    kl::core::Task::Proxy tasks_;
    kl::core::VMM::Proxy memory_;
    kl::core::Handle::Proxy handles_;
    std::string_view step_{};
    u32 page_handle_ = 0;
    ChildPage* page_ = nullptr;
};

}  // namespace bench
