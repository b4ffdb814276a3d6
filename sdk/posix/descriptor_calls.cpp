// SPDX-License-Identifier: Apache-2.0
// The functions on descriptors: what holds for all kinds is checked here, once.
#include <musl_errno.h>
#include <sdk/posix/descriptors.hpp>
#include <sdk/posix/groups.hpp>

namespace sdk::posix {

namespace {

constexpr u64 kMostParts = 1024;                   // IOV_MAX
constexpr u64 kMostBytes = 0x7FFF'FFFF'FFFF'FFFF;  // SSIZE_MAX
constexpr u32 kFixedFlags = ~(open_flag::kAppend | open_flag::kNonBlocking);
constexpr u32 kCloseOnExecNumber = 1;  // FD_CLOEXEC

// As in musl's fcntl.h.
enum Control : u64 {
    kDuplicate = 0,
    kGetNumberFlags = 1,
    kSetNumberFlags = 2,
    kGetFlags = 3,
    kSetFlags = 4,
    kTestLock = 5,
    kSetLock = 6,
    kWaitForLock = 7,
    kDuplicateCloseOnExec = 1030,
};

// As in musl's sys/resource.h.
constexpr u64 kLimits = 16;
constexpr u64 kDescriptorLimit = 7;
constexpr u64 kStackLimit = 3;
constexpr u64 kMainStackBytes = 64 * 1024;
constexpr u64 kNoLimit = ~u64{0};

enum class Direction { In, Out };

s64 transfer_parts(const Call& call, const Transfer& transfer, Direction direction) {
    const Held held{call.word[0]};
    if (!held) {
        return -EBADF;
    }
    if (!(direction == Direction::In ? held->is_readable() : held->is_writable())) {
        return -EBADF;
    }
    if (transfer.offset != Transfer::kOwnPosition) {
        if (!held->kind().can_seek()) {
            return -ESPIPE;
        }
        if (transfer.offset < 0) {
            return -EINVAL;
        }
    }
    return direction == Direction::In ? held->kind().read(*held, transfer)
                                      : held->kind().write(*held, transfer);
}

s64 transfer_one(const Call& call, s64 offset, Direction direction) {
    const Part part{.data = pointer<char>(call.word[1]), .size = call.word[2]};
    if (part.size > kMostBytes) {
        return -EINVAL;
    }
    return transfer_parts(call,
                          {.parts = &part,
                           .count = 1,
                           .total = part.size,
                           .offset = offset,
                           .cancelled = call.cancelled},
                          direction);
}

s64 transfer_vector(const Call& call, s64 offset, Direction direction) {
    const auto* parts = pointer<const Part>(call.word[1]);
    const u64 count = call.word[2];
    if (count > kMostParts) {
        return -EINVAL;
    }
    u64 total = 0;
    for (u64 i = 0; i < count; ++i) {
        if (parts[i].size > kMostBytes - total) {
            return -EINVAL;
        }
        total += parts[i].size;
    }
    return transfer_parts(call,
                          {.parts = parts,
                           .count = count,
                           .total = total,
                           .offset = offset,
                           .cancelled = call.cancelled},
                          direction);
}

/// The offset that was asked for, which is never taken for the own position.
s64 offset_of(const Call& call) {
    const auto offset = static_cast<s64>(call.word[3]);
    constexpr s64 kOtherNegative = -2;
    return offset < 0 ? kOtherNegative : offset;
}

s64 duplicate_from(u64 descriptor, u64 lowest, u32 flags) {
    Description* const description = take_hold(descriptor);
    if (description == nullptr) {
        return -EBADF;
    }
    const s64 number = install_descriptor(*description, lowest, flags);
    if (number < 0) {
        let_go(*description);
    }
    return number;
}

}  // namespace

s64 read(const Call& call) { return transfer_one(call, Transfer::kOwnPosition, Direction::In); }

s64 write(const Call& call) { return transfer_one(call, Transfer::kOwnPosition, Direction::Out); }

s64 read_vector(const Call& call) {
    return transfer_vector(call, Transfer::kOwnPosition, Direction::In);
}

s64 write_vector(const Call& call) {
    return transfer_vector(call, Transfer::kOwnPosition, Direction::Out);
}

s64 read_at(const Call& call) { return transfer_one(call, offset_of(call), Direction::In); }

s64 write_at(const Call& call) { return transfer_one(call, offset_of(call), Direction::Out); }

s64 read_vector_at(const Call& call) {
    return transfer_vector(call, offset_of(call), Direction::In);
}

s64 write_vector_at(const Call& call) {
    return transfer_vector(call, offset_of(call), Direction::Out);
}

s64 seek(const Call& call) {
    const Held held{call.word[0]};
    if (!held) {
        return -EBADF;
    }
    return held->kind().seek(*held, static_cast<s64>(call.word[1]), call.word[2]);
}

s64 advise_descriptor(const Call& call) {
    constexpr u64 kKindsOfAdvice = 6;
    const Held held{call.word[0]};
    if (!held) {
        return -EBADF;
    }
    if (!held->kind().can_seek()) {
        return -ESPIPE;
    }
    return static_cast<s64>(call.word[2]) >= 0 && call.word[3] < kKindsOfAdvice ? 0 : -EINVAL;
}

s64 control_device(const Call& call) {
    const Held held{call.word[0]};
    if (!held) {
        return -EBADF;
    }
    return held->kind().control(*held, call.word[1] & 0xFFFF'FFFF, call.word[2]);
}

s64 status_of_descriptor(const Call& call) {
    const Held held{call.word[0]};
    if (!held) {
        return -EBADF;
    }
    FileStatus status{};
    const s64 result = held->kind().tell_status(*held, status);
    if (result == 0) {
        *pointer<FileStatus>(call.word[1]) = status;
    }
    return result;
}

s64 truncate_descriptor(const Call& call) {
    const Held held{call.word[0]};
    if (!held) {
        return -EBADF;
    }
    const auto size = static_cast<s64>(call.word[1]);
    if (size < 0 || !held->is_writable()) {
        return -EINVAL;
    }
    return held->kind().truncate(*held, size);
}

s64 synchronise_descriptor(const Call& call) {
    const Held held{call.word[0]};
    return held ? held->kind().synchronise(*held) : -EBADF;
}

s64 close(const Call& call) { return close_descriptor(call.word[0]); }

s64 duplicate(const Call& call) { return duplicate_from(call.word[0], 0, 0); }

s64 duplicate_to(const Call& call) {
    const auto flags = static_cast<u32>(call.word[2]);
    if ((flags & ~open_flag::kCloseOnExec) != 0 || call.word[0] == call.word[1]) {
        return -EINVAL;
    }
    Description* const description = take_hold(call.word[0]);
    if (description == nullptr) {
        return -EBADF;
    }
    const s64 number = replace_descriptor(*description, call.word[1], flags);
    if (number < 0) {
        let_go(*description);
    }
    return number;
}

s64 control_descriptor(const Call& call) {
    const u64 descriptor = call.word[0];
    switch (call.word[1] & 0xFFFF'FFFF) {
    case kDuplicate:
        return duplicate_from(descriptor, call.word[2], 0);
    case kDuplicateCloseOnExec:
        return duplicate_from(descriptor, call.word[2], open_flag::kCloseOnExec);
    case kGetNumberFlags: {
        const s64 flags = descriptor_flags(descriptor);
        return flags > 0 ? kCloseOnExecNumber : flags;
    }
    case kSetNumberFlags:
        return set_descriptor_flags(
            descriptor, (call.word[2] & kCloseOnExecNumber) != 0 ? open_flag::kCloseOnExec : 0);
    case kGetFlags: {
        const Held held{descriptor};
        return held ? s64{held->flags()} : -EBADF;
    }
    case kSetFlags: {
        const Held held{descriptor};
        if (!held) {
            return -EBADF;
        }
        const u32 flags =
            (held->flags() & kFixedFlags) | (static_cast<u32>(call.word[2]) & ~kFixedFlags);
        const s64 result = held->kind().change_flags(*held, flags);
        if (result == 0) {
            held->set_flags(flags);
        }
        return result;
    }
    case kTestLock:
    case kSetLock:
    case kWaitForLock:
        return lock_file(call);
    default:
        return descriptor_flags(descriptor) < 0 ? -EBADF : -EINVAL;
    }
}

s64 resource_limits(const Call& call) {
    const u64 resource = call.word[1] & 0xFFFF'FFFF;
    if (resource >= kLimits) {
        return -EINVAL;
    }
    if (call.word[2] != 0) {
        return -EPERM;
    }
    if (call.word[3] != 0) {
        const u64 limit = resource == kDescriptorLimit ? kMaxDescriptors
                          : resource == kStackLimit    ? kMainStackBytes
                                                       : kNoLimit;
        auto* const pair = pointer<u64>(call.word[3]);
        pair[0] = limit;
        pair[1] = limit;
    }
    return 0;
}

}  // namespace sdk::posix
