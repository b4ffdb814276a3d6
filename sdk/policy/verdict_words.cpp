// SPDX-License-Identifier: Apache-2.0
#include "verdict_words.hpp"

#include "input.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sdk::policy {

namespace {

using ksec::Defect;
using ksec::Reason;
using policyc::BoundRule;
using policyc::EvaluatedRule;
using policyc::Selected;

constexpr std::uint32_t kWholeMessage = 0xFFFF'FFFF;
constexpr std::size_t kMaxNear = 2;

const char* words_of(Defect defect) {
    switch (defect) {
    case Defect::None:
        break;
    case Defect::UnknownMethod:
        return "there is no such method";
    case Defect::FixedSize:
        return "its fixed part has the wrong size";
    case Defect::ArenaSize:
        return "its arena is larger than the interface allows";
    case Defect::RangeOutside:
        return "lies outside of the arena";
    case Defect::RangeOverlap:
        return "overlaps another parameter in the arena";
    case Defect::RangeMisaligned:
        return "is not aligned in the arena";
    case Defect::TooLong:
        return "is longer than the interface allows";
    case Defect::NotTerminated:
        return "has a NUL before its end";
    case Defect::NotUtf8:
        return "is not valid UTF-8";
    case Defect::UnionTag:
        return "names no member of its union";
    case Defect::HandleCount:
        return "it carries the wrong number of handles";
    case Defect::NotShort:
        return "it must travel as a short message";
    }
    return "it does not have the form of its interface";
}

std::string malformed_words(const Step& step) {
    const policyc::Interpretation& verdict = step.verdict;
    std::string subject;
    if (verdict.parameter != kWholeMessage && step.event.message != nullptr &&
        verdict.parameter < step.event.message->fields.size()) {
        const lang::Field& field = step.event.message->fields[verdict.parameter];
        subject = fmt::format("parameter {} ({}) ", field.name, field.type().text());
    }
    return "the message is malformed: " + subject + words_of(verdict.defect);
}

/// The event as a question of the table.
Question question_of(const AccessTable& access, const ReadEvent& event) {
    const EventKind kind = kind_of(event.event.event);
    const bool is_answer = kind == EventKind::Response || kind == EventKind::Error;
    Question question{.event = kind,
                      .client = is_answer ? event.event.dst_class : event.event.src_class,
                      .server = is_answer ? event.event.src_class : event.event.dst_class,
                      .endpoint = event.event.endpoint,
                      .method = event.event.method};
    const std::size_t first = lang::kImplicitEndpoints[0].id;
    if (kind != EventKind::Security && question.endpoint >= first &&
        question.endpoint - first < access.policy().policy().implicit.size()) {
        question.endpoint = static_cast<std::uint16_t>(question.endpoint - first);
        question.is_implicit = true;
    }
    return question;
}

/// How far a selected method is from the one asked about; the difference in words.
struct Distance {
    unsigned steps = 0;
    std::string words{};

    void add(unsigned count, std::string text) {
        steps += count;
        words += (words.empty() ? "" : ", ") + std::move(text);
    }
};

class NearSearch final {
public:
    NearSearch(const AccessTable& access, const Question& asked) : access_(access), asked_(asked) {
        name_ = access.name(asked);
    }

    /// The nearest method that a rule selects; nothing when it is about something else altogether.
    [[nodiscard]] std::optional<Distance> distance_of(const BoundRule& rule) const {
        if (rule.event != asked_.event) {
            return std::nullopt;
        }
        std::optional<Distance> best;
        for (const Selected& selected : *rule.selection) {
            const Distance distance = distance_of(rule, selected);
            if (!best || distance.steps < best->steps) {
                best = distance;
            }
        }
        return best && best->steps <= kFar ? best : std::nullopt;
    }

private:
    static constexpr unsigned kFar = 4;

    [[nodiscard]] Distance distance_of(const BoundRule& rule, const Selected& selected) const {
        const auto& classes = access_.policy().policy().classes;
        const bool is_start = asked_.event == EventKind::Execute;
        Distance distance;
        if (selected.owner != asked_.server) {
            distance.add(3,
                         fmt::format("{} {}",
                                     is_start ? "the start of" : "server",
                                     classes[selected.owner].name));
        }
        if (rule.other && *rule.other != asked_.client && asked_.event != EventKind::Security) {
            distance.add(
                2,
                fmt::format("{} {}", is_start ? "initiator" : "client", classes[*rule.other].name));
        }
        if (is_start) {
            return distance;
        }
        const Question other{.event = asked_.event,
                             .client = asked_.client,
                             .server = selected.owner,
                             .endpoint = selected.endpoint,
                             .method = selected.method,
                             .is_implicit = selected.is_implicit};
        const MethodName name = access_.name(other);
        if (name.endpoint != name_.endpoint) {
            distance.add(2, "endpoint " + name.endpoint);
        }
        if (name.method != name_.method) {
            distance.add(1, "method " + name.method);
        }
        return distance;
    }

    const AccessTable& access_;
    Question asked_;
    MethodName name_;
};

std::string outcome_words(EvaluatedRule::Outcome outcome) {
    switch (outcome) {
    case EvaluatedRule::Outcome::Granted:
        return "granted";
    case EvaluatedRule::Outcome::Denied:
        return "denied";
    case EvaluatedRule::Outcome::Failed:
        break;
    }
    return "failed";
}

std::string rule_lines(const policyc::Compilation& policy,
                       const EvaluatedRule& rule,
                       const std::string& indentation) {
    std::string text = fmt::format("{}{:<8}{}  {}\n",
                                   indentation,
                                   outcome_words(rule.outcome),
                                   place_of(policy, rule.span),
                                   text_of(policy, rule.span));
    for (const policyc::LookedAt& value : rule.values) {
        text += fmt::format(
            "{}           {} = {}\n", indentation, text_of(policy, value.expression), value.value);
    }
    return text;
}

/// The classic gap: the request may be granted, and nobody thought of its answer.
std::string forgotten_answer(const AccessTable& access,
                             const ReadEvent& event,
                             const std::string& indentation) {
    Question request = question_of(access, event);
    if (request.event != EventKind::Response && request.event != EventKind::Error) {
        return {};
    }
    const char* const answer = policyc::psl::spelling(request.event);
    request.event = EventKind::Request;
    const Decision decision = access.decide(request);
    if (decision.access == Access::Denied) {
        return {};
    }
    const auto& classes = access.policy().policy().classes;
    return fmt::format("{0}its request may be granted, by\n{0}         {1}\n"
                       "{0}answers need a rule too: {2} src={3} dst={4} {{ grant () }}\n",
                       indentation,
                       line_of(rule_words(access.policy(), decision.rules)[0]),
                       answer,
                       classes[request.server].name,
                       classes[request.client].name);
}

}  // namespace

policyc::psl::EventKind kind_of(ksec::Event event) {
    switch (event) {
    case ksec::Event::Request:
        return EventKind::Request;
    case ksec::Event::Response:
        return EventKind::Response;
    case ksec::Event::Error:
        return EventKind::Error;
    case ksec::Event::Security:
        return EventKind::Security;
    case ksec::Event::Execute:
        break;
    }
    return EventKind::Execute;
}

std::vector<NearMiss> near_misses(const AccessTable& access, const ReadEvent& event) {
    const NearSearch search(access, question_of(access, event));
    std::vector<std::pair<unsigned, NearMiss>> found;
    for (const BoundRule& rule : access.policy().rules()) {
        const std::optional<Distance> distance = search.distance_of(rule);
        if (rule.call != nullptr && distance && distance->steps != 0) {
            found.emplace_back(distance->steps,
                               NearMiss{{place_of(access.policy(), rule.call->span),
                                         text_of(access.policy(), rule.call->span)},
                                        "it is about " + distance->words});
        }
    }
    std::ranges::stable_sort(found, {}, [](const auto& entry) { return entry.first; });
    std::vector<NearMiss> result;
    for (auto& [steps, miss] : found) {
        if (result.size() < kMaxNear && steps == found[0].first) {
            result.push_back(std::move(miss));
        }
    }
    return result;
}

std::string
reason_words(const AccessTable& access, const Step& step, const std::string& indentation) {
    const policyc::Interpretation& verdict = step.verdict;
    if (!verdict.is_granted && verdict.reason == Reason::Malformed) {
        return indentation + malformed_words(step) + "\n";
    }
    if (!verdict.is_granted && verdict.reason == Reason::NoRule) {
        std::string text = indentation + "no rule is about this event, and what no rule grants is "
                                         "denied\n";
        for (const NearMiss& miss : near_misses(access, step.event)) {
            text += fmt::format("{}nearest: {}\n{}         {}\n",
                                indentation,
                                line_of(miss.rule),
                                indentation,
                                miss.difference);
        }
        return text + forgotten_answer(access, step.event, indentation);
    }
    std::string text;
    for (const EvaluatedRule& rule : verdict.evaluated) {
        text += rule_lines(access.policy(), rule, indentation);
    }
    if (!verdict.is_granted && verdict.reason == Reason::Error) {
        text += indentation + "an expression of the last rule had no value: an index outside, a "
                              "member that is not active, an overflow, or a SID without state\n";
    }
    return text;
}

Json verdict_json(const AccessTable& access, const Step& step) {
    const policyc::Interpretation& verdict = step.verdict;
    Json json{{"event", words_of(access.policy().policy(), step.event)},
              {"verdict", verdict.is_granted ? "granted" : "denied"}};
    if (!verdict.is_granted) {
        json["reason"] = verdict.reason == Reason::NoRule      ? "no rule"
                         : verdict.reason == Reason::Malformed ? "malformed"
                         : verdict.reason == Reason::Error     ? "error"
                                                               : "rule";
    }
    if (!verdict.is_granted && verdict.reason == Reason::Malformed) {
        json["defect"] = malformed_words(step);
    }
    if (!verdict.is_granted && verdict.reason == Reason::NoRule) {
        json["nearest"] = Json::array();
        for (const NearMiss& miss : near_misses(access, step.event)) {
            json["nearest"].push_back({{"place", miss.rule.place},
                                       {"rule", miss.rule.text},
                                       {"difference", miss.difference}});
        }
    }
    json["rules"] = Json::array();
    for (const EvaluatedRule& rule : verdict.evaluated) {
        Json entry{{"place", place_of(access.policy(), rule.span)},
                   {"rule", text_of(access.policy(), rule.span)},
                   {"outcome", outcome_words(rule.outcome)},
                   {"values", Json::array()}};
        for (const policyc::LookedAt& value : rule.values) {
            entry["values"].push_back({{"expression", text_of(access.policy(), value.expression)},
                                       {"value", value.value}});
        }
        json["rules"].push_back(std::move(entry));
    }
    return json;
}

}  // namespace sdk::policy
