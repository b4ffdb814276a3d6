// SPDX-License-Identifier: Apache-2.0
// Behaviour on fixtures/board.dts, which dtc has compiled, and on spoiled headers.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <runtime/fdt.hpp>
#include <string>
#include <tuple>
#include <vector>

using namespace base;

namespace {

std::vector<u8> read_fixture(const std::string& name) {
    const char* folder = std::getenv("TREE_DIR");
    REQUIRE(folder != nullptr);
    std::ifstream file{std::string{folder} + "/" + name, std::ios::binary};
    REQUIRE(file.good());
    return {std::istreambuf_iterator<char>{file}, {}};
}

struct Board {
    std::vector<u8> bytes = read_fixture("board.dtb");
    sdk::fdt::Tree tree = sdk::fdt::open(bytes).value();

    [[nodiscard]] sdk::fdt::Node node(Text path) const {
        const auto found = tree.find(path);
        REQUIRE(found.ok());
        return found.value();
    }
};

std::string string_of(Text text) { return {text.begin(), text.end()}; }

std::string path_of(const sdk::fdt::Node& node) {
    const auto parent = node.parent();
    const std::string above =
        parent.ok() && parent.value().parent().ok() ? path_of(parent.value()) : "";
    return above + "/" + string_of(node.name());
}

void put_cell(std::vector<u8>& bytes, std::size_t at, u32 value) {
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[at + i] = static_cast<u8>(value >> (24 - 8 * i));
    }
}

u32 get_cell(const std::vector<u8>& bytes, std::size_t at) {
    u32 value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        value = (value << 8) | bytes[at + i];
    }
    return value;
}

Status open_status(std::vector<u8> bytes) { return sdk::fdt::open(bytes).status(); }

}  // namespace

TEST_CASE("nodes are found by path, with and without unit address", "[kernel][base][fdt]") {
    const Board board;
    CHECK(path_of(board.tree.root()) == "/");
    CHECK(path_of(board.node("/soc@7e000000/serial@7e201400")) == "/soc@7e000000/serial@7e201400");
    CHECK(path_of(board.node("/soc/serial")) == "/soc@7e000000/serial@7e201000");
    CHECK(path_of(board.node("//soc///mailbox/")) == "/soc@7e000000/mailbox@7e00b880");
    CHECK(board.tree.find("/soc/serial@0").status() == Status::ResourceNotFound);
    CHECK(board.tree.find("/so").status() == Status::ResourceNotFound);
    CHECK(board.tree.find("soc").status() == Status::InvalidArgument);
    CHECK(board.tree.find("").status() == Status::InvalidArgument);
}

TEST_CASE("a base name is a name without its unit address", "[kernel][base][fdt]") {
    const Board board;
    const sdk::fdt::Node uart = board.node("/soc/serial");
    CHECK(uart.name() == Text{"serial@7e201000"});
    CHECK(uart.base_name() == Text{"serial"});
    CHECK(board.node("/timer").base_name() == Text{"timer"});
    CHECK(board.tree.root().name().empty());
}

TEST_CASE("aliases and chosen name nodes", "[kernel][base][fdt]") {
    const Board board;
    const std::string uart = "/soc@7e000000/serial@7e201000";
    CHECK(path_of(board.tree.alias("serial0").value()) == uart);
    CHECK(path_of(board.tree.resolve("serial0").value()) == uart);
    CHECK(path_of(board.tree.resolve("bus/mailbox").value()) == "/soc@7e000000/mailbox@7e00b880");
    CHECK(path_of(board.tree.resolve("/timer").value()) == "/timer");
    CHECK(path_of(board.tree.chosen_node("stdout-path").value()) == uart);
    CHECK(board.tree.alias("serial1").status() == Status::ResourceNotFound);
    CHECK(board.tree.alias("broken").status() == Status::InvalidArgument);
    CHECK(board.tree.resolve("").status() == Status::ResourceNotFound);
    CHECK(board.tree.chosen_node("stdin-path").status() == Status::ResourceNotFound);
    CHECK(board.tree.chosen_node("seed").status() == Status::InvalidArgument);
}

TEST_CASE("children and parents mirror each other", "[kernel][base][fdt]") {
    const Board board;
    std::vector<std::string> names;
    for (const sdk::fdt::Node& cpu : board.node("/cpus").children()) {
        names.push_back(string_of(cpu.name()));
        CHECK(cpu.parent().value() == board.node("/cpus"));
        for (const sdk::fdt::Node& none : cpu.children()) {
            FAIL(string_of(none.name()));
        }
    }
    CHECK(names == std::vector<std::string>{"cpu@0", "cpu@1"});
    CHECK(board.tree.root().parent().status() == Status::ResourceNotFound);
}

TEST_CASE("properties are read as what they are, and as nothing else", "[kernel][base][fdt]") {
    const Board board;
    const sdk::fdt::Node root = board.tree.root();
    CHECK(root.read_text("model").value() == Text{"reader fixture"});
    CHECK(root.read_text("compatible").status() == Status::InvalidArgument);
    CHECK(root.read_text("missing").status() == Status::ResourceNotFound);
    CHECK(root.read_u32("#address-cells").value() == 2);
    CHECK(root.read_u64("#address-cells").value() == 2);
    CHECK(root.read_u32("model").status() == Status::InvalidArgument);
    CHECK(root.read_u32_or("missing", 9).value() == 9);
    CHECK(root.read_u32_or("model", 9).status() == Status::InvalidArgument);
    CHECK(board.node("/chosen").property("seed").value().bytes().size() == 3);
    CHECK(board.node("/chosen").property("seed").value().cell_count() == 0);
    CHECK(board.node("/chosen").property("seed").value().cell(0).status() ==
          Status::ResourceNotFound);
    CHECK(board.node("/soc/identity").property("ranges").value().bytes().empty());
    CHECK(board.node("/soc/identity").has_property("ranges"));
    CHECK_FALSE(board.node("/island").has_property("ranges"));
}

TEST_CASE("string lists end where their last string ends", "[kernel][base][fdt]") {
    const Board board;
    const sdk::fdt::Property list = board.tree.root().property("compatible").value();
    CHECK(list.lists("test,family"));
    CHECK_FALSE(list.lists("test,fam"));
    const sdk::fdt::Property seed = board.node("/chosen").property("seed").value();
    CHECK_FALSE(seed.lists("\x01\x02\x03"));
}

TEST_CASE("numbers of cells that do not fit are refused", "[kernel][base][fdt]") {
    const u8 bytes[] = {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2};
    const sdk::fdt::Property cells{"reg", bytes};
    CHECK(cells.cells(0, 0).value() == 0);
    CHECK(cells.cells(0, 3).value() == 0x1'0000'0002);
    CHECK(cells.cells(1, 2).value() == 0x1'0000'0002);
    CHECK(cells.cells(1, 3).status() == Status::ResourceNotFound);
    CHECK(cells.cells(0xFFFF'FFFF, 2).status() == Status::ResourceNotFound);
    const u8 wide[] = {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    CHECK(sdk::fdt::Property{"reg", wide}.cells(0, 3).status() == Status::Unimplemented);
}

TEST_CASE("reg follows the cell sizes of the parent", "[kernel][base][fdt]") {
    const Board board;
    const sdk::fdt::Node memory = board.node("/memory");
    CHECK(memory.reg(1).value().base == 0x1'0000'0000);
    CHECK(memory.reg(1).value().size == 0x4000'0000);
    CHECK(memory.reg(2).status() == Status::ResourceNotFound);
    const sdk::fdt::Node cpu = board.node("/cpus/cpu@1");
    CHECK(cpu.reg(1).status() == Status::ResourceNotFound);
    CHECK(cpu.reg(0).value().base == 1);
    CHECK(cpu.reg(0).value().size == 0);
    CHECK(board.node("/timer").reg(0).status() == Status::ResourceNotFound);
    CHECK(board.tree.root().reg(0).status() == Status::ResourceNotFound);
    const sdk::fdt::Node function = board.node("/pcie/function");
    CHECK(function.reg(0).status() == Status::Unimplemented);
    CHECK(function.reg(1).value().base == 0x10);
}

TEST_CASE("ranges lead from a device to the CPU's address", "[kernel][base][fdt]") {
    const Board board;
    CHECK(board.node("/soc/serial").address(0).value().base == 0xFE20'1000);
    CHECK(board.node("/soc/serial").address(0).value().size == 0x200);
    CHECK(board.node("/soc/local").address(0).value().base == 0xFF80'0000);
    CHECK(board.node("/soc/local/inner").address(0).value().base == 0xFF80'0010);
    CHECK(board.node("/soc/identity/device").address(0).value().base == 0xFE00'0000);
    CHECK(board.node("/memory").address(0).value().base == 0x4000'0000);
}

TEST_CASE("what no ranges entry covers whole has no address", "[kernel][base][fdt]") {
    const Board board;
    CHECK(board.node("/soc/local/inner").address(1).status() == Status::ResourceNotFound);
    CHECK(board.node("/soc/outside").address(0).status() == Status::ResourceNotFound);
    CHECK(board.node("/island/device").address(0).status() == Status::ResourceNotFound);
    CHECK(board.node("/cpus/cpu@0").address(0).status() == Status::ResourceNotFound);
}

TEST_CASE("interrupts name their controller", "[kernel][base][fdt]") {
    const Board board;
    const sdk::fdt::Node gic = board.node("/interrupt-controller");
    const sdk::fdt::Interrupt uart = board.node("/soc/serial").interrupt(0).value();
    CHECK(uart.controller == gic);
    CHECK(uart.gic_line().value() == 153);
    CHECK(board.node("/soc/serial").interrupt(1).status() == Status::ResourceNotFound);
    const sdk::fdt::Node timer = board.node("/timer");
    CHECK(timer.interrupt(2).value().gic_line().value() == 27);
    const sdk::fdt::Node both = board.node("/soc/serial@7e201400");
    CHECK(both.interrupt(0).value().controller == board.node("/soc/mailbox"));
    CHECK(both.interrupt(0).value().gic_line().status() == Status::InvalidArgument);
    CHECK(both.interrupt(1).value().gic_line().value() == 39);
    CHECK(both.interrupt(2).status() == Status::ResourceNotFound);
    CHECK(both.interrupt(sdk::fdt::kMaxInterrupts).status() == Status::ResourceNotFound);
    CHECK(board.node("/memory").interrupt(0).status() == Status::ResourceNotFound);
}

TEST_CASE("lines that no GIC has are refused", "[kernel][base][fdt]") {
    CHECK(sdk::fdt::Interrupt{.controller = {}, .cells = {0, 987, 4}, .cell_count = 3}
              .gic_line()
              .value() == 1019);
    for (const sdk::fdt::Interrupt& bad :
         {sdk::fdt::Interrupt{.controller = {}, .cells = {0, 988, 4}, .cell_count = 3},
          sdk::fdt::Interrupt{.controller = {}, .cells = {1, 16, 4}, .cell_count = 3},
          sdk::fdt::Interrupt{.controller = {}, .cells = {2, 0, 4}, .cell_count = 3},
          sdk::fdt::Interrupt{.controller = {}, .cells = {0, 0xFFFF'FFFF, 4}, .cell_count = 3},
          sdk::fdt::Interrupt{.controller = {}, .cells = {0, 1, 4}, .cell_count = 2}}) {
        CHECK(bad.gic_line().status() == Status::InvalidArgument);
    }
}

TEST_CASE("devices are found by phandle", "[kernel][base][fdt]") {
    const Board board;
    const sdk::fdt::Node gic = board.node("/interrupt-controller");
    CHECK(board.tree.find_phandle(gic.read_u32("phandle").value()).value() == gic);
    CHECK(board.tree.find_phandle(0).status() == Status::ResourceNotFound);
    CHECK(board.tree.find_phandle(~u32{0}).status() == Status::ResourceNotFound);
    CHECK(board.tree.find_phandle(4711).status() == Status::ResourceNotFound);
}

TEST_CASE("status says whether a device is in use", "[kernel][base][fdt]") {
    const Board board;
    CHECK(board.node("/soc/serial").is_enabled());
    CHECK(board.node("/cpus/cpu@0").is_enabled());
    CHECK_FALSE(board.node("/cpus/cpu@1").is_enabled());
}

TEST_CASE("the memory reservation block is listed", "[kernel][base][fdt]") {
    const Board board;
    CHECK(board.tree.reservation(0).value().base == 0x4000'0000);
    CHECK(board.tree.reservation(1).value().size == 0x20'0000);
    CHECK(board.tree.reservation(2).status() == Status::ResourceNotFound);
}

TEST_CASE("a default node reads as nothing", "[kernel][base][fdt]") {
    const sdk::fdt::Node none;
    CHECK(none.name().empty());
    CHECK(none.property("reg").status() == Status::ResourceNotFound);
    CHECK_FALSE(none.parent().ok());
    CHECK_FALSE(none.reg(0).ok());
    for (const sdk::fdt::Node& child : none.children()) {
        FAIL(string_of(child.name()));
    }
    CHECK(sdk::fdt::Tree{}.find("/chosen").status() == Status::ResourceNotFound);
}

TEST_CASE("a blob that is no tree is refused with its reason", "[kernel][base][fdt]") {
    const std::vector<u8> good = read_fixture("board.dtb");
    CHECK(open_status(good) == Status::Ok);
    CHECK(base::fdt::total_size(good).value().value == good.size());
    CHECK(open_status({}) == Status::BufferTooSmall);
    CHECK(open_status({0xD0, 0x0D, 0xFE}) == Status::BufferTooSmall);
    auto truncated = good;
    truncated.pop_back();
    CHECK(open_status(truncated) == Status::BufferTooSmall);
    auto spoiled = good;
    spoiled[0] = 0;
    CHECK(open_status(spoiled) == Status::InvalidArgument);
    spoiled = good;
    put_cell(spoiled, 4, sdk::fdt::kMaxTreeBytes + 1);
    CHECK(open_status(spoiled) == Status::BufferTooLarge);
    spoiled = good;
    put_cell(spoiled, 4, 8);
    CHECK(open_status(spoiled) == Status::InvalidArgument);
}

TEST_CASE("header fields outside the blob are refused", "[kernel][base][fdt]") {
    const std::vector<u8> good = read_fixture("board.dtb");
    const u32 size = static_cast<u32>(good.size());
    for (const std::size_t field : {8u, 12u, 16u, 32u, 36u}) {
        for (const u32 value : {size + 4, 0xFFFF'FFF8u, 0x8000'0000u}) {
            CAPTURE(field, value);
            auto spoiled = good;
            put_cell(spoiled, field, value);
            CHECK(open_status(spoiled) == Status::InvalidArgument);
        }
    }
    for (const std::size_t field : {8u, 12u, 16u}) {
        auto spoiled = good;
        put_cell(spoiled, field, 8);  // inside the header
        CHECK(open_status(spoiled) == Status::InvalidArgument);
    }
}

TEST_CASE("versions 16 and 17 are read, others are not", "[kernel][base][fdt]") {
    const std::vector<u8> good = read_fixture("board.dtb");
    for (const auto& [version, compatible, expected] :
         {std::tuple{17u, 16u, Status::Ok},
          std::tuple{16u, 16u, Status::Ok},
          std::tuple{17u, 17u, Status::Ok},
          std::tuple{18u, 17u, Status::Ok},
          std::tuple{18u, 18u, Status::InvalidArgument},
          std::tuple{3u, 1u, Status::InvalidArgument},
          std::tuple{16u, 17u, Status::InvalidArgument}}) {
        CAPTURE(version, compatible);
        auto other = good;
        put_cell(other, 20, version);
        put_cell(other, 24, compatible);
        CHECK(open_status(other) == expected);
    }
}

TEST_CASE("every cell of the structure may be spoiled", "[kernel][base][fdt]") {
    const std::vector<u8> good = read_fixture("board.dtb");
    const u32 from = get_cell(good, 8);
    const u32 size = get_cell(good, 36);
    u32 refused = 0;
    for (u32 at = from; at < from + size; at += 4) {
        for (const u32 value : {0u, 1u, 2u, 3u, 9u, 0xFFFF'FFFFu, 0x7FFF'FFFFu}) {
            auto spoiled = good;
            put_cell(spoiled, at, value);
            const auto tree = sdk::fdt::open(spoiled);
            if (!tree.ok()) {
                ++refused;
                continue;
            }
            for (const sdk::fdt::Node& node : tree.value().nodes()) {
                static_cast<void>(node.address(0));
                static_cast<void>(node.interrupt(0));
            }
        }
    }
    CHECK(refused > 0);
}

TEST_CASE("a slash in a name is refused, since paths would lie", "[kernel][base][fdt]") {
    std::vector<u8> spoiled = read_fixture("board.dtb");
    constexpr u8 kName[] = {0, 0, 0, 1, 't', 'i', 'm', 'e', 'r', 0};
    const auto found =
        std::search(spoiled.begin(), spoiled.end(), std::begin(kName), std::end(kName));
    REQUIRE(found != spoiled.end());
    CHECK(open_status(spoiled) == Status::Ok);
    found[6] = '/';
    CHECK(open_status(spoiled) == Status::InvalidArgument);
}

TEST_CASE("nesting deeper than the limit is refused", "[kernel][base][fdt]") {
    for (const u32 depth : {sdk::fdt::kMaxDepth, sdk::fdt::kMaxDepth + 1}) {
        std::vector<u8> blob(40 + 16, 0);
        const auto append = [&blob](u32 value) {
            blob.resize(blob.size() + 4);
            put_cell(blob, blob.size() - 4, value);
        };
        for (u32 i = 0; i < depth; ++i) {
            append(1);
            append(i == 0 ? 0 : u32{'a'} << 24);
        }
        for (u32 i = 0; i < depth; ++i) {
            append(2);
        }
        append(9);
        const u32 structure_size = static_cast<u32>(blob.size()) - 56;
        const u32 header[] = {
            0xD00D'FEED, static_cast<u32>(blob.size()), 56, 56, 40, 17, 16, 0, 0, structure_size};
        for (std::size_t i = 0; i < std::size(header); ++i) {
            put_cell(blob, 4 * i, header[i]);
        }
        CHECK(open_status(blob) ==
              (depth > sdk::fdt::kMaxDepth ? Status::BufferTooLarge : Status::Ok));
    }
}
