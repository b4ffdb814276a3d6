// SPDX-License-Identifier: Apache-2.0
// A pipe of bytes, or of messages, between threads of this process. Pipes and sockets are made of
// it: a pipe is one, a pair of sockets two.
#pragma once

#include <sdk/posix/descriptors.hpp>

namespace sdk::posix {

inline constexpr u64 kPipeBytes = 16 * 1024;
inline constexpr u64 kAtomicBytes = 4096;  // PIPE_BUF

class Pipe final {
public:
    enum class Content : u8 { Bytes, Messages };

    /// One with a reader and a writer; null: there are 64, or no memory.
    static Pipe* create(Content content);

    /// Writes all, waiting for room, but less if it may not wait any more; up to kAtomicBytes, and
    /// a message, in one piece. -EPIPE, -EAGAIN, -EINTR, -EMSGSIZE.
    s64 put(const Transfer& transfer, bool is_non_blocking);
    /// Reads what there is, at least a byte, or one message, whose rest is lost; 0: it is empty and
    /// nobody writes. -EAGAIN, -EINTR.
    s64 take(const Transfer& transfer, bool is_non_blocking);
    /// The poll_flags of the end that reads, or writes.
    u32 readiness_to_take();
    u32 readiness_to_put();
    /// Bytes that are in it, with the sizes of messages.
    u64 size();

    /// Nobody reads, or writes, from now on; to be said once by each. Frees it after both.
    void end_reading();
    void end_writing();
    /// The same for good, while the ends still stand.
    void stop();

private:
    class Cursor;

    void fill(Cursor& from, u64 count);
    void drain(Cursor& to, u64 count);
    void skip(u64 count);
    u64 put_some(Cursor& from, u64 rest, u64 total);
    u64 take_some(const Transfer& transfer);
    void tell();
    void end();

    Lock lock_;
    Event changed_;
    u64 begin_ = 0;
    u64 size_ = 0;
    u32 ends_ = 0;  // 0: free
    Content content_ = Content::Bytes;
    bool is_read_ = false;
    bool is_written_ = false;
};

/// What musl reads notifications of message queues from: whether a description is one, and a
/// message of 32 bytes to it, whose last one is `reason`.
bool is_notice(const Description& description);
void send_notice(Description& description, char reason);

}  // namespace sdk::posix
