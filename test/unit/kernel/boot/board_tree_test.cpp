// SPDX-License-Identifier: Apache-2.0
#include "tree_builder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <kernel/hal/board_tree.hpp>

namespace {

using base::Bytes;
using base::PhysAddr;
using base::u32;
using base::u64;
using kernel::BoardTree;
using kernel::CpuStart;
using kernel::MemoryRange;
using test::TreeBuilder;

std::vector<std::uint8_t> read_file(const std::string& name) {
    const char* folder = std::getenv("TREE_DIR");
    REQUIRE(folder != nullptr);
    std::ifstream file{std::string{folder} + "/" + name, std::ios::binary};
    REQUIRE(file.good());
    return {std::istreambuf_iterator<char>{file}, {}};
}

/// The parts of a complete small tree; a test replaces one.
struct Parts {
    std::function<void(TreeBuilder&)> reservations = [](TreeBuilder&) {};
    std::function<void(TreeBuilder&)> memory = [](TreeBuilder& tree) {
        tree.begin("memory@40000000").text("device_type", "memory");
        tree.cells("reg", {0, 0x4000'0000, 0, 0x1000'0000}).end();
    };
    std::function<void(TreeBuilder&)> cpus = [](TreeBuilder& tree) {
        tree.begin("cpus").cells("#address-cells", {1}).cells("#size-cells", {0});
        tree.begin("cpu@0").text("device_type", "cpu").cells("reg", {0}).end().end();
    };
    std::function<void(TreeBuilder&)> controller = [](TreeBuilder& tree) {
        tree.begin("gic").text("compatible", "arm,gic-v3").flag("interrupt-controller");
        tree.cells("#interrupt-cells", {3}).cells("phandle", {7});
        tree.cells("reg", {0, 0x0800'0000, 0, 0x1'0000, 0, 0x080A'0000, 0, 0xF6'0000}).end();
    };
    std::function<void(TreeBuilder&)> timer = [](TreeBuilder& tree) {
        tree.begin("timer").text("compatible", "arm,armv8-timer").cells("interrupt-parent", {7});
        tree.cells("interrupts", {1, 13, 8, 1, 14, 8, 1, 11, 8, 1, 10, 8}).end();
    };
};

std::vector<std::uint8_t> build(const Parts& parts) {
    TreeBuilder tree;
    parts.reservations(tree);
    tree.begin("").cells("#address-cells", {2}).cells("#size-cells", {2});
    parts.memory(tree);
    parts.cpus(tree);
    parts.controller(tree);
    parts.timer(tree);
    return tree.end().finish();
}

/// Empty: there is none.
std::string problem_of(const std::vector<std::uint8_t>& blob) {
    BoardTree board;
    const char* problem = kernel::read_board_tree(blob, 0, board);
    return problem != nullptr ? problem : "";
}

std::string problem_of(const Parts& parts) { return problem_of(build(parts)); }

std::vector<std::pair<u64, u64>>
free_memory(const BoardTree& board, std::vector<MemoryRange> taken = {}, u64 limit = ~u64{0}) {
    MemoryRange ranges[kernel::kMaxMemoryRanges];
    const u32 count = kernel::find_free_memory(board, taken, PhysAddr{limit}, ranges);
    std::vector<std::pair<u64, u64>> result;
    for (u32 i = 0; i < count; i++) {
        result.emplace_back(ranges[i].base.value, ranges[i].size.value);
    }
    return result;
}

MemoryRange range(u64 base, u64 size) { return {PhysAddr{base}, Bytes{size}}; }

}  // namespace

TEST_CASE("a firmware tree gives the whole machine", "[kernel][boot]") {
    BoardTree board;
    const auto blob = read_file("firmware.dtb");
    REQUIRE(kernel::read_board_tree(blob, 3, board) == nullptr);

    SECTION("memory is whole pages inside each range, empty ranges dropped") {
        REQUIRE(board.memory_count == 2);
        CHECK(board.memory[0].base.value == 0);
        CHECK(board.memory[0].size.value == 0x3b40'0000);
        CHECK(board.memory[1].base.value == 0x4000'1000);
        CHECK(board.memory[1].size.value == 0xbbff'f000);
    }
    SECTION("reserved ranges are rounded out and say whether they may be mapped") {
        REQUIRE(board.reserved_count == 4);
        CHECK(board.reserved[1].range.base.value == 0x3b00'0000);
        CHECK(board.reserved[1].range.size.value == 0x2000);
        CHECK(board.reserved[1].mapped);
        CHECK(board.reserved[2].range.base.value == 0x2000'0000);
        CHECK(board.reserved[2].range.size.value == 0x2000);
        CHECK_FALSE(board.reserved[2].mapped);
        CHECK(board.reserved[3].mapped);
    }
    SECTION("the running CPU comes first, a parked one counts, a failed one does not") {
        REQUIRE(board.cpu_count == 4);
        CHECK(board.cpus[0].mpidr == 3);
        CHECK(board.cpus[1].mpidr == 0);
        CHECK(board.cpus[1].start == CpuStart::SpinTable);
        CHECK(board.cpus[1].release_address.value == 0xd8);
        CHECK(board.cpus[2].mpidr == 1);
        CHECK(board.cpus[3].mpidr == 0x100);
        CHECK(board.cpus[3].start == CpuStart::None);
        CHECK(board.cpus_left_out == 1);
    }
    SECTION("bus addresses are translated") {
        CHECK(board.gic_version == 2);
        CHECK(board.gic_distributor.base.value == 0xff84'1000);
        CHECK(board.gic_cpu_interface.base.value == 0xff84'2000);
        CHECK(board.gic_cpu_interface.size.value == 0x2000);
    }
    SECTION("timer, power, seed and boot arguments") {
        CHECK(board.timer_line.value == 27);
        CHECK(board.psci == kernel::PsciConduit::Smc);
        CHECK(board.has_seed);
        CHECK(board.seed != 0);
        CHECK(board.semihosting);
        CHECK(board.arguments == base::Text{"console=x tessera.semihost"});
    }
    SECTION("free memory avoids page 0, what is reserved and what is taken") {
        CHECK(free_memory(board, {range(0x8'0000, 0x4'0800)}, 0x8000'0000) ==
              std::vector<std::pair<u64, u64>>{
                  {0x4000'1000, 0x3fff'f000},
                  {0x000c'1000, 0x1ff3'f000},
                  {0x2000'2000, 0x0fff'e000},
                  {0x3000'1000, 0x0aff'f000},
                  {0x3b00'2000, 0x003f'e000},
                  {0x0000'1000, 0x0007'f000},
              });
    }
}

TEST_CASE("the trees of the boards are complete", "[kernel][boot]") {
    BoardTree board;
    SECTION("virt") {
        REQUIRE(kernel::read_board_tree(read_file("virt.dtb"), 0, board) == nullptr);
        CHECK(board.psci == kernel::PsciConduit::Hvc);
    }
    SECTION("rpi4") {
        REQUIRE(kernel::read_board_tree(read_file("rpi4.dtb"), 0, board) == nullptr);
        CHECK(board.cpu_count == 4);
        CHECK(board.cpus[3].start == CpuStart::SpinTable);
        CHECK(free_memory(board).size() == 1);
    }
}

TEST_CASE("GICv3 gives every redistributor region", "[kernel][boot]") {
    Parts parts;
    parts.controller = [](TreeBuilder& tree) {
        tree.begin("gic").text("compatible", "arm,gic-v3").flag("interrupt-controller");
        tree.cells("#interrupt-cells", {3}).cells("phandle", {7});
        tree.cells("#redistributor-regions", {2}).cells("redistributor-stride", {0, 0x4'0000});
        tree.cells("reg",
                   {0, 0x800'0000, 0, 0x1'0000, 0, 0x80A'0000, 0, 0x4'0000, 1, 0, 0, 0x4'0000});
        tree.end();
    };
    BoardTree board;
    REQUIRE(kernel::read_board_tree(build(parts), 0, board) == nullptr);
    CHECK(board.gic_version == 3);
    CHECK(board.redistributor_count == 2);
    CHECK(board.redistributors[1].base.value == 0x1'0000'0000);
    CHECK(board.redistributor_stride == 0x4'0000);
}

TEST_CASE("a tree that cannot be used says why", "[kernel][boot]") {
    Parts parts;
    SECTION("nothing missing") { CHECK(problem_of(parts) == ""); }
    SECTION("garbage, and a tree cut short") {
        BoardTree board;
        std::vector<std::uint8_t> blob = build(parts);
        CHECK(problem_of(std::vector<std::uint8_t>{}) == "not a device tree, or a damaged one");
        blob.resize(blob.size() - 1);
        CHECK(problem_of(blob) == "not a device tree, or a damaged one");
        blob[0] ^= 1;
        CHECK(problem_of(blob) == "not a device tree, or a damaged one");
    }
    SECTION("no memory, or less than a page of it") {
        parts.memory = [](TreeBuilder& tree) {
            tree.begin("memory").text("device_type", "memory");
            tree.cells("reg", {0, 0x4000'0800, 0, 0x1000}).end();
        };
        CHECK(problem_of(parts) == "no memory node with a whole page");
    }
    SECTION("memory at the top of the address space does not wrap") {
        parts.memory = [](TreeBuilder& tree) {
            tree.begin("memory").text("device_type", "memory");
            tree.cells("reg", {0xffff'ffff, 0xffff'f800, 0, 0x7ff}).end();
        };
        CHECK(problem_of(parts) == "no memory node with a whole page");
    }
    SECTION("overlapping memory") {
        parts.memory = [](TreeBuilder& tree) {
            tree.begin("memory").text("device_type", "memory");
            tree.cells("reg", {0, 0, 0, 0x3000, 0, 0x2000, 0, 0x1000}).end();
        };
        CHECK(problem_of(parts) == "two memory ranges overlap");
    }
    SECTION("more memory ranges than can be kept") {
        parts.memory = [](TreeBuilder& tree) {
            for (u32 i = 0; i <= kernel::kMaxMemoryRanges; i++) {
                tree.begin("memory@" + std::to_string(i)).text("device_type", "memory");
                tree.cells("reg", {0, i * 0x1'0000, 0, 0x1000}).end();
            }
        };
        CHECK(problem_of(parts) == "more memory ranges than the kernel can keep");
    }
    SECTION("more reserved ranges than can be kept") {
        parts.reservations = [](TreeBuilder& tree) {
            for (u32 i = 0; i <= kernel::kMaxReservedRanges; i++) {
                tree.reserve(0x4000'0000 + i * 0x2000, 0x1000);
            }
        };
        CHECK(problem_of(parts) == "more reserved ranges than the kernel can keep");
    }
    SECTION("no CPU") {
        parts.cpus = [](TreeBuilder&) {};
        CHECK(problem_of(parts) == "no usable cpu node");
    }
    SECTION("no controller, an unknown one, and one that is disabled") {
        parts.timer = [](TreeBuilder&) {};
        parts.controller = [](TreeBuilder&) {};
        CHECK(problem_of(parts) == "no interrupt controller the kernel can drive (GICv2, GICv3)");
        parts.controller = [](TreeBuilder& tree) {
            tree.begin("pic").text("compatible", "acme,pic").flag("interrupt-controller").end();
        };
        CHECK(problem_of(parts) == "no interrupt controller the kernel can drive (GICv2, GICv3)");
        parts.controller = [](TreeBuilder& tree) {
            tree.begin("gic").text("compatible", "arm,gic-400").flag("interrupt-controller");
            tree.text("status", "disabled").end();
        };
        CHECK(problem_of(parts) == "no interrupt controller the kernel can drive (GICv2, GICv3)");
    }
    SECTION("a controller without registers, or with too many regions") {
        parts.controller = [](TreeBuilder& tree) {
            tree.begin("gic").text("compatible", "arm,gic-400").flag("interrupt-controller");
            tree.cells("reg", {0, 0x800'0000, 0, 0x1000}).end();
        };
        CHECK(problem_of(parts) == "interrupt controller with missing or malformed reg");
        parts.controller = [](TreeBuilder& tree) {
            tree.begin("gic").text("compatible", "arm,gic-v3").flag("interrupt-controller");
            tree.cells("#redistributor-regions", {5});
            tree.cells("reg", {0, 0x800'0000, 0, 0x1000}).end();
        };
        CHECK(problem_of(parts) == "interrupt controller with missing or malformed reg");
    }
    SECTION("a timer without a virtual interrupt, or with a shared one") {
        parts.timer = [](TreeBuilder& tree) {
            tree.begin("timer").text("compatible", "arm,armv8-timer");
            tree.cells("interrupt-parent", {7}).cells("interrupts", {1, 13, 8, 1, 14, 8}).end();
        };
        CHECK(problem_of(parts) == "no generic timer with a virtual timer interrupt");
        parts.timer = [](TreeBuilder& tree) {
            tree.begin("timer")
                .text("compatible", "arm,armv8-timer")
                .cells("interrupt-parent", {7});
            tree.cells("interrupts", {1, 13, 8, 1, 14, 8, 0, 11, 8}).end();
        };
        CHECK(problem_of(parts) == "no generic timer with a virtual timer interrupt");
    }
}

namespace {

BoardTree board_with_arguments(const std::string& line) {
    Parts parts;
    const auto memory = parts.memory;
    parts.memory = [&](TreeBuilder& tree) {
        memory(tree);
        tree.begin("chosen").text("bootargs", line).end();
    };
    BoardTree board;
    REQUIRE(kernel::read_board_tree(build(parts), 0, board) == nullptr);
    return board;
}

}  // namespace

TEST_CASE("a boot argument limits the CPUs to between one and all", "[kernel][boot]") {
    const auto limit = [](const std::string& line) { return board_with_arguments(line).cpu_limit; };
    CHECK(limit("console=x tessera.cpus=2 tessera.semihost") == 2);
    CHECK(limit("tessera.cpus=1") == 1);
    CHECK(limit("tessera.cpus=0") == 0);
    CHECK(limit("tessera.cpus=9") == 0);
    CHECK(limit("tessera.cpus=12") == 0);
    CHECK(limit("") == 0);
}

TEST_CASE("the boot argument is a word, not a part of one", "[kernel][boot]") {
    const auto semihosting = [](const std::string& line) {
        return board_with_arguments(line).semihosting;
    };
    CHECK(semihosting("tessera.semihost"));
    CHECK(semihosting("a  tessera.semihost "));
    CHECK_FALSE(semihosting(""));
    CHECK_FALSE(semihosting("tessera.semihosting"));
    CHECK_FALSE(semihosting("no-tessera.semihost"));
}

TEST_CASE("free memory that falls to pieces never includes what is taken", "[kernel][boot]") {
    BoardTree board;
    board.memory[0] = range(0x4000'0000, 0x1000'0000);
    board.memory_count = 1;
    std::vector<MemoryRange> taken;
    for (u64 i = 0; i < 100; i++) {
        taken.push_back(range(0x4000'0000 + i * 0x10'0000 + 0x1234, 0x100 + i * 0x1000));
    }
    const auto free = free_memory(board, taken);
    REQUIRE(free.size() == kernel::kMaxMemoryRanges);
    CHECK(free[0].second >= 0x0900'0000);
    for (const auto& [base, size] : free) {
        CHECK(size != 0);
        CHECK(base % 4096 == 0);
        CHECK(base + size <= 0x5000'0000);
        for (const MemoryRange& other : taken) {
            CHECK((base + size <= other.base.value || other.base.value + other.size.value <= base));
        }
    }
    CHECK(free_memory(board, {range(0, ~u64{0} - 4096)}).empty());
}
