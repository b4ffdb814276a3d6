// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sdk/imagec/bytes.hpp>

namespace sdk::imagec {

void pad_to(Bytes& bytes, std::uint64_t alignment) {
    bytes.resize(round_up(bytes.size(), alignment));
}

void append(Bytes& bytes, View tail) { bytes.insert(bytes.end(), tail.begin(), tail.end()); }

Outcome<Bytes> read_file(const std::string& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (error || !std::filesystem::is_regular_file(status)) {
        return Diagnostic{.code = Code::FileUnreadable,
                          .file = path,
                          .cause = error ? fmt::format("cannot be read: {}", error.message())
                                         : "is not a file",
                          .way_out = "build it first, or correct the path"};
    }
    const auto size = std::filesystem::file_size(path, error);
    if (!error && size > kMaxFileSize) {
        return Diagnostic{.code = Code::FileTooLarge,
                          .file = path,
                          .cause = fmt::format("{} bytes are more than imagec accepts", size),
                          .way_out = fmt::format("keep inputs below {} bytes", kMaxFileSize)};
    }
    std::ifstream stream(path, std::ios::binary);
    Bytes bytes(error ? 0 : size);
    std::string text(bytes.size(), '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (error || !stream) {
        return Diagnostic{.code = Code::FileUnreadable,
                          .file = path,
                          .cause = "cannot be read to its end",
                          .way_out = "check the file's permissions"};
    }
    std::transform(text.begin(), text.end(), bytes.begin(), [](char c) {
        return static_cast<std::uint8_t>(c);
    });
    return bytes;
}

Completion write_file(const std::string& path, View bytes) {
    const std::string partial = path + ".partial";
    const auto refuse = [&](std::string_view why) {
        std::error_code ignored;
        std::filesystem::remove(partial, ignored);
        return Diagnostic{.code = Code::FileUnwritable,
                          .file = path,
                          .cause = fmt::format("cannot be written: {}", why),
                          .way_out = "check that the folder exists, is writable and has room"};
    };
    std::ofstream stream(partial, std::ios::binary | std::ios::trunc);
    if (!stream) {
        return refuse(std::strerror(errno));
    }
    const std::string text(bytes.begin(), bytes.end());
    stream.write(text.data(), static_cast<std::streamsize>(text.size()));
    stream.close();
    if (!stream) {
        return refuse("no room, or an input/output error");
    }
    std::error_code error;
    std::filesystem::rename(partial, path, error);
    if (error) {
        return refuse(error.message());
    }
    return Done{};
}

std::optional<std::vector<std::string>> find_strings(View bytes) {
    std::vector<std::string> strings;
    std::string current;
    for (const std::uint8_t c : bytes) {
        if (c == 0) {
            strings.push_back(std::move(current));
            current.clear();
        } else {
            current += static_cast<char>(c);
        }
    }
    if (!current.empty()) {
        return std::nullopt;
    }
    return strings;
}

}  // namespace sdk::imagec
