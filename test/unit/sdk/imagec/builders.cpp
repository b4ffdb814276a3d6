// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"

#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <sdk/imagec/romfs_writer.hpp>
#include <unistd.h>

namespace sdk::imagec::test {

Bytes TestElf::build() const {
    Bytes file(file_size);
    const std::array<std::uint8_t, 7> head{0x7f, 'E', 'L', 'F', 2, 1, 1};
    std::copy(head.begin(), head.end(), file.begin());
    put_value(file, 16, type);
    put_value(file, 18, machine);
    put_value(file, 24, entry);
    put_value(file, 32, std::uint64_t{64});
    put_value(file, 54, std::uint16_t{56});
    put_value(file, 56, static_cast<std::uint16_t>(segments.size()));
    std::uint64_t at = 64;
    for (const auto& segment : segments) {
        put_value(file, at, segment.type);
        put_value(file, at + 4, segment.flags);
        put_value(file, at + 8, segment.offset);
        put_value(file, at + 16, segment.address);
        put_value(file, at + 32, segment.file_size);
        put_value(file, at + 40, segment.memory_size);
        put_value(file, at + 48, segment.alignment);
        at += 56;
    }
    at = 0x2800;
    for (const auto& [tag, value] : dynamic) {
        put_value(file, at, tag);
        put_value(file, at + 8, value);
        at += 16;
    }
    // One relocation at file offset 0x2000, used when the dynamic section names it.
    put_value(file, 0x2000, std::uint64_t{0x3010});
    put_value(file, 0x2008, std::uint64_t{1027});
    put_value(file, 0x2010, std::uint64_t{0x1234});
    return file;
}

TestElf program() {
    return TestElf{.entry = 0x1000,
                   .segments = {{.flags = 5,
                                 .offset = 0x1000,
                                 .address = 0x1000,
                                 .file_size = 0x100,
                                 .memory_size = 0x100},
                                {.flags = 4,
                                 .offset = 0x2000,
                                 .address = 0x2000,
                                 .file_size = 0x100,
                                 .memory_size = 0x100},
                                {.flags = 6,
                                 .offset = 0x3008,
                                 .address = 0x3008,
                                 .file_size = 0x100,
                                 .memory_size = 0x3000},
                                {.type = 2,
                                 .flags = 6,
                                 .offset = 0x2800,
                                 .address = 0x2800,
                                 .file_size = 0x60,
                                 .memory_size = 0x60,
                                 .alignment = 8}},
                   .dynamic = {{7, 0x2000}, {8, 24}, {9, 24}, {0, 0}}};
}

TestElf module() {
    constexpr auto kBase = abi::image::kKsecBase;
    return TestElf{.type = 2,
                   .entry = kBase + 0x1000,
                   .segments = {{.flags = 5,
                                 .offset = 0x1000,
                                 .address = kBase,
                                 .file_size = 0x40,
                                 .memory_size = 0x40},
                                {.flags = 4,
                                 .offset = 0x2000,
                                 .address = kBase + 0x1000,
                                 .file_size = 0x40,
                                 .memory_size = 0x40},
                                {.flags = 6,
                                 .offset = 0x3000,
                                 .address = kBase + 0x2000,
                                 .file_size = 0x10,
                                 .memory_size = 0x2000}}};
}

Bytes kernel() {
    Bytes flat(0x3000);
    put_value(flat, 16, std::uint64_t{0x3000});
    put_value(flat, 56, std::uint32_t{0x644d'5241});
    return flat;
}

namespace {

Node device(const std::string& name,
            std::uint32_t address,
            std::uint32_t size,
            std::uint32_t line) {
    Node node{.name = name};
    node.set_string("compatible", "test,uart");
    node.set_cells("reg", {address, size});
    node.set_cells("interrupts", {0, line, 4});
    return node;
}

}  // namespace

Tree board() {
    Tree tree;
    tree.root.set_cells("#address-cells", {2});
    tree.root.set_cells("#size-cells", {2});
    tree.root.set_cells("interrupt-parent", {1});
    Node aliases{.name = "aliases"};
    aliases.set_string("serial0", "/soc/uart@1000");
    Node memory{.name = "memory@40000000"};
    memory.set_string("device_type", "memory");
    memory.set_cells("reg", {0, 0x4000'0000, 0, 0x1000'0000});
    Node gic{.name = "gic@8000000"};
    gic.set_string("compatible", "arm,gic-400");
    gic.set_cells("reg", {0, 0x800'0000, 0, 0x2000});
    gic.set_cells("phandle", {1});
    gic.set_cells("#interrupt-cells", {3});
    Node soc{.name = "soc"};
    soc.set_cells("#address-cells", {1});
    soc.set_cells("#size-cells", {1});
    soc.set_cells("ranges", {0, 0, 0x900'0000, 0x10000});
    soc.children = {device("uart@1000", 0x1000, 0x200, 1),
                    device("uart@1200", 0x1200, 0x200, 2),
                    device("uart@2000", 0x2000, 0x200, 1),
                    device("uart@3000", 0x3000, 0x200, 3),
                    device("uart@4000", 0x4000, 0x200, 4),
                    device("far@20000", 0x20000, 0x200, 5)};
    soc.children[4].set_string("status", "disabled");
    Node near_gic = device("near@8001800", 0, 0, 6);
    near_gic.set_cells("reg", {0, 0x800'1800, 0, 0x100});
    tree.root.children = {aliases, memory, gic, soc, near_gic};
    return tree;
}

Tree solution(std::vector<Node> components) {
    Tree tree;
    tree.root.children.push_back(Node{.name = "components", .children = std::move(components)});
    return tree;
}

Component component(const std::string& task, const std::vector<std::string>& targets) {
    Component result{.task = task, .class_name = "lab." + task, .program = task};
    for (const auto& target : targets) {
        result.connections.push_back(Connection{.id = "to-" + target, .target = target});
    }
    return result;
}

ImageInputs image_inputs() {
    const auto tree = flatten(board());
    auto system = make_system(
        SystemInputs{.board = tree, .board_name = "board.dtb", .entities = {component("valve")}});
    auto romfs = make_romfs({{"valve", program().build()}});
    return ImageInputs{.kernel = {"kernel.bin", kernel()},
                       .ksec = {"ksec.elf", module().build()},
                       .init = {"init.elf", program().build()},
                       .system = {"system.dtb", system.value().tree},
                       .romfs = romfs.value()};
}

TemporaryFile::TemporaryFile(View content) {
    const char* const folder = std::getenv("TMPDIR");
    path_ = std::string(folder == nullptr ? "/tmp" : folder) + "/imagec-test-XXXXXX";
    const int file = mkstemp(path_.data());
    close(file);
    static_cast<void>(write_file(path_, content).ok());
}

TemporaryFile::~TemporaryFile() { unlink(path_.c_str()); }

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

}  // namespace sdk::imagec::test
