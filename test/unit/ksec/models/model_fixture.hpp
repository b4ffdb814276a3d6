// SPDX-License-Identifier: Apache-2.0
// What tests of models share: events as transactions, and the source of random walks.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <ksec/format/tables.hpp>
#include <ksec/models/journal.hpp>
#include <random>

namespace ksec::test {

using format::Outcome;
using models::Journal;

/// The journal of a test. Each test case has its own, so nothing is left from another.
class Transactions final {
public:
    /// An event that is granted.
    template <typename Event> Outcome commit(Event event) {
        const Outcome outcome = event(journal_);
        if (outcome == Outcome::Grant) {
            journal_.commit();
        } else {
            journal_.roll_back();
        }
        return outcome;
    }

    /// An event that a later rule denies, or a dry one.
    template <typename Event> Outcome undo(Event event) {
        const Outcome outcome = event(journal_);
        journal_.roll_back();
        return outcome;
    }

    [[nodiscard]] Journal& journal() { return journal_; }

private:
    Journal journal_;
};

/// TESSERA_SEED, or a new one; tests print it.
inline std::uint32_t random_seed() {
    const char* const given = std::getenv("TESSERA_SEED");
    return given != nullptr ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 0))
                            : std::random_device{}();
}

/// Random choices of one walk.
class Dice final {
public:
    explicit Dice(std::uint32_t seed) : random_(seed) {}

    /// 0 .. count - 1.
    std::uint64_t below(std::uint64_t count) { return random_() % count; }

    bool once_in(std::uint64_t count) { return below(count) == 0; }

private:
    std::mt19937_64 random_;
};

/// Walks at random through events of up to four rules each. `Model` is a plain copyable model of
/// what should be; `rule(model, journal, dice)` runs one random rule on both and compares, and
/// answers whether it granted. Events end as the dice say; denied ones are always undone.
template <typename Model, typename Rule>
void random_walk(Dice& dice, Journal& journal, Model& model, int events, Rule rule) {
    for (int event = 0; event < events; ++event) {
        Model trial = model;
        bool is_granted = true;
        for (std::uint64_t rules = 1 + dice.below(4); rules > 0 && is_granted; --rules) {
            is_granted = rule(trial, journal, dice);
        }
        if (is_granted && !dice.once_in(4)) {
            journal.commit();
            model = trial;
        } else {
            journal.roll_back();
        }
    }
}

}  // namespace ksec::test
