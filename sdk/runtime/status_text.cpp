// SPDX-License-Identifier: Apache-2.0
#include <runtime/status_text.hpp>

namespace sdk {

std::string_view name_of(base::Status status) {
    using base::Status;
    switch (status) {
    case Status::Ok:
        return "Ok";
    case Status::Fail:
        return "Fail";
    case Status::InvalidArgument:
        return "InvalidArgument";
    case Status::NotConnected:
        return "NotConnected";
    case Status::OutOfMemory:
        return "OutOfMemory";
    case Status::BufferTooSmall:
        return "BufferTooSmall";
    case Status::BufferTooLarge:
        return "BufferTooLarge";
    case Status::InternalError:
        return "InternalError";
    case Status::SourceFault:
        return "SourceFault";
    case Status::TargetFault:
        return "TargetFault";
    case Status::IpcInterrupt:
        return "IpcInterrupt";
    case Status::BadHandle:
        return "BadHandle";
    case Status::WrongType:
        return "WrongType";
    case Status::NoCapability:
        return "NoCapability";
    case Status::NotReady:
        return "NotReady";
    case Status::Unimplemented:
        return "Unimplemented";
    case Status::Busy:
        return "Busy";
    case Status::ResourceNotFound:
        return "ResourceNotFound";
    case Status::Timeout:
        return "Timeout";
    case Status::SecurityDisallow:
        return "SecurityDisallow";
    case Status::AlreadyExists:
        return "AlreadyExists";
    case Status::Deadlock:
        return "Deadlock";
    case Status::StaleToken:
        return "StaleToken";
    case Status::HandleRevoked:
        return "HandleRevoked";
    case Status::BadCall:
        return "BadCall";
    }
    return "unknown";
}

}  // namespace sdk
