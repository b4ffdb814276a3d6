// SPDX-License-Identifier: Apache-2.0
// One pass over the nodes finds everything, since each look-up by path or compatible would walk
// the tree again. Unknown nodes and properties are passed over; what the kernel needs and finds
// malformed is a problem with a name, never a guess. [DTSPEC] "Device Node Requirements"
#include <kernel/base/bits.hpp>
#include <kernel/base/fdt.hpp>
#include <kernel/hal/board_tree.hpp>

namespace kernel {

namespace {

namespace fdt = base::fdt;
using base::kPageSize;
using base::Result;
using base::Text;
using base::u32;
using base::u64;
using base::u8;

constexpr u64 kHighest = ~(kPageSize - 1);  // last page address
constexpr u32 kVirtualTimerIndex = 2;       // of secure, physical, virtual, hypervisor
constexpr u32 kMaxRegEntries = 16;

/// Whole pages inside the range; size 0 when there are none.
MemoryRange pages_inside(fdt::Range range) {
    if (range.base > kHighest) {
        return {};
    }
    const u64 start = base::align_up(range.base, kPageSize);
    const u64 end = base::align_down(range.base + range.size, kPageSize);
    return end > start ? MemoryRange{base::PhysAddr{start}, base::Bytes{end - start}}
                       : MemoryRange{};
}

/// All pages that the range touches.
MemoryRange pages_around(fdt::Range range) {
    const u64 start = base::align_down(range.base, kPageSize);
    const u64 last = range.base + range.size;
    const u64 end = last > kHighest ? kHighest : base::align_up(last, kPageSize);
    return {base::PhysAddr{start}, base::Bytes{end - start}};
}

bool overlaps(const MemoryRange& a, const MemoryRange& b) {
    return a.base < b.base + b.size && b.base < a.base + a.size;
}

/// One step of splitmix64: every bit of the input reaches every bit of the output.
u64 mix(u64 value) {
    value += 0x9E37'79B9'7F4A'7C15;
    value = (value ^ (value >> 30)) * 0xBF58'476D'1CE4'E5B9;
    value = (value ^ (value >> 27)) * 0x94D0'49BB'1331'11EB;
    return value ^ (value >> 31);
}

/// Whether `word` is one of the blank-separated words of `line`.
bool has_word(Text line, Text word) {
    while (!line.empty()) {
        const std::size_t end = line.find(' ');
        if (line.first(end) == word) {
            return true;
        }
        line = line.drop(end + 1);
    }
    return false;
}

/// The largest N of the words `tessera.cpus=N`, 1 to kMaxCpus; 0 when there is none.
u32 cpu_limit(Text line) {
    char word[] = "tessera.cpus=0";
    u32 limit = 0;
    for (u32 count = 1; count <= kMaxCpus; ++count) {
        word[sizeof(word) - 2] = static_cast<char>('0' + count);
        limit = has_word(line, Text{word, sizeof(word) - 1}) ? count : limit;
    }
    return limit;
}

bool is_any(const fdt::Node& node, std::span<const Text> wanted) {
    const Result<fdt::Property> compatible = node.property("compatible");
    if (!compatible.ok()) {
        return false;
    }
    for (const Text name : wanted) {
        if (compatible.value().lists(name)) {
            return true;
        }
    }
    return false;
}

constexpr Text kGic2[] = {
    "arm,gic-400", "arm,cortex-a15-gic", "arm,cortex-a9-gic", "arm,cortex-a7-gic"};
constexpr Text kGic3[] = {"arm,gic-v3"};
constexpr Text kTimers[] = {"arm,armv8-timer", "arm,armv7-timer"};
constexpr Text kPsci[] = {"arm,psci-1.0", "arm,psci-0.2"};

class Reader final {
public:
    Reader(const fdt::Tree& tree, u64 boot_mpidr, BoardTree& board)
        : tree_(tree), boot_mpidr_(boot_mpidr), board_(board) {}

    BoardProblem read();

private:
    BoardProblem read_memory(const fdt::Node& node);
    BoardProblem read_reserved_memory(const fdt::Node& node);
    BoardProblem read_reservations();
    BoardProblem reserve(fdt::Range range, bool mapped);
    void read_cpus(const fdt::Node& node);
    void read_cpu(const fdt::Node& node);
    BoardProblem read_controller(const fdt::Node& node);
    void read_timer(const fdt::Node& node);
    void read_psci(const fdt::Node& node);
    void read_chosen(const fdt::Node& node);
    void stir(const fdt::Property& property);

    const fdt::Tree& tree_;
    u64 boot_mpidr_;
    BoardTree& board_;
    bool boot_cpu_found_ = false;
};

BoardProblem Reader::read() {
    board_.cpus[0] = BoardCpu{.mpidr = boot_mpidr_};
    board_.cpu_count = 1;
    BoardProblem problem = read_reservations();
    for (const fdt::Node node : tree_.nodes()) {
        if (problem != BoardProblem::None) {
            return problem;
        }
        const Text name = node.base_name();
        if (name == "memory") {
            problem = read_memory(node);
        } else if (name == "reserved-memory") {
            problem = read_reserved_memory(node);
        } else if (name == "cpus") {
            read_cpus(node);
        } else if (name == "chosen") {
            read_chosen(node);
        } else if (board_.gic_version == 0 && node.has_property("interrupt-controller")) {
            problem = read_controller(node);
        } else if (board_.timer_line.value == 0 && is_any(node, kTimers)) {
            read_timer(node);
        } else if (board_.psci == PsciConduit::None && name == "psci") {
            read_psci(node);
        }
    }
    if (problem != BoardProblem::None) {
        return problem;
    }
    if (board_.memory_count == 0) {
        return BoardProblem::NoMemory;
    }
    if (!boot_cpu_found_ && board_.cpu_count == 1) {
        return BoardProblem::NoCpu;
    }
    if (board_.gic_version == 0) {
        return BoardProblem::NoController;
    }
    return board_.timer_line.value == 0 ? BoardProblem::NoTimer : BoardProblem::None;
}

BoardProblem Reader::read_memory(const fdt::Node& node) {
    const Result<Text> type = node.read_text("device_type");
    if (!type.ok() || !(type.value() == "memory") || !node.is_enabled()) {
        return BoardProblem::None;
    }
    for (u32 i = 0; i < kMaxRegEntries; i++) {
        const Result<fdt::Range> reg = node.reg(i);
        if (!reg.ok()) {
            break;
        }
        const MemoryRange range = pages_inside(reg.value());
        if (range.size.value == 0) {
            continue;
        }
        for (u32 known = 0; known < board_.memory_count; known++) {
            if (overlaps(board_.memory[known], range)) {
                return BoardProblem::MemoryOverlaps;
            }
        }
        if (board_.memory_count == kMaxMemoryRanges) {
            return BoardProblem::TooManyMemory;
        }
        board_.memory[board_.memory_count++] = range;
    }
    return BoardProblem::None;
}

BoardProblem Reader::reserve(fdt::Range range, bool mapped) {
    if (range.size == 0) {
        return BoardProblem::None;
    }
    if (board_.reserved_count == kMaxReservedRanges) {
        return BoardProblem::TooManyReserved;
    }
    board_.reserved[board_.reserved_count++] = {pages_around(range), mapped};
    return BoardProblem::None;
}

BoardProblem Reader::read_reservations() {
    for (u32 i = 0;; i++) {
        const Result<fdt::Range> range = tree_.reservation(i);
        if (!range.ok()) {
            return BoardProblem::None;
        }
        if (const BoardProblem problem = reserve(range.value(), true);
            problem != BoardProblem::None) {
            return problem;
        }
    }
}

BoardProblem Reader::read_reserved_memory(const fdt::Node& node) {
    for (const fdt::Node child : node.children()) {
        if (!child.is_enabled()) {
            continue;
        }
        for (u32 i = 0; i < kMaxRegEntries; i++) {
            const Result<fdt::Range> range = child.reg(i);
            if (!range.ok()) {
                break;
            }
            if (const BoardProblem problem = reserve(range.value(), !child.has_property("no-map"));
                problem != BoardProblem::None) {
                return problem;
            }
        }
    }
    return BoardProblem::None;
}

void Reader::read_cpus(const fdt::Node& node) {
    for (const fdt::Node child : node.children()) {
        const Result<Text> type = child.read_text("device_type");
        if (type.ok() && type.value() == "cpu") {
            read_cpu(child);
        }
    }
}

void Reader::read_cpu(const fdt::Node& node) {
    const Result<u64> mpidr = node.read_u64("reg");
    if (!mpidr.ok()) {
        return;
    }
    BoardCpu cpu{.mpidr = mpidr.value()};
    const Result<Text> method = node.read_text("enable-method");
    if (method.ok() && method.value() == "psci") {
        cpu.start = CpuStart::Psci;
    } else if (method.ok() && method.value() == "spin-table") {
        const Result<u64> release = node.read_u64("cpu-release-addr");
        if (release.ok() && base::is_aligned(release.value(), 8)) {
            cpu.start = CpuStart::SpinTable;
            cpu.release_address = base::PhysAddr{release.value()};
        }
    }
    if (cpu.mpidr == boot_mpidr_) {
        board_.cpus[0] = cpu;
        boot_cpu_found_ = true;
        return;
    }
    // With a spin table `disabled` only means parked. [DTSPEC] "cpus/cpu* Node Properties"
    if (!node.is_enabled() && cpu.start != CpuStart::SpinTable) {
        return;
    }
    if (board_.cpu_count == kMaxCpus) {
        board_.cpus_left_out++;
        return;
    }
    board_.cpus[board_.cpu_count++] = cpu;
}

BoardProblem Reader::read_controller(const fdt::Node& node) {
    const bool version2 = is_any(node, kGic2);
    const bool version3 = !version2 && is_any(node, kGic3);
    if ((!version2 && !version3) || !node.is_enabled()) {
        return BoardProblem::None;
    }
    const Result<fdt::Range> distributor = node.address(0);
    if (!distributor.ok()) {
        return BoardProblem::BadController;
    }
    board_.gic_distributor = pages_around(distributor.value());
    if (version2) {
        const Result<fdt::Range> cpu_interface = node.address(1);
        if (!cpu_interface.ok()) {
            return BoardProblem::BadController;
        }
        board_.gic_cpu_interface = pages_around(cpu_interface.value());
        board_.gic_version = 2;
        return BoardProblem::None;
    }
    const Result<u32> count = node.read_u32_or("#redistributor-regions", 1);
    const Result<u64> stride = node.read_u64("redistributor-stride");
    if (!count.ok() || count.value() == 0 || count.value() > kMaxRedistributorRegions) {
        return BoardProblem::BadController;
    }
    for (u32 i = 0; i < count.value(); i++) {
        const Result<fdt::Range> region = node.address(1 + i);
        if (!region.ok()) {
            return BoardProblem::BadController;
        }
        board_.redistributors[i] = pages_around(region.value());
    }
    board_.redistributor_count = count.value();
    board_.redistributor_stride = stride.ok() ? stride.value() : 0;
    board_.gic_version = 3;
    return BoardProblem::None;
}

void Reader::read_timer(const fdt::Node& node) {
    const Result<fdt::Interrupt> interrupt = node.interrupt(kVirtualTimerIndex);
    if (!interrupt.ok()) {
        return;
    }
    const Result<u32> line = interrupt.value().gic_line();
    if (line.ok() && line.value() >= 16 && line.value() < 32) {
        board_.timer_line = base::IrqLine{line.value()};
    }
}

void Reader::read_psci(const fdt::Node& node) {
    const Result<Text> method = node.read_text("method");
    if (!method.ok() || !is_any(node, kPsci)) {
        return;
    }
    if (method.value() == "hvc") {
        board_.psci = PsciConduit::Hvc;
    } else if (method.value() == "smc") {
        board_.psci = PsciConduit::Smc;
    }
}

void Reader::stir(const fdt::Property& property) {
    for (const u8 byte : property.bytes()) {
        board_.seed = mix(board_.seed ^ byte);
        board_.has_seed = true;
    }
}

void Reader::read_chosen(const fdt::Node& node) {
    for (const fdt::Property property : node.properties()) {
        const Text name = property.name();
        if (name == "rng-seed" || name == "kaslr-seed") {
            stir(property);
        } else if (name == "bootargs") {
            const Result<Text> line = property.as_text();
            board_.semihosting = line.ok() && has_word(line.value(), "tessera.semihost");
            board_.cpu_limit = line.ok() ? cpu_limit(line.value()) : 0;
        }
    }
    const Result<fdt::Node> console = tree_.chosen_node("stdout-path");
    if (!console.ok()) {
        return;
    }
    const Result<fdt::Range> registers = console.value().address(0);
    if (registers.ok()) {
        board_.console = base::PhysAddr{registers.value().base};
    }
}

/// Pieces of memory from which ranges are cut. When cutting needs more room than there is, the
/// smaller piece is given up: less memory, but never memory that is not free.
class Pieces final {
public:
    void add(u64 start, u64 end) {
        if (start >= end) {
            return;
        }
        if (count_ < kCapacity) {
            pieces_[count_++] = {start, end};
            return;
        }
        Piece& least = pieces_[smallest()];
        if (least.end - least.start < end - start) {
            least = {start, end};
        }
    }

    void cut(u64 start, u64 end) {
        // What add() appends here lies outside the cut, so looking at it again changes nothing.
        u32 i = 0;
        while (i < count_) {
            const Piece piece = pieces_[i];
            if (piece.end <= start || end <= piece.start) {
                i++;
                continue;
            }
            pieces_[i] = pieces_[--count_];
            add(piece.start, start);
            add(end, piece.end);
        }
    }

    [[nodiscard]] u32 count() const { return count_; }

    /// Removes and returns the largest piece; count() > 0.
    MemoryRange take_largest() {
        u32 best = 0;
        for (u32 i = 1; i < count_; i++) {
            if (size(i) > size(best)) {
                best = i;
            }
        }
        const Piece piece = pieces_[best];
        pieces_[best] = pieces_[--count_];
        return {base::PhysAddr{piece.start}, base::Bytes{piece.end - piece.start}};
    }

private:
    struct Piece {
        u64 start;
        u64 end;
    };

    static constexpr u32 kCapacity = 32;

    [[nodiscard]] u64 size(u32 i) const { return pieces_[i].end - pieces_[i].start; }

    [[nodiscard]] u32 smallest() const {
        u32 least = 0;
        for (u32 i = 1; i < count_; i++) {
            if (size(i) < size(least)) {
                least = i;
            }
        }
        return least;
    }

    Piece pieces_[kCapacity]{};
    u32 count_ = 0;
};

u64 end_of(const MemoryRange& range) { return range.base.value + range.size.value; }

}  // namespace

const char* describe(BoardProblem problem) {
    switch (problem) {
    case BoardProblem::None:
        return "no problem";
    case BoardProblem::NotATree:
        return "not a device tree, or a damaged one";
    case BoardProblem::NoMemory:
        return "no memory node with a whole page";
    case BoardProblem::TooManyMemory:
        return "more memory ranges than the kernel can keep";
    case BoardProblem::MemoryOverlaps:
        return "two memory ranges overlap";
    case BoardProblem::TooManyReserved:
        return "more reserved ranges than the kernel can keep";
    case BoardProblem::NoCpu:
        return "no usable cpu node";
    case BoardProblem::NoController:
        return "no interrupt controller the kernel can drive (GICv2, GICv3)";
    case BoardProblem::BadController:
        return "interrupt controller with missing or malformed reg";
    case BoardProblem::NoTimer:
        return "no generic timer with a virtual timer interrupt";
    }
    return "unknown problem";
}

BoardProblem read_board_tree(std::span<const u8> blob, u64 boot_mpidr, BoardTree& board) {
    board = BoardTree{};
    const Result<fdt::Tree> tree = fdt::open(blob);
    if (!tree.ok()) {
        return BoardProblem::NotATree;
    }
    return Reader{tree.value(), boot_mpidr, board}.read();
}

u32 find_free_memory(const BoardTree& board,
                     std::span<const MemoryRange> taken,
                     base::PhysAddr limit,
                     MemoryRange (&free)[kMaxMemoryRanges]) {
    Pieces pieces;
    for (u32 i = 0; i < board.memory_count; i++) {
        const u64 end = end_of(board.memory[i]);
        pieces.add(board.memory[i].base.value, end < limit.value ? end : limit.value);
    }
    pieces.cut(0, kPageSize);
    for (u32 i = 0; i < board.reserved_count; i++) {
        pieces.cut(board.reserved[i].range.base.value, end_of(board.reserved[i].range));
    }
    for (const MemoryRange& range : taken) {
        pieces.cut(base::align_down(range.base.value, kPageSize),
                   base::align_up(end_of(range), kPageSize));
    }
    u32 count = 0;
    while (count < kMaxMemoryRanges && pieces.count() != 0) {
        free[count++] = pieces.take_largest();
    }
    return count;
}

}  // namespace kernel
