// SPDX-License-Identifier: Apache-2.0
// The client side of the disks' tests. Arguments choose: `virtio` (two disks, vda of 8 MiB and the
// read-only vdb, also called "fixed"), `ram`, `deaths=N`: a workload goes on until the driver has
// died N times. Contents of sectors say where and when they were written; what the host computes
// from the drive's file afterwards must be what is printed last.
#include "pattern.hpp"
#include "raw.hpp"

#include <drivers/VirtioBlk.endpoints.hpp>
#include <kl/drivers/RAMDisk.endpoints.hpp>
#include <runtime/process.hpp>
#include <runtime/time.hpp>
#include <services/block/client.hpp>

namespace disks {

namespace {

using svc::block::Client;
using svc::storage::Error;

constexpr u32 kMostSectors = 16384;
constexpr u32 kLargest = 1024;  // sectors at once: twice the buffer

alignas(8) constinit u8 data[kLargest * kSectorBytes]{};
constinit u32 generations[kMostSectors]{};  // of vda as it must be

std::span<u8> room(u32 sectors) { return std::span{data}.first(sectors * kSectorBytes); }

bool write_sectors(Client& disk, u32 first, u32 count, u32 generation) {
    for (u32 i = 0; i < count; ++i) {
        fill(room(count).subspan(i * kSectorBytes, kSectorBytes), first + i, generation);
    }
    if (!disk.write(first, room(count)).ok()) {
        return false;
    }
    for (u32 i = 0; i < count; ++i) {
        generations[first + i] = generation;
    }
    return true;
}

/// How many of them are not as they were written.
u32 count_wrong(Client& disk, u32 first, u32 count) {
    for (u8& byte : room(count)) {
        byte = 0x5A;
    }
    if (!disk.read(first, room(count)).ok()) {
        return count;
    }
    u32 wrong = 0;
    for (u32 i = 0; i < count; ++i) {
        const auto sector = room(count).subspan(i * kSectorBytes, kSectorBytes);
        wrong += is_filled(sector, first + i, generations[first + i]) ? 0 : 1;
    }
    return wrong;
}

u32 count_all_wrong(Client& disk) {
    const u32 count = static_cast<u32>(disk.block_count());
    u32 wrong = 0;
    for (u32 first = 0; first < count; first += kLargest) {
        wrong += count_wrong(disk, first, count - first < kLargest ? count - first : kLargest);
    }
    return wrong;
}

/// What the drive's file must be judged by.
void print_digest(const Client& disk) {
    u64 digest = 0;
    for (u32 sector = 0; sector < disk.block_count(); ++sector) {
        digest = digest * kDigestFactor + generations[sector];
    }
    sdk::LogLine{"disks", "contents"}.hex("digest", digest);
}

void patterns(Client& disk) {
    Test test{"written-is-read"};
    const u32 count = static_cast<u32>(disk.block_count());
    u32 generation = 0;
    u32 wrong = 0;
    constexpr u32 kCounts[] = {1, 2, 7, 8, 63, 511, 512, 513, kLargest};
    for (const u32 length : kCounts) {
        for (const u32 first : {0u, 1u, count / 2 + length % 5, count - length}) {
            test.require("write", write_sectors(disk, first, length, ++generation));
            wrong += count_wrong(disk, first, length);
        }
    }
    test.require("flush", disk.flush().ok());
    test.equal("sectors wrong at once", wrong, 0);
    test.equal("sectors wrong at the end", count_all_wrong(disk), 0);
}

void bounds(Client& disk) {
    Test test{"bounds-are-refused"};
    const u64 count = disk.block_count();
    test.require("read beyond", disk.read(count, room(1)).status() == Error::Invalid);
    test.require("read over the end", disk.read(count - 1, room(2)).status() == Error::Invalid);
    test.require("no whole sector",
                 disk.read(0, std::span{data}.first(511)).status() == Error::Invalid);
    test.require("nothing", disk.write(0, std::span{data}.first(0)).status() == Error::Invalid);
    test.require("write beyond", disk.write(~u64{0}, room(1)).status() == Error::Invalid);
}

void figures(Client& disk) {
    constexpr u32 kRounds = 8;
    u64 begin = sdk::now_ticks();
    for (u32 i = 0; i < kRounds; ++i) {
        (void)disk.read(i * kLargest, room(kLargest));
    }
    const u64 large = sdk::now_ticks() - begin;
    begin = sdk::now_ticks();
    constexpr u32 kSmall = 256;
    for (u32 i = 0; i < kSmall; ++i) {
        (void)disk.read(i * 37 % 2000 * 8, room(8));
    }
    const u64 small = sdk::now_ticks() - begin;
    const u64 second = sdk::ticks_per_second();
    sdk::LogLine{"disks", "speed"}
        .field("read-kib-per-s", u64{kRounds} * kLargest / 2 * second / large)
        .field("4k-reads-per-s", kSmall * second / small);
}

void of_virtio(u32 channel) {
    constexpr auto kEndpoint = drivers::VirtioBlk::endpoint::disks;
    Client disk{{.channel = channel, .endpoint = kEndpoint, .disk = "vda"}};
    {
        Test test{"disks-are-what-they-are"};
        test.require("vda", disk.open().ok());
        test.equal("sectors", disk.block_count(), kMostSectors);
        test.equal("bytes", disk.block_bytes(), kSectorBytes);
        test.require("writable", !disk.is_read_only());
        Client fixed{{.channel = channel, .endpoint = kEndpoint, .disk = "fixed"}};
        test.require("vdb by another name", fixed.open().ok());
        test.require("read-only", fixed.is_read_only());
        test.equal("its sectors", fixed.block_count(), 2048);
        test.require("read", fixed.read(0, room(8)).ok());
        test.require("write", fixed.write(0, room(8)).status() == Error::ReadOnly);
        test.require("flush", fixed.flush().ok());
        Client none{{.channel = channel, .endpoint = kEndpoint, .disk = "vdc"}};
        test.require("no vdc", none.open().status() == Error::NoDevice);
    }
    patterns(disk);
    bounds(disk);
    sessions_are_apart(channel, kEndpoint, "vda");
    claims_are_checked(channel, kEndpoint, "vda", "vdb");
    sessions_end(channel, kEndpoint, "vda");
    {
        Test test{"undisturbed"};
        test.equal("sectors wrong", count_all_wrong(disk), 0);
    }
    figures(disk);
    print_digest(disk);
}

void of_memory(u32 channel) {
    constexpr auto kEndpoint = kl::drivers::RAMDisk::endpoint::ramdisk;
    constexpr u32 kImageSectors = 64;
    constexpr u32 kImageGeneration = 7;
    for (u32& generation : generations) {
        generation = 0;
    }
    Client disk{{.channel = channel, .endpoint = kEndpoint, .disk = "ram0"}};
    {
        Test test{"ram-disk-is-filled-from-the-image"};
        test.require("open", disk.open().ok());
        test.equal("sectors", disk.block_count(), 4096);
        for (u32 i = 0; i < kImageSectors; ++i) {
            generations[i] = kImageGeneration;
        }
        test.equal("sectors wrong", count_wrong(disk, 0, kImageSectors), 0);
    }
    {
        Test test{"ram-disk-written-is-read"};
        u32 wrong = 0;
        for (const u32 length : {1u, 8u, 512u, kLargest}) {
            test.require("write", write_sectors(disk, 4096 - length, length, length));
            wrong += count_wrong(disk, 4096 - length, length);
        }
        test.require("flush", disk.flush().ok());
        test.equal("sectors wrong", wrong, 0);
    }
    sessions_are_apart(channel, kEndpoint, "ram0");
    claims_are_checked(channel, kEndpoint, "ram0", {});
    sessions_end(channel, kEndpoint, "ram0");
}

/// Writes, reads and flushes until the driver has died often enough; nothing may be lost, and
/// nothing may be answered with an error.
void through_deaths(u32 channel, u64 deaths, u64 seed) {
    constexpr auto kEndpoint = drivers::VirtioBlk::endpoint::disks;
    Client disk{{.channel = channel, .endpoint = kEndpoint, .disk = "vda", .patience_ms = 60'000}};
    sdk::Line<40> name;
    name.text("through-").decimal(deaths).text("-deaths");
    Test test{name.view()};
    test.require("open", disk.open().ok());
    u64 writes = 0;
    u64 reads = 0;
    u64 flushes = 0;
    u64 failures = 0;
    u64 wrong = 0;
    u32 generation = 0;
    while (disk.reopened() < deaths && failures == 0 && wrong == 0) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        const u32 draw = static_cast<u32>(seed >> 33);
        const u32 length = draw % 4 == 0 ? 1 + draw / 4 % kLargest : 1 + draw / 4 % 16;
        const u32 first = draw / 64 % (kMostSectors - length);
        if (draw % 16 < 9) {
            failures += write_sectors(disk, first, length, ++generation) ? 0 : 1;
            ++writes;
        } else if (draw % 16 < 14) {
            wrong += count_wrong(disk, first, length);
            ++reads;
        } else {
            failures += disk.flush().ok() ? 0 : 1;
            ++flushes;
        }
    }
    failures += disk.flush().ok() ? 0 : 1;
    test.equal("failures", failures, 0);
    test.equal("sectors wrong meanwhile", wrong, 0);
    test.equal("sectors wrong at the end", count_all_wrong(disk), 0);
    sdk::LogLine{"disks", "deaths"}
        .field("deaths", disk.reopened())
        .field("writes", writes)
        .field("reads", reads)
        .field("flushes", flushes);
    print_digest(disk);
}

u64 number_after(std::string_view argument, std::string_view key) {
    u64 value = 0;
    if (argument.starts_with(key)) {
        argument.remove_prefix(key.size());
        (void)sdk::parse_decimal(argument, value);
    }
    return value;
}

}  // namespace

}  // namespace disks

base::s32 sdk::program_main(const StartBlock& start) {
    for (base::u32 i = 0; i < start.argument_count(); ++i) {
        const std::string_view argument = start.argument(i);
        const base::u64 deaths = disks::number_after(argument, "deaths=");
        if (argument == "virtio") {
            disks::of_virtio(start.connection("virtio").value());
        } else if (argument == "ram") {
            disks::of_memory(start.connection("ramdisk").value());
        } else if (deaths != 0) {
            disks::through_deaths(start.connection("virtio").value(), deaths, start.seed()[0]);
        }
    }
    return disks::Test::failures() == 0 ? 0 : 1;
}
