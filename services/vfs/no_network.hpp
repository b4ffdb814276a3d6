// SPDX-License-Identifier: Apache-2.0
// The socket half of kl.VfsFilesystem where there is no network: no such address family, and no
// file is a socket.
#pragma once

#include <kl/VfsFilesystem.server.hpp>

namespace svc::vfs {

class NoNetwork : public kl::VfsFilesystem::Server {
public:
    static constexpr base::s32 kNotImplemented = 38;  // ENOSYS
    static constexpr base::s32 kNotASocket = 88;      // ENOTSOCK
    static constexpr base::s32 kNoSuchFamily = 97;    // EAFNOSUPPORT
    static constexpr base::s32 kNoResolver = -4;      // EAI_FAIL

    idl::Outcome<Poll_Results> Poll(const idl::Caller&, const Poll_Arguments&) override {
        return Poll_Results{.status = kNotImplemented};
    }

    idl::Outcome<Select_Results> Select(const idl::Caller&, const Select_Arguments&) override {
        return Select_Results{.status = kNotImplemented};
    }

    idl::Outcome<Socket_Results> Socket(const idl::Caller&, const Socket_Arguments&) override {
        return Socket_Results{.status = kNoSuchFamily};
    }

    idl::Outcome<SocketPair_Results> SocketPair(const idl::Caller&,
                                                const SocketPair_Arguments&) override {
        return SocketPair_Results{.status = kNoSuchFamily};
    }

    idl::Outcome<Bind_Results> Bind(const idl::Caller&, const Bind_Arguments&) override {
        return Bind_Results{.status = kNotASocket};
    }

    idl::Outcome<Listen_Results> Listen(const idl::Caller&, const Listen_Arguments&) override {
        return Listen_Results{.status = kNotASocket};
    }

    idl::Outcome<Accept_Results> Accept(const idl::Caller&, const Accept_Arguments&) override {
        return Accept_Results{.status = kNotASocket};
    }

    idl::Outcome<Connect_Results> Connect(const idl::Caller&, const Connect_Arguments&) override {
        return Connect_Results{.status = kNotASocket};
    }

    idl::Outcome<Shutdown_Results> Shutdown(const idl::Caller&,
                                            const Shutdown_Arguments&) override {
        return Shutdown_Results{.status = kNotASocket};
    }

    idl::Outcome<Send_Results> Send(const idl::Caller&, const Send_Arguments&) override {
        return Send_Results{.status = kNotASocket};
    }

    idl::Outcome<SendTo_Results> SendTo(const idl::Caller&, const SendTo_Arguments&) override {
        return SendTo_Results{.status = kNotASocket};
    }

    idl::Outcome<Recv_Results> Recv(const idl::Caller&, const Recv_Arguments&) override {
        return Recv_Results{.status = kNotASocket};
    }

    idl::Outcome<RecvFrom_Results> RecvFrom(const idl::Caller&,
                                            const RecvFrom_Arguments&) override {
        return RecvFrom_Results{.status = kNotASocket};
    }

    idl::Outcome<GetSockOpt_Results> GetSockOpt(const idl::Caller&,
                                                const GetSockOpt_Arguments&) override {
        return GetSockOpt_Results{.status = kNotASocket};
    }

    idl::Outcome<SetSockOpt_Results> SetSockOpt(const idl::Caller&,
                                                const SetSockOpt_Arguments&) override {
        return SetSockOpt_Results{.status = kNotASocket};
    }

    idl::Outcome<GetSockName_Results> GetSockName(const idl::Caller&,
                                                  const GetSockName_Arguments&) override {
        return GetSockName_Results{.status = kNotASocket};
    }

    idl::Outcome<GetPeerName_Results> GetPeerName(const idl::Caller&,
                                                  const GetPeerName_Arguments&) override {
        return GetPeerName_Results{.status = kNotASocket};
    }

    idl::Outcome<GetAddrInfo_Results> GetAddrInfo(const idl::Caller&,
                                                  const GetAddrInfo_Arguments&) override {
        return GetAddrInfo_Results{.status = kNoResolver};
    }

    idl::Outcome<GetNameInfo_Results> GetNameInfo(const idl::Caller&,
                                                  const GetNameInfo_Arguments&) override {
        return GetNameInfo_Results{.status = kNoResolver};
    }

protected:
    ~NoNetwork() = default;
};

}  // namespace svc::vfs
