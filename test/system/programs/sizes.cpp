// SPDX-License-Identifier: Apache-2.0
// Large messages arrive whole, in both directions, whether they are staged or go straight across.
#include <test/system/programs/support/kernel.hpp>
#include <test/system/programs/support/pattern.hpp>
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

}  // namespace

void run(Report& report, const Context& context) {
    Sizes sizes{connection(context, "warehouse")};
    each(report, sizes);
    Test test{report, "sizes.misaligned-source"};
    for (const u32 offset : {1u, 8u, 4095u}) {
        sizes.there(test, Method::Sum, 9000, offset);
        sizes.there(test, Method::SumText, 9000, offset);
    }
}

}  // namespace trial
