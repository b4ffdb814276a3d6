// SPDX-License-Identifier: Apache-2.0
// The loader gives a library's data once per file, so every instance is loaded from a copy of the
// file.
#include "compiled_module.hpp"

#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <kernel/abi/call.hpp>
#include <sdk/policyc/src/emit.hpp>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace sdk::policy {

namespace {

constexpr const char* kSymbol = "tessera_tested_policy";

std::string read_text(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

/// Runs a program with its output in a file; its exit status, or -1 when it cannot be started.
int run_program(std::vector<std::string> words, const std::filesystem::path& output) {
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(
        &actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    pid_t child = 0;
    const int failure =
        posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    if (failure != 0 || waitpid(child, &status, 0) != child) {
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool is_in_row(const ksec::EntryTable& table, const policyc::InterpretedEvent& event) {
    if (event.event != ksec::Event::Request || event.travels_long) {
        return false;
    }
    const std::uint64_t tag = abi::Tag::make_short(abi::Kind::Request,
                                                   event.endpoint,
                                                   event.method,
                                                   static_cast<std::uint32_t>(event.fixed.size()))
                                  .value;
    return ksec::find_entry(table.row(event.src_class, event.dst_class), tag)->request == tag;
}

ksec::Staging staging_of(const ksec::EntryTable& table, const policyc::InterpretedEvent& event) {
    const bool is_request = event.event == ksec::Event::Request;
    const bool is_security = event.event == ksec::Event::Security;
    const auto endpoint = static_cast<std::uint16_t>(
        is_security ? ksec::kSecurityEndpoint + event.endpoint : event.endpoint);
    const ksec::MethodInfo* const info =
        event.event == ksec::Event::Execute
            ? nullptr
            : table.method_info(
                  is_request ? event.dst_class : event.src_class, endpoint, event.method);
    if (info == nullptr) {
        return ksec::Staging::Registers;
    }
    return event.event == ksec::Event::Response ? info->response.staging
           : event.event == ksec::Event::Error  ? info->error.staging
                                                : info->request.staging;
}

}  // namespace

ModuleInstance::ModuleInstance(void* library, const ksec::EntryTable& table)
    : library_(library), table_(&table) {}

ModuleInstance::~ModuleInstance() { dlclose(library_); }

bool ModuleInstance::judge(const policyc::InterpretedEvent& event) {
    if (is_in_row(*table_, event)) {
        return true;
    }
    ksec::Query query{};
    query.event = event.event;
    query.src_class = event.src_class;
    query.dst_class = event.dst_class;
    query.src_sid = event.src_sid;
    query.dst_sid = event.dst_sid;
    query.endpoint = event.endpoint;
    query.method = event.method;
    query.now_ns = event.now_ns;
    // A vector's bytes come from operator new, aligned as the engine wants them.
    query.message.fixed = event.fixed.empty() ? nullptr : event.fixed.data();
    query.message.fixed_size = static_cast<std::uint32_t>(event.fixed.size());
    query.message.arena_size = static_cast<std::uint32_t>(event.arena.size());
    query.message.arena = staging_of(*table_, event) == ksec::Staging::Arena && !event.arena.empty()
                              ? event.arena.data()
                              : nullptr;
    query.message.handle_count = static_cast<std::uint32_t>(event.handle_sids.size());
    query.message.flags = event.travels_long ? ksec::kTravelsLong : 0;
    query.message.handle_sids = event.handle_sids.data();
    query.message.handle_rights = event.handle_rights.data();
    ksec::Progress progress{};
    ksec::Record record{};
    ksec::Verdict verdict = ksec::Verdict::Again;
    while (verdict == ksec::Verdict::Again) {
        verdict = table_->check(&query, &progress, &record);
    }
    return verdict == ksec::Verdict::Granted &&
           table_->judge(&query, ksec::Effect::Commit, &record) == ksec::Verdict::Granted;
}

Result<std::unique_ptr<CompiledModule>> CompiledModule::build(const policyc::Compilation& policy,
                                                              const std::filesystem::path& root,
                                                              const std::filesystem::path& engine) {
    std::error_code error;
    if (!std::filesystem::exists(engine, error)) {
        return Trouble{.cause = "there is no engine to link a compiled policy with",
                       .way_out = "run this by ./tessera policy, or name it with --engine"};
    }
    std::string pattern =
        (std::filesystem::temp_directory_path() / "tessera-policy-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
        return Trouble{.cause = "cannot make a folder for temporary files",
                       .way_out = "free some space, or set TMPDIR"};
    }
    std::unique_ptr<CompiledModule> module(new CompiledModule(pattern));
    const std::filesystem::path source = module->folder_ / "policy.cpp";
    std::ofstream(source) << policyc::emit_module(policy.lowered(), kSymbol, "policy.psl");
    const char* const chosen = std::getenv("CXX");
    const std::string compiler = chosen == nullptr || *chosen == '\0' ? "c++" : chosen;
    const std::filesystem::path log = module->folder_ / "log";
    const int status = run_program({compiler,
                                    "-std=c++20",
                                    "-O1",
                                    "-fPIC",
                                    "-shared",
                                    "-I",
                                    root.string(),
                                    "-I",
                                    (root / "ksec/include").string(),
                                    "-o",
                                    (module->folder_ / "policy.so").string(),
                                    source.string(),
                                    engine.string()},
                                   log);
    if (status != 0) {
        return Trouble{.cause = status < 0 ? "cannot run the compiler " + compiler
                                           : "the compiled policy does not build",
                       .way_out = status < 0 ? "install it, or name one in CXX" : "",
                       .details = read_text(log)};
    }
    return module;
}

CompiledModule::~CompiledModule() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

Result<std::unique_ptr<ModuleInstance>> CompiledModule::start() {
    const std::filesystem::path copy = folder_ / fmt::format("copy{}.so", copies_++);
    std::error_code error;
    std::filesystem::copy_file(folder_ / "policy.so", copy, error);
    void* const library = error ? nullptr : dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL);
    std::filesystem::remove(copy, error);
    const void* const table = library == nullptr ? nullptr : dlsym(library, kSymbol);
    if (table == nullptr) {
        const char* const reason = dlerror();
        return Trouble{.cause = std::string("the compiled policy cannot be loaded: ") +
                                (reason == nullptr ? "no space" : reason)};
    }
    return std::make_unique<ModuleInstance>(library, *static_cast<const ksec::EntryTable*>(table));
}

}  // namespace sdk::policy
