// SPDX-License-Identifier: Apache-2.0
// A virtio block device as its specification describes it, over memory that the test gives it, and
// with everything a hostile one can do instead: `lie` changes what is written to the used ring.
// [VIRTIO] "Virtio Over MMIO", "Split Virtqueues", "Block Device"
#pragma once

#include <cstring>
#include <functional>
#include <kernel/base/types.hpp>
#include <span>
#include <string>
#include <vector>

namespace model {

using base::u16;
using base::u32;
using base::u64;
using base::u8;

struct UsedElement {
    u32 id = 0;
    u32 length = 0;
};

class VirtioBlk {
public:
    static constexpr u64 kRingAddress = 0x4000'1000;
    static constexpr u64 kDataAddress = 0x5000'0000;

    explicit VirtioBlk(u64 sectors) : contents(sectors * 512) {}

    // --- what a driver sees
    u32 read32(u64 offset) {
        switch (offset) {
        case 0x000:
            return magic;
        case 0x004:
            return version;
        case 0x008:
            return device_id;
        case 0x010:
            return feature_select == 0 ? features : feature_select == 1 ? features_high : 0;
        case 0x034:
            return queue_max;
        case 0x044:
            return is_ready ? 1 : 0;
        case 0x060:
            return interrupts;
        case 0x070:
            return is_deaf_to_reset && status != 0 ? status : status | status_lies;
        case 0x0FC:
            return has_unsteady_config ? ++generation : generation;
        case 0x100:
            return static_cast<u32>(capacity());
        case 0x104:
            return static_cast<u32>(capacity() >> 32);
        case 0x114:
            return block_size;
        default:
            ++strange_accesses;
            return 0;
        }
    }

    void write32(u64 offset, u32 value) {
        switch (offset) {
        case 0x014:
            feature_select = value;
            return;
        case 0x020:
            (driver_select == 0 ? accepted : accepted_high) = value;
            return;
        case 0x024:
            driver_select = value;
            return;
        case 0x030:
            strange_accesses += value != 0 ? 1 : 0;
            return;
        case 0x038:
            queue_size = value;
            return;
        case 0x044:
            is_ready = value == 1 && !refuses_queue;
            return;
        case 0x050:
            if (!is_held) {
                serve();
            }
            return;
        case 0x064:
            interrupts &= ~value;
            return;
        case 0x070:
            set_status(value);
            return;
        case 0x080:
        case 0x084:
        case 0x090:
        case 0x094:
        case 0x0A0:
        case 0x0A4:
            set_half(addresses[(offset - 0x080) / 16], offset % 16 == 4, value);
            return;
        default:
            ++strange_accesses;
        }
    }

    // --- what a test does
    /// Serves all that is in the available ring.
    void serve() {
        if ((status & 4) == 0 || !is_ready) {
            return;
        }
        u16 end = 0;
        read_memory(addresses[1] + 2, &end, 2);
        while (available != end) {
            u16 head = 0;
            read_memory(addresses[1] + 4 + 2 * (available % queue_size), &head, 2);
            ++available;
            serve_chain(head);
        }
    }

    /// Puts an element into the used ring and raises the interrupt.
    void give_back(UsedElement element) {
        if (lie) {
            lie(element);
        }
        write_memory(addresses[2] + 4 + 8 * (used % queue_size), &element, 8);
        ++used;
        const u16 shown = static_cast<u16>(used + index_lie);
        write_memory(addresses[2] + 2, &shown, 2);
        interrupts |= 1;
    }

    std::vector<u8> contents;
    std::vector<u8> cache_lost{};  // contents at the last flush
    std::string serial = "serial-of-the-model";
    u32 magic = 0x7472'6976;
    u32 version = 2;
    u32 device_id = 2;
    u32 features = (1u << 9) | (1u << 6);
    u32 features_high = 1;
    u32 accepted = 0;
    u32 accepted_high = 0;
    u32 queue_max = 256;
    u32 queue_size = 0;
    u32 block_size = 512;
    u32 interrupts = 0;
    u32 status = 0;
    u32 status_lies = 0;
    u32 generation = 0;
    bool is_ready = false;
    bool is_held = false;  // serves nothing until told
    bool is_deaf_to_reset = false;
    bool refuses_features = false;
    bool refuses_queue = false;
    bool has_unsteady_config = false;
    u8 status_answer = 0;  // of data transfers
    u8 id_answer = 0;
    u64 capacity_lie = 0;
    u16 index_lie = 0;
    std::function<void(UsedElement&)> lie{};
    std::span<u8> ring{};
    std::span<u8> data{};
    u32 resets = 0;
    u32 flushes = 0;
    u32 strange_accesses = 0;
    u32 wild_accesses = 0;  // outside of the memory that it was given
    std::vector<u32> kinds{};

private:
    struct Descriptor {
        u64 address;
        u32 length;
        u16 flags;
        u16 next;
    };

    [[nodiscard]] u64 capacity() const {
        return capacity_lie != 0 ? capacity_lie : contents.size() / 512;
    }

    static void set_half(u64& word, bool is_high, u32 value) {
        word = is_high ? (word & 0xFFFF'FFFF) | (u64{value} << 32)
                       : (word & ~u64{0xFFFF'FFFF}) | value;
    }

    void set_status(u32 value) {
        if (value == 0) {
            ++resets;
            if (is_deaf_to_reset) {
                return;
            }
            is_ready = false;
            available = 0;
            used = 0;
            interrupts = 0;
        }
        status = refuses_features ? value & ~8u : value;
    }

    [[nodiscard]] u8* place(u64 address, u64 size) {
        for (const auto& [begin, memory] : {std::pair{kRingAddress, ring}, {kDataAddress, data}}) {
            if (address >= begin && address - begin <= memory.size() &&
                size <= memory.size() - (address - begin)) {
                return memory.data() + (address - begin);
            }
        }
        ++wild_accesses;
        return nullptr;
    }

    void read_memory(u64 address, void* to, u64 size) {
        if (const u8* from = place(address, size); from != nullptr) {
            std::memcpy(to, from, size);
        }
    }

    void write_memory(u64 address, const void* from, u64 size) {
        if (u8* to = place(address, size); to != nullptr) {
            std::memcpy(to, from, size);
        }
    }

    void serve_chain(u16 head) {
        std::vector<Descriptor> chain;
        u16 at = head;
        do {
            Descriptor descriptor{};
            read_memory(addresses[0] + u64{at} * 16, &descriptor, 16);
            chain.push_back(descriptor);
            at = descriptor.next;
        } while ((chain.back().flags & 1) != 0 && chain.size() < 4);

        struct {
            u32 kind;
            u32 reserved;
            u64 unit;
        } header{};

        read_memory(chain.front().address, &header, 16);
        kinds.push_back(header.kind);
        u32 length = 1;
        u8 answer = status_answer;
        if (header.kind == 8) {
            answer = id_answer;
            std::vector<u8> id(20);
            std::memcpy(id.data(), serial.data(), serial.size() < 20 ? serial.size() : 20);
            write_memory(chain[1].address, id.data(), chain[1].length);
            length += 20;
        } else if (header.kind == 4) {
            ++flushes;
        } else if (chain.size() == 3 && header.unit * 512 + chain[1].length <= contents.size()) {
            u8* const there = &contents[header.unit * 512];
            if (header.kind == 0) {
                write_memory(chain[1].address, there, chain[1].length);
                length += chain[1].length;
            } else {
                read_memory(chain[1].address, there, chain[1].length);
            }
        } else {
            answer = 1;
        }
        write_memory(chain.back().address, &answer, 1);
        give_back({.id = head, .length = length});
    }

    u32 feature_select = 0;
    u32 driver_select = 0;
    u64 addresses[3]{};
    u16 available = 0;
    u16 used = 0;
};

/// A RegisterBus on it.
struct Bus {
    VirtioBlk* device = nullptr;

    u32 read32(u64 offset) { return device->read32(offset); }

    void write32(u64 offset, u32 value) { device->write32(offset, value); }
};

}  // namespace model
