// SPDX-License-Identifier: Apache-2.0
// Returns what it gets, as pages where that is possible: its room is empty before each request. A
// request that does not bring its pages finds no place then; it gets one and is taken again.
#include <runtime/process.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/support/kernel.hpp>
#include <test/system/programs/support/pattern.hpp>
#include <trial/Warehouse.edl.hpp>

namespace {

using base::Status;
using base::u32;
using base::u64;

constexpr u32 kSize = trial::Store::MaxPlain;

/// What arrived is the receiver's alone: it is the same a moment later.
void require_still(u64 at, u32 size) {
    constexpr u32 kLooked = 8192;
    const u32 looked = size < kLooked ? size : kLooked;
    const u64 hash = trial::hash_of(&trial::at<base::u8>(at), looked);
    (void)trial::threads().Sleep(sdk::now_ticks() + sdk::ticks_per_second() / 20'000);
    if (trial::hash_of(&trial::at<base::u8>(at), looked) != hash) {
        sdk::exit_process(9);
    }
}

void serve(u32 listener, u64 at) {
    sdk::Incoming incoming;
    abi::ArenaRange range{};
    const sdk::Room room{.fixed = &range,
                         .fixed_size = sizeof(range),
                         .arena = &trial::at<base::u8>(at),
                         .arena_size = kSize};
    for (;;) {
        (void)trial::vmm().Decommit(at, kSize);
        do {
            sdk::receive(listener, 0, room, incoming);
            if (incoming.status == Status::SourceFault) {
                (void)trial::vmm().Commit(at, kSize, trial::kWritable);
            }
        } while (incoming.status != Status::Ok);
        const u32 size = incoming.arena_size;
        require_still(at, size);
        const bool is_return =
            incoming.tag.method() == static_cast<base::u16>(trial::Store::Method::Return);
        if (!is_return) {
            continue;
        }
        (void)sdk::reply(
            incoming.token,
            abi::Tag{abi::Tag::make_long(
                         abi::Kind::Response, incoming.tag.endpoint(), incoming.tag.method(), 0)
                         .value |
                     abi::Tag::kArena | abi::Tag::kMovesPages},
            {.fixed = &range,
             .fixed_size = sizeof(range),
             .arena = &trial::at<base::u8>(at),
             .arena_size = size});
    }
}

}  // namespace

base::s32 sdk::program_main(const StartBlock& start) {
    const auto room = trial::vmm().Allocate(0, kSize, kl::core::VMM::Reserve);
    if (!room.ok()) {
        return 1;
    }
    serve(start.listener(), room.value().at);
    return 2;
}
