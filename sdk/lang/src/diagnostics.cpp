// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <lang/diagnostics.hpp>
#include <lang/lexer.hpp>
#include <tuple>
#include <unistd.h>

namespace sdk::lang {

namespace {

constexpr std::size_t kMaxWord = 60;
constexpr std::size_t kMaxText = 200;
constexpr std::size_t kMaxShown = 160;  // of a line

/// Text of the program made safe to print: control characters and broken UTF-8 become visible.
std::string printable(std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) {
            result += "\\x";
            result += kHex[byte >> 4];
            result += kHex[byte & 15];
        } else {
            result += c;
        }
    }
    return result;
}

/// At most `limit` bytes, cut at a character.
std::string shortened(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) {
        return std::string{text};
    }
    std::size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
        --end;
    }
    return std::string{text.substr(0, end)} + "...";
}

std::string render(const detail::Argument& argument) {
    switch (argument.place) {
    case detail::Place::Word:
        return "'" + printable(shortened(argument.text, kMaxWord)) + "'";
    case detail::Place::Text:
        return printable(shortened(argument.text, kMaxText));
    case detail::Place::Number:
        break;
    }
    return std::to_string(argument.number);
}

struct Palette {
    const char* error = "";
    const char* warning = "";
    const char* strong = "";
    const char* weak = "";
    const char* off = "";
};

constexpr Palette kColours{"\033[1;31m", "\033[1;35m", "\033[1m", "\033[36m", "\033[0m"};

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// Bytes [from, to) of a line.
struct Window {
    std::size_t from = 0;
    std::size_t to = 0;
};

/// What is shown of a line so that `at` is in it: all, or characters around that.
Window window_of(std::string_view line, std::size_t at) {
    if (line.size() <= kMaxShown) {
        return {0, line.size()};
    }
    Window shown;
    shown.from = std::min(at - std::min(at, kMaxShown / 2), line.size() - kMaxShown);
    shown.to = shown.from + kMaxShown;
    while (shown.from < at && is_continuation(line[shown.from])) {
        ++shown.from;
    }
    while (shown.to > at && shown.to < line.size() && is_continuation(line[shown.to])) {
        --shown.to;
    }
    return shown;
}

/// Bytes of the character that a text begins with; 0 when it begins with none.
std::size_t character_length(std::string_view text) {
    for (std::size_t length = 1; length <= std::min<std::size_t>(text.size(), 4); ++length) {
        if (find_invalid_utf8(text.substr(0, length)) == std::string_view::npos) {
            return length;
        }
    }
    return 0;
}

/// The source line and a line that marks the span below it; of a long line what is near.
std::string excerpt(const Sources& sources, const Span& span, const Palette& palette) {
    constexpr std::string_view kCut = "...";
    constexpr std::string_view kNoCharacter = "\xEF\xBF\xBD";
    if (!span.is_known() || span.file > sources.count()) {
        return {};
    }
    const Source& source = sources.get(span.file);
    const Position at = source.position(span.begin);
    const std::string_view line = source.line(at.line);
    const std::uint32_t begin = source.line_begin(at.line);
    const Window window = window_of(line, std::min<std::size_t>(span.begin - begin, line.size()));
    std::string shown{window.from == 0 ? "" : kCut};
    std::string marks(shown.size(), ' ');
    std::size_t length = 0;
    for (std::size_t i = window.from; i < window.to; i += length) {
        const std::string_view rest = line.substr(i, window.to - i);
        length = character_length(rest);
        if (length == 0) {
            shown += kNoCharacter;
            length = 1;
        } else {
            // Tabs are shown as one blank so that the marks stand below what they mean.
            const bool is_control = static_cast<unsigned char>(rest[0]) < 0x20 || rest[0] == 0x7F;
            shown += is_control ? " " : rest.substr(0, length);
        }
        const std::size_t place = begin + i;
        const bool is_first = place <= span.begin && span.begin < place + length;
        marks += is_first ? '^' : place >= span.begin && place < span.end ? '~' : ' ';
    }
    if (span.begin >= begin + line.size()) {
        marks += '^';
    }
    while (!marks.empty() && marks.back() == ' ') {
        marks.pop_back();
    }
    shown += window.to < line.size() ? kCut : "";
    const std::string number = std::to_string(at.line);
    const std::string gap(number.size(), ' ');
    shown = shown.empty() ? shown : " " + shown;
    return " " + number + " |" + shown + "\n " + gap + " | " + palette.weak + marks + palette.off +
           "\n";
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row[b.size()];
}

/// Somebody who writes a last part only is likely to have misspelt that.
std::size_t distance_to_name(std::string_view word, const std::string& name) {
    const std::size_t whole = edit_distance(word, name);
    const std::size_t dot = name.rfind('.');
    return dot == std::string::npos || word.find('.') != std::string_view::npos
               ? whole
               : std::min(whole, edit_distance(word, std::string_view{name}.substr(dot + 1)));
}

std::string place_json(const Sources& sources, const Span& span) {
    if (!span.is_known() || span.file > sources.count()) {
        return "\"file\": null";
    }
    const Source& source = sources.get(span.file);
    const Position begin = source.position(span.begin);
    const Position end = source.position(span.end);
    return "\"file\": " + json_quote(source.name()) + ", \"line\": " + std::to_string(begin.line) +
           ", \"column\": " + std::to_string(begin.column) +
           ", \"end_line\": " + std::to_string(end.line) +
           ", \"end_column\": " + std::to_string(end.column);
}

}  // namespace

Diagnostics::Report& Diagnostics::Report::note(const Span& span, std::string text) {
    if (diagnostic_ != nullptr) {
        diagnostic_->notes.push_back({span, std::move(text)});
    }
    return *this;
}

Diagnostics::Report& Diagnostics::Report::hint(std::string_view suggestion) {
    if (diagnostic_ != nullptr && !suggestion.empty()) {
        diagnostic_->message += ", did you mean '" + printable(suggestion) + "'?";
    }
    return *this;
}

Diagnostics::Report& Diagnostics::Report::choices(const std::vector<std::string>& names) {
    constexpr std::size_t kMost = 12;
    if (diagnostic_ == nullptr || names.size() > kMost) {
        return *this;
    }
    std::string list = names.empty() ? "; there is none at all" : "; there are: ";
    for (const std::string& name : names) {
        list += (&name == names.data() ? "" : ", ") + printable(name);
    }
    diagnostic_->way_out += list;
    return *this;
}

Diagnostics::Report
Diagnostics::add(Code code, const Span& span, std::span<const detail::Argument> arguments) {
    const Catalogued& row = catalogued(code);
    const bool is_downgraded = std::ranges::find(downgraded_, code) != downgraded_.end();
    const Severity severity = is_downgraded ? Severity::Warning : row.severity;
    (severity == Severity::Error ? errors_ : warnings_) += 1;
    if (diagnostics_.size() >= kMaxKept) {
        return Report{nullptr};
    }
    Diagnostic diagnostic;
    diagnostic.code = code;
    diagnostic.severity = severity;
    diagnostic.span = span;
    diagnostic.way_out = row.way_out;
    std::size_t used = 0;
    for (std::size_t i = 0; i < row.message.size(); ++i) {
        if (row.message[i] == '{') {
            diagnostic.message += used < arguments.size() ? render(arguments[used]) : std::string{};
            ++used;
            i = row.message.find('}', i);
        } else {
            diagnostic.message += row.message[i];
        }
    }
    diagnostics_.push_back(std::move(diagnostic));
    return Report{&diagnostics_.back()};
}

std::vector<const Diagnostic*> Diagnostics::ordered() const {
    std::vector<const Diagnostic*> result;
    for (const Diagnostic& diagnostic : diagnostics_) {
        result.push_back(&diagnostic);
    }
    // All stand in one vector: where the places agree, the order of reporting decides.
    std::ranges::sort(result, [](const Diagnostic* a, const Diagnostic* b) {
        return std::tie(a->span.file, a->span.begin, a) < std::tie(b->span.file, b->span.begin, b);
    });
    return result;
}

std::string Diagnostics::to_text(const Diagnostic& diagnostic, Colour colour) const {
    const Palette palette = colour == Colour::Always ? kColours : Palette{};
    const bool error = diagnostic.severity == Severity::Error;
    std::string text = palette.strong + sources_->describe(diagnostic.span) + ": " + palette.off;
    text += (error ? palette.error : palette.warning) + std::string{error ? "error " : "warning "} +
            code_text(diagnostic.code) + ": " + palette.off;
    text += palette.strong + diagnostic.message + palette.off + "\n";
    text += excerpt(*sources_, diagnostic.span, palette);
    for (const Diagnostic::Note& note : diagnostic.notes) {
        text += "   " + sources_->describe(note.span) + ": " + note.text + "\n";
    }
    if (!diagnostic.way_out.empty()) {
        text += std::string{"   "} + palette.weak + "way out: " + palette.off + diagnostic.way_out +
                "\n";
    }
    return text;
}

std::string Diagnostics::to_text(Colour colour) const {
    std::string text;
    for (const Diagnostic* diagnostic : ordered()) {
        text += to_text(*diagnostic, colour);
    }
    if (errors_ + warnings_ > diagnostics_.size()) {
        text += std::to_string(errors_ + warnings_ - diagnostics_.size()) +
                " more messages are not shown\n";
    }
    return text;
}

std::string Diagnostics::to_json(const Diagnostic& diagnostic) const {
    std::string text = "{\"code\": " + json_quote(code_text(diagnostic.code)) + ", \"severity\": " +
                       (diagnostic.severity == Severity::Error ? "\"error\"" : "\"warning\"") +
                       ", " + place_json(*sources_, diagnostic.span) +
                       ", \"message\": " + json_quote(diagnostic.message) +
                       ", \"way_out\": " + json_quote(diagnostic.way_out) + ", \"notes\": [";
    bool first = true;
    for (const Diagnostic::Note& note : diagnostic.notes) {
        text += first ? "{" : ", {";
        text += place_json(*sources_, note.span) + ", \"text\": " + json_quote(note.text) + "}";
        first = false;
    }
    return text + "]}";
}

std::string Diagnostics::to_json() const {
    std::string text = "[";
    for (const Diagnostic& diagnostic : diagnostics_) {
        text += text.size() > 1 ? ",\n " : "\n ";
        text += to_json(diagnostic);
    }
    return text + (diagnostics_.empty() ? "]" : "\n]");
}

std::string code_text(Code code) { return "TS" + std::to_string(static_cast<unsigned>(code)); }

Diagnostics::Colour colour_of_standard_error() {
    const char* no_colour = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    const bool wanted = (no_colour == nullptr || *no_colour == '\0') && term != nullptr &&
                        std::string_view{term} != "dumb" && isatty(STDERR_FILENO) != 0;
    return wanted ? Diagnostics::Colour::Always : Diagnostics::Colour::Never;
}

std::string closest(std::string_view word, const std::vector<std::string>& candidates) {
    constexpr std::size_t kLongest = 200;
    if (word.empty() || word.size() > kLongest) {
        return {};
    }
    // A third of the word may be wrong, but a one-letter word suggests nothing.
    std::size_t best = std::max<std::size_t>(word.size() / 3, word.size() > 2 ? 1 : 0) + 1;
    const std::string* found = nullptr;
    for (const std::string& candidate : candidates) {
        if (candidate.size() > kLongest) {
            continue;
        }
        if (candidate.ends_with("." + std::string{word})) {
            return candidate;
        }
        const std::size_t distance = distance_to_name(word, candidate);
        if (distance < best && candidate != word) {
            best = distance;
            found = &candidate;
        }
    }
    return found == nullptr ? std::string{} : *found;
}

std::string json_quote(std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string result = "\"";
    const bool is_text = find_invalid_utf8(text) == std::string_view::npos;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80 && !is_text) {
            result += "\\ufffd";  // JSON is UTF-8; a file's name may be anything
        } else if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (byte < 0x20) {
            result += "\\u00";
            result += kHex[byte >> 4];
            result += kHex[byte & 15];
        } else {
            result += c;
        }
    }
    return result + "\"";
}

}  // namespace sdk::lang
