// SPDX-License-Identifier: Apache-2.0
// The bytes of all pipes are in one region, since a process has few: reserved when the first pipe
// is made, with memory for each pipe while there is that pipe.
#include <musl_errno.h>
#include <sdk/posix/kernel.hpp>
#include <sdk/posix/pipe.hpp>

namespace sdk::posix {

namespace {

constexpr u64 kMaxPipes = 64;
constexpr u64 kHeaderBytes = sizeof(u32);  // of a message: its size

constinit Lock pool_lock;
constinit Pipe pipes[kMaxPipes]{};
constinit u64 region = 0;  // 0: not reserved yet

u64 memory_of(const Pipe& pipe) { return region + static_cast<u64>(&pipe - pipes) * kPipeBytes; }

u64 least(u64 a, u64 b) { return a < b ? a : b; }

}  // namespace

/// A place in the parts of a transfer.
class Pipe::Cursor final {
public:
    explicit Cursor(const Transfer& transfer) : part_(transfer.parts) {}

    /// Bytes that follow in one piece; only asked while some are left.
    u64 run() {
        while (done_ == part_->size) {
            ++part_;
            done_ = 0;
        }
        return part_->size - done_;
    }

    char* at() const { return part_->data + done_; }

    void advance(u64 count) { done_ += count; }

private:
    const Part* part_;
    u64 done_ = 0;
};

Pipe* Pipe::create(Content content) {
    const Holder holder{pool_lock};
    if (region == 0) {
        const auto made = vmm().Allocate(0, kMaxPipes * kPipeBytes, kl::core::VMM::Reserve);
        if (!made.ok()) {
            return nullptr;
        }
        region = made.value().at;
    }
    for (Pipe& pipe : pipes) {
        if (pipe.ends_ != 0) {
            continue;
        }
        constexpr u32 kAccess = kl::core::VMM::Read | kl::core::VMM::Write;
        if (!vmm().Commit(memory_of(pipe), kPipeBytes, kAccess).ok()) {
            return nullptr;
        }
        pipe.begin_ = 0;
        pipe.size_ = 0;
        pipe.ends_ = 2;
        pipe.content_ = content;
        pipe.is_read_ = true;
        pipe.is_written_ = true;
        return &pipe;
    }
    return nullptr;
}

void Pipe::fill(Cursor& from, u64 count) {
    while (count != 0) {
        const u64 at = (begin_ + size_) % kPipeBytes;
        const u64 bytes = least(least(count, kPipeBytes - at), from.run());
        __builtin_memcpy(pointer<char>(memory_of(*this) + at), from.at(), bytes);
        size_ += bytes;
        from.advance(bytes);
        count -= bytes;
    }
}

void Pipe::drain(Cursor& to, u64 count) {
    while (count != 0) {
        const u64 bytes = least(least(count, kPipeBytes - begin_), to.run());
        __builtin_memcpy(to.at(), pointer<char>(memory_of(*this) + begin_), bytes);
        skip(bytes);
        to.advance(bytes);
        count -= bytes;
    }
}

void Pipe::skip(u64 count) {
    begin_ = (begin_ + count) % kPipeBytes;
    size_ -= count;
}

/// Bytes written, 0 if there is no room for what must be in one piece.
u64 Pipe::put_some(Cursor& from, u64 rest, u64 total) {
    u64 room = kPipeBytes - size_;
    if (content_ == Content::Messages) {
        if (room < kHeaderBytes + rest) {
            return 0;
        }
        u32 size = static_cast<u32>(rest);
        const Part header{.data = __builtin_bit_cast(char*, &size), .size = kHeaderBytes};
        Cursor from_header{{.parts = &header,
                            .count = 1,
                            .total = kHeaderBytes,
                            .offset = 0,
                            .cancelled = nullptr}};
        fill(from_header, kHeaderBytes);
        room -= kHeaderBytes;
    } else if (total <= kAtomicBytes && room < rest) {
        return 0;
    }
    const u64 count = least(room, rest);
    fill(from, count);
    return count;
}

s64 Pipe::put(const Transfer& transfer, bool is_non_blocking) {
    if (content_ == Content::Messages && transfer.total > kPipeBytes - kHeaderBytes) {
        return -EMSGSIZE;
    }
    Cursor from{transfer};
    u64 done = 0;
    while (true) {
        const u32 seen = changed_.count();
        bool is_changed = false;
        {
            const Holder holder{lock_};
            if (!is_read_) {
                return done != 0 ? static_cast<s64>(done) : -EPIPE;
            }
            if (transfer.total == 0 && content_ == Content::Bytes) {
                return 0;
            }
            const u64 before = size_;
            done += put_some(from, transfer.total - done, transfer.total);
            is_changed = size_ != before;
        }
        if (is_changed) {
            tell();
            if (done == transfer.total) {
                return static_cast<s64>(done);
            }
            continue;
        }
        const s64 result = is_non_blocking ? -EAGAIN : changed_.wait(seen, 0, transfer.cancelled);
        if (result != 0) {
            return done != 0 ? static_cast<s64>(done) : result;
        }
    }
}

u64 Pipe::take_some(const Transfer& transfer) {
    Cursor to{transfer};
    if (content_ == Content::Bytes) {
        const u64 count = least(size_, transfer.total);
        drain(to, count);
        return count;
    }
    u32 size = 0;
    const Part header{.data = __builtin_bit_cast(char*, &size), .size = kHeaderBytes};
    Cursor to_header{
        {.parts = &header, .count = 1, .total = kHeaderBytes, .offset = 0, .cancelled = nullptr}};
    drain(to_header, kHeaderBytes);
    const u64 count = least(size, transfer.total);
    drain(to, count);
    skip(size - count);
    return count;
}

s64 Pipe::take(const Transfer& transfer, bool is_non_blocking) {
    if (transfer.total == 0 && content_ == Content::Bytes) {
        return 0;
    }
    while (true) {
        const u32 seen = changed_.count();
        u64 done = 0;
        bool is_changed = false;
        {
            const Holder holder{lock_};
            if (size_ != 0) {
                done = take_some(transfer);
                is_changed = true;
            } else if (!is_written_) {
                return 0;
            }
        }
        if (is_changed) {
            tell();
            return static_cast<s64>(done);
        }
        const s64 result = is_non_blocking ? -EAGAIN : changed_.wait(seen, 0, transfer.cancelled);
        if (result != 0) {
            return result;
        }
    }
}

u32 Pipe::readiness_to_take() {
    const Holder holder{lock_};
    return (size_ != 0 ? poll_flag::kIn : 0) | (is_written_ ? 0 : poll_flag::kHangUp);
}

u32 Pipe::readiness_to_put() {
    const Holder holder{lock_};
    const bool has_room = kPipeBytes - size_ >= kAtomicBytes;
    return (has_room || !is_read_ ? poll_flag::kOut : 0) | (is_read_ ? 0 : poll_flag::kError);
}

u64 Pipe::size() {
    const Holder holder{lock_};
    return size_;
}

void Pipe::tell() {
    changed_.signal();
    signal_readiness();
}

void Pipe::end() {
    {
        const Holder holder{pool_lock};
        if (--ends_ == 0) {
            (void)vmm().Decommit(memory_of(*this), kPipeBytes);
            return;
        }
    }
    tell();
}

void Pipe::end_reading() {
    {
        const Holder holder{lock_};
        is_read_ = false;
    }
    end();
}

void Pipe::end_writing() {
    {
        const Holder holder{lock_};
        is_written_ = false;
    }
    end();
}

void Pipe::stop() {
    {
        const Holder holder{lock_};
        is_read_ = false;
        is_written_ = false;
    }
    tell();
}

}  // namespace sdk::posix
