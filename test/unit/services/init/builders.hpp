// SPDX-License-Identifier: Apache-2.0
// Inputs of init, made by the tests: programs, ROM file systems and system descriptions.
#pragma once

#include <kernel/base/types.hpp>
#include <map>
#include <string>
#include <vector>

namespace build {

using base::u16;
using base::u32;
using base::u64;
using base::u8;
using Bytes = std::vector<u8>;

/// Overwrites bytes; the vector grows as needed.
void put(Bytes& bytes, u64 at, const void* data, u64 size);

template <typename T> void put(Bytes& bytes, u64 at, T value) {
    put(bytes, at, &value, sizeof(value));
}

struct Segment {
    u32 type = 1;  // PT_LOAD
    u32 flags = 4;
    u64 offset = 0;
    u64 address = 0;
    u64 file_size = 0;
    u64 memory_size = 0;
};

/// A program of three segments, one relocation in its constants and one in its data. Fields are
/// public so that a test can spoil one.
struct Program {
    u8 ident_class = 2;
    u8 ident_data = 1;
    u16 type = 3;
    u16 machine = 183;
    u64 entry = 0x10;
    u64 headers = 64;
    u16 header_size = 56;
    std::vector<Segment> segments{
        {.flags = 5, .offset = 0x1000, .address = 0, .file_size = 0x200, .memory_size = 0x200},
        {.flags = 4, .offset = 0x2000, .address = 0x1000, .file_size = 0x200, .memory_size = 0x200},
        {.flags = 6, .offset = 0x3000, .address = 0x2000, .file_size = 0x20, .memory_size = 0x1800},
        {.type = 2,
         .flags = 4,
         .offset = 0x2100,
         .address = 0x1100,
         .file_size = 0x40,
         .memory_size = 0x40}};
    std::vector<std::pair<u64, u64>> dynamic{{7, 0x1080}, {8, 48}, {9, 24}, {0, 0}};

    struct Relocation {
        u64 offset;
        u64 info;
        u64 addend;
    };

    std::vector<Relocation> relocations{{0x1000, 1027, 0x24}, {0x2008, 1027, 0x1010}};
    u64 size = 0x3100;

    [[nodiscard]] Bytes bytes() const;
};

/// A ROM file system.
Bytes romfs(const std::map<std::string, Bytes>& files);

/// Writes a flattened device tree through libfdt.
class TreeBuilder {
public:
    TreeBuilder();
    TreeBuilder& begin(const std::string& name);
    TreeBuilder& end();
    TreeBuilder& text(const std::string& name, const std::string& value);
    TreeBuilder& texts(const std::string& name, const std::vector<std::string>& values);
    TreeBuilder& cells(const std::string& name, const std::vector<u32>& values);
    TreeBuilder& raw(const std::string& name, const Bytes& value);

    TreeBuilder& flag(const std::string& name) { return raw(name, {}); }

    Bytes finish();

private:
    Bytes memory_;
};

/// A board with an interrupt controller, a bus and two UARTs behind it, then /components, which is
/// left open: finish_system() closes it.
TreeBuilder begin_system();
Bytes finish_system(TreeBuilder& tree);

}  // namespace build
