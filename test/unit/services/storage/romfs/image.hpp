// SPDX-License-Identifier: Apache-2.0
// Images of files for tests.
#pragma once

#include <cstring>
#include <map>
#include <runtime/romfs.hpp>
#include <string>
#include <vector>

namespace test_storage {

inline std::vector<base::u8> rom_image(const std::map<std::string, std::string>& files) {
    namespace rom = sdk::romfs;
    std::vector<base::u8> image;
    const auto put = [&](base::u64 at, const void* data, base::u64 size) {
        image.resize(std::max<base::u64>(image.size(), at + size));
        if (size > 0) {
            std::memcpy(&image[at], data, size);
        }
    };
    const auto put_number = [&](base::u64 at, auto value) { put(at, &value, sizeof(value)); };
    base::u64 entry = rom::kHeaderSize;
    base::u64 offset = (entry + files.size() * rom::kEntrySize + 4095) / 4096 * 4096;
    image.resize(offset);
    for (const auto& [name, content] : files) {
        put_number(entry + rom::kEntryOffset, offset);
        put_number(entry + rom::kEntryFileSize, base::u64{content.size()});
        put(entry + rom::kEntryName, name.data(), name.size());
        put(offset, content.data(), content.size());
        entry += rom::kEntrySize;
        offset += (content.size() + 4095) / 4096 * 4096;
    }
    image.resize(offset);
    put_number(0, rom::kMagic);
    put_number(rom::kHeaderVersion, rom::kVersion);
    put_number(rom::kHeaderFileCount, static_cast<base::u32>(files.size()));
    put_number(rom::kHeaderTotalSize, offset);
    return image;
}

}  // namespace test_storage
