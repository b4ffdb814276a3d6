// SPDX-License-Identifier: Apache-2.0
// Volumes to be damaged, and calls of everything on what is left. Header-only, for the fuzzer.
#pragma once

#include "mounted.hpp"

#include <algorithm>
#include <services/storage/ram_disk.hpp>
#include <string>

namespace test_fat {

using Image = std::vector<u8>;

inline u64 fat_data_at(const Image& image) {
    const auto volume = fat::Volume::parse(std::span(image).first<fat::kBootBytes>(), image.size());
    return volume.value().data_at;
}

/// A small volume with files, directories and long names.
inline Image sound_image(u32 bits) {
    Image image(bits == 12 ? 300'000 / 512 * 512 : bits == 16 ? 2'300'000 / 512 * 512 : 35u << 20);
    RamDisk device{image, 512};
    (void)Mounted::format(device, {.bits = bits, .label = "FUZZ", .cluster_bytes = 512});
    if (bits == 32) {  // a few clusters do, the rest would only take time
        image.resize(fat_data_at(image) + 1000 * 512);
        fat::store32(&image[fat::kSectors32At], static_cast<u32>(image.size() / 512));
    }
    RamDisk small{image, 512};
    Mounted mounted{small};
    auto& fs = mounted.fs;
    const Image data(6000, 5);
    for (u32 i = 0; i < 12; ++i) {
        const auto file = fs.create(fs.root(), "file with a name " + std::to_string(i), {});
        (void)fs.write(file.value(), 0, std::span(data).first(i * 500));
    }
    Node directory = fs.root();
    for (u32 i = 0; i < 4; ++i) {
        directory = fs.create(directory, "directory", {.kind = Kind::Directory}).value();
        for (u32 j = 0; j < 9; ++j) {
            const auto file = fs.create(directory, "inner" + std::to_string(j) + ".txt", {});
            (void)fs.write(file.value(), 0, std::span(data).first(j * 100));
        }
    }
    (void)fs.sync();
    return image;
}

/// Changes are: where (boot sector, tables, or directories and contents), how long, and bytes. If
/// the first is odd, the volume was not unmounted, so that the repair sees it.
inline void damage(Image& image, std::span<const u8> input) {
    if (input.empty()) {
        return;
    }
    const auto volume =
        fat::Volume::parse(std::span(image).first<fat::kBootBytes>(), image.size()).value();
    image[volume.state_at] = input[0] & 1;
    std::size_t at = 1;
    while (input.size() - at >= 4) {
        const u32 where = input[at] % 8;
        const u64 offset = input[at + 1] | (u64{input[at + 2]} << 8);
        u64 place = volume.data_at + offset % 40000;
        if (where == 0) {
            place = offset % 96;
        } else if (where <= 3) {
            place = volume.table_at + (offset & 1) * volume.table_bytes + offset / 2 % 400;
        } else if (where <= 5 && volume.bits != 32) {
            place = volume.root_at + offset % 2048;
        }
        const u64 length = std::min<u64>(1 + input[at + 3] % 8u, input.size() - at - 4);
        place = std::min<u64>(place, image.size() - length);
        std::copy_n(input.begin() + static_cast<long>(at + 4),
                    length,
                    image.begin() + static_cast<long>(place));
        at += 4 + length;
    }
}

class Some final : public Listing {
public:
    Answer add(const DirectoryEntry& entry) override {
        names.emplace_back(entry.name);
        return names.size() < 60 ? Answer::Taken : Answer::Full;
    }

    std::vector<std::string> names;
};

inline void use_directory(FileSystem& fs, Node node, u32 depth, u32& steps) {
    Some some;
    (void)fs.readdir(node, 0, some);
    for (const auto& name : some.names) {
        const auto child = fs.lookup(node, name);
        if (!child.ok() || ++steps > 40) {
            continue;
        }
        Image data(9000);
        (void)fs.read(child.value(), 0, data);
        (void)fs.stat(child.value());
        (void)fs.lookup(child.value(), "..");
        if (depth < 4) {
            use_directory(fs, child.value(), depth + 1, steps);
        }
        (void)fs.write(child.value(), 100, std::span(data).first(3000));
        (void)fs.truncate(child.value(), steps % 2 == 0 ? 50 : 7000);
        (void)fs.rename(node, name, steps % 3 == 0 ? node : fs.root(), name + "2");
        const Kind kind = steps % 4 == 0 ? Kind::Directory : Kind::File;
        if (const auto gone = fs.unlink(node, name, kind); gone.ok()) {
            (void)fs.write(gone.value(), 0, data);
            (void)fs.forget(gone.value());
        }
        (void)fs.create(node, "new " + std::to_string(steps), {.kind = kind});
    }
}

inline void use_everything(FileSystem& fs) {
    u32 steps = 0;
    (void)fs.statfs();
    use_directory(fs, fs.root(), 0, steps);
    (void)fs.sync();
}

}  // namespace test_fat
