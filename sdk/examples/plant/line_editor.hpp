// SPDX-License-Identifier: Apache-2.0
// What a person types, made into lines: echo, backspace, clearing. Bytes in, bytes to show out; it
// knows no console, so that tests can type.
#pragma once

#include <runtime/text.hpp>

namespace plant {

using base::u32;
using base::u8;

class LineEditor final {
public:
    static constexpr u32 kMaxLine = 76;

    /// Takes one byte and appends what the terminal shall show to `echo`. True: the line is
    /// complete; line() has it until the next feed().
    bool feed(u8 byte, sdk::Writer& echo);

    [[nodiscard]] std::string_view line() const { return {characters_, size_}; }

    /// What was typed of a line that is not complete.
    [[nodiscard]] std::string_view unfinished() const {
        return is_complete_ ? std::string_view{} : line();
    }

private:
    enum class Escape : u32 { None, Started, Sequence };

    bool skip_escape(u8 byte);
    void erase(u32 count, sdk::Writer& echo);

    char characters_[kMaxLine]{};
    u32 size_ = 0;
    bool is_complete_ = false;
    bool after_return_ = false;  // a line feed right after it belongs to it
    Escape escape_ = Escape::None;
};

}  // namespace plant
