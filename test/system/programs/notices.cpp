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
               notices().SubscribeToObject(listener, child.task, 6, 0).status(),
               Status::InvalidArgument);
    test.equal("no listener", subscribe(sdk::kKernelHandle, child.task, 0), Status::WrongType);
    test.equal("no task", subscribe(listener, listener, 0), Status::WrongType);
    test.equal("subscribe", subscribe(listener, child.task, 0), Status::Ok);
    test.equal("twice", subscribe(listener, child.task, 0), Status::Busy);
    Spawner::discard(child);
    const sdk::Incoming event = next_event(listener, 100);
    if (event.status == Status::Ok) {
        (void)answer(event.token);
    }
}

}  // namespace

void run(Report& report, const Context& context) {
    Spawner spawner{context};
    one_each(report, spawner, context.start.listener());
    many(report, spawner, context.start.listener());
    refused(report, spawner, context.start.listener());
}

}  // namespace trial
