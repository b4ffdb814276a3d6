// SPDX-License-Identifier: Apache-2.0
// The files that a check is about, whatever mix of files and folders was named, and what each of
// them is. Descriptions are known by the name they declare: a solution's build copies them to where
// that name says, so their place in its source tree says nothing.
#pragma once

#include "command.hpp"
#include "template.hpp"

#include <cstdint>
#include <lang/workspace.hpp>
#include <map>
#include <string>
#include <vector>

namespace sdk::policy {

enum class FileKind : std::uint8_t {
    Policy,       ///< .psl
    Description,  ///< .edl, .cdl, .idl
    Composition,  ///< .yaml, .yml
    Other,        ///< named on the command line, and none of these
};

/// "policy", "description", "init.yaml", "other"
const char* spelling(FileKind kind);

/// How many folders, from the root, the places of two files have in common.
std::size_t shared_folders(const std::string& a, const std::string& b);

struct CheckedFile {
    std::string path{};
    FileKind kind = FileKind::Other;
    std::string extension{};  ///< ".psl" for x.psl and x.psl.in
    bool is_template = false;
    std::string declares{};           ///< descriptions: the name, empty when there is none
    std::vector<std::string> uses{};  ///< policies: a.b of `use a.b._`
    bool keeps_lines = true;          ///< templates: lines of the expansion are its own
};

/// How templates are expanded.
struct TemplateOptions {
    Definitions definitions{};
    Undefined undefined = Undefined::Stays;
};

class FileSet final {
public:
    /// Finds everything at `paths`; folders are searched to any depth without following links.
    /// There, only .yaml files with `entities:` count. Trouble: a path that does not exist.
    static Result<FileSet> collect(const std::vector<std::string>& paths,
                                   const TemplateOptions& options);

    [[nodiscard]] const std::vector<CheckedFile>& files() const { return files_; }

    /// Folders that could not be read.
    [[nodiscard]] const std::vector<std::string>& unreadable() const { return unreadable_; }

    /// Index of the file at `path`, however written; -1 when it is none of these.
    [[nodiscard]] std::ptrdiff_t find(const std::string& path) const;

    /// Where `file`, and what it refers to, finds the files of this set by name. Of several files
    /// that declare one name, the one nearest to `file` counts.
    [[nodiscard]] lang::Overlay overlay_for(const CheckedFile& file) const;

    /// The text of a file, a template's expanded; nothing when it cannot be read.
    [[nodiscard]] std::optional<std::string> text_of(const CheckedFile& file,
                                                     lang::Diagnostics& diagnostics) const;

    /// The policy of this set that `name` means to `from`; -1 for none.
    [[nodiscard]] std::ptrdiff_t find_policy(const CheckedFile& from,
                                             const std::string& name) const;

private:
    void add(const std::string& path, FileKind kind, const TemplateOptions& options);
    void add_folder(const std::string& path, const TemplateOptions& options);
    void read_head(CheckedFile& file, const TemplateOptions& options);
    [[nodiscard]] std::size_t nearest(const std::vector<std::size_t>& among,
                                      const std::string& path) const;

    std::vector<CheckedFile> files_{};
    std::vector<std::string> unreadable_{};
    std::map<std::string, std::size_t> by_path_{};
    std::map<std::string, std::vector<std::size_t>> by_name_{};     // "a.b.C.idl"
    std::map<std::string, std::string, std::less<>> expansions_{};  // path -> text
};

}  // namespace sdk::policy
