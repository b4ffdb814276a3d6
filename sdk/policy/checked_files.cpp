// SPDX-License-Identifier: Apache-2.0
#include "checked_files.hpp"

#include <algorithm>
#include <filesystem>
#include <lang/idl_parser.hpp>
#include <lang/psl_parser.hpp>

namespace sdk::policy {

namespace {

namespace fs = std::filesystem;
namespace idl = lang::idl;
namespace psl = lang::psl;

std::string normal(const std::string& path) {
    std::error_code error;
    const fs::path absolute = fs::absolute(path, error);
    return (error ? fs::path(path) : absolute).lexically_normal().string();
}

FileKind kind_of(const std::string& extension) {
    if (extension == ".psl") {
        return FileKind::Policy;
    }
    if (extension == ".edl" || extension == ".cdl" || extension == ".idl") {
        return FileKind::Description;
    }
    return extension == ".yaml" || extension == ".yml" ? FileKind::Composition : FileKind::Other;
}

/// Whether a line begins with `entities:`; anything else called .yaml is somebody else's.
bool has_entities(std::string_view text) {
    constexpr std::string_view kKey = "entities:";
    return text.starts_with(kKey) ||
           text.starts_with("\xEF\xBB\xBF"
                            "entities:") ||
           text.find("\nentities:") != std::string_view::npos;
}

std::string dotted_to_path(std::string name) {
    std::ranges::replace(name, '.', '/');
    return name;
}

}  // namespace

std::size_t shared_folders(const std::string& a, const std::string& b) {
    const fs::path first = fs::path(normal(a)).parent_path();
    const fs::path second = fs::path(normal(b)).parent_path();
    const auto end = std::mismatch(first.begin(), first.end(), second.begin(), second.end()).first;
    return static_cast<std::size_t>(std::distance(first.begin(), end));
}

const char* spelling(FileKind kind) {
    switch (kind) {
    case FileKind::Policy:
        return "policy";
    case FileKind::Description:
        return "description";
    case FileKind::Composition:
        return "init.yaml";
    case FileKind::Other:
        break;
    }
    return "other";
}

Result<FileSet> FileSet::collect(const std::vector<std::string>& paths,
                                 const TemplateOptions& options) {
    FileSet set;
    for (const std::string& path : paths) {
        std::error_code error;
        const fs::file_status status = fs::status(path, error);
        if (!fs::exists(status)) {
            return Trouble{.cause = "there is no file or folder " + path,
                           .way_out = "check the name"};
        }
        if (fs::is_directory(status)) {
            set.add_folder(path, options);
        } else if (!fs::is_regular_file(status)) {
            return Trouble{.cause = path + " is neither a file nor a folder",
                           .way_out = "files are told apart by their names: write it to one first"};
        } else {
            set.add(path, kind_of(lang::description_extension(path)), options);
        }
    }
    return set;
}

void FileSet::add_folder(const std::string& path, const TemplateOptions& options) {
    std::vector<std::string> found;
    std::error_code error;
    fs::recursive_directory_iterator at(path, error);
    for (; !error && at != fs::recursive_directory_iterator{}; at.increment(error)) {
        std::error_code ignored;
        const std::string name = at->path().filename().string();
        if (at->is_directory(ignored)) {
            // Version control keeps copies there; another build may leave its own.
            if (name.starts_with(".")) {
                at.disable_recursion_pending();
            }
        } else if (kind_of(lang::description_extension(name)) != FileKind::Other &&
                   at->is_regular_file(ignored)) {
            found.push_back(at->path().string());
        }
    }
    if (error) {
        unreadable_.push_back(path + ": " + error.message());
    }
    std::ranges::sort(found);
    for (const std::string& file : found) {
        const FileKind kind = kind_of(lang::description_extension(file));
        if (kind == FileKind::Composition) {
            lang::Sources sources;
            lang::Diagnostics unheard{sources};
            const std::optional<std::string> text = lang::read_file(file, {}, unheard);
            if (!text || !has_entities(*text)) {
                continue;
            }
        }
        add(file, kind, options);
    }
}

void FileSet::add(const std::string& path, FileKind kind, const TemplateOptions& options) {
    const auto [known, is_new] = by_path_.emplace(normal(path), files_.size());
    if (!is_new) {
        return;
    }
    CheckedFile file{.path = path,
                     .kind = kind,
                     .extension = lang::description_extension(path),
                     .is_template = path.ends_with(".in")};
    read_head(file, options);
    if (!file.declares.empty()) {
        by_name_[file.declares + file.extension].push_back(files_.size());
    }
    files_.push_back(std::move(file));
}

/// Expands a template; finds out what a file declares and uses. Its mistakes are nobody's business
/// yet.
void FileSet::read_head(CheckedFile& file, const TemplateOptions& options) {
    if (file.kind == FileKind::Other) {
        return;
    }
    lang::Sources sources;
    lang::Diagnostics unheard{sources};
    std::optional<std::string> text = lang::read_file(file.path, {}, unheard);
    if (!text) {
        return;
    }
    if (file.is_template) {
        Expansion expansion = expand(*text, options.definitions, options.undefined);
        file.keeps_lines = expansion.keeps_lines;
        text = expansions_[file.path] = std::move(expansion.text);
    }
    if (file.kind == FileKind::Composition) {
        return;
    }
    const std::uint32_t source = sources.add(file.path, std::move(*text));
    if (file.kind == FileKind::Policy) {
        const psl::File parsed = psl::parse(source, unheard);
        for (const psl::Declaration& declaration : parsed.declarations) {
            if (const auto* use = std::get_if<psl::UseFile>(&declaration)) {
                file.uses.push_back(use->name.text());
            }
        }
        return;
    }
    const auto kind =
        file.extension == ".edl" ? idl::ClassFile::Kind::Process : idl::ClassFile::Kind::Component;
    const lang::QualifiedName name = file.extension == ".idl"
                                         ? idl::parse_package(source, unheard).name
                                         : idl::parse_class(source, kind, unheard).name;
    // Only the folders may differ from the name: a build copies a file, it does not rename it.
    const std::string file_name = fs::path(file.path).filename().string();
    if (!name.is_empty() && file_name.starts_with(name.last().text + file.extension)) {
        file.declares = name.text();
    }
}

std::ptrdiff_t FileSet::find(const std::string& path) const {
    const auto found = by_path_.find(normal(path));
    return found == by_path_.end() ? -1 : static_cast<std::ptrdiff_t>(found->second);
}

std::size_t FileSet::nearest(const std::vector<std::size_t>& among, const std::string& path) const {
    return *std::ranges::max_element(
        among, {}, [&](std::size_t index) { return shared_folders(path, files_[index].path); });
}

lang::Overlay FileSet::overlay_for(const CheckedFile& file) const {
    lang::Overlay overlay;
    overlay.contents = expansions_;
    for (const auto& [name, among] : by_name_) {
        const std::size_t best = among.size() == 1 ? among[0] : nearest(among, file.path);
        overlay.places[name] = files_[best].path;
    }
    if (!file.declares.empty()) {
        overlay.places[file.declares + file.extension] = file.path;
    }
    // What the policy uses, and what that uses: a template has no file with the name looked for.
    std::vector<const CheckedFile*> users{&file};
    for (std::size_t i = 0; i < users.size(); ++i) {
        for (const std::string& name : users[i]->uses) {
            const std::ptrdiff_t used = find_policy(*users[i], name);
            if (used >= 0 &&
                overlay.places
                    .try_emplace(name + ".psl", files_[static_cast<std::size_t>(used)].path)
                    .second) {
                users.push_back(&files_[static_cast<std::size_t>(used)]);
            }
        }
    }
    return overlay;
}

std::optional<std::string> FileSet::text_of(const CheckedFile& file,
                                            lang::Diagnostics& diagnostics) const {
    const auto expanded = expansions_.find(file.path);
    return expanded != expansions_.end() ? std::optional(expanded->second)
                                         : lang::read_file(file.path, {}, diagnostics);
}

std::ptrdiff_t FileSet::find_policy(const CheckedFile& from, const std::string& name) const {
    const fs::path folder = fs::path(from.path).parent_path();
    const std::string relative = dotted_to_path(name) + ".psl";
    for (const char* const suffix : {"", ".in"}) {
        const std::ptrdiff_t beside = find((folder / (relative + suffix)).string());
        if (beside >= 0) {
            return beside;
        }
    }
    std::vector<std::size_t> among;
    for (std::size_t i = 0; i < files_.size(); ++i) {
        const std::string path = "/" + files_[i].path;
        if (files_[i].kind == FileKind::Policy &&
            (path.ends_with("/" + relative) || path.ends_with("/" + relative + ".in"))) {
            among.push_back(i);
        }
    }
    return among.empty() ? -1 : static_cast<std::ptrdiff_t>(nearest(among, from.path));
}

}  // namespace sdk::policy
