// SPDX-License-Identifier: Apache-2.0
// Starts all components in order and keeps them as their rules say. Whoever owes a sign of life and
// gives none is ended, as if it had failed. It calls the kernel and, for
// its log lines, the console with a time limit (log_console.hpp), so no component can hold it up.
#pragma once

#include <services/init/launcher.hpp>
#include <services/init/log_console.hpp>
#include <services/init/supervision.hpp>

namespace svc::init {

class Supervisor final {
public:
    /// Reads /components.
    Supervisor(Kernel& kernel, const sdk::romfs::Reader& files, const sdk::fdt::Tree& tree)
        : kernel_(kernel), tree_(tree), console_(kernel), launcher_(kernel, files, tree, units_) {
        launcher_.set_note(&log_note);
        read_components();
    }

    /// Whether any component may ask for channels while it runs.
    [[nodiscard]] bool wants_dynamic_channels() const;

    /// Starts what can be started. Gives the number of running components.
    u32 start_all();

    /// The kernel's notice that the task with this badge ended. The SID of the life that is over;
    /// 0: it takes no part in dynamic channels, or it was the notice of an earlier life.
    u64 on_task_ended(u64 badge);

    /// All components, in the order of their badges.
    [[nodiscard]] std::span<const Unit> units() const { return units_; }

    /// A sign of life of the component with this badge (services/Heartbeat.idl). Gives the
    /// milliseconds in which it owes the next one; 0: it owes none.
    u32 on_beat(u64 badge, u64 done, u64 open);

    /// Ends who owes a sign of life: one and a half periods after the last.
    void end_hung();

    /// Starts again what is due.
    void restart_due();

    /// When end_hung() and restart_due() must be called next, in CNTVCT ticks; 0 = nothing is
    /// planned.
    [[nodiscard]] u64 next_deadline() const;

private:
    struct Plan {
        Supervision supervision{};
        u64 restart_at = 0;  // ticks; 0 = none
        u64 beat_by = 0;     // ticks; 0 = no sign of life is waited for
        u64 done = 0;        // at the last sign that counted
        u32 idle_beats = 0;  // since then
        bool is_late = false;
    };

    static void log_note(std::string_view event, std::string_view task, std::string_view what);

    void read_components();
    [[nodiscard]] std::string_view find_console() const;
    void log_failure(const Unit& unit, const Failure& failure);
    void log_end(const Unit& unit, const TaskEnd& end);
    void await_beat(u32 index);
    void plan_restart(u32 index, const TaskEnd& end);
    void restart(u32 index);
    [[nodiscard]] u64 now_ms() const;

    Kernel& kernel_;
    const sdk::fdt::Tree& tree_;
    LogConsole console_;
    Unit storage_[kMaxComponents]{};
    Plan plans_[kMaxComponents]{};
    u32 count_ = 0;
    std::span<Unit> units_{storage_};
    Launcher launcher_;
};

}  // namespace svc::init
