// SPDX-License-Identifier: Apache-2.0
#include "workspace_impl.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <lang/cursor.hpp>
#include <lang/psl_parser.hpp>
#include <utility>

namespace sdk::lang {

namespace {

namespace fs = std::filesystem;

std::string path_of(std::string_view name, std::string_view extension) {
    std::string path{name};
    std::ranges::replace(path, '.', '/');
    return path + std::string{extension};
}

std::string joined(const std::string& directory, const std::string& file) {
    return directory == "." || directory.empty() ? file
           : directory.ends_with('/')            ? directory + file
                                                 : directory + "/" + file;
}

bool is_file(const std::string& path) {
    std::error_code error;
    return fs::is_regular_file(path, error);
}

}  // namespace

std::optional<std::string>
read_file(const std::string& path, const Span& from, Diagnostics& diagnostics) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
        diagnostics.report<Code::FileNotReadable>(from, Word{path}, Text{"it is a directory"});
        return std::nullopt;
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        diagnostics.report<Code::FileNotReadable>(from, Word{path}, Text{std::strerror(errno)});
        return std::nullopt;
    }
    std::string text;
    char buffer[65536];
    while (file.read(buffer, sizeof buffer) || file.gcount() > 0) {
        text.append(buffer, static_cast<std::size_t>(file.gcount()));
        if (text.size() > Sources::kMaxBytes) {
            diagnostics.report<Code::FileTooLarge>(
                from, Word{path}, Number{static_cast<std::int64_t>(Sources::kMaxBytes)});
            return std::nullopt;
        }
    }
    return text;
}

std::string description_extension(const std::string& path) {
    constexpr std::string_view kTemplate = ".in";
    const bool is_template = path.ends_with(kTemplate);
    return fs::path(is_template ? path.substr(0, path.size() - kTemplate.size()) : path)
        .extension()
        .string();
}

bool is_qualified_name(std::string_view text) {
    bool fresh = true;
    for (const char c : text) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        const bool digit = c >= '0' && c <= '9';
        if (c == '.' && !fresh) {
            fresh = true;
        } else if (letter || (digit && !fresh)) {
            fresh = false;
        } else {
            return false;
        }
    }
    return !fresh;
}

std::optional<std::string> Workspace::Impl::find_file(std::string_view name,
                                                      std::string_view extension) const {
    const auto placed = overlay.places.find(std::string{name} + std::string{extension});
    if (placed != overlay.places.end()) {
        return placed->second;
    }
    const std::string relative = path_of(name, extension);
    for (const std::string& directory : include_directories) {
        std::string path = joined(directory, relative);
        if (is_file(path)) {
            return path;
        }
    }
    return std::nullopt;
}

std::optional<std::string> Workspace::Impl::read(const std::string& path, const Span& from) const {
    const auto found = overlay.contents.find(path);
    return found != overlay.contents.end() ? std::optional{found->second}
                                           : read_file(path, from, diagnostics);
}

std::string Workspace::Impl::folder_of(const Span& from) const {
    return from.is_known() ? fs::path(sources.get(from.file).name()).parent_path().string() : "";
}

std::vector<std::string> Workspace::Impl::find_qualified(std::string_view name,
                                                         std::string_view extension) const {
    constexpr int kMostFiles = 10'000;  // of one directory; it may be anything
    const std::string ending = "/" + path_of(name, extension);
    std::vector<std::string> found;
    for (const std::string& directory : include_directories) {
        std::error_code error;
        fs::recursive_directory_iterator item(
            directory, fs::directory_options::skip_permission_denied, error);
        for (int i = 0; !error && i < kMostFiles && item != fs::recursive_directory_iterator{};
             ++i, item.increment(error)) {
            const std::string path = item->path().lexically_relative(directory).string();
            if (path.ends_with(ending)) {
                std::string qualified = path.substr(0, path.size() - extension.size());
                std::ranges::replace(qualified, '/', '.');
                if (is_qualified_name(qualified)) {
                    found.push_back(std::move(qualified));
                }
            }
        }
    }
    std::ranges::sort(found, [](const std::string& a, const std::string& b) {
        return std::pair(a.size(), a) < std::pair(b.size(), b);
    });
    return found;
}

void Workspace::Impl::report_missing(std::string_view name,
                                     std::string_view extension,
                                     const Span& from) {
    if (!is_qualified_name(name)) {
        return;  // a template's token stands in it, which was reported
    }
    // Suggest a file that is found by more words, or one of the folder in which it should have
    // been, or of the folder of the file that names it.
    std::vector<std::string> candidates = find_qualified(name, extension);
    const auto add_folder = [&](const std::string& folder, const std::string& prefix) {
        std::vector<std::string> found;
        std::error_code error;
        for (const auto& item : fs::directory_iterator(folder.empty() ? "." : folder, error)) {
            if (item.path().extension() == extension && found.size() < 1000) {
                found.push_back(prefix + item.path().stem().string());
            }
        }
        std::ranges::sort(found);
        candidates.insert(candidates.end(), found.begin(), found.end());
    };
    const std::size_t dot = name.rfind('.');
    const std::string prefix{dot == std::string_view::npos ? "" : name.substr(0, dot + 1)};
    const std::string own = folder_of(from);
    const std::string below = path_of(prefix.empty() ? "" : name.substr(0, dot), "");
    const bool is_policy = extension == ".psl";
    if (is_policy) {
        add_folder(joined(own, below), prefix);
    }
    for (const std::string& directory : include_directories) {
        add_folder(joined(directory, below), prefix);
        std::string nearby = fs::path(own).lexically_relative(directory).string();
        std::ranges::replace(nearby, '/', '.');
        if (!is_policy && prefix.empty() && is_qualified_name(nearby)) {
            add_folder(own, nearby + ".");
        }
    }
    diagnostics.report<Code::FileNotFound>(from, Word{path_of(name, extension)})
        .hint(closest(name, candidates));
}

std::optional<std::uint32_t>
Workspace::Impl::open(std::string_view name, std::string_view extension, const Span& from) {
    const std::string key = std::string{name} + std::string{extension};
    const auto known = opened.find(key);
    if (known != opened.end()) {
        return known->second;
    }
    std::optional<std::uint32_t>& result = opened[key];
    const std::optional<std::string> path = find_file(name, extension);
    if (!path) {
        report_missing(name, extension, from);
        return result;
    }
    result = open_file(*path, from);
    return result;
}

std::optional<std::uint32_t> Workspace::Impl::open_file(const std::string& path, const Span& from) {
    std::error_code error;
    const fs::path canonical = fs::weakly_canonical(path, error);
    const std::string key = error ? path : canonical.string();
    const auto known = opened_files.find(key);
    if (known != opened_files.end()) {
        return known->second;
    }
    std::optional<std::string> text = read(path, from);
    if (!text) {
        return std::nullopt;
    }
    files_read.push_back(path);
    return opened_files[key] = sources.add(path, std::move(*text));
}

std::optional<OpenedPolicy> Workspace::Impl::open_policy(std::string_view name, const Span& from) {
    const std::string beside = joined(folder_of(from), path_of(name, ".psl"));
    for (const std::string& path : {beside, beside + ".in"}) {
        if (overlay.contents.contains(path) || (path == beside && is_file(path))) {
            const std::optional<std::uint32_t> source = open_file(path, from);
            return source ? std::optional(OpenedPolicy{*source, true}) : std::nullopt;
        }
    }
    const std::optional<std::uint32_t> source = open(name, ".psl", from);
    return source ? std::optional(OpenedPolicy{*source, false}) : std::nullopt;
}

void Workspace::Impl::check_declared_name(const QualifiedName& declared,
                                          std::string_view expected) {
    const std::string name = declared.text();
    if (name != expected) {
        diagnostics.report<Code::NameDiffersFromFile>(declared.span, Word{name}, Word{expected});
        return;
    }
    const std::string& last = declared.last().text;
    if (last.front() >= 'a' && last.front() <= 'z') {
        diagnostics.report<Code::LowerCaseName>(declared.span, Word{name});
    }
    if (last.find('_') != std::string::npos) {
        diagnostics.report<Code::UnderscoreInName>(declared.span, Word{name});
    }
}

PackageEntry* Workspace::Impl::load_package(std::string_view name, const Span& from) {
    const auto known = packages.find(name);
    if (known != packages.end()) {
        return known->second.progress == Progress::Failed ? nullptr : &known->second;
    }
    PackageEntry& entry = packages[std::string{name}];
    entry.progress = Progress::Failed;
    const std::optional<std::uint32_t> source = open(name, ".idl", from);
    if (!source) {
        return nullptr;
    }
    if (loading >= kMaxNesting) {
        diagnostics.report<Code::TooDeep>(from, Number{kMaxNesting});
        return nullptr;
    }
    entry.syntax = idl::parse_package(*source, diagnostics);
    if (entry.syntax.name.is_empty()) {
        return nullptr;
    }
    check_declared_name(entry.syntax.name, name);
    entry.package.name = name;
    entry.package.source = *source;
    entry.progress = Progress::Active;
    ++loading;
    resolve_package(*this, entry);
    --loading;
    entry.progress = Progress::Done;
    package_order.push_back(&entry.package);
    finish_handles();
    return &entry;
}

void Workspace::Impl::finish_handles() {
    if (loading != 0) {
        return;
    }
    while (!pending_handles.empty()) {
        const PendingHandle pending = pending_handles.back();
        pending_handles.pop_back();
        ++loading;  // what this loads adds to the list, which this loop empties
        const PackageEntry* entry = load_package(pending.type->interface_name, pending.span);
        --loading;
        if (entry == nullptr) {
            continue;
        }
        if (!entry->package.has_interface) {
            diagnostics.report<Code::NoInterface>(pending.span, Word{entry->package.name});
        } else {
            pending.type->interface = &entry->package;
        }
    }
}

const ProcessClass* Workspace::Impl::load_class(std::string_view name, const Span& from) {
    const auto known = classes.find(name);
    if (known != classes.end()) {
        return known->second.progress == Progress::Done ? &known->second.model : nullptr;
    }
    ClassEntry<ProcessClass>& entry = classes[std::string{name}];
    const std::optional<std::uint32_t> source = open(name, ".edl", from);
    if (!source) {
        return nullptr;
    }
    const idl::ClassFile file =
        idl::parse_class(*source, idl::ClassFile::Kind::Process, diagnostics);
    if (file.name.is_empty()) {
        return nullptr;
    }
    check_declared_name(file.name, name);
    if (find_file(name, ".cdl")) {
        diagnostics.report<Code::ClassAndComponent>(file.name.span, Word{name});
    }
    entry.model.name = name;
    entry.model.source = *source;
    entry.model.span = file.name.span;
    entry.model.doc = file.doc;
    Component flat;
    resolve_class(*this, file, flat);
    entry.model.parts = std::move(flat.parts);
    entry.model.endpoints = std::move(flat.endpoints);
    entry.model.security = std::move(flat.security);
    for (const Endpoint& endpoint : entry.model.endpoints) {
        entry.model.maxima.include(endpoint.interface->maxima);
    }
    entry.progress = Progress::Done;
    return &entry.model;
}

const Component* Workspace::Impl::load_component(std::string_view name, const Span& from) {
    const auto known = components.find(name);
    if (known != components.end()) {
        if (known->second.progress == Progress::Active) {
            diagnostics.report<Code::ComponentCycle>(from, Word{name});
        }
        return known->second.progress == Progress::Done ? &known->second.model : nullptr;
    }
    ClassEntry<Component>& entry = components[std::string{name}];
    const std::optional<std::uint32_t> source = open(name, ".cdl", from);
    if (!source) {
        return nullptr;
    }
    if (loading >= kMaxNesting) {
        diagnostics.report<Code::TooDeep>(from, Number{kMaxNesting});
        return nullptr;
    }
    const idl::ClassFile file =
        idl::parse_class(*source, idl::ClassFile::Kind::Component, diagnostics);
    if (file.name.is_empty()) {
        return nullptr;
    }
    check_declared_name(file.name, name);
    const auto process = classes.find(name);
    if (find_file(name, ".edl") &&
        (process == classes.end() || process->second.progress != Progress::Done)) {
        diagnostics.report<Code::ClassAndComponent>(file.name.span, Word{name});
    }
    entry.model.name = name;
    entry.model.source = *source;
    entry.model.doc = file.doc;
    entry.progress = Progress::Active;
    ++loading;
    resolve_class(*this, file, entry.model);
    --loading;
    entry.progress = Progress::Done;
    finish_handles();
    return &entry.model;
}

Workspace::Workspace(Sources& sources, Diagnostics& diagnostics)
    : impl_(std::make_unique<Impl>(sources, diagnostics)) {}

Workspace::~Workspace() = default;

void Workspace::add_include_directory(std::string directory) {
    std::error_code error;
    if (!fs::is_directory(directory, error)) {
        impl_->diagnostics.report<Code::IncludeDirectoryMissing>({}, Word{directory});
        return;
    }
    impl_->include_directories.push_back(std::move(directory));
}

const std::vector<std::string>& Workspace::include_directories() const {
    return impl_->include_directories;
}

void Workspace::use_overlay(Overlay overlay) { impl_->overlay = std::move(overlay); }

std::optional<std::uint32_t> Workspace::open_file(const std::string& path, const Span& from) {
    return impl_->open_file(path, from);
}

std::optional<OpenedPolicy> Workspace::open_policy(std::string_view name, const Span& from) {
    return impl_->open_policy(name, from);
}

void Workspace::add_text(std::string_view name, std::string_view extension, std::string text) {
    const std::string key = std::string{name} + std::string{extension};
    impl_->opened[key] = impl_->sources.add(key, std::move(text));
}

bool Workspace::exists(std::string_view name, std::string_view extension) const {
    return impl_->find_file(name, extension).has_value();
}

const Package* Workspace::find_package(std::string_view name, const Span& from) {
    const PackageEntry* entry = impl_->load_package(name, from);
    return entry == nullptr ? nullptr : &entry->package;
}

const ProcessClass* Workspace::find_class(std::string_view name, const Span& from) {
    return impl_->load_class(name, from);
}

const Component* Workspace::find_component(std::string_view name, const Span& from) {
    return impl_->load_component(name, from);
}

const std::vector<std::string>& Workspace::files_read() const { return impl_->files_read; }

const std::vector<const Package*>& Workspace::packages() const { return impl_->package_order; }

void Workspace::check_file(const std::string& path) {
    const std::string extension = description_extension(path);
    if (extension != ".idl" && extension != ".cdl" && extension != ".edl" && extension != ".psl") {
        impl_->diagnostics.report<Code::WrongFileType>({}, Word{path});
        return;
    }
    std::optional<std::string> text = impl_->read(path, {});
    if (!text) {
        return;
    }
    impl_->files_read.push_back(path);
    const std::uint32_t source = impl_->sources.add(path, std::move(*text));
    if (extension == ".psl") {
        static_cast<void>(psl::parse(source, impl_->diagnostics));
        return;
    }
    const auto kind =
        extension == ".edl" ? idl::ClassFile::Kind::Process : idl::ClassFile::Kind::Component;
    // Its name says from which directory it would be found.
    Diagnostics unheard{impl_->sources};
    const QualifiedName declared = extension == ".idl"
                                       ? idl::parse_package(source, unheard).name
                                       : idl::parse_class(source, kind, unheard).name;
    if (declared.is_empty()) {
        // Hear it after all.
        if (extension == ".idl") {
            static_cast<void>(idl::parse_package(source, impl_->diagnostics));
        } else {
            static_cast<void>(idl::parse_class(source, kind, impl_->diagnostics));
        }
        return;
    }
    const std::string name = declared.text();
    const std::string relative = path_of(name, extension);
    std::string root;
    const auto placed = impl_->overlay.places.find(name + extension);
    const bool is_placed = placed != impl_->overlay.places.end() && placed->second == path;
    if (path == relative || path.ends_with("/" + relative)) {
        root = path.substr(0, path.size() - relative.size());
    } else if (!is_placed) {
        impl_->diagnostics.report<Code::NameDiffersFromFile>(
            declared.span, Word{name}, Word{fs::path(path).stem().string()});
    }
    while (root.size() > 1 && root.ends_with('/')) {
        root.pop_back();
    }
    root = root.empty() ? "." : root;
    if (!is_placed &&
        std::ranges::find(impl_->include_directories, root) == impl_->include_directories.end()) {
        impl_->include_directories.push_back(root);
    }
    impl_->opened.emplace(name + extension, source);  // this file, whatever -I has
    if (extension == ".idl") {
        static_cast<void>(find_package(name, declared.span));
    } else if (extension == ".edl") {
        static_cast<void>(find_class(name, declared.span));
    } else {
        static_cast<void>(find_component(name, declared.span));
    }
}

const Method* Package::find_method(std::string_view method) const {
    const auto found = std::ranges::find(methods, method, &Method::name);
    return found == methods.end() ? nullptr : &*found;
}

const Endpoint* ProcessClass::find_endpoint(std::string_view path) const {
    const auto found = std::ranges::find(endpoints, path, &Endpoint::path);
    return found == endpoints.end() ? nullptr : &*found;
}

}  // namespace sdk::lang
