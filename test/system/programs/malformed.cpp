// SPDX-License-Identifier: Apache-2.0
// Messages that do not have the structure their interface says. Each is refused by the check before
// any rule and before the server, which counts what reaches it.
#include <test/system/programs/support/kernel.hpp>
#include <trial/Server.edl.hpp>
#include <trial/Texts.client.hpp>

namespace trial {

namespace {

using Method = Texts::Method;

class Defects final {
public:
    Defects(Report& report, u32 server) : report_(report), server_(server) {}

    void texts();
    void ranges();
    void shapes();
    void unions();
    void addresses();
    void anything(u64 seed, u32 effort);

private:
    u64 entered() {
        Texts::Proxy texts{server_, Server::endpoint::texts};
        return texts.Entered().value().count;
    }

    Status
    send(abi::Tag tag, const void* fixed, u32 fixed_size, const void* arena, u32 arena_size) {
        sdk::Incoming incoming;
        sdk::call(
            server_,
            tag,
            {.fixed = fixed, .fixed_size = fixed_size, .arena = arena, .arena_size = arena_size},
            {},
            incoming);
        return incoming.status;
    }

    static abi::Tag long_tag(Method method, bool has_arena = true) {
        return abi::Tag{
            abi::Tag::make_long(
                abi::Kind::Request, Server::endpoint::texts, static_cast<u16>(method), 0)
                .value |
            (has_arena ? abi::Tag::kArena : 0)};
    }

    Status note(std::string_view arena, abi::ArenaRange range) {
        Texts::Note_Request fixed{};
        fixed.text = range;
        alignas(8) char bytes[160]{};
        __builtin_memcpy(bytes, arena.data(), arena.size());
        return send(long_tag(Method::Note, !arena.empty()),
                    &fixed,
                    sizeof(fixed),
                    bytes,
                    static_cast<u32>(arena.size()));
    }

    /// `text` without a NUL of its own.
    Status note(std::string_view text) {
        return note(text, {.offset = 0, .size = static_cast<u32>(text.size())});
    }

    Status numbers(abi::ArenaRange values, abi::ArenaRange tail, u32 arena_size) {
        Texts::Numbers_Request fixed{};
        fixed.values = values;
        fixed.tail = tail;
        alignas(8) const u8 arena[512]{};
        return send(long_tag(Method::Numbers), &fixed, sizeof(fixed), arena, arena_size);
    }

    /// One test: `attempt` is refused and nothing reaches the server.
    template <typename Attempt> void refused(std::string_view name, Attempt attempt) {
        Test test{report_, name};
        const u64 before = entered();
        test.equal("status", attempt(), Status::SecurityDisallow);
        test.equal("server entered", entered(), before);
    }

    template <typename Attempt> void accepted(std::string_view name, Attempt attempt) {
        Test test{report_, name};
        const u64 before = entered();
        test.equal("status", attempt(), Status::Ok);
        test.equal("server entered", entered(), before + 1);
    }

    Report& report_;
    u32 server_;
};

void Defects::texts() {
    using namespace std::string_view_literals;
    accepted("malformed.good-text-is-delivered", [&] { return note("good\0"sv); });
    accepted("malformed.empty-text-is-delivered", [&] { return note(""sv, {}); });
    accepted("malformed.utf8-is-delivered", [&] { return note("\xC3\xA9\xF0\x9F\x8C\x8D\0"sv); });
    refused("malformed.text-without-nul", [&] { return note("no end"sv); });
    refused("malformed.text-overlong-utf8", [&] { return note("\xC0\xAF\0"sv); });
    refused("malformed.text-surrogate", [&] { return note("\xED\xA0\x80\0"sv); });
    refused("malformed.text-beyond-unicode", [&] { return note("\xF4\x90\x80\x80\0"sv); });
    refused("malformed.text-lone-continuation", [&] { return note("a\x80\0"sv); });
    refused("malformed.text-cut-sequence", [&] { return note("\xE2\x82\0"sv); });
    refused("malformed.text-byte-ff", [&] { return note("\xFF\0"sv); });
    refused("malformed.text-above-its-maximum", [&] {
        alignas(8) char long_text[96];
        __builtin_memset(long_text, 'x', sizeof(long_text));
        long_text[71] = '\0';
        return note({long_text, 72});
    });
}

void Defects::ranges() {
    using namespace std::string_view_literals;
    constexpr std::string_view kText = "abcdefg\0"sv;
    refused("malformed.range-behind-the-arena",
            [&] { return note(kText, {.offset = 8, .size = 8}); });
    refused("malformed.range-half-outside", [&] { return note(kText, {.offset = 4, .size = 8}); });
    refused("malformed.range-that-wraps",
            [&] { return note(kText, {.offset = 0xFFFF'FFF8, .size = 16}); });
    refused("malformed.range-of-largest-size",
            [&] { return note(kText, {.offset = 0, .size = 0xFFFF'FFFF}); });
    refused("malformed.range-without-arena", [&] { return note(""sv, {.offset = 0, .size = 8}); });
    accepted("malformed.good-numbers-are-delivered", [&] { return numbers({0, 16}, {16, 8}, 24); });
    refused("malformed.range-misaligned", [&] { return numbers({4, 16}, {24, 8}, 32); });
    refused("malformed.size-no-multiple", [&] { return numbers({0, 12}, {16, 8}, 24); });
    refused("malformed.ranges-overlap", [&] { return numbers({0, 16}, {8, 16}, 24); });
    refused("malformed.ranges-identical", [&] { return numbers({0, 16}, {0, 16}, 24); });
    refused("malformed.too-many-elements", [&] { return numbers({0, 136}, {136, 8}, 144); });
    refused("malformed.bytes-above-their-maximum", [&] { return numbers({0, 8}, {8, 40}, 48); });
}

void Defects::shapes() {
    Texts::Note_Request fixed{};
    alignas(8) const u8 bytes[512]{};
    refused("malformed.fixed-part-too-small",
            [&] { return send(long_tag(Method::Numbers), &fixed, 8, bytes, 8); });
    refused("malformed.fixed-part-too-large",
            [&] { return send(long_tag(Method::Note), bytes, 16, bytes, 8); });
    refused("malformed.no-fixed-part",
            [&] { return send(long_tag(Method::Note), bytes, 0, bytes, 8); });
    refused("malformed.short-where-long-is-due", [&] {
        return send(
            abi::Tag::make_short(
                abi::Kind::Request, Server::endpoint::texts, static_cast<u16>(Method::Note), 8),
            bytes,
            8,
            nullptr,
            0);
    });
    refused("malformed.long-where-short-is-due",
            [&] { return send(long_tag(Method::Entered, false), bytes, 8, nullptr, 0); });
    refused("malformed.too-many-words", [&] {
        return send(
            abi::Tag::make_short(
                abi::Kind::Request, Server::endpoint::texts, static_cast<u16>(Method::Entered), 8),
            bytes,
            8,
            nullptr,
            0);
    });
    refused("malformed.handle-where-none-is-due", [&] {
        return send(abi::Tag{long_tag(Method::Note).value | (u64{1} << 40)}, &fixed, 8, bytes, 8);
    });
    refused("malformed.no-handle-where-one-is-due", [&] {
        return send(abi::Tag::make_long(abi::Kind::Request, Server::endpoint::post, 0, 0),
                    bytes,
                    16,
                    nullptr,
                    0);
    });
    refused("malformed.arena-larger-than-the-interface", [&] {
        alignas(8) static const u8 large[2048]{};
        return send(long_tag(Method::Note), &fixed, 8, large, sizeof(large));
    });
}

void Defects::unions() {
    const auto pick = [&](u32 member) {
        Texts::Pick_Request fixed{};
        void* const bytes = &fixed;
        __builtin_memcpy(bytes, &member, sizeof(member));
        const abi::Tag tag = abi::Tag::make_short(abi::Kind::Request,
                                                  Server::endpoint::texts,
                                                  static_cast<u16>(Method::Pick),
                                                  sizeof(fixed));
        return send(tag, &fixed, sizeof(fixed), nullptr, 0);
    };
    accepted("malformed.good-union-is-delivered", [&] { return pick(1); });
    refused("malformed.union-of-unknown-member", [&] { return pick(2); });
    refused("malformed.union-of-largest-member", [&] { return pick(0xFFFF'FFFF); });
}

void Defects::addresses() {
    const auto to = [&](u16 endpoint, u16 method) {
        return send(
            abi::Tag::make_short(abi::Kind::Request, endpoint, method, 0), nullptr, 0, nullptr, 0);
    };
    refused("malformed.unknown-method", [&] { return to(Server::endpoint::texts, 77); });
    refused("malformed.unknown-endpoint", [&] { return to(77, 0); });
    refused("malformed.largest-numbers", [&] { return to(0xFFEF, 0xFFFF); });
    refused("malformed.kernels-own-endpoint", [&] { return to(abi::kIrqEndpoint, 0); });
    refused("malformed.event-from-a-process", [&] { return to(abi::kEventEndpoint, 0); });
}

/// Messages from a grammar: mostly right, with mistakes strewn in. However each is judged, what the
/// kernel says that it denied and what the server says that it saw are all that was sent.
void Defects::anything(u64 seed, u32 effort) {
    Test test{report_, "malformed.anything-is-denied-or-delivered"};
    Random random{seed};
    const auto size = [&random](u32 most) {
        constexpr u32 kOdd[] = {0, 1, 7, 0x7FFF'FFFF, 0x8000'0000, 0xFFFF'FFF8, 0xFFFF'FFFF};
        return random.below(8) == 0 ? kOdd[random.below(7)]
                                    : static_cast<u32>(random.below(most / 8 + 2)) * 8;
    };
    const auto fill_text = [&random](u8(&bytes)[512]) {
        for (u8& byte : bytes) {
            const u64 kind = random.below(40);
            byte = static_cast<u8>(kind == 0 ? random.next() : kind == 1 ? 0 : 'a' + kind % 26);
        }
    };
    u64 delivered = 0;
    u64 denied = 0;
    const u64 entered_before = entered();
    const u64 denied_before = profiler().GetCounters().value().denied;
    const u32 messages = 1000 * effort;
    for (u32 i = 0; i < messages; ++i) {
        alignas(8) u8 arena[512];
        fill_text(arena);
        const u32 arena_size = random.below(6) == 0 ? static_cast<u32>(random.below(512)) : 64;
        Status status = Status::Ok;
        if (random.below(3) == 0) {
            Texts::Note_Request fixed{};
            fixed.text = {random.below(4) == 0 ? size(64) : 0, size(64)};
            if (fixed.text.size - 1 < 64 && random.below(4) != 0) {
                arena[fixed.text.offset % 448 + fixed.text.size - 1] = 0;
            }
            status = send(long_tag(Method::Note), &fixed, sizeof(fixed), arena, arena_size);
        } else if (random.below(2) == 0) {
            Texts::Numbers_Request fixed{};
            fixed.values = {random.below(4) == 0 ? size(64) : 0, size(128)};
            fixed.tail = {random.below(4) == 0 ? size(64) : fixed.values.size, size(32)};
            status = send(long_tag(Method::Numbers), &fixed, sizeof(fixed), arena, arena_size);
        } else {
            u64 fixed[2] = {random.below(3), random.next()};
            status = send(abi::Tag::make_short(abi::Kind::Request,
                                               Server::endpoint::texts,
                                               static_cast<u16>(Method::Pick),
                                               sizeof(fixed)),
                          fixed,
                          sizeof(fixed),
                          nullptr,
                          0);
        }
        delivered += status == Status::Ok ? 1 : 0;
        denied += status == Status::SecurityDisallow ? 1 : 0;
        test.require("another answer",
                     status == Status::Ok || status == Status::SecurityDisallow,
                     static_cast<u64>(-static_cast<s64>(status)));
    }
    test.require("some of both", delivered > messages / 20 && denied > messages / 20, delivered);
    test.equal("what the server saw", entered() - entered_before, delivered);
    test.equal(
        "what the kernel denied", profiler().GetCounters().value().denied - denied_before, denied);
}

}  // namespace

void run(Report& report, const Context& context) {
    Defects defects{report, connection(context, "server")};
    defects.texts();
    defects.ranges();
    defects.shapes();
    defects.unions();
    defects.addresses();
    defects.anything(context.seed, context.effort);
}

}  // namespace trial
