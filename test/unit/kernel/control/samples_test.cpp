// SPDX-License-Identifier: Apache-2.0
// kl.core.Profiler: samples of what runs.
#include "desk.hpp"

#include <kl/core/Profiler.idl.hpp>

using namespace kernel_test;
using namespace kernel_test::desk;
using mock::machine;
namespace profiler = kl::core::Profiler;

namespace {

struct Analyst : Desk {
    template <typename Response, typename Request>
    Response ask_profiler(profiler::Method method, const Request& request) {
        return ask<Response>(client, endpoint::profiler_Profiler, method, request);
    }

    Status start(u32 period_us) {
        return static_cast<Status>(
            ask_profiler<profiler::SamplingStart_Response>(
                profiler::Method::SamplingStart, profiler::SamplingStart_Request{period_us})
                .rc);
    }

    void stop() {
        CHECK(ask_profiler<profiler::SamplingStop_Response>(profiler::Method::SamplingStop,
                                                            profiler::SamplingStop_Request{})
                  .rc == 0);
    }

    Status choose(u64 sid) {
        return static_cast<Status>(
            ask_profiler<profiler::SamplingAddPidToList_Response>(
                profiler::Method::SamplingAddPidToList, profiler::SamplingAddPidToList_Request{sid})
                .rc);
    }

    std::vector<profiler::Sample> read() {
        const auto got = ask_profiler<profiler::SamplingRead_Response>(
            profiler::Method::SamplingRead, profiler::SamplingRead_Request{});
        REQUIRE(got.rc == 0);
        dropped = got.dropped;
        std::vector<profiler::Sample> samples;
        for (u32 at = 0; at < got.samples.size; at += sizeof(profiler::Sample)) {
            samples.push_back(kernel.get_value<profiler::Sample>(
                *client.process, kCoreAnswerArena + got.samples.offset + at));
        }
        return samples;
    }

    /// The client runs until the timer fires, `times` times.
    void pass(u64 times, u64 pc) {
        for (u64 i = 0; i < times; ++i) {
            kernel.run(client);
            client.frame.pc = pc;
            machine().advance(kernel::scheduler().samples.period);
            kernel.interrupt();
        }
    }

    u64 dropped = 0;
};

}  // namespace

TEST_CASE("samples say where each process was when the timer fired", "[kernel][control]") {
    Analyst m;
    REQUIRE(m.start(1000) == Status::Ok);
    m.pass(3, 0x1234);
    m.stop();
    m.pass(3, 0x5678);
    const auto samples = m.read();
    REQUIRE(samples.size() >= 3);
    CHECK(samples.back().pc == 0x1234);
    CHECK(samples.back().sid == m.client.process->sid.value);
    CHECK(samples.back().thread == kernel::thread_id(m.client));
    CHECK(samples.back().cpu == 0);
    CHECK(m.read().empty());
}

TEST_CASE("only chosen processes are sampled", "[kernel][control]") {
    Analyst m;
    REQUIRE(m.choose(m.server.process->sid.value) == Status::Ok);
    REQUIRE(m.start(1000) == Status::Ok);
    m.pass(4, 0x1234);
    CHECK(m.read().empty());
    REQUIRE(m.choose(m.client.process->sid.value) == Status::Ok);
    m.pass(4, 0x1234);
    CHECK_FALSE(m.read().empty());
}

TEST_CASE("the list of those chosen is bounded and can be emptied", "[kernel][control]") {
    Analyst m;
    for (u32 i = 0; i < kernel::Samples::kMaxChosen; ++i) {
        REQUIRE(m.choose(1'000'000 + i) == Status::Ok);
    }
    CHECK(m.choose(5) == Status::OutOfMemory);
    CHECK(m.ask_profiler<profiler::SamplingClearPidList_Response>(
               profiler::Method::SamplingClearPidList, profiler::SamplingClearPidList_Request{})
              .rc == 0);
    REQUIRE(m.start(1000) == Status::Ok);
    m.pass(2, 0x1234);
    CHECK_FALSE(m.read().empty());
}

TEST_CASE("samples that find no room are counted", "[kernel][control]") {
    Analyst m;
    REQUIRE(m.start(1000) == Status::Ok);
    m.pass(kernel::Samples::kCapacity + 10, 0x1234);
    m.stop();
    CHECK(m.read().size() == profiler::MaxSamples);
    CHECK(m.dropped >= 9);
}

TEST_CASE("a period has bounds, and an answer needs a page", "[kernel][control]") {
    Analyst m;
    CHECK(m.start(profiler::MinSamplingPeriod - 1) == Status::InvalidArgument);
    CHECK(m.start(profiler::MaxSamplingPeriod + 1) == Status::InvalidArgument);
    REQUIRE(m.start(1000) == Status::Ok);
    m.pass(2, 0x1234);
    Process& process = *m.client.process;
    process.budget_pages = process.used_pages;
    const auto got = m.ask_profiler<profiler::SamplingRead_Response>(
        profiler::Method::SamplingRead, profiler::SamplingRead_Request{});
    CHECK(static_cast<Status>(got.rc) == Status::OutOfMemory);
}
