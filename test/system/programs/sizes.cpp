// SPDX-License-Identifier: Apache-2.0
// Large messages arrive whole, in both directions, whether they are staged, go straight across, or
// travel as pages.
#include <test/system/programs/support/kernel.hpp>
#include <test/system/programs/support/pattern.hpp>
#include <test/system/programs/support/spawn.hpp>
#include <trial/Store.idl.hpp>
#include <trial/Warehouse.edl.hpp>

namespace trial {

namespace {

using Method = Store::Method;

class Sizes final {
public:
    explicit Sizes(u32 warehouse)
        : warehouse_(warehouse), send_(allocate(Store::MaxPlain + kPage)),
          room_(allocate(Store::MaxPlain + kPage)) {}

    /// `size` bytes to the server; its hash must be ours. With a NUL behind them for text.
    void there(Test& test, Method method, u32 size, u32 offset) {
        const u64 from = send_ + offset;
        const bool is_text = method == Method::SumText;
        if (is_text) {
            fill_text(&at<u8>(from), size, size);
            at<u8>(from + size) = 0;
        } else {
            fill(&at<u8>(from), size, size);
        }
        const u32 sent = is_text ? size + 1 : size;
        const abi::ArenaRange range{.offset = 0, .size = sent};
        sdk::Incoming incoming;
        sdk::call(warehouse_,
                  tag(method, abi::Tag::kLong | abi::Tag::kArena),
                  {.fixed = &range,
                   .fixed_size = sizeof(range),
                   .arena = &at<u8>(from),
                   .arena_size = sent},
                  {},
                  incoming);
        test.equal("status", incoming.status, Status::Ok);
        test.equal("size", incoming.words[1] & 0xFFFF'FFFF, size);
        test.equal("hash", incoming.words[0], hash_of(&at<u8>(from), size));
    }

    /// `size` bytes from the server.
    void back(Test& test, Method method, u32 size) {
        const u64 words[] = {size, size};
        abi::ArenaRange range{};
        sdk::Incoming incoming;
        __builtin_memset(&at<u8>(room_), 0xEE, size + 16);
        sdk::call(warehouse_,
                  tag(method, u64{2} << 36 | abi::Tag::kRoom),
                  {.fixed = words, .fixed_size = 16, .arena = nullptr, .arena_size = 0},
                  {.fixed = &range,
                   .fixed_size = sizeof(range),
                   .arena = &at<u8>(room_),
                   .arena_size = Store::MaxPlain},
                  incoming);
        test.equal("status", incoming.status, Status::Ok);
        const bool is_text = method == Method::FillText;
        test.equal("size", range.size, is_text ? size + 1 : size);
        if (is_text) {
            fill_text(&at<u8>(send_), size, size);
        } else {
            fill(&at<u8>(send_), size, size);
        }
        test.equal(
            "content", hash_of(&at<u8>(room_ + range.offset), size), hash_of(&at<u8>(send_), size));
        test.equal("nothing behind it", at<u8>(room_ + range.offset + size + 8), 0xEE);
    }

private:
    static abi::Tag tag(Method method, u64 more) {
        return abi::Tag{
            abi::Tag::make_short(
                abi::Kind::Request, Warehouse::endpoint::store, static_cast<u16>(method), 0)
                .value |
            more};
    }

    u32 warehouse_;
    u64 send_;
    u64 room_;
};

constexpr u32 kPlain[] = {1, 64, 4095, 4096, 4097, 65536, 65537, 300'001, Store::MaxPlain};
constexpr u32 kStaged[] = {1, 64, 4096, 20'001, Store::MaxStaged};

void each(Report& report, Sizes& sizes) {
    sdk::Line<60> name;
    for (const u32 size : kPlain) {
        name.clear();
        name.text("sizes.there-").decimal(size);
        Test test{report, name.view()};
        sizes.there(test, Method::Sum, size, 0);
    }
    for (const u32 size : kPlain) {
        name.clear();
        name.text("sizes.back-").decimal(size);
        Test test{report, name.view()};
        sizes.back(test, Method::Fill, size);
    }
    for (const u32 size : kStaged) {
        name.clear();
        name.text("sizes.staged-").decimal(size);
        Test test{report, name.view()};
        sizes.there(test, Method::SumText, size, 0);
        sizes.back(test, Method::FillText, size);
    }
}

/// Sends memory to one who returns it.
class Moves final {
public:
    explicit Moves(u32 mover) : mover_(mover) {}

    /// `size` bytes at `from`, which come back to `to`.
    Status exchange(u64 from, u64 to, u32 size, u64 more = abi::Tag::kMovesPages) const {
        abi::ArenaRange range{.offset = 0, .size = size};
        sdk::Incoming incoming;
        sdk::call(mover_,
                  abi::Tag{abi::Tag::make_long(abi::Kind::Request,
                                               Warehouse::endpoint::store,
                                               static_cast<u16>(Method::Return),
                                               0)
                               .value |
                           abi::Tag::kArena | abi::Tag::kRoom | more},
                  {.fixed = &range,
                   .fixed_size = sizeof(range),
                   .arena = &at<u8>(from),
                   .arena_size = size},
                  {.fixed = &range,
                   .fixed_size = sizeof(range),
                   .arena = &at<u8>(to),
                   .arena_size = Store::MaxPlain},
                  incoming);
        return incoming.arena_size == size || incoming.status != Status::Ok ? incoming.status
                                                                            : Status::BadCall;
    }

    static u64 reserve() {
        const auto place = vmm().Allocate(0, Store::MaxPlain, kl::core::VMM::Reserve);
        return place.ok() ? place.value().at : 0;
    }

    static bool is_there(u64 address) {
        const auto found = vmm().Query(address);
        return found.ok() && found.value().flags != 0;
    }

    static u64 pages_left() {
        const auto info = tasks().GetInfo();
        return info.ok() ? info.value().pagesLeft : 0;
    }

private:
    u32 mover_;
};

void move(Report& report, const Moves& moves) {
    constexpr u32 kSome = 16 * kPage;
    const u64 from = allocate(Store::MaxPlain);
    const u64 to = Moves::reserve();
    const u64 room = allocate(Store::MaxPlain);
    {
        Test test{report, "sizes.moved-pages-come-back"};
        (void)moves.exchange(from, from, Store::MaxPlain);  // all tables are there
        const u64 left = Moves::pages_left();
        for (const u32 size : {static_cast<u32>(kPage), kSome, Store::MaxPlain}) {
            fill(&at<u8>(from), size, size);
            const u64 hash = hash_of(&at<u8>(from), size);
            test.equal("status", moves.exchange(from, from, size), Status::Ok);
            test.equal("content", hash_of(&at<u8>(from), size), hash);
            test.equal("account", Moves::pages_left(), left);
        }
    }
    {
        Test test{report, "sizes.moved-pages-are-gone"};
        fill(&at<u8>(from), kSome, 5);
        const u64 hash = hash_of(&at<u8>(from), kSome);
        test.equal("status", moves.exchange(from, to, kSome), Status::Ok);
        test.equal("here", Moves::is_there(from), false);
        test.equal("the last", Moves::is_there(from + kSome - kPage), false);
        test.equal("the next", Moves::is_there(from + kSome), true);
        test.equal("there", hash_of(&at<u8>(to), kSome), hash);
        test.equal("again", vmm().Commit(from, kSome, kWritable).status(), Status::Ok);
        test.equal("cleared", at<u64>(from + kSome - 8), 0);
    }
    {
        // Both end somewhere in the next table, with few pages or many behind the end of the first.
        Test test{report, "sizes.pages-move-across-tables"};
        constexpr u64 kReach = u64{1} << 21;
        constexpr u64 kSource = 0x30'0000'0000;
        constexpr u64 kTarget = 0x31'0000'0000;
        for (const u32 behind : {1u, 3u, 4u, 5u, 15u}) {
            const u64 source = kSource + kReach - (16 - behind) * kPage;
            const u64 target = kTarget + kReach - (behind == 3 ? 8 : 16 - behind) * kPage;
            const u64 made = vmm().Allocate(source, kSome, kWritable).value().at;
            (void)vmm().Allocate(target, kSome, kl::core::VMM::Reserve);
            fill(&at<u8>(made), kSome, behind);
            const u64 hash = hash_of(&at<u8>(made), kSome);
            if (test.equal("status", moves.exchange(made, target, kSome), Status::Ok)) {
                test.equal("content", hash_of(&at<u8>(target), kSome), hash);
                test.equal("gone", Moves::is_there(made + kSome - kPage), false);
            }
            (void)vmm().Free(made, kSome);
            (void)vmm().Free(target, kSome);
        }
    }
    {
        Test test{report, "sizes.unmoved-pages-are-copied"};
        fill(&at<u8>(from), Store::MaxPlain, 6);
        const u64 hash = hash_of(&at<u8>(from), Store::MaxPlain);
        test.equal("status", moves.exchange(from, room, Store::MaxPlain, 0), Status::Ok);
        test.equal("content", hash_of(&at<u8>(room), Store::MaxPlain), hash);
        test.equal("kept", hash_of(&at<u8>(from), Store::MaxPlain), hash);
        test.equal("an odd size", moves.exchange(from, room, kSome - 8), Status::Ok);
        test.equal("kept too", hash_of(&at<u8>(from), Store::MaxPlain), hash);
    }
    {
        Test test{report, "sizes.only-own-memory-moves"};
        constinit static u64 image[2 * kPage / 8]{};  // a memory object's
        const u64 page = (address_of(image) + kPage - 1) & ~(kPage - 1);
        at<u64>(page) = 0x5EED;
        test.equal("image", moves.exchange(page, room, kPage), Status::Ok);
        test.equal("kept", at<u64>(page), 0x5EED);
        test.equal("read-only", vmm().Protect(from, kPage, kReadable).status(), Status::Ok);
        test.equal("copied", moves.exchange(from, room, kPage), Status::Ok);
        test.equal("still there", Moves::is_there(from), true);
        test.equal(
            "not mapped", moves.exchange(to + Store::MaxPlain / 2, to, kPage), Status::SourceFault);
    }
}

/// Sends pages while another of its threads writes to them all the time.
struct Scribble {
    u32 channel;
    u32 cpus;
    volatile u64 page;
    volatile u64 written;
    volatile u32 sent;
};

void scribble(Scribble* board) {
    for (;;) {
        board->written = board->written + 1;
        at<volatile u64>(board->page) = board->written;
    }
}

s32 send_and_scribble(u64 address) {
    auto& board = at<Scribble>(address);
    const Moves moves{board.channel};
    const u64 stack = allocate(2 * kPage) + 2 * kPage;
    const u64 pages = allocate(2 * kPage);
    const u64 room = allocate(2 * kPage);
    board.page = pages;
    (void)threads().SetAffinity(0, 1);
    const auto thread =
        threads().Create(__builtin_bit_cast(u64, &scribble), stack, address, 0, 100);
    (void)threads().SetAffinity(thread.value().thread.handle, board.cpus > 1 ? 2 : 1);
    while (board.written == 0) {
        (void)threads().Sleep(0);
    }
    board.sent = board.sent + 1;
    (void)moves.exchange(pages, room, 2 * kPage);
    (void)threads().Sleep(~u64{0} >> 1);
    return 1;
}

/// Whoever parses what it got in moved pages parses its own: the sender that writes on meets a
/// hole.
void scribbles(Report& report, const Context& context, u32 mover) {
    Test test{report, "sizes.moved-pages-cannot-be-changed"};
    Spawner spawner{context};
    auto& board = spawner.board<Scribble>();
    board.cpus = context.cpus;
    const u32 attempts = 20 * context.effort;
    for (u32 i = 0; i < attempts; ++i) {
        board.written = 0;
        const Child child = spawner.build(send_and_scribble, spawner.board_address());
        board.channel = Spawner::give(child, mover);
        (void)spawner.start(child);
        const Ending ending = Spawner::wait(child);
        test.require("fault", ending.ended && ending.reason == kFaulted, ending.reason);
        test.equal("where the pages were", ending.address, board.page);
        Spawner::discard(child);
    }
    test.equal("sent", board.sent, attempts);
    // The receiver ends itself when its own pages change.
    const u64 page = allocate(kPage);
    test.equal("receiver", Moves{mover}.exchange(page, page, kPage), Status::Ok);
}

}  // namespace

void run(Report& report, const Context& context) {
    move(report, Moves{connection(context, "mover")});
    scribbles(report, context, connection(context, "mover"));
    Sizes sizes{connection(context, "warehouse")};
    each(report, sizes);
    Test test{report, "sizes.misaligned-source"};
    for (const u32 offset : {1u, 8u, 4095u}) {
        sizes.there(test, Method::Sum, 9000, offset);
        sizes.there(test, Method::SumText, 9000, offset);
    }
}

}  // namespace trial
