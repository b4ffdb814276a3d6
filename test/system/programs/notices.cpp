// SPDX-License-Identifier: Apache-2.0
// Notices of the end of a process, as messages.
#include <runtime/time.hpp>
#include <test/system/programs/support/spawn.hpp>

namespace trial {

namespace {

sdk::Incoming next_event(u32 listener, u64 milliseconds) {
    sdk::Incoming incoming;
    sdk::receive(listener, 0, {}, incoming, sdk::now_ticks() + sdk::ticks_of_ms(milliseconds));
    return incoming;
}

Status answer(u64 token) {
    return sdk::reply(
        token, abi::Tag::make_short(abi::Kind::Response, abi::kEventEndpoint, 0, 0), {});
}

Status subscribe(u32 listener, u32 task, u64 badge) {
    return notices().SubscribeToObject(listener, task, kl::core::Notice::TaskEnded, badge).status();
}

void one_each(Report& report, Spawner& spawner, u32 listener) {
    Test test{report, "notices.end-of-a-process"};
    for (u64 i = 0; i < 10; ++i) {
        const Child child =
            spawner.build([](u64 code) -> s32 { return static_cast<s32>(code); }, i);
        test.equal("subscribe", subscribe(listener, child.task, 500 + i), Status::Ok);
        test.equal("not yet", next_event(listener, 1).status, Status::Timeout);
        (void)spawner.start(child);
        const sdk::Incoming event = next_event(listener, 3000);
        if (test.equal("event", event.status, Status::Ok)) {
            test.equal("endpoint", event.tag.endpoint(), abi::kEventEndpoint);
            test.equal("badge", event.badge, 500 + i);
            test.equal("bits", event.words[0], kl::core::Notice::TaskEnded);
            test.equal("answer", answer(event.token), Status::Ok);
            test.equal("stale", answer(event.token), Status::StaleToken);
        }
        test.equal("once", next_event(listener, 1).status, Status::Timeout);
        test.equal("exit code", Spawner::wait(child).code, static_cast<s32>(i));
        Spawner::discard(child);
    }
}

void many(Report& report, Spawner& spawner, u32 listener) {
    Test test{report, "notices.of-many-at-once"};
    constexpr u32 kCount = 8;
    Child children[kCount];
    for (u32 i = 0; i < kCount; ++i) {
        children[i] = spawner.build([](u64) -> s32 { return 0; }, 0);
        (void)subscribe(listener, children[i].task, i);
        (void)spawner.start(children[i]);
    }
    sdk::sleep_ms(20);
    u32 seen = 0;
    for (u32 i = 0; i < kCount; ++i) {
        const sdk::Incoming event = next_event(listener, 3000);
        test.equal("event", event.status, Status::Ok);
        seen |= 1u << event.badge;
        (void)answer(event.token);
    }
    test.equal("each of them", seen, (1u << kCount) - 1);
    for (const Child& child : children) {
        Spawner::discard(child);
    }
}

void refused(Report& report, Spawner& spawner, u32 listener) {
    Test test{report, "notices.wrong-subscriptions-refused"};
    const Child child = spawner.build([](u64) -> s32 { return 0; }, 0);
    test.equal("other bits",
               notices().SubscribeToObject(listener, child.task, 8, 0).status(),
               Status::InvalidArgument);
    test.equal("no listener", subscribe(sdk::kKernelHandle, child.task, 0), Status::WrongType);
    test.equal("without the right", subscribe(listener, listener, 0), Status::NoCapability);
    test.equal("no object", subscribe(listener, 0x7777'0033, 0), Status::BadHandle);
    test.equal("no receiver", subscribe(0x7777'0033, child.task, 0), Status::BadHandle);
    test.equal("subscribe", subscribe(listener, child.task, 0), Status::Ok);
    test.equal("twice", subscribe(listener, child.task, 0), Status::Busy);
    Spawner::discard(child);
    const sdk::Incoming event = next_event(listener, 100);
    if (event.status == Status::Ok) {
        (void)answer(event.token);
    }
}

constexpr u32 kCustom = 0x1'0000;

u32 make_object() {
    return handles().CreateUserObject(kl::core::Handle::FirstUserType, ~0u, 0, 0, 0).value().handle;
}

void collected(Report& report, u32 notice) {
    Test test{report, "notices.custom-events-collect"};
    const u32 object = make_object();
    for (u64 id = 0; id < 8; ++id) {
        test.equal("subscribe",
                   notices().SubscribeToObject(notice, object, kCustom << (id % 2), id).status(),
                   Status::Ok);
    }
    test.equal("one more",
               notices().SubscribeToObject(notice, object, kCustom, 8).status(),
               Status::OutOfMemory);
    test.equal(
        "again", notices().SubscribeToObject(notice, object, kCustom, 0).status(), Status::Busy);
    test.equal("none", notices().GetEvent(notice, 0, 16).status(), Status::Timeout);
    test.equal("raise", notices().SetObjectEvent(object, kCustom).status(), Status::Ok);
    const auto some = notices().GetEvent(notice, 0, 3);
    test.equal("three", some.value().records.size(), std::size_t{3});
    test.equal("first", some.value().records[0].eventId, 0u);
    test.equal("its bits", some.value().records[0].mask, kCustom);
    test.equal("the fourth", notices().GetEvent(notice, 0, 16).value().records[0].eventId, 6u);
    test.equal("by event", notices().UnsubscribeFromEvent(notice, object, 0).status(), Status::Ok);
    test.equal("no more",
               notices().UnsubscribeFromEvent(notice, object, 0).status(),
               Status::ResourceNotFound);
    test.equal("raise", notices().SetObjectEvent(object, kCustom).status(), Status::Ok);
    test.equal("left", notices().GetEvent(notice, 0, 16).value().records.size(), std::size_t{3});
    test.equal("by object", notices().UnsubscribeFromObject(notice, object).status(), Status::Ok);
    test.equal("nothing",
               notices().UnsubscribeFromObject(notice, object).status(),
               Status::ResourceNotFound);
    (void)notices().SubscribeToObject(notice, object, kl::core::Notice::ObjectDestroyed, 9);
    (void)handles().Close(object);
    const auto last = notices().GetEvent(notice, 1000, 16);
    test.equal("last", last.status(), Status::Ok);
    test.equal("its end", last.value().records[0].mask, kl::core::Notice::ObjectDestroyed);
}

void wrong_notices(Report& report, u32 notice) {
    Test test{report, "notices.wrong-calls-refused"};
    const u32 object = make_object();
    constexpr u32 kNobody = 0x7777'0033;
    test.equal("get of nothing", notices().GetEvent(kNobody, 0, 1).status(), Status::BadHandle);
    test.equal("get of an object", notices().GetEvent(object, 0, 1).status(), Status::WrongType);
    test.equal("get of none", notices().GetEvent(notice, 0, 0).status(), Status::InvalidArgument);
    test.equal(
        "raise of nothing", notices().SetObjectEvent(kNobody, kCustom).status(), Status::BadHandle);
    test.equal("raise of the kernel's",
               notices().SetObjectEvent(object, 2).status(),
               Status::InvalidArgument);
    test.equal("from nothing",
               notices().UnsubscribeFromObject(notice, kNobody).status(),
               Status::BadHandle);
    test.equal(
        "for nobody", notices().UnsubscribeFromObject(kNobody, object).status(), Status::BadHandle);
    test.equal("for an object",
               notices().UnsubscribeFromEvent(object, object, 0).status(),
               Status::WrongType);
    test.equal("drop of nothing", notices().DropAndWake(kNobody).status(), Status::BadHandle);
    test.equal("drop of an object", notices().DropAndWake(object).status(), Status::WrongType);
    const u32 other = notices().Create().value().notice.handle;
    test.equal("drop", notices().DropAndWake(other).status(), Status::Ok);
    test.equal("drop again", notices().DropAndWake(other).status(), Status::ResourceNotFound);
    test.equal(
        "get of a dropped one", notices().GetEvent(other, 0, 1).status(), Status::ResourceNotFound);
    test.equal("subscribe with it",
               notices().SubscribeToObject(other, object, kCustom, 0).status(),
               Status::ResourceNotFound);
    (void)handles().Close(other);
    (void)handles().Close(object);
}

void woken(Report& report, Spawner& spawner) {
    Test test{report, "notices.waits-end"};
    const Ending ending = spawner.run(
        [](u64) -> s32 {
            const u32 notice = notices().Create().value().notice.handle;
            const u64 start = sdk::now_ticks();
            if (notices().GetEvent(notice, 20, 1).status() != Status::Timeout) {
                return 1;
            }
            return sdk::now_ticks() - start >= sdk::ticks_of_ms(20) ? 0 : 2;
        },
        0);
    test.equal("timeout", ending.code, 0);
}

void of_another(Report& report, Spawner& spawner, u32 notice) {
    Test test{report, "notices.several-hear-of-one-end"};
    const Child child = spawner.build([](u64) -> s32 { return 7; }, 0);
    const u32 second = notices().Create().value().notice.handle;
    for (const u32 receiver : {notice, second}) {
        test.equal("subscribe", subscribe(receiver, child.task, receiver), Status::Ok);
    }
    (void)spawner.start(child);
    for (const u32 receiver : {notice, second}) {
        const auto events = notices().GetEvent(receiver, 5000, 16);
        test.equal("event", events.status(), Status::Ok);
        test.equal("id", events.value().records[0].eventId, u64{receiver});
    }
    test.equal("late", subscribe(second, child.task, 5), Status::Ok);
    test.equal("at once", notices().GetEvent(second, 0, 16).value().records[0].eventId, 5u);
    (void)handles().Close(second);
    Spawner::discard(child);
}

}  // namespace

void run(Report& report, const Context& context) {
    Spawner spawner{context};
    one_each(report, spawner, context.start.listener());
    many(report, spawner, context.start.listener());
    refused(report, spawner, context.start.listener());
    const u32 notice = notices().Create().value().notice.handle;
    collected(report, notice);
    wrong_notices(report, notice);
    woken(report, spawner);
    of_another(report, spawner, notice);
}

}  // namespace trial
