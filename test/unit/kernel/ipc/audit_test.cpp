// SPDX-License-Identifier: Apache-2.0
// Grants that are recorded: who reads the records hears of them, whatever is going on.
#include "pair.hpp"

#include <catch2/catch_test_macros.hpp>
#include <kernel/diag/audit_ring.hpp>
#include <kernel/ipc/notice.hpp>

using namespace kernel_test;

namespace {

/// The server reads the records, and every grant leaves one: also that of a request to itself.
struct AuditedPair : Pair {
    explicit AuditedPair(ksec::Reason reason) {
        kernel.policy.grant_reason = reason;
        REQUIRE(kernel::attach_notice(
                    kernel::policy().reader, *endpoint_named("server"), kBadge, abi::kEventEndpoint)
                    .ok());
    }

    static constexpr u64 kBadge = 77;
};

}  // namespace

TEST_CASE("a request to the reader of records reaches it, and so does its record",
          "[kernel][ipc]") {
    AuditedPair pair{ksec::Reason::Audited};
    pair.kernel.receive(pair.server, pair.listener);
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {1, 2}});
    u32 notices = 0;
    for (u32 i = 0; i < 8 && (notices == 0 || Kernel::is_waiting(pair.client)); ++i) {
        pair.kernel.run(pair.server);
        const Answer got = Kernel::answer_of(pair.server);
        REQUIRE(got.status == Status::Ok);
        const bool is_notice = got.tag.endpoint() == abi::kEventEndpoint;
        notices += is_notice ? 1 : 0;
        pair.kernel.reply(pair.server,
                          pair.listener,
                          got.token,
                          is_notice ? response_tag(abi::kEventEndpoint, 0, 0) : kResponse,
                          {.words = {9}});
    }
    CHECK(notices >= 1);
    CHECK(status_of(pair.client) == Status::Ok);
    CHECK(kernel::audit_ring().count() >= 2);
}

TEST_CASE("a recorded run notes each kind of grant once", "[kernel][ipc]") {
    AuditedPair pair{ksec::Reason::Recorded};
    kernel::detach_notice(*kernel::policy().reader);
    pair.kernel.receive(pair.server, pair.listener);
    u32 records = 0;
    for (u32 i = 0; i < 3; ++i) {
        pair.kernel.run(pair.client);
        pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {1, 2}});
        pair.kernel.run(pair.server);
        pair.kernel.reply(
            pair.server, pair.listener, Kernel::answer_of(pair.server).token, kResponse, {});
        CHECK((i == 0 || kernel::audit_ring().count() == records));
        records = kernel::audit_ring().count();
    }
    CHECK(records == 2);
}

TEST_CASE("kinds for which there is no room are counted as lost", "[kernel][ipc]") {
    kernel::AuditRing ring;
    u32 firsts = 0;
    for (u32 method = 0; method < 3000; ++method) {
        ksec::Record record{};
        record.method = static_cast<u16>(method);
        firsts += ring.is_first_of_kind(record) ? 1 : 0;
        CHECK_FALSE(ring.is_first_of_kind(record));
    }
    CHECK(firsts > 1000);
    CHECK(ring.lost_in_all() == 2 * (3000 - firsts));
}
