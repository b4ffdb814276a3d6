// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstring>
#include <kernel/base/bits.hpp>
#include <services/init/image_files.hpp>

namespace svc::init {

namespace {

namespace romfs = sdk::romfs;

static_assert(std::endian::native == std::endian::little);

bool is_program(const romfs::File& file) {
    constexpr u8 kElf[] = {0x7F, 'E', 'L', 'F'};
    return file.content.size() >= sizeof(kElf) &&
           std::memcmp(file.content.data(), kElf, sizeof(kElf)) == 0;
}

/// Calls `take` with each file that is no program.
template <typename Take> void for_each_file(const romfs::Reader& image, Take take) {
    for (u32 i = 0; i < image.file_count(); ++i) {
        if (const auto file = image.find_at(i); file.ok() && !is_program(file.value())) {
            take(file.value());
        }
    }
}

u32 count_files(const romfs::Reader& image) {
    u32 count = 0;
    for_each_file(image, [&](const romfs::File&) { ++count; });
    return count;
}

u64 first_offset(u32 count) {
    return base::align_up(romfs::kHeaderSize + count * romfs::kEntrySize, romfs::kAlignment);
}

u64 room_of(const romfs::File& file) {
    return base::align_up(file.content.size(), romfs::kAlignment);
}

template <typename T> void put(std::span<u8> room, u64 at, T value) {
    std::memcpy(room.data() + at, &value, sizeof(value));
}

}  // namespace

u64 image_files_size(const romfs::Reader& image) {
    u64 size = first_offset(count_files(image));
    for_each_file(image, [&](const romfs::File& file) { size += room_of(file); });
    return size;
}

void write_image_files(const romfs::Reader& image, std::span<u8> room) {
    const u32 count = count_files(image);
    put(room, 0, romfs::kMagic);
    put(room, romfs::kHeaderVersion, romfs::kVersion);
    put(room, romfs::kHeaderFileCount, count);
    put(room, romfs::kHeaderTotalSize, u64{room.size()});
    u64 entry = romfs::kHeaderSize;
    u64 offset = first_offset(count);
    for_each_file(image, [&](const romfs::File& file) {
        put(room, entry + romfs::kEntryOffset, offset);
        put(room, entry + romfs::kEntryFileSize, u64{file.content.size()});
        std::memcpy(room.data() + entry + romfs::kEntryName, file.name.data(), file.name.size());
        if (!file.content.empty()) {
            std::memcpy(room.data() + offset, file.content.data(), file.content.size());
        }
        entry += romfs::kEntrySize;
        offset += room_of(file);
    });
}

}  // namespace svc::init
