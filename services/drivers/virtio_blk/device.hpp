// SPDX-License-Identifier: Apache-2.0
// One block device behind virtio-mmio as a block::Disk. It knows registers and one ring, neither
// messages nor clients, and runs over any RegisterBus.
//
// The device is not believed. An answer that no device may give, a device that asks for a reset and
// one that does not answer within the limit are all met alike: reset, everything under way fails,
// start anew. What was under way at a reset is over when the reset is (status 0 can be read): only
// then is anybody told, and is memory used again. A device that cannot be reset is stuck for ever.
// [VIRTIO] "Device Initialization", "Device Status Field"
#pragma once

#include <algorithm>
#include <kernel/base/result.hpp>
#include <runtime/time.hpp>
#include <services/block/disk.hpp>
#include <services/drivers/virtio_blk/registers.hpp>
#include <services/drivers/virtio_blk/ring.hpp>

namespace svc::virtio_blk {

using block::Begun;
using block::Geometry;
using block::Operation;
using block::Outcome;
using block::Transfer;

inline constexpr u64 kAnswerMs = 10'000;  ///< for a transfer
inline constexpr u64 kResetMs = 1'000;    ///< for a reset, and for the first command

/// Whether a window has a block device of the version that this driver speaks.
template <sdk::driver::RegisterBus Bus> bool is_block_device(Bus bus) {
    sdk::driver::Window<Bus> window{bus};
    return window.template read<MagicValue>() == kMagic &&
           window.template read<Version>() == kVersion &&
           window.template read<DeviceId>() == kBlockDevice;
}

template <sdk::driver::RegisterBus Bus> class Device final : public block::Disk {
public:
    Device(Bus bus, Ring ring, std::string_view name) : window_(bus), ring_(ring), name_(name) {}

    /// Resets the device, which may have belonged to a driver that died, and learns what it is.
    /// Nothing of that driver is written any more when this returns, unless is_stuck(). NotReady:
    /// it does not work.
    base::Result<void> start() {
        if (!reset() || !set_up() || !read_geometry() || !read_serial()) {
            give_up();
            return base::Status::NotReady;
        }
        works_ = true;
        return {};
    }

    void report_to(block::Completions& completions) { completions_ = &completions; }

    [[nodiscard]] std::string_view name() const override { return name_; }

    [[nodiscard]] const Geometry& geometry() const override { return geometry_; }

    [[nodiscard]] bool works() const override { return works_; }

    [[nodiscard]] bool is_stuck() const override { return is_stuck_; }

    Begun begin(const Transfer& transfer) override {
        if (!works_) {
            return Begun::Failed;
        }
        if (transfer.operation == Operation::Flush && !geometry_.has_cache) {
            return Begun::Good;  // [VIRTIO] "Device Operation": such a device writes through
        }
        const u32 slot = ring_.push(command_of(transfer));
        if (slot == kNoSlot) {
            return Begun::Full;
        }
        slots_[slot] = {.number = transfer.number,
                        .deadline = sdk::now_ticks() + sdk::ticks_of_ms(kAnswerMs)};
        window_.template write<QueueNotify>(0);
        return Begun::Later;
    }

    /// Serves the interrupt. Bounded by the slots.
    void on_interrupt() {
        const u32 status = window_.template read<InterruptStatus>();
        window_.template write<InterruptAcknowledge>(status);
        collect();
        // A device says by a change of its configuration that it wants a reset.
        if (works_ && (status & InterruptStatus::kConfiguration) != 0 &&
            (window_.template read<DeviceStatus>() & DeviceStatus::kNeedsReset) != 0) {
            recover();
        }
    }

    /// When on_time() wants to be called; 0: not at all.
    [[nodiscard]] u64 deadline() const {
        u64 earliest = 0;
        for (const Slot& slot : slots_) {
            if (slot.deadline != 0 && (earliest == 0 || slot.deadline < earliest)) {
                earliest = slot.deadline;
            }
        }
        return earliest;
    }

    void on_time(u64 now) {
        const u64 earliest = deadline();
        if (earliest != 0 && earliest <= now) {
            collect();  // an interrupt may be what is missing
            const u64 still = deadline();
            if (still != 0 && still <= now) {
                recover();
            }
        }
    }

    /// How often it had to be reset.
    [[nodiscard]] u32 recoveries() const { return recoveries_; }

private:
    struct Slot {
        u32 number = 0;
        u64 deadline = 0;  // 0: free
    };

    static constexpr u32 kGenerationTries = 8;
    static constexpr u32 kPollsBeforeSleep = 2000;

    [[nodiscard]] Command command_of(const Transfer& transfer) const {
        if (transfer.operation == Operation::Flush) {
            return {.kind = request::kFlush};
        }
        const bool reads = transfer.operation == Operation::Read;
        return {.kind = reads ? request::kRead : request::kWrite,
                .unit = transfer.sector * (geometry_.sector_bytes / block::kSectorUnit),
                .data = transfer.device_address,
                .bytes = static_cast<u32>(transfer.memory.size()),
                .direction = reads ? Direction::FromDevice : Direction::ToDevice};
    }

    /// Asks `is_there` until it says so; not for ever.
    template <typename Question> static bool await(Question is_there) {
        const u64 limit = sdk::now_ticks() + sdk::ticks_of_ms(kResetMs);
        for (u32 polls = 0; !is_there(); ++polls) {
            if (polls > kPollsBeforeSleep) {
                if (sdk::now_ticks() >= limit) {
                    return false;
                }
                sdk::sleep_ms(1);
            }
        }
        return true;
    }

    bool reset() {
        window_.template write<DeviceStatus>(0);
        is_stuck_ = !await([this] { return window_.template read<DeviceStatus>() == 0; });
        return !is_stuck_;
    }

    bool set_up() {
        window_.template write<DeviceStatus>(DeviceStatus::kAcknowledge);
        window_.template write<DeviceStatus>(DeviceStatus::kAcknowledge | DeviceStatus::kDriver);
        window_.template write<DeviceFeaturesSelect>(1);
        if ((window_.template read<DeviceFeatures>() & feature::kVersion1) == 0) {
            return false;
        }
        window_.template write<DeviceFeaturesSelect>(0);
        features_ = window_.template read<DeviceFeatures>() &
                    (feature::kReadOnly | feature::kBlockSize | feature::kFlush);
        window_.template write<DriverFeaturesSelect>(0);
        window_.template write<DriverFeatures>(features_);
        window_.template write<DriverFeaturesSelect>(1);
        window_.template write<DriverFeatures>(feature::kVersion1);
        constexpr u32 kAgreed =
            DeviceStatus::kAcknowledge | DeviceStatus::kDriver | DeviceStatus::kFeaturesOk;
        window_.template write<DeviceStatus>(kAgreed);
        if ((window_.template read<DeviceStatus>() & DeviceStatus::kFeaturesOk) == 0 ||
            !set_up_queue()) {
            return false;
        }
        window_.template write<DeviceStatus>(kAgreed | DeviceStatus::kDriverOk);
        return true;
    }

    bool set_up_queue() {
        window_.template write<QueueSelect>(0);
        if (window_.template read<QueueReady>() != 0 ||
            !ring_.start(window_.template read<QueueSizeMax>())) {
            return false;
        }
        window_.template write<QueueSize>(ring_.size());
        write_address<QueueDescriptorsLow, QueueDescriptorsHigh>(ring_.descriptors_address());
        write_address<QueueAvailableLow, QueueAvailableHigh>(ring_.available_address());
        write_address<QueueUsedLow, QueueUsedHigh>(ring_.used_address());
        window_.template write<QueueReady>(1);
        return window_.template read<QueueReady>() == 1;
    }

    template <typename Low, typename High> void write_address(u64 address) {
        window_.template write<Low>(address & 0xFFFF'FFFF);
        window_.template write<High>(address >> 32);
    }

    /// The first time takes what the device says; later it must be the same.
    bool read_geometry() {
        u32 low = 0;
        u32 high = 0;
        u32 bytes = block::kSectorUnit;
        bool is_whole = false;
        for (u32 i = 0; i < kGenerationTries && !is_whole; ++i) {
            const u32 generation = window_.template read<ConfigGeneration>();
            low = window_.template read<CapacityLow>();
            high = window_.template read<CapacityHigh>();
            if ((features_ & feature::kBlockSize) != 0) {
                bytes = window_.template read<BlockSize>();
            }
            is_whole = window_.template read<ConfigGeneration>() == generation;
        }
        if (!is_whole || !block::is_sector_size(bytes)) {
            return false;
        }
        const Geometry read{.sectors = ((u64{high} << 32) | low) / (bytes / block::kSectorUnit),
                            .sector_bytes = bytes,
                            .is_read_only = (features_ & feature::kReadOnly) != 0,
                            .has_cache = (features_ & feature::kFlush) != 0,
                            .serial = geometry_.serial};
        const bool is_same =
            read.sectors == geometry_.sectors && read.sector_bytes == geometry_.sector_bytes &&
            read.is_read_only == geometry_.is_read_only && read.has_cache == geometry_.has_cache;
        if (recoveries_ > 0 && !is_same) {
            return false;
        }
        geometry_ = read;
        return read.sectors > 0;
    }

    /// By polling: nobody waits for interrupts as yet. A device without a serial number has zeros.
    bool read_serial() {
        (void)ring_.push({.kind = request::kGetId,
                          .data = ring_.id_address(),
                          .bytes = kIdBytes,
                          .direction = Direction::FromDevice});
        window_.template write<QueueNotify>(0);
        Ring::Used used;
        const bool is_there = await([this, &used] {
            used = ring_.pop();
            return used.slot != kNoSlot || ring_.is_damaged();
        });
        window_.template write<InterruptAcknowledge>(window_.template read<InterruptStatus>());
        if (!is_there || ring_.is_damaged()) {
            return false;
        }
        std::array<u8, block::kSerialBytes> serial{};
        if (used.status == request::kGood && used.is_complete) {
            std::ranges::copy(ring_.id(), serial.begin());
        }
        if (recoveries_ > 0 && serial != geometry_.serial) {
            return false;
        }
        geometry_.serial = serial;
        return true;
    }

    /// Takes what the device gave back.
    void collect() {
        while (works_) {
            const Ring::Used used = ring_.pop();
            if (ring_.is_damaged()) {
                recover();
                return;
            }
            if (used.slot == kNoSlot) {
                return;
            }
            const u32 number = slots_[used.slot].number;
            slots_[used.slot] = {};
            const bool is_good = used.status == request::kGood && used.is_complete;
            completions_->done(number, is_good ? Outcome::Good : Outcome::Failed);
        }
    }

    /// The slots are taken aside first: who is told of an end may begin the next transfer.
    void recover() {
        ++recoveries_;
        Slot lost[kMostSlots];
        std::ranges::copy(slots_, lost);
        std::ranges::fill(slots_, Slot{});
        works_ = reset() && set_up() && read_geometry() && read_serial();
        if (!works_) {
            give_up();
        }
        for (const Slot& slot : lost) {
            if (slot.deadline != 0) {
                completions_->done(slot.number, Outcome::Failed);
            }
        }
    }

    /// What was set up in part is not left to a device that does not work.
    void give_up() {
        works_ = false;
        if (!is_stuck_) {
            (void)reset();
        }
    }

    sdk::driver::Window<Bus> window_;
    Ring ring_;
    std::string_view name_;
    block::Completions* completions_ = nullptr;
    Geometry geometry_{};
    u32 features_ = 0;
    u32 recoveries_ = 0;
    bool works_ = false;
    bool is_stuck_ = false;
    Slot slots_[kMostSlots]{};
};

}  // namespace svc::virtio_blk
