// SPDX-License-Identifier: Apache-2.0
// The checks of open() and the look-ups after it. Tables are small, so every search is linear.
#include <bit>
#include <kernel/base/bits.hpp>
#include <runtime/start_block.hpp>

namespace sdk {

namespace {

using start::Place;
using start::Table;

/// The one place that turns bytes of the block into objects: `at` was checked for bounds and
/// alignment, and the objects are implicit-lifetime types without padding.
template <typename T> const T* object_at(std::span<const u8> bytes, u64 at) {
    const void* const address = bytes.data() + at;
    return static_cast<const T*>(address);
}

constexpr bool is_run(u32 first, u32 count, u32 limit) {
    return base::range_fits(first, count, limit);
}

}  // namespace

bool Device::is_compatible(std::string_view wanted) const {
    std::string_view rest = compatible;
    while (!rest.empty()) {
        const auto end = rest.find('\0');
        const std::string_view entry = rest.substr(0, end);
        if (entry == wanted) {
            return true;
        }
        if (end == std::string_view::npos) {
            return false;
        }
        rest.remove_prefix(end + 1);
    }
    return false;
}

Result<StartBlock> StartBlock::open(std::span<const u8> bytes) {
    if (bytes.size() < sizeof(start::Header) ||
        !base::is_aligned(std::bit_cast<u64>(bytes.data()), alignof(start::Header))) {
        return Status::InvalidArgument;
    }
    const auto& header = *object_at<start::Header>(bytes, 0);
    if (header.magic != start::kMagic || header.version != start::kVersion ||
        header.total_size < sizeof(start::Header) || header.total_size > start::kMaxBytes ||
        header.total_size > bytes.size()) {
        return Status::InvalidArgument;
    }
    const StartBlock block{bytes.first(header.total_size)};
    if (!block.is_valid()) {
        return Status::InvalidArgument;
    }
    return block;
}

bool StartBlock::is_valid() const {
    const auto& h = header();
    if (!is_text(h.task) || !is_text(h.eclass) || !is_text(h.program) ||
        !contains_table<Place>(h.arguments) || !contains_table<Place>(h.environment) ||
        !contains_table<start::Connection>(h.connections) ||
        !contains_table<start::File>(h.files)) {
        return false;
    }
    for (const Place place : entries<Place>(h.arguments)) {
        if (!is_text(place)) {
            return false;
        }
    }
    for (const Place place : entries<Place>(h.environment)) {
        if (!is_text(place)) {
            return false;
        }
    }
    for (const auto& connection : entries<start::Connection>(h.connections)) {
        if (!is_text(connection.id) || !is_text(connection.server)) {
            return false;
        }
    }
    for (const auto& entry : entries<start::File>(h.files)) {
        if (!is_text(entry.name)) {
            return false;
        }
    }
    return are_devices_valid();
}

bool StartBlock::are_devices_valid() const {
    const auto& h = header();
    if (!contains_table<start::Device>(h.devices) ||
        !contains_table<start::Registers>(h.registers) ||
        !contains_table<start::Interrupt>(h.interrupts) ||
        !contains_table<start::Property>(h.properties)) {
        return false;
    }
    for (const auto& entry : entries<start::Device>(h.devices)) {
        if (!is_text(entry.path) || !contains(entry.compatible) ||
            !is_run(entry.first_registers, entry.register_count, h.registers.count) ||
            !is_run(entry.first_interrupt, entry.interrupt_count, h.interrupts.count) ||
            !is_run(entry.first_property, entry.property_count, h.properties.count)) {
            return false;
        }
    }
    for (const auto& window : entries<start::Registers>(h.registers)) {
        if (window.offset >= base::kPageSize) {
            return false;
        }
    }
    for (const auto& entry : entries<start::Property>(h.properties)) {
        if (!is_text(entry.name) || !contains(entry.value)) {
            return false;
        }
    }
    return true;
}

const start::Header& StartBlock::header() const { return *object_at<start::Header>(bytes_, 0); }

bool StartBlock::contains(Place place) const {
    return base::range_fits(place.offset, place.size, bytes_.size());
}

bool StartBlock::is_text(Place place) const {
    return base::range_fits(place.offset, u64{place.size} + 1, bytes_.size()) &&
           bytes_[u64{place.offset} + place.size] == 0;
}

template <typename T> bool StartBlock::contains_table(Table table) const {
    return base::is_aligned(table.offset, alignof(u64)) &&
           base::range_fits(table.offset, u64{table.count} * sizeof(T), bytes_.size());
}

template <typename T> std::span<const T> StartBlock::entries(Table table) const {
    return {object_at<T>(bytes_, table.offset), table.count};
}

std::string_view StartBlock::text(Place place) const {
    return {object_at<char>(bytes_, place.offset), place.size};
}

std::string_view StartBlock::task() const { return text(header().task); }

std::string_view StartBlock::eclass() const { return text(header().eclass); }

std::string_view StartBlock::program() const { return text(header().program); }

u32 StartBlock::listener() const { return header().listener; }

std::span<const u64, 4> StartBlock::seed() const { return header().seed; }

u32 StartBlock::argument_count() const { return header().arguments.count; }

std::string_view StartBlock::argument(u32 index) const {
    const auto all = entries<Place>(header().arguments);
    return index < all.size() ? text(all[index]) : std::string_view{};
}

Result<std::string_view> StartBlock::environment(std::string_view key) const {
    for (const Place place : entries<Place>(header().environment)) {
        const std::string_view entry = text(place);
        if (entry.size() > key.size() && entry.starts_with(key) && entry[key.size()] == '=') {
            return std::string_view{entry.data() + key.size() + 1, entry.size() - key.size() - 1};
        }
    }
    return Status::ResourceNotFound;
}

u32 StartBlock::environment_count() const { return header().environment.count; }

std::string_view StartBlock::environment_text(u32 index) const {
    const auto all = entries<Place>(header().environment);
    return index < all.size() ? text(all[index]) : std::string_view{};
}

u32 StartBlock::connection_count() const { return header().connections.count; }

std::string_view StartBlock::connection_id(u32 index) const {
    const auto table = entries<start::Connection>(header().connections);
    return index < table.size() ? text(table[index].id) : std::string_view{};
}

Result<u32> StartBlock::connection(std::string_view id) const {
    for (const auto& entry : entries<start::Connection>(header().connections)) {
        if (text(entry.id) == id) {
            return entry.handle;
        }
    }
    return Status::ResourceNotFound;
}

Result<std::string_view> StartBlock::server_class(u32 handle) const {
    for (const auto& connection : entries<start::Connection>(header().connections)) {
        if (connection.handle == handle) {
            return text(connection.server);
        }
    }
    return Status::ResourceNotFound;
}

u32 StartBlock::device_count() const { return header().devices.count; }

Result<Device> StartBlock::device(u32 index) const {
    const auto& h = header();
    const auto all = entries<start::Device>(h.devices);
    if (index >= all.size()) {
        return Status::ResourceNotFound;
    }
    const auto& entry = all[index];
    return Device{.path = text(entry.path),
                  .compatible = text(entry.compatible),
                  .registers = entries<start::Registers>(h.registers)
                                   .subspan(entry.first_registers, entry.register_count),
                  .interrupts = entries<start::Interrupt>(h.interrupts)
                                    .subspan(entry.first_interrupt, entry.interrupt_count),
                  .clock_hz = entry.clock_hz};
}

Result<Device> StartBlock::find_device(std::string_view compatible) const {
    for (u32 i = 0; i < device_count(); ++i) {
        TRY_VALUE(const Device found, device(i));
        if (found.is_compatible(compatible)) {
            return found;
        }
    }
    return Status::ResourceNotFound;
}

Result<std::span<const u8>> StartBlock::property(u32 index, std::string_view name) const {
    const auto& h = header();
    const auto all = entries<start::Device>(h.devices);
    if (index >= all.size()) {
        return Status::ResourceNotFound;
    }
    const auto own = entries<start::Property>(h.properties)
                         .subspan(all[index].first_property, all[index].property_count);
    for (const auto& entry : own) {
        if (text(entry.name) == name) {
            return bytes_.subspan(entry.value.offset, entry.value.size);
        }
    }
    return Status::ResourceNotFound;
}

Result<std::span<const u8>> StartBlock::file(std::string_view name) const {
    for (const auto& entry : entries<start::File>(header().files)) {
        if (text(entry.name) == name) {
            return std::span<const u8>{std::bit_cast<const u8*>(entry.address),
                                       static_cast<std::size_t>(entry.size)};
        }
    }
    return Status::ResourceNotFound;
}

}  // namespace sdk
