// SPDX-License-Identifier: Apache-2.0
// The service locator over a start block as init writes it.
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <coresrv/sl/sl_api.h>
#include <runtime/start_block_writer.hpp>
#include <sdk/compat/locator.hpp>
#include <string>
#include <vector>

namespace {

/// The surroundings of a process that is connected to two classes and has this endpoint table.
class Process final {
public:
    explicit Process(const std::string& table) : table_(table) {
        sdk::StartBlockWriter writer;
        writer.add_connection("server_connection", 7, "acme.Server");
        writer.add_connection("other", 8, "acme.Serv");
        writer.add_file("endpoints", std::bit_cast<base::u64>(table_.data()), table_.size());
        const auto size =
            writer.finish({.task = "client", .eclass = "acme.Client", .listener = 9}, bytes());
        REQUIRE(size.ok());
        const auto block = sdk::StartBlock::open(bytes().first(size.value()));
        REQUIRE(block.ok());
        sdk::compat::set_surroundings(block.value());
    }

    ~Process() { sdk::compat::set_surroundings({}); }

    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

private:
    std::span<base::u8> bytes() {
        return {static_cast<base::u8*>(static_cast<void*>(words_.data())), words_.size() * 8};
    }

    std::string table_;
    std::vector<base::u64> words_ = std::vector<base::u64>(8192);
};

}  // namespace

TEST_CASE("channels are found by their ids", "[compat][locator]") {
    const Process process{""};
    CHECK(ServiceLocatorConnect("server_connection") == 7);
    CHECK(ServiceLocatorConnect("server") == INVALID_HANDLE);
    ServiceId id = 5;
    CHECK(ServiceLocatorRegister("any", NK_NULL, 0, &id) == 9);
    CHECK(id == 0);
    CHECK(ServiceLocatorRegister("any", NK_NULL, 0, NK_NULL) == 9);
}

TEST_CASE("endpoints are found by class and by path, in the server's class only",
          "[compat][locator]") {
    const Process process{"acme.Serv acme.Serv.ping 4\n"
                          "acme.Server acme.CPing.ping 0\n"
                          "acme.Server cserver.ping 0\n"
                          "acme.Server acme.Server.pong 12\n"
                          "acme.Server pong 12"};
    CHECK(ServiceLocatorGetRiid(7, "acme.CPing.ping") == 0);
    CHECK(ServiceLocatorGetRiid(7, "cserver.ping") == 0);
    CHECK(ServiceLocatorGetRiid(7, "acme.Server.pong") == 12);
    CHECK(ServiceLocatorGetRiid(7, "pong") == 12);
    CHECK(ServiceLocatorGetRiid(8, "acme.Serv.ping") == 4);
    for (const char* const unknown :
         {"", " ", "pon", "pongs", "ping", "acme.Serv.ping", "pong 12", "pong 12\nx", "Pong"}) {
        INFO(unknown);
        CHECK(ServiceLocatorGetRiid(7, unknown) == INVALID_RIID);
    }
    CHECK(ServiceLocatorGetRiid(8, "pong") == INVALID_RIID);
    CHECK(ServiceLocatorGetRiid(9, "pong") == INVALID_RIID);
    CHECK(ServiceLocatorGetRiid(INVALID_HANDLE, "pong") == INVALID_RIID);
}

TEST_CASE("a table that is damaged or missing names nothing", "[compat][locator]") {
    {
        const Process process{"acme.Server a x\nacme.Server b 65535\nacme.Server c 99999999999\n"
                              "acme.Server d \nacme.Server e 65534\nacme.Server"};
        for (const char* const name : {"a", "b", "c", "d", "f"}) {
            CHECK(ServiceLocatorGetRiid(7, name) == INVALID_RIID);
        }
        CHECK(ServiceLocatorGetRiid(7, "e") == 65534);
    }
    const Process empty{""};
    CHECK(ServiceLocatorGetRiid(7, "a") == INVALID_RIID);
    sdk::compat::set_surroundings({});
}
