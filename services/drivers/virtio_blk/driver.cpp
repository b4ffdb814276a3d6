// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <driver/device.hpp>
#include <drivers/VirtioBlk.edl.hpp>
#include <new>
#include <runtime/log.hpp>
#include <runtime/status_text.hpp>
#include <services/block/kernel_sessions.hpp>
#include <services/block/server.hpp>
#include <services/drivers/virtio_blk/device.hpp>
#include <services/drivers/virtio_blk/driver.hpp>
#include <tessera/Irq.server.hpp>

namespace svc::virtio_blk {

namespace {

using base::s32;
using base::Status;

constexpr s32 kExitNoDevice = 1;
constexpr s32 kExitNoMemory = 2;
constexpr s32 kExitListener = 3;
constexpr u32 kMostDisks = 8;  // transports in a page of registers
constexpr u32 kRingsOrder = 3;
static_assert((u32{kRingBytes} << kRingsOrder) == kMostDisks * kRingBytes);

constexpr std::string_view kNames[kMostDisks] = {
    "vda", "vdb", "vdc", "vdd", "vde", "vdf", "vdg", "vdh"};

using Disk = Device<base::Mmio>;

s32 fail(std::string_view event, Status status, s32 code) {
    sdk::LogLine{"virtio-blk", event}.field("status", sdk::name_of(status));
    return code;
}

/// A transport with a block device behind it.
struct Transport {
    u32 offset = 0;  // in the page of registers
    u32 index = 0;   // in the start block
    base::Mmio registers{};
};

/// The argument "vda=mmc0" gives vda another name.
std::string_view find_alias(const sdk::StartBlock& start, std::string_view name) {
    for (u32 i = 0; i < start.argument_count(); ++i) {
        std::string_view argument = start.argument(i);
        if (argument.starts_with(name) && argument.size() > name.size() &&
            argument[name.size()] == '=') {
            argument.remove_prefix(name.size() + 1);
            return argument;
        }
    }
    return {};
}

class Driver final : public tessera::Irq::Server {
public:
    explicit Driver(const sdk::StartBlock& start) : start_(start) {}

    /// Resets every device that may know memory of a driver that died, before anything else.
    void find_disks(const block::Block& rings) {
        Transport found[kMostDisks];
        const u32 count = find_transports(found);
        std::ranges::sort(std::span{found}.first(count), {}, &Transport::offset);
        for (const Transport& transport : std::span{found}.first(count)) {
            const u32 place = count_ * kRingBytes;
            auto& disk = *new (&storage_[count_ * sizeof(Disk)]) Disk{
                transport.registers,
                Ring{rings.memory.subspan(place, kRingBytes), rings.device_address + place},
                kNames[count_]};
            disks_[count_] = &disk;
            indices_[count_] = transport.index;
            ++count_;
            const auto started = disk.start();
            sdk::LogLine{"virtio-blk", "disk"}
                .field("name", disk.name())
                .field("status", sdk::name_of(started.status()))
                .field("sectors", disk.geometry().sectors)
                .field("sector-bytes", disk.geometry().sector_bytes)
                .field("read-only", disk.geometry().is_read_only ? 1u : 0u);
        }
    }

    [[nodiscard]] u32 count() const { return count_; }

    void serve(block::Server& server) {
        for (u32 i = 0; i < count_; ++i) {
            disks_[i]->report_to(server);
            (void)server.add(*disks_[i], find_alias(start_, disks_[i]->name()));
            const auto device = start_.device(indices_[i]);
            const auto attached =
                sdk::driver::attach_interrupt(device.value(), 0, start_.listener(), i);
            if (!attached.ok()) {
                // Answers are found by the time limit only.
                (void)fail("no-interrupt", attached.status(), 0);
            }
        }
    }

    idl::Outcome<tessera::Irq::Raised_Results>
    Raised(const idl::Caller& caller, const tessera::Irq::Raised_Arguments& in) override {
        (void)in;
        if (caller.badge < count_) {
            disks_[caller.badge]->on_interrupt();
        }
        return tessera::Irq::Raised_Results{};
    }

    [[nodiscard]] u64 deadline() const {
        u64 earliest = 0;
        for (const Disk* disk : std::span{disks_}.first(count_)) {
            const u64 deadline = disk->deadline();
            if (deadline != 0 && (earliest == 0 || deadline < earliest)) {
                earliest = deadline;
            }
        }
        return earliest;
    }

    void on_time(u64 now) {
        for (Disk* disk : std::span{disks_}.first(count_)) {
            disk->on_time(now);
        }
    }

private:
    u32 find_transports(std::span<Transport, kMostDisks> found) const {
        u32 count = 0;
        for (u32 i = 0; i < start_.device_count() && count < kMostDisks; ++i) {
            const auto device = start_.device(i);
            if (!device.ok() || !device.value().is_compatible("virtio,mmio")) {
                continue;
            }
            const auto registers = sdk::driver::map_registers(device.value(), 0, kWindowBytes);
            if (!registers.ok()) {
                (void)fail("no-registers", registers.status(), 0);
            } else if (is_block_device(registers.value())) {
                found[count++] = {.offset = device.value().registers[0].offset,
                                  .index = i,
                                  .registers = registers.value()};
            }
        }
        return count;
    }

    const sdk::StartBlock& start_;
    Disk* disks_[kMostDisks]{};
    u32 indices_[kMostDisks]{};
    u32 count_ = 0;
    alignas(Disk) u8 storage_[kMostDisks * sizeof(Disk)]{};
};

/// The server's tables are too large for the stack.
alignas(block::Server) constinit u8 server_memory[sizeof(block::Server)]{};
alignas(Driver) constinit u8 driver_memory[sizeof(Driver)]{};

}  // namespace

s32 run(const sdk::StartBlock& start) {
    const auto rings = block::allocate_block(kRingsOrder, block::Backing::Device);
    if (!rings.ok()) {
        return fail("no-memory", rings.status(), kExitNoMemory);
    }
    auto& driver = *new (driver_memory) Driver{start};
    driver.find_disks(rings.value());
    if (driver.count() == 0) {
        return fail("no-device", Status::ResourceNotFound, kExitNoDevice);
    }
    block::KernelSessions sessions{
        start.listener(), drivers::VirtioBlk::endpoint::disks, block::Backing::Device};
    auto& server = *new (server_memory) block::Server{sessions, rings.value().handle};
    driver.serve(server);
    drivers::VirtioBlk::Dispatcher dispatcher{start.listener(), server};
    dispatcher.on_irq(driver);
    dispatcher.on_event(server);
    while (true) {
        const Status status = dispatcher.step(driver.deadline());
        if (sdk::is_listener_lost(status)) {
            return fail("listener-lost", status, kExitListener);
        }
        driver.on_time(sdk::now_ticks());
    }
}

}  // namespace svc::virtio_blk
