// SPDX-License-Identifier: Apache-2.0
// What all subcommands share: the exit status, the options that each of them has, and how an answer
// or a refusal is printed. A subcommand is a pair of files with one function, add_<name>(), listed
// in program.cpp; it declares its options and leaves a task to run.
//
// An answer is complete before anything is printed, so that a failure leaves nothing behind.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace sdk::policy {

using Json = nlohmann::ordered_json;

/// The convention of grep and diff, so that scripts can ask.
enum class ExitStatus : int {
    Yes = 0,      ///< done; granted, reachable, equal, passed
    No = 1,       ///< done, and the answer is no: denied, unreachable, different, failed
    Trouble = 2,  ///< no answer: wrong command line, unreadable file, policy with errors
};

/// Why there is no answer.
struct Trouble {
    std::string cause{};    ///< one sentence, no full stop
    std::string way_out{};  ///< may be empty
    std::string details{};  ///< lines to show before: the compiler's messages
    Json diagnostics{};     ///< the same for programs; null when there are none
};

/// A value, or why there is none.
template <typename T> class [[nodiscard]] Result final {
public:
    Result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)

    Result(Trouble trouble)  // NOLINT(google-explicit-constructor)
        : trouble_(std::move(trouble)) {}

    [[nodiscard]] bool ok() const { return value_.has_value(); }

    /// Only after ok().
    [[nodiscard]] T& value() { return *value_; }

    [[nodiscard]] const T& value() const { return *value_; }

    /// Only after !ok().
    [[nodiscard]] const Trouble& trouble() const { return trouble_; }

private:
    std::optional<T> value_{};
    Trouble trouble_{};
};

/// Options that every subcommand has.
struct CommonOptions {
    std::string sdk{};                   ///< folder of interfaces/ and policies/; empty: none
    std::vector<std::string> include{};  ///< searched before the policy's folder and the SDK's
    std::string engine{};                ///< library for compiled policies; empty: none
    std::uint32_t state_limit = 0;       ///< of policyc; 0: its own
    bool warn_unmatched = false;
    bool json = false;
};

/// Escape sequences of a terminal, all empty where there is none.
struct Paint {
    const char* bold = "";
    const char* good = "";
    const char* bad = "";
    const char* dim = "";
    const char* plain = "";
};

/// What a task prints into; program.cpp sends it to standard output at the end.
struct Answer {
    ExitStatus status = ExitStatus::Yes;
    std::string text{};  ///< for people, with line ends
    Json json{};         ///< for programs; printed instead when --json was given
    std::string note{};  ///< a line for standard error: what was written where
};

using Task = std::function<Result<Answer>(const CommonOptions& options, const Paint& paint)>;

/// Declares a subcommand with its examples (lines without indentation); `description` is one line.
CLI::App& add_subcommand(CLI::App& program,
                         const std::string& name,
                         const std::string& description,
                         const std::vector<std::string>& examples);

/// Writes a whole file or nothing: beside its name first, then renamed.
Result<std::string> write_whole(const std::string& path, const std::string& text);

/// Colours when standard output is a terminal that shows them (NO_COLOR, TERM=dumb respected).
Paint paint_of_standard_output();

}  // namespace sdk::policy
