// SPDX-License-Identifier: Apache-2.0
// Inside of the Workspace: the files found, and what was made of them.
#pragma once

#include <deque>
#include <lang/idl_parser.hpp>
#include <lang/workspace.hpp>
#include <map>
#include <set>

namespace sdk::lang {

/// How far a name has been turned into its meaning.
enum class Progress : std::uint8_t { Untouched, Active, Done, Failed };

/// A name declared in a package.
struct Declaration {
    const idl::Definition* syntax = nullptr;
    Definition meaning;
    Span span;
    std::string_view what;  ///< "constant", "typedef", "struct", "union"
    Progress progress = Progress::Untouched;
};

struct PackageEntry {
    idl::Package syntax;
    Package package;
    std::map<std::string, Declaration, std::less<>> names;
    Progress progress = Progress::Untouched;
};

template <typename T> struct ClassEntry {
    T model;
    Progress progress = Progress::Untouched;
};

class Workspace::Impl final {
public:
    Impl(Sources& all_sources, Diagnostics& all_diagnostics)
        : sources(all_sources), diagnostics(all_diagnostics) {}

    [[nodiscard]] std::optional<std::string> find_file(std::string_view name,
                                                       std::string_view extension) const;
    [[nodiscard]] std::optional<std::string> read(const std::string& path, const Span& from) const;
    std::optional<std::uint32_t>
    open(std::string_view name, std::string_view extension, const Span& from);
    std::optional<OpenedPolicy> open_policy(std::string_view name, const Span& from);
    /// A file by its path, read once whatever paths lead to it.
    std::optional<std::uint32_t> open_file(const std::string& path, const Span& from);
    PackageEntry* load_package(std::string_view name, const Span& from);
    const ProcessClass* load_class(std::string_view name, const Span& from);
    const Component* load_component(std::string_view name, const Span& from);

    /// Reports when a file's declared name is not the one it was found by, or is unusual.
    void check_declared_name(const QualifiedName& declared, std::string_view expected);

    Sources& sources;
    Diagnostics& diagnostics;
    Overlay overlay;
    std::vector<std::string> include_directories;
    std::vector<std::string> files_read;
    std::map<std::string, std::optional<std::uint32_t>, std::less<>> opened;  // "a.b.C.idl"
    std::map<std::string, std::uint32_t> opened_files;                        // by canonical path
    std::map<std::string, PackageEntry, std::less<>> packages;
    std::map<std::string, ClassEntry<ProcessClass>, std::less<>> classes;
    std::map<std::string, ClassEntry<Component>, std::less<>> components;
    std::vector<const Package*> package_order;
    std::deque<Type> types;
    std::deque<Alias> aliases;
    std::deque<ConstantValue> constants;
    std::map<std::string, const Type*, std::less<>> builtins;

    /// handle<I> met while resolving; I is looked at when nothing else is going on.
    struct PendingHandle {
        Type* type;
        Span span;
    };

    std::vector<PendingHandle> pending_handles;
    unsigned loading = 0;

private:
    /// The folder of the file that `from` is in.
    [[nodiscard]] std::string folder_of(const Span& from) const;
    void finish_handles();
    /// Names with more words before `name` that the include directories have, the shortest first.
    [[nodiscard]] std::vector<std::string> find_qualified(std::string_view name,
                                                          std::string_view extension) const;
    void report_missing(std::string_view name, std::string_view extension, const Span& from);
};

/// Fills `entry.package` from `entry.syntax`; imports are loaded already or get loaded.
void resolve_package(Workspace::Impl& workspace, PackageEntry& entry);

/// Flattens a class or component file into the lists of `result`.
void resolve_class(Workspace::Impl& workspace, const idl::ClassFile& file, Component& result);

}  // namespace sdk::lang
