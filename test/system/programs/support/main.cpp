// SPDX-License-Identifier: Apache-2.0
// The main program of every suite: waits for the conductor, runs, answers with the counts. While a
// suite runs, its listener is its own: tests may receive notices and interrupts on it. At the end
// processes of the suite's own program come and go, and leave nothing.
#include <runtime/ipc.hpp>
#include <runtime/process.hpp>
#include <test/system/programs/support/kernel.hpp>
#include <test/system/programs/support/spawn.hpp>
#include <trial/Suite.idl.hpp>
#include <trial/Tests.edl.hpp>

namespace trial {

namespace {

constexpr u32 kLives = 4;          // times the effort
constexpr u32 kMostEffort = 1000;  // beyond it an image has one suite, for that one's sake

/// Takes of everything, and ends with it or waits to be ended.
s32 live(u64 number) {
    const u64 memory = allocate(4 * kPage);
    const auto object = vmm().MdlCreate(2 * kPage, 0);
    (void)vmm().MdlMap(object.value().mdl.handle, 0, kPage, 0, kReadable);
    (void)handles().Copy(object.value().mdl.handle, ~0u, 0);
    (void)handles().CreateUserObject(kl::core::Handle::FirstUserType, 1, number, 0, 0);
    (void)threads().Create(__builtin_bit_cast(
                               u64, +[](u64) { (void)threads().Sleep(~u64{0} >> 1); }),
                           memory + kPage,
                           0,
                           0,
                           10);
    while (number % 2 != 0) {
    }
    return 0;
}

void live_often(Report& report, const Context& context) {
    // While bits of `flips` are flipped nobody else may suffer, and its children would.
    if (!context.start.file(context.start.task()).ok() || context.start.task() == "flips" ||
        context.effort > kMostEffort) {
        return;
    }
    sdk::Line<60> name;
    name.text(context.start.task()).text(".lives-leave-nothing");
    Test test{report, name.view()};
    Spawner spawner{context};
    (void)spawner.run(live, 0);  // page tables that stay
    const Holdings before = settled_holdings();
    for (u32 i = 0; i < kLives * context.effort; ++i) {
        const Child child = spawner.spawn(live, i);
        test.require("made", child.task != 0, i);
        const Ending ending = Spawner::wait(child, i % 2 == 0 ? 40'000 : 1);
        test.require("ended", ending.ended || i % 2 != 0, i);
        Spawner::discard(child);
    }
    require_restored(test, before);
}

}  // namespace

}  // namespace trial

base::s32 sdk::program_main(const StartBlock& start) {
    while (true) {
        sdk::Incoming incoming;
        sdk::receive(start.listener(), 0, {}, incoming);
        if (sdk::is_listener_lost(incoming.status)) {
            return 1;
        }
        if (incoming.status != Status::Ok || incoming.tag.endpoint() >= abi::kIrqEndpoint) {
            continue;
        }
        trial::Report report;
        const trial::Context context{.start = start,
                                     .seed = incoming.words[0],
                                     .effort = static_cast<u32>(incoming.words[1]),
                                     .cpus = trial::cpu_count()};
        trial::run(report, context);
        trial::live_often(report, context);
        const trial::Suite::Run_Response response{.passed = report.passed, .failed = report.failed};
        (void)sdk::reply(incoming.token,
                         abi::Tag::make_short(abi::Kind::Response,
                                              trial::Tests::endpoint::suite,
                                              static_cast<u16>(trial::Suite::Method::Run),
                                              sizeof(response)),
                         {.fixed = &response, .fixed_size = sizeof(response)});
    }
}
