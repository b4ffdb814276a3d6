// SPDX-License-Identifier: Apache-2.0
// Finds description files in the include directories, and turns each into its model once. Nothing
// fails silently: a null result means that the reason was reported (at the first request for the
// name; later requests are quiet).
#pragma once

#include <lang/diagnostics.hpp>
#include <lang/idl_ast.hpp>
#include <lang/model.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sdk::lang {

/// Reads a whole file; reports why not.
[[nodiscard]] std::optional<std::string>
read_file(const std::string& path, const Span& from, Diagnostics& diagnostics);

/// "a.b.C" in words, or nothing when that is not a qualified name.
[[nodiscard]] bool is_qualified_name(std::string_view text);

/// The extension that says what a file is: of x.psl and of its template x.psl.in it is ".psl".
[[nodiscard]] std::string description_extension(const std::string& path);

/// Files that do not stand where their names say, or are not read as they are on the disk.
struct Overlay {
    std::map<std::string, std::string, std::less<>> places;    ///< "a.b.C.idl" to path
    std::map<std::string, std::string, std::less<>> contents;  ///< path to text
};

/// A policy file that another one uses.
struct OpenedPolicy {
    std::uint32_t source = 0;
    bool is_beside_user = false;  ///< found from the folder of the file that uses it
};

class Workspace final {
public:
    class Impl;

    Workspace(Sources& sources, Diagnostics& diagnostics);
    ~Workspace();
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;

    /// Directories are searched in the order added. Reports one that does not exist.
    void add_include_directory(std::string directory);

    [[nodiscard]] const std::vector<std::string>& include_directories() const;

    /// What `overlay` has comes before the include directories and the disk.
    void use_overlay(Overlay overlay);

    /// The file at `path`, or what the overlay says it contains, read once; its source number.
    std::optional<std::uint32_t> open_file(const std::string& path, const Span& from);

    /// The .psl file of a dotted name, read once. The folder of the file that `from` is in comes
    /// before the include directories.
    std::optional<OpenedPolicy> open_policy(std::string_view name, const Span& from);

    /// Makes a text the file of that name, whatever the include directories have: for tests and for
    /// tools that hold descriptions in memory.
    void add_text(std::string_view name, std::string_view extension, std::string text);

    /// Whether the include directories or the overlay have the file of this name.
    [[nodiscard]] bool exists(std::string_view name, std::string_view extension) const;

    /// The IDL package, EDL class, CDL component of this name. `from` is blamed when it is missing.
    const Package* find_package(std::string_view name, const Span& from);
    const ProcessClass* find_class(std::string_view name, const Span& from);
    const Component* find_component(std::string_view name, const Span& from);

    /// Checks the .idl, .cdl or .edl file at `path` with all it refers to. The directory it would
    /// be found from is searched too, after the include directories.
    void check_file(const std::string& path);

    /// Every file read so far, in order, as paths.
    [[nodiscard]] const std::vector<std::string>& files_read() const;

    /// All packages resolved so far, in the order they were completed: imports come first.
    [[nodiscard]] const std::vector<const Package*>& packages() const;

private:
    std::unique_ptr<Impl> impl_;
};

/// Evaluates a constant expression. `lookup` gives the value of a name, or nothing after reporting.
class ConstantLookup {
public:
    virtual std::optional<Integer> find_constant(const QualifiedName& name) = 0;

protected:
    ~ConstantLookup() = default;
};

/// The value, or nothing after reporting why.
[[nodiscard]] std::optional<Integer>
evaluate(const idl::Expression& expression, ConstantLookup& lookup, Diagnostics& diagnostics);

}  // namespace sdk::lang
