// SPDX-License-Identifier: Apache-2.0
// Arenas that travel as pages: they leave their sender and are the receiver's, to whom they cost
// what they cost before. Wherever that cannot be, they are copied.
#include "long_pair.hpp"

#include <catch2/generators/catch_generators.hpp>
#include <kernel/control/teardown.hpp>
#include <kernel/object/memory.hpp>

using namespace kernel_test;

namespace {

constexpr u32 kPage = 4096;
constexpr u32 kPages = 9;  // more than a copy step, and than an allocation step
constexpr u32 kSize = kPages * kPage;
constexpr u64 kOut = 0x4000'0000;
constexpr u64 kIn = 0x4100'0000;
constexpr u16 kBack = 5;  // takes an arena, answers with one
constexpr u16 kMuch = 6;  // takes so much that it moves in several steps
constexpr u32 kManyPages = 3 * kernel::kMovedPerStep;

struct MovePair : LongPair {
    explicit MovePair(u32 cpu_count = 1) : LongPair(cpu_count) {
        kernel.policy.add_method(kServerClass,
                                 0,
                                 kMuch,
                                 make_shape(kFixedSize, kManyPages * kPage),
                                 make_shape(kFixedSize, kArenaSize));
        kernel.policy.add_method(kServerClass,
                                 0,
                                 kBack,
                                 make_shape(kFixedSize, kArenaSize),
                                 make_shape(kFixedSize, kArenaSize));
        kernel.policy.grant_fast(
            kClientClass,
            kServerClass,
            abi::Tag::make_long(abi::Kind::Request, 0, kBack, 0).value | ksec::kIfItFits,
            abi::Tag::make_long(abi::Kind::Response, 0, kBack, 0).value | ksec::kIfItFits);
        data.resize(kSize);
        for (u32 i = 0; i < kSize; ++i) {
            data[i] = static_cast<u8>(i * 7 + i / kPage);
        }
        kernel.put(*server.process, kFixed, fixed);
    }

    /// Memory of which the pages from `first` on are committed.
    static kernel::Region&
    reserve(Process& process, u64 at, u32 first = kPages, u32 pages = kPages) {
        const auto region = kernel::reserve_region(
            process, {.address = at, .size = u64{pages} * kPage, .writable = true});
        REQUIRE(region.ok());
        for (u32 done = first; done < pages;) {
            const auto mapped = kernel::map_region_step(
                process, region.value(), done, {.read = true, .write = true});
            REQUIRE(mapped.ok());
            done = mapped.value();
        }
        return region.value();
    }

    void prepare(u32 committed_from = kPages) {
        reserve(*client.process, kOut, 0);
        reserve(*server.process, kIn, committed_from);
        kernel.put(*client.process, kOut, data);
    }

    void receive_pages() {
        kernel.receive(
            server,
            listener,
            {.room_fixed = buffer(kRoomFixed, kFixedSize), .room_arena = buffer(kIn, kArenaSize)},
            2);
    }

    void send_pages(u16 method = kBack, u32 size = kSize, u64 from = kOut) {
        kernel.call(client,
                    channel,
                    with(abi::Tag::make_long(abi::Kind::Request, 0, method, 0),
                         abi::Tag::kArena | abi::Tag::kRoom | abi::Tag::kMovesPages),
                    {.send_fixed = buffer(kFixed, kFixedSize),
                     .send_arena = buffer(from, size),
                     .room_fixed = buffer(kRoomFixed, kFixedSize),
                     .room_arena = buffer(kOut, kArenaSize)});
    }

    void reply_pages(u64 token) {
        kernel.reply(server,
                     listener,
                     token,
                     with(abi::Tag::make_long(abi::Kind::Response, 0, kBack, 0),
                          abi::Tag::kArena | abi::Tag::kMovesPages),
                     {.send_fixed = buffer(kFixed, kFixedSize),
                      .send_arena = buffer(kIn, kSize),
                      .room_fixed = buffer(kRoomFixed, kFixedSize),
                      .room_arena = buffer(kIn, kArenaSize)});
    }

    static u32 pages_at(Process& process, u64 at, u32 pages = kPages) {
        u32 count = 0;
        for (u32 i = 0; i < pages; ++i) {
            count += process.table.look_up(base::VirtAddr{at + u64{i} * kPage}).ok() ? 1 : 0;
        }
        return count;
    }

    void check_data(Process& process, u64 at) { CHECK(kernel.get(process, at, kSize) == data); }

    std::vector<u8> data;
};

}  // namespace

TEST_CASE("pages move to the server and back, and their cost with them", "[kernel][ipc]") {
    MovePair pair;
    pair.prepare();
    Process& client = *pair.client.process;
    Process& server = *pair.server.process;
    const u64 client_paid = client.used_pages;
    pair.receive_pages();
    pair.send_pages();
    const Answer got = Kernel::answer_of(pair.server);
    REQUIRE(got.status == Status::Ok);
    CHECK(got.arena_size == kSize);
    CHECK((got.tag.value & abi::Tag::kMovesPages) == 0);
    CHECK(MovePair::pages_at(client, kOut) == 0);
    CHECK(client.used_pages == client_paid - kPages);
    pair.check_data(server, kIn);
    CHECK(pair.kernel.policy.asked.empty());
    const u64 server_paid = server.used_pages;
    pair.reply_pages(got.token);
    const Answer back = Kernel::answer_of(pair.client);
    REQUIRE(back.status == Status::Ok);
    CHECK(back.arena_size == kSize);
    CHECK(MovePair::pages_at(server, kIn) == 0);
    CHECK(server.used_pages == server_paid - kPages);
    CHECK(client.used_pages == client_paid);
    pair.check_data(client, kOut);
    CHECK(pair.kernel.policy.asked.empty());
    pair.kernel.check_invariants();
}

TEST_CASE("the translations of moved pages are dropped", "[kernel][ipc]") {
    MovePair pair;
    pair.prepare();
    pair.receive_pages();
    mock::machine().tlb_drops.clear();
    pair.send_pages();
    const auto& drops = mock::machine().tlb_drops;
    REQUIRE(drops.size() == kPages);
    CHECK(drops.front().asid == pair.client.process->table.asid());
    CHECK(drops.back().page == base::VirtAddr{kOut + u64{kPages - 1} * kPage});
}

TEST_CASE("pages of a queued request move when it is taken", "[kernel][ipc]") {
    MovePair pair;
    pair.prepare();
    pair.send_pages();
    CHECK(MovePair::pages_at(*pair.client.process, kOut) == kPages);
    pair.receive_pages();
    pair.kernel.run(pair.server);
    CHECK(Kernel::answer_of(pair.server).status == Status::Ok);
    CHECK(MovePair::pages_at(*pair.client.process, kOut) == 0);
    pair.check_data(*pair.server.process, kIn);
    pair.kernel.check_invariants();
}

TEST_CASE("pages move across the ends of tables, however few are behind", "[kernel][ipc]") {
    const u32 behind = GENERATE(1U, 3U, 4U, 5U, 8U);
    constexpr u64 kBoundary = 0x4120'0000;
    MovePair pair;
    const u64 target = kBoundary - u64{kPages - behind} * kPage;
    MovePair::reserve(*pair.client.process, kOut, 0);
    MovePair::reserve(*pair.server.process, target);
    pair.kernel.put(*pair.client.process, kOut, pair.data);
    pair.kernel.receive(
        pair.server,
        pair.listener,
        {.room_fixed = buffer(kRoomFixed, kFixedSize), .room_arena = buffer(target, kArenaSize)},
        2);
    pair.send_pages();
    pair.kernel.run(pair.server);
    REQUIRE(Kernel::answer_of(pair.server).status == Status::Ok);
    CHECK(MovePair::pages_at(*pair.client.process, kOut) == 0);
    pair.check_data(*pair.server.process, target);
    pair.kernel.check_invariants();
}

TEST_CASE("what cannot move is copied", "[kernel][ipc]") {
    MovePair pair;
    SECTION("the room has pages") {
        pair.prepare(0);
        pair.receive_pages();
        pair.send_pages();
        CHECK(MovePair::pages_at(*pair.client.process, kOut) == kPages);
    }
    SECTION("the room has pages at its end") {
        pair.prepare(2);
        pair.receive_pages();
        pair.send_pages();
        CHECK(MovePair::pages_at(*pair.client.process, kOut) == kPages - 2);
    }
    SECTION("a rule reads it") {
        pair.prepare(0);
        pair.receive_pages();
        pair.send_pages(kStaged);
        CHECK(MovePair::pages_at(*pair.client.process, kOut) == kPages);
    }
    pair.kernel.run(pair.server);
    CHECK(Kernel::answer_of(pair.server).status == Status::Ok);
    pair.check_data(*pair.server.process, kIn);
    pair.kernel.check_invariants();
}

TEST_CASE("what is not a process's own does not move", "[kernel][ipc]") {
    MovePair pair;
    pair.prepare();
    u32 size = kSize;
    SECTION("a memory object's pages") {
        kernel::find_region(*pair.client.process, base::VirtAddr{kOut})->kind =
            kernel::RegionKind::Memory;
    }
    SECTION("pages that are being unmapped") {
        kernel::find_region(*pair.client.process, base::VirtAddr{kOut})->leaving = true;
    }
    SECTION("pages that may not be written") {
        for (u32 i = 0; i < kPages; ++i) {
            const auto kept = pair.client.process->table.protect(
                base::VirtAddr{kOut + u64{i} * kPage}, {.read = true});
            REQUIRE(kept.ok());
        }
    }
    SECTION("to a room that is not there") {
        kernel::find_region(*pair.server.process, base::VirtAddr{kIn})->leaving = true;
    }
    SECTION("to somebody who cannot pay") {
        pair.server.process->budget_pages = pair.server.process->used_pages + kPages - 1;
    }
    SECTION("a part of a page") { size = kSize - 8; }
    pair.receive_pages();
    pair.send_pages(kBack, size);
    pair.kernel.run(pair.server);
    CHECK(Kernel::answer_of(pair.server).status == Status::SourceFault);  // there is no room
    CHECK(MovePair::pages_at(*pair.client.process, kOut) == kPages);
}

TEST_CASE("a sender whose pages end is told", "[kernel][ipc]") {
    MovePair pair;
    pair.prepare();
    const auto frame = pair.client.process->table.unmap(base::VirtAddr{kOut + 4 * kPage});
    REQUIRE(frame.ok());
    pair.client.process->give_frame(frame.value());
    pair.receive_pages();
    pair.send_pages();
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::SourceFault);
    CHECK(Kernel::is_waiting(pair.server));
    pair.kernel.check_invariants();
}

namespace {

/// Frames that are free, and those that somebody pays for.
u64 frames_of(std::initializer_list<const Process*> payers) {
    u64 frames = kernel::frames().free_frames();
    for (const Process* process : payers) {
        frames += process->used_pages;
    }
    return frames;
}

/// A large request is `steps` lock holds old, on the first CPU, when one of the two is ended from
/// the second. True: it was between two steps, with some pages moved and some not.
bool end_in_the_middle(u32 steps, bool is_sender) {
    MovePair pair{2};
    for (const char* bystander : {"one", "two"}) {  // so that CPUs come and go
        pair.kernel.add_process(bystander, kOtherClass, 50);
    }
    pair.kernel.policy.set_room(kServerClass, kFixedSize, kManyPages * kPage, 2);
    MovePair::reserve(*pair.client.process, kOut, 0, kManyPages);
    MovePair::reserve(*pair.server.process, kIn, kManyPages, kManyPages);
    const u64 frames = frames_of({pair.client.process, pair.server.process});
    Thread& left = is_sender ? pair.server : pair.client;
    const u32 handles = left.process->handles.used();
    pair.kernel.receive(pair.server,
                        pair.listener,
                        {.room_fixed = buffer(kRoomFixed, kFixedSize),
                         .room_arena = buffer(kIn, kManyPages * kPage)},
                        2);
    pair.kernel.run(pair.client);
    pair.client.frame.x[0] = pair.channel;
    pair.client.frame.x[3] = buffer(kFixed, kFixedSize).value;
    pair.client.frame.x[4] = buffer(kOut, kManyPages * kPage).value;
    pair.client.frame.x[5] = buffer(kRoomFixed, kFixedSize).value;
    pair.client.frame.x[6] = buffer(kArena, kArenaSize).value;
    pair.client.frame.x[9] = with(abi::Tag::make_long(abi::Kind::Request, 0, kMuch, 0),
                                  abi::Tag::kArena | abi::Tag::kRoom | abi::Tag::kMovesPages)
                                 .value;
    const bool is_between =
        pair.kernel.enter_by_exception(pair.client, svc(abi::kSvcCall), 0, steps) == Exit::Between;
    const u32 arrived = MovePair::pages_at(*pair.server.process, kIn, kManyPages);
    CHECK(arrived + MovePair::pages_at(*pair.client.process, kOut, kManyPages) == kManyPages);
    pair.kernel.select(1);
    Process& ended = is_sender ? *pair.client.process : *pair.server.process;
    kernel::end_process(ended, {});
    for (const u32 cpu : {0U, 1U, 0U}) {
        pair.kernel.select(cpu);
        pair.kernel.settle();
    }
    CHECK(ended.used_pages == 0);
    CHECK(frames_of({left.process}) == frames);
    CHECK(left.process->handles.used() == handles);
    if (is_sender) {
        CHECK(Kernel::is_waiting(left) == (arrived < kManyPages));  // else it has the request
        CHECK(MovePair::pages_at(*left.process, kIn, kManyPages) == arrived);
    } else {
        pair.kernel.run(left);
        CHECK(status_of(left) == Status::NotConnected);
    }
    return is_between && arrived > 0 && arrived < kManyPages;
}

}  // namespace

TEST_CASE("who ends between two steps of a move leaves exact accounts", "[kernel][ipc]") {
    for (const bool is_sender : {true, false}) {
        u32 in_the_middle = 0;
        for (u32 steps = 1; steps < 20; ++steps) {
            CAPTURE(is_sender, steps);
            in_the_middle += end_in_the_middle(steps, is_sender) ? 1 : 0;
        }
        CHECK(in_the_middle >= 2);
    }
}
