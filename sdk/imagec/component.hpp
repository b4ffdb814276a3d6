// SPDX-License-Identifier: Apache-2.0
// A component process as the system description has it, and its two sources: init.yaml, whose
// syntax is KasperskyOS's, and /components/<task> nodes, which add what that lacks. The defaults
// are here and nowhere else.
#pragma once

#include <optional>
#include <sdk/imagec/tree.hpp>
#include <string>
#include <vector>

namespace sdk::imagec {

inline constexpr std::uint32_t kDefaultPriority = 128;
inline constexpr std::uint64_t kDefaultMemory = std::uint64_t{8} << 20;
inline constexpr std::string_view kDefaultRestart = "never";
inline constexpr std::uint32_t kMinCpuPeriod = 1'000;  // kl.core.Task MinCpuPeriod
inline constexpr std::uint32_t kMaxCpuPeriod = 10'000'000;
inline constexpr std::uint32_t kMaxCpus = 4;
inline constexpr std::uint32_t kMinHeartbeat = 20;
inline constexpr std::uint32_t kMaxHeartbeat = 3'600'000;
inline constexpr std::string_view kKernelTask = "kl.core.Core";
inline constexpr std::size_t kMaxTasks = 62;        // the kernel's 64 less init and a spare
inline constexpr std::size_t kMaxConnections = 64;  // of one task
inline constexpr std::size_t kMaxNameLength = 63;   // kl.core.Task MaxName

/// Where something was written, for diagnostics; line 0 for a compiled tree.
struct Origin {
    std::string file{};
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

struct Connection {
    std::string id{};
    std::string target{};
    Origin origin{};
};

/// How long a component's threads may run in each period; in microseconds.
struct CpuBudget {
    std::uint32_t amount = 0;
    std::uint32_t period = 0;
};

struct Component {
    std::string task{};
    std::string class_name{};
    std::string program{};
    std::vector<std::string> arguments{};
    std::vector<std::string> environment{};  // KEY=value
    std::vector<Connection> connections{};
    std::optional<std::uint32_t> priority{};
    std::optional<std::uint64_t> memory{};     // bytes, multiple of 4096
    std::optional<CpuBudget> cpu_budget{};     // none: unlimited
    std::optional<std::uint32_t> heartbeat{};  // milliseconds; none: no signs of life
    std::optional<std::string> restart{};
    std::vector<std::string> devices{};  // as written; resolved paths in a finished description
    std::vector<std::string> files{};
    bool serves = false;
    bool image_files = false;       // may read all files that are no programs
    bool dynamic_channels = false;  // may ask for channels and be asked for one while it runs
    Origin origin{};
};

/// A refusal at `origin`.
Diagnostic refuse_at(const Origin& origin, Code code, std::string cause, std::string way_out);

/// True for a dotted name of identifiers, e.g. lab.Plant.
bool is_qualified_name(std::string_view name);

/// True for what may name a task: a node name of a device tree that is not a path.
bool is_task_name(std::string_view name);

/// What becomes of a connection id {var: MACRO, include: header} whose header is not there.
enum class MacroIds {
    MustResolve,
    MayStayNames,  ///< the id is the macro's name: enough for those who only look
};

/// Entities of an init.yaml, in file order. `include_folders` are searched for headers that
/// connection ids of the form {var: ..., include: ...} name. Yaml*, Entity*, TaskTwice,
/// Connection{Twice,IdUnknown}, TooManyTasks; whatever is wrong with one entity, connection or key
/// keeps none of the others from being judged.
Outcome<std::vector<Component>> parse_init_yaml(const std::string& text,
                                                const std::string& name,
                                                const std::vector<std::string>& include_folders,
                                                MacroIds macros = MacroIds::MustResolve);

/// One ConnectionTargetUnknown for each connection to neither the kernel nor one of `components`.
std::vector<Diagnostic> find_lost_connections(const std::vector<Component>& components);

/// Adds what the children of a /components node say to the components with those task names; a
/// node with `class` and without a namesake is a component of its own. ComponentUnknown,
/// ComponentProperty, ComponentConflict, TooManyTasks.
Completion merge_component_nodes(std::vector<Component>& components,
                                 const Node& node,
                                 const std::string& name);

/// The node that describes a component; absent properties get their defaults.
Node make_component_node(const Component& component);

}  // namespace sdk::imagec
