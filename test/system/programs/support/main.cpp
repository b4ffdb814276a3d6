// SPDX-License-Identifier: Apache-2.0
// The main program of every suite: waits for the conductor, runs, answers with the counts. While a
// suite runs, its listener is its own: tests may receive notices and interrupts on it.
#include <runtime/ipc.hpp>
#include <runtime/process.hpp>
#include <test/system/programs/support/kernel.hpp>
#include <test/system/programs/support/report.hpp>
#include <trial/Suite.idl.hpp>
#include <trial/Tests.edl.hpp>

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
        const trial::Suite::Run_Response response{.passed = report.passed, .failed = report.failed};
        (void)sdk::reply(incoming.token,
                         abi::Tag::make_short(abi::Kind::Response,
                                              trial::Tests::endpoint::suite,
                                              static_cast<u16>(trial::Suite::Method::Run),
                                              sizeof(response)),
                         {.fixed = &response, .fixed_size = sizeof(response)});
    }
}
