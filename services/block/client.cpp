// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstring>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Handle.client.hpp>
#include <kl/core/VMM.client.hpp>
#include <runtime/ipc.hpp>
#include <runtime/time.hpp>
#include <services/block/client.hpp>
#include <utility>

namespace svc::block {

namespace {

using base::Status;
using storage::Error;
using storage::Result;

namespace api = kl::drivers::Block;
namespace endpoint = kl::core::Core::endpoint;

constexpr u64 kPauseMs = 10;

kl::core::VMM::Proxy vmm() { return {sdk::kKernelHandle, endpoint::vmm_VMM}; }

void close_handle(u32 handle) {
    if (handle != 0) {
        kl::core::Handle::Proxy handles{sdk::kKernelHandle, endpoint::handle_Handle};
        (void)handles.Close(handle);
    }
}

/// The session's maker is dead, or in a new life, which knows no session of this client.
bool is_over(Status status) {
    return status == Status::NotConnected || status == Status::BadHandle ||
           status == Status::HandleRevoked || status == Status::StaleToken;
}

}  // namespace

Result<void> Client::open() {
    TRY(reopen());
    reopened_ = 0;
    return {};
}

void Client::close() {
    is_lost_ = true;
    if (session_.handle == 0) {
        return;
    }
    // Unmapped before the driver takes it back: afterwards the place may be somebody else's.
    const u32 handle = std::exchange(session_.handle, 0);
    release(session_);
    api::Proxy session{handle, options_.endpoint};
    (void)session.until(sdk::now_ticks() + sdk::ticks_of_ms(options_.answer_ms)).Close();
    close_handle(handle);
}

bool Client::is_inside(u64 first, u64 bytes) const {
    return bytes > 0 && bytes % sector_bytes_ == 0 && first < sectors_ &&
           bytes / sector_bytes_ <= sectors_ - first;
}

Result<void> Client::read(u64 first, std::span<u8> data) {
    if (!is_inside(first, data.size())) {
        return Error::Invalid;
    }
    while (!data.empty()) {
        const std::size_t size = data.size() < kMostBytes ? data.size() : kMostBytes;
        TRY(perform({.operation = Operation::Read, .sector = first, .in = data.first(size)}));
        data = data.subspan(size);
        first += size / sector_bytes_;
    }
    return {};
}

Result<void> Client::write(u64 first, std::span<const u8> data) {
    if (!is_inside(first, data.size())) {
        return Error::Invalid;
    }
    if (is_read_only_) {
        return Error::ReadOnly;
    }
    while (!data.empty()) {
        const std::size_t size = data.size() < kMostBytes ? data.size() : kMostBytes;
        TRY(perform({.operation = Operation::Write, .sector = first, .out = data.first(size)}));
        data = data.subspan(size);
        first += size / sector_bytes_;
    }
    return {};
}

Result<void> Client::flush() { return perform({.operation = Operation::Flush}); }

Result<void> Client::perform(const Piece& piece) {
    const u64 limit = sdk::now_ticks() + sdk::ticks_of_ms(options_.patience_ms);
    while (true) {
        if (session_.handle == 0) {
            TRY(reopen());
        }
        const Status status = ask(piece);
        if (status == Status::Ok) {
            return {};
        }
        if (is_over(status)) {
            forget_session();
        } else if (status == Status::Timeout) {
            // The driver may still be at it, so neither buffer nor session are used again.
            forget_session();
            release(session_);
            return Error::Io;
        } else if (status == Status::Busy) {
            sdk::sleep_ms(kPauseMs);
        } else {
            return status == Status::NoCapability ? Error::ReadOnly : Error::Io;
        }
        if (sdk::now_ticks() >= limit) {
            return Error::Io;
        }
    }
}

Status Client::ask(const Piece& piece) {
    api::Proxy session{session_.handle, options_.endpoint};
    const u64 limit = sdk::now_ticks() + sdk::ticks_of_ms(options_.answer_ms);
    if (piece.operation == Operation::Flush) {
        return session.until(limit).Flush().status();
    }
    if (piece.operation == Operation::Write) {
        std::memcpy(session_.memory.data(), piece.out.data(), piece.out.size());
        const u32 count = static_cast<u32>(piece.out.size() / sector_bytes_);
        return session.until(limit).Write(piece.sector, count, 0).status();
    }
    const u32 count = static_cast<u32>(piece.in.size() / sector_bytes_);
    const Status status = session.until(limit).Read(piece.sector, count, 0).status();
    if (status == Status::Ok) {
        std::memcpy(piece.in.data(), session_.memory.data(), piece.in.size());
    }
    return status;
}

/// With the buffer of the life before, if there is one, in place until the new life has reset the
/// device, or nobody waits any more. A new life announces itself by one NotConnected.
Result<void> Client::reopen() {
    if (is_lost_) {
        return Error::Io;
    }
    const u64 patience_ms = is_away_ ? kPauseMs : options_.patience_ms;
    const u64 limit = sdk::now_ticks() + sdk::ticks_of_ms(patience_ms);
    Session next;
    Status status = try_open(next);
    while (is_over(status) && sdk::now_ticks() < limit) {
        sdk::sleep_ms(kPauseMs);
        status = try_open(next);
    }
    release(session_);
    is_away_ = status != Status::Ok;
    if (status == Status::Ok) {
        session_ = next;
        ++reopened_;
        return {};
    }
    const bool is_none = status == Status::ResourceNotFound || status == Status::SecurityDisallow;
    if (is_none && !is_known_) {
        return Error::NoDevice;
    }
    return status == Status::OutOfMemory ? Error::NoMemory : Error::Io;
}

Status Client::try_open(Session& session) {
    api::Proxy driver{options_.channel, options_.endpoint};
    const u64 limit = sdk::now_ticks() + sdk::ticks_of_ms(options_.answer_ms);
    const auto opened = driver.until(limit).Open(options_.disk);
    if (!opened.ok()) {
        return opened.status();
    }
    const auto& given = opened.value();
    session = {
        .handle = given.session.handle, .buffer = given.buffer.handle, .keep = given.keep.handle};
    const auto mapped =
        vmm().MdlMap(session.buffer, 0, kMostBytes, 0, kl::core::VMM::Read | kl::core::VMM::Write);
    Status status = mapped.status();
    if (mapped.ok()) {
        session.memory = {std::bit_cast<u8*>(mapped.value().at), kMostBytes};
        status = learn(session);
    }
    if (status != Status::Ok) {
        close_handle(std::exchange(session.handle, 0));
        release(session);
    }
    return status;
}

/// The first time takes what the disk says; later it must say the same.
Status Client::learn(const Session& session) {
    api::Proxy proxy{session.handle, options_.endpoint};
    const u64 limit = sdk::now_ticks() + sdk::ticks_of_ms(options_.answer_ms);
    const auto reply = proxy.until(limit).GetInfo();
    if (!reply.ok()) {
        return reply.status();
    }
    const auto& info = reply.value();
    if (!is_sector_size(info.sectorSize) || info.sectors == 0 ||
        info.sectors > ~u64{0} / info.sectorSize) {
        return Status::Fail;
    }
    if (is_known_ && (info.sectors != sectors_ || info.sectorSize != sector_bytes_ ||
                      info.serial != serial_ || info.flags != flags_)) {
        is_lost_ = true;
        return Status::Fail;
    }
    sectors_ = info.sectors;
    sector_bytes_ = info.sectorSize;
    flags_ = info.flags;
    serial_ = info.serial;
    is_read_only_ = (info.flags & api::ReadOnly) != 0;
    is_known_ = true;
    return Status::Ok;
}

void Client::forget_session() { close_handle(std::exchange(session_.handle, 0)); }

/// All but the session's handle.
void Client::release(Session& session) {
    if (!session.memory.empty()) {
        (void)vmm().Free(std::bit_cast<u64>(session.memory.data()), session.memory.size());
    }
    close_handle(session.buffer);
    close_handle(session.keep);
    session.buffer = 0;
    session.keep = 0;
    session.memory = {};
}

}  // namespace svc::block
