// SPDX-License-Identifier: Apache-2.0
// Handles in messages: rights can only shrink, memory is shared, and what cannot be sent is not.
#include <kernel/abi/rights.hpp>
#include <test/system/programs/support/peer.hpp>
#include <trial/Post.client.hpp>
#include <trial/Server.edl.hpp>

namespace trial {

namespace {

namespace rights = abi::rights;

Post::Proxy post(u32 server) { return {server, Server::endpoint::post}; }

abi::HandleDescriptor parcel(u32 handle, u32 handle_rights) {
    return {.handle = handle, .rights = handle_rights, .badge = 0};
}

u32 make_memory() { return vmm().MdlCreate(kPage, 0).value().mdl.handle; }

void shared_memory(Report& report, u32 server) {
    Test test{report, "transfer.memory-is-shared"};
    const u32 memory = make_memory();
    const auto mapped = vmm().MdlMap(memory, 0, kPage, 0, kWritable);
    test.equal("map", mapped.status(), Status::Ok);
    auto& word = at<volatile u64>(mapped.value().at);
    word = 1000;
    const auto left = post(server).Leave(parcel(memory, rights::kAll));
    test.equal("leave", left.status(), Status::Ok);
    test.require("arrived", left.value().arrived != 0);
    const auto touched = post(server).Touch(kWritable, 234);
    test.equal("touch", touched.status(), Status::Ok);
    test.equal("server saw", touched.value().first, 1000);
    test.equal("client sees", word, 1234);
    (void)vmm().Free(mapped.value().at, kPage);
    test.equal("drop", post(server).Drop().status(), Status::Ok);
    (void)handles().Close(memory);
}

void rights_shrink(Report& report, u32 server) {
    Test test{report, "transfer.rights-shrink"};
    const u32 memory = make_memory();
    const auto left = post(server).Leave(parcel(memory, rights::kRead | rights::kTransfer));
    test.equal("leave", left.status(), Status::Ok);
    test.equal("rights", left.value().rights, rights::kRead | rights::kTransfer);
    test.equal("write", post(server).Touch(kWritable, 1).status(), Status::NoCapability);
    test.equal("execute", post(server).Touch(kRunnable, 0).status(), Status::NoCapability);
    test.equal("read", post(server).Touch(kReadable, 0).status(), Status::Ok);
    // Back again, with all rights asked for: the lost ones stay lost.
    const auto back = post(server).Collect(rights::kAll);
    test.equal("collect", back.status(), Status::Ok);
    test.equal("rights back", back.value().parcel.rights, rights::kRead | rights::kTransfer);
    test.equal("write with it",
               vmm().MdlMap(back.value().parcel.handle, 0, kPage, 0, kWritable).status(),
               Status::NoCapability);
    (void)handles().Close(back.value().parcel.handle);
    (void)post(server).Drop();
    (void)handles().Close(memory);
}

void more_rights(Report& report, u32 server) {
    Test test{report, "transfer.rights-that-one-lacks"};
    const u32 memory = make_memory();
    const u32 readable = handles().Copy(memory, rights::kRead | rights::kTransfer, 0).value().copy;
    const auto left = post(server).Leave(parcel(readable, rights::kAll));
    test.equal("leave", left.status(), Status::Ok);
    test.equal("rights", left.value().rights, rights::kRead | rights::kTransfer);
    test.equal("write", post(server).Touch(kWritable, 1).status(), Status::NoCapability);
    (void)post(server).Drop();
    const u32 bound = handles().Copy(memory, rights::kRead, 0).value().copy;
    test.equal("without the right to transfer",
               post(server).Leave(parcel(bound, rights::kAll)).status(),
               Status::NoCapability);
    for (const u32 handle : {memory, readable, bound}) {
        (void)handles().Close(handle);
    }
}

void bad_handles(Report& report, u32 server) {
    Test test{report, "transfer.wrong-handles-refused"};
    const u32 memory = make_memory();
    (void)handles().Close(memory);
    test.equal("stale", post(server).Leave(parcel(memory, ~0u)).status(), Status::BadHandle);
    test.equal("guessed", post(server).Leave(parcel(0x7777'0033, ~0u)).status(), Status::BadHandle);
    const auto none = post(server).Leave(parcel(0, ~0u));
    test.equal("none", none.status(), Status::Ok);
    test.equal("arrives as none", none.value().arrived, 0);
}

void no_place(Report& report, u32 server) {
    Test test{report, "transfer.answer-needs-declared-places"};
    Post::Collect_Response fixed{};
    const u32 wanted = ~0u;
    const u64 word = wanted;
    sdk::Incoming incoming;
    sdk::call(
        server,
        abi::Tag::make_short(
            abi::Kind::Request, Server::endpoint::post, static_cast<u16>(Post::Method::Collect), 8),
        {.fixed = &word, .fixed_size = 8},
        {.fixed = &fixed, .fixed_size = sizeof(fixed)},
        incoming);
    test.equal("none accepted", incoming.status, Status::BufferTooSmall);
}

void revoked(Report& report, u32 server) {
    Test test{report, "transfer.revoke-reaches-what-was-sent"};
    const u32 memory = make_memory();
    test.equal("leave", post(server).Leave(parcel(memory, ~0u)).status(), Status::Ok);
    test.equal("before", post(server).Touch(kReadable, 0).status(), Status::Ok);
    test.equal("revoke", handles().Revoke(memory).status(), Status::Ok);
    test.equal("after", post(server).Touch(kReadable, 0).status(), Status::BadHandle);
    (void)post(server).Drop();
    (void)handles().Close(memory);
}

/// Own handles, numbers that are the server's, revoked ones and guesses, mixed.
void mixes(Report& report, u32 server, const Context& context) {
    Test test{report, "transfer.only-own-handles-in-random-mixes"};
    const Holdings before = settled_holdings();
    Random random{context.seed};
    const u32 memory = make_memory();
    u32 of_server = 0;
    u32 arrived = 0;
    for (u32 i = 0; i < 1000 * context.effort; ++i) {
        const u32 copy = handles().Copy(memory, rights::kAll, 0).value().copy;
        u32 sent = copy;
        const u64 kind = random.below(4);
        if (kind == 1) {
            sent = of_server;
        } else if (kind == 2) {
            (void)handles().Revoke(memory);
        } else if (kind == 3) {
            sent = static_cast<u32>(random.below(1 << 16) << 16 | random.below(256));
        }
        // A number of the server's may happen to be one of ours.
        const bool is_ours_too =
            kind == 1 && handles().GetSidByHandle(sent).status() != Status::BadHandle;
        if (!is_ours_too) {
            const auto left = post(server).Leave(parcel(sent, rights::kAll));
            test.equal("status", left.status(), kind == 0 ? Status::Ok : Status::BadHandle);
            of_server = left.ok() ? left.value().arrived : of_server;
            arrived += left.ok() ? 1 : 0;
        }
        (void)handles().Close(copy);
    }
    test.require("some arrived", arrived > 100, arrived);
    (void)post(server).Drop();
    (void)handles().Close(memory);
    require_restored(test, before);
}

void channel(Report& report, const Context& context, u32 server) {
    Test test{report, "transfer.channel-given-to-a-child"};
    Spawner spawner{context};
    auto& given = spawner.board<volatile u32>();
    const Child child = spawner.build(
        [](u64 board) -> s32 {
            Post::Proxy proxy{at<volatile u32>(board), Server::endpoint::post};
            return proxy.Leave(abi::HandleDescriptor{}).ok() ? 0 : 1;
        },
        spawner.board_address());
    given = Spawner::give(child, server);
    test.require("given", given != 0);
    (void)spawner.start(child);
    const Ending ending = Spawner::wait(child);
    test.require("worked",
                 ending.ended && ending.reason == kExited && ending.code == 0,
                 static_cast<u64>(ending.code));
    Spawner::discard(child);
}

void accounts(Report& report, u32 server) {
    Test test{report, "transfer.nothing-is-left-behind"};
    (void)post(server).Drop();
    const Holdings before = settled_holdings();
    for (u32 i = 0; i < 200; ++i) {
        const u32 memory = make_memory();
        test.equal("leave", post(server).Leave(parcel(memory, ~0u)).status(), Status::Ok);
        const auto back = post(server).Collect(~0u);
        test.equal("collect", back.status(), Status::Ok);
        (void)handles().Close(memory);
        test.equal("lives on", vmm().MdlGetSize(back.value().parcel.handle).status(), Status::Ok);
        (void)handles().Close(back.value().parcel.handle);
    }
    (void)post(server).Drop();
    require_restored(test, before);
}

}  // namespace

void run(Report& report, const Context& context) {
    const u32 server = connection(context, "server");
    shared_memory(report, server);
    rights_shrink(report, server);
    more_rights(report, server);
    bad_handles(report, server);
    no_place(report, server);
    revoked(report, server);
    mixes(report, server, context);
    channel(report, context, server);
    accounts(report, server);
}

}  // namespace trial
