// SPDX-License-Identifier: Apache-2.0
// State of the models of our own in the reference interpreter; see interpreted_state.hpp.
#pragma once

#include "objects.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace sdk::policyc {

/// Rbac: the roles assigned to each attached SID and those it works with.
class RbacState final {
public:
    explicit RbacState(const RbacConfig& config) : config_(&config) {}

    bool init(std::uint64_t sid);
    bool fini(std::uint64_t sid);
    bool assign(std::uint64_t sid, const std::string& role);
    bool revoke(std::uint64_t sid, const std::string& role);
    bool enable(std::uint64_t sid, const std::string& role);
    bool disable(std::uint64_t sid, const std::string& role);
    [[nodiscard]] std::optional<bool> has(std::uint64_t sid, const std::string& permission) const;
    [[nodiscard]] std::optional<bool> is_enabled(std::uint64_t sid, const std::string& role) const;
    void end(std::uint64_t sid);

private:
    struct Roles {
        std::set<std::string> assigned;
        std::set<std::string> enabled;
    };

    /// The role and all it includes.
    [[nodiscard]] std::set<std::string> includes(const std::string& role) const;
    /// Whether one of `roles` is `wanted` or includes it.
    [[nodiscard]] bool covers(const std::set<std::string>& roles, const std::string& wanted) const;

    const RbacConfig* config_;
    std::map<std::uint64_t, Roles> roles_;
};

/// RateLimit: a bucket for each attached SID, in fractions of a token.
class RateLimitState final {
public:
    explicit RateLimitState(const RateLimitConfig& config) : config_(&config) {}

    bool init(std::uint64_t sid, std::uint64_t now_ns);
    bool fini(std::uint64_t sid);
    bool take(std::uint64_t sid, std::uint64_t count, std::uint64_t now_ns);
    [[nodiscard]] std::optional<std::uint64_t> left(std::uint64_t sid, std::uint64_t now_ns) const;
    void end(std::uint64_t sid);

private:
    struct Bucket {
        unsigned __int128 credit = 0;  ///< tokens times period_ns
        std::uint64_t at_ns = 0;
    };

    [[nodiscard]] unsigned __int128 credit(const Bucket& bucket, std::uint64_t now_ns) const;

    const RateLimitConfig* config_;
    std::map<std::uint64_t, Bucket> buckets_;
};

/// TimeWindow: the difference between the clocks, once it is known.
class TimeWindowState final {
public:
    explicit TimeWindowState(const TimeWindowConfig& config) : config_(&config) {}

    bool set_clock(std::uint64_t seconds, std::uint64_t now_ns);
    [[nodiscard]] std::optional<bool> is_open(std::uint64_t now_ns) const;

    /// The clock is nobody's.
    void end(std::uint64_t) {}

private:
    const TimeWindowConfig* config_;
    std::optional<__int128> offset_;  ///< wall time minus time since power-on
};

}  // namespace sdk::policyc
