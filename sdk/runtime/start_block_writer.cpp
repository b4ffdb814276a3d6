// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <kernel/base/bits.hpp>
#include <runtime/start_block_writer.hpp>

namespace sdk {

namespace {

namespace start = sdk::start;
using start::Place;

constexpr u64 kAlignment = 8;

/// Copies tables to the block one behind the other. Offsets of places that were counted from the
/// start of the pool are moved to where the pool will stand.
class Layout final {
public:
    Layout(std::span<u8> room, u32 pool) : room_(room), pool_(pool) {}

    template <typename T> start::Table put(std::span<T> entries) {
        for (T& entry : entries) {
            move(entry);
        }
        const u32 size = static_cast<u32>(entries.size_bytes());
        if (size != 0) {
            std::memcpy(room_.data() + at_, entries.data(), size);
        }
        const start::Table table{.offset = at_, .count = static_cast<u32>(entries.size())};
        at_ = static_cast<u32>(base::align_up(at_ + size, kAlignment));
        return table;
    }

    [[nodiscard]] Place moved(Place place) const {
        return {.offset = place.offset + pool_, .size = place.size};
    }

private:
    void move(Place& place) const { place = moved(place); }

    void move(start::Connection& entry) const {
        move(entry.id);
        move(entry.server);
    }

    void move(start::Device& entry) const {
        move(entry.path);
        move(entry.compatible);
    }

    void move(start::Property& entry) const {
        move(entry.name);
        move(entry.value);
    }

    void move(start::File& entry) const { move(entry.name); }

    void move(start::Registers&) const {}

    void move(start::Interrupt&) const {}

    std::span<u8> room_;
    u32 pool_;
    u32 at_ = sizeof(start::Header);
};

template <typename T> u64 padded_size(std::span<const T> entries) {
    return base::align_up(entries.size_bytes(), kAlignment);
}

}  // namespace

void StartBlockWriter::clear() {
    arguments_.clear();
    environment_.clear();
    connections_.clear();
    devices_.clear();
    registers_.clear();
    interrupts_.clear();
    properties_.clear();
    files_.clear();
    pool_size_ = 0;
    overflowed_ = false;
}

Place StartBlockWriter::keep(std::span<const u8> bytes) {
    // One byte more: the NUL behind every text.
    if (!base::range_fits(pool_size_, bytes.size() + 1, kPoolBytes)) {
        overflowed_ = true;
        return {.offset = 0, .size = 0};
    }
    const Place place{.offset = pool_size_, .size = static_cast<u32>(bytes.size())};
    if (!bytes.empty()) {
        std::memcpy(pool_ + pool_size_, bytes.data(), bytes.size());
    }
    pool_[pool_size_ + bytes.size()] = 0;
    pool_size_ += static_cast<u32>(bytes.size()) + 1;
    return place;
}

Place StartBlockWriter::keep(std::string_view text) {
    const void* const characters = text.data();
    return keep(std::span{static_cast<const u8*>(characters), text.size()});
}

template <typename T, u32 capacity>
void StartBlockWriter::add(EntryTable<T, capacity>& table, const T& entry) {
    if (T* const place = table.add(); place != nullptr) {
        *place = entry;
    } else {
        overflowed_ = true;
    }
}

void StartBlockWriter::add_argument(std::string_view text) { add(arguments_, keep(text)); }

void StartBlockWriter::add_environment(std::string_view text) { add(environment_, keep(text)); }

void StartBlockWriter::add_connection(std::string_view id, u32 handle, std::string_view server) {
    add(connections_, {.id = keep(id), .handle = handle, .reserved = 0, .server = keep(server)});
}

void StartBlockWriter::add_file(std::string_view name, u64 address, u64 size) {
    add(files_, {.name = keep(name), .address = address, .size = size});
}

void StartBlockWriter::begin_device(std::string_view path,
                                    std::span<const u8> compatible,
                                    u64 clock_hz) {
    add(devices_,
        {.path = keep(path),
         .compatible = keep(compatible),
         .first_registers = registers_.count(),
         .register_count = 0,
         .first_interrupt = interrupts_.count(),
         .interrupt_count = 0,
         .first_property = properties_.count(),
         .property_count = 0,
         .clock_hz = clock_hz});
}

void StartBlockWriter::add_device_entry(u32 start::Device::* count) {
    if (devices_.count() == 0) {
        overflowed_ = true;
        return;
    }
    ++(devices_.view().back().*count);
}

void StartBlockWriter::add_registers(u32 handle, u32 offset, u64 size) {
    add(registers_, {.handle = handle, .offset = offset, .size = size});
    add_device_entry(&start::Device::register_count);
}

void StartBlockWriter::add_interrupt(u32 handle, u32 line) {
    add(interrupts_, {.handle = handle, .line = line});
    add_device_entry(&start::Device::interrupt_count);
}

void StartBlockWriter::add_property(std::string_view name, std::span<const u8> value) {
    add(properties_, {.name = keep(name), .value = keep(value)});
    add_device_entry(&start::Device::property_count);
}

Result<u32> StartBlockWriter::finish(const StartIdentity& identity, std::span<u8> room) {
    const Place task = keep(identity.task);
    const Place eclass = keep(identity.eclass);
    const Place program = keep(identity.program);
    const std::span<const Place> arguments = arguments_.view();
    const u64 pool = sizeof(start::Header) + padded_size(arguments) +
                     padded_size(std::span<const Place>{environment_.view()}) +
                     padded_size(std::span<const start::Connection>{connections_.view()}) +
                     padded_size(std::span<const start::Device>{devices_.view()}) +
                     padded_size(std::span<const start::Registers>{registers_.view()}) +
                     padded_size(std::span<const start::Interrupt>{interrupts_.view()}) +
                     padded_size(std::span<const start::Property>{properties_.view()}) +
                     padded_size(std::span<const start::File>{files_.view()});
    const u64 total = base::align_up(pool + pool_size_, kAlignment);
    if (overflowed_ || total > room.size() || total > start::kMaxBytes) {
        return Status::OutOfMemory;
    }
    std::memset(room.data(), 0, total);
    Layout layout{room, static_cast<u32>(pool)};
    start::Header header{.magic = start::kMagic,
                         .version = start::kVersion,
                         .total_size = static_cast<u32>(total),
                         .seed = {},
                         .kernel = identity.kernel,
                         .listener = identity.listener,
                         .task = layout.moved(task),
                         .eclass = layout.moved(eclass),
                         .arguments = layout.put(arguments_.view()),
                         .environment = layout.put(environment_.view()),
                         .connections = layout.put(connections_.view()),
                         .devices = layout.put(devices_.view()),
                         .registers = layout.put(registers_.view()),
                         .interrupts = layout.put(interrupts_.view()),
                         .properties = layout.put(properties_.view()),
                         .files = layout.put(files_.view()),
                         .program = layout.moved(program),
                         .guard = identity.guard};
    std::memcpy(header.seed, identity.seed, sizeof(header.seed));
    std::memcpy(room.data(), &header, sizeof(header));
    std::memcpy(room.data() + pool, pool_, pool_size_);
    return static_cast<u32>(total);
}

}  // namespace sdk
