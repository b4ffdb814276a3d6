// SPDX-License-Identifier: Apache-2.0
// kl.core.CM as init serves it: who asks, who listens, and what becomes of both.
#include "fake_kernel.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fake_ipc.hpp>
#include <idl/storage.hpp>
#include <services/init/connections.hpp>

namespace {

namespace cm = kl::core::CM;
using base::Status;
using base::u16;
using base::u32;
using base::u64;
using base::u8;
using svc::init::Connections;
using svc::init::Unit;

constexpr u64 kMinute = 60'000;

/// Three programs; "pump" and "valve" serve.
struct Plant {
    fake::Kernel kernel{};
    Unit units[3]{};
    Connections connections{kernel, units};
    std::vector<fake::Sent> replies{};
    u64 last_token = 0;

    Plant() {
        fake::reset();
        fake::ipc().on_reply = [this](const fake::Sent& sent) {
            replies.push_back(sent);
            return abi::Status::Ok;
        };
        const char* const names[] = {"pump", "valve", "panel"};
        for (u32 i = 0; i < 3; ++i) {
            units[i].component.task = names[i];
            units[i].component.dynamic_channels = true;
            units[i].life.task =
                kernel.create_task({.name = names[i], .eclass = "plant.Part", .memory = 1}).value();
            units[i].life.sid = kernel.get_sid(units[i].life.task).value();
            units[i].life.is_running = true;
            if (i < 2) {
                REQUIRE(kernel.create_listener(units[i].life.task).ok());
            }
        }
    }

    u64 sid(u32 unit) const { return units[unit].life.sid; }

    template <typename Function> auto as(u64 badge, cm::Method method, Function&& function) {
        alignas(8) u8 memory[128];
        idl::ArenaWriter arena{memory, sizeof(memory)};
        const idl::Caller caller{.badge = badge,
                                 .token = ++last_token,
                                 .endpoint = 0,
                                 .method = static_cast<u16>(method),
                                 .arena = arena};
        return function(caller);
    }

    auto connect(u64 badge, std::string_view server, std::string_view service, u32 ms = kMinute) {
        return as(badge, cm::Method::Connect, [&](const idl::Caller& caller) {
            return connections.Connect(caller,
                                       {.server = server, .service = service, .timeoutMs = ms});
        });
    }

    auto listen(u64 badge, u32 ms = kMinute) {
        return as(badge, cm::Method::Listen, [&](const idl::Caller& caller) {
            return connections.Listen(caller, {.filter = {}, .timeoutMs = ms});
        });
    }

    Status accept(u64 badge, std::string_view client, std::string_view service, u32 endpoint = 7) {
        return as(badge, cm::Method::Accept, [&](const idl::Caller& caller) {
            const auto outcome = connections.Accept(
                caller,
                {.client = client, .service = service, .endpoint = endpoint, .listener = {}});
            return static_cast<Status>(outcome.results().rc);
        });
    }

    Status drop(u64 badge, std::string_view client, std::string_view service) {
        return as(badge, cm::Method::Drop, [&](const idl::Caller& caller) {
            const auto outcome = connections.Drop(caller, {.client = client, .service = service});
            return static_cast<Status>(outcome.results().rc);
        });
    }

    cm::Connect_Response connected() {
        REQUIRE(!replies.empty());
        const auto answer = idl::load<cm::Connect_Response>(replies.back().fixed.data());
        return answer;
    }

    /// "client service" of the last answer to Listen, or its status.
    std::string heard() {
        REQUIRE(!replies.empty());
        const auto answer = idl::load<cm::Listen_Response>(replies.back().fixed.data());
        if (answer.rc != 0) {
            return "refused";
        }
        const auto text = [this](const abi::ArenaRange& range) {
            const auto& arena = replies.back().arena;
            return std::string(arena.begin() + range.offset,
                               arena.begin() + range.offset + range.size - 1);
        };
        return text(answer.client) + " " + text(answer.service);
    }
};

template <typename Outcome> Status status(const Outcome& outcome) {
    REQUIRE(!outcome.is_deferred());
    return static_cast<Status>(outcome.results().rc);
}

}  // namespace

TEST_CASE("a client that asks gets a channel to the server that accepts", "[services][init]") {
    for (const bool listens_first : {true, false}) {
        Plant plant;
        if (listens_first) {
            CHECK(plant.listen(plant.sid(0)).is_deferred());
        }
        CHECK(plant.connect(plant.sid(2), "pump", "speed").is_deferred());
        if (!listens_first) {
            CHECK(plant.replies.empty());
            CHECK(plant.listen(plant.sid(0)).is_deferred());
        }
        CHECK(plant.heard() == "panel speed");
        const u32 before = plant.kernel.open_handles("channel");
        CHECK(plant.accept(plant.sid(0), "panel", "speed", 3) == Status::Ok);
        CHECK(plant.connected().rc == 0);
        CHECK(plant.connected().endpoint == 3);
        CHECK(plant.connected().channel.handle != 0);
        CHECK(plant.kernel.open_handles("channel") == before);
        CHECK(plant.accept(plant.sid(0), "panel", "speed") == Status::ResourceNotFound);
        CHECK(plant.connections.next_deadline() == 0);
    }
}

TEST_CASE("a program that is not marked can neither ask nor be asked for", "[services][init]") {
    Plant plant;
    const u64 pump = plant.sid(0);
    plant.units[0].component.dynamic_channels = false;
    plant.units[0].life.sid = 0;
    CHECK(status(plant.connect(plant.sid(2), "pump", "speed")) == Status::ResourceNotFound);
    CHECK(status(plant.connect(pump, "valve", "speed")) == Status::ResourceNotFound);
}

TEST_CASE("the line of those who ask rotates until each is answered", "[services][init]") {
    Plant plant;
    (void)plant.connect(plant.sid(2), "pump", "speed");
    (void)plant.connect(plant.sid(1), "pump", "flow");
    (void)plant.connect(plant.sid(2), "valve", "state");
    for (const char* const expected : {"panel speed", "valve flow", "panel speed"}) {
        (void)plant.listen(plant.sid(0));
        CHECK(plant.heard() == expected);
    }
    CHECK(plant.drop(plant.sid(0), "valve", "flow") == Status::Ok);
    CHECK(static_cast<Status>(plant.connected().rc) == Status::NotConnected);
    CHECK(plant.drop(plant.sid(0), "valve", "flow") == Status::ResourceNotFound);
    CHECK(plant.drop(plant.sid(0), "panel", "state") == Status::ResourceNotFound);
    (void)plant.listen(plant.sid(0));
    CHECK(plant.heard() == "panel speed");
}

TEST_CASE("what cannot be connected is told at once", "[services][init]") {
    Plant plant;
    CHECK(status(plant.connect(plant.sid(2), "turbine", "speed")) == Status::ResourceNotFound);
    CHECK(status(plant.connect(4711, "pump", "speed")) == Status::ResourceNotFound);
    plant.units[1].life.is_running = false;
    CHECK(status(plant.connect(plant.sid(2), "valve", "state")) == Status::NotConnected);
    CHECK(plant.connect(plant.sid(2), "pump", "speed").is_deferred());
    CHECK(status(plant.connect(plant.sid(2), "pump", "speed")) == Status::AlreadyExists);
    CHECK(plant.accept(plant.sid(1), "panel", "speed") == Status::ResourceNotFound);
    CHECK(plant.accept(plant.sid(0), "nobody", "speed") == Status::ResourceNotFound);
    CHECK(plant.connect(plant.sid(0), "panel", "show").is_deferred());
    CHECK(plant.accept(plant.sid(2), "pump", "show") == Status::NotReady);
    plant.kernel.fail_at = plant.kernel.calls + 1;
    CHECK(plant.accept(plant.sid(0), "panel", "speed") == Status::OutOfMemory);
    CHECK(plant.accept(plant.sid(0), "panel", "speed") == Status::Ok);
}

TEST_CASE("places are limited, and free again", "[services][init]") {
    Plant plant;
    for (u32 i = 0; i < Connections::kPlaces; ++i) {
        CHECK(plant.connect(plant.sid(2), "pump", std::to_string(i)).is_deferred());
        CHECK(plant.listen(plant.sid(1)).is_deferred());
    }
    CHECK(static_cast<Status>(plant.connect(plant.sid(2), "pump", "x").results().rc) ==
          Status::OutOfMemory);
    CHECK(static_cast<Status>(plant.listen(plant.sid(1)).results().rc) == Status::OutOfMemory);
    plant.connections.on_task_ended(plant.sid(2));
    plant.connections.on_task_ended(plant.sid(1));
    CHECK(plant.connections.next_deadline() == 0);
    CHECK(plant.connect(plant.sid(2), "pump", "x").is_deferred());
    CHECK(plant.listen(plant.sid(1)).is_deferred());
}

TEST_CASE("waits end with their time", "[services][init]") {
    Plant plant;
    (void)plant.connect(plant.sid(2), "pump", "speed", 100);
    (void)plant.listen(plant.sid(1), 200);
    const u64 start = plant.kernel.ticks;
    CHECK(plant.connections.next_deadline() == start + 100);
    plant.kernel.ticks = start + 99;
    plant.connections.expire();
    CHECK(plant.replies.empty());
    plant.kernel.ticks = start + 100;
    plant.connections.expire();
    CHECK(static_cast<Status>(plant.connected().rc) == Status::Timeout);
    CHECK(plant.connections.next_deadline() == start + 200);
    plant.kernel.ticks = start + 200;
    plant.connections.expire();
    CHECK(plant.heard() == "refused");
    CHECK(plant.connections.next_deadline() == 0);
}

TEST_CASE("a server's end is told to those who ask for it", "[services][init]") {
    Plant plant;
    (void)plant.connect(plant.sid(2), "pump", "speed");
    (void)plant.connect(plant.sid(2), "valve", "state");
    plant.connections.on_task_ended(0);
    CHECK(plant.replies.empty());
    plant.connections.on_task_ended(plant.sid(0));
    REQUIRE(plant.replies.size() == 1);
    CHECK(static_cast<Status>(plant.connected().rc) == Status::NotConnected);
    // The next life is another: it does not hear of those who asked for the old one.
    plant.units[1].life.sid = 77;
    (void)plant.listen(77);
    CHECK(plant.replies.size() == 1);
}
