// SPDX-License-Identifier: Apache-2.0
// kl.VfsFilesystem over the Vfs: who asks, and what of the answer fits a message. A process is
// known by its SID, which the kernel puts into the badge of its requests.
#pragma once

#include <services/vfs/no_network.hpp>
#include <services/vfs/vfs.hpp>
#include <tessera/Event.server.hpp>

namespace svc::vfs {

/// What the service needs of the kernel.
class Memory {
public:
    /// The memory that a client handed over; the handle is used up, whatever comes of it.
    /// Errors: Invalid (no memory object, or not of this size), NoMemory.
    virtual Result<std::span<u8>> map(u32 handle, u64 size) = 0;
    virtual void unmap(std::span<u8> memory) = 0;

    /// A handle for the client whose last copy's end is told to Service::Notify with `sid` as the
    /// badge. Errors: TableFull.
    virtual Result<abi::HandleDescriptor> make_session(u64 sid) = 0;
    virtual void end_session(u64 sid) = 0;

protected:
    ~Memory() = default;
};

/// Makes file systems for Mount. Errors: NotPermitted, NoDevice, and those of mounting.
class Kinds {
public:
    virtual Result<FileSystem*>
    make(std::string_view kind, std::string_view device, std::string_view options, u64 flags) = 0;
    virtual void give_back(FileSystem& files) = 0;

protected:
    ~Kinds() = default;
};

class Service final : public NoNetwork, public tessera::Event::Server {
public:
    Service(Vfs& vfs, Memory& memory, Kinds& kinds) : vfs_(vfs), memory_(memory), kinds_(kinds) {}

    /// A client's session handle is gone.
    idl::Outcome<tessera::Event::Notify_Results>
    Notify(const idl::Caller& caller, const tessera::Event::Notify_Arguments& in) override;

    /// Mounts a line of an fstab: device, target, kind, options. Errors: Invalid, those of Mount.
    Result<void> mount_line(std::string_view line);

#define METHOD(name)                                                                               \
    idl::Outcome<name##_Results> name(const idl::Caller& caller, const name##_Arguments& in)       \
        override
    METHOD(Attach);
    METHOD(Mount);
    METHOD(Unmount);
    METHOD(GetMounts);
    METHOD(StatFs);
    METHOD(Sync);
    METHOD(OpenAt);
    METHOD(Close);
    METHOD(Read);
    METHOD(PRead);
    METHOD(Write);
    METHOD(PWrite);
    METHOD(Seek);
    METHOD(SetFlags);
    METHOD(FSync);
    METHOD(FTruncate);
    METHOD(Allocate);
    METHOD(LockRange);
    METHOD(ReadDir);
    METHOD(MakeDirAt);
    METHOD(UnlinkAt);
    METHOD(LinkAt);
    METHOD(RenameAt);
    METHOD(SymLinkAt);
    METHOD(ReadLinkAt);
    METHOD(StatAt);
    METHOD(AccessAt);
    METHOD(ChangeModeAt);
    METHOD(ChangeOwnerAt);
    METHOD(SetTimesAt);
    METHOD(ChangeDir);
    METHOD(ChangeRoot);
    METHOD(GetCwd);
    METHOD(UMask);
#undef METHOD

private:
    Result<void> attach(u64 sid, const Attach_Arguments& in, abi::HandleDescriptor& session);
    Result<void> mount(std::string_view device,
                       std::string_view target,
                       std::string_view kind,
                       std::string_view options,
                       u64 flags);

    Vfs& vfs_;
    Memory& memory_;
    Kinds& kinds_;
    char text_[kl::VfsFilesystem::MaxPath];  ///< of the answer that is being made
};

}  // namespace svc::vfs
