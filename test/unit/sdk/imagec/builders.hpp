// SPDX-License-Identifier: Apache-2.0
// Small valid inputs, for tests to damage.
#pragma once

#include <sdk/imagec/image.hpp>
#include <sdk/imagec/system.hpp>
#include <string>

namespace sdk::imagec::test {

struct TestSegment {
    std::uint32_t type = 1;
    std::uint32_t flags = 4;
    std::uint64_t offset = 0;
    std::uint64_t address = 0;
    std::uint64_t file_size = 0;
    std::uint64_t memory_size = 0;
    std::uint64_t alignment = 4096;
};

struct TestElf {
    std::uint16_t type = 3;
    std::uint16_t machine = 183;
    std::uint64_t entry = 0;
    std::vector<TestSegment> segments{};
    std::vector<std::pair<std::uint64_t, std::uint64_t>> dynamic{};  // at file offset 0x2800
    std::uint64_t file_size = 0x4000;

    [[nodiscard]] Bytes build() const;
};

/// A program with code, constants, relocated data and zeros.
TestElf program();

/// A module at ksec's address, its entry in read-only data.
TestElf module();

/// A flat kernel with an arm64 Image header.
Bytes kernel();

/// A board with a UART, two more that share page and line, one disabled, GIC and RAM.
Tree board();

/// A tree with /components as given.
Tree solution(std::vector<Node> components);

Component component(const std::string& task, const std::vector<std::string>& targets = {});

/// Everything for an image with one component `valve`.
ImageInputs image_inputs();

/// Writes a temporary file and gives its path; it goes when the object does.
class TemporaryFile final {
public:
    explicit TemporaryFile(View content);
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile();

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_{};
};

Bytes bytes_of(std::string_view text);

}  // namespace sdk::imagec::test
