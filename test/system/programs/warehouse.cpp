// SPDX-License-Identifier: Apache-2.0
// Serves large messages, in both directions.
#include <runtime/process.hpp>
#include <test/system/programs/support/pattern.hpp>
#include <trial/Warehouse.edl.hpp>

namespace {

using base::u32;
using base::u64;
using base::u8;
using idl::Caller;

/// What the answers point to; too large for the dispatcher's own memory.
alignas(8) constinit u8 shelf[trial::Store::MaxPlain]{};

class Store final : public trial::Store::Server {
public:
    idl::Outcome<trial::Store::Sum_Results> Sum(const Caller&,
                                                const trial::Store::Sum_Arguments& in) override {
        return trial::Store::Sum_Results{.hash = trial::hash_of(in.data.data(), in.data.size()),
                                         .size = static_cast<u32>(in.data.size())};
    }

    idl::Outcome<trial::Store::Fill_Results> Fill(const Caller&,
                                                  const trial::Store::Fill_Arguments& in) override {
        trial::fill(shelf, in.size, in.seed);
        return trial::Store::Fill_Results{.data = {shelf, in.size}};
    }

    idl::Outcome<trial::Store::SumText_Results>
    SumText(const Caller&, const trial::Store::SumText_Arguments& in) override {
        return trial::Store::SumText_Results{.hash = trial::hash_of(in.text.data(), in.text.size()),
                                             .size = static_cast<u32>(in.text.size())};
    }

    idl::Outcome<trial::Store::FillText_Results>
    FillText(const Caller&, const trial::Store::FillText_Arguments& in) override {
        trial::fill_text(shelf, in.size, in.seed);
        const void* const characters = shelf;
        return trial::Store::FillText_Results{
            .text = {static_cast<const char*>(characters), in.size}};
    }

    idl::Outcome<trial::Store::Return_Results>
    Return(const Caller&, const trial::Store::Return_Arguments& in) override {
        return trial::Store::Return_Results{.back = in.data};
    }
};

alignas(trial::Warehouse::Dispatcher) constinit u8
    dispatcher_memory[sizeof(trial::Warehouse::Dispatcher)]{};

}  // namespace

base::s32 sdk::program_main(const StartBlock& start) {
    Store store;
    auto& dispatcher =
        *new (dispatcher_memory) trial::Warehouse::Dispatcher{start.listener(), store};
    (void)dispatcher.run();
    return 1;
}
