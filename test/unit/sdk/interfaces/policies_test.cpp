// SPDX-License-Identifier: Apache-2.0
// The policy files in sdk/policies: all of them together make a policy, and each program's file
// alone lets that program start and work with the kernel, and nobody else.
#include "files.hpp"

#include <catch2/catch_test_macros.hpp>
#include <compile.hpp>
#include <cstdlib>
#include <fstream>
#include <interpreter.hpp>

namespace {

using namespace sdk::policyc;

/// A policy in a folder of its own.
class PolicyFile final {
public:
    explicit PolicyFile(const std::string& text) {
        std::string pattern = (std::filesystem::temp_directory_path() / "policies-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        std::ofstream(path()) << text;
    }

    ~PolicyFile() { std::filesystem::remove_all(folder_); }

    PolicyFile(const PolicyFile&) = delete;
    PolicyFile& operator=(const PolicyFile&) = delete;

    [[nodiscard]] std::string path() const { return (folder_ / "security.psl").string(); }

    [[nodiscard]] std::vector<std::string> includes() const {
        return {folder_.string(), test::kInterfaces, test::kPolicies};
    }

private:
    std::filesystem::path folder_;
};

std::string messages(const Compilation& compilation) {
    return compilation.diagnostics().to_text(sdk::lang::Diagnostics::Colour::Never);
}

/// "a.b.C" for each policy file, with its ending ".psl" removed.
std::vector<std::string> policy_names() {
    std::vector<std::string> names;
    for (const std::string& file : test::find_files(test::kPolicies, {".psl"})) {
        names.push_back(test::name_of(test::kPolicies, file));
    }
    return names;
}

}  // namespace

TEST_CASE("a policy can use every shipped file at once", "[sdk][policies]") {
    std::string text;
    for (const std::string& name : policy_names()) {
        text += "use " + name + "._\n";
    }
    std::size_t classes = 0;
    for (const std::string& file : test::find_files(test::kInterfaces, {".edl"})) {
        text += "use EDL " + test::name_of(test::kInterfaces, file) + "\n";
        ++classes;
    }
    REQUIRE(classes > 20);
    const PolicyFile file(text + "execute { grant () }\nrequest { grant () }\n");
    const Compilation compilation(file.path(), file.includes());
    INFO(messages(compilation));
    CHECK(compilation.ok());
    CHECK(compilation.diagnostics().warning_count() == 0);
    CHECK(compilation.policy().classes.size() == classes);
}

TEST_CASE("each shipped file stands alone", "[sdk][policies]") {
    for (const std::string& name : policy_names()) {
        INFO(name);
        const PolicyFile file("use EDL kl.core.Core\nuse EDL Einit\nuse " + name +
                              "._\nuse nk.base._\nexecute src=kl.core.Core { grant () }\n");
        const Compilation compilation(file.path(), file.includes());
        INFO(messages(compilation));
        CHECK(compilation.ok());
        CHECK(compilation.diagnostics().warning_count() == 0);
    }
}

TEST_CASE("a program's file brings its class", "[sdk][policies]") {
    std::size_t programs = 0;
    for (const std::string& name : policy_names()) {
        if (name.starts_with("nk.") || name.starts_with("tessera")) {
            continue;
        }
        INFO(name);
        ++programs;
        const PolicyFile file("use EDL kl.core.Core\nuse EDL Einit\nuse " + name +
                              "._\nuse nk.base._\nexecute src=kl.core.Core { grant () }\n"
                              "request dst=" +
                              name + " { deny () }\n");
        const Compilation compilation(file.path(), file.includes());
        INFO(messages(compilation));
        CHECK(compilation.ok());
        CHECK(compilation.policy().find_class(name).has_value());
    }
    CHECK(programs == 22);
}

namespace {

Interpretation judge(const Policy& policy, const InterpretedEvent& event) {
    return Interpreter{policy}.judge(event, ksec::Effect::Commit);
}

/// A request without parameters of the kernel, by process class `from`.
Interpretation
ask_kernel(const Policy& policy, std::uint16_t from, const char* path, const char* method) {
    const sdk::lang::ProcessClass& core = *policy.classes[policy.core_class].description;
    const sdk::lang::Endpoint* endpoint = core.find_endpoint(path);
    REQUIRE(endpoint != nullptr);
    const sdk::lang::Method* found = endpoint->interface->find_method(method);
    REQUIRE(found != nullptr);
    REQUIRE(found->request.fields.empty());
    InterpretedEvent event;
    event.src_class = from;
    event.dst_class = policy.core_class;
    event.src_sid = 2;
    event.dst_sid = 1;
    event.endpoint = endpoint->id;
    event.method = found->id;
    return judge(policy, event);
}

bool may_start(const Policy& policy, std::uint16_t parent, std::uint16_t child) {
    InterpretedEvent event;
    event.event = ksec::Event::Execute;
    event.src_class = parent;
    event.dst_class = child;
    event.src_sid = 1;
    event.dst_sid = 2;
    return judge(policy, event).is_granted;
}

}  // namespace

TEST_CASE("a program's file grants it the ordinary and nothing that is dangerous",
          "[sdk][policies]") {
    for (const std::string& name : policy_names()) {
        if (name.starts_with("nk.") || name.starts_with("tessera")) {
            continue;
        }
        INFO(name);
        const PolicyFile file("use " + name + "._\n");
        const Compilation compilation(file.path(), file.includes());
        REQUIRE(compilation.ok());
        const Policy& policy = compilation.policy();
        const std::uint16_t program = policy.find_class(name).value();
        CHECK(may_start(policy, policy.init_class, program));
        CHECK_FALSE(may_start(policy, program, program));
        CHECK(ask_kernel(policy, program, "thread.Thread", "Suspend").is_granted);
        CHECK(ask_kernel(policy, program, "fs.FS", "Count").is_granted);
        for (const auto& [endpoint, method] : {std::pair{"audit.Audit", "Close"},
                                               std::pair{"profiler.Profiler", "FlushGcov"},
                                               std::pair{"xhcidbg.XHCIDBG", "Start"},
                                               std::pair{"pm.PM", "GetCpusOnline"},
                                               std::pair{"task.Task", "FreeSelfEnv"}}) {
            const Interpretation verdict = ask_kernel(policy, program, endpoint, method);
            INFO(endpoint << "." << method);
            CHECK_FALSE(verdict.is_granted);
            CHECK(verdict.reason == ksec::Reason::NoRule);
        }
    }
}
