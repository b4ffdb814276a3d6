// SPDX-License-Identifier: Apache-2.0
// Events for comparing two judges: well-formed messages with values near limits, and the same with
// something broken. Numbers, texts and times that the policy names come often, and for a while most
// events are of one SID and one class, and at times of those that certain rules are about, so that
// a model sees steps that belong together. Everything follows from the seed.
#pragma once

#include <random>
#include <sdk/policyc/src/interpreter.hpp>

namespace policyc_test {

using namespace sdk::policyc;
namespace lang = sdk::lang;

class EventMaker final {
public:
    EventMaker(const Policy& policy, std::uint64_t seed);

    /// The next event. Time goes on, mostly by little.
    InterpretedEvent make();

    /// Any of the few SIDs that events are about; 0 among them.
    std::uint64_t sid() { return one_in(2) ? focus_sid_ : below(kSids); }

    bool one_in(std::uint64_t count) { return below(count) == 0; }

private:
    static constexpr std::uint64_t kSids = 6;

    std::uint64_t below(std::uint64_t count) { return random_() % count; }

    /// What the policy names.
    void collect(const psl::Items& items);
    void collect(const psl::Expression& expression);
    void advance();
    void begin_story();
    void choose_method(InterpretedEvent& event);
    void fill(InterpretedEvent& event, const lang::Message& message);
    void fill(std::vector<std::uint8_t>& part, std::size_t at, const lang::Type& type);
    void fill_range(std::vector<std::uint8_t>& part, std::size_t at, const lang::Type& type);
    void spoil(InterpretedEvent& event);
    void put(std::vector<std::uint8_t>& part, std::size_t at, std::uint64_t value, unsigned size);
    std::uint64_t number(unsigned bits);
    std::string text(std::uint32_t most);

    const Policy& policy_;
    std::vector<std::uint64_t> numbers_;
    std::vector<std::string> texts_;
    std::vector<const TimeWindowConfig*> windows_;

    /// A story: for a while most events are requests that certain rules are about, with small
    /// numbers.
    bool is_story_ = false;
    std::uint16_t story_server_ = 0;
    std::vector<std::pair<std::uint16_t, std::uint16_t>> story_;  ///< endpoints and methods
    std::vector<const psl::Binding*> requests_;
    std::uint64_t focus_sid_ = 1;
    std::uint16_t focus_class_ = 0;
    std::mt19937_64 random_;
    std::vector<std::uint8_t> arena_;
    std::uint64_t now_ns_ = 0;
};

}  // namespace policyc_test
