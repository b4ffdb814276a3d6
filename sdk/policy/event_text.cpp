// SPDX-License-Identifier: Apache-2.0
#include "event_text.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <lang/psl_parser.hpp>

namespace sdk::policy {

namespace {

using lang::psl::EventKind;

constexpr const char* kPrefix = "assert { sequence {\n";
constexpr const char* kSuffix = "\n} }\n";

struct Verb {
    const char* word;
    const char* event;
    const char* source;  ///< selector for the word before the verb
    const char* target;  ///< and for the word after it; null: that is the method
};

constexpr Verb kVerbs[] = {
    {"calls", "request", "src", "dst"},
    {"answers", "response", "src", "dst"},
    {"fails", "error", "src", "dst"},
    {"starts", "execute", "src", "dst"},
    {"asks", "security", "src", nullptr},
};

/// At blanks outside of quotes, brackets and braces.
std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> words(1);
    bool is_quoted = false;
    int depth = 0;
    for (const char c : text) {
        is_quoted = c == '"' ? !is_quoted : is_quoted;
        depth += !is_quoted && (c == '[' || c == '{') ? 1 : 0;
        depth -= !is_quoted && (c == ']' || c == '}') ? 1 : 0;
        if (!is_quoted && depth == 0 && (c == ' ' || c == '\t' || c == '\n')) {
            if (!words.back().empty()) {
                words.emplace_back();
            }
        } else {
            words.back() += c;
        }
    }
    if (words.back().empty()) {
        words.pop_back();
    }
    return words;
}

/// A value in PAL: numbers, lists, dictionaries and texts as they are, everything else as a text.
std::string value_of(const std::string& word) {
    const bool is_number =
        !word.empty() && ((word[0] >= '0' && word[0] <= '9') ||
                          (word[0] == '-' && word.size() > 1 && word[1] >= '0' && word[1] <= '9'));
    if (is_number || word.starts_with("[") || word.starts_with("{") || word.starts_with("\"")) {
        return word;
    }
    return "\"" + word + "\"";
}

/// An event in words as PAL; nothing when it is not in words.
std::optional<std::string> from_words(const std::vector<std::string>& words) {
    if (words.size() < 3) {
        return std::nullopt;
    }
    const auto* const verb = std::ranges::find(kVerbs, words[1], &Verb::word);
    if (verb == std::end(kVerbs)) {
        return std::nullopt;
    }
    std::string text = fmt::format("{} {}={}", verb->event, verb->source, words[0]);
    std::size_t next = 2;
    if (verb->target != nullptr) {
        text += fmt::format(" {}={}", verb->target, words[next++]);
    }
    if (std::string_view(verb->event) != "execute" && next < words.size()) {
        text += " method=" + words[next++];
    }
    std::string parameters;
    for (; next < words.size(); ++next) {
        const std::size_t sign = words[next].find('=');
        if (sign == std::string::npos) {
            return std::nullopt;
        }
        parameters += fmt::format("{} {} : {}",
                                  parameters.empty() ? "" : ",",
                                  words[next].substr(0, sign),
                                  value_of(words[next].substr(sign + 1)));
    }
    return parameters.empty() ? text : text + " {" + parameters + " }";
}

/// `request a ~> b : e.M` says the same as without its first word; `error a <~ b : e.M` makes an
/// error of what would be a response.
std::pair<std::string, bool> without_event(const std::string& text) {
    const bool is_arrow =
        text.find("~>") != std::string::npos || text.find("<~") != std::string::npos;
    for (const char* const word : {"request ", "response ", "error "}) {
        if (is_arrow && text.starts_with(word)) {
            return {text.substr(std::string_view(word).size()), word[0] == 'e'};
        }
    }
    return {text, false};
}

}  // namespace

Result<std::vector<const lang::psl::TestCase*>>
EventText::parse(const std::vector<std::string>& words) {
    const std::vector<std::string> parts = words.size() == 1 ? split(words[0]) : words;
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : " ") + word;
    }
    bool is_error = false;
    if (const std::optional<std::string> converted = from_words(parts)) {
        text = *converted;
    } else {
        std::tie(text, is_error) = without_event(text);
    }
    const std::uint32_t file = sources_.add("event", kPrefix + text + kSuffix);
    lang::Diagnostics diagnostics(sources_);
    files_.push_back(std::make_unique<lang::psl::File>(lang::psl::parse(file, diagnostics)));
    std::vector<const lang::psl::TestCase*> cases;
    for (lang::psl::Declaration& declaration : files_.back()->declarations) {
        if (auto* const block = std::get_if<lang::psl::TestBlock>(&declaration)) {
            for (lang::psl::TestSequence& sequence : block->sequences) {
                for (lang::psl::TestCase& test : sequence.cases) {
                    if (is_error && test.form == lang::psl::TestCase::Form::ResponseArrow) {
                        test.event = EventKind::Error;
                    }
                    cases.push_back(&test);
                }
            }
        }
    }
    if (diagnostics.has_errors() || cases.empty()) {
        const std::string cause = diagnostics.has_errors()
                                      ? fmt::format(": error {}: {}",
                                                    lang::code_text(diagnostics.all().front().code),
                                                    diagnostics.all().front().message)
                                      : "";
        return Trouble{.cause = fmt::format("'{}' is no event{}", text, cause),
                       .way_out = "write it as 'Panel calls Plant act.valve.Set value=10' or "
                                  "'Panel ~> Plant : act.valve.Set { value : 10 }'; "
                                  "explain --help shows all forms"};
    }
    return cases;
}

}  // namespace sdk::policy
