// SPDX-License-Identifier: Apache-2.0
// Explores the kernel: every interleaving of a small system's steps up to a depth, breadth first,
// each state once. A path that leads to something that must not be is printed as its steps.
#include "world.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace explore {

namespace {

using Clock = std::chrono::steady_clock;

constexpr u32 kLongSeconds = 100;  // a system, in the long run

struct Options {
    std::vector<std::string> scenarios;
    u32 depth = 0;  // 0: the scenario's own
    u32 seconds = 0;
    bool is_long = false;
    bool json = false;
    bool lists = false;
};

struct Result {
    std::string scenario;
    u64 states = 0;
    u64 transitions = 0;
    u32 depth = 0;           // all states nearer than this are explored
    bool is_closed = false;  // there are no others
    double seconds = 0;
    std::string violation;
    std::vector<std::string> path;
};

class Explorer final {
public:
    Explorer(const Scenario& scenario, u32 depth, u32 seconds)
        : world_(scenario), depth_(depth), begin_(Clock::now()), seconds_(seconds) {
        result_.scenario = scenario.name;
    }

    Result run() {
        nodes_.push_back({});
        seen_.insert(world_.hash());
        std::size_t next = 0;
        for (u32 depth = 0; depth < depth_; ++depth) {
            const std::size_t end = nodes_.size();
            for (; next < end; ++next) {
                if (!expand(next) || is_late()) {
                    return finish(depth);
                }
            }
            if (next == nodes_.size()) {
                result_.is_closed = true;
                return finish(depth + 1);
            }
        }
        return finish(depth_);
    }

private:
    /// How a state is reached: from which, by which step.
    struct Node {
        u32 parent = 0;
        Step step{};
    };

    [[nodiscard]] bool is_late() const {
        return seconds_ != 0 && Clock::now() - begin_ > std::chrono::seconds{seconds_};
    }

    [[nodiscard]] std::vector<Step> path_to(std::size_t node) const {
        std::vector<Step> path;
        for (std::size_t at = node; at != 0; at = nodes_[at].parent) {
            path.push_back(nodes_[at].step);
        }
        return {path.rbegin(), path.rend()};
    }

    /// Takes every step from a state; false: a violation is found.
    bool expand(std::size_t node) {
        world_.restart();
        for (const Step step : path_to(node)) {
            world_.take(step);
        }
        world_.save(here_);
        steps_.clear();
        world_.find_steps(steps_);
        bool is_moved = false;
        for (const Step step : steps_) {
            if (is_moved) {
                world_.restore(here_);
            }
            is_moved = true;
            ++result_.transitions;
            try {
                world_.take(step);
                world_.check();
            } catch (const Violation& violation) {
                explain(node, step, violation);
                return false;
            }
            if (seen_.insert(world_.hash()).second) {
                nodes_.push_back({static_cast<u32>(node), step});
            }
        }
        return true;
    }

    void explain(std::size_t node, Step last, const Violation& violation) {
        result_.violation = violation.what;
        std::vector<Step> path = path_to(node);
        path.push_back(last);
        world_.restart();
        for (const Step step : path) {
            result_.path.push_back(world_.describe(step));
            try {
                world_.take(step);
            } catch (const Violation&) {
                break;
            }
        }
    }

    Result finish(u32 depth) {
        result_.states = seen_.size();
        result_.depth = depth;
        result_.seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
        return result_;
    }

    World world_;
    u32 depth_;
    Clock::time_point begin_;
    u32 seconds_;
    Result result_;
    std::vector<Node> nodes_;
    std::unordered_set<u64> seen_;
    World::Snapshot here_;
    std::vector<Step> steps_;
};

void print(const Result& result) {
    std::printf("%-9s %9llu states %10llu transitions, depth %3u%s, %6.1f s%s\n",
                result.scenario.c_str(),
                static_cast<unsigned long long>(result.states),
                static_cast<unsigned long long>(result.transitions),
                result.depth,
                result.is_closed ? " (all)" : "",
                result.seconds,
                result.violation.empty() ? "" : ", VIOLATED");
    if (!result.violation.empty()) {
        std::printf("  %s\n", result.violation.c_str());
        for (std::size_t i = 0; i < result.path.size(); ++i) {
            std::printf("  %2zu  %s\n", i + 1, result.path[i].c_str());
        }
    }
    std::fflush(stdout);
}

nlohmann::json to_json(const Result& result) {
    return {{"scenario", result.scenario},
            {"states", result.states},
            {"transitions", result.transitions},
            {"depth", result.depth},
            {"all", result.is_closed},
            {"seconds", result.seconds},
            {"violation", result.violation},
            {"path", result.path}};
}

bool is_chosen(const Options& options, const Scenario& scenario) {
    return options.scenarios.empty() ||
           std::ranges::find(options.scenarios, scenario.name) != options.scenarios.end();
}

int run(const Options& options) {
    u32 failed = 0;
    u32 passed = 0;
    nlohmann::json all = nlohmann::json::array();
    for (const Scenario& scenario : scenarios()) {
        if (!is_chosen(options, scenario)) {
            continue;
        }
        if (options.lists) {
            std::printf("%-9s %s\n", scenario.name.c_str(), scenario.about.c_str());
            continue;
        }
        const u32 own = options.is_long ? scenario.long_depth : scenario.depth;
        const Result result =
            Explorer{scenario, options.depth != 0 ? options.depth : own, options.seconds}.run();
        ++(result.violation.empty() ? passed : failed);
        if (options.json) {
            all.push_back(to_json(result));
        } else {
            print(result);
        }
    }
    if (options.json) {
        std::printf("%s\n", all.dump(2).c_str());
    } else if (!options.lists) {
        std::printf("%u passed, %u failed\n", passed, failed);
    }
    return failed == 0 ? 0 : 1;
}

}  // namespace

}  // namespace explore

int main(int argc, char** argv) {
    explore::Options options;
    CLI::App app{"Explores every interleaving of small systems on the kernel's own code.\n"
                 "Example: explore --depth 8 queue driver"};
    app.add_option("scenario", options.scenarios, "which systems (default: all)");
    app.add_option("--depth", options.depth, "steps from the start (default: the scenario's)");
    app.add_option("--seconds", options.seconds, "stop a scenario after so long (default: never)");
    app.add_flag("--long", options.is_long, "as deep as the long run, or 100 s a system");
    app.add_flag("--json", options.json, "results as JSON");
    app.add_flag("--list", options.lists, "name the systems and end");
    CLI11_PARSE(app, argc, argv);
    for (const std::string& name : options.scenarios) {
        const auto& all = explore::scenarios();
        if (std::ranges::none_of(all, [&](const auto& each) { return each.name == name; })) {
            std::fprintf(stderr, "explore: no scenario '%s'; --list names them\n", name.c_str());
            return 2;
        }
    }
    options.is_long = options.is_long || std::getenv("TESSERA_LONG") != nullptr;
    if (options.is_long && options.seconds == 0) {
        options.seconds = explore::kLongSeconds;
    }
    return explore::run(options);
}
