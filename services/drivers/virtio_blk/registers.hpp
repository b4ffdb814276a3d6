// SPDX-License-Identifier: Apache-2.0
// Registers and words of a block device behind virtio-mmio version 2 that this driver uses.
// [VIRTIO] "Virtio Over MMIO", "Block Device"
#pragma once

#include <driver/registers.hpp>

namespace svc::virtio_blk {

using sdk::driver::Register;

inline constexpr base::u32 kWindowBytes = 0x200;
inline constexpr base::u32 kMagic = 0x7472'6976;  // "virt"
inline constexpr base::u32 kVersion = 2;
inline constexpr base::u32 kBlockDevice = 2;

struct MagicValue : Register<0x000> {};

struct Version : Register<0x004> {};

struct DeviceId : Register<0x008> {};

/// 32 feature bits, chosen by the word before them.
struct DeviceFeatures : Register<0x010> {};

struct DeviceFeaturesSelect : Register<0x014> {};

struct DriverFeatures : Register<0x020> {};

struct DriverFeaturesSelect : Register<0x024> {};

struct QueueSelect : Register<0x030> {};

struct QueueSizeMax : Register<0x034> {};

struct QueueSize : Register<0x038> {};

struct QueueReady : Register<0x044> {};

struct QueueNotify : Register<0x050> {};

/// InterruptStatus and InterruptACK share one layout.
struct InterruptStatus : Register<0x060> {
    static constexpr base::u32 kConfiguration = 2;
};

struct InterruptAcknowledge : Register<0x064> {};

struct DeviceStatus : Register<0x070> {
    static constexpr base::u32 kAcknowledge = 1;
    static constexpr base::u32 kDriver = 2;
    static constexpr base::u32 kDriverOk = 4;
    static constexpr base::u32 kFeaturesOk = 8;
    static constexpr base::u32 kNeedsReset = 64;
};

/// Low and high halves of the addresses of the three parts of a queue.
struct QueueDescriptorsLow : Register<0x080> {};

struct QueueDescriptorsHigh : Register<0x084> {};

struct QueueAvailableLow : Register<0x090> {};

struct QueueAvailableHigh : Register<0x094> {};

struct QueueUsedLow : Register<0x0A0> {};

struct QueueUsedHigh : Register<0x0A4> {};

struct ConfigGeneration : Register<0x0FC> {};

/// [VIRTIO] "Device configuration layout" of the block device
struct CapacityLow : Register<0x100> {};  // in 512 bytes

struct CapacityHigh : Register<0x104> {};

struct BlockSize : Register<0x114> {};

/// Bits of the first word of features, and of the second one.
namespace feature {

inline constexpr base::u32 kReadOnly = 1u << 5;
inline constexpr base::u32 kBlockSize = 1u << 6;
inline constexpr base::u32 kFlush = 1u << 9;
inline constexpr base::u32 kVersion1 = 1u << 0;  // bit 32

}  // namespace feature

/// [VIRTIO] "Device Operation" of the block device
namespace request {

inline constexpr base::u32 kRead = 0;
inline constexpr base::u32 kWrite = 1;
inline constexpr base::u32 kFlush = 4;
inline constexpr base::u32 kGetId = 8;

inline constexpr base::u8 kGood = 0;
inline constexpr base::u8 kUnsupported = 2;

}  // namespace request

}  // namespace svc::virtio_blk
