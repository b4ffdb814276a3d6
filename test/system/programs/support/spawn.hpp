// SPDX-License-Identifier: Apache-2.0
// Processes made by a test. A child runs a function of the test's own program: its text, constants
// and a copy of its data at the same addresses, with a stack of its own and the board, a memory
// that parent and all children share. So a test reads as one file, and a child may be as hostile as
// it likes: nothing but the board is shared, and whatever ends it ends only it.
#pragma once

#include <kernel/abi/rights.hpp>
#include <test/system/programs/support/kernel.hpp>

namespace trial {

/// Runs in the child; its result is the exit code.
using ChildMain = s32 (*)(u64 argument);

struct ChildOptions {
    std::string_view eclass = "trial.Equal";
    u64 memory = 512u << 10;  ///< budget; the image is charged to the parent
    u32 priority = 100;
    bool serves = false;  ///< gets a listener
    u32 cpu_amount = 0;   ///< budget in microseconds for each period; 0: unlimited
    u32 cpu_period = 0;
    std::string_view name{};  ///< empty: one never used before; else waits until it is free
};

struct Child {
    u32 task = 0;      ///< 0: could not be made
    u32 listener = 0;  ///< handle in the child's table
};

/// How a process ended.
struct Ending {
    bool ended = false;
    u32 reason = 0;  ///< 0 exit, 1 terminated, 2 fault
    s32 code = 0;    ///< of a fault: the exception class of ESR_EL1
    u64 address = 0;
    u64 pc = 0;
};

/// What a child finds in registers besides: where its parent's Task.SetEnv put its environment.
struct Environment {
    u64 address = 0;
    u64 size = 0;
};

/// That of the child that asks.
Environment own_environment();

inline constexpr u32 kExited = 0;
inline constexpr u32 kTerminated = 1;
inline constexpr u32 kFaulted = 2;

class Spawner final {
public:
    explicit Spawner(const Context& context);
    ~Spawner();
    Spawner(const Spawner&) = delete;
    Spawner& operator=(const Spawner&) = delete;

    static constexpr u64 kBoardBytes = 16 * kPage;
    static constexpr u64 kStackBytes = 4 * kPage;

    /// Address of the shared memory, the same in parent and children.
    [[nodiscard]] u64 board_address() const { return board_; }

    template <typename T> [[nodiscard]] T& board() const {
        static_assert(sizeof(T) <= kBoardBytes);
        return at<T>(board_);
    }

    /// A process that is built but does not run yet.
    Child build(ChildMain main, u64 argument, const ChildOptions& options = {});
    /// Lets it run.
    Status start(const Child& child);
    /// Both.
    Child spawn(ChildMain main, u64 argument, const ChildOptions& options = {});

    /// Waits until the child has ended, at most `limit_ms`.
    static Ending wait(const Child& child, u64 limit_ms = 40'000);
    /// Ends it if it runs, and forgets it.
    static void discard(const Child& child);
    /// spawn, wait, discard.
    Ending run(ChildMain main, u64 argument, const ChildOptions& options = {});

    /// A channel of `client` to `server`, which serves; the handle in the client's table.
    static u32 connect(const Child& client, const Child& server);
    /// A copy, for the child, of a handle of the parent.
    static u32 give(const Child& child, u32 handle, u32 rights = abi::rights::kAll);

private:
    struct Part {
        u64 address = 0;
        u64 size = 0;
        u32 flags = 0;
        u32 memory = 0;  // object with its content; 0: copied for each child
    };

    static constexpr u32 kMaxParts = 4;

    bool load(u32 task, const Part& part);
    static u32 make_copy(const Part& part);

    Part parts_[kMaxParts]{};
    u32 part_count_ = 0;
    u64 board_ = 0;
    u32 board_memory_ = 0;
};

}  // namespace trial
