// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <drivers/Console.idl.hpp>
#include <fake_ipc.hpp>
#include <runtime/console.hpp>

namespace {

namespace console = drivers::Console;
using base::Status;
using base::u32;
using fake::Answer;
using fake::Sent;

bool is_method(const Sent& sent, console::Method method) {
    return sent.tag.method() == static_cast<base::u16>(method);
}

/// The characters of a Write or Put.
std::string text_of(const Sent& sent) {
    if (is_method(sent, console::Method::Put)) {
        const auto put = fake::fixed_of<console::Put_Request>(sent);
        return {put.data.begin(), put.data.begin() + put.count};
    }
    const auto write = fake::fixed_of<console::Write_Request>(sent);
    return {sent.arena.begin() + write.text.offset,
            sent.arena.begin() + write.text.offset + write.text.size - 1};
}

Answer answer_write(const Sent& sent, Status status) {
    return fake::respond(sent, console::Put_Response{.rc = static_cast<base::s32>(status)});
}

}  // namespace

TEST_CASE("a short line travels in registers, with its end", "[sdk][runtime]") {
    fake::reset();
    std::string shown;
    fake::ipc().on_call = [&](const Sent& sent) {
        CHECK(sent.handle == 7);
        CHECK(is_method(sent, console::Method::Put));
        CHECK_FALSE(sent.tag.is_long());
        shown += text_of(sent);
        return answer_write(sent, Status::Ok);
    };
    sdk::Console out{7};
    CHECK(out.write_line("hello") == Status::Ok);
    CHECK(shown == "hello\r\n");
}

TEST_CASE("a long line travels as one message and is cut at its limit", "[sdk][runtime]") {
    fake::reset();
    std::vector<std::string> shown;
    fake::ipc().on_call = [&](const Sent& sent) {
        CHECK(is_method(sent, console::Method::Write));
        shown.push_back(text_of(sent));
        return answer_write(sent, Status::Ok);
    };
    sdk::Console out{7};
    CHECK(out.write_line(std::string(5000, 'x')) == Status::Ok);
    REQUIRE(shown.size() == 1);
    CHECK(shown[0] == std::string(1022, 'x') + "\r\n");
}

TEST_CASE("text of any length is written in pieces", "[sdk][runtime]") {
    fake::reset();
    std::string shown;
    u32 pieces = 0;
    fake::ipc().on_call = [&](const Sent& sent) {
        shown += text_of(sent);
        ++pieces;
        return answer_write(sent, Status::Ok);
    };
    sdk::Console out{7};
    const std::string text(2100, 'y');
    CHECK(out.write(text) == Status::Ok);
    CHECK(shown == text);
    CHECK(pieces == 3);
    CHECK(out.write("") == Status::Ok);
    CHECK(pieces == 3);
}

TEST_CASE("a full driver queue is waited for, but not for ever", "[sdk][runtime]") {
    fake::reset();
    u32 calls = 0;
    fake::ipc().on_call = [&](const Sent& sent) {
        ++calls;
        return answer_write(sent, calls < 3 ? Status::Busy : Status::Ok);
    };
    sdk::Console out{7};
    CHECK(out.write_line("x") == Status::Ok);
    CHECK(calls == 3);
    fake::ipc().on_call = [&](const Sent& sent) { return answer_write(sent, Status::Busy); };
    fake::ipc().sleep_count = 0;
    CHECK(out.write_line("x") == Status::Busy);
    CHECK(fake::ipc().sleep_count == 80);
}

TEST_CASE("a refusal of the policy is not tried again", "[sdk][runtime]") {
    fake::reset();
    u32 calls = 0;
    fake::ipc().on_call = [&](const Sent&) {
        ++calls;
        return Answer{.status = Status::SecurityDisallow};
    };
    sdk::Console out{7};
    CHECK(out.write_line("x") == Status::SecurityDisallow);
    CHECK(calls == 1);
}

TEST_CASE("what was typed is read, whatever count the driver claims", "[sdk][runtime]") {
    fake::reset();
    u32 claimed = 3;
    fake::ipc().on_call = [&](const Sent& sent) {
        console::Read_Response response{.rc = 0, .count = claimed};
        response.data = {'a', 'b', 'c', 'd'};
        return fake::respond(sent, response);
    };
    sdk::Console in{7};
    base::u8 room[48]{};
    CHECK(in.read(room).value() == 3);
    CHECK(room[2] == 'c');
    claimed = 1000;
    CHECK(in.read(room).value() == 48);
    base::u8 small[2]{};
    CHECK(in.read(small).value() == 2);
}

TEST_CASE("a process without a connection has no console", "[sdk][runtime]") {
    fake::reset();
    fake::ipc().on_call = [](const Sent& sent) {
        CHECK(sent.handle == abi::kInvalidHandle);
        return Answer{.status = Status::BadHandle};
    };
    sdk::Console none;
    CHECK(none.write_line("x") == Status::BadHandle);
    base::u8 room[4];
    CHECK(none.read(room).status() == Status::BadHandle);
}
