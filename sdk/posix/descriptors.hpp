// SPDX-License-Identifier: Apache-2.0
// Descriptors: small numbers that lead to open file descriptions, several perhaps to one. What a
// description does is a matter of its kind. A new kind is
//
//   class FileKind final : public Kind { ... the operations that it has ... };
//   constinit const FileKind file_kind;
//
// and something that opens one:
//
//   return open_descriptor(file_kind, flags, object);
//
// Kinds have no state and exist once; a description has `object` and `position` for them. All is in
// fixed pools, since nothing here may allocate through musl. Every operation is given a description
// that is held by the caller, so that it stays whole when another thread closes its last number;
// Kind::close is called when the last holder has let go. No lock is held during an operation.
#pragma once

#include <sdk/posix/lock.hpp>

namespace sdk::posix {

inline constexpr u32 kMaxDescriptors = 256;

// As in musl's fcntl.h.
namespace open_flag {
inline constexpr u32 kAccess = 3;  ///< mask of the three that follow
inline constexpr u32 kReadOnly = 0;
inline constexpr u32 kWriteOnly = 1;
inline constexpr u32 kReadWrite = 2;
inline constexpr u32 kCreate = 0x40;
inline constexpr u32 kExclusive = 0x80;
inline constexpr u32 kTruncate = 0x200;
inline constexpr u32 kAppend = 0x400;
inline constexpr u32 kNonBlocking = 0x800;
inline constexpr u32 kDirectory = 0x4000;
inline constexpr u32 kCloseOnExec = 0x8'0000;
inline constexpr u32 kPath = 0x20'0000;
}  // namespace open_flag

// As in musl's poll.h.
namespace poll_flag {
inline constexpr u32 kIn = 1;
inline constexpr u32 kPriority = 2;
inline constexpr u32 kOut = 4;
inline constexpr u32 kError = 8;
inline constexpr u32 kHangUp = 0x10;
inline constexpr u32 kInvalid = 0x20;
inline constexpr u32 kReadNormal = 0x40;
inline constexpr u32 kWriteNormal = 0x100;
}  // namespace poll_flag

/// As musl lays it out (struct iovec).
struct Part {
    char* data;
    u64 size;
};

/// What is read or written, in parts, in one operation.
struct Transfer {
    /// Where: at and with the description's own position.
    static constexpr s64 kOwnPosition = -1;

    const Part* parts;
    u64 count;
    u64 total;  ///< bytes of all parts
    s64 offset;
    const volatile s32* cancelled;  ///< for waits, as in Call
};

/// What mmap asks for, in whole pages.
struct Mapping {
    u64 address;  ///< where, in place of what is there; 0: anywhere
    u64 size;
    u64 access;  ///< flags of kl.core.VMM; never 0
    u64 offset;
};

/// As musl lays it out for AArch64 (struct stat).
struct FileStatus {
    u64 device;
    u64 inode;
    u32 mode;
    u32 links;
    u32 user;
    u32 group;
    u64 special_device;
    u64 unused;
    s64 size;
    s32 block_size;
    u32 unused_word;
    s64 blocks;  ///< of 512 bytes
    Timespec accessed;
    Timespec modified;
    Timespec changed;
    u64 reserved;
};

static_assert(sizeof(FileStatus) == 128);

// As in musl's sys/stat.h.
namespace mode {
inline constexpr u32 kPipe = 0010000;
inline constexpr u32 kCharacters = 0020000;
inline constexpr u32 kDirectory = 0040000;
inline constexpr u32 kBlocks = 0060000;
inline constexpr u32 kRegular = 0100000;
inline constexpr u32 kSocket = 0140000;
}  // namespace mode

class Description;

/// The operations on one kind of description. Each gives its result or a negative errno; what a
/// kind does not define is refused with the errno that is named.
class Kind {
public:
    /// Bytes read, 0 at the end; at `offset` only if can_seek(). The description is open for
    /// reading. -EINVAL.
    virtual s64 read(Description& description, const Transfer& transfer) const;
    /// Bytes written. The description is open for writing. -EINVAL.
    virtual s64 write(Description& description, const Transfer& transfer) const;
    /// Whether seek, and read and write at an offset, make sense. No.
    virtual bool can_seek() const;
    /// The new position; `whence` is SEEK_SET, SEEK_CUR, SEEK_END = 0, 1, 2. -ESPIPE.
    virtual s64 seek(Description& description, s64 offset, u64 whence) const;
    /// ioctl. -ENOTTY.
    virtual s64 control(Description& description, u64 request, u64 argument) const;
    /// `status` is all zeros before. -EBADF.
    virtual s64 tell_status(Description& description, FileStatus& status) const;
    /// The description is open for writing, and `size` not negative. -EINVAL.
    virtual s64 truncate(Description& description, s64 size) const;
    /// fsync and fdatasync. -EINVAL.
    virtual s64 synchronise(Description& description) const;
    /// fcntl(F_SETFL) has come to these flags. The kind need not mind.
    virtual s64 change_flags(Description& description, u32 flags) const;
    /// mmap with MAP_SHARED: the address. The access was checked. -ENODEV.
    virtual s64 map(Description& description, const Mapping& mapping) const;
    /// The poll_flags that hold now. When they change, the kind calls signal_readiness(). In and
    /// out.
    virtual u32 readiness(Description& description) const;
    /// The last holder has let go; `object` is the kind's to give back.
    virtual void close(Description& description) const;

protected:
    constexpr Kind() = default;
    ~Kind() = default;  // never through this class
};

/// An open file description.
class Description final {
public:
    const Kind& kind() const { return *kind_; }

    /// The flags it was opened with, as fcntl has changed them.
    u32 flags() const { return __atomic_load_n(&flags_, __ATOMIC_RELAXED); }

    void set_flags(u32 flags) { __atomic_store_n(&flags_, flags, __ATOMIC_RELAXED); }

    bool is_readable() const;
    bool is_writable() const;

    bool is_non_blocking() const { return (flags() & open_flag::kNonBlocking) != 0; }

    // For the kind. `object` is set before anybody else sees the description, and stays.
    u64 object = 0;
    s64 position = 0;
    Lock lock;  ///< for the position; free to use or not

private:
    friend class Table;
    const Kind* kind_ = nullptr;  // null: free
    u32 references_ = 0;
    u32 flags_ = 0;
};

/// One more holder of a description as long as it lives.
class Held final {
public:
    /// The description behind a number, null if there is none.
    explicit Held(u64 descriptor);
    ~Held();
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    explicit operator bool() const { return description_ != nullptr; }

    Description& operator*() const { return *description_; }

    Description* operator->() const { return description_; }

private:
    Description* description_;
};

/// The description behind a number with one more hold, which is let_go()'s to end; null: none.
Description* take_hold(u64 descriptor);
/// A description without a number, held by the caller; null: there are kMaxDescriptors (ENFILE).
Description* create_description(const Kind& kind, u32 flags, u64 object);
/// One holder less; the last one closes it.
void let_go(Description& description);
/// The lowest free number from `lowest` on, or -EMFILE, or -EINVAL (no such number can be). The
/// caller's hold passes to the number; if there is none, the caller keeps it.
/// `flags` counts only for kCloseOnExec.
s64 install_descriptor(Description& description, u64 lowest, u32 flags);
/// Both; if it fails, nothing is left and `object` was not closed.
s64 open_descriptor(const Kind& kind, u32 flags, u64 object);
/// As install_descriptor, for this number in place of whatever it was. -EBADF: no such number can
/// be.
s64 replace_descriptor(Description& description, u64 descriptor, u32 flags);
/// As close(). -EBADF.
s64 close_descriptor(u64 descriptor);
/// kCloseOnExec or 0, or -EBADF.
s64 descriptor_flags(u64 descriptor);
s64 set_descriptor_flags(u64 descriptor, u32 flags);

/// Unmaps [begin, end), whole pages.
s64 unmap_pages(u64 begin, u64 end);

/// Something that readiness() tells has changed, of any description.
void signal_readiness();
/// What poll and select wait for.
Event& readiness_event();

}  // namespace sdk::posix
