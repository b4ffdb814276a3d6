// SPDX-License-Identifier: Apache-2.0
#include <kernel/base/bits.hpp>
#include <services/init/description.hpp>

namespace svc::init {

namespace {

using base::Text;
using sdk::fdt::Node;

constexpr u32 kMaxName = 63;  // kl.core.Task MaxName
constexpr u32 kMaxPriority = 255;
constexpr u64 kMaxMemory = u64{1} << 40;
constexpr u32 kMinCpuPeriod = 1000;  // kl.core.Task MinCpuPeriod, in microseconds
constexpr u32 kMaxCpuPeriod = 10'000'000;
constexpr u32 kMinHeartbeatMs = 20;
constexpr u32 kMaxHeartbeatMs = 3'600'000;

Result<std::string_view> read_name(const Node& node, Text property) {
    TRY_VALUE(const Text text, node.read_text(property));
    if (text.empty() || text.size() > kMaxName) {
        return Status::InvalidArgument;
    }
    return view_of(text);
}

/// The numbers are one cell or two; an absent one keeps its default.
bool read_number(const Node& node, Text property, u64 limit, u64& value) {
    if (!node.has_property(property)) {
        return true;
    }
    const auto number = node.read_u64(property);
    if (!number.ok() || number.value() > limit) {
        return false;
    }
    value = number.value();
    return true;
}

bool read_cpu_budget(const Node& node, CpuBudget& budget) {
    if (!node.has_property("cpu-budget")) {
        return true;
    }
    const auto cells = node.property("cpu-budget");
    if (cells.value().cell_count() != 2) {
        return false;
    }
    budget = {.amount = cells.value().cell(0).value(), .period = cells.value().cell(1).value()};
    return budget.amount != 0 && budget.period >= kMinCpuPeriod && budget.period <= kMaxCpuPeriod;
}

bool read_heartbeat(const Node& node, u32& period) {
    u64 number = kMinHeartbeatMs;
    if (!read_number(node, "heartbeat", kMaxHeartbeatMs, number) || number < kMinHeartbeatMs) {
        return false;
    }
    period = node.has_property("heartbeat") ? static_cast<u32>(number) : 0;
    return true;
}

bool read_restart(const Node& node, RestartRule& rule) {
    if (!node.has_property("restart")) {
        return true;
    }
    const auto text = node.read_text("restart");
    if (!text.ok()) {
        return false;
    }
    if (text.value() == Text{"never"}) {
        rule = RestartRule::Never;
    } else if (text.value() == Text{"always"}) {
        rule = RestartRule::Always;
    } else if (text.value() == Text{"on-failure"}) {
        rule = RestartRule::OnFailure;
    } else {
        return false;
    }
    return true;
}

}  // namespace

Result<Component> read_component(const Node& node, std::string_view& problem) {
    Component component{.task = view_of(node.name()), .node = node};
    if (component.task.empty() || component.task.size() > kMaxName) {
        problem = "the task name is empty or longer than 63 characters";
        return Status::InvalidArgument;
    }
    const auto eclass = read_name(node, "class");
    const auto program = read_name(node, "program");
    if (!eclass.ok() || !program.ok()) {
        problem = "'class' or 'program' is missing or malformed";
        return Status::InvalidArgument;
    }
    component.eclass = eclass.value();
    component.program = program.value();
    u64 priority = component.priority;
    if (!read_number(node, "priority", kMaxPriority, priority)) {
        problem = "'priority' is no number from 0 to 255";
        return Status::InvalidArgument;
    }
    component.priority = static_cast<u32>(priority);
    if (!read_number(node, "memory", kMaxMemory, component.memory) || component.memory == 0 ||
        !base::is_aligned(component.memory, base::kPageSize)) {
        problem = "'memory' is no positive multiple of 4096";
        return Status::InvalidArgument;
    }
    if (!read_cpu_budget(node, component.cpu_budget)) {
        problem = "'cpu-budget' is no amount and period in microseconds, of 1000 to 10000000";
        return Status::InvalidArgument;
    }
    if (!read_heartbeat(node, component.heartbeat_ms)) {
        problem = "'heartbeat' is no number of milliseconds from 20 to 3600000";
        return Status::InvalidArgument;
    }
    if (!read_restart(node, component.restart)) {
        problem = "'restart' is neither never, always nor on-failure";
        return Status::InvalidArgument;
    }
    component.serves = node.has_property("serves");
    component.dynamic_channels = node.has_property("dynamic-channels");
    return component;
}

Result<ConnectionEntry> read_connection(const Node& node) {
    TRY_VALUE(const Text id, node.read_text("id"));
    TRY_VALUE(const Text target, node.read_text("target"));
    if (id.empty() || target.empty()) {
        return Status::InvalidArgument;
    }
    return ConnectionEntry{.id = view_of(id), .target = view_of(target)};
}

}  // namespace svc::init
