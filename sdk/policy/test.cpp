// SPDX-License-Identifier: Apache-2.0
#include "test.hpp"

#include "compiled_module.hpp"
#include "input.hpp"
#include "module_verdict.hpp"
#include "test_runner.hpp"
#include "verdict_words.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace sdk::policy {

namespace {

constexpr const char* kDefaultTests = "tests.psl";

struct TestArguments {
    std::vector<std::string> files{};
    bool is_verbose = false;
    bool shows_coverage = false;
    bool is_source_only = false;
    unsigned least_coverage = 0;
};

const char* spelling(lang::psl::Expectation expectation) {
    switch (expectation) {
    case lang::psl::Expectation::Grant:
        return "grant";
    case lang::psl::Expectation::Deny:
        return "deny";
    case lang::psl::Expectation::Any:
        break;
    }
    return "any";
}

std::string name_of(const SequenceResult& sequence) {
    if (sequence.block.empty() || sequence.title.empty()) {
        return sequence.block.empty() ? (sequence.title.empty() ? "(no name)" : sequence.title)
                                      : sequence.block;
    }
    return sequence.block + " / " + sequence.title;
}

/// One file of tests, its results as text and JSON.
class FileReport final {
public:
    FileReport(const policyc::Compilation& policy,
               const TestArguments& arguments,
               const CommonOptions& options,
               const Paint& paint)
        : policy_(policy), access_(policy), arguments_(arguments), options_(options),
          paint_(paint) {}

    /// Adds to `answer`; the status becomes No when something failed. Trouble: a case cannot be
    /// read.
    std::optional<Trouble> run(const std::string& file, Answer& answer) {
        lang::Diagnostics diagnostics(policy_.diagnostics().sources());
        const TestReport report = run_tests(policy_, diagnostics);
        if (diagnostics.has_errors()) {
            return Trouble{.cause = counted(report.unreadable, "test case") + " cannot be run",
                           .way_out =
                               report.unreadable == 1 ? "correct it first" : "correct them first",
                           .details = diagnostics.to_text(lang::colour_of_standard_error()),
                           .diagnostics = Json::parse(diagnostics.to_json())};
        }
        if (report.sequences.empty()) {
            return Trouble{.cause = file + " holds no tests",
                           .way_out =
                               "write: assert \"title\" { sequence { grant ... deny ... } }"};
        }
        Json json{{"file", file},
                  {"passed", report.passed},
                  {"failed", report.failed},
                  {"sequences", Json::array()}};
        for (const SequenceResult& sequence : report.sequences) {
            json["sequences"].push_back(add(sequence));
        }
        bool is_agreed = true;
        if (!arguments_.is_source_only) {
            const Result<std::size_t> differences = compare_compiled(report, json["differences"]);
            if (!differences.ok()) {
                return differences.trouble();
            }
            is_agreed = differences.value() == 0;
        }
        const bool is_covered = add_coverage(report, json["coverage"]);
        text_ += fmt::format("{}{}: {}, {} passed, {} failed{}\n",
                             report.failed == 0 ? paint_.good : paint_.bad,
                             file,
                             counted(report.sequences.size(), "sequence"),
                             report.passed,
                             report.failed,
                             paint_.plain);
        answer.text += text_;
        answer.json["files"].push_back(std::move(json));
        if (report.failed != 0 || !is_covered || !is_agreed) {
            answer.status = ExitStatus::No;
        }
        return std::nullopt;
    }

private:
    Json add(const SequenceResult& sequence) {
        const bool is_passed = std::ranges::all_of(sequence.cases, &CaseResult::is_passed);
        Json json{{"name", name_of(sequence)},
                  {"place", place_of(policy_, sequence.span)},
                  {"passed", is_passed},
                  {"cases", Json::array()}};
        if (!is_passed || arguments_.is_verbose) {
            text_ += fmt::format("{}{}{}\n", paint_.bold, name_of(sequence), paint_.plain);
        }
        for (const CaseResult& result : sequence.cases) {
            json["cases"].push_back(add(result));
        }
        return json;
    }

    Json add(const CaseResult& result) {
        Json json = verdict_json(access_, result.step);
        json["place"] = place_of(policy_, result.test->span);
        json["expected"] = spelling(result.test->expectation);
        json["passed"] = result.is_passed;
        const bool is_granted = result.step.verdict.is_granted;
        if (!result.is_passed) {
            text_ += fmt::format("  {}FAIL{}  {}  {}\n        expected {}, was {}: {}\n",
                                 paint_.bad,
                                 paint_.plain,
                                 place_of(policy_, result.test->span),
                                 text_of(policy_, result.test->span),
                                 spelling(result.test->expectation),
                                 is_granted ? "granted" : "denied",
                                 words_of(policy_.policy(), result.step.event));
            text_ += reason_words(access_, result.step, "        ");
        } else if (arguments_.is_verbose) {
            text_ += fmt::format("  {}ok{}    {}  {}\n",
                                 paint_.good,
                                 paint_.plain,
                                 place_of(policy_, result.test->span),
                                 text_of(policy_, result.test->span));
        }
        return json;
    }

    // ---- the compiled policy

    /// Judges every event of every sequence again, in the source and in the compiled policy, and
    /// after each asks both what they would now say of all the others; how often they differ.
    Result<std::size_t> compare_compiled(const TestReport& report, Json& json) {
        auto module = CompiledModule::build(
            policy_.lowered(), std::filesystem::path(options_.sdk) / "..", options_.engine);
        if (!module.ok()) {
            return module.trouble();
        }
        json = Json::array();
        std::size_t events = 0;
        for (const SequenceResult& sequence : report.sequences) {
            auto instance = module.value()->start();
            if (!instance.ok()) {
                return instance.trouble();
            }
            std::vector<JudgedEvent> judged;
            for (const Step& step : sequence.boot) {
                judged.push_back({step.event, sequence.span});
            }
            for (const CaseResult& result : sequence.cases) {
                judged.push_back({result.step.event, result.test->span});
            }
            events += judged.size();
            compare(sequence, judged, instance.value()->table(), json);
        }
        text_ += fmt::format("{} judged by the compiled policy, {} otherwise\n",
                             counted(events, "event"),
                             json.size());
        return json.size();
    }

    /// An event and the place that it stands for.
    struct JudgedEvent {
        const ReadEvent& event;
        lang::Span place;
    };

    /// One sequence, until they differ: what follows would only follow from it.
    void compare(const SequenceResult& sequence,
                 const std::vector<JudgedEvent>& events,
                 const ksec::EntryTable& module,
                 Json& json) {
        policyc::Interpreter source(policy_.policy());
        for (const JudgedEvent& event : events) {
            if (differs(sequence, event, nullptr, source, module, json)) {
                return;
            }
            for (const JudgedEvent& probe : events) {
                if (differs(sequence, probe, &event, source, module, json)) {
                    return;
                }
            }
        }
    }

    /// Judges an event with effect, or without it when it is only asked about `after` another.
    bool differs(const SequenceResult& sequence,
                 const JudgedEvent& judged,
                 const JudgedEvent* after,
                 policyc::Interpreter& source,
                 const ksec::EntryTable& module,
                 Json& json) {
        const policyc::InterpretedEvent& event = judged.event.event;
        const ksec::Effect effect = after == nullptr ? ksec::Effect::Commit : ksec::Effect::Dry;
        const Account expected = account_of(policy_, source.judge(event, effect));
        Account actual = account_of(policy_, policy::judge(module, event, effect));
        if (actual == expected && granted_at_sight(module, event) != AtSight::No) {
            actual = {.is_granted = true};  // what the kernel does without asking
        }
        if (actual == expected) {
            return false;
        }
        const std::string words = words_of(policy_.policy(), judged.event);
        const std::string earlier =
            after == nullptr ? "" : words_of(policy_.policy(), after->event);
        json.push_back({{"sequence", name_of(sequence)},
                        {"place", place_of(policy_, judged.place)},
                        {"event", words},
                        {"after", earlier},
                        {"source", describe(expected)},
                        {"compiled", describe(actual)}});
        text_ += fmt::format("  {}FAIL{}  {}  {}: {}\n",
                             paint_.bad,
                             paint_.plain,
                             place_of(policy_, judged.place),
                             name_of(sequence),
                             words);
        if (after != nullptr) {
            text_ += fmt::format(
                "        if it came after {}  {}\n", place_of(policy_, after->place), earlier);
        }
        text_ += fmt::format("        the source: {}\n        the compiled policy: {}\n",
                             describe(expected),
                             describe(actual));
        return true;
    }

    // ---- coverage

    /// Rules of the system's own policy files are not what the tests are about.
    [[nodiscard]] bool is_own(const RuleCoverage& rule) const {
        const std::string& name = policy_.diagnostics().sources().get(rule.span.file).name();
        return options_.sdk.empty() || !name.starts_with(options_.sdk + "/");
    }

    void list(const char* title,
              const std::vector<const RuleCoverage*>& rules,
              const char* key,
              Json& json) {
        json[key] = Json::array();
        for (const RuleCoverage* const rule : rules) {
            json[key].push_back(
                {{"place", place_of(policy_, rule->span)}, {"rule", text_of(policy_, rule->span)}});
        }
        if (!arguments_.shows_coverage || rules.empty()) {
            return;
        }
        text_ += fmt::format("{}{}{}\n", paint_.bold, title, paint_.plain);
        for (const RuleCoverage* const rule : rules) {
            text_ += fmt::format(
                "  {}  {}\n", place_of(policy_, rule->span), text_of(policy_, rule->span));
        }
    }

    /// False when fewer rules were evaluated than demanded.
    bool add_coverage(const TestReport& report, Json& json) {
        std::vector<const RuleCoverage*> own;
        std::vector<const RuleCoverage*> never;
        std::vector<const RuleCoverage*> never_denied;
        std::vector<const RuleCoverage*> never_granted;
        for (const RuleCoverage& rule : report.rules) {
            if (!is_own(rule)) {
                continue;
            }
            own.push_back(&rule);
            if (rule.evaluated() == 0) {
                never.push_back(&rule);
            } else if (rule.can_deny && rule.denied + rule.failed == 0) {
                never_denied.push_back(&rule);
            } else if (rule.can_grant && rule.granted == 0) {
                never_granted.push_back(&rule);
            }
        }
        const std::size_t percent =
            own.empty() ? 100 : (own.size() - never.size()) * 100 / own.size();
        json = {
            {"rules", own.size()}, {"evaluated", own.size() - never.size()}, {"percent", percent}};
        list("rules never evaluated", never, "never_evaluated", json);
        list("rules that never denied anything", never_denied, "never_denied", json);
        list("rules that never granted anything", never_granted, "never_granted", json);
        text_ += fmt::format(
            "{} of {} evaluated ({} %), {} always said the same{}\n",
            own.size() - never.size(),
            counted(own.size(), "rule"),
            percent,
            never_denied.size() + never_granted.size(),
            arguments_.shows_coverage || never.empty() ? "" : "; --coverage lists them");
        if (percent < arguments_.least_coverage) {
            text_ += fmt::format("{}less than {} % of the rules were evaluated{}\n",
                                 paint_.bad,
                                 arguments_.least_coverage,
                                 paint_.plain);
            return false;
        }
        return true;
    }

    const policyc::Compilation& policy_;
    AccessTable access_;
    const TestArguments& arguments_;
    const CommonOptions& options_;
    const Paint& paint_;
    std::string text_;
};

Result<Answer>
run(const TestArguments& arguments, const CommonOptions& options, const Paint& paint) {
    std::vector<std::string> files = arguments.files;
    if (files.empty()) {
        std::error_code error;
        files.emplace_back(std::filesystem::exists(kDefaultTests, error) ? kDefaultTests
                                                                         : kDefaultPolicy);
    }
    Answer answer{.json = {{"files", Json::array()}}};
    for (const std::string& file : files) {
        const Result<PolicyPtr> policy = load(file, options);
        if (!policy.ok()) {
            return policy.trouble();
        }
        FileReport report(*policy.value(), arguments, options, paint);
        if (std::optional<Trouble> trouble = report.run(file, answer)) {
            return std::move(*trouble);
        }
    }
    answer.json["passed"] = answer.status == ExitStatus::Yes;
    return answer;
}

}  // namespace

void add_test(CLI::App& program, Task& task) {
    CLI::App& command = add_subcommand(program,
                                       "test",
                                       "Run the policy tests (assert blocks) of a policy",
                                       {"test",
                                        "test tests.psl --verbose",
                                        "test tests.psl --coverage --min-coverage 80",
                                        "test --source-only",
                                        "test --json tests.psl more_tests.psl"});
    const auto arguments = std::make_shared<TestArguments>();
    command
        .add_option("file",
                    arguments->files,
                    "Policies with assert blocks, or files that use one (default tests.psl, "
                    "then security.psl)")
        ->type_name("FILE");
    command.add_flag("-v,--verbose", arguments->is_verbose, "Show the cases that passed too");
    command.add_flag("--coverage",
                     arguments->shows_coverage,
                     "List rules that no test evaluated, and those that always said the same");
    command.add_flag("--source-only",
                     arguments->is_source_only,
                     "Do not compile the policy for this machine, to compare verdicts, reasons and "
                     "state");
    command
        .add_option("--min-coverage",
                    arguments->least_coverage,
                    "Fail when fewer percent of the rules were evaluated")
        ->type_name("PERCENT")
        ->check(CLI::Range(0, 100));
    command.callback([&task, arguments] {
        task = [arguments](const CommonOptions& options, const Paint& paint) {
            return run(*arguments, options, paint);
        };
    });
}

}  // namespace sdk::policy
