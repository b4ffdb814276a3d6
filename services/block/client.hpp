// SPDX-License-Identifier: Apache-2.0
// A disk of another process as a storage::Device that outlives its driver. When the driver's life
// ends, the request that was under way waits for the next life, as long as the patience lasts,
// opens again and is repeated; a disk that came back as another one (its size or its serial number
// changed, as those of a RAM disk do) stays lost.
//
// Nothing written is lost by that: what the old driver answered is in the device, which kept its
// power, and a repeated flush makes it durable. What it had not answered is written again; writing
// the same blocks twice is allowed.
//
// The old buffer stays mapped until the device was reset (kl.drivers.Block), and is never read or
// written again.
#pragma once

#include <kl/drivers/Block.client.hpp>
#include <services/block/sessions.hpp>
#include <services/storage/device.hpp>
#include <string_view>

namespace svc::block {

struct ClientOptions {
    u32 channel = 0;           ///< to the driver
    u16 endpoint = 0;          ///< of kl.drivers.Block in the driver's class
    std::string_view disk{};   ///< stays in use
    u64 patience_ms = 10'000;  ///< how long to wait for a driver's next life
    u64 answer_ms = 60'000;    ///< how long a request may take; more than the driver's own limit
};

/// Used from one thread.
class Client final : public storage::Device {
public:
    explicit Client(const ClientOptions& options) : options_(options) {}

    ~Client() { close(); }

    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Waits for the driver, too. Before everything else. Errors: NoDevice (no such disk, or the
    /// policy denies it), Io, NoMemory.
    storage::Result<void> open();

    /// Gives the session back. Afterwards every operation is Io.
    void close();

    [[nodiscard]] u32 block_bytes() const override { return sector_bytes_; }

    [[nodiscard]] u64 block_count() const override { return sectors_; }

    [[nodiscard]] bool is_read_only() const { return is_read_only_; }

    /// Errors: Invalid, Io (also: the device or its driver went and did not come back).
    storage::Result<void> read(u64 first, std::span<u8> data) override;
    storage::Result<void> write(u64 first, std::span<const u8> data) override;
    storage::Result<void> flush() override;

    /// How often it met a new life of the driver.
    [[nodiscard]] u64 reopened() const { return reopened_; }

private:
    /// What an Open gave.
    struct Session {
        u32 handle = 0;
        u32 buffer = 0;
        u32 keep = 0;
        std::span<u8> memory{};
    };

    /// One request, to be repeated: in terms of the buffer's begin.
    struct Piece {
        Operation operation = Operation::Flush;
        u64 sector = 0;
        std::span<u8> in{};
        std::span<const u8> out{};
    };

    [[nodiscard]] bool is_inside(u64 first, u64 bytes) const;
    storage::Result<void> perform(const Piece& piece);
    base::Status ask(const Piece& piece);
    storage::Result<void> reopen();
    base::Status try_open(Session& session);
    base::Status learn(const Session& session);
    void forget_session();
    static void release(Session& session);

    static constexpr std::size_t kMostBytes = kBufferBytes;  // of one request

    ClientOptions options_;
    Session session_{};
    u64 sectors_ = 0;
    u32 sector_bytes_ = kSectorUnit;
    u32 flags_ = 0;
    std::array<u8, kSerialBytes> serial_{};
    bool is_read_only_ = false;
    bool is_known_ = false;  // size and serial number were learned
    bool is_lost_ = false;   // for good
    bool is_away_ =
        false;  // the last wait for the driver was in vain: no more waiting until it is back
    u64 reopened_ = 0;
};

}  // namespace svc::block
