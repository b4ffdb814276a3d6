// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <sdk/examples/plant/line_editor.hpp>
#include <sdk/examples/plant/tank.hpp>
#include <string>

namespace {

using base::u32;
using base::u8;
using plant::LineEditor;

/// Types `keys`; gives the complete lines, each behind a '|', and collects the echo.
std::string type(LineEditor& editor, const std::string& keys, std::string& echo) {
    std::string lines;
    for (const char key : keys) {
        sdk::Line<512> shown;
        if (editor.feed(static_cast<u8>(key), shown)) {
            lines += "|" + std::string(editor.line());
        }
        echo += shown.view();
    }
    return lines;
}

std::string type(const std::string& keys) {
    LineEditor editor;
    std::string echo;
    return type(editor, keys, echo);
}

}  // namespace

TEST_CASE("a typed line is echoed and handed over", "[examples][plant]") {
    LineEditor editor;
    std::string echo;
    CHECK(type(editor, "set 40\r", echo) == "|set 40");
    CHECK(echo == "set 40\r\n");
}

TEST_CASE("all ends of lines mean one end", "[examples][plant]") {
    CHECK(type("a\rb\nc\r\nd\r\re\n\nf") == "|a|b|c|d||e|");
}

TEST_CASE("backspace takes a character back, and no more than there are", "[examples][plant]") {
    LineEditor editor;
    std::string echo;
    CHECK(type(editor, "ax\x7f\x08\x08yz\r", echo) == "|yz");
    CHECK(echo == "ax\b \b\b \byz\r\n");
    CHECK(type("hello\x15status\r") == "|status");
    CHECK(type("garbage\x03") == "|");
}

TEST_CASE("arrow keys and control characters are not part of a line", "[examples][plant]") {
    CHECK(type("a\x1b[Ab\x1b[1;5Cc\x1bOPd\x01\x02 e\r") == "|abcd e");
    CHECK(type("\xc3\xa4x\r") == "|x");
}

TEST_CASE("a tab is a blank", "[examples][plant]") {
    LineEditor editor;
    std::string echo;
    CHECK(type(editor, "set\t5", echo).empty());
    CHECK(editor.unfinished() == "set 5");
    CHECK(type(editor, "0\r", echo) == "|set 50");
    CHECK(editor.unfinished().empty());
    CHECK(echo == "set 50\r\n");
}

TEST_CASE("a line that is too long rings and keeps what fits", "[examples][plant]") {
    LineEditor editor;
    std::string echo;
    const std::string line = type(editor, std::string(200, 'x') + "\r", echo);
    CHECK(line == "|" + std::string(LineEditor::kMaxLine, 'x'));
    CHECK(echo.find('\a') != std::string::npos);
}

TEST_CASE("random keys neither crash nor leave the line", "[examples][plant]") {
    std::mt19937 random{3};
    LineEditor editor;
    for (int i = 0; i < 200'000; ++i) {
        sdk::Line<512> shown;
        (void)editor.feed(static_cast<u8>(random()), shown);
        CHECK(editor.line().size() <= LineEditor::kMaxLine);
        CHECK_FALSE(shown.is_truncated());
    }
}

TEST_CASE("the tank settles where the controller wants it", "[examples][plant]") {
    for (const u32 target : {0u, 10u, 30u, 40u, 60u, 79u}) {
        u32 level = 0;
        for (int step = 0; step < 200; ++step) {
            level = plant::next_level(level, plant::opening_for(target, level, 80));
        }
        CAPTURE(target, level);
        CHECK(level + 20 >= target * 10);
        CHECK(level <= target * 10 + 20);
    }
}

TEST_CASE("the controller never asks for more than the limit", "[examples][plant]") {
    for (u32 target = 0; target <= 100; ++target) {
        for (u32 level = 0; level <= plant::kFullLevel; level += 7) {
            CHECK(plant::opening_for(target, level, 80) <= 80);
            CHECK(plant::next_level(level, 1000) <= plant::kFullLevel);
        }
    }
}
