// SPDX-License-Identifier: Apache-2.0
// A Listing that takes so many entries at a time and keeps their names.
#pragma once

#include <map>
#include <services/storage/file_system.hpp>
#include <set>
#include <string>

namespace test_storage {

using namespace svc::storage;

class NameListing final : public Listing {
public:
    explicit NameListing(u32 at_once = ~0u) : at_once_(at_once) {}

    Answer add(const DirectoryEntry& entry) override {
        if (taken == at_once_) {
            return Answer::Full;
        }
        ++taken;
        seen.insert(std::string(entry.name));
        kinds[std::string(entry.name)] = entry.kind;
        return Answer::Taken;
    }

    u32 taken = 0;  ///< since it was set to 0
    std::multiset<std::string> seen;
    std::map<std::string, Kind> kinds;

private:
    u32 at_once_;
};

}  // namespace test_storage
