// SPDX-License-Identifier: Apache-2.0
#include <runtime/console.hpp>
#include <runtime/log.hpp>
#include <runtime/status_text.hpp>
#include <services/init/fault_text.hpp>
#include <services/init/supervisor.hpp>

namespace svc::init {

namespace {

using sdk::LogLine;
using sdk::fdt::Node;

constexpr std::string_view name_of(EndReason reason) {
    switch (reason) {
    case EndReason::Exit:
        return "exit";
    case EndReason::Terminated:
        return "terminated";
    case EndReason::Fault:
        return "fault";
    }
    return "unknown";
}

}  // namespace

void Supervisor::log_note(std::string_view event, std::string_view task, std::string_view what) {
    LogLine{"init", event}.field("task", task).field("what", what);
}

void Supervisor::read_components() {
    const auto list = tree_.find("/components");
    if (!list.ok()) {
        LogLine{"init", "no-components"};
        return;
    }
    for (const Node node : list.value().children()) {
        if (count_ == kMaxComponents) {
            LogLine{"init", "components-skipped"}.field("limit", kMaxComponents);
            return;
        }
        std::string_view problem;
        const auto component = read_component(node, problem);
        if (!component.ok()) {
            LogLine{"init", "component-skipped"}
                .field("task", view_of(node.name()))
                .field("why", problem);
            continue;
        }
        units_[count_++].component = component.value();
    }
}

/// The process that others reach as their console; empty when there is none.
std::string_view Supervisor::find_console() const {
    for (const Unit& unit : units_.first(count_)) {
        const auto list = unit.component.node.child("connections");
        if (!list.ok()) {
            continue;
        }
        for (const Node node : list.value().children()) {
            const auto entry = read_connection(node);
            if (entry.ok() && entry.value().id == sdk::kConsoleConnection) {
                return entry.value().target;
            }
        }
    }
    return {};
}

bool Supervisor::wants_dynamic_channels() const {
    for (const Unit& unit : units_.first(count_)) {
        if (unit.component.dynamic_channels) {
            return true;
        }
    }
    return false;
}

u32 Supervisor::start_all() {
    const std::string_view console = find_console();
    Failure failure;
    for (Unit& unit : units_.first(count_)) {
        if (!launcher_.prepare(unit, failure)) {
            log_failure(unit, failure);
        }
    }
    for (Unit& unit : units_.first(count_)) {
        if (unit.life.task != 0 && !launcher_.furnish(unit, failure)) {
            log_failure(unit, failure);
        }
    }
    u32 running = 0;
    for (u32 i = 0; i < count_; ++i) {
        Unit& unit = units_[i];
        if (unit.life.task == 0) {
            continue;
        }
        plans_[i].supervision.on_start(now_ms());
        if (!launcher_.start(unit, i, failure)) {
            log_failure(unit, failure);
            continue;
        }
        await_beat(i);
        ++running;
        if (unit.component.task == console) {
            console_.open(unit.life.task);
        }
        LogLine{"init", "task-started"}
            .field("task", unit.component.task)
            .field("class", unit.component.eclass);
    }
    return running;
}

u64 Supervisor::on_task_ended(u64 badge) {
    if (badge >= count_) {
        return 0;
    }
    const u32 index = static_cast<u32>(badge);
    Unit& unit = units_[index];
    if (!unit.life.is_running) {
        return 0;
    }
    const auto end = kernel_.get_end(unit.life.task);
    if (!end.ok()) {
        return 0;  // NotReady: a notice of the life before
    }
    log_end(unit, end.value());
    unit.life.is_running = false;
    plans_[index].beat_by = 0;
    plan_restart(index, end.value());
    return unit.life.sid;
}

/// From now on the component has its period.
void Supervisor::await_beat(u32 index) {
    Plan& plan = plans_[index];
    const u64 period_ms = units_[index].component.heartbeat_ms;
    plan.beat_by = period_ms == 0 ? 0 : kernel_.now() + period_ms * kernel_.frequency() / 1000;
    plan.idle_beats = 0;
    plan.is_late = false;
}

u32 Supervisor::on_beat(u64 badge, u64 done, u64 open) {
    if (badge >= count_ || plans_[badge].beat_by == 0) {
        return 0;
    }
    const u32 index = static_cast<u32>(badge);
    Plan& plan = plans_[index];
    if (open == 0 || done != plan.done) {
        plan.done = done;
        await_beat(index);
    } else {
        ++plan.idle_beats;
    }
    return units_[index].component.heartbeat_ms;
}

/// Half a period more for the first delay: it may be init's own, or that of the whole machine.
void Supervisor::end_hung() {
    for (u32 i = 0; i < count_; ++i) {
        Plan& plan = plans_[i];
        const Unit& unit = units_[i];
        if (plan.beat_by == 0 || plan.beat_by > kernel_.now()) {
            continue;
        }
        if (!plan.is_late) {
            plan.is_late = true;
            plan.beat_by = kernel_.now() + unit.component.heartbeat_ms * kernel_.frequency() / 2000;
            continue;
        }
        plan.beat_by = 0;
        LogLine{"init", "task-hung"}
            .field("task", unit.component.task)
            .field("why", plan.idle_beats == 0 ? "silent" : "no-progress");
        (void)kernel_.terminate(unit.life.task);  // its end comes as any other
    }
}

void Supervisor::plan_restart(u32 index, const TaskEnd& end) {
    Unit& unit = units_[index];
    Plan& plan = plans_[index];
    const Decision decision = plan.supervision.on_end(unit.component.restart, end, now_ms());
    if (decision.verdict == Verdict::Restart) {
        plan.restart_at = kernel_.now() + decision.delay_ms * kernel_.frequency() / 1000;
        if (decision.failures > 1) {
            LogLine{"init", "task-waits"}
                .field("task", unit.component.task)
                .field("delay_ms", decision.delay_ms)
                .field("quick_failures", decision.failures);
        }
        return;
    }
    if (decision.verdict == Verdict::GiveUp) {
        LogLine{"init", "task-given-up"}
            .field("task", unit.component.task)
            .field("quick_failures", decision.failures);
    }
}

u64 Supervisor::next_deadline() const {
    u64 earliest = 0;
    for (const Plan& plan : plans_) {
        for (const u64 time : {plan.restart_at, plan.beat_by}) {
            if (time != 0 && (earliest == 0 || time < earliest)) {
                earliest = time;
            }
        }
    }
    return earliest;
}

void Supervisor::restart_due() {
    for (u32 i = 0; i < count_; ++i) {
        if (plans_[i].restart_at != 0 && plans_[i].restart_at <= kernel_.now()) {
            plans_[i].restart_at = 0;
            restart(i);
        }
    }
}

void Supervisor::restart(u32 index) {
    Unit& unit = units_[index];
    Failure failure;
    // The old life is over: closing its handle lets the kernel forget it and frees its name.
    if (unit.life.task != 0) {
        kernel_.close(unit.life.task);
        unit.life = {};
    }
    plans_[index].supervision.on_start(now_ms());
    if (!launcher_.prepare(unit, failure) || !launcher_.furnish(unit, failure) ||
        !launcher_.start(unit, index, failure)) {
        log_failure(unit, failure);
        plan_restart(index, {.reason = EndReason::Fault, .code = 0, .address = 0, .pc = 0});
        return;
    }
    plans_[index].done = 0;
    await_beat(index);
    LogLine{"init", "task-restarted"}.field("task", unit.component.task);
}

void Supervisor::log_failure(const Unit& unit, const Failure& failure) {
    LogLine line{"init", "component-failed"};
    line.field("task", unit.component.task)
        .field("step", failure.step)
        .field("status", sdk::name_of(failure.status));
    if (!failure.detail.empty()) {
        line.field("detail", failure.detail);
    }
}

void Supervisor::log_end(const Unit& unit, const TaskEnd& end) {
    LogLine line{"init", "task-ended"};
    line.field("task", unit.component.task).field("reason", name_of(end.reason));
    if (end.reason != EndReason::Fault) {
        line.field("code", end.code);
        return;
    }
    const auto syndrome = static_cast<u32>(end.code);
    line.field("what", describe_fault(syndrome));
    if (is_abort(syndrome)) {
        line.field("cause", describe_cause(syndrome));
    }
    if (has_fault_address(syndrome)) {
        line.hex("address", end.address);
    }
    // As in the program's own symbol table.
    line.hex("pc", end.pc - unit.life.image);
}

u64 Supervisor::now_ms() const {
    const u64 frequency = kernel_.frequency();
    const u64 ticks = kernel_.now();
    return ticks / frequency * 1000 + ticks % frequency * 1000 / frequency;
}

}  // namespace svc::init
