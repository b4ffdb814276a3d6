// SPDX-License-Identifier: Apache-2.0
// A policy as the kernel would ask it: compiled by policyc and the host's C++ compiler, loaded into
// this process, and queried with the messages' bytes. So that tests try what is shipped and not
// only what the interpreter makes of the source.
#pragma once

#include "command.hpp"

#include <filesystem>
#include <ksec/verdict.hpp>
#include <memory>
#include <sdk/policyc/src/lowered.hpp>

namespace sdk::policy {

/// One system that has just started: the module's state is its own.
class ModuleInstance final {
public:
    /// Takes a handle of dlopen.
    ModuleInstance(void* library, const ksec::EntryTable& table);
    ~ModuleInstance();
    ModuleInstance(const ModuleInstance&) = delete;
    ModuleInstance& operator=(const ModuleInstance&) = delete;

    [[nodiscard]] const ksec::EntryTable& table() const { return *table_; }

private:
    void* library_;
    const ksec::EntryTable* table_;
};

class CompiledModule final {
public:
    /// Compiles the policy; takes a second. `root` is the folder of kernel/ and ksec/, `engine` the
    /// library of ksec's engine for this machine; `options` are for the compiler. Trouble: no
    /// compiler, or it refused.
    static Result<std::unique_ptr<CompiledModule>> build(const policyc::Lowered& policy,
                                                         const std::filesystem::path& root,
                                                         const std::filesystem::path& engine,
                                                         const std::vector<std::string>& options = {
                                                             "-O1"});
    ~CompiledModule();
    CompiledModule(const CompiledModule&) = delete;
    CompiledModule& operator=(const CompiledModule&) = delete;

    /// Loads a fresh copy.
    Result<std::unique_ptr<ModuleInstance>> start();

private:
    explicit CompiledModule(std::filesystem::path folder) : folder_(std::move(folder)) {}

    std::filesystem::path folder_;  ///< of our own, removed at the end
    unsigned copies_ = 0;
};

}  // namespace sdk::policy
