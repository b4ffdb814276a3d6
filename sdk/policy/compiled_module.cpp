// SPDX-License-Identifier: Apache-2.0
// The loader gives a library's data once per file, so every instance is loaded from a copy of the
// file.
#include "compiled_module.hpp"

#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
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

}  // namespace

ModuleInstance::ModuleInstance(void* library, const ksec::EntryTable& table)
    : library_(library), table_(&table) {}

ModuleInstance::~ModuleInstance() { dlclose(library_); }

Result<std::unique_ptr<CompiledModule>>
CompiledModule::build(const policyc::Lowered& policy,
                      const std::filesystem::path& root,
                      const std::filesystem::path& engine,
                      const std::vector<std::string>& options) {
    std::error_code error;
    if (!std::filesystem::exists(engine, error)) {
        return Trouble{.cause = "there is no engine to link a compiled policy with",
                       .way_out = "run this by ./tessera policy, or ask the source only"};
    }
    std::string pattern =
        (std::filesystem::temp_directory_path() / "tessera-policy-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
        return Trouble{.cause = "cannot make a folder for temporary files",
                       .way_out = "free some space, or set TMPDIR"};
    }
    std::unique_ptr<CompiledModule> module(new CompiledModule(pattern));
    const std::filesystem::path source = module->folder_ / "policy.cpp";
    std::ofstream(source) << policyc::emit_module(policy, kSymbol, "policy.psl");
    const char* const chosen = std::getenv("CXX");
    const std::string compiler = chosen == nullptr || *chosen == '\0' ? "c++" : chosen;
    const std::filesystem::path log = module->folder_ / "log";
    std::vector<std::string> words{compiler,
                                   "-std=c++20",
                                   "-fPIC",
                                   "-shared",
                                   "-I",
                                   root.string(),
                                   "-I",
                                   (root / "ksec/include").string(),
                                   "-o",
                                   (module->folder_ / "policy.so").string(),
                                   source.string(),
                                   engine.string()};
    words.insert(words.end(), options.begin(), options.end());
    const int status = run_program(std::move(words), log);
    if (status != 0) {
        return Trouble{.cause = status < 0 ? "cannot run the compiler " + compiler
                                           : "the compiled policy does not build",
                       .way_out =
                           status < 0 ? "install it, name one in CXX, or ask the source only" : "",
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
