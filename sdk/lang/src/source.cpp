// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <lang/source.hpp>

namespace sdk::lang {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

Source::Source(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)) {
    if (std::string_view{text_}.starts_with(kByteOrderMark)) {
        text_.erase(0, kByteOrderMark.size());
    }
    lines_.push_back(0);
    std::uint32_t continuations = 0;
    for (std::size_t i = 0; i < text_.size(); ++i) {
        if (i % kBlock == 0) {
            continuations_.push_back(continuations);
        }
        continuations += is_continuation(text_[i]) ? 1 : 0;
        const bool lone_return =
            text_[i] == '\r' && (i + 1 == text_.size() || text_[i + 1] != '\n');
        if (text_[i] == '\n' || lone_return) {
            lines_.push_back(static_cast<std::uint32_t>(i + 1));
        }
    }
}

Position Source::position(std::uint32_t offset) const {
    const auto size = static_cast<std::uint32_t>(text_.size());
    offset = std::min(offset, size);
    const auto after = std::upper_bound(lines_.begin(), lines_.end(), offset);
    const auto line = static_cast<std::uint32_t>(after - lines_.begin());
    const std::uint32_t begin = lines_[line - 1];
    return {line, 1 + (offset - begin) - count_continuations(begin, offset)};
}

std::uint32_t Source::count_continuations(std::uint32_t begin, std::uint32_t end) const {
    const std::uint32_t first = (begin + kBlock - 1) / kBlock;
    const std::uint32_t last = end / kBlock;
    const auto count = [this](std::uint32_t from, std::uint32_t to) {
        return static_cast<std::uint32_t>(
            std::count_if(text_.begin() + from, text_.begin() + to, is_continuation));
    };
    return first >= last ? count(begin, end)
                         : count(begin, first * kBlock) + continuations_[last] -
                               continuations_[first] + count(last * kBlock, end);
}

std::string_view Source::line(std::uint32_t number) const {
    if (number == 0 || number > lines_.size()) {
        return {};
    }
    const std::size_t begin = lines_[number - 1];
    const std::size_t end = number < lines_.size() ? lines_[number] : text_.size();
    std::string_view text = std::string_view{text_}.substr(begin, end - begin);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
        text.remove_suffix(1);
    }
    return text;
}

std::uint32_t Source::line_begin(std::uint32_t number) const {
    return number == 0 || number > lines_.size() ? 0 : lines_[number - 1];
}

std::uint32_t Sources::add(std::string name, std::string text) {
    files_.emplace_back(std::move(name), std::move(text));
    return count();
}

std::string_view Sources::text(const Span& span) const {
    if (!span.is_known() || span.file > count()) {
        return {};
    }
    const std::string_view text = get(span.file).text();
    const std::size_t begin = std::min<std::size_t>(span.begin, text.size());
    const std::size_t end = std::clamp<std::size_t>(span.end, begin, text.size());
    return text.substr(begin, end - begin);
}

std::string Sources::describe(const Span& span) const {
    if (!span.is_known() || span.file > count()) {
        return "command line";
    }
    const Source& source = get(span.file);
    const Position at = source.position(span.begin);
    return source.name() + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

std::string QualifiedName::text() const {
    std::string result;
    for (const Name& segment : segments) {
        if (!result.empty()) {
            result += '.';
        }
        result += segment.text;
    }
    return result;
}

}  // namespace sdk::lang
