// SPDX-License-Identifier: Apache-2.0
// Calls inside calls: chains work, circles are refused when the wait begins.
#include <test/system/programs/support/peer.hpp>
#include <test/system/programs/support/section.hpp>

namespace trial {

namespace {

constexpr u32 kMaxLinks = 8;

struct Board {
    u32 next[kMaxLinks];  // channel to the next link; 0: the last one
    volatile s32 status[kMaxLinks];
    bool works;           // a section for each request, on the first CPU
    volatile u32 inside;  // the last link has a request
    volatile u32 go;      // it may go on
};

/// Serves one request by asking the next link.
s32 link(u64 index) {
    // The board's address travels in the upper bits, the index in the lower: boards are page
    // aligned.
    auto& shared = at<Board>(index & ~(kPage - 1));
    const u64 self = index & (kPage - 1);
    PeerRoom room;
    if (shared.works) {
        (void)threads().SetAffinity(0, 1);
    }
    while (true) {
        const sdk::Incoming request = room.receive();
        if (request.status != Status::Ok) {
            return 1;
        }
        u64 value = request.words[0] + 1;
        if (shared.works) {
            if (shared.next[self] == 0) {
                shared.inside = 1;
                while (shared.go == 0) {
                    (void)threads().Sleep(0);
                }
            }
            work_in_section();
        }
        if (shared.next[self] != 0) {
            const sdk::Incoming incoming = ask(shared.next[self], value);
            shared.status[self] = static_cast<s32>(incoming.status);
            value = incoming.words[0];
        }
        (void)answer(request.token, value);
    }
}

struct Chain {
    Chain(const Context& context, u32 length, u32 priority = 100)
        : spawner(context), board(spawner.board<Board>()) {
        for (u32 i = 0; i < length; ++i) {
            links[i] = spawner.build(
                link, spawner.board_address() + i, {.priority = priority, .serves = true});
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

constexpr u32 kWeakPriority = 50;
constexpr u32 kHogPriority = 80;
constexpr u32 kStrongPriority = 105;

struct Rivals {
    u32 channel[2];  // of who is weak, of who is strong
    volatile u32 hogging;
    volatile u32 calling;
    volatile u32 strong_done;
    volatile s32 status[2];
    volatile u64 waited;
    volatile u64 ended;
};

constexpr u64 kRivals = 3072;  // on the board, behind a question

s32 weak_client(u64 board) {
    auto& rivals = at<Rivals>(board + kRivals);
    (void)threads().SetAffinity(0, 1);
    rivals.status[0] = static_cast<s32>(ask(rivals.channel[0], 100).status);
    return 0;
}

s32 strong_client(u64 board) {
    auto& rivals = at<Rivals>(board + kRivals);
    auto& shared = at<Board>(board);
    (void)threads().SetAffinity(0, 1);
    rivals.calling = 1;
    const u64 begin = sdk::now_ticks();
    shared.go = 1;
    const u64 limit = begin + sdk::ticks_of_ms(5000);
    rivals.status[1] = static_cast<s32>(ask(rivals.channel[1], 100, limit).status);
    rivals.ended = sdk::now_ticks();
    rivals.waited = rivals.ended - begin;
    rivals.strong_done = 1;
    return 0;
}

s32 hog(u64 board) {
    auto& rivals = at<Rivals>(board + kRivals);
    (void)threads().SetAffinity(0, 1);
    rivals.hogging = 1;
    while (rivals.hogging == 1) {
    }
    return 0;
}

enum class WeakClient : u32 { Stays, IsKilled };

/// A weak client has the whole chain, whose last link still works for him; a hog stands between him
/// and who is strong and asks the first link then. That one waits for the rest of that section and
/// for those of his own request, and for nothing else; also when the weak one is ended meanwhile.
void bounded_wait(Report& report,
                  const Context& context,
                  std::string_view name,
                  u32 length,
                  WeakClient weak_client_ends) {
    Test test{report, name};
    Chain chain{context, length, kWeakPriority};
    const u64 board = chain.spawner.board_address();
    auto& rivals = at<Rivals>(board + kRivals);
    chain.board.works = true;
    chain.start();
    u64 section = 0;
    {
        const OneCpu one{test};
        section = measure_section();
    }
    const Child weak = chain.spawner.build(weak_client, board, {.priority = kWeakPriority});
    const Child strong = chain.spawner.build(strong_client, board, {.priority = kStrongPriority});
    const Child hogging = chain.spawner.build(hog, board, {.priority = kHogPriority});
    rivals.channel[0] = Spawner::connect(weak, chain.links[0]);
    rivals.channel[1] = Spawner::connect(strong, chain.links[0]);
    (void)chain.spawner.start(weak);
    test.require("the last link works for him", wait_for(chain.board.inside, 1));
    (void)chain.spawner.start(hogging);
    test.require("a hog runs", wait_for(rivals.hogging, 1));
    if (weak_client_ends == WeakClient::IsKilled) {
        (void)tasks().Terminate(weak.task);
    }
    (void)chain.spawner.start(strong);
    test.require("the strong one is through", wait_for(rivals.strong_done, 1, 8000));
    rivals.hogging = 2;
    test.equal("answered", static_cast<Status>(rivals.status[1]), Status::Ok);
    test.require("it had to wait", rivals.waited > section, ns_of_ticks(rivals.waited));
    tell_wait(name, rivals.waited, section, length + 1);
    for (const Child& each : {weak, strong, hogging}) {
        (void)Spawner::wait(each);
        Spawner::discard(each);
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
    using enum WeakClient;
    bounded_wait(report, context, "chains.strong-waits-for-one-server", 1, Stays);
    bounded_wait(report, context, "chains.strong-waits-for-eight-servers", kMaxLinks, Stays);
    bounded_wait(report, context, "chains.strong-waits-after-a-death", kMaxLinks, IsKilled);
}

}  // namespace trial
