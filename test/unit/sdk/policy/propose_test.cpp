// SPDX-License-Identifier: Apache-2.0
// A proposal is a policy that decides what was recorded as the policy of the run does.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <ksec/verdict.hpp>
#include <memory>
#include <runtime/recording.hpp>
#include <sdk/policy/program.hpp>
#include <sdk/policyc/src/compile.hpp>
#include <sstream>
#include <string>
#include <unistd.h>

namespace {

using namespace sdk;

const std::string kRoot = SOURCE_ROOT;
const std::string kOwn = kRoot + "/test/unit/sdk/policy/lab/was";

/// A folder of its own with a policy about the classes of lab/was, and a recording of all that it
/// is told was granted.
class Run final {
public:
    explicit Run(const std::string& policy)
        : folder_(std::filesystem::temp_directory_path() / fmt::format("propose-{}", getpid())) {
        std::filesystem::create_directories(folder_);
        std::ofstream(path("run.psl")) << policy;
    }

    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    ~Run() { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }

    void granted(ksec::Event event,
                 const std::string& source,
                 const std::string& target,
                 unsigned endpoint = 0,
                 unsigned method = 0) {
        if (lowered_ == nullptr) {
            compiled_ = std::make_unique<policyc::Compilation>(
                path("run.psl"),
                folders(),
                lang::Overlay{},
                policyc::LoweringOptions{.records_run = true});
            INFO(compiled_->diagnostics().to_text(lang::Diagnostics::Colour::Never));
            REQUIRE(compiled_->ok());
            lowered_ = &compiled_->lowered();
            add(fmt::format("{} {} {:#018x}", kRecordingHeader, kRecordingVersion, lowered_->hash));
        }
        add(fmt::format("record {} {} 1 {} {} {} {} {} 0",
                        ++sequence_,
                        static_cast<unsigned>(event),
                        static_cast<unsigned>(ksec::Reason::Recorded),
                        class_id(source),
                        class_id(target),
                        endpoint,
                        method));
    }

    /// The proposal, which compiles.
    std::string proposal() {
        std::ofstream(path("run.rec")) << recording_;
        const policy::Outcome made = program({"propose",
                                              path("run.rec"),
                                              "-p",
                                              path("run.psl"),
                                              "-o",
                                              path("proposed.psl"),
                                              "-I",
                                              kOwn});
        CHECK(made.errors == fmt::format("{}: from {} records\n", path("proposed.psl"), sequence_));
        const policyc::Compilation compiled(path("proposed.psl"), folders());
        INFO(compiled.diagnostics().to_text(lang::Diagnostics::Colour::Never));
        CHECK(compiled.ok());
        std::stringstream text;
        text << std::ifstream(path("proposed.psl")).rdbuf();
        return text.str();
    }

    /// What `tessera policy diff` says of the policy of the run and the proposal.
    [[nodiscard]] std::string difference() const {
        return program({"diff", path("run.psl"), path("proposed.psl"), "-I", kOwn}).output;
    }

private:
    static policy::Outcome program(std::vector<std::string> words) {
        words.insert(words.begin(), {"--sdk", kRoot + "/sdk"});
        return policy::run_program(words);
    }

    [[nodiscard]] std::vector<std::string> folders() const {
        return {folder_, kOwn, kRoot + "/sdk/interfaces", kRoot + "/sdk/policies"};
    }

    [[nodiscard]] std::size_t class_id(const std::string& name) const {
        const auto found = std::ranges::find(lowered_->classes, name, &policyc::LoweredClass::name);
        REQUIRE(found != lowered_->classes.end());
        return static_cast<std::size_t>(found - lowered_->classes.begin());
    }

    void add(const std::string& line) {
        crc_ = continue_crc32(recording_.empty() ? 0 : crc_, line);
        recording_ += fmt::format("{} {:#010x}\n", line, crc_);
    }

    std::filesystem::path folder_;
    std::unique_ptr<policyc::Compilation> compiled_;
    const policyc::Lowered* lowered_ = nullptr;
    std::string recording_;
    std::uint32_t crc_ = 0;
    unsigned sequence_ = 0;
};

/// Starts as every system has them; `rules` come behind.
std::string policy_with(const std::string& rules) {
    return "use nk.basic._\nuse EDL kl.core.Core\nuse EDL Einit\nuse EDL own.Client\nuse EDL "
           "own.Server\n"
           "execute src=kl.core.Core dst=Einit { grant () }\n" +
           rules;
}

}  // namespace

TEST_CASE("a proposal keeps models, choices, audit and rules that come twice", "[sdk][policy]") {
    Run run(policy_with(R"(
use nk.flow._
use tessera._
use tessera.rate_limit._
policy object door : Flow {
    type State = "shut" | "open"
    config = { states : ["shut", "open"], initial : "shut", transitions : { "shut" : ["open"] } }
}
policy object calls : RateLimit { config = { rate : 1, period_ms : 1000, burst : 9 } }
audit profile loud = { 0 : { base : { kss : ["granted"] } } }
audit default = loud 0
execute src=Einit dst=own.Client { door.init {sid : dst_sid}  calls.init {sid : dst_sid} }
request src=own.Client dst=own.Server endpoint=e method=Name {
    calls.take {sid : src_sid, count : 1}
    calls.take {sid : src_sid, count : 1}
}
request src=own.Client dst=own.Server endpoint=e {
    match method=Name { assert (message.text != "a  // b") }  // two blanks
    match method=Move {
        choice (door.query {sid : src_sid}) { audit loud // what stands here
            "open" : grant ()
            _ : deny ()
        }
    }
    match method=Hand { audit loud grant () }
}
)"));
    run.granted(ksec::Event::Execute, "kl.core.Core", "Einit");
    run.granted(ksec::Event::Execute, "Einit", "own.Client");
    for (const unsigned method : {0U, 1U, 2U}) {
        run.granted(ksec::Event::Request, "own.Client", "own.Server", 0, method);
    }
    const std::string text = run.proposal();
    INFO(text);
    CHECK(run.difference() == "both decide alike\n");
}

TEST_CASE("a proposal grants no more of the log than the policy of the run", "[sdk][policy]") {
    const std::string log = "endpoint=hal.HAL method=DebugWrite { ";
    for (const std::string& rules :
         {"request src=own.Client dst=kl.core.Core " + log + "grant () }\n",
          "use tessera._\nrequest src=own.Client dst=kl.core.Core " + log +
              "assert (src_sid != dst_sid) }\n"}) {
        Run run(policy_with(rules));
        run.granted(ksec::Event::Execute, "kl.core.Core", "Einit");
        const policyc::Compilation policy(
            run.path("run.psl"), {kOwn, kRoot + "/sdk/interfaces", kRoot + "/sdk/policies"});
        const auto& endpoints =
            policy.policy().classes[policy.policy().core_class].description->endpoints;
        const auto hal = std::ranges::find(endpoints, "hal.HAL", &lang::Endpoint::path);
        REQUIRE(hal != endpoints.end());
        const auto write =
            std::ranges::find(hal->interface->methods, "DebugWrite", &lang::Method::name);
        run.granted(ksec::Event::Request,
                    "own.Client",
                    "kl.core.Core",
                    static_cast<unsigned>(hal - endpoints.begin()),
                    write->id);
        INFO(run.proposal());
        const std::string difference = run.difference();
        CHECK(difference.find("allowed now") == std::string::npos);
    }
}
