// SPDX-License-Identifier: Apache-2.0
#include "interpreted_tessera.hpp"

#include <algorithm>

namespace sdk::policyc {

// ---- Rbac ---------------------------------------------------------------------------------------

bool RbacState::init(std::uint64_t sid) { return sid != 0 && roles_.try_emplace(sid).second; }

bool RbacState::fini(std::uint64_t sid) { return roles_.erase(sid) != 0; }

std::set<std::string> RbacState::includes(const std::string& role) const {
    std::set<std::string> result{role};
    const auto number = std::ranges::find(config_->roles, role) - config_->roles.begin();
    for (const std::size_t junior : config_->inherits[static_cast<std::size_t>(number)]) {
        result.merge(includes(config_->roles[junior]));
    }
    return result;
}

bool RbacState::covers(const std::set<std::string>& roles, const std::string& wanted) const {
    return std::ranges::any_of(
        roles, [&](const std::string& role) { return includes(role).contains(wanted); });
}

bool RbacState::assign(std::uint64_t sid, const std::string& role) {
    const auto found = roles_.find(sid);
    if (found == roles_.end()) {
        return false;
    }
    found->second.assigned.insert(role);
    return true;
}

bool RbacState::revoke(std::uint64_t sid, const std::string& role) {
    const auto found = roles_.find(sid);
    if (found == roles_.end()) {
        return false;
    }
    found->second.assigned.erase(role);
    std::erase_if(found->second.enabled, [&](const std::string& enabled) {
        return !covers(found->second.assigned, enabled);
    });
    return true;
}

bool RbacState::enable(std::uint64_t sid, const std::string& role) {
    const auto found = roles_.find(sid);
    if (found == roles_.end() || !covers(found->second.assigned, role)) {
        return false;
    }
    found->second.enabled.insert(role);
    return true;
}

bool RbacState::disable(std::uint64_t sid, const std::string& role) {
    const auto found = roles_.find(sid);
    if (found == roles_.end()) {
        return false;
    }
    found->second.enabled.erase(role);
    return true;
}

std::optional<bool> RbacState::has(std::uint64_t sid, const std::string& permission) const {
    const auto found = roles_.find(sid);
    if (found == roles_.end()) {
        return std::nullopt;
    }
    for (std::size_t role = 0; role < config_->roles.size(); ++role) {
        for (const std::size_t held : config_->holds[role]) {
            if (config_->permissions[held] == permission &&
                covers(found->second.enabled, config_->roles[role])) {
                return true;
            }
        }
    }
    return false;
}

std::optional<bool> RbacState::is_enabled(std::uint64_t sid, const std::string& role) const {
    const auto found = roles_.find(sid);
    return found == roles_.end() ? std::nullopt
                                 : std::optional(found->second.enabled.contains(role));
}

void RbacState::end(std::uint64_t sid) { roles_.erase(sid); }

// ---- RateLimit ----------------------------------------------------------------------------------

bool RateLimitState::init(std::uint64_t sid, std::uint64_t now_ns) {
    const auto full = static_cast<unsigned __int128>(config_->burst) * config_->period_ns;
    return sid != 0 && buckets_.try_emplace(sid, Bucket{full, now_ns}).second;
}

bool RateLimitState::fini(std::uint64_t sid) { return buckets_.erase(sid) != 0; }

unsigned __int128 RateLimitState::credit(const Bucket& bucket, std::uint64_t now_ns) const {
    const auto full = static_cast<unsigned __int128>(config_->burst) * config_->period_ns;
    const std::uint64_t passed = now_ns > bucket.at_ns ? now_ns - bucket.at_ns : 0;
    return std::min(full, bucket.credit + static_cast<unsigned __int128>(passed) * config_->rate);
}

bool RateLimitState::take(std::uint64_t sid, std::uint64_t count, std::uint64_t now_ns) {
    const auto found = buckets_.find(sid);
    if (found == buckets_.end()) {
        return false;
    }
    Bucket& bucket = found->second;
    const unsigned __int128 present = credit(bucket, now_ns);
    const auto price = static_cast<unsigned __int128>(count) * config_->period_ns;
    if (price > present) {
        return false;
    }
    bucket = {present - price, std::max(bucket.at_ns, now_ns)};
    return true;
}

std::optional<std::uint64_t> RateLimitState::left(std::uint64_t sid, std::uint64_t now_ns) const {
    const auto found = buckets_.find(sid);
    if (found == buckets_.end()) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(credit(found->second, now_ns) / config_->period_ns);
}

void RateLimitState::end(std::uint64_t sid) { buckets_.erase(sid); }

// ---- TimeWindow ---------------------------------------------------------------------------------

bool TimeWindowState::set_clock(std::uint64_t seconds, std::uint64_t now_ns) {
    const auto wall = static_cast<__int128>(seconds) * 1'000'000'000;
    if (!config_->is_wall || seconds >= INT64_MAX / 1'000'000'000) {
        return false;
    }
    offset_ = wall - now_ns;
    return true;
}

std::optional<bool> TimeWindowState::is_open(std::uint64_t now_ns) const {
    if (config_->is_wall && !offset_) {
        return std::nullopt;
    }
    const __int128 time = config_->is_wall ? now_ns + *offset_ : now_ns;
    const __int128 since = time - config_->origin_ns;
    if (since < 0 || time > INT64_MAX || now_ns > INT64_MAX) {
        return false;
    }
    const __int128 phase = config_->period_ns == 0 ? since : since % config_->period_ns;
    return std::ranges::any_of(config_->windows, [phase](const TimeWindowConfig::Window& window) {
        return window.from_ns <= phase && phase < window.to_ns;
    });
}

}  // namespace sdk::policyc
