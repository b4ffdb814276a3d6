// SPDX-License-Identifier: Apache-2.0
// Generated proxies and servers talk to each other through a fake kernel.
#include "kernel_fake.hpp"
#include "lab_servers.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <lab/Every.client.hpp>
#include <lab/Plant.edl.hpp>
#include <lab/Valve.client.hpp>
#include <string>
#include <type_traits>

// Of the sanitizers that the tests are linked with: called at every malloc and free.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*,
                                                                           std::size_t),
                                                         void (*on_free)(const volatile void*));

using abi::Status;
using test::fake;

namespace {

using test::Every;
using test::Valve;

struct Plant {
    Valve valve;
    Every every;
    Valve second;
    Every third;
    lab::Plant::Dispatcher dispatcher{9, valve, every, second, third};
    lab::Valve::Proxy valve_proxy{7, lab::Plant::endpoint::act_valve};
    lab::Every::Proxy every_proxy{7, lab::Plant::endpoint::act_interface};

    Plant() {
        fake = {};
        fake.server = &dispatcher;
    }
};

int allocations = 0;

/// Whether a view lies within an object.
template <typename View, typename Object> bool lies_in(const View& view, const Object& object) {
    const auto* const first = reinterpret_cast<const base::u8*>(view.data());
    const auto* const begin = reinterpret_cast<const base::u8*>(&object);
    return first >= begin && first + view.size() <= begin + sizeof(object);
}

/// A server that forgot a method.
class Forgetful : public lab::Valve::Server {
public:
    idl::Outcome<Limit_Results> Limit(const idl::Caller&, const Limit_Arguments&) override {
        return Limit_Results{};
    }

    idl::Outcome<History_Results> History(const idl::Caller&, const History_Arguments&) override {
        return History_Results{};
    }
};

static_assert(std::is_abstract_v<Forgetful>);
static_assert(!std::is_abstract_v<Valve>);

// An answer is looked at: errors are its other kinds, never an exception or an out-parameter.
static_assert(std::is_same_v<decltype(std::declval<lab::Valve::Proxy&>().Set(1, "")),
                             idl::Reply<lab::Valve::Set_Results, lab::Valve::Set_Errors>>);

}  // namespace

TEST_CASE("neither proxies nor dispatchers allocate", "[idlc][binding]") {
    Plant plant;
    static_cast<void>(__sanitizer_install_malloc_and_free_hooks(
        [](const volatile void*, std::size_t) { allocations += fake.runs ? 0 : 1; },
        [](const volatile void*) {}));
    const int before = allocations;
    const auto* const probe = new volatile int(1);
    const int with_probe = allocations;
    delete probe;
    const auto short_reply = plant.valve_proxy.Limit({1, 2});
    const auto long_reply = plant.valve_proxy.History();
    const auto text_reply = plant.valve_proxy.Set(40, "test");
    const int after = allocations;
    CHECK(with_probe == before + 1);
    CHECK(after == with_probe);
    CHECK(short_reply.ok());
    CHECK(long_reply.ok());
    CHECK(text_reply.ok());
}

TEST_CASE("what arrives is a view into the message", "[idlc][binding]") {
    Plant plant;
    CHECK(plant.valve_proxy.Set(40, "test").ok());
    CHECK(lies_in(plant.valve.reason_view, plant.dispatcher));
    const auto reply = plant.valve_proxy.History();
    REQUIRE(reply.value().values.size() == 3);
    CHECK(lies_in(reply.value().values, plant.valve_proxy));
}

TEST_CASE("a short answer and a request with text reach the other side", "[idlc][binding]") {
    Plant plant;
    const auto reply = plant.valve_proxy.Set(40, "test");
    CHECK(reply.ok());
    CHECK(reply.status() == Status::Ok);
    CHECK(reply.value().ok == 1);
    CHECK(plant.valve.reason == "test");
    CHECK(plant.valve.badge == 0xB);
    CHECK(fake.request.tag.is_long());
    CHECK(fake.request.arena == std::vector<base::u8>{'t', 'e', 's', 't', 0});
    CHECK_FALSE(fake.answer.tag.is_long());
}

TEST_CASE("an empty text takes no arena", "[idlc][binding]") {
    Plant plant;
    CHECK(plant.valve_proxy.Set(40, "").ok());
    CHECK(plant.valve.reason.empty());
    CHECK_FALSE(fake.request.tag.has_arena());
}

TEST_CASE("error parameters come back as an error", "[idlc][binding]") {
    Plant plant;
    const auto reply = plant.valve_proxy.Set(101, "x");
    CHECK_FALSE(reply.ok());
    CHECK(reply.has_error());
    CHECK(reply.error().fault == 101);
    CHECK(reply.transport() == Status::Ok);
    CHECK(reply.status() == Status::Fail);
    CHECK(fake.answer.tag.kind() == abi::Kind::Error);
}

TEST_CASE("a failed call shows why", "[idlc][binding]") {
    Plant plant;
    fake.server = nullptr;
    fake.refuse = Status::SecurityDisallow;
    const auto reply = plant.valve_proxy.Set(1, "x");
    CHECK(reply.status() == Status::SecurityDisallow);
    CHECK(reply.transport() == Status::SecurityDisallow);
    CHECK(reply.value().ok == 0);
}

TEST_CASE("a deadline holds for one call", "[idlc][binding]") {
    Plant plant;
    CHECK(plant.valve_proxy.until(1234).Limit({1, 2}).ok());
    CHECK(fake.deadline == 1234);
    CHECK(plant.valve.limits.high == 2);
    CHECK(plant.valve_proxy.Limit({1, 2}).ok());
    CHECK(fake.deadline == 0);
}

TEST_CASE("a value above its maximum is not sent", "[idlc][binding]") {
    Plant plant;
    CHECK(plant.valve_proxy.Set(1, std::string(65, 'x')).status() == Status::BufferTooLarge);
    CHECK(plant.valve.calls == 0);
    CHECK(plant.valve_proxy.Set(1, std::string(64, 'x')).ok());
    const std::vector<base::u8> large(101);
    CHECK(plant.every_proxy.bytes(large).status() == Status::BufferTooLarge);
}

TEST_CASE("sequences arrive from the server's memory and from the arena", "[idlc][binding]") {
    Plant plant;
    const auto first = plant.valve_proxy.History();
    REQUIRE(first.ok());
    REQUIRE(first.value().values.size() == 3);
    CHECK(first.value().values[2] == 3);
    plant.valve.use_arena = true;
    const auto second = plant.valve_proxy.History();
    CHECK(second.value().values[2] == 7);
    CHECK(fake.answer.arena.size() == 6);
    plant.valve.use_arena = false;
    plant.valve.history_size = 0;
    CHECK(plant.valve_proxy.History().value().values.empty());
}

TEST_CASE("a result above its maximum becomes the empty error", "[idlc][binding]") {
    Plant plant;
    plant.valve.history_size = 33;
    const auto reply = plant.valve_proxy.History();
    CHECK(reply.status() == Status::Fail);
    CHECK(fake.answer.tag.kind() == abi::Kind::Error);
    CHECK(fake.answer.fixed.empty());
}

TEST_CASE("integers of every width keep their values", "[idlc][binding]") {
    Plant plant;
    const auto reply = plant.every_proxy.ints(
        -128, -32768, INT32_MIN, INT64_MIN, 255, 65535, UINT32_MAX, UINT64_MAX);
    CHECK(reply.value().s == UINT64_MAX);
    CHECK(reply.value().p == UINT32_MAX);
    CHECK(plant.every.last_ints.a == -128);
    CHECK(plant.every.last_ints.d == INT64_MIN);
    CHECK(plant.every.last_ints.f == 65535);
}

TEST_CASE("names that are key words get an underscore", "[idlc][binding]") {
    Plant plant;
    lab::Every::Proxy_ record;
    record.class_ = 4;
    const auto reply = plant.every_proxy.delete_(record);
    CHECK(reply.value().interface.class_ == 4);
    CHECK(reply.value().interface.tags[2].high == 9);
    CHECK(plant.every_proxy.until_().value().tag_ == 3);
    CHECK(plant.every_proxy.nothing().ok());
    CHECK(plant.every_proxy.Method(1, 2, 3, 4, 5, 6, 7).ok());
}

TEST_CASE("texts are joined by the server in the answer's arena", "[idlc][binding]") {
    Plant plant;
    const auto reply = plant.every_proxy.text("abc", "defg");
    REQUIRE(reply.ok());
    CHECK(reply.value().c == "abc");
    CHECK(reply.value().d == "abcdefg");
}

TEST_CASE("one sequence of bytes is sent from where it stands", "[idlc][binding]") {
    Plant plant;
    std::vector<base::u8> data(30, 0x5A);
    const auto reply = plant.every_proxy.bytes(data);
    REQUIRE(reply.ok());
    CHECK(reply.value().data.size() == 30);
    CHECK(reply.value().data[29] == 0x5A);
    data.assign(60, 1);
    const auto error = plant.every_proxy.bytes(data);
    CHECK(error.has_error());
    CHECK(error.error().why.size() == 10);
}

TEST_CASE("handles travel with their rights and are counted", "[idlc][binding]") {
    Plant plant;
    const auto reply =
        plant.every_proxy.handles(5, abi::HandleDescriptor{.handle = 6, .rights = 1, .badge = 2});
    REQUIRE(reply.ok());
    CHECK(fake.request.tag.handle_count() == 2);
    CHECK(fake.request.tag.handles_accepted() == 3);
    CHECK(fake.answer.tag.handle_count() == 3);
    CHECK(reply.value().c.handle == 5);
    CHECK(reply.value().c.rights == abi::rights::kAll);
    CHECK(reply.value().d[0].badge == 2);
}

TEST_CASE("nested sequences and texts are written and read", "[idlc][binding]") {
    Plant plant;
    const base::u64 numbers[] = {1, 2, 3};
    const lab::Every::Proxy_ records[2] = {};
    idl::ArenaWriter& arena = plant.every_proxy.request_arena();
    const auto labels = arena.allocate<lab::Every::Label>(2);
    labels[0] = arena.add_text("left");
    labels[1] = arena.add_text("right");
    const abi::ArenaRange lists[] = {arena.add(std::span<const lab::Every::Label>{labels})};
    const auto reply = plant.every_proxy.seqs(numbers, records, lists);
    REQUIRE(reply.ok());
    CHECK(plant.every.sum == 6);
    CHECK(plant.every.records == 2);
    CHECK(plant.every.texts == "left;right;");
    REQUIRE(reply.value().d.size() == 2);
    const auto& view = reply.value();
    CHECK(view.d[0].id == 11);
    CHECK(view.idl_arena.text(view.d[0].label) == "one");
    const auto aliases = view.idl_arena.values<lab::Every::Label>(view.d[1].aliases);
    REQUIRE(aliases.size() == 1);
    CHECK(view.idl_arena.text(aliases[0]) == "alias");
}

TEST_CASE("unions carry one member and its tag", "[idlc][binding]") {
    Plant plant;
    lab::Every::Deep deep;
    deep.value = lab::Every::Value::make_text(plant.every_proxy.request_arena().add_text("inside"));
    const auto reply = plant.every_proxy.unions(lab::Every::Value::make_number(77), deep);
    REQUIRE(reply.ok());
    CHECK(plant.every.number == 77);
    CHECK(plant.every.deep_text == "inside");
    CHECK(reply.value().d[0].is_mac());
    CHECK(reply.value().d[0].mac()[5] == 6);
    CHECK(reply.value().c.value.number() == 42);
}

TEST_CASE("handles in unions and sequences have their places in the message", "[idlc][binding]") {
    Plant plant;
    lab::Every::Ring ring{.floor = 1};
    CHECK(ring.keys.add({9, abi::rights::kAll, 0}));
    lab::Every::Keys keys;
    for (base::u32 i = 0; i < 3; ++i) {
        CHECK(keys.add({20 + i, abi::rights::kAll, 0}));
    }
    CHECK_FALSE(keys.add({23, abi::rights::kAll, 0}));
    const auto reply = plant.every_proxy.grants(lab::Every::Grant::make_ring(ring), keys);
    REQUIRE(reply.ok());
    CHECK(fake.request.tag.handle_count() == 8);
    CHECK(fake.answer.tag.handle_count() == 7);
    CHECK(plant.every.full);  // three keys, room for two passes
    REQUIRE(reply.value().passes.size() == 2);
    CHECK(reply.value().passes[1].valve.handle == 21);
    CHECK(reply.value().idl_arena.text(reply.value().passes[1].name) == "pass");
    REQUIRE(reply.value().back.is_key());
    CHECK(reply.value().back.key().handle == 9);

    const auto rings = plant.every_proxy.rings({lab::Every::Keys{}, keys}, {});
    REQUIRE(rings.ok());
    CHECK(rings.value().rings[0].keys[2].handle == 22);
    CHECK(rings.value().rings[1].keys.size() == 0);

    const auto small = plant.every_proxy.grants(lab::Every::Grant::make_small(7), {});
    REQUIRE(small.ok());
    CHECK(small.value().back.small() == 7);
    CHECK(small.value().passes.size() == 0);
}

TEST_CASE("a list with too many handles does not reach the handler", "[idlc][binding]") {
    Plant plant;
    static constexpr std::size_t kCount = offsetof(lab::Every::grants_Request, keys);
    fake.corrupt_request = [](test::Carried& m) { m.fixed[kCount] = 4; };
    CHECK_FALSE(plant.every_proxy.grants({}, {}).ok());
    fake.corrupt_request = [](test::Carried& m) { m.fixed[kCount] = 3; };
    CHECK(plant.every_proxy.grants({}, {}).ok());
    fake.corrupt_request = nullptr;
}

TEST_CASE("arrays of arrays are inline", "[idlc][binding]") {
    Plant plant;
    const std::array<base::u8, 6> mac{1, 2, 3, 4, 5, 6};
    CHECK(plant.every_proxy.arrays(mac, {}).value().back == mac);
}

TEST_CASE("a call can be answered later, once its handler is gone", "[idlc][binding]") {
    Plant plant;
    CHECK(plant.valve_proxy.Set(99, "later").status() == Status::Timeout);
    CHECK(lab::Valve::Server::Set_reply(plant.valve.saved, {.ok = 9}) == Status::Ok);
    CHECK(fake.answer.tag.kind() == abi::Kind::Response);
    CHECK(fake.answer.tag.endpoint() == lab::Plant::endpoint::act_valve);
    CHECK(fake.answer.fixed[0] == 9);
    CHECK(lab::Valve::Server::Set_reply(plant.valve.saved, {.fault = 3}) == Status::Ok);
    CHECK(fake.answer.tag.kind() == abi::Kind::Error);
    alignas(8) base::u8 memory[512];
    idl::ArenaWriter arena{memory, sizeof memory};
    CHECK(lab::Every::Server::text_reply({0x70, 1, 2}, {.c = "a", .d = "b"}, arena) == Status::Ok);
    CHECK(fake.answer.arena.size() == 4);
    idl::ArenaWriter none;
    CHECK(lab::Every::Server::text_reply({0x70, 1, 2}, {.c = "a", .d = "b"}, none) ==
          Status::BufferTooLarge);
}

TEST_CASE("a malformed request does not reach the handler", "[idlc][binding]") {
    using Change = void (*)(test::Carried&);
    const Change changes[] = {
        [](test::Carried& m) { m.arena.pop_back(); },                   // outside
        [](test::Carried& m) { m.arena.back() = 'x'; },                 // no NUL
        [](test::Carried& m) { m.fixed[4] = 1; },                       // outside by one
        [](test::Carried& m) { std::memset(&m.fixed[4], 0xFF, 4); },    // far outside
        [](test::Carried& m) { std::memset(&m.fixed[8], 0xFF, 4); },    // huge
        [](test::Carried& m) { m.fixed.resize(8); },                    // fixed part cut
        [](test::Carried& m) { m.fixed.resize(24); },                   // fixed part grown
        [](test::Carried& m) { m.tag.value |= base::u64{1} << 40; },    // a handle
        [](test::Carried& m) { m.tag.value ^= base::u64{0x7F} << 4; },  // no such method
        [](test::Carried& m) {                                          // short instead
            m.tag = abi::Tag::make_short(abi::Kind::Request, 0, 0, 16);
            m.arena.clear();
        },
    };
    for (const Change change : changes) {
        Plant plant;
        lab::Valve::Proxy raw{7, lab::Plant::endpoint::act_valve};
        fake.corrupt_request = change;
        // The answer's method must be the request's: the fake compares it with what was sent.
        fake.corrupt_answer = [](test::Carried& m) {
            CHECK(m.tag.kind() == abi::Kind::Error);
            CHECK(m.fixed.empty());
            m.tag = abi::Tag::make_short(abi::Kind::Error, 0, 0, 0);
        };
        CHECK_FALSE(raw.Set(40, "test").ok());
        CHECK(plant.valve.calls == 0);
    }
}

TEST_CASE("a union with an unknown tag does not reach the handler", "[idlc][binding]") {
    Plant plant;
    fake.corrupt_request = [](test::Carried& m) { m.fixed[0] = 200; };
    CHECK_FALSE(plant.every_proxy.unions(lab::Every::Value::make_number(1), {}).ok());
    CHECK(plant.every.number == 0);
    fake.corrupt_request = nullptr;
    CHECK(plant.every_proxy.unions(lab::Every::Value::make_number(1), {}).ok());
}

TEST_CASE("a malformed answer is an error, not a result", "[idlc][binding]") {
    using Change = void (*)(test::Carried&);
    const Change changes[] = {
        [](test::Carried& m) { m.arena.pop_back(); },
        [](test::Carried& m) { m.fixed[0] = 1; },  // misaligned and outside
        [](test::Carried& m) { m.fixed.clear(); },
        [](test::Carried& m) { m.fixed[4] = 5; },  // ends within a value
        [](test::Carried& m) {
            m.tag = abi::Tag::make_short(abi::Kind::Response, 0, 2, 8);
            m.arena.clear();
        },
    };
    for (const Change change : changes) {
        Plant plant;
        plant.valve.history_size = 32;
        fake.corrupt_answer = change;
        CHECK(plant.valve_proxy.History().status() == Status::InternalError);
    }
}

TEST_CASE("unknown endpoints and implicit ones without a server are refused", "[idlc][binding]") {
    for (const base::u16 endpoint : {base::u16{4},
                                     base::u16{77},
                                     abi::kIrqEndpoint,
                                     abi::kEventEndpoint,
                                     abi::kFaultEndpoint}) {
        Plant plant;
        lab::Valve::Proxy stranger{7, endpoint};
        CHECK(stranger.Limit({}).status() == Status::Fail);
        CHECK(plant.valve.calls == 0);
    }
}

TEST_CASE("implicit endpoints reach the server that is set", "[idlc][binding]") {
    struct Events final : tessera::Event::Server {
        idl::Outcome<Notify_Results> Notify(const idl::Caller& caller,
                                            const Notify_Arguments& in) override {
            bits = in.bits;
            badge = caller.badge;
            return Notify_Results{};
        }

        base::u64 bits = 0;
        base::u64 badge = 0;
    };

    Plant plant;
    Events events;
    plant.dispatcher.on_event(events);
    fake.request.tag = abi::Tag::make_short(abi::Kind::Request, abi::kEventEndpoint, 0, 8);
    fake.request.fixed = {5, 0, 0, 0, 0, 0, 0, 0};
    CHECK(plant.dispatcher.step() == Status::Ok);
    CHECK(events.bits == 5);
    CHECK(events.badge == 0xB);
}

TEST_CASE("the loop answers with the next receive and ends when the listener is gone",
          "[idlc][binding]") {
    Plant plant;
    fake.request.tag = abi::Tag::make_short(abi::Kind::Request, 0, 1, 8);
    fake.request.fixed.assign(8, 0);
    CHECK(plant.dispatcher.step() == Status::Ok);
    CHECK(fake.replies == 0);
    CHECK(plant.dispatcher.step() == Status::Ok);
    CHECK(fake.replies == 1);
    fake.receive_results = {Status::BadHandle, Status::Timeout};
    CHECK(plant.dispatcher.run() == Status::BadHandle);
    CHECK(fake.replies == 2);
    fake.receive_results = {Status::Timeout};
    CHECK(plant.dispatcher.step(55) == Status::Timeout);
    CHECK(fake.receive_deadline == 55);
    CHECK(plant.valve.calls == 2);
}

TEST_CASE("a kernel code in the results counts as the status", "[idlc][reply]") {
    struct Results {
        base::s32 rc = 0;
    };

    const idl::Reply<Results> good{Results{}};
    CHECK(good.ok());
    const idl::Reply<Results> bad{Results{.rc = static_cast<base::s32>(Status::OutOfMemory)}};
    CHECK_FALSE(bad.ok());
    CHECK(bad.status() == Status::OutOfMemory);
    CHECK(bad.transport() == Status::Ok);
}

TEST_CASE("an arena gives room until it is full and never hands out old bytes", "[idlc][arena]") {
    alignas(8) base::u8 memory[32];
    std::memset(memory, 0xEE, sizeof memory);
    idl::ArenaWriter arena{memory, sizeof memory};
    CHECK(arena.add_text("ab").size == 3);
    const auto word = arena.allocate<base::u64>(1);
    REQUIRE(word.size() == 1);
    CHECK(word[0] == 0);
    CHECK(memory[3] == 0);  // the gap
    CHECK(arena.size() == 16);
    CHECK(arena.allocate<base::u64>(2).size() == 2);
    CHECK(arena.ok());
    CHECK(arena.allocate<base::u8>(1).empty());
    CHECK_FALSE(arena.ok());
    arena.reset();
    CHECK(arena.ok());
    CHECK(arena.allocate<base::u64>(0xFFFF'FFFF).empty());
    CHECK_FALSE(arena.ok());
}
