// SPDX-License-Identifier: Apache-2.0
// Calls inside calls: chains work, circles are refused when the wait begins.
#include <test/system/programs/support/peer.hpp>

namespace trial {

namespace {

constexpr u32 kMaxLinks = 8;

struct Board {
    u32 next[kMaxLinks];  // channel to the next link; 0: the last one
    volatile s32 status[kMaxLinks];
};

/// Serves one request by asking the next link.
s32 link(u64 index) {
    // The board's address travels in the upper bits, the index in the lower: boards are page
    // aligned.
    auto& shared = at<Board>(index & ~(kPage - 1));
    const u64 self = index & (kPage - 1);
    PeerRoom room;
    while (true) {
        const sdk::Incoming request = room.receive();
        if (request.status != Status::Ok) {
            return 1;
        }
        u64 value = request.words[0] + 1;
        if (shared.next[self] != 0) {
            const sdk::Incoming incoming = ask(shared.next[self], value);
            shared.status[self] = static_cast<s32>(incoming.status);
            value = incoming.words[0];
        }
        (void)answer(request.token, value);
    }
}

struct Chain {
    Chain(const Context& context, u32 length) : spawner(context), board(spawner.board<Board>()) {
        for (u32 i = 0; i < length; ++i) {
            links[i] = spawner.build(link, spawner.board_address() + i, {.serves = true});
        }
        for (u32 i = 0; i + 1 < length; ++i) {
            board.next[i] = Spawner::connect(links[i], links[i + 1]);
        }
        count = length;
    }

    ~Chain() {
        for (u32 i = 0; i < count; ++i) {
            Spawner::discard(links[i]);
        }
    }

    Chain(const Chain&) = delete;
    Chain& operator=(const Chain&) = delete;

    void start() {
        for (u32 i = 0; i < count; ++i) {
            (void)spawner.start(links[i]);
        }
    }

    Spawner spawner;
    Board& board;
    Child links[kMaxLinks]{};
    u32 count = 0;
};

struct Question {
    u32 channel;
    volatile s32 status;
    volatile u64 answer;
};

/// On the board behind the chain's own part.
constexpr u64 kQuestion = 2048;

s32 asker(u64 board) {
    auto& question = at<Question>(board + kQuestion);
    const sdk::Incoming incoming =
        ask(question.channel, 100, sdk::now_ticks() + sdk::ticks_of_ms(5000));
    question.status = static_cast<s32>(incoming.status);
    question.answer = incoming.words[0];
    return 0;
}

void ask_chain(Test& test, Chain& chain, u64 wanted) {
    const Child client = chain.spawner.build(asker, chain.spawner.board_address());
    auto& question = at<Question>(chain.spawner.board_address() + kQuestion);
    question.channel = Spawner::connect(client, chain.links[0]);
    (void)chain.spawner.start(client);
    test.require("client ended", Spawner::wait(client).ended);
    test.equal("status", static_cast<Status>(question.status), Status::Ok);
    if (wanted != 0) {
        test.equal("answer", question.answer, wanted);
    }
    Spawner::discard(client);
}

void straight(Report& report, const Context& context) {
    for (const u32 length : {2u, 3u, 8u}) {
        sdk::Line<40> name;
        name.text("chains.of-").decimal(length);
        Test test{report, name.view()};
        Chain chain{context, length};
        chain.start();
        ask_chain(test, chain, 100 + length);
        ask_chain(test, chain, 100 + length);
    }
}

void circle(Report& report, const Context& context) {
    for (const u32 length : {1u, 2u, 4u}) {
        sdk::Line<40> name;
        name.text("chains.circle-of-").decimal(length).text("-refused");
        Test test{report, name.view()};
        Chain chain{context, length};
        chain.board.next[length - 1] = Spawner::connect(chain.links[length - 1], chain.links[0]);
        test.require("connected", chain.board.next[length - 1] != 0);
        chain.start();
        ask_chain(test, chain, 0);
        test.equal(
            "last link", static_cast<Status>(chain.board.status[length - 1]), Status::Deadlock);
    }
}

void dead_middle(Report& report, const Context& context) {
    Test test{report, "chains.death-in-the-middle-is-told"};
    Chain chain{context, 3};
    chain.start();
    ask_chain(test, chain, 103);
    (void)tasks().Terminate(chain.links[1].task);
    ask_chain(test, chain, 0);
    test.equal("first link", static_cast<Status>(chain.board.status[0]), Status::NotConnected);
}

}  // namespace

void run(Report& report, const Context& context) {
    straight(report, context);
    circle(report, context);
    dead_middle(report, context);
}

}  // namespace trial
