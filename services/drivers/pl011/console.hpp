// SPDX-License-Identifier: Apache-2.0
// The interface drivers.Console over a PL011. A Read is answered when something was typed: its
// token is kept until then. There is one waiting reader; a newer Read ends an older one, so a
// reader that died and came back is not kept out by its former life. What was typed is taken only
// when the answer went out.
#pragma once

#include <drivers/Console.server.hpp>
#include <services/drivers/pl011/device.hpp>
#include <tessera/Irq.server.hpp>

namespace svc::pl011 {

template <sdk::driver::RegisterBus Bus>
class ConsoleService final : public drivers::Console::Server, public tessera::Irq::Server {
public:
    explicit ConsoleService(Device<Bus>& device) : device_(device) {}

    idl::Outcome<drivers::Console::Write_Results>
    Write(const idl::Caller& caller, const drivers::Console::Write_Arguments& in) override {
        (void)caller;
        return drivers::Console::Write_Results{.rc = send(in.text.data(), in.text.size())};
    }

    idl::Outcome<drivers::Console::Put_Results>
    Put(const idl::Caller& caller, const drivers::Console::Put_Arguments& in) override {
        (void)caller;
        if (in.count > drivers::Console::MaxShort) {
            return drivers::Console::Put_Results{.rc = code_of(base::Status::InvalidArgument)};
        }
        return drivers::Console::Put_Results{.rc = send(&in.data[0], in.count)};
    }

    idl::Outcome<drivers::Console::Read_Results>
    Read(const idl::Caller& caller, const drivers::Console::Read_Arguments& in) override {
        (void)in;
        end_waiting_read();
        if (device_.received_count() > 0) {
            drivers::Console::Read_Results results{};
            fill(results);
            device_.take(results.count);
            return results;
        }
        reader_ = caller.deferral();
        is_waiting_ = true;
        return idl::deferred;
    }

    /// Serves the interrupt; the line is enabled again when the answer is out.
    idl::Outcome<tessera::Irq::Raised_Results>
    Raised(const idl::Caller& caller, const tessera::Irq::Raised_Arguments& in) override {
        (void)caller;
        (void)in;
        device_.on_interrupt();
        answer_reader();
        return tessera::Irq::Raised_Results{};
    }

    /// Gives the waiting reader what there is. A reader that is gone loses nothing: the next one
    /// gets it.
    void answer_reader() {
        if (!is_waiting_ || device_.received_count() == 0) {
            return;
        }
        is_waiting_ = false;
        drivers::Console::Read_Results results{};
        fill(results);
        if (drivers::Console::Server::Read_reply(reader_, results) == base::Status::Ok) {
            device_.take(results.count);
        }
    }

private:
    static base::s32 code_of(base::Status status) { return static_cast<base::s32>(status); }

    base::s32 send(const void* characters, std::size_t count) {
        const bool sent = device_.send({static_cast<const u8*>(characters), count});
        return code_of(sent ? base::Status::Ok : base::Status::Busy);
    }

    void fill(drivers::Console::Read_Results& results) {
        results.count = device_.peek(results.data);
    }

    void end_waiting_read() {
        if (is_waiting_) {
            is_waiting_ = false;
            (void)drivers::Console::Server::Read_reply(
                reader_, {.rc = code_of(base::Status::Busy), .count = 0, .data = {}});
        }
    }

    Device<Bus>& device_;
    idl::Deferred reader_{};
    bool is_waiting_ = false;
};

}  // namespace svc::pl011
