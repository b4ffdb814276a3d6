// SPDX-License-Identifier: Apache-2.0
// Generated proxies and dispatchers of C, with the other side in C and in C++: the bytes between
// them are the same.
#include "lab_bench.hpp"

#include <algorithm>
#include <array>

using abi::Status;
using test::CClient;
using test::CppServer;
using test::CServer;
using test::fake;

namespace {

/// What a client in C sees of every kind of parameter, whoever answers.
void call_everything(CClient& client) {
    {
        lab_Every_ints_req req{{}, -1, -2, -3, -4, 5, 6, 7, 8};
        lab_Every_ints_res res{};
        REQUIRE(lab_Every_ints(client.every(), &req, NK_NULL, &res, NK_NULL) == NK_EOK);
        CHECK(res.s == 8);
        CHECK(res.res_.p == 7);
        CHECK_FALSE(fake.request.tag.is_long());
    }
    {
        lab_Every_delete_req req{};
        req.class_.new_ = 1ull << 60;
        req.class_.a = -3;
        req.class_.tags[1].low = 4;
        lab_Every_delete_res res{};
        REQUIRE(lab_Every_delete(client.every(), &req, NK_NULL, &res, NK_NULL) == NK_EOK);
        CHECK(res.interface.new_ == 1ull << 60);
        CHECK(res.interface.a == -3);
        CHECK(res.interface.tags[1].low == 4);
        CHECK(res.interface.tags[2].high == 9);
    }
    {
        lab_Every_text_req req{};
        lab_Every_text_res res{};
        nk_arena_reset(&client.req_arena);
        REQUIRE(NkKosCopyStringToArena(&client.req_arena, &req.a, "ab") == NK_EOK);
        REQUIRE(NkKosCopyStringToArena(&client.req_arena, &req.b, "cde") == NK_EOK);
        REQUIRE(lab_Every_text(client.every(), &req, &client.req_arena, &res, &client.res_arena) ==
                NK_EOK);
        CHECK(client.text(res.c) == "ab");
        CHECK(client.text(res.d) == "abcde");
    }
    {
        lab_Every_handles_req req{};
        req.a = nk_handle_desc(0x10002);
        req.b = nk_handle_desc_copy(0x10003, OCAP_IPC_CALL, 0);
        lab_Every_handles_res res{};
        REQUIRE(lab_Every_handles(client.every(), &req, NK_NULL, &res, NK_NULL) == NK_EOK);
        CHECK(fake.request.tag.handle_count() == 2);
        CHECK(fake.answer.tag.handle_count() == 3);
        CHECK(nk_get_handle(&res.c) == 0x10002);
        CHECK(nk_get_handle(&res.d[0]) == 0x10003);
        CHECK(nk_get_rights(&res.d[0]) == OCAP_IPC_CALL);
        CHECK(nk_get_handle(&res.d[1]) == 0x10002);
        CHECK_FALSE(nk_is_handle_dereferenced(&res.c));
    }
    {
        lab_Every_arrays_req req{};
        for (nk_uint8_t i = 0; i < 6; ++i) {
            req.mac[i] = static_cast<nk_uint8_t>(i + 10);
        }
        lab_Every_arrays_res res{};
        REQUIRE(lab_Every_arrays(client.every(), &req, NK_NULL, &res, NK_NULL) == NK_EOK);
        CHECK(res.back[0] == 10);
        CHECK(res.back[5] == 15);
    }
    {
        lab_Every_until_req req{};
        lab_Every_until_res res{};
        REQUIRE(lab_Every_until(client.every(), &req, NK_NULL, &res, NK_NULL) == NK_EOK);
        CHECK(res.tag == 3);
    }
    {
        lab_Every_nothing_req req{};
        lab_Every_nothing_res res{};
        CHECK(lab_Every_nothing(client.every(), &req, NK_NULL, &res, NK_NULL) == NK_EOK);
    }
}

void call_bytes(CClient& client) {
    lab_Every_bytes_req req{};
    lab_Every_bytes_res res{};
    const std::array<nk_uint8_t, 60> data{1, 2, 3};
    nk_arena_reset(&client.req_arena);
    REQUIRE(nk_arena_store(nk_uint8_t, &client.req_arena, &req.data, data.data(), 40) == NK_EOK);
    REQUIRE(lab_Every_bytes(client.every(), &req, &client.req_arena, &res, &client.res_arena) ==
            NK_EOK);
    CHECK_FALSE(nk_msg_check_err(&res));
    CHECK(res.data.size == 40);
    nk_arena_reset(&client.req_arena);
    REQUIRE(nk_arena_store(nk_uint8_t, &client.req_arena, &req.data, data.data(), 60) == NK_EOK);
    REQUIRE(lab_Every_bytes(client.every(), &req, &client.req_arena, &res, &client.res_arena) ==
            NK_EOK);
    REQUIRE(nk_msg_check_err(&res));
    nk_size_t count = 0;
    const nk_uint8_t* const why =
        nk_arena_get(nk_uint8_t, &client.res_arena, &res.err_.why, &count);
    REQUIRE(count == 10);
    CHECK(why[2] == 3);
}

void call_sequences(CClient& client) {
    lab_Every_seqs_req req{};
    lab_Every_seqs_res res{};
    nk_arena* const arena = &client.req_arena;
    nk_arena_reset(arena);
    const nk_uint64_t numbers[] = {1, 2, 3, 1ull << 40};
    REQUIRE(nk_arena_store(nk_uint64_t, arena, &req.a, numbers, 4) == NK_EOK);
    REQUIRE(nk_arena_alloc(lab_Every_Proxy, arena, &req.b, 2) != nullptr);
    nk_ptr_t* const outer = nk_arena_alloc(nk_ptr_t, arena, &req.c, 2);
    REQUIRE(outer != nullptr);
    lab_Every_Label* const labels = nk_arena_alloc(lab_Every_Label, arena, &outer[0], 2);
    REQUIRE(labels != nullptr);
    REQUIRE(NkKosCopyStringToArena(arena, &labels[0], "first") == NK_EOK);
    REQUIRE(NkKosCopyStringToArena(arena, &labels[1], "second") == NK_EOK);
    REQUIRE(lab_Every_seqs(client.every(), &req, arena, &res, &client.res_arena) == NK_EOK);
    nk_size_t count = 0;
    const lab_Every_Entry* const entries =
        nk_arena_get(lab_Every_Entry, &client.res_arena, &res.d, &count);
    REQUIRE(count == 2);
    CHECK(entries[0].id == 11);
    CHECK(client.text(entries[0].label) == "one");
    const lab_Every_Label* const aliases =
        nk_arena_get(lab_Every_Label, &client.res_arena, &entries[1].aliases, &count);
    REQUIRE(count == 1);
    CHECK(client.text(aliases[0]) == "alias");
}

void call_unions(CClient& client) {
    lab_Every_unions_req req{};
    lab_Every_unions_res res{};
    nk_arena_reset(&client.req_arena);
    req.a.tag = lab_Every_Value_tag_number;
    req.a.number = 17;
    req.b.value.tag = lab_Every_Value_tag_text;
    REQUIRE(NkKosCopyStringToArena(&client.req_arena, &req.b.value.text, "deep") == NK_EOK);
    REQUIRE(lab_Every_unions(client.every(), &req, &client.req_arena, &res, &client.res_arena) ==
            NK_EOK);
    CHECK(res.c.value.tag == lab_Every_Value_tag_number);
    CHECK(res.c.value.number == 42);
    REQUIRE(res.d[0].tag == lab_Every_Value_tag_mac);
    CHECK(res.d[0].mac[5] == 6);
}

/// Handles in unions and sequences; what is not there must not be sent, whatever was in memory.
void call_grants(CClient& client) {
    lab_Every_grants_req req;
    std::memset(&req, 0xEE, sizeof req);
    lab_Every_grants_res res{};
    nk_arena_reset(&client.req_arena);
    req.grant.tag = lab_Every_Grant_tag_ring;
    req.grant.ring.floor = 2;
    req.grant.ring.keys.count = 1;
    req.grant.ring.keys.items[0] = nk_handle_desc(0x10009);
    req.keys.count = 3;
    for (Handle i = 0; i < 3; ++i) {
        req.keys.items[i] = nk_handle_desc(0x10002 + i);
    }
    REQUIRE(lab_Every_grants(client.every(), &req, &client.req_arena, &res, &client.res_arena) ==
            NK_EOK);
    CHECK(fake.request.tag.handle_count() == 8);
    CHECK(std::ranges::count(fake.request.fixed, base::u8{0xEE}) == 0);
    REQUIRE(res.passes.count == 2);
    CHECK(nk_get_handle(&res.passes.items[1].valve) == 0x10003);
    CHECK(client.text(res.passes.items[1].name) == "pass");
    REQUIRE(res.back.tag == lab_Every_Grant_tag_key);
    CHECK(nk_get_handle(&res.back.key) == 0x10009);
    req.keys.count = 4;
    CHECK(lab_Every_grants(client.every(), &req, &client.req_arena, &res, &client.res_arena) ==
          NK_EINVAL);
}

/// What a client in C++ sees, whoever answers.
void call_everything(lab::Valve::Proxy& valve, lab::Every::Proxy& every) {
    const auto set = valve.Set(40, "test");
    REQUIRE(set.ok());
    CHECK(set.value().ok == 1);
    CHECK_FALSE(fake.answer.tag.is_long());
    const auto fault = valve.Set(101, "x");
    REQUIRE(fault.has_error());
    CHECK(fault.error().fault == 101);
    CHECK(valve.Limit({1, 2}).ok());
    const auto history = valve.History();
    REQUIRE(history.ok());
    REQUIRE(history.value().values.size() == 3);
    CHECK(history.value().values[2] == 3);

    const auto ints = every.ints(-1, -2, -3, -4, 5, 6, 7, 8);
    REQUIRE(ints.ok());
    CHECK(ints.value().s == 8);
    CHECK(ints.value().p == 7);
    const auto text = every.text("ab", "cde");
    REQUIRE(text.ok());
    CHECK(text.value().c == "ab");
    CHECK(text.value().d == "abcde");
    const std::array<base::u8, 60> data{1, 2, 3};
    const auto bytes = every.bytes(std::span{data}.first(40));
    REQUIRE(bytes.ok());
    CHECK(bytes.value().data.size() == 40);
    const auto long_bytes = every.bytes(data);
    REQUIRE(long_bytes.has_error());
    CHECK(long_bytes.error().why.size() == 10);
    const auto handles = every.handles(0x10002, 0x10003);
    REQUIRE(handles.ok());
    CHECK(handles.value().c.handle == 0x10002);
    CHECK(handles.value().d[0].handle == 0x10003);
    lab::Every::Deep deep;
    deep.value = lab::Every::Value::make_text(every.request_arena().add_text("deep"));
    const auto unions = every.unions(lab::Every::Value::make_number(17), deep);
    REQUIRE(unions.ok());
    REQUIRE(unions.value().c.value.is_number());
    CHECK(unions.value().c.value.number() == 42);
    REQUIRE(unions.value().d[0].is_mac());
    CHECK(unions.value().d[0].mac()[5] == 6);
    const auto arrays = every.arrays({10, 11, 12, 13, 14, 15}, {});
    REQUIRE(arrays.ok());
    CHECK(arrays.value().back[5] == 15);
    const std::array<base::u64, 4> numbers{1, 2, 3, base::u64{1} << 40};
    const auto seqs = every.seqs(numbers, {}, {});
    REQUIRE(seqs.ok());
    REQUIRE(seqs.value().d.size() == 2);
    CHECK(seqs.value().d[1].id == 22);
    CHECK(seqs.value().idl_arena.text(seqs.value().d[0].label) == "one");
    CHECK(every.until_().value().tag_ == 3);
    CHECK(every.nothing().ok());
    lab::Every::Keys keys;
    CHECK(keys.add({0x10004, 3, 0}));
    const auto grants = every.grants(lab::Every::Grant::make_key({0x10005, 1, 0}), keys);
    REQUIRE(grants.ok());
    REQUIRE(grants.value().passes.size() == 1);
    CHECK(grants.value().passes[0].valve.handle == 0x10004);
    CHECK(grants.value().idl_arena.text(grants.value().passes[0].name) == "pass");
    CHECK(grants.value().back.key().handle == 0x10005);
}

}  // namespace

TEST_CASE("a proxy in C reaches a server in C++", "[compat][binding]") {
    CppServer server;
    CClient client;
    lab_Valve_Set_res res{};
    REQUIRE(client.set(40, "test", res) == NK_EOK);
    CHECK(res.ok == 1);
    CHECK(server.valve.reason == "test");
    REQUIRE(client.set(101, "x", res) == NK_EOK);
    CHECK(nk_msg_check_err(&res));
    CHECK(res.err_.fault == 101);
    call_everything(client);
    CHECK(server.every.last_ints.d == -4);
    call_bytes(client);
    call_sequences(client);
    CHECK(server.every.sum == 6 + (1ull << 40));
    CHECK(server.every.records == 2);
    CHECK(server.every.texts == "first;second;");
    call_unions(client);
    call_grants(client);
    CHECK(server.every.number == 17);
    CHECK(server.every.deep_text == "deep");
}

TEST_CASE("a proxy in C++ reaches a dispatcher in C", "[compat][binding]") {
    CServer server;
    lab::Valve::Proxy valve{7, lab::Plant::endpoint::act_valve};
    lab::Every::Proxy every{7, lab::Plant::endpoint::act_interface};
    call_everything(valve, every);
    CHECK(std::string{lab_server.reason} == "x");
    CHECK(lab_server.limits.high == 2);
    CHECK(lab_server.sum == 6 + (1ull << 40));
    CHECK(lab_server.number == 17);
    CHECK(std::string{lab_server.deep_text} == "deep");
    CHECK(server.replied == NK_EOK);
}

TEST_CASE("a proxy in C reaches a dispatcher in C", "[compat][binding]") {
    CServer server;
    CClient client;
    lab_Valve_Set_res res{};
    REQUIRE(client.set(40, "test", res) == NK_EOK);
    CHECK(std::string{lab_server.reason} == "test");
    call_everything(client);
    call_bytes(client);
    call_sequences(client);
    CHECK(std::string{lab_server.texts} == "first;second;");
    CHECK(lab_server.records == 2);
    call_unions(client);
    call_grants(client);
    CHECK(std::string{lab_server.deep_text} == "deep");
    CHECK(server.dispatched == NK_EOK);
}

TEST_CASE("both bindings put the same bytes on the wire", "[compat][binding]") {
    CppServer server;
    CClient client;
    lab::Valve::Proxy valve{7, lab::Plant::endpoint::act_valve};
    lab_Valve_Set_req req;
    std::memset(&req, 0xEE, sizeof req);  // so that padding would show
    req.value = 40;
    lab_Valve_Set_res res{};
    REQUIRE(NkKosCopyStringToArena(&client.req_arena, &req.reason, "test") == NK_EOK);
    REQUIRE(lab_Valve_Set(client.valve(), &req, &client.req_arena, &res, NK_NULL) == NK_EOK);
    const test::Carried by_c = fake.request;
    REQUIRE(valve.Set(40, "test").ok());
    CHECK(by_c.tag == fake.request.tag);
    CHECK(by_c.fixed == fake.request.fixed);
    CHECK(by_c.arena == fake.request.arena);
}

TEST_CASE("neither padding nor the unused part of a union shows the sender's memory",
          "[compat][binding]") {
    CppServer server;
    CClient client;
    lab_Every_unions_req req;
    std::memset(&req, 0xEE, sizeof req);
    for (lab_Every_Value* const value : {&req.a, &req.b.value, &req.b.more[0], &req.b.more[1]}) {
        value->tag = lab_Every_Value_tag_tag;
        value->tag_ = 7;
    }
    req.b.names[0] = {};
    req.b.names[1] = {};
    lab_Every_unions_res res{};
    nk_arena_reset(&client.req_arena);
    REQUIRE(lab_Every_unions(client.every(), &req, &client.req_arena, &res, &client.res_arena) ==
            NK_EOK);
    for (const base::u8 byte : fake.request.fixed) {
        CHECK(byte != 0xEE);
    }
    lab_Every_seqs_req sequences{};
    lab_Every_seqs_res ignored{};
    nk_arena_reset(&client.req_arena);
    lab_Every_Proxy* const record =
        nk_arena_alloc(lab_Every_Proxy, &client.req_arena, &sequences.b, 1);
    REQUIRE(record != nullptr);
    std::memset(record, 0xEE, sizeof *record);
    record->new_ = 0;
    record->class_ = 0;
    record->a = 0;
    std::memset(record->tags, 0, sizeof record->tags);
    REQUIRE(lab_Every_seqs(
                client.every(), &sequences, &client.req_arena, &ignored, &client.res_arena) ==
            NK_EOK);
    CHECK(fake.request.arena == std::vector<base::u8>(32));
}

TEST_CASE("a response shows nothing that another client was told", "[compat][binding]") {
    CServer server;  // its response begins full of 0xEE
    CClient client;
    lab_server.result = NK_EOK;
    lab_Every_unions_req req{};
    lab_Every_unions_res res{};
    REQUIRE(lab_Every_unions(client.every(), &req, NK_NULL, &res, &client.res_arena) == NK_EOK);
    for (const base::u8 byte : fake.answer.fixed) {
        CHECK(byte != 0xEE);
    }
}

TEST_CASE("a parameter above its maximum is refused by the proxy", "[compat][binding]") {
    CppServer server;
    CClient client;
    lab_Valve_Set_res res{};
    CHECK(client.set(1, std::string(64, 'x'), res) == NK_EOK);
    CHECK(client.set(1, std::string(65, 'x'), res) == NK_EINVAL);
    lab_Every_unions_req unions{};
    unions.a.tag = 7;
    lab_Every_unions_res unions_res{};
    CHECK(lab_Every_unions(client.every(), &unions, NK_NULL, &unions_res, &client.res_arena) ==
          NK_EINVAL);
    lab_Valve_Set_req not_from_arena{{}, 1, {0, 4}};
    CHECK(lab_Valve_Set(client.valve(), &not_from_arena, NK_NULL, &res, NK_NULL) == NK_EINVAL);
    CHECK(server.valve.calls == 1);
}

TEST_CASE("an arena that is too small fails where it is filled", "[compat][binding]") {
    CServer server;
    CClient client;
    lab_server.history_count = 33;  // the interface allows 32
    lab_Valve_History_req req{};
    lab_Valve_History_res res{};
    CHECK(lab_Valve_History(client.valve(), &req, NK_NULL, &res, &client.res_arena) == NK_EBADMSG);
    CHECK(server.dispatched == NK_EINVAL);
    lab_server.history_count = 4000;
    CHECK(lab_Valve_History(client.valve(), &req, NK_NULL, &res, &client.res_arena) == NK_EBADMSG);
    CHECK(server.dispatched == NK_ENOMEM);
    CHECK(fake.answer.tag.kind() == abi::Kind::Error);
}

TEST_CASE("a malformed request does not reach the method", "[compat][binding]") {
    using Change = void (*)(test::Carried&);
    const Change changes[] = {
        [](test::Carried& m) { m.arena.pop_back(); },                    // outside
        [](test::Carried& m) { m.arena.back() = 'x'; },                  // no zero at the end
        [](test::Carried& m) { m.fixed[4] = 1; },                        // outside by one
        [](test::Carried& m) { std::memset(&m.fixed[4], 0xFF, 4); },     // far outside
        [](test::Carried& m) { std::memset(&m.fixed[8], 0xFF, 4); },     // huge
        [](test::Carried& m) { m.fixed.resize(8); },                     // fixed part cut
        [](test::Carried& m) { m.fixed.resize(24); },                    // fixed part grown
        [](test::Carried& m) { m.tag.value |= base::u64{1} << 40; },     // a handle
        [](test::Carried& m) { m.tag.value ^= base::u64{0x7F} << 4; },   // no such method
        [](test::Carried& m) { m.tag.value ^= base::u64{2} << 20; },     // nobody's endpoint
        [](test::Carried& m) { m.tag.value ^= base::u64{0x70} << 20; },  // no such endpoint
    };
    for (const Change change : changes) {
        CServer server;
        lab::Valve::Proxy valve{7, lab::Plant::endpoint::act_valve};
        fake.corrupt_request = change;
        fake.corrupt_answer = [](test::Carried& m) {
            CHECK(m.tag.kind() == abi::Kind::Error);
            CHECK(m.fixed.empty());
            m.tag = abi::Tag::make_short(abi::Kind::Error, 0, 0, 0);
        };
        CHECK_FALSE(valve.Set(40, "test").ok());
        CHECK(lab_server.calls == 0);
        CHECK((server.dispatched == NK_EBADMSG || server.dispatched == NK_ENOENT));
    }
}

TEST_CASE("malformed nested data does not reach the method", "[compat][binding]") {
    CServer server;
    lab::Every::Proxy every{7, lab::Plant::endpoint::act_interface};
    lab_server.sum = 77;
    const std::array<base::u64, 1> numbers{1};
    const std::array<abi::ArenaRange, 2> outer{};
    // The two inner ranges stand behind the number.
    fake.corrupt_request = [](test::Carried& m) { std::memset(&m.arena[8], 0xFF, 8); };
    CHECK_FALSE(every.seqs(numbers, {}, outer).ok());
    CHECK(server.dispatched == NK_EBADMSG);
    CHECK(lab_server.sum == 77);
}

TEST_CASE("a union with an unknown tag does not reach the method", "[compat][binding]") {
    CServer server;
    lab::Every::Proxy every{7, lab::Plant::endpoint::act_interface};
    fake.corrupt_request = [](test::Carried& m) { m.fixed[0] = 200; };
    CHECK_FALSE(every.unions(lab::Every::Value::make_number(1), {}).ok());
    CHECK(server.dispatched == NK_EBADMSG);
}

TEST_CASE("a malformed answer is an error of the proxy", "[compat][binding]") {
    using Change = void (*)(test::Carried&);
    const Change changes[] = {
        [](test::Carried& m) { m.arena.pop_back(); },
        [](test::Carried& m) { m.fixed[0] = 1; },
        [](test::Carried& m) { m.fixed.clear(); },
        [](test::Carried& m) { m.fixed[4] = 5; },
        [](test::Carried& m) {
            m.tag.value ^= base::u64{3} << 62;  // an error, which this method has not
        },
    };
    for (const Change change : changes) {
        CppServer server;
        CClient client;
        server.valve.history_size = 32;
        fake.corrupt_answer = change;
        lab_Valve_History_req req{};
        lab_Valve_History_res res{};
        const nk_err_t result =
            lab_Valve_History(client.valve(), &req, NK_NULL, &res, &client.res_arena);
        CHECK(result == NK_EBADMSG);
    }
}

TEST_CASE("a method's own failure and one that nobody implements are refusals",
          "[compat][binding]") {
    CServer server;
    CClient client;
    lab_Valve_Limit_req req{};
    lab_Valve_Limit_res res{};
    lab_server.result = NK_EAGAIN;
    CHECK(lab_Valve_Limit(client.valve(), &req, NK_NULL, &res, NK_NULL) == NK_EBADMSG);
    CHECK(server.dispatched == NK_EAGAIN);
    lab_Every_Method_req other{};
    lab_Every_Method_res other_res{};
    CHECK(lab_Every_Method(client.every(), &other, NK_NULL, &other_res, NK_NULL) == NK_EBADMSG);
    CHECK(server.dispatched == NK_ENOENT);
}

TEST_CASE("a local implementation is called like a proxy", "[compat][binding]") {
    lab_server_reset();
    lab_Valve_Limit_req req{{}, {3, 4}};
    lab_Valve_Limit_res res{};
    CHECK(lab_Valve_Limit(&lab_server.valve, &req, NK_NULL, &res, NK_NULL) == NK_EOK);
    CHECK(lab_server.limits.low == 3);
}
