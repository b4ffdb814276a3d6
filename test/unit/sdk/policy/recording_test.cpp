// SPDX-License-Identifier: Apache-2.0
// Reading the recording of a run: numbers to names, and whatever may be wrong with the file.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>
#include <fstream>
#include <ksec/verdict.hpp>
#include <runtime/recording.hpp>
#include <sdk/policy/recording.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace sdk;
using namespace sdk::policy;

const std::string kRoot = SOURCE_ROOT;
const std::string kLab = kRoot + "/test/unit/sdk/policy/lab";

/// A file of the lab with one thing in it replaced.
lang::Overlay changed(const std::string& path, const std::string& old, const std::string& by) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    std::string content = text.str();
    const std::size_t at = content.find(old);
    REQUIRE(at != content.npos);
    return {.places = {}, .contents = {{path, content.replace(at, old.size(), by)}}};
}

/// The policy of lab/, with its numbers.
class Lab final {
public:
    explicit Lab(lang::Overlay overlay = {})
        : policy_(
              kLab + "/plain.psl",
              std::vector<std::string>{kLab, kRoot + "/sdk/interfaces", kRoot + "/sdk/policies"},
              std::move(overlay),
              {.records_run = true}) {
        REQUIRE(policy_.ok());
    }

    [[nodiscard]] std::string header() const {
        return fmt::format("{} {} {:#018x}\n",
                           sdk::kRecordingHeader,
                           sdk::kRecordingVersion,
                           policy_.lowered().hash);
    }

    [[nodiscard]] unsigned class_id(const std::string& name) const {
        const auto& classes = policy_.lowered().classes;
        const auto found = std::ranges::find(classes, name, &policyc::LoweredClass::name);
        REQUIRE(found != classes.end());
        return static_cast<unsigned>(found - classes.begin());
    }

    /// A request of lab.Panel to the first endpoint of lab.Plant.
    [[nodiscard]] std::string
    request(unsigned sequence, ksec::Reason reason, unsigned method, unsigned lost = 0) const {
        return fmt::format("record {} 0 {} {} {} {} 0 {} {}\n",
                           sequence,
                           reason == ksec::Reason::Recorded ? 1 : 0,
                           static_cast<unsigned>(reason),
                           class_id("lab.Panel"),
                           class_id("lab.Plant"),
                           method,
                           lost);
    }

    /// The lines with their CRCs; what has no line end stays as it is.
    [[nodiscard]] static std::string sealed(std::string_view text) {
        std::string result;
        std::uint32_t crc = 0;
        for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
            const std::string_view line = text.substr(0, end);
            crc = sdk::continue_crc32(line.starts_with(sdk::kRecordingHeader) ? 0 : crc, line);
            result += fmt::format("{} {:#010x}\n", line, crc);
            text.remove_prefix(end + 1);
        }
        return result.append(text);
    }

    /// A file with exactly this text.
    [[nodiscard]] Result<Recording> read_raw(const std::string& text) const {
        return read_recording(text, "run.rec", policy_);
    }

    [[nodiscard]] std::string trouble_raw(const std::string& text) const {
        const Result<Recording> read = read_raw(text);
        return read.ok() ? "" : read.trouble().cause;
    }

    /// A file of these lines with their CRCs.
    [[nodiscard]] Result<Recording> read(const std::string& text) const {
        return read_raw(sealed(text));
    }

    [[nodiscard]] std::string trouble(const std::string& text) const {
        return trouble_raw(sealed(text));
    }

private:
    policyc::Compilation policy_;
};

}  // namespace

TEST_CASE("numbers of a recording become names", "[sdk][policy]") {
    const Lab lab;
    const Result<Recording> read =
        lab.read(lab.header() + lab.request(1, ksec::Reason::Recorded, 0) +
                 lab.request(2, ksec::Reason::Rule, 1));
    REQUIRE(read.ok());
    const Recording& recording = read.value();
    REQUIRE(recording.granted.size() == 1);
    const Recorded& granted = *recording.granted.begin();
    CHECK(granted.event == EventKind::Request);
    CHECK(granted.source == "lab.Panel");
    CHECK(granted.target == "lab.Plant");
    CHECK(granted.interface == "lab.Valve");
    CHECK(granted.method == "Set");
    CHECK(recording.denied.size() == 1);
    CHECK(recording.record_count == 2);
    CHECK(recording.lost_count == 0);
}

TEST_CASE("a recording may begin anew, be cut off, and have lost something", "[sdk][policy]") {
    const Lab lab;
    const std::string one = lab.request(1, ksec::Reason::Recorded, 0);
    const Result<Recording> read =
        lab.read(lab.header() + one + lab.header() + lab.request(2, ksec::Reason::Recorded, 0) +
                 lab.request(3, ksec::Reason::BadHandle, 0, 5) + "record 4 0 1 8");
    REQUIRE(read.ok());
    CHECK(read.value().granted.size() == 1);
    CHECK(read.value().record_count == 3);
    CHECK(read.value().misuse_count == 1);
    CHECK(read.value().lost_count == 5);
    CHECK(read.value().is_cut_off);
    CHECK(lab.read(lab.header() + "\r\n").ok() == false);
    CHECK(lab.read(lab.header()).ok());
}

TEST_CASE("what is no recording of this policy is refused", "[sdk][policy]") {
    const Lab lab;
    CHECK(lab.trouble("") == "run.rec is no recording of a run");
    CHECK(lab.trouble("boot: init-start\n" + lab.header()) == "run.rec is no recording of a run");
    CHECK(lab.trouble("tessera-recording 2 0x0000000000000000\n") ==
          "run.rec was recorded under another policy, or this one has changed since");
    CHECK(lab.trouble_raw("tessera-recording 1 0x0000000000000000\n") ==
          "run.rec:1: a recording of another version");
}

TEST_CASE("a damaged record is named by its line", "[sdk][policy]") {
    const Lab lab;
    const std::string good = lab.header() + lab.request(1, ksec::Reason::Recorded, 0);
    for (const char* line : {"record",
                             "record 1 0 1 8 0 0 0 0",
                             "record 1 0 1 8 0 0 0 0 0 0",
                             "record 2 9 1 8 0 0 0 0 0",
                             "record 2 0 2 8 0 0 0 0 0",
                             "record 2 0 0 8 0 0 0 0 0",
                             "record 2 0 1 2 0 0 0 0 0",
                             "record 2 0 1 8 65535 0 0 0 0",
                             "record 2 0 1 8 0 65535 0 0 0",
                             "record 2 0 1 8 0 0 77 0 0",
                             "record 2 0 1 8 0 0 0 -1 0",
                             "record 2 0 1 8 0 0 0 0 18446744073709551616",
                             "GRANTED  Panel -> Plant  lab.Valve.Set",
                             ""}) {
        CAPTURE(line);
        CHECK(lab.trouble(good + line + "\n") == "run.rec:3: this is no record");
    }
}

TEST_CASE("missing records are counted, and none comes twice", "[sdk][policy]") {
    const Lab lab;
    const Result<Recording> read =
        lab.read(lab.header() + lab.request(2, ksec::Reason::Recorded, 0) +
                 lab.request(7, ksec::Reason::Recorded, 0, 3));
    REQUIRE(read.ok());
    CHECK(read.value().lost_count == 1 + 4);
    const std::string one = lab.request(1, ksec::Reason::Recorded, 0);
    CHECK(lab.trouble(lab.header() + one + one) == "run.rec:3: this is no record");
}

TEST_CASE("a record that contradicts itself is none", "[sdk][policy]") {
    const Lab lab;
    std::string denial = lab.request(1, ksec::Reason::NoRule, 0);
    denial.replace(denial.find(" 0 0 2 "), 7, " 0 1 2 ");
    CHECK(lab.trouble(lab.header() + denial) == "run.rec:2: this is no record");
}

TEST_CASE("no byte of a recording changes, and no line goes or moves, unseen", "[sdk][policy]") {
    const Lab lab;
    const std::string head = Lab::sealed(lab.header());
    const std::string good =
        Lab::sealed(lab.header() + lab.request(1, ksec::Reason::Recorded, 0) +
                    lab.request(2, ksec::Reason::Rule, 1) + lab.request(3, ksec::Reason::Rule, 0));
    REQUIRE(lab.read_raw(good).ok());
    for (std::size_t at = 0; at + 1 < good.size(); ++at) {
        for (const char byte : {'\0', '\n', ' ', '9', '\xff'}) {
            std::string damaged = good;
            damaged[at] = byte;
            CAPTURE(at, byte);
            CHECK(lab.read_raw(damaged).ok() == (damaged == good));
        }
        CHECK((at < head.size() || lab.read_raw(good.substr(0, at)).ok()));
    }
    const std::string other = "damaged: the CRC of this line and those before it is another";
    const std::size_t second = good.find("record 2");
    const std::size_t third = good.find("record 3");
    CHECK(lab.trouble_raw(good.substr(0, second) + good.substr(third)) == "run.rec:3: " + other);
    CHECK(lab.trouble_raw(good + good.substr(third)) == "run.rec:5: " + other);
    std::string changed = good;
    changed.replace(changed.find("record 1 0 1"), 12, "record 1 0 0");
    CHECK(lab.trouble_raw(changed) == "run.rec:2: " + other);
}

TEST_CASE("a recording fits the policy and the descriptions of its run only", "[sdk][policy]") {
    const std::string policy = kLab + "/plain.psl";
    const std::string interface = kLab + "/lab/Valve.idl";
    const std::string recording =
        Lab::sealed(Lab{}.header() + Lab{}.request(1, ksec::Reason::Recorded, 0));
    CHECK(Lab{{}}.read_raw(recording).ok());
    const std::string refusal =
        "run.rec was recorded under another policy, or this one has changed since";
    CHECK(Lab{changed(policy, "value <= 100", "value <= 101")}.trouble_raw(recording) == refusal);
    CHECK(Lab{changed(interface, "(1 << 4) * 4", "(1 << 4) * 5")}.trouble_raw(recording) ==
          refusal);
}
