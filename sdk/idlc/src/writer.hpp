// SPDX-License-Identifier: Apache-2.0
// Lines of C++ in the repository's format: four blanks a level, at most 100 columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sdk::idlc {

class Writer final {
public:
    static constexpr std::size_t kColumns = 100;

    /// One line at the current depth; an empty one is never indented.
    Writer& line(std::string_view text = {});

    /// Lines of a `///` comment.
    Writer& doc(std::string_view text);

    void indent() { ++depth_; }

    void outdent() { --depth_; }

    /// `head` + the items between parentheses + `tail`, wrapped as clang-format does.
    Writer&
    list(std::string_view head, const std::vector<std::string>& items, std::string_view tail);

    /// As list(), for a function that returns `result`: its type may stand on a line of its own.
    Writer& signature(std::string_view result,
                      std::string_view name,
                      const std::vector<std::string>& items,
                      std::string_view tail);

    /// A function with one statement, on one line when there is room.
    Writer& function(std::string_view head, std::string_view statement);

    /// Whether a line of this text fits at the current depth.
    [[nodiscard]] bool fits(std::string_view text) const {
        return margin() + text.size() <= kColumns;
    }

    /// `head` + parts joined by " && " + ";", wrapped behind the operators.
    Writer& conjunction(std::string_view head, const std::vector<std::string>& parts);

    [[nodiscard]] const std::string& text() const { return text_; }

private:
    [[nodiscard]] std::size_t margin() const { return 4 * depth_; }

    std::string text_;
    std::size_t depth_ = 0;
};

}  // namespace sdk::idlc
