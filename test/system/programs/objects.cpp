// SPDX-License-Identifier: Apache-2.0
// Objects that servers make for their clients: contexts, badges, revocation, and what is left when
// somebody makes all he can and dies.
#include <kernel/abi/rights.hpp>
#include <runtime/thread.hpp>
#include <test/system/programs/support/peer.hpp>
#include <trial/Post.client.hpp>
#include <trial/Server.edl.hpp>

namespace trial {

namespace {

namespace rights = abi::rights;
namespace api = kl::core::Handle;

constexpr u64 kContext = 0x1234'5678'9ABC;
constexpr u32 kNothing = 0x7777'0033;  // no handle of anybody's

Post::Proxy post(u32 server) { return {server, Server::endpoint::post}; }

abi::HandleDescriptor parcel(u32 handle, u32 badge = 0) {
    return {.handle = handle, .rights = rights::kAll, .badge = badge};
}

u32 make_object(u64 context, u32 object_rights = rights::kAll) {
    return handles()
        .CreateUserObject(api::FirstUserType, object_rights, context, 0, 0)
        .value()
        .handle;
}

void close(u32 handle) { (void)handles().Close(handle); }

void comes_back(Report& report, u32 server) {
    Test test{report, "objects.context-comes-back"};
    const u32 object = make_object(kContext);
    const auto left = post(server).Leave(parcel(object));
    test.equal("leave", left.status(), Status::Ok);
    test.require("arrived as a handle", left.value().arrived != 0);
    test.equal("not as an own object", left.value().rights & rights::kOwnObject, 0u);
    const auto back = post(server).Collect(rights::kTransfer | rights::kCopy);
    test.equal("collect", back.status(), Status::Ok);
    test.equal("handle", back.value().parcel.handle, object);
    test.equal("rights",
               back.value().parcel.rights,
               rights::kTransfer | rights::kCopy | rights::kOwnObject);
    test.equal("context", back.value().parcel.badge, kContext);
    test.equal("drop", post(server).Drop().status(), Status::Ok);
    close(object);
}

void badges(Report& report, u32 server, u32 notice) {
    Test test{report, "objects.badge-marks-and-tells"};
    const u32 object = make_object(kContext);
    const auto badge = handles().CreateBadge(notice, 5, 77);
    test.equal("badge", badge.status(), Status::Ok);
    test.equal(
        "leave", post(server).Leave(parcel(object, badge.value().badge)).status(), Status::Ok);
    test.equal("context", post(server).Collect(~0u).value().parcel.badge, 77u);
    test.equal("quiet", notices().GetEvent(notice, 0, 16).status(), Status::Timeout);
    (void)post(server).Drop();
    const auto events = notices().GetEvent(notice, 1000, 16);
    if (test.equal("event", events.status(), Status::Ok)) {
        test.equal("one", events.value().records.size(), std::size_t{1});
        test.equal("id", events.value().records[0].eventId, 5u);
        test.equal("what", events.value().records[0].mask, kl::core::Notice::BadgeClosed);
    }
    test.equal("leave again",
               post(server).Leave(parcel(object, badge.value().badge)).status(),
               Status::Ok);
    test.equal("revoke", handles().RevokeSubtree(object, badge.value().badge).status(), Status::Ok);
    test.equal("gone there", post(server).Touch(kReadable, 0).status(), Status::BadHandle);
    test.equal("told", notices().GetEvent(notice, 1000, 16).status(), Status::Ok);
    test.equal("badge is over",
               post(server).Leave(parcel(object, badge.value().badge)).status(),
               Status::HandleRevoked);
    (void)post(server).Drop();
    close(badge.value().badge);
    close(object);
}

void wrong_objects(Report& report, u32 server, u32 listener, u32 notice) {
    Test test{report, "objects.wrong-ones-refused"};
    const auto create = [](u32 type, u32 channel, u32 endpoint) {
        return handles().CreateUserObject(type, rights::kAll, 0, channel, endpoint).status();
    };
    test.equal("type", create(5, 0, 0), Status::InvalidArgument);
    test.equal("endpoint", create(api::FirstUserType, listener, 0x1'0000), Status::InvalidArgument);
    test.equal("channel", create(api::FirstUserType, kNothing, 0), Status::BadHandle);
    test.equal("client handle", create(api::FirstUserType, server, 0), Status::WrongType);
    test.equal("notice", create(api::FirstUserType, notice, 0), Status::WrongType);
    const u32 deaf = handles().Copy(listener, 0, 0).value().copy;
    test.equal("no copy of a listener", deaf, 0u);
    const u32 object = make_object(1);
    const u32 bare = make_object(1, 0);
    test.equal("call", ask(object, 1).status, Status::WrongType);
    test.equal("free of an object", handles().Free(object).status(), Status::WrongType);
    test.equal("copy without the right",
               handles().Copy(bare, rights::kAll, 0).status(),
               Status::NoCapability);
    test.equal("raise without the right",
               notices().SetObjectEvent(bare, 0x1'0000).status(),
               Status::NoCapability);
    test.equal(
        "SID without the right", handles().GetSidByHandle(bare).status(), Status::NoCapability);
    test.equal(
        "badge for nobody", handles().CreateBadge(kNothing, 0, 0).status(), Status::BadHandle);
    test.equal(
        "badge for an object", handles().CreateBadge(object, 0, 0).status(), Status::WrongType);
    const u32 badge = handles().CreateBadge(0, 0, 0).value().badge;
    test.require("badge", badge != 0);
    test.equal(
        "revoke of nothing", handles().RevokeSubtree(kNothing, badge).status(), Status::BadHandle);
    test.equal(
        "revoke by nothing", handles().RevokeSubtree(object, kNothing).status(), Status::BadHandle);
    test.equal(
        "revoke by an object", handles().RevokeSubtree(object, object).status(), Status::WrongType);
    test.equal("revoke without the right",
               handles().RevokeSubtree(bare, badge).status(),
               Status::NoCapability);
    test.equal("sent with no badge",
               post(server).Leave(parcel(object, kNothing)).status(),
               Status::BadHandle);
    test.equal("sent with an object for a badge",
               post(server).Leave(parcel(object, object)).status(),
               Status::WrongType);
    test.equal("badge sent", post(server).Leave(parcel(badge)).status(), Status::NoCapability);
    for (const u32 handle : {object, bare, badge}) {
        close(handle);
    }
}

void numbers(Report& report, u32 server) {
    Test test{report, "objects.handles-by-kind"};
    test.equal("init", handles().Init().status(), Status::Ok);
    const auto number = handles().Alloc();
    test.equal("alloc", number.status(), Status::Ok);
    test.equal("call", ask(number.value().handle, 1).status, Status::WrongType);
    test.equal("free", handles().Free(number.value().handle).status(), Status::Ok);
    test.equal("free again", handles().Free(number.value().handle).status(), Status::BadHandle);
    const u32 copy = handles().Copy(server, rights::kAll, 0).value().copy;
    test.equal("security disconnect of a channel",
               handles().SecurityDisconnect(copy).status(),
               Status::WrongType);
    test.equal("disconnect", handles().Disconnect(copy).status(), Status::Ok);
    test.equal("again", handles().Disconnect(copy).status(), Status::BadHandle);
    const u32 security = handles().SecurityConnect().value().channel;
    test.equal(
        "disconnect of questions", handles().Disconnect(security).status(), Status::WrongType);
    test.equal("security disconnect", handles().SecurityDisconnect(security).status(), Status::Ok);
    test.equal("again", handles().SecurityDisconnect(security).status(), Status::BadHandle);
    const u64 first = handles().UidAlloc().value().uid;
    test.equal("uid free", handles().UidFree(first).status(), Status::Ok);
    test.require("uids differ", handles().UidAlloc().value().uid != first);
    test.equal("fini", handles().Fini().status(), Status::Ok);
}

Status give(u32 handle, u32 object) {
    const abi::HandleDescriptor sent = parcel(object);
    sdk::Incoming incoming;
    sdk::call(
        handle,
        abi::Tag::make_long(
            abi::Kind::Request, Equal::endpoint::peer, static_cast<u16>(Peer::Method::Give), 1),
        {.fixed = &sent, .fixed_size = sizeof(sent)},
        {},
        incoming);
    return incoming.status;
}

/// Makes an object that can be called, hands it to the peer whose channel stands on the board, and
/// serves one call through it.
s32 make_and_serve(u64 board) {
    const auto made = handles().CreateUserObject(
        api::FirstUserType, rights::kAll, kContext, kListener, Equal::endpoint::peer);
    if (!made.ok() || give(at<volatile u32>(board), made.value().handle) != Status::Ok) {
        return 1;
    }
    PeerRoom room;
    const sdk::Incoming request = room.receive();
    if (request.status != Status::Ok || request.badge != kContext || request.words[0] != 41) {
        return 2;
    }
    return answer(request.token, 42) == Status::Ok ? 0 : 3;
}

/// Gets the object, calls it while its maker lives, and again when it does not.
s32 use_object(u64) {
    PeerRoom room;
    const sdk::Incoming request = room.receive();
    if (request.status != Status::Ok) {
        return 1;
    }
    const u32 object = static_cast<u32>(room.fixed()[0]);
    const u64 zero = 0;
    (void)sdk::reply(request.token,
                     peer_tag(abi::Kind::Response, Peer::Method::Give),
                     {.fixed = &zero, .fixed_size = 8});
    const sdk::Incoming got = ask(object, 41);
    if (got.status != Status::Ok || got.words[0] != 42) {
        return 2;
    }
    for (u32 i = 0; i < 1000; ++i) {
        if (ask(object, 41, sdk::now_ticks() + sdk::ticks_of_ms(10)).status ==
            Status::NotConnected) {
            return 0;
        }
    }
    return 3;
}

void callable(Report& report, const Context& context) {
    Test test{report, "objects.calls-arrive-with-the-context"};
    Spawner spawner{context};
    auto& channel = spawner.board<volatile u32>();
    const Child maker = spawner.build(make_and_serve, spawner.board_address(), {.serves = true});
    const Child user = spawner.build(use_object, 0, {.serves = true});
    channel = Spawner::connect(maker, user);
    (void)spawner.start(user);
    (void)spawner.start(maker);
    const Ending made = Spawner::wait(maker);
    test.equal("maker", made.code, 0);
    const Ending used = Spawner::wait(user);
    test.equal("user", used.code, 0);
    Spawner::discard(maker);
    Spawner::discard(user);
}

/// Makes objects, badges, notices and subscriptions until nothing more is given, then waits to be
/// killed, or ends.
s32 make_everything(u64 way) {
    u32 last = 0;
    const u32 notice = notices().Create().value().notice.handle;
    while (true) {
        const auto object = handles().CreateUserObject(api::FirstUserType, ~0u, 0, 0, 0);
        const auto badge = handles().CreateBadge(notice, last, 0);
        const auto another = notices().Create();
        (void)notices().SubscribeToObject(notice, object.value().handle, 0x3'0002, last);
        (void)handles().Copy(parcel(object.value().handle, badge.value().badge), rights::kAll, 0);
        if (!object.ok() && !badge.ok() && !another.ok()) {
            break;
        }
        ++last;
    }
    if (way == 0) {
        return static_cast<s32>(last);
    }
    while (true) {  // killed here, or in the middle of a GetEvent
        (void)notices().GetEvent(notice, 1, 16);
    }
}

void exhaustion(Report& report, const Context& context) {
    Test test{report, "objects.all-that-one-can-make-is-given-back"};
    Spawner spawner{context};
    const Holdings before = settled_holdings();
    for (u32 i = 0; i < 20 * context.effort; ++i) {
        const Child child = spawner.spawn(make_everything, i % 2);
        test.require("made", child.task != 0);
        if (i % 2 == 0) {
            const Ending ending = Spawner::wait(child);
            test.require(
                "all used up", ending.ended && ending.code > 20, static_cast<u64>(ending.code));
        } else {
            sdk::sleep_ms(i % 5 * 2);
        }
        Spawner::discard(child);
    }
    require_restored(test, before);
    // And others get all of it again.
    const u32 object = make_object(1);
    test.require("again", object != 0);
    close(object);
}

/// Accepts who asks for "first", refuses who asks for "second".
struct Usher {
    volatile u32 answered = 0;
    volatile u32 wrong = 0;
};

void show_in(void* argument) {
    auto& usher = *static_cast<Usher*>(argument);
    while (usher.answered < 2) {
        const auto heard = connections().Listen("", 5000);
        if (!heard.ok() || heard.value().client != "objects") {
            usher.wrong = usher.wrong + 1;
            break;
        }
        const bool is_first = heard.value().service == "first";
        const Status status = is_first ? connections().Accept("objects", "first", 3, 0).status()
                                       : connections().Drop("objects", "second").status();
        usher.wrong = usher.wrong + (status == Status::Ok ? 0 : 1);
        usher.answered = usher.answered + 1;
    }
}

/// The same program on both sides: what it is given is a channel to itself.
void dynamic_channels(Report& report) {
    Test test{report, "objects.channels-made-by-name"};
    test.equal("no such program",
               connections().Connect("nobody", "first", 1000).status(),
               Status::ResourceNotFound);
    test.equal(
        "nobody listens", connections().Connect("objects", "first", 20).status(), Status::Timeout);
    test.equal("nobody asks", connections().Listen("", 20).status(), Status::Timeout);
    test.equal("accept of nobody",
               connections().Accept("objects", "first", 3, 0).status(),
               Status::ResourceNotFound);
    test.equal("drop of nobody",
               connections().Drop("objects", "first").status(),
               Status::ResourceNotFound);
    static Usher usher;
    (void)sdk::start_thread(&show_in, &usher, {.priority = 100});
    const auto first = connections().Connect("objects", "first", 10'000);
    test.equal("first", first.status(), Status::Ok);
    test.equal("its endpoint", first.value().endpoint, 3u);
    // The policy has the last word: this class may not call its own kind.
    test.equal("call", ask(first.value().channel.handle, 1).status, Status::SecurityDisallow);
    test.equal("second",
               connections().Connect("objects", "second", 10'000).status(),
               Status::NotConnected);
    test.equal("usher", usher.wrong, 0u);
    close(first.value().channel.handle);
}

void routes(Report& report, u32 listener, u32 server, u32 notice) {
    Test test{report, "objects.routes-of-the-kernel"};
    namespace endpoint = kl::core::Core::endpoint;
    const auto route = [](u32 to, u32 from, u32 number) {
        return handles().Route(to, from, number).status();
    };
    test.equal("taken", route(listener, endpoint::cm_CM, 0), Status::Busy);
    test.equal("the kernel's own", route(listener, endpoint::vmm_VMM, 0), Status::InvalidArgument);
    test.equal("none", route(listener, 32, 0), Status::InvalidArgument);
    test.equal(
        "number", route(listener, endpoint::xhcidbg_XHCIDBG, 0x8000), Status::InvalidArgument);
    test.equal("to nothing", route(kNothing, endpoint::cm_CM, 0), Status::BadHandle);
    test.equal("to a channel", route(server, endpoint::cm_CM, 0), Status::WrongType);
    test.equal("to a notice", route(notice, endpoint::cm_CM, 0), Status::WrongType);
}

void names(Report& report, const Context& context) {
    Test test{report, "objects.names-and-first-priority"};
    test.require("own name", tasks().GetName(0).value().name == "objects");
    test.require("own path", tasks().GetPath(0).value().path == "objects");
    Spawner spawner{context};
    const Child child = spawner.build([](u64) -> s32 { return 0; }, 0);
    const u32 memory = vmm().MdlCreate(kPage, 0).value().mdl.handle;
    const u32 weak = handles().Copy(child.task, 0, 0).value().copy;
    test.equal("name of nothing", tasks().GetName(kNothing).status(), Status::BadHandle);
    test.equal("name of memory", tasks().GetName(memory).status(), Status::WrongType);
    test.equal("name without the right", tasks().GetName(weak).status(), Status::NoCapability);
    test.equal("path of memory", tasks().GetPath(memory).status(), Status::WrongType);
    test.equal("priority", tasks().GetInitialThreadPriority(child.task).value().priority, 100u);
    const auto set = [](u32 task, u32 priority) {
        return tasks().SetInitialThreadPriority(task, priority).status();
    };
    test.equal("of memory", set(memory, 1), Status::WrongType);
    test.equal("of nothing", set(kNothing, 1), Status::BadHandle);
    test.equal("without the right", set(weak, 1), Status::NoCapability);
    test.equal("too high", set(child.task, 101), Status::InvalidArgument);
    test.equal("lower", set(child.task, 90), Status::Ok);
    test.equal("set", tasks().GetInitialThreadPriority(child.task).value().priority, 90u);
    (void)spawner.start(child);
    test.equal("too late", set(child.task, 90), Status::NotReady);
    (void)Spawner::wait(child);
    Spawner::discard(child);
    close(memory);
}

/// A chain of copies as deep as the table, with its twigs, falls at one word.
void deep_revocation(Report& report) {
    Test test{report, "objects.deep-trees-are-revoked"};
    const u64 before = handles().GetSidByHandle(make_object(0)).value().sid;
    test.require("sid", before != 0);
    const u32 root = make_object(0);
    u32 parent = root;
    u32 made = 0;
    for (; made < 150; ++made) {
        const u32 copy = handles().Copy(parent, rights::kAll, 0).value().copy;
        if (copy == 0) {
            break;
        }
        parent = copy;
    }
    test.require("deep", made > 100, made);
    test.equal("revoke", handles().Revoke(root).status(), Status::Ok);
    test.equal("the last", handles().GetSidByHandle(parent).status(), Status::BadHandle);
    test.equal("the root", handles().GetSidByHandle(root).status(), Status::Ok);
    // A handle with many children closes; they hang below its parent then.
    const u32 middle = handles().Copy(root, rights::kAll, 0).value().copy;
    u32 child = 0;
    for (u32 i = 0; i < 100; ++i) {
        child = handles().Copy(middle, rights::kAll, 0).value().copy;
    }
    test.equal("close", handles().Close(middle).status(), Status::Ok);
    test.equal("child", handles().GetSidByHandle(child).status(), Status::Ok);
    test.equal("revoke all", handles().Revoke(root).status(), Status::Ok);
    test.equal("child after that", handles().GetSidByHandle(child).status(), Status::BadHandle);
    close(root);
}

}  // namespace

void run(Report& report, const Context& context) {
    const u32 server = connection(context, "server");
    const u32 notice = notices().Create().value().notice.handle;
    comes_back(report, server);
    badges(report, server, notice);
    wrong_objects(report, server, context.start.listener(), notice);
    numbers(report, server);
    callable(report, context);
    dynamic_channels(report);
    routes(report, context.start.listener(), server, notice);
    names(report, context);
    deep_revocation(report);
    exhaustion(report, context);
}

}  // namespace trial
