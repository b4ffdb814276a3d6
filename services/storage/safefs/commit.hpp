// SPDX-License-Identifier: Apache-2.0
// The two commit blocks. One write of one block makes a new tree true; it goes to the block that is
// not the last good one, so a torn write leaves that. What is left of the block is a log of small
// writes: while they are all that happened since the last commit, a sync writes only this block,
// with the old root and the log, and a mount does them again.
#pragma once

#include <services/storage/safefs/cache.hpp>

namespace svc::storage::safefs {

class Commit final {
public:
    explicit Commit(BlockDevice& device) : device_(device) {}

    /// `block` stays in use. Reads both commit blocks, with `scratch` for the second.
    /// Errors: NoDevice (neither is one), Io.
    Result<void> begin(CommitBlock& block, CommitBlock& scratch);

    /// The newest commit block.
    [[nodiscard]] const CommitBlock& block() const { return *block_; }

    /// Writes the commit block, with `root` and an empty log. Everything that it reaches is
    /// durable. Until confirm(), a power cut shows the old root or this one, also after an error.
    Result<void> write_root(const Root& root);

    /// The same with the old root and the log.
    Result<void> write_log();

    /// What was written last is durable.
    void confirm() { good_ = other(); }

    /// Adds a write to the log; false if there is no room.
    bool add_to_log(const LogRecord& record, std::span<const u8> data);

    struct Logged {
        LogRecord record;
        std::span<const u8> data;
    };

    /// The record at byte `at` of the log, which moves behind it; false at the end or if malformed.
    bool next_logged(u32& at, Logged& logged) const;

    /// Writes both commit blocks of an empty file system.
    static Result<void> format(BlockDevice& device, CommitBlock& block);

private:
    /// Tries twice: a device may be unable to read a torn block, but if it can after all, the older
    /// commit must not be taken for the newest.
    Result<void> read(u32 address, CommitBlock& block);
    Result<void> write();
    static void seal(CommitBlock& block);
    static bool is_sound(const CommitBlock& block, u64 block_count);

    BlockDevice& device_;
    CommitBlock* block_ = nullptr;

    [[nodiscard]] u32 other() const {
        return good_ == 0 ? static_cast<u32>(device_.block_count() - 1) : 0;
    }

    u32 good_ = 0;  ///< address of the newest one that is certainly durable
};

}  // namespace svc::storage::safefs
