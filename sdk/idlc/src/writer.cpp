// SPDX-License-Identifier: Apache-2.0
#include "writer.hpp"

#include <algorithm>

namespace sdk::idlc {

namespace {

std::string joined(const std::vector<std::string>& items, std::string_view separator) {
    std::string result;
    for (const std::string& item : items) {
        result += result.empty() ? "" : separator;
        result += item;
    }
    return result;
}

}  // namespace

Writer& Writer::line(std::string_view text) {
    if (!text.empty()) {
        text_.append(margin(), ' ');
        text_ += text;
    }
    text_ += '\n';
    return *this;
}

Writer& Writer::doc(std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string one{text.substr(0, end)};
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        std::erase_if(one, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
        if (one.ends_with('\\')) {
            one += '.';  // would continue the comment on the next line
        }
        const std::size_t room = kColumns - margin() - 4;
        while (one.size() > room) {
            const std::size_t blank = one.rfind(' ', room);
            if (blank == std::string::npos || blank == 0) {
                break;
            }
            line("/// " + one.substr(0, blank));
            one.erase(0, blank + 1);
        }
        line(one.empty() ? "///" : "/// " + one);
    }
    return *this;
}

Writer&
Writer::list(std::string_view head, const std::vector<std::string>& items, std::string_view tail) {
    const std::string all = joined(items, ", ");
    const std::size_t flat = margin() + head.size() + all.size() + tail.size() + 2;
    if (flat <= kColumns || items.empty()) {
        return line(std::string{head} + "(" + all + ")" + std::string{tail});
    }
    const auto longest = std::ranges::max(items, {}, &std::string::size).size();
    const std::size_t aligned = head.size() + 1;
    if (margin() + aligned + longest + tail.size() + 1 <= kColumns) {
        for (std::size_t i = 0; i < items.size(); ++i) {
            const std::string front = i == 0 ? std::string{head} + "(" : std::string(aligned, ' ');
            line(front + items[i] +
                 (i + 1 == items.size() ? ")" + std::string{tail} : std::string{","}));
        }
        return *this;
    }
    line(std::string{head} + "(");
    for (std::size_t i = 0; i < items.size(); ++i) {
        line("    " + items[i] +
             (i + 1 == items.size() ? ")" + std::string{tail} : std::string{","}));
    }
    return *this;
}

Writer& Writer::signature(std::string_view result,
                          std::string_view name,
                          const std::vector<std::string>& items,
                          std::string_view tail) {
    const std::string rest =
        std::string{name} + "(" + joined(items, ", ") + ")" + std::string{tail};
    const std::string head = std::string{result} + " " + std::string{name};
    // Two lines of parameters look better than the type alone on one; more do not.
    const bool aligned =
        items.size() == 2 && fits(std::string(head.size() + 1, ' ') + items[0] + ",") &&
        fits(std::string(head.size() + 1, ' ') + items[1] + ")" + std::string{tail});
    if (!fits(std::string{result} + " " + rest) && fits(rest) && !aligned) {
        return line(result).line(rest);
    }
    return list(head, items, tail);
}

Writer& Writer::function(std::string_view head, std::string_view statement) {
    const std::string one = std::string{head} + " { " + std::string{statement} + " }";
    if (fits(one)) {
        return line(one);
    }
    line(std::string{head} + " {");
    line("    " + std::string{statement});
    return line("}");
}

Writer& Writer::conjunction(std::string_view head, const std::vector<std::string>& parts) {
    const std::string all = joined(parts, " && ");
    if (margin() + head.size() + all.size() + 1 <= kColumns) {
        return line(std::string{head} + all + ";");
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string front = i == 0 ? std::string{head} : std::string(head.size(), ' ');
        line(front + parts[i] + (i + 1 == parts.size() ? ";" : " &&"));
    }
    return *this;
}

}  // namespace sdk::idlc
