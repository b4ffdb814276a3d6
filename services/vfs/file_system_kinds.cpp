// SPDX-License-Identifier: Apache-2.0
#include <kernel/base/bits.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/HAL.client.hpp>
#include <kl/core/VMM.client.hpp>
#include <runtime/ipc.hpp>
#include <runtime/process.hpp>
#include <runtime/time.hpp>
#include <services/vfs/file_system_kinds.hpp>
#include <services/vfs/options.hpp>

namespace svc::vfs {

namespace {

using storage::safefs::SafeFs;

constexpr u64 kDiskBytes = u64{1} << 20;  // of a disk in memory that says nothing of its size
constexpr u64 kFormatBytes = 4096;
constexpr u32 kCacheBlocks = 128;

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

Result<FileSystem*> FileSystemKinds::make_safefs(Place& place, std::string_view options) {
    TRY_VALUE(const std::span<u8> disk, place.disk.take(option_bytes(options, "size", kDiskBytes)));
    auto& device = place.device.emplace<storage::RamDisk>(disk);
    if (has_option(options, "format")) {
        Pages room;
        TRY_VALUE(const std::span<u8> work, room.take(kFormatBytes));
        TRY(SafeFs::format(device, make_seed(start_), work));
    }
    auto& files = place.kind.emplace<SafeFs>(device, clock_);
    TRY_VALUE(const std::span<u8> work,
              place.work.take(SafeFs::memory_bytes(device, kCacheBlocks)));
    TRY(files.mount(work));
    return &files;
}

Result<FileSystem*> FileSystemKinds::make_on(Place& place,
                                             std::string_view kind,
                                             std::string_view device,
                                             std::string_view options) {
    (void)device;
    if (kind == "devfs") {
        return &place.kind.emplace<storage::devfs::DevFs>(clock_, entropy_, console_);
    }
    if (kind == "ramfs") {
        return make_ramfs(place, options);
    }
    if (kind == "safefs") {
        return make_safefs(place, options);
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
