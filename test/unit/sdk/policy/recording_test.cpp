// SPDX-License-Identifier: Apache-2.0
// Reading the recording of a run: numbers to names, and whatever may be wrong with the file.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>
#include <ksec/verdict.hpp>
#include <runtime/recording.hpp>
#include <sdk/policy/recording.hpp>
#include <sdk/policyc/src/emit.hpp>
#include <string>
#include <vector>

namespace {

using namespace sdk;
using namespace sdk::policy;

const std::string kRoot = SOURCE_ROOT;

/// The policy of lab/, with its numbers.
class Lab final {
public:
    Lab()
        : policy_(kRoot + "/test/unit/sdk/policy/lab/plain.psl",
                  std::vector<std::string>{kRoot + "/test/unit/sdk/policy/lab",
                                           kRoot + "/sdk/interfaces",
                                           kRoot + "/sdk/policies"}) {
        REQUIRE(policy_.ok());
    }

    [[nodiscard]] std::string header() const {
        return fmt::format("{} {} {:#018x}\n",
                           sdk::kRecordingHeader,
                           sdk::kRecordingVersion,
                           sdk::hash_names(policyc::emit_names(policy_.lowered())));
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

    [[nodiscard]] Result<Recording> read(const std::string& text) const {
        return read_recording(text, "run.rec", policy_);
    }

    [[nodiscard]] std::string trouble(const std::string& text) const {
        const Result<Recording> read = read_recording(text, "run.rec", policy_);
        return read.ok() ? "" : read.trouble().cause;
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
    CHECK(lab.trouble("tessera-recording 1 0x0000000000000000\n") ==
          "run.rec was recorded under another policy");
    CHECK(lab.trouble("tessera-recording 2 0x0000000000000000\n") ==
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

TEST_CASE("no damage to a recording does more than make it refused", "[sdk][policy]") {
    const Lab lab;
    const std::string good = lab.header() + lab.request(1, ksec::Reason::Recorded, 0) +
                             lab.request(2, ksec::Reason::Rule, 1);
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (const char byte : {'\0', '\n', ' ', '9', '\xff'}) {
            std::string damaged = good;
            damaged[at] = byte;
            const Result<Recording> read = lab.read(damaged);
            CHECK((!read.ok() || read.value().record_count <= 3));
        }
        CHECK((at < lab.header().size() || lab.read(good.substr(0, at)).ok()));
    }
}
