// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <kernel/base/bits.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/HAL.client.hpp>
#include <kl/core/VMM.client.hpp>
#include <memory>
#include <runtime/ipc.hpp>
#include <runtime/process.hpp>
#include <runtime/time.hpp>
#include <services/vfs/file_system_kinds.hpp>
#include <services/vfs/options.hpp>

namespace svc::vfs {

namespace {

using storage::fat::Fat;
using storage::safefs::SafeFs;

constexpr u64 kDiskBytes = u64{1} << 20;  // of a disk in memory that says nothing of its size
constexpr u64 kFormatBytes = 4096;
constexpr u32 kCacheBlocks = 256;
constexpr u32 kFatCacheBlocks = 512;
constexpr u32 kSectorBytes = 512;
constexpr std::string_view kImageEnd = ".img";
constexpr std::string_view kRamDisk = "ramdisk";
constexpr std::string_view kDrivers[]{
    "kl.drivers.SDCard", "drivers.VirtioBlk", "kl.drivers.RAMDisk"};  ///< ids of connections

kl::core::VMM::Proxy memory() { return {sdk::kKernelHandle, kl::core::Core::endpoint::vmm_VMM}; }

std::array<u64, 2> make_seed(const sdk::StartBlock& start) {
    const auto seed = start.seed();
    return {seed[0] ^ sdk::now_ticks(), seed[1]};
}

}  // namespace

s64 WallClock::now_ns() { return static_cast<s64>(sdk::wall_ns()); }

Result<void> KernelEntropy::fill(std::span<u8> data) {
    kl::core::HAL::Proxy hal{sdk::kKernelHandle, kl::core::Core::endpoint::hal_HAL};
    while (!data.empty()) {
        const auto reply = hal.GetEntropy();
        if (!reply.ok()) {
            return Error::Io;
        }
        const auto& found = reply.value();
        const u64 words[]{found.a, found.b, found.c, found.d};
        const u64 size = data.size() < sizeof words ? data.size() : sizeof words;
        __builtin_memcpy(data.data(), words, size);
        data = data.subspan(size);
    }
    return {};
}

ConsoleSink::ConsoleSink(const sdk::StartBlock& start) : console_(0), has_console_(false) {
    if (const auto console = sdk::Console::open(start); console.ok()) {
        console_ = console.value();
        has_console_ = true;
    }
}

Result<u64> ConsoleSink::write(std::span<const u8> data) {
    const std::string_view text{static_cast<const char*>(static_cast<const void*>(data.data())),
                                data.size()};
    if (!has_console_) {
        sdk::debug_write(text);
        return data.size();
    }
    return console_.write(text) == base::Status::Ok ? Result<u64>{data.size()} : Error::Io;
}

Pages::~Pages() {
    if (!memory_.empty()) {
        (void)memory().Free(__builtin_bit_cast(u64, memory_.data()), memory_.size());
    }
}

Result<std::span<u8>> Pages::take(u64 bytes) {
    const u64 size = base::align_up(bytes, base::kPageSize);
    const auto made = memory().Allocate(0, size, kl::core::VMM::Read | kl::core::VMM::Write);
    if (!made.ok()) {
        return Error::NoMemory;
    }
    memory_ = {__builtin_bit_cast(u8*, made.value().at), size};
    return memory_;
}

Result<FileSystem*> FileSystemKinds::make_ramfs(Place& place, std::string_view options) {
    TRY_VALUE(const std::span<u8> memory,
              place.disk.take(option_bytes(options, "size", kDiskBytes)));
    auto& files = place.kind.emplace<storage::ramfs::RamFs>(clock_);
    TRY(files.begin(memory, make_seed(start_)));
    return &files;
}

/// The files of the image, which this process has if its component is marked `image-files`.
Result<FileSystem*> FileSystemKinds::make_romfs(Place& place) {
    const auto file = start_.file(sdk::start::kImageFiles);
    if (!file.ok()) {
        return Error::NoDevice;
    }
    const auto image = sdk::romfs::Reader::open(file.value());
    if (!image.ok()) {
        return Error::Io;
    }
    return &place.kind.emplace<storage::romfs::RomFs>(image.value());
}

/// A disk in memory, with what the file of its name and ".img" holds if this process has it.
Result<storage::Device*> FileSystemKinds::make_ram_disk(Place& place, std::string_view options) {
    char name[48];
    const std::string_view disk = place.disk_name.view();
    std::copy(disk.begin(), disk.end(), name);
    std::copy(kImageEnd.begin(), kImageEnd.end(), name + disk.size());
    const auto file = start_.file({name, disk.size() + kImageEnd.size()});
    const u64 least = file.ok() ? file.value().size() : 0;
    const u64 wanted = option_bytes(options, "size", least != 0 ? least : kDiskBytes);
    TRY_VALUE(const std::span<u8> memory, place.disk.take(wanted < least ? least : wanted));
    if (file.ok()) {
        std::copy(file.value().begin(), file.value().end(), memory.begin());
    }
    return &place.device.emplace<storage::RamDisk>(memory, kSectorBytes);
}

/// The disk of this name, of the first driver that has it.
Result<storage::Device*> FileSystemKinds::open_disk(Place& place, std::string_view options) {
    for (const std::string_view driver : kDrivers) {
        const auto channel = start_.connection(driver);
        if (!channel.ok()) {
            continue;
        }
        auto& client = place.device.emplace<block::Client>(
            block::ClientOptions{.channel = channel.value(), .disk = place.disk_name.view()});
        const auto opened = client.open();
        if (opened.ok()) {
            return &client;
        }
        if (opened.status() != Error::NoDevice) {
            return opened.status();
        }
    }
    return place.disk_name.view().starts_with(kRamDisk) ? make_ram_disk(place, options)
                                                        : Result<storage::Device*>{Error::NoDevice};
}

/// "NAME,NUMBER": a partition of a disk; 0 or nothing is the first one, or the whole disk if it has
/// no table.
Result<storage::Device*>
FileSystemKinds::open_device(Place& place, std::string_view device, std::string_view options) {
    const std::string_view name = device.substr(0, device.find(','));
    u32 number = 0;
    for (u64 i = name.size() + 1; i < device.size(); ++i) {
        if (device[i] < '0' || device[i] > '9' || number > storage::kMaxPartitions) {
            return Error::NoDevice;
        }
        number = number * 10 + static_cast<u32>(device[i] - '0');
    }
    place.disk_name = Text<31>{name};
    TRY_VALUE(storage::Device* const whole, open_disk(place, options));
    Pages room;
    TRY_VALUE(const std::span<u8> memory,
              room.take(sizeof(storage::Partition) * storage::kMaxPartitions));
    void* const begin = memory.data();
    const std::span<storage::Partition> partitions{static_cast<storage::Partition*>(begin),
                                                   storage::kMaxPartitions};
    std::uninitialized_default_construct(partitions.begin(), partitions.end());
    TRY_VALUE(const storage::PartitionTable table, storage::read_partitions(*whole, partitions));
    if (number == 0 && table.count == 0) {
        return whole;
    }
    for (const storage::Partition& partition : partitions.first(table.count)) {
        if (number == 0 || partition.number == number) {
            return &place.partition.emplace(*whole, partition);
        }
    }
    return Error::NoDevice;
}

Result<FileSystem*>
FileSystemKinds::make_safefs(Place& place, std::string_view device, std::string_view options) {
    TRY_VALUE(storage::Device* const disk, open_device(place, device, options));
    auto& files = place.kind.emplace<SafeFs>(*disk, clock_);
    TRY_VALUE(const std::span<u8> work, place.work.take(SafeFs::memory_bytes(*disk, kCacheBlocks)));
    const auto mounted = files.mount(work);
    if (mounted.status() != Error::NoDevice || !has_option(options, "format")) {
        TRY(mounted);
        return &files;
    }
    // There was none: once for each object, so a new one.
    TRY(SafeFs::format(*disk, make_seed(start_), work.first(kFormatBytes)));
    auto& made = place.kind.emplace<SafeFs>(*disk, clock_);
    TRY(made.mount(work));
    return &made;
}

Result<FileSystem*>
FileSystemKinds::make_fat(Place& place, std::string_view device, std::string_view options) {
    TRY_VALUE(storage::Device* const disk, open_device(place, device, options));
    auto& files = place.kind.emplace<Fat>(*disk, clock_);
    // Blocks are of 512 bytes mostly, and a repair needs a bit for each cluster.
    const u64 bytes = Fat::memory_bytes(*disk, kFatCacheBlocks);
    TRY_VALUE(const std::span<u8> work, place.work.take(bytes));
    const auto mounted = files.mount(work);
    if (mounted.status() != Error::NoDevice || !has_option(options, "format")) {
        TRY(mounted);
        return &files;
    }
    TRY(Fat::format(*disk, {.serial = static_cast<u32>(make_seed(start_)[0])}, clock_, work));
    auto& made = place.kind.emplace<Fat>(*disk, clock_);
    TRY(made.mount(work));
    return &made;
}

Result<FileSystem*> FileSystemKinds::make_on(Place& place,
                                             std::string_view kind,
                                             std::string_view device,
                                             std::string_view options) {
    if (kind == "devfs") {
        return &place.kind.emplace<storage::devfs::DevFs>(clock_, entropy_, console_);
    }
    if (kind == "ramfs") {
        return make_ramfs(place, options);
    }
    if (kind == "romfs") {
        return make_romfs(place);
    }
    if (kind == "fat32" || kind == "fat16" || kind == "fat12" || kind == "vfat") {
        return make_fat(place, device, options);
    }
    if (kind == "safefs") {
        return make_safefs(place, device, options);
    }
    return Error::NoDevice;
}

Result<FileSystem*> FileSystemKinds::make(std::string_view kind,
                                          std::string_view device,
                                          std::string_view options,
                                          u64 flags) {
    (void)flags;
    for (Place& place : places_) {
        if (place.files == nullptr) {
            const auto made = make_on(place, kind, device, options);
            if (made.ok()) {
                place.files = made.value();
            } else {
                clear(place);
            }
            return made;
        }
    }
    return Error::TableFull;
}

void FileSystemKinds::give_back(FileSystem& files) {
    for (Place& place : places_) {
        if (place.files == &files) {
            clear(place);
        }
    }
}

void FileSystemKinds::clear(Place& place) {
    std::destroy_at(&place);
    std::construct_at(&place);
}

}  // namespace svc::vfs
