// SPDX-License-Identifier: Apache-2.0
#include "explain.hpp"

#include "event_text.hpp"
#include "input.hpp"
#include "verdict_words.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sdk::policy {

namespace {

using lang::psl::TestCase;

struct ExplainArguments {
    std::string policy = kDefaultPolicy;
    std::vector<std::string> event{};
    std::vector<std::string> before{};
    bool is_cold = false;
};

/// What is wrong with an event of the command line: it has no file and line to show, so each
/// message quotes the words that it is about.
Trouble trouble_of(const lang::Diagnostics& found) {
    Trouble trouble{.diagnostics = Json::array()};
    for (const lang::Diagnostic* const one : found.ordered()) {
        const std::string words(found.sources().text(one->span));
        if (!trouble.cause.empty()) {
            trouble.details += trouble.cause + "\n   way out: " + trouble.way_out + "\n";
        }
        trouble.cause =
            fmt::format("in '{}': error {}: {}", words, lang::code_text(one->code), one->message);
        trouble.way_out = one->way_out;
        trouble.diagnostics.push_back({{"code", lang::code_text(one->code)},
                                       {"severity", "error"},
                                       {"words", words},
                                       {"message", one->message},
                                       {"way_out", one->way_out}});
    }
    return trouble;
}

/// The classes an event speaks of, as far as its words are classes.
std::vector<std::uint16_t> classes_of(const policyc::Policy& policy, const TestCase& test) {
    std::vector<std::string> words;
    if (test.form != TestCase::Form::Event) {
        words = {test.client.text(), test.server.text()};
    } else if (test.event != EventKind::Execute) {
        for (const lang::psl::Selector& selector : test.selectors) {
            if (selector.kind == lang::psl::SelectorKind::Src ||
                selector.kind == lang::psl::SelectorKind::Dst) {
                words.push_back(selector.value.text());
            }
        }
    }
    std::vector<std::uint16_t> classes;
    for (const std::string& word : words) {
        const Result<std::uint16_t> found = find_class(policy, word);
        if (found.ok()) {
            classes.push_back(found.value());
        }
    }
    return classes;
}

class Explanation final {
public:
    Explanation(const AccessTable& access, const ExplainArguments& arguments, const Paint& paint)
        : access_(access), policy_(access.policy().policy()), arguments_(arguments), paint_(paint) {
    }

    Result<Answer> run() {
        std::vector<std::vector<const TestCase*>> before;
        for (const std::string& event : arguments_.before) {
            auto parsed = text_.parse({event});
            if (!parsed.ok()) {
                return parsed.trouble();
            }
            before.push_back(std::move(parsed.value()));
        }
        const auto asked = text_.parse(arguments_.event);
        if (!asked.ok()) {
            return asked.trouble();
        }
        if (asked.value().size() != 1) {
            return Trouble{.cause = "more than one event to explain",
                           .way_out = "give those before it with --after"};
        }
        Sequence sequence(policy_, {});
        answer_.json = {{"before", Json::array()}};
        for (const std::vector<const TestCase*>& events : before) {
            for (const TestCase* const event : events) {
                if (std::optional<Trouble> trouble = run_before(sequence, *event)) {
                    return std::move(*trouble);
                }
            }
        }
        return judge(sequence, *asked.value()[0]);
    }

private:
    void start_classes(Sequence& sequence, const TestCase& event) {
        for (const std::uint16_t id : classes_of(policy_, event)) {
            if (arguments_.is_cold) {
                continue;
            }
            if (const std::optional<Step> step = sequence.ensure_started(id)) {
                note(*step);
            }
        }
    }

    void note(const Step& step) {
        answer_.json["before"].push_back(verdict_json(access_, step));
        answer_.text += fmt::format("{}first {}: {}{}\n",
                                    paint_.dim,
                                    words_of(policy_, step.event),
                                    step.verdict.is_granted ? "granted" : "denied",
                                    paint_.plain);
        if (!step.verdict.is_granted) {
            answer_.text += reason_words(access_, step, "   ");
        }
    }

    std::optional<Trouble> run_before(Sequence& sequence, const TestCase& event) {
        start_classes(sequence, event);
        lang::Diagnostics diagnostics(text_.sources());
        const std::optional<Step> step = sequence.run(event, diagnostics);
        if (!step) {
            return trouble_of(diagnostics);
        }
        note(*step);
        return std::nullopt;
    }

    Result<Answer> judge(Sequence& sequence, const TestCase& event) {
        start_classes(sequence, event);
        lang::Diagnostics diagnostics(text_.sources());
        const std::optional<Step> judged = sequence.run(event, diagnostics);
        if (!judged) {
            return trouble_of(diagnostics);
        }
        const Step& step = *judged;
        const bool is_granted = step.verdict.is_granted;
        const Json before = answer_.json["before"];
        answer_.json = verdict_json(access_, step);
        answer_.json["before"] = before;
        answer_.status = is_granted ? ExitStatus::Yes : ExitStatus::No;
        answer_.text += fmt::format("{}{}{}: {}\n",
                                    is_granted ? paint_.good : paint_.bad,
                                    is_granted ? "granted" : "denied",
                                    paint_.plain,
                                    words_of(policy_, step.event));
        answer_.text += reason_words(access_, step, "   ");
        return std::move(answer_);
    }

    const AccessTable& access_;
    const policyc::Policy& policy_;
    const ExplainArguments& arguments_;
    const Paint& paint_;
    EventText text_;
    Answer answer_;
};

Result<Answer>
run(const ExplainArguments& arguments, const CommonOptions& options, const Paint& paint) {
    const Result<PolicyPtr> policy = load(arguments.policy, options);
    if (!policy.ok()) {
        return policy.trouble();
    }
    const AccessTable access(*policy.value());
    return Explanation(access, arguments, paint).run();
}

}  // namespace

void add_explain(CLI::App& program, Task& task) {
    CLI::App& command = add_subcommand(
        program,
        "explain",
        "The verdict on one event, and the rules that decide it",
        {"explain Panel calls Plant act.valve.Set value=10 reason=test",
         "explain 'Panel ~> Plant : act.valve.Set { value : 101 }'",
         "explain Panel calls Plant Set value=10 --after 'Panel asks Login badge=0x51'",
         "explain Plant answers Panel act.valve.Set ok=1        (or: fails ... fault=1)",
         "explain Einit starts Panel"});
    const auto arguments = std::make_shared<ExplainArguments>();
    command
        .add_option("event", arguments->event, "The event, in words or in PAL; see the examples")
        ->type_name("EVENT")
        ->required();
    command.add_option("-p,--policy", arguments->policy, "Policy (default security.psl)")
        ->type_name("FILE");
    command
        .add_option("--after",
                    arguments->before,
                    "An event that has happened before; may be repeated, in order")
        ->type_name("EVENT")
        ->allow_extra_args(false);
    command.add_flag(
        "--cold", arguments->is_cold, "Do not start the classes concerned by themselves first");
    command.callback([&task, arguments] {
        task = [arguments](const CommonOptions& options, const Paint& paint) {
            return run(*arguments, options, paint);
        };
    });
}

}  // namespace sdk::policy
