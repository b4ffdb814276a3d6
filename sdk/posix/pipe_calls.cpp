// SPDX-License-Identifier: Apache-2.0
// Pipes and pairs of connected sockets, both within this process. `object` of a pipe's description
// is the pipe; that of a socket is its pair, and `position` the side.
#include <musl_errno.h>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/pipe.hpp>

namespace sdk::posix {

namespace {

constexpr u64 kBytesWaiting = 0x541B;  // FIONREAD
constexpr u32 kOwnerOnly = 0600;
constexpr u64 kMaxPairs = 32;
constexpr u64 kAddressFamily = 1;  // AF_UNIX
constexpr u64 kNoticeFamily = 16;  // AF_NETLINK
constexpr u64 kNoticeBytes = 32;

// As in musl's sys/socket.h.
enum Type : u32 { kStream = 1, kDatagram = 2, kSequence = 5 };

constexpr u64 kDoNotWait = 0x40;    // MSG_DONTWAIT
constexpr u64 kNoSignal = 0x4000;   // MSG_NOSIGNAL
constexpr u64 kWaitForAll = 0x100;  // MSG_WAITALL

s64 tell_bytes(Pipe& pipe, u64 request, u64 argument) {
    if (request != kBytesWaiting) {
        return -ENOTTY;
    }
    *pointer<s32>(argument) = static_cast<s32>(pipe.size());
    return 0;
}

void drop(Pipe* pipe) {
    if (pipe != nullptr) {
        pipe->end_reading();
        pipe->end_writing();
    }
}

class PipeEnd final : public Kind {
public:
    s64 read(Description& description, const Transfer& transfer) const override {
        return pipe(description).take(transfer, description.is_non_blocking());
    }

    s64 write(Description& description, const Transfer& transfer) const override {
        return pipe(description).put(transfer, description.is_non_blocking());
    }

    s64 control(Description& description, u64 request, u64 argument) const override {
        return tell_bytes(pipe(description), request, argument);
    }

    s64 tell_status(Description& description, FileStatus& status) const override {
        status.inode = description.object;
        status.mode = mode::kPipe | kOwnerOnly;
        status.links = 1;
        status.block_size = kAtomicBytes;
        return 0;
    }

    u32 readiness(Description& description) const override {
        return description.is_readable() ? pipe(description).readiness_to_take()
                                         : pipe(description).readiness_to_put();
    }

    void close(Description& description) const override {
        if (description.is_readable()) {
            pipe(description).end_reading();
        } else {
            pipe(description).end_writing();
        }
    }

private:
    static Pipe& pipe(const Description& description) { return *pointer<Pipe>(description.object); }
};

/// Side 0 reads from pipe 0 and writes to pipe 1.
struct Pair {
    Pipe* pipes[2];
    u32 sides;  // 0: free
};

constinit Lock pairs_lock;
constinit Pair pairs[kMaxPairs]{};

class Socket final : public Kind {
public:
    s64 read(Description& description, const Transfer& transfer) const override {
        return input(description).take(transfer, description.is_non_blocking());
    }

    s64 write(Description& description, const Transfer& transfer) const override {
        return output(description).put(transfer, description.is_non_blocking());
    }

    s64 control(Description& description, u64 request, u64 argument) const override {
        return tell_bytes(input(description), request, argument);
    }

    s64 tell_status(Description& description, FileStatus& status) const override {
        status.inode = description.object + static_cast<u64>(description.position);
        status.mode = mode::kSocket | kOwnerOnly;
        status.links = 1;
        return 0;
    }

    u32 readiness(Description& description) const override {
        const u32 in = input(description).readiness_to_take();
        const u32 out = output(description).readiness_to_put();
        // An end is in: there is something to be learnt by reading.
        return in | (out & poll_flag::kOut) | ((in & poll_flag::kHangUp) != 0 ? poll_flag::kIn : 0);
    }

    void close(Description& description) const override {
        input(description).end_reading();
        output(description).end_writing();
        const Holder holder{pairs_lock};
        --pair(description).sides;
    }

    static Pair& pair(const Description& description) { return *pointer<Pair>(description.object); }

    static Pipe& input(const Description& description) {
        return *pair(description).pipes[description.position];
    }

    static Pipe& output(const Description& description) {
        return *pair(description).pipes[1 - description.position];
    }
};

/// What musl takes for a socket of Linux's net link: a pipe that is read by the one who holds it
/// and written from in here. `object` is the pipe.
class Notice final : public Kind {
public:
    void close(Description& description) const override { drop(&pipe(description)); }

    static Pipe& pipe(const Description& description) { return *pointer<Pipe>(description.object); }
};

constinit const Notice notice_kind;
constinit const PipeEnd pipe_end;
constinit const Socket socket_kind;

/// Two new numbers for two descriptions, or both are let go.
s64 give_numbers(Description& first, Description& second, u32 flags, s32* numbers) {
    const s64 one = install_descriptor(first, 0, flags);
    if (one < 0) {
        let_go(first);
        let_go(second);
        return one;
    }
    const s64 two = install_descriptor(second, 0, flags);
    if (two < 0) {
        (void)close_descriptor(static_cast<u64>(one));
        let_go(second);
        return two;
    }
    numbers[0] = static_cast<s32>(one);
    numbers[1] = static_cast<s32>(two);
    return 0;
}

Pair* take_pair() {
    const Holder holder{pairs_lock};
    for (Pair& pair : pairs) {
        if (pair.sides == 0) {
            pair.sides = 2;
            return &pair;
        }
    }
    return nullptr;
}

void give_back(Pair& pair) {
    const Holder holder{pairs_lock};
    pair.sides = 0;
}

/// A pair with its pipes; null: no more of one of them.
Pair* create_pair(Pipe::Content content) {
    Pair* const pair = take_pair();
    if (pair == nullptr) {
        return nullptr;
    }
    pair->pipes[0] = Pipe::create(content);
    pair->pipes[1] = Pipe::create(content);
    if (pair->pipes[0] == nullptr || pair->pipes[1] == nullptr) {
        drop(pair->pipes[0]);
        drop(pair->pipes[1]);
        give_back(*pair);
        return nullptr;
    }
    return pair;
}

/// What sendto and recvfrom check alike.
s64 check_socket(const Held& held, u64 flags) {
    if (!held) {
        return -EBADF;
    }
    if (&held->kind() != &socket_kind) {
        return -ENOTSOCK;
    }
    return (flags & ~(kDoNotWait | kNoSignal | kWaitForAll)) != 0 ? -EOPNOTSUPP : 0;
}

}  // namespace

s64 create_pipe(const Call& call) {
    const auto flags = static_cast<u32>(call.word[1]);
    if ((flags & ~(open_flag::kNonBlocking | open_flag::kCloseOnExec)) != 0) {
        return -EINVAL;
    }
    Pipe* const pipe = Pipe::create(Pipe::Content::Bytes);
    if (pipe == nullptr) {
        return -ENFILE;
    }
    const u64 object = __builtin_bit_cast(u64, pipe);
    Description* const reader = create_description(pipe_end, flags | open_flag::kReadOnly, object);
    Description* const writer =
        reader == nullptr ? nullptr
                          : create_description(pipe_end, flags | open_flag::kWriteOnly, object);
    if (writer == nullptr) {
        if (reader != nullptr) {
            let_go(*reader);
        } else {
            pipe->end_reading();
        }
        pipe->end_writing();
        return -ENFILE;
    }
    return give_numbers(*reader, *writer, flags, pointer<s32>(call.word[0]));
}

s64 create_socket_pair(const Call& call) {
    const auto type = static_cast<u32>(call.word[1]);
    const u32 flags = type & (open_flag::kNonBlocking | open_flag::kCloseOnExec);
    const u32 plain = type & ~flags;
    if ((call.word[0] & 0xFFFF'FFFF) != kAddressFamily) {
        return -EAFNOSUPPORT;
    }
    if (plain != kStream && plain != kDatagram && plain != kSequence) {
        return -EPROTOTYPE;
    }
    if ((call.word[2] & 0xFFFF'FFFF) > kAddressFamily) {
        return -EPROTONOSUPPORT;
    }
    Pair* const pair =
        create_pair(plain == kStream ? Pipe::Content::Bytes : Pipe::Content::Messages);
    if (pair == nullptr) {
        return -ENFILE;
    }
    const u64 object = __builtin_bit_cast(u64, pair);
    const u32 opened = flags | open_flag::kReadWrite;
    Description* const first = create_description(socket_kind, opened, object);
    Description* const second =
        first == nullptr ? nullptr : create_description(socket_kind, opened, object);
    if (second == nullptr) {
        if (first == nullptr) {
            drop(pair->pipes[0]);
            drop(pair->pipes[1]);
            give_back(*pair);
        } else {
            pair->pipes[0]->end_writing();
            pair->pipes[1]->end_reading();
            pair->sides = 1;
            let_go(*first);
        }
        return -ENFILE;
    }
    second->position = 1;
    return give_numbers(*first, *second, flags, pointer<s32>(call.word[3]));
}

s64 create_socket(const Call& call) {
    if ((call.word[0] & 0xFFFF'FFFF) != kNoticeFamily) {
        return -ENOSYS;
    }
    Pipe* const pipe = Pipe::create(Pipe::Content::Messages);
    if (pipe == nullptr) {
        return -ENFILE;
    }
    const s64 number = open_descriptor(notice_kind,
                                       static_cast<u32>(call.word[1]) & open_flag::kCloseOnExec,
                                       __builtin_bit_cast(u64, pipe));
    if (number < 0) {
        drop(pipe);
    }
    return number;
}

bool is_notice(const Description& description) { return &description.kind() == &notice_kind; }

void send_notice(Description& description, char reason) {
    char bytes[kNoticeBytes]{};
    bytes[kNoticeBytes - 1] = reason;
    const Part part{.data = bytes, .size = sizeof(bytes)};
    (void)Notice::pipe(description)
        .put({.parts = &part, .count = 1, .total = part.size, .offset = 0, .cancelled = nullptr},
             true);
}

s64 send(const Call& call) {
    const Held held{call.word[0]};
    if (const s64 flaw = check_socket(held, call.word[3]); flaw != 0) {
        return flaw;
    }
    if (call.word[4] != 0) {
        return -EISCONN;
    }
    const Part part{.data = pointer<char>(call.word[1]), .size = call.word[2]};
    return Socket::output(*held).put(
        {.parts = &part, .count = 1, .total = part.size, .offset = 0, .cancelled = call.cancelled},
        held->is_non_blocking() || (call.word[3] & kDoNotWait) != 0);
}

s64 shut_down(const Call& call) {
    const Held held{call.word[0]};
    if (const s64 flaw = check_socket(held, 0); flaw != 0) {
        return flaw;
    }
    const u64 how = call.word[1] & 0xFFFF'FFFF;  // SHUT_RD, SHUT_WR, SHUT_RDWR
    constexpr u64 kReading = 0;
    constexpr u64 kWriting = 1;
    constexpr u64 kBoth = 2;
    if (how > kBoth) {
        return -EINVAL;
    }
    if (how != kWriting) {
        Socket::input(*held).stop();
    }
    if (how != kReading) {
        Socket::output(*held).stop();
    }
    return 0;
}

s64 receive(const Call& call) {
    const Held held{call.word[0]};
    const bool is_told = held && is_notice(*held);
    if (const s64 flaw = is_told ? 0 : check_socket(held, call.word[3]); flaw != 0) {
        return flaw;
    }
    const Part part{.data = pointer<char>(call.word[1]), .size = call.word[2]};
    if (call.word[5] != 0) {
        *pointer<u32>(call.word[5]) = 0;  // nobody has an address
    }
    Pipe& pipe = is_told ? Notice::pipe(*held) : Socket::input(*held);
    return pipe.take(
        {.parts = &part, .count = 1, .total = part.size, .offset = 0, .cancelled = call.cancelled},
        held->is_non_blocking() || (call.word[3] & kDoNotWait) != 0);
}

}  // namespace sdk::posix
