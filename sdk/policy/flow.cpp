// SPDX-License-Identifier: Apache-2.0
#include "flow.hpp"

#include "flow_search.hpp"
#include "words.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sdk::policy {

namespace {

constexpr std::size_t kMaxShown = 5;  ///< messages of one step, in the text

struct FlowArguments {
    std::string policy = kDefaultPolicy;
    std::string system{};
    std::string from{};
    std::string to{};
    std::vector<std::string> silent{};
    bool through_kernel = false;
    bool only_data = false;
    bool forbid = false;
};

std::string words_of(const Carrier& carrier) {
    switch (carrier.way) {
    case Way::Message:
        break;
    case Way::Memory:
        return "goes the other way, with a handle: of memory, perhaps, that both use";
    case Way::Start:
        return "program, arguments, environment";
    }
    return carrier.data_bytes == 0 ? "no data, only that it happened"
                                   : "up to " + counted(carrier.data_bytes, "byte");
}

const char* spelling(Way way) {
    switch (way) {
    case Way::Message:
        return "message";
    case Way::Memory:
        return "memory";
    case Way::Start:
        break;
    }
    return "start";
}

class Writer final {
public:
    Writer(const AccessTable& access, const Paint& paint) : access_(access), paint_(paint) {}

    [[nodiscard]] const std::string& name(std::uint16_t id) const {
        return access_.policy().policy().classes[id].name;
    }

    void add(const Hop& hop, std::size_t number, Answer& answer) const {
        answer.text += fmt::format("\n{}. {}{} -> {}{}\n",
                                   number,
                                   paint_.bold,
                                   name(hop.from),
                                   name(hop.to),
                                   paint_.plain);
        Json json{{"from", name(hop.from)}, {"to", name(hop.to)}, {"messages", Json::array()}};
        for (std::size_t i = 0; i < hop.carriers.size(); ++i) {
            const Carrier& carrier = hop.carriers[i];
            const std::vector<RuleWords> rules = rule_words(access_.policy(), carrier.rules);
            const MethodName method = access_.name(carrier.question);
            json["messages"].push_back({{"way", spelling(carrier.way)},
                                        {"event", policyc::psl::spelling(carrier.question.event)},
                                        {"interface", method.interface},
                                        {"endpoint", method.endpoint},
                                        {"method", method.method},
                                        {"conditional", carrier.access == Access::Conditional},
                                        {"data_bytes", carrier.data_bytes},
                                        {"rules", to_json(rules)}});
            if (i < kMaxShown) {
                answer.text += carrier.way == Way::Start
                                   ? fmt::format("   start ({})\n", words_of(carrier))
                                   : fmt::format("   {} {}.{} ({}; {})\n",
                                                 policyc::psl::spelling(carrier.question.event),
                                                 method.interface,
                                                 method.method,
                                                 method.endpoint,
                                                 words_of(carrier));
                for (const RuleWords& rule : rules) {
                    answer.text +=
                        fmt::format("      {}{}{}\n", paint_.dim, line_of(rule), paint_.plain);
                }
            }
        }
        if (hop.carriers.size() > kMaxShown) {
            answer.text += fmt::format("   and {} more\n", hop.carriers.size() - kMaxShown);
        }
        answer.json["chain"].push_back(std::move(json));
    }

private:
    const AccessTable& access_;
    const Paint& paint_;
};

Result<FlowOptions> make_options(const FlowArguments& arguments, const policyc::Policy& policy) {
    FlowOptions options{.only_data = arguments.only_data};
    for (const std::string& word : arguments.silent) {
        const Result<std::uint16_t> found = find_class(policy, word);
        if (!found.ok()) {
            return found.trouble();
        }
        options.silent.insert(found.value());
    }
    if (!arguments.through_kernel) {
        options.silent.insert(policy.core_class);
    }
    return options;
}

Answer answer_chain(const AccessTable& access,
                    const FlowArguments& arguments,
                    const FlowOptions& options,
                    std::uint16_t from,
                    std::uint16_t to,
                    const Paint& paint) {
    const Writer writer(access, paint);
    const std::optional<std::vector<Hop>> chain = find_flow(access, options, from, to);
    Answer answer;
    answer.json = {
        {"from", writer.name(from)}, {"to", writer.name(to)}, {"flows", chain.has_value()}};
    if (!chain) {
        const std::set<std::uint16_t> reach = reach_of(access, options, from);
        answer.text = fmt::format("{}no{}: nothing of {} can come to {}\n",
                                  paint.good,
                                  paint.plain,
                                  writer.name(from),
                                  writer.name(to));
        std::string reached;
        answer.json["reach"] = Json::array();
        for (const std::uint16_t id : reach) {
            reached += (reached.empty() ? "" : ", ") + writer.name(id);
            answer.json["reach"].push_back(writer.name(id));
        }
        answer.text += fmt::format("   it can come to: {}\n", reached.empty() ? "nobody" : reached);
    } else {
        answer.text = fmt::format("{}yes{}: {} can come to {} in {}\n",
                                  paint.bad,
                                  paint.plain,
                                  "information of " + writer.name(from),
                                  writer.name(to),
                                  counted(chain->size(), "step"));
        answer.json["chain"] = Json::array();
        for (std::size_t i = 0; i < chain->size(); ++i) {
            writer.add((*chain)[i], i + 1, answer);
        }
    }
    answer.status = chain.has_value() != arguments.forbid ? ExitStatus::Yes : ExitStatus::No;
    return answer;
}

Result<Answer>
run(const FlowArguments& arguments, const CommonOptions& common, const Paint& paint) {
    const Result<PolicyPtr> policy = load(arguments.policy, common);
    if (!policy.ok()) {
        return policy.trouble();
    }
    const policyc::Policy& loaded = policy.value()->policy();
    const Result<std::uint16_t> from = find_class(loaded, arguments.from);
    const Result<std::uint16_t> to = find_class(loaded, arguments.to);
    for (const Result<std::uint16_t>* const found : {&from, &to}) {
        if (!found->ok()) {
            return found->trouble();
        }
    }
    if (from.value() == to.value()) {
        return Trouble{.cause = "both are " + loaded.classes[from.value()].name,
                       .way_out = "name two classes"};
    }
    Result<FlowOptions> options = make_options(arguments, loaded);
    if (!options.ok()) {
        return options.trouble();
    }
    const AccessTable access(*policy.value());
    if (!arguments.system.empty()) {
        const Result<System> read = load_system(arguments.system, common.include);
        if (!read.ok()) {
            return read.trouble();
        }
        options.value().channels = channels_of(access, read.value());
    }
    return answer_chain(access, arguments, options.value(), from.value(), to.value(), paint);
}

}  // namespace

void add_flow(CLI::App& program, Task& task) {
    CLI::App& command = add_subcommand(program,
                                       "flow",
                                       "Can information of one class come to another?",
                                       {"flow plant.Intruder plant.Valve",
                                        "flow Intruder Valve --silent plant.Controller",
                                        "flow Sensor Operator --system init.yaml --forbid"});
    const auto arguments = std::make_shared<FlowArguments>();
    command.add_option("from", arguments->from, "Whose information")
        ->type_name("CLASS")
        ->required();
    command.add_option("to", arguments->to, "Who might get it")->type_name("CLASS")->required();
    command.add_option("-p,--policy", arguments->policy, "Policy (default security.psl)")
        ->type_name("FILE");
    command
        .add_option("--system",
                    arguments->system,
                    "init.yaml: its channels, and what messages may hand on of them")
        ->type_name("FILE");
    command
        .add_option("--silent",
                    arguments->silent,
                    "Trust this class not to pass on what it learns; may be repeated")
        ->type_name("CLASS")
        ->allow_extra_args(false);
    command.add_flag("--through-kernel",
                     arguments->through_kernel,
                     "Do not trust the kernel in this way either");
    command.add_flag("--data-only", arguments->only_data, "Leave out messages without parameters");
    command.add_flag(
        "--forbid", arguments->forbid, "For tests: exit with 0 when nothing flows, 1 when it does");
    command.callback([&task, arguments] {
        task = [arguments](const CommonOptions& options, const Paint& paint) {
            return run(*arguments, options, paint);
        };
    });
}

}  // namespace sdk::policy
