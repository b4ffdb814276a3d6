// SPDX-License-Identifier: Apache-2.0
// A disk in memory, "ram0": as large as the argument "sectors=N" or the image's file ramdisk0.img
// says, whichever is more, and filled from that file. Its component's memory budget pays.
#include <bit>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/VMM.client.hpp>
#include <kl/drivers/RAMDisk.edl.hpp>
#include <new>
#include <runtime/log.hpp>
#include <runtime/process.hpp>
#include <runtime/status_text.hpp>
#include <runtime/text.hpp>
#include <services/block/kernel_sessions.hpp>
#include <services/block/server.hpp>
#include <services/drivers/ram_disk/memory_disk.hpp>

namespace {

using base::s32;
using base::Status;
using base::u64;
using base::u8;

constexpr s32 kExitNoMemory = 1;
constexpr s32 kExitListener = 2;
constexpr std::string_view kFile = "ramdisk0.img";
constexpr u64 kPageBytes = 4096;

/// The server's tables are too large for the stack.
alignas(svc::block::Server) constinit u8 server_memory[sizeof(svc::block::Server)]{};

s32 fail(std::string_view event, Status status, s32 code) {
    sdk::LogLine{"ram-disk", event}.field("status", sdk::name_of(status));
    return code;
}

u64 wanted_sectors(const sdk::StartBlock& start) {
    constexpr std::string_view kKey = "sectors=";
    u64 sectors = 0;
    for (base::u32 i = 0; i < start.argument_count(); ++i) {
        std::string_view argument = start.argument(i);
        if (argument.starts_with(kKey)) {
            argument.remove_prefix(kKey.size());
            (void)sdk::parse_decimal(argument, sectors);
        }
    }
    return sectors;
}

base::Result<std::span<u8>> allocate(u64 bytes) {
    kl::core::VMM::Proxy vmm{sdk::kKernelHandle, kl::core::Core::endpoint::vmm_VMM};
    const u64 size = (bytes + kPageBytes - 1) & ~(kPageBytes - 1);
    const auto made = vmm.Allocate(0, size, kl::core::VMM::Read | kl::core::VMM::Write);
    if (!made.ok()) {
        return made.status();
    }
    return std::span{std::bit_cast<u8*>(made.value().at), static_cast<std::size_t>(bytes)};
}

}  // namespace

s32 sdk::program_main(const StartBlock& start) {
    using svc::block::kSectorUnit;
    const auto file = start.file(kFile);
    const std::span<const u8> image = file.ok() ? file.value() : std::span<const u8>{};
    const u64 sectors = wanted_sectors(start);
    const u64 image_sectors = (image.size() + kSectorUnit - 1) / kSectorUnit;
    const auto memory =
        sectors <= ~u64{0} / kSectorUnit - 1
            ? allocate((sectors > image_sectors ? sectors : image_sectors) * kSectorUnit)
            : Status::InvalidArgument;
    if (!memory.ok()) {
        return fail("no-memory", memory.status(), kExitNoMemory);
    }
    if (!image.empty()) {
        std::memcpy(memory.value().data(), image.data(), image.size());
    }
    svc::ram_disk::MemoryDisk disk{memory.value(), "ram0", start.seed()[0]};
    svc::block::KernelSessions sessions{
        start.listener(), kl::drivers::RAMDisk::endpoint::ramdisk, svc::block::Backing::Memory};
    auto& server = *new (server_memory) svc::block::Server{sessions, abi::kInvalidHandle};
    (void)server.add(disk);
    LogLine{"ram-disk", "disk"}
        .field("name", disk.name())
        .field("sectors", disk.geometry().sectors);
    kl::drivers::RAMDisk::Dispatcher dispatcher{start.listener(), server};
    dispatcher.on_event(server);
    return fail("listener-lost", dispatcher.run(), kExitListener);
}
