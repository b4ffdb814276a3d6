// SPDX-License-Identifier: Apache-2.0
#include <rtl/retcode.h>
#include <sdk/compat/status.hpp>

namespace sdk::compat {

namespace {

constexpr bool is(abi::Status status, Retcode rc) { return static_cast<Retcode>(status) == rc; }

}  // namespace

static_assert(
    is(abi::Status::Ok, rcOk) && is(abi::Status::Fail, rcFail) &&
    is(abi::Status::InvalidArgument, rcInvalidArgument) &&
    is(abi::Status::NotConnected, rcNotConnected) && is(abi::Status::OutOfMemory, rcOutOfMemory) &&
    is(abi::Status::BufferTooSmall, rcBufferTooSmall) &&
    is(abi::Status::BufferTooLarge, rcBufferTooLarge) &&
    is(abi::Status::InternalError, rcInternalError) &&
    is(abi::Status::SourceFault, rcSourceFault) && is(abi::Status::TargetFault, rcTargetFault) &&
    is(abi::Status::IpcInterrupt, rcIpcInterrupt) &&
    is(abi::Status::NoCapability, rcNoCapability) && is(abi::Status::NotReady, rcNotReady) &&
    is(abi::Status::Unimplemented, rcUnimplemented) && is(abi::Status::Busy, rcBusy) &&
    is(abi::Status::ResourceNotFound, rcResourceNotFound) && is(abi::Status::Timeout, rcTimeout) &&
    is(abi::Status::SecurityDisallow, rcSecurityDisallow) &&
    is(abi::Status::AlreadyExists, rcAlreadyExists) &&
    is(abi::Status::HandleRevoked, rcHandleRevoked));

nk_err_t error_of(abi::Status status) {
    switch (status) {
    case abi::Status::Ok:
        return NK_EOK;
    case abi::Status::SecurityDisallow:
        return NK_EPERM;
    case abi::Status::NotConnected:
    case abi::Status::HandleRevoked:
        return NK_ENOTCONN;
    case abi::Status::Timeout:
    case abi::Status::Busy:
    case abi::Status::Deadlock:
    case abi::Status::IpcInterrupt:
        return NK_EAGAIN;
    case abi::Status::OutOfMemory:
    case abi::Status::BufferTooSmall:
        return NK_ENOMEM;
    case abi::Status::StaleToken:
        return NK_ENOMSG;
    case abi::Status::ResourceNotFound:
    case abi::Status::Unimplemented:
        return NK_ENOENT;
    case abi::Status::BadHandle:
    case abi::Status::WrongType:
    case abi::Status::NoCapability:
    case abi::Status::InvalidArgument:
    case abi::Status::BufferTooLarge:
    case abi::Status::SourceFault:
        return NK_EINVAL;
    default:
        return NK_EBADMSG;
    }
}

Retcode retcode_of(abi::Status status) {
    return status == abi::Status::BadHandle || status == abi::Status::WrongType
               ? rcInvalidArgument
               : static_cast<Retcode>(status);
}

}  // namespace sdk::compat
