// SPDX-License-Identifier: Apache-2.0
// The server of kl.drivers.Block over any disks. A request's badge is the kernel's word for which
// session it belongs to, or which process a channel was made for; numbers of sessions are never
// used again, so what comes late (an event of a session that was closed) meets nobody. Everything
// in a request is a claim and is checked here.
//
// A session that ends has its waiting requests forgotten, and lives on without a client until those
// that the disk has begun are over: only then is its memory nobody's.
#pragma once

#include <kl/drivers/Block.server.hpp>
#include <services/block/sessions.hpp>
#include <tessera/Event.server.hpp>

namespace svc::block {

namespace api = kl::drivers::Block;

inline constexpr u32 kMaxSessions = 16;
inline constexpr u32 kSessionsPerClient = 8;
inline constexpr u32 kRequestsPerSession = 8;  ///< under way at once
inline constexpr u32 kMaxRequests = kMaxSessions * kRequestsPerSession;

class Server final : public api::Server, public tessera::Event::Server, public Completions {
public:
    /// `keep`: handle of memory that a dead driver's device may still write to; 0: none. `disks`
    /// stays in use.
    Server(Sessions& sessions, u32 keep) : sessions_(sessions), keep_(keep) {}

    /// Before anything is served. `alias`: another name for it, or none. `disk` and both names stay
    /// in use. False: there are too many.
    bool add(Disk& disk, std::string_view alias = {});

    idl::Outcome<api::Open_Results> Open(const idl::Caller& caller,
                                         const api::Open_Arguments& in) override;
    idl::Outcome<api::Close_Results> Close(const idl::Caller& caller,
                                           const api::Close_Arguments& in) override;
    idl::Outcome<api::GetInfo_Results> GetInfo(const idl::Caller& caller,
                                               const api::GetInfo_Arguments& in) override;
    idl::Outcome<api::Read_Results> Read(const idl::Caller& caller,
                                         const api::Read_Arguments& in) override;
    idl::Outcome<api::Write_Results> Write(const idl::Caller& caller,
                                           const api::Write_Arguments& in) override;
    idl::Outcome<api::Flush_Results> Flush(const idl::Caller& caller,
                                           const api::Flush_Arguments& in) override;
    idl::Outcome<api::Enumerate_Results> Enumerate(const idl::Caller& caller,
                                                   const api::Enumerate_Arguments& in) override;

    /// The last handle to a session was closed.
    idl::Outcome<tessera::Event::Notify_Results>
    Notify(const idl::Caller& caller, const tessera::Event::Notify_Arguments& in) override;

    void done(u32 number, Outcome outcome) override;

    [[nodiscard]] u32 session_count() const;

private:
    static constexpr u32 kMaxDisks = 8;

    struct Entry {
        Disk* disk = nullptr;
        std::string_view alias{};
    };

    struct Client {
        u64 number = 0;  // 0: free
        u64 owner = 0;   // SID of the process that opened it
        Disk* disk = nullptr;
        Session session{};
        u32 requests = 0;
        bool is_ending = false;
    };

    enum class State : u8 { Free, Waiting, Begun };

    struct Request {
        State state = State::Free;
        Client* client = nullptr;
        idl::Deferred call{};
        Transfer transfer{};
        u64 order = 0;  // waiting ones begin in the order in which they came
    };

    /// How a request was received; Ok: it is answered later.
    struct Admission {
        base::Status status = base::Status::Ok;
        bool is_later = false;
    };

    [[nodiscard]] Disk* find_disk(std::string_view name) const;
    [[nodiscard]] Client* find_client(u64 badge);
    [[nodiscard]] Client* find_free_client(u64 owner);
    [[nodiscard]] Request* find_free_request();
    Admission admit_data(const idl::Caller& caller, Transfer transfer, u32 count, u32 offset);
    Admission admit(const idl::Caller& caller, Client& client, const Transfer& transfer);
    void begin_waiting(const Disk& disk);
    void answer(const Request& request, base::Status status);
    void finish(Request& request, base::Status status);
    void end(Client& client);
    void release_if_idle(Client& client);

    Sessions& sessions_;
    u32 keep_;
    u32 disk_count_ = 0;
    u64 last_number_ = kSessionBit;
    u64 last_order_ = 0;
    Entry disks_[kMaxDisks]{};
    Client clients_[kMaxSessions]{};
    Request requests_[kMaxRequests]{};
};

}  // namespace svc::block
