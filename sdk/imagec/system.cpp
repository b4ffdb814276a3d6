// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>
#include <sdk/imagec/device_map.hpp>
#include <sdk/imagec/system.hpp>

namespace sdk::imagec {

namespace {

constexpr std::string_view kComponentsNode = "components";
constexpr std::string_view kComponentsCompatible = "tessera,components";

/// A device with the task that drives it.
struct Claim {
    std::string task{};
    Device device{};
};

bool is_overlapping(const Pages& a, const Pages& b) {
    return a.first <= b.last && b.first <= a.last;
}

/// What one register page or interrupt line cannot tell apart goes to one process.
Completion
check_claim(const Claim& claim, const std::vector<Claim>& claims, const std::string& name) {
    for (const auto& other : claims) {
        if (other.device.path == claim.device.path) {
            return Diagnostic{.code = Code::DeviceTakenTwice,
                              .file = name,
                              .cause = fmt::format("device {} is claimed by task '{}' and by '{}'",
                                                   claim.device.path,
                                                   other.task,
                                                   claim.task),
                              .way_out = "let one of them drive it and serve the other"};
        }
        if (other.task == claim.task) {
            continue;
        }
        for (const auto& mine : claim.device.pages) {
            const auto shares = [&](const auto& theirs) { return is_overlapping(mine, theirs); };
            if (std::any_of(other.device.pages.begin(), other.device.pages.end(), shares)) {
                return Diagnostic{
                    .code = Code::DeviceSharesPage,
                    .file = name,
                    .cause = fmt::format("devices {} (task '{}') and {} (task '{}') share the "
                                         "register page at {:#x}",
                                         other.device.path,
                                         other.task,
                                         claim.device.path,
                                         claim.task,
                                         mine.first * kPage),
                    .way_out = "give both to one driver: hardware cannot keep the two apart"};
            }
        }
        for (const auto& line : claim.device.interrupts) {
            const auto& theirs = other.device.interrupts;
            if (std::find(theirs.begin(), theirs.end(), line) != theirs.end()) {
                return Diagnostic{
                    .code = Code::DeviceSharesInterrupt,
                    .file = name,
                    .cause = fmt::format("devices {} (task '{}') and {} (task '{}') share an "
                                         "interrupt line",
                                         other.device.path,
                                         other.task,
                                         claim.device.path,
                                         claim.task),
                    .way_out = "give both to one driver"};
            }
        }
    }
    return Done{};
}

/// More than all CPUs together cannot be had, so some budget would not be honoured.
Completion check_cpu_budgets(const std::vector<Component>& components,
                             std::size_t cpus,
                             const std::string& board_name) {
    double wanted = 0;
    for (const auto& component : components) {
        const auto budget = component.cpu_budget.value_or(CpuBudget{.amount = 0, .period = 1});
        wanted += static_cast<double>(budget.amount) / budget.period;
    }
    if (cpus != 0 && wanted > static_cast<double>(cpus)) {
        return Diagnostic{.code = Code::CpuBudgets,
                          .file = board_name,
                          .cause =
                              fmt::format("the components' CPU budgets come to {:.2f} CPUs, the "
                                          "board has {}",
                                          wanted,
                                          cpus),
                          .way_out = "lower `cpu-budget` of /components/<task> nodes"};
    }
    return Done{};
}

Completion resolve_devices(std::vector<Component>& components,
                           const Tree& board,
                           const std::string& board_name) {
    const DeviceMap map(board, board_name);
    const auto kernel_pages = map.kernel_pages();
    std::vector<Claim> claims;
    for (auto& component : components) {
        for (auto& reference : component.devices) {
            IMAGEC_TRY_VALUE(auto device,
                             map.resolve(reference, fmt::format("task '{}'", component.task)));
            for (const auto& pages : device.pages) {
                const auto shares = [&](const auto& kept) { return is_overlapping(kept, pages); };
                if (std::any_of(kernel_pages.begin(), kernel_pages.end(), shares)) {
                    return Diagnostic{
                        .code = Code::DeviceOfKernel,
                        .file = board_name,
                        .cause = fmt::format("device {} (task '{}') shares a register page with "
                                             "the kernel's interrupt controller",
                                             device.path,
                                             component.task),
                        .way_out = "leave the device out"};
                }
            }
            reference = device.path;
            Claim claim{.task = component.task, .device = std::move(device)};
            IMAGEC_TRY(check_claim(claim, claims, board_name));
            claims.push_back(std::move(claim));
        }
    }
    std::uint64_t wanted = 0;
    for (const auto& component : components) {
        wanted += component.memory.value_or(kDefaultMemory);
    }
    if (const auto present = map.memory_size(); present != 0 && wanted > present) {
        return Diagnostic{.code = Code::MemoryBudget,
                          .file = board_name,
                          .cause = fmt::format("the components' memory budgets come to {} MiB, the "
                                               "board has {} MiB",
                                               wanted >> 20,
                                               present >> 20),
                          .way_out = "lower `memory` of /components/<task> nodes"};
    }
    return check_cpu_budgets(components, map.cpu_count(), board_name);
}

Completion check_connections(std::vector<Component>& components) {
    if (auto lost = find_lost_connections(components); !lost.empty()) {
        return lost;
    }
    for (const auto& component : components) {
        for (const auto& connection : component.connections) {
            const auto server = std::ranges::find(components, connection.target, &Component::task);
            if (server != components.end()) {
                server->serves = true;
            }
        }
    }
    return Done{};
}

Completion check_complete(const std::vector<Component>& components) {
    for (const auto& component : components) {
        if (component.class_name.empty() || component.program.empty()) {
            return refuse_at(component.origin,
                             Code::ComponentProperty,
                             fmt::format("task '{}' has no class or no program", component.task),
                             "give its node 'class' and 'program'");
        }
    }
    return Done{};
}

}  // namespace

std::vector<Component> order_components(std::vector<Component> components) {
    // reaches[i][j]: i needs j, directly or through others.
    const auto count = components.size();
    std::vector<std::vector<bool>> reaches(count, std::vector<bool>(count));
    for (std::size_t i = 0; i < count; ++i) {
        for (const auto& connection : components[i].connections) {
            for (std::size_t j = 0; j < count; ++j) {
                reaches[i][j] = reaches[i][j] || components[j].task == connection.target;
            }
        }
    }
    for (std::size_t via = 0; via < count; ++via) {
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t j = 0; j < count; ++j) {
                reaches[i][j] = reaches[i][j] || (reaches[i][via] && reaches[via][j]);
            }
        }
    }
    std::vector<bool> placed(count);
    std::vector<Component> ordered;
    while (ordered.size() < count) {
        // The first that needs nobody outstanding, its own circle excepted. There always is one.
        for (std::size_t i = 0; i < count; ++i) {
            bool ready = !placed[i];
            for (std::size_t j = 0; ready && j < count; ++j) {
                ready = placed[j] || !reaches[i][j] || reaches[j][i];
            }
            if (ready) {
                placed[i] = true;
                ordered.push_back(std::move(components[i]));
                break;
            }
        }
    }
    return ordered;
}

Outcome<System> make_system(const SystemInputs& inputs) {
    IMAGEC_TRY_VALUE(auto board, parse_tree(inputs.board, inputs.board_name));
    auto components = inputs.entities;
    if (const auto* const own = board.root.find_child(kComponentsNode); own != nullptr) {
        IMAGEC_TRY(merge_component_nodes(components, *own, inputs.board_name));
        std::erase_if(board.root.children,
                      [](const auto& child) { return child.name == kComponentsNode; });
    }
    if (!inputs.solution.empty()) {
        IMAGEC_TRY_VALUE(const auto solution, parse_tree(inputs.solution, inputs.solution_name));
        for (const auto& child : solution.root.children) {
            if (child.name != kComponentsNode) {
                return Diagnostic{
                    .code = Code::ComponentUnknown,
                    .file = inputs.solution_name,
                    .cause = fmt::format("has a node /{}, only /components is taken from a "
                                         "solution",
                                         child.name),
                    .way_out = "describe hardware in the board's tree"};
            }
            IMAGEC_TRY(merge_component_nodes(components, child, inputs.solution_name));
        }
    }
    IMAGEC_TRY(check_complete(components));
    IMAGEC_TRY(check_connections(components));
    IMAGEC_TRY(resolve_devices(components, board, inputs.board_name));
    System system{.components = order_components(std::move(components))};
    Node list{.name = std::string(kComponentsNode)};
    list.set_string("compatible", kComponentsCompatible);
    for (const auto& component : system.components) {
        list.children.push_back(make_component_node(component));
    }
    board.root.children.push_back(std::move(list));
    system.tree = flatten(board);
    return system;
}

Outcome<std::vector<Component>> list_components(View tree, const std::string& name) {
    IMAGEC_TRY_VALUE(const auto parsed, parse_tree(tree, name));
    const auto* const node = parsed.root.find_child(kComponentsNode);
    if (node == nullptr || node->get_string("compatible") != kComponentsCompatible) {
        return Diagnostic{.code = Code::TreeInvalid,
                          .file = name,
                          .cause = "has no /components node: it is a board's tree alone",
                          .way_out = "make it with `imagec system`"};
    }
    std::vector<Component> components;
    IMAGEC_TRY(merge_component_nodes(components, *node, name));
    IMAGEC_TRY(check_complete(components));
    return components;
}

Completion check_tree(View tree, const std::string& name) {
    IMAGEC_TRY_VALUE(auto components, list_components(tree, name));
    return check_connections(components);
}

}  // namespace sdk::imagec
