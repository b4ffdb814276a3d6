// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>
#include <runtime/romfs.hpp>
#include <sdk/imagec/elf.hpp>
#include <sdk/imagec/romfs_writer.hpp>

namespace sdk::imagec {

Completion add_romfs_file(RomfsFiles& files, const std::string& name, const std::string& path) {
    const bool spelled_well = std::all_of(name.begin(), name.end(), [](char c) {
        return romfs::is_name_character(static_cast<std::uint8_t>(c));
    });
    if (name.empty() || name.size() >= romfs::kNameSize || !spelled_well) {
        return Diagnostic{
            .code = Code::RomfsNameInvalid,
            .file = path,
            .cause = fmt::format("cannot be called '{}' in the ROM file system", name),
            .way_out =
                fmt::format("use 1 to {} characters of [A-Za-z0-9._-/]", romfs::kNameSize - 1)};
    }
    if (files.contains(name)) {
        return Diagnostic{.code = Code::RomfsNameTwice,
                          .file = path,
                          .cause = fmt::format("the ROM file system has a file '{}' already", name),
                          .way_out = "give one of the two another name"};
    }
    IMAGEC_TRY_VALUE(Bytes content, read_file(path));
    files.emplace(name, strip_program(std::move(content)));
    return Done{};
}

Outcome<Bytes> make_romfs(const RomfsFiles& files) {
    if (files.size() > romfs::kMaxFiles) {
        return Diagnostic{.code = Code::RomfsTooManyFiles,
                          .cause = fmt::format("{} files are more than the {} of a ROM file system",
                                               files.size(),
                                               romfs::kMaxFiles),
                          .way_out = "leave files out, or pack some into one"};
    }
    Bytes image(romfs::kHeaderSize + files.size() * romfs::kEntrySize);
    std::uint64_t entry = romfs::kHeaderSize;
    for (const auto& [name, content] : files) {
        pad_to(image, romfs::kAlignment);
        put_value(image, entry + romfs::kEntryOffset, std::uint64_t{image.size()});
        put_value(image, entry + romfs::kEntryFileSize, std::uint64_t{content.size()});
        std::transform(name.begin(),
                       name.end(),
                       image.begin() + static_cast<std::ptrdiff_t>(entry + romfs::kEntryName),
                       [](char c) { return static_cast<std::uint8_t>(c); });
        append(image, content);
        entry += romfs::kEntrySize;
    }
    pad_to(image, romfs::kAlignment);
    put_value(image, 0, romfs::kMagic);
    put_value(image, romfs::kHeaderVersion, romfs::kVersion);
    put_value(image, romfs::kHeaderFileCount, static_cast<std::uint32_t>(files.size()));
    put_value(image, romfs::kHeaderTotalSize, std::uint64_t{image.size()});
    return image;
}

}  // namespace sdk::imagec
