// SPDX-License-Identifier: Apache-2.0
#include <kernel/abi/rights.hpp>
#include <services/block/server.hpp>

namespace svc::block {

namespace {

using base::Status;

constexpr s32 code_of(Status status) { return static_cast<s32>(status); }

constexpr Status status_of(Outcome outcome) {
    return outcome == Outcome::Good ? Status::Ok : Status::Fail;
}

/// Whether [first, first + count) lies below `end`.
constexpr bool is_inside(u64 first, u64 count, u64 end) {
    return count > 0 && first < end && count <= end - first;
}

}  // namespace

bool Server::add(Disk& disk, std::string_view alias) {
    if (disk_count_ == kMaxDisks) {
        return false;
    }
    disks_[disk_count_++] = {.disk = &disk, .alias = alias};
    return true;
}

Disk* Server::find_disk(std::string_view name) const {
    for (const Entry& entry : std::span{disks_}.first(disk_count_)) {
        if (!name.empty() && (entry.disk->name() == name || entry.alias == name)) {
            return entry.disk;
        }
    }
    return nullptr;
}

Server::Client* Server::find_client(u64 badge) {
    for (Client& client : clients_) {
        if ((badge & kSessionBit) != 0 && client.number == badge && !client.is_ending) {
            return &client;
        }
    }
    return nullptr;
}

/// Null: there are as many as there can be, or the owner has as many as one may have.
Server::Client* Server::find_free_client(u64 owner) {
    Client* free = nullptr;
    u32 owned = 0;
    for (Client& client : clients_) {
        if (client.number == 0) {
            free = &client;
        } else {
            owned += client.owner == owner ? 1 : 0;
        }
    }
    return owned < kSessionsPerClient ? free : nullptr;
}

Server::Request* Server::find_free_request() {
    for (Request& request : requests_) {
        if (request.state == State::Free) {
            return &request;
        }
    }
    return nullptr;
}

u32 Server::session_count() const {
    u32 count = 0;
    for (const Client& client : clients_) {
        count += client.number != 0 ? 1 : 0;
    }
    return count;
}

/// Answers by itself: a client that did not get its handles will never close them.
idl::Outcome<api::Open_Results> Server::Open(const idl::Caller& caller,
                                             const api::Open_Arguments& in) {
    Disk* const disk = find_disk({in.disk.data(), in.disk.size()});
    if (disk == nullptr || !disk->works()) {
        return api::Open_Results{
            .rc = code_of(disk == nullptr ? Status::ResourceNotFound : Status::NotReady)};
    }
    Client* const client = find_free_client(caller.badge);
    if (client == nullptr) {
        return api::Open_Results{.rc = code_of(Status::OutOfMemory)};
    }
    const auto made = sessions_.make(++last_number_);
    if (!made.ok()) {
        return api::Open_Results{.rc = code_of(made.status())};
    }
    *client = {
        .number = last_number_, .owner = caller.badge, .disk = disk, .session = made.value()};
    const Session& session = client->session;
    namespace rights = abi::rights;
    const Status delivered = api::Server::Open_reply(
        caller.deferral(),
        {.session = {.handle = session.object, .rights = rights::kCall, .badge = session.badge},
         .buffer = {.handle = session.buffer, .rights = rights::kRead | rights::kWrite},
         .keep = {.handle = keep_, .rights = 0},
         .bufferSize = kBufferBytes});
    if (delivered != Status::Ok) {
        end(*client);
    }
    return idl::deferred;
}

idl::Outcome<api::Close_Results> Server::Close(const idl::Caller& caller,
                                               const api::Close_Arguments& in) {
    (void)in;
    Client* const client = find_client(caller.badge);
    if (client == nullptr) {
        return api::Close_Results{.rc = code_of(Status::BadHandle)};
    }
    end(*client);
    return api::Close_Results{};
}

idl::Outcome<api::GetInfo_Results> Server::GetInfo(const idl::Caller& caller,
                                                   const api::GetInfo_Arguments& in) {
    (void)in;
    const Client* const client = find_client(caller.badge);
    if (client == nullptr) {
        return api::GetInfo_Results{.rc = code_of(Status::BadHandle)};
    }
    const Geometry& geometry = client->disk->geometry();
    return api::GetInfo_Results{.sectors = geometry.sectors,
                                .sectorSize = geometry.sector_bytes,
                                .flags = (geometry.is_read_only ? api::ReadOnly : 0) |
                                         (geometry.has_cache ? api::WriteCache : 0),
                                .serial = geometry.serial};
}

idl::Outcome<api::Read_Results> Server::Read(const idl::Caller& caller,
                                             const api::Read_Arguments& in) {
    const Admission admission = admit_data(
        caller, {.operation = Operation::Read, .sector = in.sector}, in.count, in.offset);
    if (admission.is_later) {
        return idl::deferred;
    }
    return api::Read_Results{.rc = code_of(admission.status)};
}

idl::Outcome<api::Write_Results> Server::Write(const idl::Caller& caller,
                                               const api::Write_Arguments& in) {
    const Admission admission = admit_data(
        caller, {.operation = Operation::Write, .sector = in.sector}, in.count, in.offset);
    if (admission.is_later) {
        return idl::deferred;
    }
    return api::Write_Results{.rc = code_of(admission.status)};
}

idl::Outcome<api::Flush_Results> Server::Flush(const idl::Caller& caller,
                                               const api::Flush_Arguments& in) {
    (void)in;
    Client* const client = find_client(caller.badge);
    if (client == nullptr) {
        return api::Flush_Results{.rc = code_of(Status::BadHandle)};
    }
    const Admission admission = admit(caller, *client, {.operation = Operation::Flush});
    if (admission.is_later) {
        return idl::deferred;
    }
    return api::Flush_Results{.rc = code_of(admission.status)};
}

idl::Outcome<api::Enumerate_Results> Server::Enumerate(const idl::Caller& caller,
                                                       const api::Enumerate_Arguments& in) {
    (void)caller;
    if (in.index >= disk_count_) {
        return api::Enumerate_Results{.rc = code_of(Status::ResourceNotFound)};
    }
    return api::Enumerate_Results{.disk = disks_[in.index].disk->name()};
}

idl::Outcome<tessera::Event::Notify_Results>
Server::Notify(const idl::Caller& caller, const tessera::Event::Notify_Arguments& in) {
    (void)in;
    if (Client* const client = find_client(caller.badge); client != nullptr) {
        end(*client);
    }
    return tessera::Event::Notify_Results{};
}

Server::Admission
Server::admit_data(const idl::Caller& caller, Transfer transfer, u32 count, u32 offset) {
    Client* const client = find_client(caller.badge);
    if (client == nullptr) {
        return {.status = Status::BadHandle};
    }
    const Geometry& geometry = client->disk->geometry();
    const u64 bytes = u64{count} * geometry.sector_bytes;
    const std::span<u8> buffer = client->session.memory;
    if (!is_inside(transfer.sector, count, geometry.sectors) || offset % kSectorUnit != 0 ||
        !is_inside(offset, bytes, buffer.size())) {
        return {.status = Status::InvalidArgument};
    }
    if (transfer.operation == Operation::Write && geometry.is_read_only) {
        return {.status = Status::NoCapability};
    }
    transfer.memory = buffer.subspan(offset, static_cast<std::size_t>(bytes));
    transfer.device_address = client->session.device_address + offset;
    return admit(caller, *client, transfer);
}

Server::Admission
Server::admit(const idl::Caller& caller, Client& client, const Transfer& transfer) {
    Request* const request = find_free_request();
    if (client.requests == kRequestsPerSession || request == nullptr) {
        return {.status = Status::Busy};
    }
    *request = {
        .client = &client, .call = caller.deferral(), .transfer = transfer, .order = ++last_order_};
    request->transfer.number = static_cast<u32>(request - requests_);
    const Begun begun = client.disk->begin(request->transfer);
    if (begun == Begun::Good || begun == Begun::Failed) {
        return {.status = begun == Begun::Good ? Status::Ok : Status::Fail};
    }
    request->state = begun == Begun::Later ? State::Begun : State::Waiting;
    ++client.requests;
    return {.is_later = true};
}

void Server::done(u32 number, Outcome outcome) {
    if (number >= kMaxRequests || requests_[number].state != State::Begun) {
        return;
    }
    Request& request = requests_[number];
    const Disk& disk = *request.client->disk;
    finish(request, status_of(outcome));
    begin_waiting(disk);
}

void Server::begin_waiting(const Disk& disk) {
    while (true) {
        Request* next = nullptr;
        for (Request& request : requests_) {
            if (request.state == State::Waiting && request.client->disk == &disk &&
                (next == nullptr || request.order < next->order)) {
                next = &request;
            }
        }
        if (next == nullptr) {
            return;
        }
        const Begun begun = next->client->disk->begin(next->transfer);
        if (begun == Begun::Full) {
            return;
        }
        if (begun == Begun::Later) {
            next->state = State::Begun;
        } else {
            finish(*next, begun == Begun::Good ? Status::Ok : Status::Fail);
        }
    }
}

/// A caller that is gone loses nothing.
void Server::answer(const Request& request, Status status) {
    const s32 rc = code_of(request.client->is_ending ? Status::Fail : status);
    switch (request.transfer.operation) {
    case Operation::Read:
        (void)api::Server::Read_reply(request.call, {.rc = rc});
        break;
    case Operation::Write:
        (void)api::Server::Write_reply(request.call, {.rc = rc});
        break;
    case Operation::Flush:
        (void)api::Server::Flush_reply(request.call, {.rc = rc});
        break;
    }
}

void Server::finish(Request& request, Status status) {
    answer(request, status);
    Client& client = *request.client;
    request = {};
    --client.requests;
    release_if_idle(client);
}

void Server::end(Client& client) {
    client.is_ending = true;
    for (Request& request : requests_) {
        if (request.client == &client && request.state == State::Waiting) {
            answer(request, Status::Fail);
            request = {};
            --client.requests;
        }
    }
    release_if_idle(client);
}

void Server::release_if_idle(Client& client) {
    if (!client.is_ending || client.requests > 0 || client.disk->is_stuck()) {
        return;  // with a stuck disk for ever
    }
    sessions_.end(client.session);
    client = {};
}

}  // namespace svc::block
