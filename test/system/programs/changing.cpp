// SPDX-License-Identifier: Apache-2.0
// Messages that another thread changes while they are checked: what arrives is what was judged. One
// thread flips a value between allowed and denied, another calls; the server writes down the worst
// that ever reached it.
#include <atomic>
#include <runtime/thread.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/support/kernel.hpp>
#include <trial/Guarded.client.hpp>
#include <trial/Server.edl.hpp>

namespace trial {

namespace {

constexpr u32 kCalls = 2000;
constexpr u32 kAllowed = 7;
constexpr u32 kDenied = 5000;

struct Message {
    Guarded::SetNamed_Request named;
    Guarded::SetWide_Request wide;
    alignas(8) char text[64];
};

constinit Message message{};
constinit std::atomic<u32> stop{0};
constinit std::atomic<u32> stopped{0};

/// Flips as fast as it can; on one CPU the preemption of the caller gives the moments.
void flip(void*) {
    (void)threads().SetAffinity(0, cpu_count() > 1 ? 2 : 1);
    auto& level = at<volatile u32>(address_of(&message.wide.level));
    auto& named_level = at<volatile u32>(address_of(&message.named.level));
    auto& size = at<volatile u32>(address_of(&message.named.name.size));
    auto& offset = at<volatile u32>(address_of(&message.named.name.offset));
    auto& character = at<volatile u8>(address_of(&message.text[3]));
    u32 count = 0;
    while (stop == 0) {
        level = kDenied;
        named_level = kDenied;
        character = 0xFF;  // never in UTF-8
        size = 0xFFFF'FFF0;
        offset = 60;
        level = kAllowed;
        named_level = kAllowed;
        character = 'c';
        size = 8;
        offset = 0;
        if (++count % 64 == 0 && cpu_count() == 1) {
            (void)threads().Sleep(0);
        }
    }
    stopped = 1;
}

/// Only these may come of a call.
bool is_expected(Status status) {
    return status == Status::Ok || status == Status::SecurityDisallow;
}

Status send(u32 server, Guarded::Method method, const void* fixed, u32 size, bool has_text) {
    sdk::Incoming incoming;
    const u64 more = has_text ? abi::Tag::kArena : 0;
    sdk::call(
        server,
        abi::Tag{abi::Tag::make_long(
                     abi::Kind::Request, Server::endpoint::guarded, static_cast<u16>(method), 0)
                     .value |
                 more},
        {.fixed = fixed,
         .fixed_size = size,
         .arena = has_text ? message.text : nullptr,
         .arena_size = has_text ? static_cast<u32>(sizeof(message.text)) : 0},
        {},
        incoming);
    return incoming.status;
}

}  // namespace

void run(Report& report, const Context& context) {
    const u32 server = connection(context, "server");
    (void)threads().SetAffinity(0, 1);
    __builtin_memcpy(message.text, "abcdefg", 8);
    message.named.name.size = 8;
    const auto thread = sdk::start_thread(&flip, nullptr, {.priority = 110});
    u32 delivered = 0;
    u32 denied = 0;
    u32 strange = 0;
    const u32 calls = kCalls * context.effort;
    for (u32 i = 0; i < calls; ++i) {
        const Status wide =
            send(server, Guarded::Method::SetWide, &message.wide, sizeof(message.wide), false);
        const Status named =
            send(server, Guarded::Method::SetNamed, &message.named, sizeof(message.named), true);
        for (const Status status : {wide, named}) {
            delivered += status == Status::Ok ? 1 : 0;
            denied += status == Status::SecurityDisallow ? 1 : 0;
            strange += is_expected(status) ? 0 : 1;
        }
        if (i % 16 == 0) {
            (void)threads().Sleep(0);
        }
    }
    stop = 1;
    for (u32 i = 0; i < 2000 && stopped == 0; ++i) {
        sdk::sleep_ms(1);
    }
    Guarded::Proxy guarded{server, Server::endpoint::guarded};
    const auto highest = guarded.Highest();
    {
        Test test{report, "changing.nothing-denied-is-delivered"};
        test.require("flipper", thread.ok());
        test.equal("highest level", highest.value().level <= 100 ? 0 : highest.value().level, 0);
        test.require("delivered some", delivered > 0, delivered);
    }
    {
        Test test{report, "changing.no-bad-text-is-delivered"};
        test.equal("bad characters", highest.value().badTexts, 0);
    }
    Test test{report, "changing.only-defined-results"};
    test.equal("strange", strange, 0);
    test.equal("sum", delivered + denied, 2 * calls);
    (void)handles().Close(thread.ok() ? thread.value() : 0);
}

}  // namespace trial
