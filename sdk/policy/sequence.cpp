// SPDX-License-Identifier: Apache-2.0
#include "sequence.hpp"

#include "input.hpp"

#include <algorithm>

namespace sdk::policy {

namespace {

using lang::psl::EventKind;
using lang::psl::Selector;
using lang::psl::SelectorKind;
using lang::psl::TestCase;

/// Whether a case starts a process of this class.
bool starts(const policyc::Policy& policy, const TestCase& test, std::uint16_t class_id) {
    return test.event == EventKind::Execute &&
           std::ranges::any_of(test.selectors, [&](const Selector& selector) {
               if (selector.kind != SelectorKind::Dst) {
                   return false;
               }
               const Result<std::uint16_t> found = find_class(policy, selector.value.text());
               return found.ok() && found.value() == class_id;
           });
}

}  // namespace

Sequence::Sequence(const policyc::Policy& policy,
                   const std::vector<const std::vector<TestCase>*>& cases)
    : policy_(&policy), interpreter_(policy), processes_(policy) {
    for (ReadEvent& event : boot_events(policy)) {
        const bool is_explicit = std::ranges::any_of(cases, [&](const auto* list) {
            return std::ranges::any_of(*list, [&](const TestCase& test) {
                return starts(policy, test, event.started.class_id);
            });
        });
        if (!is_explicit) {
            boot_.push_back(judge(std::move(event)));
        }
    }
}

Step Sequence::judge(ReadEvent event) {
    Step step;
    step.verdict = interpreter_.judge(event.event, ksec::Effect::Commit);
    if (event.event.event == ksec::Event::Execute) {
        if (step.verdict.is_granted) {
            processes_.add(event.variable, event.started);
        } else {
            processes_.miss(event.variable, Processes::Absence::Refused);
        }
    }
    step.event = std::move(event);
    return step;
}

std::optional<Step> Sequence::run(const TestCase& test, lang::Diagnostics& diagnostics) {
    std::optional<ReadEvent> event = read_event(*policy_, test, processes_, diagnostics);
    if (!event) {
        processes_.miss(test.variable.text, Processes::Absence::Unreadable);
        return std::nullopt;
    }
    return judge(std::move(*event));
}

std::optional<Step> Sequence::ensure_started(std::uint16_t class_id) {
    if (processes_.has(class_id)) {
        return std::nullopt;
    }
    const Process init = processes_.get_latest(policy_->init_class);
    ReadEvent event{.started = processes_.create(class_id), .method = "main"};
    event.event.event = ksec::Event::Execute;
    event.event.src_class = init.class_id;
    event.event.src_sid = init.sid;
    event.event.dst_class = class_id;
    event.event.dst_sid = event.started.sid;
    return judge(std::move(event));
}

}  // namespace sdk::policy
