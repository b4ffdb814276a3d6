// SPDX-License-Identifier: Apache-2.0
// Buffers in x3..x6 that are not what they should be. Every case must be a defined error for the
// one who named the buffer, and the kernel must not fault.
#include <test/system/programs/support/kernel.hpp>
#include <test/system/programs/support/spawn.hpp>
#include <test/system/programs/support/trap.hpp>
#include <trial/Equal.edl.hpp>
#include <trial/Guarded.idl.hpp>
#include <trial/Server.edl.hpp>
#include <trial/Texts.idl.hpp>
#include <trial/Warehouse.edl.hpp>

namespace trial {

namespace {

/// Places of interest in this process.
struct Places {
    u64 good = 0;         // two writable pages
    u64 read_only = 0;    // a page that can be read
    u64 text = 0;         // a page of the program
    u64 hole = 0;         // nothing mapped
    u64 before_hole = 0;  // the last 4 bytes before a hole
    u64 device = 0;       // registers, 0 when there are none
};

/// Registers of some device: the clock of virt, which on the Raspberry Pi is RAM, or its GPIO.
u64 map_device() {
    auto registered = io().RegisterMmio(0x0901'0000, kPage);
    if (!registered.ok()) {
        registered = io().RegisterMmio(0xFE20'0000, kPage);
    }
    const u32 registers = registered.value().resource.handle;
    const u64 view = io().MapMem(registers, 0).value().at;
    (void)handles().Close(registers);
    return view;
}

Places make_places() {
    /// Far from where the kernel or init places anything, so that the hole stays one.
    constexpr u64 kLonely = u64{0x18} << 32;
    Places places;
    places.good = allocate(2 * kPage);
    places.read_only = vmm().Allocate(0, kPage, kReadable).value().at;
    places.text = __builtin_bit_cast(u64, &trial::run) & ~(kPage - 1);
    places.hole = kLonely + kPage;
    places.before_hole = vmm().Allocate(kLonely, kPage, kWritable).ok() ? places.hole - 4 : 0;
    places.device = map_device();
    return places;
}

/// A long Call with chosen descriptors. SetWide: fixed part staged, no arena, short answer.
Status send_wide(u32 server, u64 fixed) {
    Registers registers;
    registers.x[0] = server;
    registers.x[9] = abi::Tag::make_long(abi::Kind::Request,
                                         Server::endpoint::guarded,
                                         static_cast<u16>(Guarded::Method::SetWide),
                                         0)
                         .value;
    registers.x[3] = fixed;
    trial_trap(&registers, trial_call);
    return status_of(registers);
}

/// Texts.Note: staged arena.
Status send_note(u32 server, u64 fixed, u64 arena) {
    Registers registers;
    registers.x[0] = server;
    registers.x[9] =
        abi::Tag::make_long(
            abi::Kind::Request, Server::endpoint::texts, static_cast<u16>(Texts::Method::Note), 0)
            .value |
        abi::Tag::kArena;
    registers.x[3] = fixed;
    registers.x[4] = arena;
    trial_trap(&registers, trial_call);
    return status_of(registers);
}

/// Store.Sum: an arena that goes straight across.
Status send_sum(u32 warehouse, u64 fixed, u64 arena) {
    Registers registers;
    registers.x[0] = warehouse;
    registers.x[9] =
        abi::Tag::make_long(
            abi::Kind::Request, Warehouse::endpoint::store, static_cast<u16>(Store::Method::Sum), 0)
            .value |
        abi::Tag::kArena;
    registers.x[3] = fixed;
    registers.x[4] = arena;
    trial_trap(&registers, trial_call);
    return status_of(registers);
}

/// Store.Fill: the answer comes into x5 and x6.
Status fetch(u32 warehouse, u64 fixed_room, u64 arena_room, u32 size) {
    const u64 words[] = {size, 3};
    Registers registers;
    registers.x[0] = warehouse;
    registers.x[9] = abi::Tag::make_short(abi::Kind::Request,
                                          Warehouse::endpoint::store,
                                          static_cast<u16>(Store::Method::Fill),
                                          16)
                         .value |
                     abi::Tag::kRoom;
    registers.x[5] = fixed_room;
    registers.x[6] = arena_room;
    registers.x[10] = words[0];
    registers.x[11] = words[1];
    trial_trap(&registers, trial_call);
    return status_of(registers);
}

u64 buffer(u64 address, u32 size) { return abi::Buffer{base::UserAddr{address}, size}.value; }

struct Bad {
    std::string_view name;
    u64 address;
    bool readable;  // fine as a source
};

class Buffers final {
public:
    Buffers(Report& report, const Context& context)
        : report_(report), server_(connection(context, "server")),
          warehouse_(connection(context, "warehouse")), places_(make_places()),
          room_(allocate(Store::MaxPlain + kPage)) {}

    /// Lets go of the device, which others try as well.
    ~Buffers() { (void)vmm().Free(places_.device, kPage); }

    Buffers(const Buffers&) = delete;
    Buffers& operator=(const Buffers&) = delete;

    void each_bad_address();
    void odd_places_that_work();
    void sizes();
    void rooms();
    void same_for_both();

private:
    void try_bad(const Bad& bad);

    u64 note_fixed(u64 address, u32 size = 8) {
        at<abi::ArenaRange>(address) = {.offset = 0, .size = size};
        return buffer(address, 8);
    }

    Report& report_;
    u32 server_;
    u32 warehouse_;
    Places places_;
    u64 room_;
};

void Buffers::try_bad(const Bad& bad) {
    sdk::Line<60> name;
    name.text("buffers.").text(bad.name);
    Test test{report_, name.view()};
    const u64 fixed = note_fixed(places_.good);
    const u64 good_arena = places_.good + 64;
    __builtin_memcpy(&at<char>(good_arena), "1234567", 8);
    if (!bad.readable) {
        test.equal("x3 fixed", send_wide(server_, buffer(bad.address, 128)), Status::SourceFault);
        test.equal("x3 with arena",
                   send_note(server_, buffer(bad.address, 8 + 16), buffer(good_arena, 8)),
                   Status::SourceFault);
        test.equal(
            "x4 staged", send_note(server_, fixed, buffer(bad.address, 32)), Status::SourceFault);
        test.equal("x4 straight",
                   send_sum(warehouse_, note_fixed(places_.good, 32), buffer(bad.address, 32)),
                   Status::SourceFault);
    }
    test.equal("x5",
               fetch(warehouse_, buffer(bad.address, 4096), buffer(room_, Store::MaxPlain), 100),
               Status::SourceFault);
    test.equal(
        "x6",
        fetch(warehouse_, buffer(places_.good, 4096), buffer(bad.address, Store::MaxPlain), 100),
        Status::SourceFault);
    // And all is well afterwards.
    test.equal("afterwards",
               send_note(server_, note_fixed(places_.good), buffer(good_arena, 8)),
               Status::Ok);
}

void Buffers::each_bad_address() {
    constexpr u64 kTop = (u64{1} << 39) - 16;
    try_bad({"null", 0, false});
    try_bad({"unmapped", places_.hole, false});
    try_bad({"end-of-user-space", kTop, false});
    if (places_.before_hole != 0) {
        try_bad({"crossing-into-unmapped", places_.before_hole, false});
    } else {
        Test test{report_, "buffers.crossing-into-unmapped"};
        test.require("no neighbouring pages", false);
    }
    try_bad({"read-only", places_.read_only, true});
    try_bad({"program-text", places_.text, true});
    Test test{report_, "buffers.device-registers"};
    if (test.require("no device to try", places_.device != 0)) {
        test.equal("x3", send_wide(server_, buffer(places_.device, 128)), Status::SourceFault);
        test.equal("x4 staged",
                   send_note(server_, note_fixed(places_.good), buffer(places_.device, 8)),
                   Status::SourceFault);
        test.equal("x4 straight",
                   send_sum(warehouse_, note_fixed(places_.good), buffer(places_.device, 8)),
                   Status::SourceFault);
        test.equal(
            "x5",
            fetch(warehouse_, buffer(places_.device, 4096), buffer(room_, Store::MaxPlain), 100),
            Status::SourceFault);
        test.equal("x6",
                   fetch(warehouse_,
                         buffer(places_.good, 4096),
                         buffer(places_.device, Store::MaxPlain),
                         100),
                   Status::SourceFault);
    }
}

void Buffers::odd_places_that_work() {
    Test test{report_, "buffers.misaligned-and-page-crossing-work"};
    for (const u64 offset : {u64{1}, u64{3}, u64{7}, kPage - 5, kPage - 1}) {
        const u64 arena = places_.good + offset;
        __builtin_memcpy(&at<char>(arena), "1234567", 8);
        const u64 fixed = room_;
        test.equal("arena", send_note(server_, note_fixed(fixed), buffer(arena, 8)), Status::Ok);
        const u64 odd = places_.good + offset;
        const abi::ArenaRange range{.offset = 0, .size = 8};
        __builtin_memcpy(&at<u8>(room_ + 64), "1234567", 8);
        __builtin_memcpy(&at<u8>(odd), &range, sizeof(range));
        test.equal("fixed", send_note(server_, buffer(odd, 8), buffer(room_ + 64, 8)), Status::Ok);
    }
}

void Buffers::sizes() {
    Test test{report_, "buffers.sizes-above-the-limits"};
    test.equal("fixed part",
               send_wide(server_, buffer(room_, abi::kMaxFixedBytes + 8)),
               Status::BufferTooLarge);
    test.equal(
        "staged arena",
        send_note(server_, note_fixed(places_.good), buffer(room_, abi::kMaxStagedArenaBytes + 8)),
        Status::BufferTooLarge);
    test.equal(
        "arena",
        send_sum(warehouse_, note_fixed(places_.good), buffer(room_, abi::kMaxArenaBytes + 8)),
        Status::BufferTooLarge);
    constexpr u32 kLargest = (1u << 25) - 1;
    test.equal("largest that can be written",
               send_sum(warehouse_, note_fixed(places_.good), buffer(room_, kLargest)),
               Status::BufferTooLarge);
}

void Buffers::rooms() {
    Test test{report_, "buffers.room-below-the-interface-maximum"};
    test.equal("x5",
               fetch(warehouse_, buffer(places_.good, 4), buffer(room_, Store::MaxPlain), 1),
               Status::BufferTooSmall);
    test.equal("x6",
               fetch(warehouse_, buffer(places_.good, 64), buffer(room_, Store::MaxPlain - 8), 1),
               Status::BufferTooSmall);
    test.equal("none", fetch(warehouse_, 0, 0, 1), Status::BufferTooSmall);
    test.equal("enough",
               fetch(warehouse_, buffer(places_.good, 64), buffer(room_, Store::MaxPlain), 1),
               Status::Ok);
    // Recv on this process's own listener: its class receives short messages only, so none is
    // needed.
}

void Buffers::same_for_both() {
    Test test{report_, "buffers.same-buffer-for-request-and-answer"};
    // The answer may overwrite the request, in either order; nothing else may happen.
    const u64 fixed = note_fixed(room_, 64);
    Registers registers;
    registers.x[0] = warehouse_;
    registers.x[9] =
        abi::Tag::make_long(
            abi::Kind::Request, Warehouse::endpoint::store, static_cast<u16>(Store::Method::Sum), 0)
            .value |
        abi::Tag::kArena | abi::Tag::kRoom;
    registers.x[3] = fixed;
    registers.x[4] = buffer(room_, 64);
    registers.x[5] = buffer(room_, 4096);
    registers.x[6] = buffer(room_, Store::MaxPlain);
    trial_trap(&registers, trial_call);
    test.equal("status", status_of(registers), Status::Ok);
    test.equal("bytes that arrived", registers.x[11] & 0xFFFF'FFFF, 64);
}

/// A receiver whose room is bad: the error is its own, and the caller is served all the same.
struct Scene {
    u32 channel;
    u64 answer;
    volatile u32 status;
};

s32 careless_server(u64 listener) {
    alignas(8) u8 fixed[128];
    const u64 arena = allocate(2 * kPage);
    Registers registers;
    registers.x[0] = listener;
    registers.x[9] = u64{1} << 52;
    registers.x[5] = buffer(0x1000, 128);  // nothing there
    registers.x[6] = buffer(arena, 2 * kPage);
    trial_trap(&registers, trial_receive);
    if (status_of(registers) != Status::SourceFault) {
        return 1;
    }
    registers = {};
    registers.x[0] = listener;
    registers.x[9] = u64{1} << 52;
    registers.x[5] = buffer(address_of(fixed), 128);
    registers.x[6] = buffer(0x1000, 2 * kPage);
    trial_trap(&registers, trial_receive);  // Tell has no arena: this room is not touched
    if (status_of(registers) != Status::Ok) {
        return 2;
    }
    const u64 token = registers.x[2];
    const abi::Tag tag = abi::Tag::make_long(
        abi::Kind::Response, Equal::endpoint::peer, static_cast<u16>(Peer::Method::Tell), 0);
    return sdk::reply(token, tag, {.fixed = fixed, .fixed_size = 128}) == Status::Ok ? 0 : 3;
}

s32 patient_client(u64 board) {
    auto& scene = at<Scene>(board);
    alignas(8) u64 words[16] = {1, 2, 3, 4};
    alignas(8) u64 back[16] = {};
    sdk::Incoming incoming;
    sdk::call(
        scene.channel,
        abi::Tag::make_long(
            abi::Kind::Request, Equal::endpoint::peer, static_cast<u16>(Peer::Method::Tell), 0),
        {.fixed = words, .fixed_size = 128},
        {.fixed = back, .fixed_size = 128},
        incoming);
    scene.status = static_cast<u32>(incoming.status);
    scene.answer = back[3];
    return incoming.status == Status::Ok ? 0 : 1;
}

void careless_receiver(Report& report, const Context& context) {
    Test test{report, "buffers.bad-room-is-the-receivers-error"};
    Spawner spawner{context};
    auto& scene = spawner.board<Scene>();
    const Child server = spawner.build(careless_server, 0x1'0001, {.serves = true});
    const Child client = spawner.build(patient_client, spawner.board_address());
    test.equal("listener", server.listener, 0x1'0001);
    scene.channel = Spawner::connect(client, server);
    test.equal("server", spawner.start(server), Status::Ok);
    test.equal("client", spawner.start(client), Status::Ok);
    const Ending client_end = Spawner::wait(client);
    const Ending server_end = Spawner::wait(server);
    test.require(
        "server", server_end.ended && server_end.code == 0, static_cast<u64>(server_end.code));
    test.require("client", client_end.ended && client_end.code == 0, scene.status);
    test.equal("content", scene.answer, 4);
    Spawner::discard(client);
    Spawner::discard(server);
}

}  // namespace

void run(Report& report, const Context& context) {
    Buffers buffers{report, context};
    buffers.each_bad_address();
    buffers.odd_places_that_work();
    buffers.sizes();
    buffers.rooms();
    buffers.same_for_both();
    careless_receiver(report, context);
}

}  // namespace trial
