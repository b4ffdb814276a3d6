// SPDX-License-Identifier: Apache-2.0
// What the compilers tell people. Every message is one row of diagnostics.def: a permanent number,
// a severity, the cause, with typed places for arguments, and a way out. A call that passes the
// wrong arguments does not compile.
//
//   diagnostics.report<Code::UnknownType>(span, Word{name}).hint(closest);
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <lang/source.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sdk::lang {

enum class Severity : std::uint8_t { Error, Warning };

/// Permanent numbers; a removed one is never used again.
enum class Code : std::uint16_t {
#define TESSERA_DIAGNOSTIC(number, severity, name, message, way_out) name = number,
#include <lang/diagnostics.def>
#undef TESSERA_DIAGNOSTIC
};

/// One row of the table.
struct Catalogued {
    Code code;
    Severity severity;
    std::string_view name;
    std::string_view message;  ///< places: {word} in quotes, {text} as it is, {number}
    std::string_view way_out;
};

inline constexpr Catalogued kCatalogue[] = {
#define TESSERA_DIAGNOSTIC(number, severity, name, message, way_out)                               \
    {Code::name, Severity::severity, #name, message, way_out},
#include <lang/diagnostics.def>
#undef TESSERA_DIAGNOSTIC
};

constexpr const Catalogued& catalogued(Code code) {
    for (const Catalogued& row : kCatalogue) {
        if (row.code == code) {
            return row;
        }
    }
    return kCatalogue[0];
}

/// Something from the program text; printed in quotes, control characters escaped.
struct Word {
    std::string_view value;
};

/// Words of ours.
struct Text {
    std::string_view value;
};

struct Number {
    std::int64_t value;
};

/// One message about one place.
struct Diagnostic {
    Code code{};
    Severity severity = Severity::Error;
    Span span;
    std::string message;
    std::string way_out;

    struct Note {
        Span span;
        std::string text;
    };

    std::vector<Note> notes;
};

namespace detail {

enum class Place : std::uint8_t { Word, Text, Number };

struct Places {
    std::array<Place, 8> kinds{};
    std::size_t count = 0;
};

constexpr Places places_of(std::string_view message) {
    Places places;
    for (std::size_t i = 0; i < message.size(); ++i) {
        if (message[i] != '{') {
            continue;
        }
        const std::string_view rest = message.substr(i);
        places.kinds[places.count++] = rest.starts_with("{word}")   ? Place::Word
                                       : rest.starts_with("{text}") ? Place::Text
                                                                    : Place::Number;
    }
    return places;
}

constexpr Place place_of(const Word&) { return Place::Word; }

constexpr Place place_of(const Text&) { return Place::Text; }

constexpr Place place_of(const Number&) { return Place::Number; }

/// One argument on its way into a message.
struct Argument {
    Place place = Place::Number;
    std::string_view text;
    std::int64_t number = 0;

    constexpr Argument(const Word& word) : place(Place::Word), text(word.value) {}

    constexpr Argument(const Text& words) : place(Place::Text), text(words.value) {}

    constexpr Argument(const Number& value) : number(value.value) {}
};

template <Code kCode, typename... Arguments> consteval bool arguments_fit() {
    const Places places = places_of(catalogued(kCode).message);
    const std::array<Place, sizeof...(Arguments) + 1> given{place_of(Arguments{})..., Place::Word};
    if (places.count != sizeof...(Arguments)) {
        return false;
    }
    for (std::size_t i = 0; i < places.count; ++i) {
        if (places.kinds[i] != given[i]) {
            return false;
        }
    }
    return true;
}

}  // namespace detail

/// Collects the messages of a run and prints them in the order of their places.
class Diagnostics final {
public:
    /// Messages after this many errors are counted only.
    static constexpr std::size_t kMaxKept = 100;

    explicit Diagnostics(const Sources& sources) : sources_(&sources) {}

    /// Refers to the message just reported, to add to it.
    class Report final {
    public:
        explicit Report(Diagnostic* diagnostic) : diagnostic_(diagnostic) {}

        /// A second place that matters: "first declared here".
        Report& note(const Span& span, std::string text);

        /// Adds "did you mean 'x'?" when there is something to suggest.
        Report& hint(std::string_view suggestion);

        /// Adds to the way out which names there are, unless they are too many to read.
        Report& choices(const std::vector<std::string>& names);

    private:
        Diagnostic* diagnostic_;  // null when the message was not kept
    };

    template <Code kCode, typename... Arguments>
    Report report(const Span& span, const Arguments&... arguments) {
        static_assert(detail::arguments_fit<kCode, Arguments...>(),
                      "arguments do not match the message in diagnostics.def");
        if constexpr (sizeof...(Arguments) == 0) {
            return add(kCode, span, {});
        } else {
            const detail::Argument list[] = {arguments...};
            return add(kCode, span, list);
        }
    }

    /// Makes messages of these rows warnings, from now on.
    void downgrade(std::vector<Code> codes) { downgraded_ = std::move(codes); }

    [[nodiscard]] std::size_t error_count() const { return errors_; }

    [[nodiscard]] std::size_t warning_count() const { return warnings_; }

    [[nodiscard]] bool has_errors() const { return errors_ != 0; }

    /// Whether further messages are only counted: then nobody needs to think of good hints.
    [[nodiscard]] bool is_full() const { return diagnostics_.size() >= kMaxKept; }

    [[nodiscard]] const std::vector<Diagnostic>& all() const { return diagnostics_; }

    [[nodiscard]] const Sources& sources() const { return *sources_; }

    enum class Colour : std::uint8_t { Never, Always };

    /// All messages as text for people: place, cause, source line with caret, way out.
    [[nodiscard]] std::string to_text(Colour colour) const;

    /// The kept messages in the order of their places.
    [[nodiscard]] std::vector<const Diagnostic*> ordered() const;

    /// One message: its part of to_text(), its element of to_json().
    [[nodiscard]] std::string to_text(const Diagnostic& diagnostic, Colour colour) const;
    [[nodiscard]] std::string to_json(const Diagnostic& diagnostic) const;

    /// The messages as a JSON array of objects {code, severity, file, line, column, end_line,
    /// end_column, message, way_out, notes}.
    [[nodiscard]] std::string to_json() const;

private:
    Report add(Code code, const Span& span, std::span<const detail::Argument> arguments);

    const Sources* sources_;
    std::vector<Diagnostic> diagnostics_;
    std::vector<Code> downgraded_;
    std::size_t errors_ = 0;
    std::size_t warnings_ = 0;
};

/// "TS2005"
[[nodiscard]] std::string code_text(Code code);

/// Whether standard error is a terminal that shows colours (NO_COLOR and TERM=dumb respected).
[[nodiscard]] Diagnostics::Colour colour_of_standard_error();

/// The candidate closest to `word`, empty when none is close enough to be meant. Closest of all is
/// the first that `word` is the last part of: "lab.Valve" for "Valve".
[[nodiscard]] std::string closest(std::string_view word,
                                  const std::vector<std::string>& candidates);

/// "a" quoted for JSON.
[[nodiscard]] std::string json_quote(std::string_view text);

}  // namespace sdk::lang
