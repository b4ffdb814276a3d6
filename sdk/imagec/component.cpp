// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <lang/diagnostics.hpp>
#include <sdk/imagec/component.hpp>

namespace sdk::imagec {

Diagnostic refuse_at(const Origin& origin, Code code, std::string cause, std::string way_out) {
    return Diagnostic{.code = code,
                      .file = origin.file,
                      .line = origin.line,
                      .column = origin.column,
                      .cause = std::move(cause),
                      .way_out = std::move(way_out)};
}

namespace {

constexpr bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool is_qualified_name(std::string_view name) {
    bool starts = true;
    for (const char c : name) {
        if (c == '.' && !starts) {
            starts = true;
        } else if (is_letter(c) || (is_digit(c) && !starts)) {
            starts = false;
        } else {
            return false;
        }
    }
    return !starts && name.size() <= kMaxNameLength;
}

bool is_task_name(std::string_view name) {
    return !name.empty() && name.size() <= kMaxNameLength &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return is_letter(c) || is_digit(c) || c == '.' || c == '+' || c == '-';
           });
}

namespace {

/// Takes over one /components/<task> node.
class NodeMerger {
public:
    NodeMerger(Component& component, const Node& node, const std::string& name)
        : component_(component), node_(node), origin_{.file = name} {}

    Completion run() {
        for (const auto& property : node_.properties) {
            IMAGEC_TRY(take(property));
        }
        for (const auto& child : node_.children) {
            if (child.name != "connections") {
                return refuse(Code::ComponentProperty,
                              fmt::format("unknown subnode '{}'", child.name),
                              "a component has one kind of subnode, 'connections'");
            }
            for (const auto& connection : child.children) {
                IMAGEC_TRY(take_connection(connection));
            }
        }
        return Done{};
    }

private:
    [[nodiscard]] Diagnostic refuse(Code code, std::string cause, std::string way_out) const {
        return refuse_at(origin_,
                         code,
                         fmt::format("/components/{}: {}", node_.name, cause),
                         std::move(way_out));
    }

    [[nodiscard]] Diagnostic conflict(std::string_view what) const {
        return refuse(Code::ComponentConflict,
                      fmt::format("'{}' is given a second time", what),
                      "state it in one place: init.yaml, the board's tree or the solution's");
    }

    Completion take(const Property& property) {
        if (property.name == "priority" || property.name == "memory") {
            return take_number(property);
        }
        if (property.name == "cpu-budget") {
            return take_cpu_budget(property);
        }
        if (property.name == "heartbeat") {
            return take_heartbeat(property);
        }
        if (bool* const flag = find_flag(property.name); flag != nullptr) {
            *flag = true;
            return Done{};
        }
        const auto strings = find_strings(property.value);
        const auto is_text = [](const auto& text) {
            return std::none_of(text.begin(), text.end(), [](char c) {
                return static_cast<unsigned char>(c) < ' ';
            });
        };
        if (!strings || !std::all_of(strings->begin(), strings->end(), is_text)) {
            return refuse(Code::ComponentProperty,
                          fmt::format("'{}' is no list of texts", property.name),
                          "write \"text\", \"text\"");
        }
        return take_strings(property.name, *strings);
    }

    bool* find_flag(std::string_view name) {
        return name == "serves"             ? &component_.serves
               : name == "image-files"      ? &component_.image_files
               : name == "dynamic-channels" ? &component_.dynamic_channels
                                            : nullptr;
    }

    Completion take_number(const Property& property) {
        const auto cells = find_cells(property.value);
        std::uint64_t value = 0;
        if (cells && (cells->size() == 1 || cells->size() == 2)) {
            for (const auto cell : *cells) {
                value = value << 32 | cell;
            }
        }
        if (property.name == "priority") {
            if (!cells || cells->size() != 1 || value > 255) {
                return refuse(Code::ComponentProperty,
                              "'priority' is no number from 0 to 255",
                              "write priority = <128>;");
            }
            if (component_.priority) {
                return conflict("priority");
            }
            component_.priority = static_cast<std::uint32_t>(value);
            return Done{};
        }
        if (value == 0 || value % kPage != 0 || value > std::uint64_t{1} << 40) {
            return refuse(Code::ComponentProperty,
                          "'memory' is no positive multiple of 4096",
                          "write the bytes as <high low>, e.g. memory = <0 0x800000>; for 8 MiB");
        }
        if (component_.memory) {
            return conflict("memory");
        }
        component_.memory = value;
        return Done{};
    }

    Completion take_cpu_budget(const Property& property) {
        const auto cells = find_cells(property.value);
        if (!cells || cells->size() != 2 || (*cells)[0] == 0 || (*cells)[1] < kMinCpuPeriod ||
            (*cells)[1] > kMaxCpuPeriod || (*cells)[0] > std::uint64_t{(*cells)[1]} * kMaxCpus) {
            return refuse(Code::ComponentProperty,
                          "'cpu-budget' is no amount, of at most four periods, and period, of "
                          "1000 to 10000000 microseconds",
                          "for 2 of every 10 ms write cpu-budget = <2000 10000>;");
        }
        if (component_.cpu_budget) {
            return conflict("cpu-budget");
        }
        component_.cpu_budget = CpuBudget{.amount = (*cells)[0], .period = (*cells)[1]};
        return Done{};
    }

    Completion take_heartbeat(const Property& property) {
        const auto cells = find_cells(property.value);
        if (!cells || cells->size() != 1 || (*cells)[0] < kMinHeartbeat ||
            (*cells)[0] > kMaxHeartbeat) {
            return refuse(Code::ComponentProperty,
                          "'heartbeat' is no number of milliseconds from 20 to 3600000",
                          "for a sign of life in each second write heartbeat = <1000>;");
        }
        if (component_.heartbeat) {
            return conflict("heartbeat");
        }
        component_.heartbeat = (*cells)[0];
        return Done{};
    }

    Completion take_strings(const std::string& name, const std::vector<std::string>& values) {
        if (name == "class" || name == "program" || name == "restart") {
            if (values.size() != 1) {
                return refuse(Code::ComponentProperty,
                              fmt::format("'{}' must be one text", name),
                              fmt::format("write {} = \"...\";", name));
            }
            return take_word(name, values.front());
        }
        std::vector<std::string>* list = name == "args"          ? &component_.arguments
                                         : name == "environment" ? &component_.environment
                                         : name == "devices"     ? &component_.devices
                                         : name == "files"       ? &component_.files
                                                                 : nullptr;
        if (list == nullptr) {
            return refuse(
                Code::ComponentProperty,
                fmt::format("unknown property '{}'", name),
                "known: class, program, args, environment, priority, memory, cpu-budget, "
                "heartbeat, restart, devices, files, image-files, serves, dynamic-channels");
        }
        if (!list->empty()) {
            return conflict(name);
        }
        *list = values;
        return Done{};
    }

    Completion take_word(const std::string& name, const std::string& value) {
        if (name == "restart") {
            if (value != "never" && value != "always" && value != "on-failure") {
                return refuse(Code::ComponentProperty,
                              fmt::format("'{}' is no restart rule", value),
                              "write \"never\", \"always\" or \"on-failure\"");
            }
            if (component_.restart) {
                return conflict(name);
            }
            component_.restart = value;
            return Done{};
        }
        if (value.empty() || (name == "class" && !is_qualified_name(value))) {
            return refuse(Code::ComponentProperty,
                          fmt::format("'{}' is no {}", value, name),
                          "a class is dotted identifiers, a program is a ROM file");
        }
        auto& place = name == "class" ? component_.class_name : component_.program;
        if (!place.empty() && place != value) {
            return conflict(name);
        }
        place = value;
        return Done{};
    }

    Completion take_connection(const Node& node) {
        Connection connection{
            .id = node.get_string("id"), .target = node.get_string("target"), .origin = origin_};
        if (connection.id.empty() || connection.target.empty()) {
            return refuse(Code::ComponentProperty,
                          fmt::format("connection '{}' lacks 'id' or 'target'", node.name),
                          "write c@0 { reg = <0>; id = \"...\"; target = \"...\"; };");
        }
        const auto same_id = [&](const auto& other) { return other.id == connection.id; };
        if (std::any_of(component_.connections.begin(), component_.connections.end(), same_id)) {
            return refuse(Code::ConnectionTwice,
                          fmt::format("connection id '{}' occurs twice", connection.id),
                          "give each connection of a task its own id");
        }
        if (component_.connections.size() == kMaxConnections) {
            return refuse(Code::ComponentProperty,
                          fmt::format("more than {} connections", kMaxConnections),
                          "split the component");
        }
        component_.connections.push_back(std::move(connection));
        return Done{};
    }

    Component& component_;
    const Node& node_;
    Origin origin_;
};

}  // namespace

std::vector<Diagnostic> find_lost_connections(const std::vector<Component>& components) {
    std::vector<std::string> tasks{std::string(kKernelTask)};
    for (const auto& component : components) {
        tasks.push_back(component.task);
    }
    std::vector<Diagnostic> result;
    for (const auto& component : components) {
        for (const auto& connection : component.connections) {
            if (std::ranges::find(tasks, connection.target) != tasks.end()) {
                continue;
            }
            const std::string meant = lang::closest(connection.target, tasks);
            result.push_back(
                refuse_at(connection.origin,
                          Code::ConnectionTargetUnknown,
                          fmt::format("task '{}' connects '{}' to '{}', which is no task{}",
                                      component.task,
                                      connection.id,
                                      connection.target,
                                      meant.empty() ? "" : ", did you mean '" + meant + "'?"),
                          "add an entity with that task name, or correct 'target'; the "
                          "programs that a template's token lists come with -D"));
        }
    }
    return result;
}

Completion merge_component_nodes(std::vector<Component>& components,
                                 const Node& node,
                                 const std::string& name) {
    for (const auto& child : node.children) {
        auto found = std::find_if(components.begin(), components.end(), [&](const auto& component) {
            return component.task == child.name;
        });
        if (found == components.end()) {
            const auto class_name = child.get_string("class");
            if (class_name.empty() || !is_task_name(child.name)) {
                return refuse_at(
                    Origin{.file = name},
                    Code::ComponentUnknown,
                    fmt::format("/components/{} describes no task of init.yaml", child.name),
                    "name the node like the task, or give it a 'class' to make it a "
                    "component of its own");
            }
            if (components.size() == kMaxTasks) {
                return refuse_at(Origin{.file = name},
                                 Code::TooManyTasks,
                                 fmt::format("more than {} tasks", kMaxTasks),
                                 "merge components, or start fewer");
            }
            found = components.insert(
                components.end(), Component{.task = child.name, .origin = Origin{.file = name}});
        }
        IMAGEC_TRY(NodeMerger(*found, child, name).run());
        if (found->program.empty()) {
            found->program = found->class_name.substr(found->class_name.rfind('.') + 1);
        }
    }
    return Done{};
}

Node make_component_node(const Component& component) {
    Node node{.name = component.task};
    node.set_string("class", component.class_name);
    node.set_string("program", component.program);
    if (!component.arguments.empty()) {
        node.set_strings("args", component.arguments);
    }
    if (!component.environment.empty()) {
        node.set_strings("environment", component.environment);
    }
    const auto memory = component.memory.value_or(kDefaultMemory);
    node.set_cells("priority", {component.priority.value_or(kDefaultPriority)});
    node.set_cells("memory",
                   {static_cast<std::uint32_t>(memory >> 32), static_cast<std::uint32_t>(memory)});
    if (component.cpu_budget) {
        node.set_cells("cpu-budget", {component.cpu_budget->amount, component.cpu_budget->period});
    }
    if (component.heartbeat) {
        node.set_cells("heartbeat", {*component.heartbeat});
    }
    node.set_string("restart", component.restart.value_or(std::string(kDefaultRestart)));
    if (!component.devices.empty()) {
        node.set_strings("devices", component.devices);
    }
    if (!component.files.empty()) {
        node.set_strings("files", component.files);
    }
    if (component.image_files) {
        node.set("image-files", {});
    }
    if (component.serves) {
        node.set("serves", {});
    }
    if (component.dynamic_channels) {
        node.set("dynamic-channels", {});
    }
    if (!component.connections.empty()) {
        Node list{.name = "connections"};
        list.set_cells("#address-cells", {1});
        list.set_cells("#size-cells", {0});
        for (std::uint32_t i = 0; i < component.connections.size(); ++i) {
            Node entry{.name = fmt::format("c@{:x}", i)};
            entry.set_cells("reg", {i});
            entry.set_string("id", component.connections[i].id);
            entry.set_string("target", component.connections[i].target);
            list.children.push_back(std::move(entry));
        }
        node.children.push_back(std::move(list));
    }
    return node;
}

}  // namespace sdk::imagec
