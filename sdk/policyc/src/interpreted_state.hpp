// SPDX-License-Identifier: Apache-2.0
// State of the security models in the reference interpreter: plain maps that follow the description
// of the models sentence by sentence and share nothing with ksec/models. A copy of it is the state
// of a transaction.
//
// Every operation answers whether the rule grants; a query gives nothing when the expression fails.
#pragma once

#include "objects.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sdk::policyc {

/// A number wide enough for every integer type of the language.
using Wide = __int128;

/// Integrity level: a degree by its number and categories by theirs.
struct MicLevel {
    std::size_t degree = 0;
    std::set<std::size_t> categories;

    /// Whether this level is at most the other; neither may be.
    [[nodiscard]] bool is_at_most(const MicLevel& other) const;

    friend bool operator==(const MicLevel&, const MicLevel&) = default;
};

/// Flow: the state each attached SID is in.
class FlowState final {
public:
    explicit FlowState(const FlowConfig& config) : config_(&config) {}

    bool init(std::uint64_t sid);
    bool fini(std::uint64_t sid);
    bool enter(std::uint64_t sid, const std::string& state);
    bool allow(std::uint64_t sid, const std::set<std::string>& states) const;
    [[nodiscard]] std::optional<std::string> query(std::uint64_t sid) const;
    void end(std::uint64_t sid);

private:
    const FlowConfig* config_;
    std::map<std::uint64_t, std::size_t> current_;
};

/// HashSet: a set of entries for each attached SID; an entry is the values of its fields.
class HashSetState final {
public:
    using Entry = std::vector<Wide>;

    explicit HashSetState(const HashSetConfig& config) : config_(&config) {}

    bool init(std::uint64_t sid);
    bool fini(std::uint64_t sid);
    bool add(std::uint64_t sid, const Entry& entry);
    bool remove(std::uint64_t sid, const Entry& entry);
    [[nodiscard]] std::optional<bool> contains(std::uint64_t sid, const Entry& entry) const;
    void end(std::uint64_t sid);

private:
    const HashSetConfig* config_;
    std::map<std::uint64_t, std::set<Entry>> sets_;
};

/// StaticMap: a base and a working table for each attached SID.
class StaticMapState final {
public:
    explicit StaticMapState(const StaticMapConfig& config) : config_(&config) {}

    bool init(std::uint64_t sid);
    bool fini(std::uint64_t sid);
    bool set(std::uint64_t sid, const std::string& key, Wide value);
    bool commit(std::uint64_t sid);
    bool rollback(std::uint64_t sid);
    [[nodiscard]] std::optional<Wide> get(std::uint64_t sid, const std::string& key) const;
    [[nodiscard]] std::optional<Wide> get_uncommitted(std::uint64_t sid,
                                                      const std::string& key) const;
    void end(std::uint64_t sid);

private:
    using Table = std::map<std::string, Wide>;

    struct Tables {
        Table base;
        Table working;
    };

    const StaticMapConfig* config_;
    std::map<std::uint64_t, Tables> tables_;
};

/// Mic: the levels of subjects and resources. An empty optional SID is the root container or, for
/// execute, no image; an empty level asks for the default. A level is given once; only upgrade
/// changes it, and takes levelR with it.
class MicState final {
public:
    explicit MicState(const MicConfig&) {}

    struct Place {
        std::uint64_t source = 0;
        std::uint64_t target = 0;
        std::optional<std::uint64_t> container;
        std::uint64_t driver = 0;
    };

    bool create(const Place& place, const std::optional<MicLevel>& level);
    bool remove(const Place& place);
    bool execute(const std::optional<std::uint64_t>& image,
                 std::uint64_t target,
                 const std::optional<MicLevel>& level,
                 const std::optional<MicLevel>& level_r);
    bool upgrade(const Place& place, const MicLevel& level);
    /// Also read: information flows from target to source.
    [[nodiscard]] bool call(std::uint64_t source, std::uint64_t target) const;
    /// Also write: information flows from source to target.
    [[nodiscard]] bool invoke(std::uint64_t source, std::uint64_t target) const;
    [[nodiscard]] std::optional<MicLevel> query_level(std::uint64_t source) const;
    void end(std::uint64_t sid);

private:
    struct Levels {
        MicLevel level;
        std::optional<MicLevel> level_r;  ///< subjects only
    };

    [[nodiscard]] const MicLevel* find(std::uint64_t sid) const;
    /// Levels of source, driver and container; nothing when one of them has none.
    [[nodiscard]] std::optional<std::vector<MicLevel>> bounds(const Place& place) const;

    std::map<std::uint64_t, Levels> levels_;
};

}  // namespace sdk::policyc
