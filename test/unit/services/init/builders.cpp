// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"

#include <cstring>
#include <libfdt.h>
#include <runtime/romfs.hpp>
#include <stdexcept>

namespace build {

void put(Bytes& bytes, u64 at, const void* data, u64 size) {
    if (bytes.size() < at + size) {
        bytes.resize(at + size);
    }
    std::memcpy(bytes.data() + at, data, size);
}

Bytes Program::bytes() const {
    Bytes file(size);
    const u8 magic[] = {0x7F, 'E', 'L', 'F', ident_class, ident_data, 1};
    put(file, 0, magic, sizeof(magic));
    put(file, 16, type);
    put(file, 18, machine);
    put(file, 20, u32{1});
    put(file, 24, entry);
    put(file, 32, headers);
    put(file, 52, u16{64});
    put(file, 54, header_size);
    put(file, 56, static_cast<u16>(segments.size()));
    u64 at = 64;
    for (const Segment& segment : segments) {
        put(file, at, segment.type);
        put(file, at + 4, segment.flags);
        put(file, at + 8, segment.offset);
        put(file, at + 16, segment.address);
        put(file, at + 32, segment.file_size);
        put(file, at + 40, segment.memory_size);
        at += 56;
    }
    for (u64 i = 0; i < 0x200; ++i) {
        file[0x1000 + i] = 0xC0;  // code
        file[0x3000 + i % 0x20] = 0xDA;
    }
    at = 0x2100;
    for (const auto& [tag, value] : dynamic) {
        put(file, at, tag);
        put(file, at + 8, value);
        at += 16;
    }
    at = 0x2080;
    for (const Relocation& relocation : relocations) {
        put(file, at, relocation);
        at += sizeof(relocation);
    }
    file.resize(size);
    return file;
}

Bytes romfs(const std::map<std::string, Bytes>& files) {
    namespace fs = sdk::romfs;
    Bytes image;
    u64 offset = 4096 * ((fs::kHeaderSize + files.size() * fs::kEntrySize + 4095) / 4096);
    u64 entry = fs::kHeaderSize;
    for (const auto& [name, content] : files) {
        put(image, entry + fs::kEntryOffset, offset);
        put(image, entry + fs::kEntryFileSize, static_cast<u64>(content.size()));
        const Bytes blank(fs::kNameSize);
        put(image, entry + fs::kEntryName, blank.data(), blank.size());
        put(image, entry + fs::kEntryName, name.data(), name.size());
        entry += fs::kEntrySize;
        put(image, offset, content.data(), content.size());
        offset += (content.size() + 4095) / 4096 * 4096;
    }
    image.resize(offset);
    put(image, 0, fs::kMagic);
    put(image, fs::kHeaderVersion, fs::kVersion);
    put(image, fs::kHeaderFileCount, static_cast<u32>(files.size()));
    put(image, fs::kHeaderTotalSize, offset);
    return image;
}

namespace {

void check(int result) {
    if (result < 0) {
        throw std::logic_error(fdt_strerror(result));
    }
}

}  // namespace

TreeBuilder::TreeBuilder() : memory_(64 << 10) {
    check(fdt_create(memory_.data(), static_cast<int>(memory_.size())));
    check(fdt_finish_reservemap(memory_.data()));
}

TreeBuilder& TreeBuilder::begin(const std::string& name) {
    check(fdt_begin_node(memory_.data(), name.c_str()));
    return *this;
}

TreeBuilder& TreeBuilder::end() {
    check(fdt_end_node(memory_.data()));
    return *this;
}

TreeBuilder& TreeBuilder::text(const std::string& name, const std::string& value) {
    return texts(name, {value});
}

TreeBuilder& TreeBuilder::texts(const std::string& name, const std::vector<std::string>& values) {
    Bytes bytes;
    for (const std::string& value : values) {
        bytes.insert(bytes.end(), value.begin(), value.end());
        bytes.push_back(0);
    }
    return raw(name, bytes);
}

TreeBuilder& TreeBuilder::cells(const std::string& name, const std::vector<u32>& values) {
    Bytes bytes;
    for (const u32 value : values) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            bytes.push_back(static_cast<u8>(value >> shift));
        }
    }
    return raw(name, bytes);
}

TreeBuilder& TreeBuilder::raw(const std::string& name, const Bytes& value) {
    check(fdt_property(memory_.data(), name.c_str(), value.data(), static_cast<int>(value.size())));
    return *this;
}

Bytes TreeBuilder::finish() {
    check(fdt_finish(memory_.data()));
    memory_.resize(fdt_totalsize(memory_.data()));
    return memory_;
}

TreeBuilder begin_system() {
    TreeBuilder tree;
    tree.begin("").cells("#address-cells", {1}).cells("#size-cells", {1});
    tree.cells("interrupt-parent", {1});
    tree.begin("gic").cells("phandle", {1}).cells("#interrupt-cells", {3});
    tree.flag("interrupt-controller").text("compatible", "arm,gic-400").end();
    tree.begin("clock").cells("phandle", {2}).text("compatible", "fixed-clock");
    tree.cells("clock-frequency", {48'000'000}).cells("#clock-cells", {0}).end();
    tree.begin("soc").cells("#address-cells", {1}).cells("#size-cells", {1});
    tree.cells("ranges", {0x7E00'0000, 0xFE00'0000, 0x0180'0000});
    tree.begin("serial@7e201000").texts("compatible", {"arm,pl011", "arm,primecell"});
    tree.cells("reg", {0x7E20'1000, 0x200}).cells("interrupts", {0, 121, 4});
    tree.cells("clocks", {2}).cells("current-speed", {115'200}).end();
    tree.begin("serial@7e201400").text("compatible", "arm,pl011");
    tree.cells("reg", {0x7E20'1400, 0x200}).cells("interrupts", {0, 122, 1}).end();
    tree.begin("broken").cells("reg", {0x9000'0000, 0x200}).end();
    tree.end();
    tree.begin("components");
    return tree;
}

Bytes finish_system(TreeBuilder& tree) {
    tree.end().end();
    return tree.finish();
}

}  // namespace build
