// SPDX-License-Identifier: Apache-2.0
#include "model.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fake_ipc.hpp>
#include <services/drivers/pl011/console.hpp>

namespace {

namespace console = drivers::Console;
using base::s32;
using base::Status;
using base::u64;
using model::Bus;
using model::Pl011;

/// A driver with its model and the replies that it sent later.
struct Driver {
    Driver() {
        fake::reset();
        fake::ipc().on_reply = [this](const fake::Sent& sent) {
            later.push_back(sent);
            return reply_status;
        };
        device.start({});
    }

    idl::Caller caller(u64 token) { return {.token = token, .arena = arena}; }

    void interrupt() { (void)service.Raised(caller(99), {}); }

    /// What the `index`th later answer gave its reader.
    [[nodiscard]] std::string text(std::size_t index) const {
        const auto response = fake::fixed_of<console::Read_Response>(later.at(index));
        return {response.data.begin(), response.data.begin() + response.count};
    }

    Pl011 uart{};
    svc::pl011::Device<Bus> device{Bus{&uart}};
    svc::pl011::ConsoleService<Bus> service{device};
    idl::ArenaWriter arena{};
    std::vector<fake::Sent> later{};
    Status reply_status = Status::Ok;
};

constexpr s32 code_of(Status status) { return static_cast<s32>(status); }

}  // namespace

TEST_CASE("a read with input waiting is answered at once", "[services][pl011]") {
    Driver driver;
    driver.uart.receive("hi");
    driver.interrupt();
    const auto outcome = driver.service.Read(driver.caller(1), {});
    REQUIRE_FALSE(outcome.is_deferred());
    CHECK(outcome.results().count == 2);
    CHECK(outcome.results().data[1] == 'i');
    CHECK(driver.later.empty());
}

TEST_CASE("a read without input is answered when something is typed", "[services][pl011]") {
    Driver driver;
    CHECK(driver.service.Read(driver.caller(5), {}).is_deferred());
    driver.interrupt();  // nothing there yet
    CHECK(driver.later.empty());
    driver.uart.receive("set 40");
    driver.interrupt();
    REQUIRE(driver.later.size() == 1);
    CHECK(driver.later[0].token == 5);
    CHECK(driver.text(0) == "set 40");
    driver.uart.receive("xy");
    driver.interrupt();
    CHECK(driver.later.size() == 1);
}

TEST_CASE("more than fits one answer is read by the next", "[services][pl011]") {
    Driver driver;
    for (int i = 0; i < 4; ++i) {
        driver.uart.receive("0123456789abcdef");
        driver.interrupt();
    }
    CHECK(driver.service.Read(driver.caller(1), {}).results().count == 48);
    CHECK(driver.service.Read(driver.caller(2), {}).results().count == 16);
    CHECK(driver.service.Read(driver.caller(3), {}).is_deferred());
}

TEST_CASE("a newer reader ends an older one", "[services][pl011]") {
    Driver driver;
    CHECK(driver.service.Read(driver.caller(1), {}).is_deferred());
    CHECK(driver.service.Read(driver.caller(2), {}).is_deferred());
    REQUIRE(driver.later.size() == 1);
    CHECK(driver.later[0].token == 1);
    CHECK(fake::fixed_of<console::Read_Response>(driver.later[0]).rc == code_of(Status::Busy));
    driver.uart.receive("ab");
    driver.interrupt();
    REQUIRE(driver.later.size() == 2);
    CHECK(driver.later[1].token == 2);
}

TEST_CASE("what a vanished reader did not get goes to the next", "[services][pl011]") {
    Driver driver;
    CHECK(driver.service.Read(driver.caller(1), {}).is_deferred());
    driver.reply_status = Status::StaleToken;
    driver.uart.receive("keep");
    driver.interrupt();
    CHECK(driver.later.size() == 1);
    const auto outcome = driver.service.Read(driver.caller(2), {});
    REQUIRE_FALSE(outcome.is_deferred());
    CHECK(outcome.results().count == 4);
}

TEST_CASE("writes are queued whole or refused with Busy", "[services][pl011]") {
    Driver driver;
    CHECK(driver.service.Write(driver.caller(1), {.text = "hello"}).results().rc == 0);
    driver.uart.pass(16);
    CHECK(driver.uart.sent == "hello");
    const std::string kilobyte(1024, 'x');
    for (int i = 0; i < 4; ++i) {
        (void)driver.service.Write(driver.caller(1), {.text = kilobyte});
    }
    CHECK(driver.service.Write(driver.caller(1), {.text = kilobyte}).results().rc ==
          code_of(Status::Busy));
}

TEST_CASE("a put that claims more bytes than it has is refused", "[services][pl011]") {
    Driver driver;
    console::Put_Arguments put{.count = 2};
    put.data[0] = 'o';
    put.data[1] = 'k';
    CHECK(driver.service.Put(driver.caller(1), put).results().rc == 0);
    driver.uart.pass(16);
    CHECK(driver.uart.sent == "ok");
    put.count = 49;
    CHECK(driver.service.Put(driver.caller(1), put).results().rc ==
          code_of(Status::InvalidArgument));
    put.count = ~base::u32{0};
    CHECK(driver.service.Put(driver.caller(1), put).results().rc ==
          code_of(Status::InvalidArgument));
}

TEST_CASE("who writes over a waiting reader's prompt gets a line of its own", "[services][pl011]") {
    Driver driver;
    (void)driver.service.Write(driver.caller(1), {.text = "plant> "});
    CHECK(driver.service.Read(driver.caller(5), {}).is_deferred());
    (void)driver.service.Write(driver.caller(2), {.text = "DENIED\r\n"});
    driver.uart.pass(16);
    driver.interrupt();
    driver.uart.pass(16);
    CHECK(driver.uart.sent == "plant> \r\nDENIED\r\n");
    REQUIRE(driver.later.size() == 1);
    CHECK(driver.later[0].token == 5);
    CHECK(driver.text(0).empty());
    CHECK(fake::fixed_of<console::Read_Response>(driver.later[0]).rc == 0);
    (void)driver.service.Write(driver.caller(1), {.text = "plant> "});
    CHECK(driver.service.Read(driver.caller(6), {}).is_deferred());
}

TEST_CASE("a reader whose prompt was overtaken is told at once, and once", "[services][pl011]") {
    Driver driver;
    (void)driver.service.Write(driver.caller(1), {.text = "plant> "});
    (void)driver.service.Write(driver.caller(2), {.text = "DENIED\r\n"});
    const auto outcome = driver.service.Read(driver.caller(5), {});
    REQUIRE_FALSE(outcome.is_deferred());
    CHECK(outcome.results().count == 0);
    CHECK(outcome.results().rc == 0);
    CHECK(driver.service.Read(driver.caller(6), {}).is_deferred());  // though it has no prompt
}

TEST_CASE("a line that is written in pieces stays together", "[services][pl011]") {
    Driver driver;
    (void)driver.service.Write(driver.caller(1), {.text = "> "});
    CHECK(driver.service.Read(driver.caller(5), {}).is_deferred());
    (void)driver.service.Write(driver.caller(2), {.text = "a"});
    (void)driver.service.Write(driver.caller(2), {.text = "b"});
    CHECK(driver.later.empty());
    (void)driver.service.Write(driver.caller(2), {.text = "c\n"});
    driver.uart.pass(16);
    CHECK(driver.uart.sent == "> \r\nabc\n");
    CHECK(driver.later.size() == 1);
}

TEST_CASE("an empty write does nothing", "[services][pl011]") {
    Driver driver;
    CHECK(driver.service.Read(driver.caller(5), {}).is_deferred());
    CHECK(driver.service.Write(driver.caller(2), {.text = ""}).results().rc == 0);
    CHECK(driver.later.empty());
}
