// SPDX-License-Identifier: Apache-2.0
#include <sdk/examples/plant/line_editor.hpp>

namespace plant {

namespace {

constexpr u8 kInterrupt = 0x03;  // Ctrl-C
constexpr u8 kBell = 0x07;
constexpr u8 kBackspace = 0x08;
constexpr u8 kTab = 0x09;
constexpr u8 kLineFeed = 0x0A;
constexpr u8 kReturn = 0x0D;
constexpr u8 kKillLine = 0x15;  // Ctrl-U
constexpr u8 kEscape = 0x1B;
constexpr u8 kDelete = 0x7F;

}  // namespace

bool LineEditor::feed(u8 byte, sdk::Writer& echo) {
    if (is_complete_) {
        is_complete_ = false;
        size_ = 0;
    }
    const bool after_return = after_return_;
    after_return_ = byte == kReturn;
    if (skip_escape(byte)) {
        return false;
    }
    switch (byte) {
    case kReturn:
    case kLineFeed:
        if (byte == kLineFeed && after_return) {
            return false;
        }
        echo.text("\r\n");
        is_complete_ = true;
        return true;
    case kBackspace:
    case kDelete:
        erase(size_ > 0 ? 1 : 0, echo);
        return false;
    case kKillLine:
        erase(size_, echo);
        return false;
    case kInterrupt:
        echo.text("^C\r\n");
        size_ = 0;
        is_complete_ = true;
        return true;
    default:
        break;
    }
    if (byte == kTab) {
        byte = ' ';  // there is nothing to complete; in a pasted line it stands between words
    }
    if (byte < ' ' || byte > '~') {
        return false;
    }
    if (size_ == kMaxLine) {
        echo.character(static_cast<char>(kBell));
        return false;
    }
    characters_[size_++] = static_cast<char>(byte);
    echo.character(static_cast<char>(byte));
    return false;
}

/// Arrow keys and the like: ESC, or ESC [ up to a final byte. [ECMA-48] "Control sequences"
bool LineEditor::skip_escape(u8 byte) {
    switch (escape_) {
    case Escape::None:
        if (byte == kEscape) {
            escape_ = Escape::Started;
            return true;
        }
        return false;
    case Escape::Started:
        escape_ = byte == '[' || byte == 'O' ? Escape::Sequence : Escape::None;
        return escape_ == Escape::Sequence;
    case Escape::Sequence:
        if (byte >= '@' && byte <= '~') {
            escape_ = Escape::None;
        }
        return true;
    }
    return false;
}

void LineEditor::erase(u32 count, sdk::Writer& echo) {
    for (u32 i = 0; i < count; ++i) {
        echo.text("\b \b");
    }
    size_ -= count;
}

}  // namespace plant
