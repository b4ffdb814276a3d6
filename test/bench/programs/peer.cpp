// SPDX-License-Identifier: Apache-2.0
// The other side of a round trip. Its argument says of which: "short" answers pings, "long" takes
// data, "pages" gives some and takes whole pages, "turns" gives up the CPU as often as it is told.
// With more than one CPU, the first sits on the second one.
#include <bench/Bytes.idl.hpp>
#include <bench/Echo.idl.hpp>
#include <bench/Pages.idl.hpp>
#include <bench/Partner.endpoints.hpp>
#include <bench/Peer.endpoints.hpp>
#include <bench/Turns.idl.hpp>
#include <bit>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/PM.client.hpp>
#include <kl/core/Thread.client.hpp>
#include <kl/core/VMM.client.hpp>
#include <runtime/process.hpp>
#include <runtime/svc.hpp>
#include <test/bench/programs/loops.hpp>

namespace {

namespace endpoint = kl::core::Core::endpoint;
using base::s32;
using base::u16;
using base::u32;
using base::u64;
using base::u8;

constexpr u64 kSecondCpu = 1u << 1;
constexpr u64 kRoomBytes = u64{1} << 24;
constexpr s32 kExitArgument = 1;
constexpr s32 kExitAffinity = 2;
constexpr s32 kExitListener = 3;
constexpr s32 kExitMemory = 4;

alignas(4096) constinit u8 arena[bench::Bytes::MaxBytes]{};
alignas(64) constinit u8 fixed[64]{};

bool settle() {
    kl::core::PM::Proxy power{sdk::kKernelHandle, endpoint::pm_PM};
    const auto online = power.GetCpusOnline();
    if (!online.ok() || (online.value().mask & kSecondCpu) == 0) {
        return online.ok();
    }
    kl::core::Thread::Proxy thread{sdk::kKernelHandle, endpoint::thread_Thread};
    return thread.SetAffinity(0, kSecondCpu).ok();
}

u64 buffer(const void* data, u32 size) {
    return abi::Buffer{base::UserAddr{std::bit_cast<u64>(data)}, size}.value;
}

/// Answers Alternate, then does it.
s32 take_turns(u32 listener) {
    const u64 sleep = abi::Tag::make_short(abi::Kind::Request,
                                           endpoint::thread_Thread,
                                           static_cast<u16>(kl::core::Thread::Method::Sleep),
                                           kl::core::Thread::kSleep_RequestSize)
                          .value;
    const abi::Tag answer = abi::Tag::make_short(abi::Kind::Response,
                                                 bench::Partner::endpoint::turns,
                                                 static_cast<u16>(bench::Turns::Method::Alternate),
                                                 bench::Turns::kAlternate_ResponseSize);
    while (true) {
        const auto request = sdk::receive_short(listener);
        if (request.status != base::Status::Ok) {
            return kExitListener;
        }
        const auto answered = sdk::reply_short(request.token, answer, sdk::ShortWords<0>{});
        if (answered == base::Status::Ok && request.words[0] != 0) {
            const bench::Loop loop{
                .handle = sdk::kKernelHandle, .tag = sleep, .count = request.words[0]};
            bench::bench_call_warm(&loop);
        }
    }
}

}  // namespace

s32 sdk::program_main(const StartBlock& start) {
    const auto what = start.argument(0);
    if (what == "short") {
        if (!settle()) {
            return kExitAffinity;
        }
        const abi::Tag answer = abi::Tag::make_short(abi::Kind::Response,
                                                     bench::Peer::endpoint::echo,
                                                     static_cast<u16>(bench::Echo::Method::Ping),
                                                     bench::Echo::kPing_ResponseSize);
        bench::bench_serve_short(start.listener(), answer.value);
    }
    if (what == "long") {
        bench::bench_serve_long(
            start.listener(), buffer(fixed, sizeof(fixed)), buffer(arena, sizeof(arena)));
    }
    if (what == "pages") {
        kl::core::VMM::Proxy memory{kKernelHandle, endpoint::vmm_VMM};
        const auto room = memory.Allocate(0, kRoomBytes, kl::core::VMM::Reserve);
        if (!room.ok()) {
            return kExitMemory;
        }
        const base::UserAddr at{room.value().at};
        bench::bench_serve_pages(start.listener(),
                                 buffer(fixed, sizeof(fixed)),
                                 abi::Buffer{at, bench::Pages::MaxBytes}.value,
                                 std::bit_cast<u64>(&arena[0]));
    }
    return what == "turns" ? take_turns(start.listener()) : kExitArgument;
}
