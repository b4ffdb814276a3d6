// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <services/storage/hash.hpp>
#include <services/storage/safefs/commit.hpp>

namespace svc::storage::safefs {

namespace {

std::span<u8> bytes_of(CommitBlock& block) {
    void* const at = &block;
    return {static_cast<u8*>(at), kBlockBytes};
}

u64 sum(const CommitBlock& block) {
    const void* const at = &block;
    return checksum(kMagic, {static_cast<const u8*>(at), offsetof(CommitBlock, checksum)});
}

}  // namespace

void Commit::seal(CommitBlock& block) { block.checksum = sum(block); }

bool Commit::is_sound(const CommitBlock& block, u64 block_count) {
    return block.magic == kMagic && block.checksum == sum(block) &&
           block.block_count == block_count && block.log_bytes <= kLogBytes &&
           block.root.inode_count % kInodesPerBlock == 0 &&
           block.root.inode_count / kInodesPerBlock <= std::min(block_count, kMaxFileBlocks);
}

Result<void> Commit::read(u32 address, CommitBlock& block) {
    const auto once = device_.read(address, bytes_of(block));
    return once.ok() ? once : device_.read(address, bytes_of(block));
}

Result<void> Commit::begin(CommitBlock& block, CommitBlock& scratch) {
    const u64 count = device_.block_count();
    const auto last = static_cast<u32>(count - 1);
    const auto first_read = read(0, block);
    const bool first_good = first_read.ok() && is_sound(block, count);
    const auto second_read = read(last, scratch);
    const bool second_good = second_read.ok() && is_sound(scratch, count);
    block_ = &block;
    if (!first_good && !second_good) {
        TRY(first_read);
        TRY(second_read);
        return Error::NoDevice;
    }
    good_ = 0;
    if (second_good && (!first_good || scratch.sequence > block.sequence)) {
        std::memcpy(bytes_of(block).data(), &scratch, kBlockBytes);
        good_ = last;
    }
    return {};
}

Result<void> Commit::write() {
    ++block_->sequence;
    seal(*block_);
    return device_.write(other(), bytes_of(*block_));
}

Result<void> Commit::write_root(const Root& root) {
    block_->root = root;
    block_->log_bytes = 0;
    block_->log = {};
    return write();
}

Result<void> Commit::write_log() { return write(); }

bool Commit::add_to_log(const LogRecord& record, std::span<const u8> data) {
    if (sizeof(record) + data.size() > kLogBytes - block_->log_bytes) {
        return false;
    }
    u8* const at = &block_->log[block_->log_bytes];
    std::memcpy(at, &record, sizeof(record));
    std::memcpy(at + sizeof(record), data.data(), data.size());
    block_->log_bytes += static_cast<u32>(sizeof(record) + data.size());
    return true;
}

bool Commit::next_logged(u32& at, Logged& logged) const {
    if (at > block_->log_bytes || block_->log_bytes - at < sizeof(LogRecord)) {
        return false;
    }
    std::memcpy(&logged.record, &block_->log[at], sizeof(LogRecord));
    at += u32{sizeof(LogRecord)};
    if (logged.record.bytes > block_->log_bytes - at) {
        return false;
    }
    logged.data = {block_->log.data() + at, logged.record.bytes};
    at += logged.record.bytes;
    return true;
}

Result<void> Commit::format(BlockDevice& device, CommitBlock& block) {
    const auto last = static_cast<u32>(device.block_count() - 1);
    for (const u32 address : {0u, last}) {
        ++block.sequence;
        seal(block);
        TRY(device.write(address, bytes_of(block)));
    }
    return device.flush();
}

}  // namespace svc::storage::safefs
