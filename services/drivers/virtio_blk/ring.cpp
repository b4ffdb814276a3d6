// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <bit>
#include <cstring>
#include <services/drivers/virtio_blk/ring.hpp>

namespace svc::virtio_blk {

namespace {

struct Descriptor {
    u64 address;
    u32 length;
    u16 flags;
    u16 next;
};

constexpr u16 kNext = 1;
constexpr u16 kDeviceWrites = 2;

struct Header {
    u32 kind;
    u32 reserved;
    u64 unit;
};

struct UsedElement {
    u32 id;
    u32 length;
};

// Places in the page. [VIRTIO] "The Virtqueue Available Ring", "The Virtqueue Used Ring": flags,
// index, then the elements.
constexpr u32 kAvailable = kMostDescriptors * sizeof(Descriptor);
constexpr u32 kAvailableIndex = kAvailable + 2;
constexpr u32 kAvailableElements = kAvailable + 4;
constexpr u32 kUsed = 1280;
constexpr u32 kUsedIndex = kUsed + 2;
constexpr u32 kUsedElements = kUsed + 4;
constexpr u32 kHeaders = 2048;
constexpr u32 kStatuses = kHeaders + kMostSlots * sizeof(Header);
constexpr u32 kId = 2560;

static_assert(kAvailableElements + 2 * kMostDescriptors + 2 <= kUsed);
static_assert(kUsedElements + kMostDescriptors * sizeof(UsedElement) + 2 <= kHeaders);
static_assert(kStatuses + kMostSlots <= kId && kId + kIdBytes <= kRingBytes);
static_assert(kMostSlots * kDescriptorsPerSlot <= kMostDescriptors);

/// What the device may change at any moment is fetched once.
template <typename T> T fetch(T& word) {
    return std::atomic_ref<T>{word}.load(std::memory_order_relaxed);
}

}  // namespace

template <typename T> T& Ring::at(u32 offset) const {
    return *static_cast<T*>(static_cast<void*>(memory_.data() + offset));
}

u64 Ring::available_address() const { return address_ + kAvailable; }

u64 Ring::used_address() const { return address_ + kUsed; }

u64 Ring::id_address() const { return address_ + kId; }

std::span<const u8> Ring::id() const { return memory_.subspan(kId, kIdBytes); }

bool Ring::start(u32 descriptors) {
    const u32 most = descriptors < kMostDescriptors ? descriptors : kMostDescriptors;
    size_ = std::bit_floor(most);
    slot_count_ = size_ / kDescriptorsPerSlot;
    slot_count_ = slot_count_ < kMostSlots ? slot_count_ : kMostSlots;
    std::memset(memory_.data(), 0, kRingBytes);
    busy_count_ = 0;
    available_ = 0;
    used_ = 0;
    is_damaged_ = false;
    for (u32& expected : expected_) {
        expected = 0;
    }
    return slot_count_ > 0;
}

u32 Ring::push(const Command& command) {
    u32 slot = 0;
    while (slot < slot_count_ && expected_[slot] != 0) {
        ++slot;
    }
    if (slot == slot_count_ || is_damaged_) {
        return kNoSlot;
    }
    const bool fills = command.direction == Direction::FromDevice;
    const u32 header = kHeaders + slot * static_cast<u32>(sizeof(Header));
    const u32 status = kStatuses + slot;
    at<Header>(header) = {.kind = command.kind, .reserved = 0, .unit = command.unit};
    at<u8>(status) = 0xFF;
    const u32 first = slot * kDescriptorsPerSlot;
    const u32 last = first + (command.bytes > 0 ? 2 : 1);
    const auto descriptor = [this](u32 index) -> Descriptor& {
        return at<Descriptor>(index * static_cast<u32>(sizeof(Descriptor)));
    };
    descriptor(first) = {.address = address_ + header,
                         .length = sizeof(Header),
                         .flags = kNext,
                         .next = static_cast<u16>(first + 1)};
    if (command.bytes > 0) {
        descriptor(first + 1) = {.address = command.data,
                                 .length = command.bytes,
                                 .flags = static_cast<u16>(kNext | (fills ? kDeviceWrites : 0)),
                                 .next = static_cast<u16>(last)};
    }
    descriptor(last) = {
        .address = address_ + status, .length = 1, .flags = kDeviceWrites, .next = 0};
    expected_[slot] = (fills ? command.bytes : 0) + 1;
    ++busy_count_;
    at<u16>(kAvailableElements + 2 * (available_ % size_)) = static_cast<u16>(first);
    ++available_;
    // Pairs with the device's read of the index: what it names was written before. [VIRTIO]
    // "Updating idx"
    std::atomic_ref<u16>{at<u16>(kAvailableIndex)}.store(available_, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_seq_cst);  // and before the notification
    return slot;
}

Ring::Used Ring::pop() {
    if (is_damaged_ || size_ == 0) {
        return {};
    }
    // Pairs with the device's write of the index: what it wrote before can be read.
    const u16 index = std::atomic_ref<u16>{at<u16>(kUsedIndex)}.load(std::memory_order_acquire);
    const u16 count = static_cast<u16>(index - used_);
    if (count == 0) {
        return {};
    }
    auto& element =
        at<UsedElement>(kUsedElements + used_ % size_ * static_cast<u32>(sizeof(UsedElement)));
    const u32 id = fetch(element.id);
    const u32 length = fetch(element.length);
    const u32 slot = id / kDescriptorsPerSlot;
    if (count > busy_count_ || id % kDescriptorsPerSlot != 0 || slot >= slot_count_ ||
        expected_[slot] == 0) {
        is_damaged_ = true;
        return {};
    }
    ++used_;
    const Used used{.slot = slot,
                    .status = fetch(at<u8>(kStatuses + slot)),
                    .is_complete = length >= expected_[slot]};
    expected_[slot] = 0;
    --busy_count_;
    return used;
}

}  // namespace svc::virtio_blk
