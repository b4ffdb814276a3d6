// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <ksec/engine/utf8.hpp>
#include <string>
#include <vector>

namespace {

using base::s32;
using base::u32;
using base::u8;
using ksec::Defect;
using ksec::Verdict;
using ksec::engine::check_text;
using ksec::engine::TextStep;

/// The text at a given distance from an 8-byte boundary.
class Placed {
public:
    Placed(const std::string& text, std::size_t skew) : bytes_(text.size() / 8 + 3), skew_(skew) {
        std::memcpy(data(), text.data(), text.size());
    }

    u8* data() { return reinterpret_cast<u8*>(bytes_.data()) + skew_; }

private:
    std::vector<base::u64> bytes_;
    std::size_t skew_;
};

TextStep check_all(const std::string& text, std::size_t skew = 0) {
    Placed placed(text, skew);
    s32 fuel = 1'000'000;
    return check_text(placed.data(), 0, static_cast<u32>(text.size()), fuel);
}

}  // namespace

TEST_CASE("plain text of any length and alignment is good", "[ksec][engine]") {
    for (std::size_t length = 0; length < 40; ++length) {
        for (std::size_t skew = 0; skew < 8; ++skew) {
            const TextStep step = check_all(std::string(length, 'a'), skew);
            CHECK(step.verdict == Verdict::Granted);
            CHECK(step.position == length);
        }
    }
}

TEST_CASE("a NUL inside a text is found wherever it is", "[ksec][engine]") {
    for (std::size_t at = 0; at < 24; ++at) {
        for (std::size_t skew = 0; skew < 8; ++skew) {
            std::string text(24, 'x');
            text[at] = '\0';
            const TextStep step = check_all(text, skew);
            CHECK(step.defect == Defect::NotTerminated);
            CHECK(step.position == at);
        }
    }
}

TEST_CASE("characters of every length are good at the limits of their range", "[ksec][engine]") {
    for (const char* text : {"\x7F",
                             "\xC2\x80",
                             "\xDF\xBF",
                             "\xE0\xA0\x80",
                             "\xED\x9F\xBF",
                             "\xEE\x80\x80",
                             "\xEF\xBF\xBF",
                             "\xF0\x90\x80\x80",
                             "\xF4\x8F\xBF\xBF"}) {
        CHECK(check_all(text).verdict == Verdict::Granted);
        CHECK(check_all(std::string("ab") + text + "cd").verdict == Verdict::Granted);
    }
}

TEST_CASE("what is no character is refused where it begins", "[ksec][engine]") {
    for (const char* text : {"\x80",              // continuation alone
                             "\xBF",              //
                             "\xC0\x80",          // overlong NUL
                             "\xC1\xBF",          // overlong
                             "\xE0\x80\x80",      // overlong
                             "\xE0\x9F\xBF",      // overlong
                             "\xED\xA0\x80",      // surrogate
                             "\xED\xBF\xBF",      // surrogate
                             "\xF0\x80\x80\x80",  // overlong
                             "\xF0\x8F\xBF\xBF",  // overlong
                             "\xF4\x90\x80\x80",  // above U+10FFFF
                             "\xF5\x80\x80\x80",  //
                             "\xFF",              //
                             "\xC2",              // cut short
                             "\xE1\x80",          //
                             "\xF1\x80\x80",      //
                             "\xC2\x41",          // wrong continuation
                             "\xE1\x80\x41",      //
                             "\xF1\x80\x80\x41"}) {
        const TextStep step = check_all(std::string("abc") + text);
        CHECK(step.defect == Defect::NotUtf8);
        CHECK(step.position == 3);
    }
}

TEST_CASE("a text checked in small steps gives the same answer", "[ksec][engine]") {
    std::string text;
    for (int i = 0; i < 50; ++i) {
        text += "plain ascii \xC3\xA4\xE2\x82\xAC\xF0\x9F\x8C\x8D";
    }
    const std::string wrong = text + "\xED\xA0\x80" + text;
    for (const std::string& sample : {text, wrong}) {
        Placed placed(sample, 3);
        s32 fuel = 1'000'000;
        const auto size = static_cast<u32>(sample.size());
        const TextStep whole = check_text(placed.data(), 0, size, fuel);
        TextStep step{Verdict::Again, Defect::None, 0};
        u32 steps = 0;
        while (step.verdict == Verdict::Again) {
            s32 little = 30;
            const u32 before = step.position;
            step = check_text(placed.data(), before, size, little);
            CHECK((step.verdict != Verdict::Again || step.position > before));
            ++steps;
        }
        CHECK(steps > 50);
        CHECK(step.defect == whole.defect);
        CHECK(step.position == whole.position);
    }
}
