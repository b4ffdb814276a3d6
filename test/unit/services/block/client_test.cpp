// SPDX-License-Identifier: Apache-2.0
// The client against a driver that dies, comes back, changes and lies, and a kernel that maps.
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <fake_ipc.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Handle.client.hpp>
#include <kl/core/VMM.client.hpp>
#include <map>
#include <memory>
#include <services/block/client.hpp>
#include <set>

namespace {

using namespace svc::block;
using base::Status;
using svc::storage::Error;
namespace api = kl::drivers::Block;

constexpr u32 kChannel = 0x5000;

constexpr s32 code_of(Status status) { return static_cast<s32>(status); }

/// A driver and the kernel around it. Lives are numbered; a channel meets each with NotConnected.
class World {
public:
    World() {
        fake::reset();
        fake::ipc().on_call = [this](const fake::Sent& sent) { return answer(sent); };
    }

    void kill() { is_alive = false; }

    /// A new life in `ms`.
    void revive_in(u64 ms) { born = fake::ipc().ticks + ms; }

    std::vector<u8> contents = std::vector<u8>(2000 * 512);
    u64 sectors = 2000;
    u32 sector_bytes = 512;
    u32 flags = api::WriteCache;
    char serial = 'a';
    bool is_alive = true;
    u64 born = 0;
    u64 die_after = ~u64{0};  // data requests; the one it dies in is performed if `performs_last`
    bool performs_last = false;
    Status open_status = Status::Ok;
    Status data_status = Status::Ok;
    u32 busy_answers = 0;
    u32 flushes = 0;
    u32 opens = 0;
    u32 closes = 0;
    std::set<u32> handles{};
    std::map<u64, std::unique_ptr<std::vector<u8>>> mappings{};
    u64 most_mappings = 0;

private:
    static fake::Answer failed(Status status) {
        fake::Answer answer;
        answer.status = status;
        return answer;
    }

    fake::Answer answer(const fake::Sent& sent) {
        if (sent.handle == sdk::kKernelHandle) {
            return answer_kernel(sent);
        }
        if (!is_alive && born != 0 && fake::ipc().ticks >= born) {
            is_alive = true;
            is_met = false;
            ++life;
            born = 0;
            session = 0;
        }
        if (!is_alive) {
            return failed(Status::NotConnected);
        }
        if (sent.handle == kChannel) {
            if (!is_met) {
                is_met = true;
                return failed(Status::NotConnected);
            }
            return open(sent);
        }
        if (sent.handle != session || session == 0) {
            return failed(Status::NotConnected);
        }
        return answer_session(sent);
    }

    fake::Answer answer_kernel(const fake::Sent& sent) {
        namespace endpoint = kl::core::Core::endpoint;
        if (sent.tag.endpoint() == endpoint::handle_Handle) {
            handles.erase(fake::fixed_of<kl::core::Handle::Close_Request>(sent).target);
            return fake::respond(sent, kl::core::Handle::Close_Response{});
        }
        REQUIRE(sent.tag.endpoint() == endpoint::vmm_VMM);
        if (sent.tag.method() == kl::core::VMM::Free_Traits::kMethod) {
            const auto request = fake::fixed_of<kl::core::VMM::Free_Request>(sent);
            REQUIRE(mappings.erase(request.address) == 1);
            return fake::respond(sent, kl::core::VMM::Free_Response{});
        }
        auto memory = std::make_unique<std::vector<u8>>(kBufferBytes);
        const u64 at = std::bit_cast<u64>(memory->data());
        mappings[at] = std::move(memory);
        most_mappings = std::max<u64>(most_mappings, mappings.size());
        buffer = at;
        return fake::respond(sent, kl::core::VMM::MdlMap_Response{.at = at});
    }

    fake::Answer open(const fake::Sent& sent) {
        ++opens;
        if (open_status != Status::Ok) {
            return with_handles(sent, {.rc = code_of(open_status)});
        }
        session = 0x100 + 0x10 * opens;
        handles.insert({session, session + 1, session + 2});
        return with_handles(sent,
                            {.session = {.handle = session},
                             .buffer = {.handle = session + 1},
                             .keep = {.handle = session + 2},
                             .bufferSize = kBufferBytes});
    }

    /// However small, a message with handles is a long one.
    static fake::Answer with_handles(const fake::Sent& sent, const api::Open_Response& response) {
        fake::Answer answer = fake::respond(sent, response);
        answer.tag = abi::Tag::make_long(abi::Kind::Response,
                                         sent.tag.endpoint(),
                                         sent.tag.method(),
                                         api::kOpen_ResponseHandles);
        return answer;
    }

    fake::Answer answer_session(const fake::Sent& sent) {
        switch (sent.tag.method()) {
        case api::GetInfo_Traits::kMethod: {
            api::GetInfo_Response response{
                .sectors = sectors, .sectorSize = sector_bytes, .flags = flags};
            response.serial[0] = static_cast<u8>(serial);
            return fake::respond(sent, response);
        }
        case api::Close_Traits::kMethod:
            ++closes;
            return fake::respond(sent, api::Close_Response{});
        default:
            break;
        }
        if (busy_answers > 0) {
            --busy_answers;
            return fake::respond(sent, api::Read_Response{.rc = code_of(Status::Busy)});
        }
        const bool dies = die_after == 0;
        die_after -= die_after == ~u64{0} ? 0 : 1;
        if (!dies || performs_last) {
            perform(sent);
        }
        if (dies) {
            die_after = ~u64{0};
            is_alive = false;
            return failed(Status::NotConnected);
        }
        if (data_status == Status::Timeout) {
            return failed(data_status);
        }
        return fake::respond(sent, api::Read_Response{.rc = code_of(data_status)});
    }

    void perform(const fake::Sent& sent) {
        if (sent.tag.method() == api::Flush_Traits::kMethod) {
            ++flushes;
            return;
        }
        const auto request = fake::fixed_of<api::Read_Request>(sent);
        u8* const memory = mappings.at(buffer)->data() + request.offset;
        u8* const there = &contents.at(request.sector * sector_bytes);
        const std::size_t size = std::size_t{request.count} * sector_bytes;
        REQUIRE(request.offset + size <= kBufferBytes);
        if (sent.tag.method() == api::Read_Traits::kMethod) {
            std::memcpy(memory, there, size);
        } else {
            std::memcpy(there, memory, size);
        }
    }

    u32 session = 0;
    u64 buffer = 0;
    u32 life = 1;
    bool is_met = true;
};

struct Setup {
    World world{};
    Client client{{.channel = kChannel, .disk = "vda", .patience_ms = 1000, .answer_ms = 5000}};
    std::vector<u8> data = std::vector<u8>(1500 * 512);
};

}  // namespace

TEST_CASE("a client is a device of the disk's size", "[services][block]") {
    Setup setup;
    REQUIRE(setup.client.open().ok());
    CHECK(setup.client.block_bytes() == 512);
    CHECK(setup.client.block_count() == 2000);
    CHECK_FALSE(setup.client.is_read_only());
    CHECK(setup.client.reopened() == 0);
    setup.client.close();
    CHECK(setup.world.closes == 1);
    CHECK(setup.world.handles.empty());
    CHECK(setup.world.mappings.empty());
    CHECK(setup.client.flush().status() == Error::Io);
}

TEST_CASE("requests larger than the buffer go in pieces", "[services][block]") {
    Setup setup;
    REQUIRE(setup.client.open().ok());
    for (std::size_t i = 0; i < setup.data.size(); ++i) {
        setup.data[i] = static_cast<u8>(i * 7 / 3);
    }
    REQUIRE(setup.client.write(3, setup.data).ok());
    CHECK(std::memcmp(&setup.world.contents[3 * 512], setup.data.data(), setup.data.size()) == 0);
    std::vector<u8> back(setup.data.size());
    REQUIRE(setup.client.read(3, back).ok());
    CHECK(back == setup.data);
    CHECK(setup.client.flush().ok());
    CHECK(setup.world.flushes == 1);
}

TEST_CASE("what does not fit the disk is invalid", "[services][block]") {
    Setup setup;
    REQUIRE(setup.client.open().ok());
    const std::span<u8> data{setup.data};
    CHECK(setup.client.read(2000, data.first(512)).status() == Error::Invalid);
    CHECK(setup.client.read(1999, data.first(1024)).status() == Error::Invalid);
    CHECK(setup.client.read(0, data.first(511)).status() == Error::Invalid);
    CHECK(setup.client.write(~u64{0}, data.first(512)).status() == Error::Invalid);
    CHECK(setup.client.write(0, data.first(0)).status() == Error::Invalid);
}

TEST_CASE("a request goes on in the driver's next life", "[services][block]") {
    Setup setup;
    REQUIRE(setup.client.open().ok());
    std::ranges::fill(setup.data, u8{9});
    setup.world.die_after = 1;  // in the second of three pieces
    setup.world.revive_in(200);
    SECTION("which it was asked for and never began") {}
    SECTION("which it finished and never answered") { setup.world.performs_last = true; }
    REQUIRE(setup.client.write(0, setup.data).ok());
    CHECK(setup.client.reopened() == 1);
    CHECK(std::memcmp(setup.world.contents.data(), setup.data.data(), setup.data.size()) == 0);
    // The old buffer stayed until the device was reset, and no longer.
    CHECK(setup.world.most_mappings == 2);
    CHECK(setup.world.mappings.size() == 1);
    CHECK(setup.world.handles.size() == 3);
    REQUIRE(setup.client.flush().ok());
}

TEST_CASE("a flush is repeated", "[services][block]") {
    Setup setup;
    REQUIRE(setup.client.open().ok());
    setup.world.die_after = 0;
    setup.world.revive_in(50);
    CHECK(setup.client.flush().ok());
    CHECK(setup.world.flushes == 1);
}

TEST_CASE("a driver that does not come back is an error, in time, and soon after",
          "[services][block]") {
    Setup setup;
    REQUIRE(setup.client.open().ok());
    setup.world.kill();
    u64 before = fake::ipc().ticks;
    CHECK(setup.client.flush().status() == Error::Io);
    CHECK(fake::ipc().ticks - before >= 1000);
    CHECK(fake::ipc().ticks - before < 1200);
    CHECK(setup.world.mappings.empty());
    before = fake::ipc().ticks;
    CHECK(setup.client.flush().status() == Error::Io);
    CHECK(fake::ipc().ticks - before < 50);
    setup.world.revive_in(0);
    CHECK(setup.client.flush().ok());  // and works again when it does
}

TEST_CASE("a disk that came back as another one stays lost", "[services][block]") {
    Setup setup;
    REQUIRE(setup.client.open().ok());
    setup.world.kill();
    setup.world.revive_in(10);
    SECTION("another serial number") { setup.world.serial = 'b'; }
    SECTION("another size") { setup.world.sectors = 1999; }
    SECTION("other sectors") { setup.world.sector_bytes = 1024; }
    SECTION("read-only") { setup.world.flags |= api::ReadOnly; }
    SECTION("none") { setup.world.open_status = Status::ResourceNotFound; }
    SECTION("broken") { setup.world.open_status = Status::NotReady; }
    CHECK(setup.client.read(0, std::span{setup.data}.first(512)).status() == Error::Io);
    CHECK(setup.client.write(0, std::span{setup.data}.first(512)).status() == Error::Io);
    CHECK(setup.client.flush().status() == Error::Io);
    CHECK(setup.world.mappings.empty());
    CHECK(setup.world.handles.empty());
}

TEST_CASE("a disk that is not there cannot be opened", "[services][block]") {
    Setup setup;
    SECTION("unknown") {
        setup.world.open_status = Status::ResourceNotFound;
        CHECK(setup.client.open().status() == Error::NoDevice);
    }
    SECTION("broken") {
        setup.world.open_status = Status::NotReady;
        CHECK(setup.client.open().status() == Error::Io);
    }
    SECTION("no memory") {
        setup.world.open_status = Status::OutOfMemory;
        CHECK(setup.client.open().status() == Error::NoMemory);
    }
    SECTION("of no size") {
        setup.world.sectors = 0;
        CHECK(setup.client.open().status() == Error::Io);
    }
    SECTION("of crooked sectors") {
        setup.world.sector_bytes = 768;
        CHECK(setup.client.open().status() == Error::Io);
    }
    SECTION("of more than there can be") {
        setup.world.sectors = ~u64{0};
        CHECK(setup.client.open().status() == Error::Io);
    }
    CHECK(setup.world.handles.empty());
    CHECK(setup.world.mappings.empty());
}

TEST_CASE("a driver that starts late is waited for", "[services][block]") {
    Setup setup;
    setup.world.kill();
    setup.world.revive_in(500);
    CHECK(setup.client.open().ok());
    CHECK(setup.client.reopened() == 0);
}

TEST_CASE("errors of the device are told and end nothing", "[services][block]") {
    Setup setup;
    REQUIRE(setup.client.open().ok());
    setup.world.data_status = Status::Fail;
    CHECK(setup.client.write(0, std::span{setup.data}.first(512)).status() == Error::Io);
    setup.world.data_status = Status::NoCapability;
    CHECK(setup.client.write(0, std::span{setup.data}.first(512)).status() == Error::ReadOnly);
    setup.world.data_status = Status::Ok;
    setup.world.busy_answers = 3;
    CHECK(setup.client.write(0, std::span{setup.data}.first(512)).ok());
    CHECK(setup.world.opens == 1);
}

TEST_CASE("a session that did not answer in time is not used again", "[services][block]") {
    Setup setup;
    REQUIRE(setup.client.open().ok());
    setup.world.data_status = Status::Timeout;
    CHECK(setup.client.flush().status() == Error::Io);
    CHECK(setup.world.mappings.empty());
    CHECK(setup.world.handles.empty());
    setup.world.data_status = Status::Ok;
    CHECK(setup.client.flush().ok());
    CHECK(setup.world.opens == 2);
}

TEST_CASE("a read-only disk is not written", "[services][block]") {
    Setup setup;
    setup.world.flags = api::ReadOnly;
    REQUIRE(setup.client.open().ok());
    CHECK(setup.client.is_read_only());
    CHECK(setup.client.write(0, std::span{setup.data}.first(512)).status() == Error::ReadOnly);
    CHECK(setup.client.read(0, std::span{setup.data}.first(512)).ok());
}
