// SPDX-License-Identifier: Apache-2.0
// Power is cut at every block write of a workload. Of what was written since the last flush, all,
// nothing or any part may be there. In each case the volume mounts, is repaired to what fsck.fat
// finds sound, and holds what was synced and has not been changed since: under its name, or, if it
// was renamed, under one of its names.
#include "../model.hpp"
#include "mounted.hpp"
#include "tools.hpp"

#include <catch2/catch_test_macros.hpp>
#include <stdexcept>

using namespace test_fat;
using test_storage::Model;
using test_storage::Player;

namespace {

constexpr u32 kBlock = 512;

/// As REQUIRE, which takes too long for millions.
void need(bool fact) {
    if (!fact) {
        throw std::runtime_error("not as it must be");
    }
}

/// A write of one block, or a flush (no data).
struct Event {
    u64 block = 0;
    Bytes data{};
};

class RecordingDevice final : public Device {
public:
    explicit RecordingDevice(u64 bytes) : contents(bytes) {}

    [[nodiscard]] u32 block_bytes() const override { return kBlock; }

    [[nodiscard]] u64 block_count() const override { return contents.size() / kBlock; }

    Result<void> read(u64 first, std::span<u8> data) override {
        need(first * kBlock + data.size() <= contents.size());
        std::memcpy(data.data(), &contents[first * kBlock], data.size());
        return {};
    }

    Result<void> write(u64 first, std::span<const u8> data) override {
        need(first * kBlock + data.size() <= contents.size());
        std::memcpy(&contents[first * kBlock], data.data(), data.size());
        for (u64 at = 0; at < data.size(); at += kBlock) {
            const auto block = data.subspan(at, kBlock);
            events.push_back({first + at / kBlock, {block.begin(), block.end()}});
        }
        return {};
    }

    Result<void> flush() override {
        events.push_back({});
        return {};
    }

    Bytes contents;
    std::vector<Event> events;
};

struct Seen {
    std::string path{};
    Kind kind = Kind::None;
    std::size_t hash = 0;  ///< of the contents

    friend bool operator==(const Seen&, const Seen&) = default;
};

/// By the numbers of the model.
using Snapshot = std::map<int, Seen>;

void add_to(Snapshot& snapshot, const Model& model, int number, const std::string& path) {
    const auto& node = model.nodes.at(number);
    snapshot[number] = {path, node.kind, std::hash<std::string>{}(node.content)};
    for (const auto& [name, child] : node.entries) {
        add_to(snapshot, model, child, path + "/" + name);
    }
}

struct Recording {
    Bytes start{};
    std::vector<Event> events{};
    std::vector<Snapshot> states{};        ///< after each operation; 0: before all
    std::vector<std::size_t> event_end{};  ///< events until the end of each operation
    std::vector<std::size_t> synced{};     ///< the last operation that a sync has covered, likewise
};

Recording
record(const fat::Format& how, u64 bytes, u64 seed, u64 least, const test_storage::Mix& mix) {
    RecordingDevice device{bytes};
    REQUIRE(Mounted::format(device, how).ok());
    device.events.clear();
    Mounted mounted{device};
    REQUIRE(mounted.mounted.ok());
    Recording made{.start = device.contents};
    Player player{mounted.fs, seed, mix};
    std::size_t synced = 0;
    for (std::size_t operation = 0; device.events.size() < least; ++operation) {
        if (operation > 0) {
            synced = player.play() == Player::Did::Synced ? operation : synced;
        }
        Snapshot snapshot;
        add_to(snapshot, player.model, 0, "");
        made.states.push_back(snapshot);
        made.event_end.push_back(device.events.size());
        made.synced.push_back(synced);
    }
    REQUIRE(player.refused_for_space == 0);
    made.events = device.events;
    return made;
}

class Names final : public Listing {
public:
    Answer add(const DirectoryEntry& entry) override {
        names.emplace_back(entry.name);
        return Answer::Taken;
    }

    std::vector<std::string> names;
};

void find_all(FileSystem& fs,
              Node node,
              const std::string& path,
              std::map<std::string, Seen>& out) {
    const auto stat = fs.stat(node);
    need(stat.ok());
    Seen seen{path, stat.value().kind};
    std::string content;
    if (seen.kind == Kind::File) {
        content.resize(stat.value().size);
        void* const at = content.data();
        const auto got = fs.read(node, 0, {static_cast<u8*>(at), content.size()});
        need(got.ok());
        need(got.value() == content.size());
    }
    seen.hash = std::hash<std::string>{}(content);
    out[path] = seen;
    if (seen.kind != Kind::Directory) {
        return;
    }
    Names names;
    need(fs.readdir(node, 0, names).ok());
    for (const auto& name : names.names) {
        const auto child = fs.lookup(node, name);
        need(child.ok());
        find_all(fs, child.value(), path + "/" + name, out);
    }
}

/// What must be there after a cut in operation `last`, and is not. `first` was synced.
std::string missing(const Recording& made,
                    std::size_t first,
                    std::size_t last,
                    const std::map<std::string, Seen>& found) {
    for (const auto& [number, seen] : made.states[first]) {
        bool is_constant = true;
        bool is_found = false;
        for (std::size_t i = first; i <= last && is_constant; ++i) {
            const auto now = made.states[i].find(number);
            is_constant = now != made.states[i].end() && now->second.kind == seen.kind &&
                          now->second.hash == seen.hash;
            if (is_constant) {
                const auto there = found.find(now->second.path);
                is_found = is_found || (there != found.end() && there->second.hash == seen.hash &&
                                        there->second.kind == seen.kind);
            }
        }
        if (is_constant && !is_found) {
            return seen.path;
        }
    }
    // A name that something has all the time, be it replaced, is there.
    for (const auto& [number, seen] : made.states[first]) {
        bool is_there = true;
        for (std::size_t i = first; i <= last && is_there; ++i) {
            is_there = std::ranges::any_of(
                made.states[i], [&](const auto& now) { return now.second.path == seen.path; });
        }
        if (is_there && !found.contains(seen.path)) {
            return seen.path + " (any)";
        }
    }
    return "";
}

enum class Fate : u8 { All, None, Some };

constexpr std::array kFates{Fate::All, Fate::None, Fate::Some, Fate::Some, Fate::Some};

struct Outcome {
    u64 cuts = 0;
    u64 repaired = 0;  ///< clusters given back
    u64 checked = 0;   ///< by fsck.fat
};

Outcome cut_everywhere(const Recording& made, u64 seed, u64 fsck_each) {
    Bytes durable = made.start;
    std::vector<const Event*> pending;
    std::size_t operation = 0;
    Outcome outcome;
    std::vector<u64> memory;
    RecordingDevice device{0};
    for (std::size_t k = 0; k < made.events.size(); ++k) {
        while (made.event_end[operation] <= k) {
            ++operation;
        }
        const auto apply = [](Bytes& to, const Event& event) {
            std::ranges::copy(event.data, to.begin() + static_cast<long>(event.block * kBlock));
        };
        if (made.events[k].data.empty()) {
            for (const Event* event : pending) {
                apply(durable, *event);
            }
            pending.clear();
            continue;
        }
        pending.push_back(&made.events[k]);
        for (std::size_t i = 0; i < kFates.size(); ++i) {
            std::mt19937_64 random{seed + k * kFates.size() + i};
            INFO("seed " << seed << " event " << k << " fate " << i << " operation " << operation);
            device.contents = durable;
            for (const Event* event : pending) {
                if (kFates[i] == Fate::All || (kFates[i] == Fate::Some && random() % 2 == 0)) {
                    apply(device.contents, *event);
                }
            }
            Mounted mounted{device, 64, {}, &memory};
            REQUIRE(mounted.mounted.ok());
            REQUIRE(!mounted.fs.is_damaged());
            std::map<std::string, Seen> found;
            find_all(mounted.fs, mounted.fs.root(), "", found);
            const std::size_t oldest = made.synced[operation - 1];
            REQUIRE(missing(made, oldest, operation, found) == "");
            ++outcome.cuts;
            if ((k * kFates.size() + i) % fsck_each == 0) {
                REQUIRE(mounted.fs.create(mounted.fs.root(), "after the cut", {}).ok());
                REQUIRE(mounted.fs.sync().ok());
                REQUIRE(fsck(device.contents) == "");
                ++outcome.checked;
            }
            device.events.clear();
        }
    }
    return outcome;
}

constexpr u64 kMega = 1u << 20;
constexpr test_storage::Mix kMix{
    .max_write = 5000, .max_offset = 12000, .sync_in = 8, .is_plain = true};

}  // namespace

TEST_CASE("power cut at each block write to FAT12 loses nothing that was synced",
          "[services][storage][fat]") {
    const auto made = record({.bits = 12, .cluster_bytes = 1024}, 2 * kMega, 1, 2200, kMix);
    const Outcome outcome = cut_everywhere(made, 1, 101);
    CHECK(outcome.cuts > 5 * 1900);
    CHECK(outcome.checked > 80);
}

TEST_CASE("power cut at each block write to FAT16 loses nothing that was synced",
          "[services][storage][fat]") {
    const auto made = record({.bits = 16, .cluster_bytes = 512}, 5 * kMega, 2, 700, kMix);
    CHECK(cut_everywhere(made, 2, 301).checked > 5);
}

TEST_CASE("power cut at each block write to FAT32 loses nothing that was synced",
          "[services][storage][fat]") {
    const auto made = record({.bits = 32, .cluster_bytes = 512}, 35 * kMega, 3, 150, kMix);
    CHECK(cut_everywhere(made, 3, 301).checked > 0);
}
