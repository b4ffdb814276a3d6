// SPDX-License-Identifier: Apache-2.0
// Who may answer a call, and how often: the process that received it, once, as long as it lasts.
#include <test/system/programs/support/peer.hpp>
#include <trial/Echo.client.hpp>

namespace trial {

namespace {

struct Board {
    u32 channel;
    volatile u32 received;  // the server has the request
    volatile u32 go;        // the server may answer
    volatile u64 token;
    volatile s32 asked;  // status of the client's call
    volatile u64 answer;
    volatile u32 accepted;  // forged answers that were taken
    volatile s32 statuses[8];
};

s32 client(u64 board) {
    auto& shared = at<Board>(board);
    const sdk::Incoming incoming = ask(shared.channel, 1);
    shared.asked = static_cast<s32>(incoming.status);
    shared.answer = incoming.words[0];
    return 0;
}

s32 hasty_client(u64 board) {
    auto& shared = at<Board>(board);
    shared.asked =
        static_cast<s32>(ask(shared.channel, 1, sdk::now_ticks() + sdk::ticks_of_ms(30)).status);
    return 0;
}

/// Receives one request, waits for the word, then answers with several odd things.
s32 odd_server(u64 board) {
    auto& shared = at<Board>(board);
    PeerRoom room;
    const sdk::Incoming request = room.receive();
    shared.token = request.token;
    shared.received = 1;
    (void)wait_for(shared.go, 1);
    const u64 word = 42;
    const sdk::Outgoing message{.fixed = &word, .fixed_size = 8};
    const auto put = [&](u32 place, Status status) {
        shared.statuses[place] = static_cast<s32>(status);
    };
    put(0, sdk::reply(request.token, peer_tag(abi::Kind::Response, Peer::Method::Hush), message));
    put(1, sdk::reply(request.token, abi::Tag::make_short(abi::Kind::Response, 5, 0, 8), message));
    put(2, sdk::reply(request.token, peer_tag(abi::Kind::Request, Peer::Method::Ask), message));
    put(3, answer(request.token, 42));
    put(4, answer(request.token, 43));
    put(5, answer(request.token + (u64{1} << 16), 44));
    return 0;
}

/// Tries tokens near one that it knows of, but that belongs to another process.
s32 forger(u64 board) {
    auto& shared = at<Board>(board);
    const u64 token = shared.token;
    const auto forge = [&](u64 guess) {
        if (answer(guess, 666) == Status::Ok) {
            shared.accepted = shared.accepted + 1;
        }
    };
    forge(token);
    for (u32 bit = 0; bit < 64; ++bit) {
        forge(token ^ (u64{1} << bit));
    }
    for (u64 thread = 0; thread < 256; ++thread) {
        for (u64 number = 0; number < 3; ++number) {
            forge((number << 16) | thread);
            forge((((token >> 16) + number) << 16) | thread);
        }
    }
    forge(0);
    forge(~u64{0});
    return 0;
}

struct Stage {
    Stage(const Context& context, ChildMain server_main, ChildMain client_main)
        : spawner(context), board(spawner.board<Board>()) {
        server = spawner.build(server_main, spawner.board_address(), {.serves = true});
        asker = spawner.build(client_main, spawner.board_address());
        board.channel = Spawner::connect(asker, server);
        ready = spawner.start(server) == Status::Ok && spawner.start(asker) == Status::Ok &&
                wait_for(board.received, 1);
    }

    ~Stage() {
        Spawner::discard(asker);
        Spawner::discard(server);
    }

    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    Spawner spawner;
    Board& board;
    Child server;
    Child asker;
    bool ready = false;
};

void wrong_and_double(Report& report, const Context& context) {
    Stage stage{context, odd_server, client};
    stage.board.go = 1;
    const Ending server = Spawner::wait(stage.server);
    const Ending asker = Spawner::wait(stage.asker);
    const auto status = [&](u32 place) { return static_cast<Status>(stage.board.statuses[place]); };
    {
        Test test{report, "replies.other-method-or-endpoint-refused"};
        test.require("ready", stage.ready && server.ended && asker.ended);
        test.equal("other method", status(0), Status::BadCall);
        test.equal("other endpoint", status(1), Status::BadCall);
        test.equal("a request", status(2), Status::BadCall);
        test.equal("the right one", status(3), Status::Ok);
    }
    Test test{report, "replies.second-answer-is-stale"};
    test.equal("second", status(4), Status::StaleToken);
    test.equal("next number", status(5), Status::StaleToken);
    test.equal("client's answer", stage.board.answer, 42);
}

void forged(Report& report, const Context& context) {
    Test test{report, "replies.tokens-of-others-refused"};
    Stage stage{context, odd_server, client};
    test.require("ready", stage.ready);
    const Ending forging = stage.spawner.run(forger, stage.spawner.board_address());
    test.require("forger ended", forging.ended && forging.reason == kExited, forging.reason);
    test.equal("accepted", stage.board.accepted, 0);
    test.require("client still waits", !Spawner::wait(stage.asker, 5).ended);
    stage.board.go = 1;
    (void)Spawner::wait(stage.asker);
    test.equal("the answer is the server's", stage.board.answer, 42);
}

void late(Report& report, const Context& context) {
    Test test{report, "replies.late-answer-is-stale"};
    Stage stage{context, odd_server, hasty_client};
    test.require("ready", stage.ready);
    (void)Spawner::wait(stage.asker);
    test.equal("client", static_cast<Status>(stage.board.asked), Status::Timeout);
    stage.board.go = 1;
    (void)Spawner::wait(stage.server);
    test.equal("server", static_cast<Status>(stage.board.statuses[3]), Status::StaleToken);
}

void dead_client(Report& report, const Context& context) {
    Test test{report, "replies.answer-to-a-dead-client-is-stale"};
    Stage stage{context, odd_server, client};
    test.require("ready", stage.ready);
    Spawner::discard(stage.asker);
    stage.asker = stage.spawner.spawn([](u64) -> s32 { return 0; }, 0);  // takes its place
    (void)Spawner::wait(stage.asker);
    stage.board.go = 1;
    (void)Spawner::wait(stage.server);
    test.equal("server", static_cast<Status>(stage.board.statuses[3]), Status::StaleToken);
}

void dead_server(Report& report, const Context& context) {
    Test test{report, "replies.client-of-a-dead-server-is-told"};
    Stage stage{context, odd_server, client};
    test.require("ready", stage.ready);
    (void)tasks().Terminate(stage.server.task);
    const Ending asker = Spawner::wait(stage.asker);
    test.require("client ended", asker.ended);
    test.equal("client", static_cast<Status>(stage.board.asked), Status::NotConnected);
}

/// A second thread answers what the first received.
struct Hand {
    u64 token;
    volatile u32 done;
};

s32 two_handed_server(u64 board) {
    auto& shared = at<Board>(board);
    PeerRoom room;
    const sdk::Incoming request = room.receive();
    shared.token = request.token;
    shared.received = 1;
    (void)wait_for(shared.go, 1);
    static Hand hand;
    hand.token = request.token;
    const u64 stack = allocate(2 * kPage);
    (void)threads().Create(__builtin_bit_cast(
                               u64,
                               +[](Hand* given) {
                                   given->done = answer(given->token, 77) == Status::Ok ? 1 : 2;
                                   (void)threads().Exit(0);
                               }),
                           stack + 2 * kPage,
                           address_of(&hand),
                           0,
                           100);
    (void)wait_for(hand.done, 1);
    return hand.done == 1 ? 0 : 1;
}

void other_thread(Report& report, const Context& context) {
    Test test{report, "replies.another-thread-of-the-server-may-answer"};
    Stage stage{context, two_handed_server, client};
    stage.board.go = 1;
    const Ending server = Spawner::wait(stage.server);
    (void)Spawner::wait(stage.asker);
    test.equal("server", server.code, 0);
    test.equal("answer", stage.board.answer, 77);
}

}  // namespace

void run(Report& report, const Context& context) {
    wrong_and_double(report, context);
    forged(report, context);
    late(report, context);
    dead_client(report, context);
    dead_server(report, context);
    other_thread(report, context);
}

}  // namespace trial
