// SPDX-License-Identifier: Apache-2.0
// Requests with random damage given to a dispatcher, in memory of exactly their size: the
// sanitizers see every step outside.
#include "lab_bench.hpp"

#include <memory>
#include <random>

using test::CppServer;
using test::fake;

namespace {

/// A request as a transport hands it over, in heap memory without a byte to spare.
class Damaged final {
public:
    Damaged(const test::Carried& request, std::minstd_rand& random)
        : size_(sizeof(nk_message) + request.fixed.size()),
          message_(std::make_unique<nk_uint64_t[]>(size_ / 8)),
          arena_(std::make_unique<nk_uint64_t[]>((request.arena.size() + 7) / 8)) {
        auto* const fixed = reinterpret_cast<base::u8*>(message_.get()) + sizeof(nk_message);
        auto* const arena = reinterpret_cast<base::u8*>(arena_.get());
        std::ranges::copy(request.fixed, fixed);
        std::ranges::copy(request.arena, arena);
        header().iid = request.tag.endpoint();
        header().mid = request.tag.method();
        header().size_ = static_cast<nk_uint32_t>(size_);
        const unsigned changes = random() % 4;
        for (unsigned i = 0; i < changes; ++i) {
            const bool in_arena = random() % 2 == 0 && !request.arena.empty();
            base::u8& byte = in_arena ? arena[random() % request.arena.size()]
                                      : fixed[random() % request.fixed.size()];
            byte = static_cast<base::u8>(random() % 3 == 0 ? 0xFF : random() % 64);
        }
        // Sometimes the arena is shorter than its ranges say.
        const std::size_t length =
            random() % 4 == 0 ? random() % (request.arena.size() + 1) : request.arena.size();
        view_ = {arena, arena + length, arena + length};
    }

    nk_message& header() { return *reinterpret_cast<nk_message*>(message_.get()); }

    const nk_arena* arena() const { return &view_; }

private:
    std::size_t size_;
    std::unique_ptr<nk_uint64_t[]> message_;
    std::unique_ptr<nk_uint64_t[]> arena_;
    nk_arena view_{};
};

nk_err_t dispatch(Damaged& request) {
    auto res = std::make_unique<lab_Plant_entity_res>();
    alignas(8) char memory[lab_Plant_entity_res_arena_size];
    nk_arena res_arena = NK_ARENA_INITIALIZER(memory, memory + sizeof memory);
    return lab_Plant_entity_dispatch(
        &lab_server.entity, &request.header(), request.arena(), &res->base_, &res_arena);
}

}  // namespace

TEST_CASE("no damage to a request makes a dispatcher read outside of it", "[compat][fuzz]") {
    std::vector<test::Carried> requests;
    {
        CppServer server;
        lab::Valve::Proxy valve{7, lab::Plant::endpoint::act_valve};
        lab::Every::Proxy every{7, lab::Plant::endpoint::act_interface};
        REQUIRE(valve.Set(40, "a reason").ok());
        requests.push_back(fake.request);
        REQUIRE(every.text("ab", "cde").ok());
        requests.push_back(fake.request);
        const base::u64 numbers[] = {1, 2, 3};
        const lab::Every::Proxy_ records[2] = {};
        const auto labels = every.request_arena().allocate<lab::Every::Label>(2);
        labels[0] = every.request_arena().add_text("first");
        labels[1] = every.request_arena().add_text("second");
        const abi::ArenaRange outer[] = {
            every.request_arena().add(std::span<const lab::Every::Label>{labels})};
        REQUIRE(every.seqs(numbers, records, outer).ok());
        requests.push_back(fake.request);
        lab::Every::Deep deep;
        deep.value = lab::Every::Value::make_text(every.request_arena().add_text("deep"));
        REQUIRE(every.unions(lab::Every::Value::make_number(17), deep).ok());
        requests.push_back(fake.request);
    }
    constexpr unsigned kSeed = 20;
    INFO("seed " << kSeed);
    std::minstd_rand random{kSeed};
    lab_server_reset();
    unsigned served = 0;
    unsigned refused = 0;
    for (unsigned i = 0; i < 20'000; ++i) {
        Damaged request{requests[i % requests.size()], random};
        const nk_err_t result = dispatch(request);
        CHECK((result == NK_EOK || result == NK_EBADMSG));
        (result == NK_EOK ? served : refused) += 1;
    }
    CHECK(served > 1000);
    CHECK(refused > 1000);
}
