// SPDX-License-Identifier: Apache-2.0
// One walk finds everything, since each look-up by path or compatible would be another. Unknown
// nodes and properties are passed over; what the kernel needs and finds malformed is a problem with
// a name, never a guess. [DTSPEC] "Device Node Requirements"
#include <kernel/base/bits.hpp>
#include <kernel/base/fdt.hpp>
#include <kernel/base/names.hpp>
#include <kernel/hal/board_tree.hpp>

namespace kernel {

namespace {

namespace fdt = base::fdt;
using base::kPageSize;
using base::Text;
constexpr u64 kHighest = ~(kPageSize - 1);  // last page address
constexpr u32 kVirtualTimerIndex = 2;       // of secure, physical, virtual, hypervisor
constexpr u32 kMaxRegEntries = 16;
constexpr const char* kBadController = "interrupt controller with missing or malformed reg";

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

/// N of the word `tessera.cpus=N`; 0 when there is none, or N is not 1 to kMaxCpus.
u32 cpu_limit(Text line) {
    const Text limit = base::value_of(line, "tessera.cpus");
    const u32 count = limit.size() == 1 ? static_cast<u32>(limit[0] - '0') : 0;
    return count <= kMaxCpus ? count : 0;
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

/// Whether the property is exactly this text.
bool has_text(const fdt::Node& node, Text property, Text wanted) {
    const Result<Text> text = node.read_text(property);
    return text.ok() && text.value() == wanted;
}

constexpr Text kGic2[] = {
    "arm,gic-400", "arm,cortex-a15-gic", "arm,cortex-a9-gic", "arm,cortex-a7-gic"};
constexpr Text kGic3[] = {"arm,gic-v3"};
constexpr Text kTimers[] = {"arm,armv8-timer", "arm,armv7-timer"};
constexpr Text kPsci[] = {"arm,psci-1.0", "arm,psci-0.2"};

/// Fills a BoardTree. The first problem is kept and ends the walk.
class Reader final {
public:
    Reader(u64 boot_mpidr, BoardTree& board) : boot_mpidr_(boot_mpidr), board_(board) {}

    const char* read(const fdt::Blob& blob) {
        board_.cpus[0] = BoardCpu{.mpidr = boot_mpidr_};
        board_.cpu_count = 1;
        auto reservation = fdt::reservation(blob, 0);
        for (u32 i = 1; reservation.ok() && is_sound(); i++) {
            reserve(reservation.value(), true);
            reservation = fdt::reservation(blob, i);
        }
        for (fdt::Walk walk{blob}; walk.advance() && is_sound();) {
            read_node(walk, walk.node());
        }
        require(board_.memory_count != 0, "no memory node with a whole page");
        require(boot_cpu_found_ || board_.cpu_count > 1, "no usable cpu node");
        require(board_.gic_version != 0,
                "no interrupt controller the kernel can drive (GICv2, GICv3)");
        require(board_.timer_line.value != 0, "no generic timer with a virtual timer interrupt");
        return problem_;
    }

private:
    [[nodiscard]] bool is_sound() const { return problem_ == nullptr; }

    bool require(bool condition, const char* otherwise) {
        if (!condition && is_sound()) {
            problem_ = otherwise;
        }
        return condition;
    }

    void read_node(const fdt::Walk& walk, const fdt::Node& node) {
        const Text name = node.base_name();
        const Text parent = walk.depth() > 1 ? walk.ancestor(0).base_name() : Text{};
        if (name == "memory") {
            read_memory(walk, node);
        } else if (parent == "reserved-memory") {
            read_reserved_memory(walk, node);
        } else if (parent == "cpus") {
            read_cpu(node);
        } else if (name == "chosen") {
            read_chosen(node);
        } else if (board_.gic_version == 0 && node.has_property("interrupt-controller")) {
            read_controller(walk, node);
        } else if (board_.timer_line.value == 0 && is_any(node, kTimers)) {
            read_timer(node);
        } else if (board_.psci == PsciConduit::None && name == "psci") {
            read_psci(node);
        }
    }

    /// Hands each entry of `reg` to `use`; the first malformed one ends the list.
    template <typename Use> void each_range(const fdt::Walk& walk, Use use) {
        for (u32 i = 0; i < kMaxRegEntries; i++) {
            const Result<fdt::Range> range = walk.reg(i);
            if (!range.ok()) {
                return;
            }
            use(range.value());
        }
    }

    void read_memory(const fdt::Walk& walk, const fdt::Node& node) {
        if (has_text(node, "device_type", "memory") && node.is_enabled()) {
            each_range(walk, [this](fdt::Range range) { add_memory(pages_inside(range)); });
        }
    }

    void add_memory(const MemoryRange& range) {
        if (range.size.value == 0) {
            return;
        }
        for (u32 known = 0; known < board_.memory_count; known++) {
            require(!overlaps(board_.memory[known], range), "two memory ranges overlap");
        }
        // None may be left out, or it would pass for a device.
        if (require(board_.memory_count < kMaxMemoryRanges,
                    "more memory ranges than the kernel can keep")) {
            board_.memory[board_.memory_count++] = range;
        }
    }

    void read_reserved_memory(const fdt::Walk& walk, const fdt::Node& node) {
        if (node.is_enabled()) {
            const bool mapped = !node.has_property("no-map");
            each_range(walk, [this, mapped](fdt::Range range) { reserve(range, mapped); });
        }
    }

    void reserve(fdt::Range range, bool mapped) {
        // None may be left out.
        if (range.size != 0 && require(board_.reserved_count < kMaxReservedRanges,
                                       "more reserved ranges than the kernel can keep")) {
            board_.reserved[board_.reserved_count++] = {pages_around(range), mapped};
        }
    }

    void read_cpu(const fdt::Node& node) {
        const Result<u64> mpidr = node.read_u64("reg");
        if (!mpidr.ok() || !has_text(node, "device_type", "cpu")) {
            return;
        }
        BoardCpu cpu{.mpidr = mpidr.value()};
        const Result<u64> release = node.read_u64("cpu-release-addr");
        if (has_text(node, "enable-method", "psci")) {
            cpu.start = CpuStart::Psci;
        } else if (has_text(node, "enable-method", "spin-table") && release.ok() &&
                   base::is_aligned(release.value(), 8)) {
            cpu.start = CpuStart::SpinTable;
            cpu.release_address = base::PhysAddr{release.value()};
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
        } else {
            board_.cpus[board_.cpu_count++] = cpu;
        }
    }

    void read_controller(const fdt::Walk& walk, const fdt::Node& node) {
        const bool version2 = is_any(node, kGic2);
        if ((!version2 && !is_any(node, kGic3)) || !node.is_enabled()) {
            return;
        }
        board_.gic_version = version2 ? 2 : 3;
        board_.gic_distributor = registers(walk, 0);
        if (version2) {
            board_.gic_cpu_interface = registers(walk, 1);
            return;
        }
        const Result<u32> count = node.read_u32_or("#redistributor-regions", 1);
        const Result<u64> stride = node.read_u64("redistributor-stride");
        const bool is_usable =
            count.ok() && count.value() > 0 && count.value() <= kMaxRedistributorRegions;
        board_.redistributor_count = require(is_usable, kBadController) ? count.value() : 0;
        board_.redistributor_stride = stride.ok() ? stride.value() : 0;
        for (u32 i = 0; i < board_.redistributor_count; i++) {
            board_.redistributors[i] = registers(walk, 1 + i);
        }
    }

    /// Pages of register block `index` of the interrupt controller.
    MemoryRange registers(const fdt::Walk& walk, u32 index) {
        const Result<fdt::Range> range = walk.address(index);
        return require(range.ok(), kBadController) ? pages_around(range.value()) : MemoryRange{};
    }

    /// Its interrupts are those of the GIC: type, number and flags, or four cells each where the
    /// controller tells CPUs apart. [DTBIND] "arm,gic-v3"
    void read_timer(const fdt::Node& node) {
        constexpr u32 kPrivate = 1;
        const Result<fdt::Property> interrupts = node.property("interrupts");
        const u32 count = interrupts.ok() ? interrupts.value().cell_count() : 0;
        const u32 virtual_timer = kVirtualTimerIndex * (count % 3 == 0 ? 3 : 4);
        if (virtual_timer + 1 < count &&
            interrupts.value().cell(virtual_timer).value() == kPrivate &&
            interrupts.value().cell(virtual_timer + 1).value() < 16) {
            board_.timer_line =
                base::IrqLine{16 + interrupts.value().cell(virtual_timer + 1).value()};
        }
    }

    void read_psci(const fdt::Node& node) {
        if (is_any(node, kPsci)) {
            board_.psci = has_text(node, "method", "hvc")   ? PsciConduit::Hvc
                          : has_text(node, "method", "smc") ? PsciConduit::Smc
                                                            : PsciConduit::None;
        }
    }

    void read_chosen(const fdt::Node& node) {
        stir(node.property("rng-seed"));
        stir(node.property("kaslr-seed"));
        const Result<Text> line = node.read_text("bootargs");
        board_.arguments = line.ok() ? line.value() : Text{};
        board_.semihosting = base::value_of(board_.arguments, "tessera.semihost").data() != nullptr;
        board_.cpu_limit = cpu_limit(board_.arguments);
    }

    void stir(const Result<fdt::Property>& property) {
        for (const u8 byte : property.ok() ? property.value().bytes() : std::span<const u8>{}) {
            board_.seed = mix(board_.seed ^ byte);
            board_.has_seed = true;
        }
    }

    u64 boot_mpidr_;
    BoardTree& board_;
    const char* problem_ = nullptr;
    bool boot_cpu_found_ = false;
};

/// Pieces of memory from which ranges are cut. When cutting needs more room than there is, the
/// smaller piece is given up: less memory, but never memory that is not free.
class Pieces final {
public:
    void add(u64 start, u64 end) {
        const Piece added{start, end};
        if (start >= end) {
            return;
        }
        if (count_ < kCapacity) {
            pieces_[count_++] = added;
            return;
        }
        Piece& least = best([](u64 a, u64 b) { return a < b; });
        if (least.size() < added.size()) {
            least = added;
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
        Piece& largest = best([](u64 a, u64 b) { return a > b; });
        const Piece piece = largest;
        largest = pieces_[--count_];
        return {base::PhysAddr{piece.start}, base::Bytes{piece.size()}};
    }

private:
    struct Piece {
        u64 start;
        u64 end;

        [[nodiscard]] u64 size() const { return end - start; }
    };

    static constexpr u32 kCapacity = 32;

    /// The first piece whose size is better than that of all others; count() > 0.
    template <typename Better> Piece& best(Better is_better) {
        Piece* found = pieces_;
        for (Piece& each : std::span{pieces_, count_}) {
            found = is_better(each.size(), found->size()) ? &each : found;
        }
        return *found;
    }

    Piece pieces_[kCapacity]{};
    u32 count_ = 0;
};

u64 end_of(const MemoryRange& range) { return range.base.value + range.size.value; }

}  // namespace

const char* read_board_tree(std::span<const u8> blob, u64 boot_mpidr, BoardTree& board) {
    board = BoardTree{};
    const Result<fdt::Blob> tree = fdt::open(blob);
    return tree.ok() ? Reader{boot_mpidr, board}.read(tree.value())
                     : "not a device tree, or a damaged one";
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
