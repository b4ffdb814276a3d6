// SPDX-License-Identifier: Apache-2.0
#include "fakes.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fake_ipc.hpp>
#include <kernel/abi/rights.hpp>

namespace {

using namespace test_block;

constexpr s32 code_of(Status status) { return static_cast<s32>(status); }

struct Driver {
    Driver() {
        fake::reset();
        fake::ipc().on_reply = [this](const fake::Sent& sent) {
            replies.push_back(sent);
            return reply_status;
        };
        (void)server.add(disk, "mmc0");
        (void)server.add(other);
    }

    idl::Caller caller(u64 badge, u64 token = 1) {
        return {.badge = badge, .token = token, .arena = arena};
    }

    /// The session's number, 0 when there is none; `rc` tells why.
    u64 open(std::string_view name, u64 owner = 5) {
        const std::size_t before = replies.size();
        const auto outcome = server.Open(caller(owner), {.disk = name});
        if (!outcome.is_deferred()) {
            rc = outcome.results().rc;
            return 0;
        }
        REQUIRE(replies.size() == before + 1);
        opened = fake::fixed_of<api::Open_Response>(replies.back());
        rc = opened.rc;
        return kSessionBit | opened.session.handle / 16;
    }

    s32 read(u64 session, u64 sector, u32 count, u32 offset, u64 token = 1) {
        const auto outcome = server.Read(caller(session, token),
                                         {.sector = sector, .count = count, .offset = offset});
        return outcome.is_deferred() ? 1 : outcome.results().rc;
    }

    s32 write(u64 session, u64 sector, u32 count, u32 offset) {
        const auto outcome =
            server.Write(caller(session), {.sector = sector, .count = count, .offset = offset});
        return outcome.is_deferred() ? 1 : outcome.results().rc;
    }

    s32 flush(u64 session) {
        const auto outcome = server.Flush(caller(session), {});
        return outcome.is_deferred() ? 1 : outcome.results().rc;
    }

    void complete(FakeDisk& which, Outcome outcome = Outcome::Good) {
        const Transfer transfer = which.begun.front();
        which.begun.pop_front();
        server.done(transfer.number, outcome);
    }

    /// Of the last answer that came later.
    [[nodiscard]] s32 last_rc() const {
        return fake::fixed_of<api::Read_Response>(replies.back()).rc;
    }

    FakeSessions sessions{};
    FakeDisk disk{"vda"};
    FakeDisk other{"vdb"};
    Server server{sessions, 77};
    idl::ArenaWriter arena{};
    std::vector<fake::Sent> replies{};
    Status reply_status = Status::Ok;
    api::Open_Response opened{};
    s32 rc = 0;
};

constexpr s32 kLater = 1;

}  // namespace

TEST_CASE("a session is handed out with no more rights than it needs", "[services][block]") {
    Driver driver;
    const u64 session = driver.open("vda");
    REQUIRE(session != 0);
    CHECK(driver.opened.session.rights == abi::rights::kCall);
    CHECK(driver.opened.session.badge == driver.opened.session.handle + 1);
    CHECK(driver.opened.buffer.rights == (abi::rights::kRead | abi::rights::kWrite));
    CHECK(driver.opened.keep.handle == 77);
    CHECK(driver.opened.keep.rights == 0);
    CHECK(driver.opened.bufferSize == kBufferBytes);
    CHECK(driver.server.session_count() == 1);
}

TEST_CASE("disks are found by their name and their other name", "[services][block]") {
    Driver driver;
    CHECK(driver.open("mmc0") != 0);
    CHECK(driver.open("vdb") != 0);
    CHECK(driver.open("") == 0);
    CHECK(driver.rc == code_of(Status::ResourceNotFound));
    CHECK(driver.open("vdc") == 0);
    CHECK(driver.rc == code_of(Status::ResourceNotFound));
    driver.disk.is_working = false;
    CHECK(driver.open("vda") == 0);
    CHECK(driver.rc == code_of(Status::NotReady));
    CHECK(driver.server.Enumerate(driver.caller(0), {.index = 1}).results().disk == "vdb");
    CHECK(driver.server.Enumerate(driver.caller(0), {.index = 2}).results().rc ==
          code_of(Status::ResourceNotFound));
}

TEST_CASE("a client that did not get its session has none", "[services][block]") {
    Driver driver;
    driver.reply_status = Status::StaleToken;
    (void)driver.open("vda");
    CHECK(driver.server.session_count() == 0);
    CHECK(driver.sessions.live.empty());
}

TEST_CASE("there are so many sessions and no more", "[services][block]") {
    Driver driver;
    driver.sessions.fails = true;
    CHECK(driver.open("vda") == 0);
    CHECK(driver.rc == code_of(Status::OutOfMemory));
    driver.sessions.fails = false;
    std::vector<u64> all;
    for (u32 i = 0; i < kMaxSessions; ++i) {
        if (i % kSessionsPerClient == 0 && i > 0) {  // the rest is for others
            CHECK(driver.open("vda", i / kSessionsPerClient) == 0);
            CHECK(driver.rc == code_of(Status::OutOfMemory));
        }
        all.push_back(driver.open("vda", 1 + i / kSessionsPerClient));
        CHECK(all.back() != 0);
    }
    CHECK(driver.open("vda", 99) == 0);
    CHECK(driver.rc == code_of(Status::OutOfMemory));
    CHECK(driver.server.Close(driver.caller(all[3]), {}).results().rc == 0);
    const u64 next = driver.open("vda", 99);
    CHECK(next != 0);
    CHECK(next != all[3]);  // numbers are never used again
    CHECK(driver.read(all[3], 0, 1, 0) == code_of(Status::BadHandle));
}

TEST_CASE("a request reaches its own disk, sectors and memory", "[services][block]") {
    Driver driver;
    const u64 session = driver.open("vdb");
    driver.other.shape.sector_bytes = 4096;
    CHECK(driver.read(session, 999, 1, 4096) == kLater);
    REQUIRE(driver.other.begun.size() == 1);
    CHECK(driver.disk.begun.empty());
    const Transfer& transfer = driver.other.begun.front();
    CHECK(transfer.operation == Operation::Read);
    CHECK(transfer.sector == 999);
    CHECK(transfer.memory.data() == driver.sessions.live[session].data() + 4096);
    CHECK(transfer.memory.size() == 4096);
    CHECK(transfer.device_address == ((session & ~kSessionBit) << 20) + 4096);
}

TEST_CASE("claims that do not fit are refused before the disk sees them", "[services][block]") {
    Driver driver;
    const u64 session = driver.open("vda");

    struct {
        u64 sector;
        u32 count;
        u32 offset;
    } const kWrong[] = {
        {0, 0, 0},
        {1000, 1, 0},
        {999, 2, 0},
        {~u64{0}, 1, 0},
        {~u64{0}, ~u32{0}, 0},
        {0, ~u32{0}, 0},
        {0, 513, 0},
        {0, 512, 512},
        {0, 1, kBufferBytes},
        {0, 1, ~u32{0} - 511},
        {0, 1, 1},
        {0, 1, 511},
    };

    for (const auto& wrong : kWrong) {
        INFO(wrong.sector << " " << wrong.count << " " << wrong.offset);
        CHECK(driver.read(session, wrong.sector, wrong.count, wrong.offset) ==
              code_of(Status::InvalidArgument));
        CHECK(driver.write(session, wrong.sector, wrong.count, wrong.offset) ==
              code_of(Status::InvalidArgument));
    }
    CHECK(driver.disk.seen.empty());
    driver.disk.shape.is_read_only = true;
    CHECK(driver.write(session, 0, 1, 0) == code_of(Status::NoCapability));
    CHECK(driver.read(session, 0, 1, 0) == kLater);
}

TEST_CASE("who has no session may do nothing", "[services][block]") {
    Driver driver;
    const u64 session = driver.open("vda");
    // On a channel the badge is a process's SID, which may be any small number.
    for (const u64 badge : {u64{0}, session & ~kSessionBit, session + 1, ~u64{0}}) {
        CHECK(driver.read(badge, 0, 1, 0) == code_of(Status::BadHandle));
        CHECK(driver.write(badge, 0, 1, 0) == code_of(Status::BadHandle));
        CHECK(driver.flush(badge) == code_of(Status::BadHandle));
        CHECK(driver.server.GetInfo(driver.caller(badge), {}).results().rc ==
              code_of(Status::BadHandle));
        CHECK(driver.server.Close(driver.caller(badge), {}).results().rc ==
              code_of(Status::BadHandle));
    }
    CHECK(driver.server.session_count() == 1);
}

TEST_CASE("information is the disk's", "[services][block]") {
    Driver driver;
    driver.disk.shape.is_read_only = true;
    driver.disk.shape.serial[0] = 'x';
    const u64 session = driver.open("vda");
    const auto info = driver.server.GetInfo(driver.caller(session), {}).results();
    CHECK(info.sectors == 1000);
    CHECK(info.sectorSize == 512);
    CHECK(info.flags == (api::ReadOnly | api::WriteCache));
    CHECK(info.serial[0] == 'x');
}

TEST_CASE("answers come when the disk is done, to whoever asked", "[services][block]") {
    Driver driver;
    const u64 session = driver.open("vda");
    CHECK(driver.read(session, 0, 1, 0, 11) == kLater);
    CHECK(driver.read(session, 1, 1, 0, 12) == kLater);
    driver.complete(driver.disk, Outcome::Failed);
    CHECK(driver.replies.back().token == 11);
    CHECK(driver.last_rc() == code_of(Status::Fail));
    driver.complete(driver.disk);
    CHECK(driver.replies.back().token == 12);
    CHECK(driver.last_rc() == 0);
    const std::size_t count = driver.replies.size();
    driver.server.done(0, Outcome::Good);  // nothing is under way
    driver.server.done(~u32{0}, Outcome::Good);
    CHECK(driver.replies.size() == count);
    driver.disk.answer = Begun::Good;
    CHECK(driver.flush(session) == 0);
    driver.disk.answer = Begun::Failed;
    CHECK(driver.flush(session) == code_of(Status::Fail));
}

TEST_CASE("what a full disk cannot take waits its turn", "[services][block]") {
    Driver driver;
    driver.disk.capacity = 1;
    const u64 first = driver.open("vda");
    const u64 second = driver.open("vda");
    CHECK(driver.read(first, 1, 1, 0) == kLater);
    CHECK(driver.read(second, 2, 1, 0) == kLater);
    CHECK(driver.read(first, 3, 1, 0) == kLater);
    CHECK(driver.disk.begun.size() == 1);
    for (u64 sector = 1; sector <= 3; ++sector) {
        REQUIRE(driver.disk.begun.size() == 1);
        CHECK(driver.disk.begun.front().sector == sector);
        driver.complete(driver.disk);
    }
    CHECK(driver.disk.begun.empty());
}

TEST_CASE("one session cannot take all the requests there are", "[services][block]") {
    Driver driver;
    const u64 greedy = driver.open("vda");
    const u64 modest = driver.open("vda");
    for (u32 i = 0; i < kRequestsPerSession; ++i) {
        CHECK(driver.read(greedy, 0, 1, 0) == kLater);
    }
    CHECK(driver.read(greedy, 0, 1, 0) == code_of(Status::Busy));
    CHECK(driver.read(modest, 0, 1, 0) == kLater);
}

TEST_CASE("a session ends when its client does, but not under the device", "[services][block]") {
    Driver driver;
    driver.disk.capacity = 1;
    const u64 session = driver.open("vda");
    CHECK(driver.read(session, 0, 1, 0, 21) == kLater);
    CHECK(driver.read(session, 0, 1, 0, 22) == kLater);  // waits
    SECTION("by an event") { (void)driver.server.Notify(driver.caller(session), {.bits = 4}); }
    SECTION("by Close") {
        CHECK(driver.server.Close(driver.caller(session), {}).results().rc == 0);
    }
    CHECK(driver.replies.back().token == 22);
    CHECK(driver.last_rc() == code_of(Status::Fail));
    CHECK(driver.sessions.live.size() == 1);  // the disk still writes there
    CHECK(driver.read(session, 0, 1, 0) == code_of(Status::BadHandle));
    driver.complete(driver.disk);
    CHECK(driver.replies.back().token == 21);
    CHECK(driver.last_rc() == code_of(Status::Fail));
    CHECK(driver.sessions.live.empty());
    CHECK(driver.server.session_count() == 0);
    (void)driver.server.Notify(driver.caller(session), {.bits = 4});  // late, and meets nobody
}

TEST_CASE("memory of a stuck disk is never used again", "[services][block]") {
    Driver driver;
    const u64 session = driver.open("vda");
    CHECK(driver.read(session, 0, 1, 0) == kLater);
    driver.disk.is_stuck_now = true;
    driver.complete(driver.disk, Outcome::Failed);
    (void)driver.server.Notify(driver.caller(session), {.bits = 4});
    CHECK(driver.sessions.live.size() == 1);
}

TEST_CASE("a server has so many disks and no more", "[services][block]") {
    Driver driver;
    for (u32 i = 2; i < 8; ++i) {
        CHECK(driver.server.add(driver.other));
    }
    CHECK_FALSE(driver.server.add(driver.other));
}
