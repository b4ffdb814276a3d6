// SPDX-License-Identifier: Apache-2.0
// The interface drivers.Console over a PL011. A Read is answered when something was typed: its
// token is kept until then. There is one waiting reader; a newer Read ends an older one, so a
// reader that died and came back is not kept out by its former life. What was typed is taken only
// when the answer went out.
//
// A reader usually has a prompt on the last line. Who writes while it waits is somebody else: that
// text begins on a line of its own, and the reader is told so that it can show its prompt again.
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
        end_waiting_read(base::Status::Busy);
        if (device_.received_count() > 0) {
            drivers::Console::Read_Results results{};
            fill(results);
            device_.take(results.count);
            return results;
        }
        if (is_line_empty_ && was_written_) {
            was_written_ = false;
            return drivers::Console::Read_Results{};
        }
        was_written_ = false;
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
        is_interrupted_ = false;
        drivers::Console::Read_Results results{};
        fill(results);
        if (drivers::Console::Server::Read_reply(reader_, results) == base::Status::Ok) {
            device_.take(results.count);
        }
    }

private:
    static base::s32 code_of(base::Status status) { return static_cast<base::s32>(status); }

    base::s32 send(const void* text, std::size_t count) {
        static constexpr u8 kEnd[] = {'\r', '\n'};
        const std::span<const u8> characters{static_cast<const u8*>(text), count};
        if (count == 0) {
            return code_of(base::Status::Ok);
        }
        const bool interrupts = is_waiting_ && !is_interrupted_ && !is_line_empty_;
        const std::size_t extra = interrupts ? sizeof(kEnd) : 0;
        if (!device_.can_send(static_cast<u32>(count + extra))) {
            return code_of(base::Status::Busy);
        }
        (void)device_.send(std::span{kEnd}.first(extra));
        (void)device_.send(characters);
        is_line_empty_ = characters.back() == '\n';
        was_written_ = true;
        is_interrupted_ = is_interrupted_ || is_waiting_;
        if (is_waiting_ && is_line_empty_) {
            end_waiting_read(base::Status::Ok);
        }
        return code_of(base::Status::Ok);
    }

    void fill(drivers::Console::Read_Results& results) {
        results.count = device_.peek(results.data);
    }

    /// Answers the waiting reader, if there is one, with nothing but `status`.
    void end_waiting_read(base::Status status) {
        is_interrupted_ = false;
        if (is_waiting_) {
            is_waiting_ = false;
            was_written_ = false;
            (void)drivers::Console::Server::Read_reply(
                reader_, {.rc = code_of(status), .count = 0, .data = {}});
        }
    }

    Device<Bus>& device_;
    idl::Deferred reader_{};
    bool is_waiting_ = false;
    bool is_line_empty_ = true;    // the last character sent ended a line
    bool was_written_ = false;     // since a Read was begun or answered with nothing
    bool is_interrupted_ = false;  // others write while a Read waits, and are amid a line
};

}  // namespace svc::pl011
