// SPDX-License-Identifier: Apache-2.0
// Devices that are no hardware: null, zero, full, random, urandom, and console and tty, which are
// one. What is behind them is handed over. Offsets mean nothing; truncate() changes nothing, so
// that a shell's "> /dev/null" works. Modes, owners and times can be changed and are forgotten at
// the end.
#pragma once

#include <array>
#include <services/storage/fixed_names.hpp>

namespace svc::storage::devfs {

/// Random bytes.
class Entropy {
public:
    /// Fills `data`. Errors: Io.
    virtual Result<void> fill(std::span<u8> data) = 0;

protected:
    ~Entropy() = default;
};

/// Takes what is written to the console.
class Sink {
public:
    /// Returns how much was taken. Errors: Io.
    virtual Result<u64> write(std::span<const u8> data) = 0;

protected:
    ~Sink() = default;
};

class DevFs final : public FixedNames {
public:
    DevFs(Clock& clock, Entropy& entropy, Sink& console);

    Result<u64> read(Node file, u64 offset, std::span<u8> data) override;
    Result<u64> write(Node file, u64 offset, std::span<const u8> data) override;
    Result<void> truncate(Node file, u64 size) override;
    Result<Attributes> stat(Node node) override;
    Result<void> set_attributes(Node node, const AttributeChange& change) override;
    Result<Usage> statfs() override;

protected:
    [[nodiscard]] u32 entry_count() const override { return kDevices; }

    [[nodiscard]] Name entry(u32 index) const override;
    [[nodiscard]] u32 find_entry(std::string_view name) const override;

private:
    static constexpr u32 kDevices = 7;

    Result<Attributes*> find(Node node);

    Clock& clock_;
    Entropy& entropy_;
    Sink& console_;
    std::array<Attributes, kDevices + 1> attributes_{};  ///< of the devices, then of the root
};

}  // namespace svc::storage::devfs
