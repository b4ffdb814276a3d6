// SPDX-License-Identifier: Apache-2.0
// Power is cut at every block write of a workload. After each cut the device may show many things:
// of what was written since the last flush, all, nothing, some in any order, and the last block
// torn. In each of them the file system must mount, be sound, and show exactly what it was after
// some operation between the last sync that returned and the one that the cut came in.
#include "../model.hpp"
#include "mounted.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace test_storage;

namespace {

/// A workload that was recorded.
struct Recording {
    Bytes start{};                         ///< the device before it
    std::vector<Event> events{};           ///< what it did to the device
    std::vector<std::size_t> states{};     ///< hash of the tree after each operation; 0: before all
    std::vector<std::size_t> event_end{};  ///< events until the end of each operation
    std::vector<std::size_t> synced{};     ///< the last operation that a sync has covered, likewise
    u64 writes = 0;
};

Recording record(u64 seed, u64 device_bytes, u64 least_writes, const Mix& mix) {
    MemoryDevice device{device_bytes};
    REQUIRE(Mounted::format(device).ok());
    Mounted mounted{device, 48};
    REQUIRE(mounted.mounted.ok());
    Player player{mounted.fs, seed, mix};
    Recording made{.start = device.contents};
    device.is_recording = true;
    const auto note = [&](std::size_t synced) {
        made.states.push_back(std::hash<std::string>{}(player.model.text()));
        made.event_end.push_back(device.events.size());
        made.synced.push_back(synced);
    };
    note(0);
    std::size_t synced = 0;
    for (std::size_t operation = 1; made.writes < least_writes; ++operation) {
        const std::size_t before = device.events.size();
        synced = player.play() == Player::Did::Synced ? operation : synced;
        for (std::size_t i = before; i < device.events.size(); ++i) {
            made.writes += device.events[i].is_flush() ? 0 : 1;
        }
        note(synced);
    }
    REQUIRE(player.refused_for_space == 0);
    made.events = device.events;
    return made;
}

/// What became of the writes since the last flush.
enum class Fate : u8 { All, None, Some, Reordered, LastTorn, SomeLastTorn };

constexpr std::array kFates{Fate::All,
                            Fate::None,
                            Fate::Some,
                            Fate::Some,
                            Fate::Reordered,
                            Fate::LastTorn,
                            Fate::SomeLastTorn};

/// The device after a cut: `pending` came after the flush that `device` shows.
void apply(OverlayDevice& device,
           std::vector<const Event*> pending,
           Fate fate,
           std::mt19937_64& random) {
    const bool torn = fate == Fate::LastTorn || fate == Fate::SomeLastTorn;
    const Event* const last = torn && !pending.empty() ? pending.back() : nullptr;
    if (last != nullptr) {
        pending.pop_back();
    }
    if (fate == Fate::None) {
        pending.clear();
    }
    if (fate == Fate::Some || fate == Fate::Reordered || fate == Fate::SomeLastTorn) {
        std::erase_if(pending, [&](const Event*) { return random() % 3 == 0; });
    }
    if (fate == Fate::Reordered) {
        std::ranges::shuffle(pending, random);
    }
    for (const Event* event : pending) {
        REQUIRE(device.write(event->block, event->data).ok());
    }
    if (last == nullptr) {
        return;
    }
    Bytes mixed(kUnit);
    REQUIRE(device.read(last->block, mixed).ok());
    for (u64 sector = 0; sector < kUnit / 512; ++sector) {
        if (random() % 2 == 0) {
            std::copy_n(last->data.begin() + static_cast<long>(sector * 512),
                        512,
                        mixed.begin() + static_cast<long>(sector * 512));
        } else if (random() % 4 == 0) {
            mixed[sector * 512 + random() % 512] ^= static_cast<u8>(1 + random() % 255);
        }
    }
    REQUIRE(device.write(last->block, mixed).ok());
}

/// The file system that was found can be used.
void use(Mounted& mounted, OverlayDevice& device, u64 seed) {
    const auto made = mounted.fs.create(mounted.fs.root(), "after the cut", {});
    REQUIRE(made.ok());
    const Bytes data(9000, static_cast<u8>(seed));
    REQUIRE(mounted.fs.write(made.value(), 0, data).value() == data.size());
    REQUIRE(mounted.fs.sync().ok());
    const std::string text = text_of(mounted.fs);
    Mounted again{device, 48};
    REQUIRE(again.problems().empty());
    REQUIRE(text_of(again.fs) == text);
}

/// Cuts after each write; returns how often a state after the last sync was found.
u64 cut_everywhere(const Recording& made, u64 seed) {
    Bytes durable = made.start;
    std::vector<const Event*> pending;
    std::size_t operation = 0;
    std::vector<u64> memory;
    u64 newer = 0;
    u64 cuts = 0;
    for (std::size_t k = 0; k < made.events.size(); ++k) {
        while (made.event_end[operation] <= k) {
            ++operation;
        }
        if (made.events[k].is_flush()) {
            for (const Event* event : pending) {
                std::ranges::copy(event->data,
                                  durable.begin() + static_cast<long>(event->block * kUnit));
            }
            pending.clear();
            continue;
        }
        pending.push_back(&made.events[k]);
        ++cuts;
        for (std::size_t i = 0; i < kFates.size(); ++i) {
            std::mt19937_64 random{seed + k * kFates.size() + i};
            INFO("seed " << seed << " event " << k << " fate " << i << " operation " << operation);
            OverlayDevice device{durable};
            apply(device, pending, kFates[i], random);
            Mounted mounted{device, 48, &memory};
            REQUIRE(mounted.problems().empty());
            const std::size_t found = std::hash<std::string>{}(text_of(mounted.fs));
            const std::size_t oldest = made.synced[operation - 1];
            std::size_t match = operation;
            while (match > oldest && made.states[match] != found) {
                --match;
            }
            REQUIRE(made.states[match] == found);
            newer += match > oldest ? 1 : 0;
            if (k % 16 == 0) {
                use(mounted, device, k);
            }
        }
    }
    REQUIRE(cuts == made.writes);
    return newer;
}

}  // namespace

TEST_CASE("power cut at each of 1,000 block writes loses nothing that was synced",
          "[services][storage][safefs]") {
    const auto made = record(1, 3u << 20, 1000, {});
    CHECK(cut_everywhere(made, 1) > 0);
}

TEST_CASE("power cut at each block write of synced appends loses none of them",
          "[services][storage][safefs]") {
    const auto made =
        record(2, 3u << 20, 500, {.max_write = 3000, .sync_in = 2, .small_appends = 80});
    CHECK(cut_everywhere(made, 2) > 0);
}

TEST_CASE("power cut at each block write loses nothing where released blocks are needed at once",
          "[services][storage][safefs]") {
    MemoryDevice device{1u << 20};
    REQUIRE(Mounted::format(device).ok());
    Mounted mounted{device, 48};
    auto& fs = mounted.fs;
    Recording made;
    std::size_t synced = 0;
    const auto note = [&] {
        made.states.push_back(std::hash<std::string>{}(text_of(fs)));
        made.event_end.push_back(device.events.size());
        made.synced.push_back(synced);
    };
    // Each call is one step of the file system: one block, or blocks with one parent.
    const auto make = [&](u32 number) {
        const Bytes data(8 * kUnit, static_cast<u8>(number));
        const auto file = fs.create(fs.root(), "f" + std::to_string(number), {});
        REQUIRE(file.ok());
        note();
        REQUIRE(fs.write(file.value(), kUnit, data).ok());
        note();
    };
    u32 last = 0;
    while (fs.statfs().value().available_blocks > 52) {
        make(last++);
    }
    synced = made.states.size();
    REQUIRE(fs.sync().ok());
    made = {};
    synced = 0;
    made.start = device.contents;
    device.is_recording = true;
    note();
    for (u32 i = 0; i < 60; ++i) {
        const auto gone = fs.unlink(fs.root(), "f" + std::to_string(i), Kind::File);
        REQUIRE(gone.ok());
        note();
        REQUIRE(fs.forget(gone.value()).ok());
        note();
        make(last + i);
        if (i % 20 == 19) {
            REQUIRE(fs.sync().ok());
            synced = made.states.size();
            note();
        }
    }
    made.events = device.events;
    made.writes = static_cast<u64>(
        std::ranges::count_if(made.events, [](const Event& event) { return !event.is_flush(); }));
    CHECK(cut_everywhere(made, 3) > 0);
}
