// SPDX-License-Identifier: Apache-2.0
#include "started_system.hpp"

#include "checked_files.hpp"

#include <algorithm>
#include <filesystem>

namespace sdk::policy {

StartedSystem::StartedSystem(const std::string& path,
                             const std::string& name,
                             const std::string& text,
                             const std::vector<imagec::Component>& entities)
    : path_(path) {
    const std::uint32_t file = sources_.add(name, text);
    all_ = policyc::describe_start(entities, file, sources_);
    suspected_ = all_;
}

void StartedSystem::hold_against(const policyc::Compilation& policy, const std::string& path) {
    const std::size_t nearness = shared_folders(path_, path);
    if (nearness < nearest_ || !is_system_of(policy.policy(), path)) {
        return;
    }
    if (nearness > nearest_) {
        nearest_ = nearness;
        suspected_ = all_;
    }
    found_ = std::make_unique<lang::Diagnostics>(sources_);
    if (policy.ok()) {
        policyc::check_start(policy.policy(), policy.lowered(), suspected_, *found_);
    }
    const auto is_cleared = [this](const auto& declared) {
        return std::ranges::find(found_->all(), declared.span, &lang::Diagnostic::span) ==
               found_->all().end();
    };
    std::erase_if(suspected_.tasks, is_cleared);
    std::erase_if(suspected_.channels, is_cleared);
}

/// It is when the two lie together or it has classes of the system; the folders of a set may hold
/// many systems.
bool StartedSystem::is_system_of(const policyc::Policy& policy, const std::string& path) const {
    namespace fs = std::filesystem;
    return fs::path(path_).parent_path() == fs::path(path).parent_path() ||
           std::ranges::any_of(all_.tasks, [&policy](const policyc::StartedTask& task) {
               return policy.find_class(task.class_name).has_value();
           });
}

}  // namespace sdk::policy
