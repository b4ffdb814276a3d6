// SPDX-License-Identifier: Apache-2.0
// Makes a start block (<runtime/start_block.hpp>). Entries are collected in bounded tables, their
// characters in one pool; finish() lays both out. Whatever does not fit is remembered, and finish()
// then refuses: a process never starts with half of what it was promised.
#pragma once

#include <runtime/start_block.hpp>

namespace sdk {

using base::Result;
using base::Status;
using base::u32;
using base::u64;
using base::u8;

/// A bounded table of entries.
template <typename T, u32 capacity> class EntryTable final {
public:
    /// Null when it is full.
    T* add() { return count_ < capacity ? &entries_[count_++] : nullptr; }

    [[nodiscard]] u32 count() const { return count_; }

    [[nodiscard]] std::span<const T> view() const { return {entries_, count_}; }

    [[nodiscard]] std::span<T> view() { return {entries_, count_}; }

    void clear() { count_ = 0; }

private:
    T entries_[capacity]{};
    u32 count_ = 0;
};

/// What belongs to the process as a whole.
struct StartIdentity {
    std::string_view task{};
    std::string_view eclass{};
    std::string_view program{};
    u32 kernel = 0;
    u32 listener = 0;
    u64 seed[4]{};
    u64 guard = 0;
};

class StartBlockWriter final {
public:
    /// Forgets everything: one writer makes many blocks.
    void clear();

    void add_argument(std::string_view text);
    void add_environment(std::string_view text);
    /// `server` is the policy class of the process that the client handle leads to.
    void add_connection(std::string_view id, u32 handle, std::string_view server);
    void add_file(std::string_view name, u64 address, u64 size);
    /// The registers, interrupts and properties that follow belong to this device.
    void begin_device(std::string_view path, std::span<const u8> compatible, u64 clock_hz);
    void add_registers(u32 handle, u32 offset, u64 size);
    void add_interrupt(u32 handle, u32 line);
    void add_property(std::string_view name, std::span<const u8> value);

    /// Writes the block to `room`, 8-aligned, and gives its size. OutOfMemory: something did not
    /// fit, here or before.
    Result<u32> finish(const StartIdentity& identity, std::span<u8> room);

private:
    static constexpr u32 kPoolBytes = 24u << 10;

    sdk::start::Place keep(std::span<const u8> bytes);
    sdk::start::Place keep(std::string_view text);
    template <typename T, u32 capacity> void add(EntryTable<T, capacity>& table, const T& entry);
    void add_device_entry(u32 sdk::start::Device::* count);

    EntryTable<sdk::start::Place, 32> arguments_{};
    EntryTable<sdk::start::Place, 32> environment_{};
    EntryTable<sdk::start::Connection, 64> connections_{};
    EntryTable<sdk::start::Device, 16> devices_{};
    EntryTable<sdk::start::Registers, 32> registers_{};
    EntryTable<sdk::start::Interrupt, 32> interrupts_{};
    EntryTable<sdk::start::Property, 128> properties_{};
    EntryTable<sdk::start::File, 16> files_{};
    u8 pool_[kPoolBytes]{};
    u32 pool_size_ = 0;
    bool overflowed_ = false;
};

}  // namespace sdk
