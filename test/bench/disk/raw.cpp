// SPDX-License-Identifier: Apache-2.0
// The disk itself, as a file system uses it: what files cost is judged by this.
#include <drivers/VirtioBlk.endpoints.hpp>
#include <runtime/process.hpp>
#include <runtime/text.hpp>
#include <runtime/time.hpp>
#include <services/block/client.hpp>

namespace {

using base::u32;
using base::u64;
using base::u8;

constexpr u32 kPage = 4096;
constexpr u32 kChunk = 65536;
constexpr u32 kSize = 8u << 20;
constexpr u32 kPlaces = 256;

alignas(kPage) constinit u8 data[kChunk]{};

u64 place(u32 i) { return u64{i * 2654435761u % (kSize / kPage)} * (kPage / 512); }

bool read_all(svc::block::Client& disk) {
    bool good = true;
    for (u64 at = 0; at < kSize; at += kChunk) {
        good = good && disk.read(at / 512, data).ok();
    }
    return good;
}

bool write_all(svc::block::Client& disk) {
    bool good = true;
    for (u64 at = 0; at < kSize; at += kChunk) {
        good = good && disk.write(at / 512, data).ok();
    }
    return good && disk.flush().ok();
}

bool read_places(svc::block::Client& disk) {
    bool good = true;
    for (u32 i = 0; i < kPlaces; ++i) {
        good = good && disk.read(place(i), std::span{data}.first(kPage)).ok();
    }
    return good;
}

bool write_places(svc::block::Client& disk) {
    bool good = true;
    for (u32 i = 0; i < kPlaces; ++i) {
        good = good && disk.write(place(i), std::span{data}.first(kPage)).ok();
    }
    return good && disk.flush().ok();
}

void report(const char* name, u32 region, u64 kib, u64 begin) {
    const u64 us = (sdk::now_ticks() - begin) * 1'000'000 / sdk::ticks_per_second() + 1;
    sdk::Line<160> line;
    line.text("BENCH-REGION ").text(name).text(".kib ").decimal(region).text(" 1 ").decimal(kib);
    line.text("\nBENCH ").text(name).text(".mb_s MB/s ").decimal(kib * 1024 / us).text("\n");
    sdk::debug_write(line.view());
}

/// Between the hints that test/plugins/insncount.c looks for.
template <u32 kRegion, typename Work>
bool measure(const char* name, u64 bytes, svc::block::Client& disk, const Work& work) {
    const u64 begin = sdk::now_ticks();
    asm volatile("hint #(0x70 + %0)" ::"i"(kRegion) : "memory");
    const bool good = work(disk);
    asm volatile("hint #(0x78 + %0)" ::"i"(kRegion) : "memory");
    report(name, kRegion, bytes / 1024, begin);
    return good;
}

}  // namespace

base::s32 sdk::program_main(const StartBlock& start) {
    svc::block::Client disk{{.channel = start.connection("drivers.VirtioBlk").value(),
                             .endpoint = drivers::VirtioBlk::endpoint::disks,
                             .disk = "vda"}};
    const bool good = disk.open().ok() && write_all(disk) &&
                      measure<0>("disk.raw.write_64k", kSize, disk, write_all) &&
                      measure<1>("disk.raw.read_64k", kSize, disk, read_all) &&
                      measure<2>("disk.raw.read_4k", kPlaces * kPage, disk, read_places) &&
                      measure<3>("disk.raw.write_4k", kPlaces * kPage, disk, write_places);
    sdk::debug_write(good ? "bench: finished\n" : "bench: failed what=disk\n");
    return good ? 0 : 1;
}
