// SPDX-License-Identifier: Apache-2.0
// Gives the names of one package their meaning. Declarations are resolved in the order written, and
// earlier when an earlier one refers to them; "active" ones met again are cycles.
#include "workspace_impl.hpp"

#include <algorithm>
#include <lang/cursor.hpp>
#include <lang/layout.hpp>
#include <sstream>

namespace sdk::lang {

namespace {

/// How many declarations may wait for each other; each may hold an expression of kMaxHeight.
constexpr unsigned kMaxForwardReferences = 32;
constexpr std::uint32_t kMaxCount = 16u << 20;

struct Builtin {
    std::string_view name;
    std::uint8_t bits;  // 0: Handle
    bool is_signed;
};

constexpr Builtin kBuiltins[] = {
    {"SInt8", 8, true},
    {"SInt16", 16, true},
    {"SInt32", 32, true},
    {"SInt64", 64, true},
    {"UInt8", 8, false},
    {"UInt16", 16, false},
    {"UInt32", 32, false},
    {"UInt64", 64, false},
    {"UIntSize", 64, false},
    {"UIntPtr", 64, false},
    {"Handle", 0, false},
};

const Builtin* find_builtin(std::string_view name) {
    for (const Builtin& builtin : kBuiltins) {
        if (builtin.name == name) {
            return &builtin;
        }
    }
    return nullptr;
}

class Resolver final : public ConstantLookup {
public:
    Resolver(Workspace::Impl& workspace, PackageEntry& entry)
        : workspace_(workspace), diagnostics_(workspace.diagnostics), entry_(entry),
          package_(entry.package) {}

    void run() {
        package_.doc = entry_.syntax.doc;
        declare();
        import();
        for (const idl::Definition& definition : entry_.syntax.definitions) {
            const Name& name = name_of(definition);
            const auto found = entry_.names.find(name.text);
            if (found == entry_.names.end() || found->second.syntax != &definition) {
                continue;  // a duplicate
            }
            resolve(name.text, found->second, name.span);
        }
        if (entry_.syntax.interface) {
            interface(*entry_.syntax.interface);
        }
    }

    std::optional<Integer> find_constant(const QualifiedName& name) override {
        Declaration* declaration = find(name);
        if (declaration == nullptr) {
            diagnostics_.report<Code::UnknownConstant>(name.span, Word{name.text()})
                .hint(closest(name.text(), visible_names("constant")));
            return std::nullopt;
        }
        if (declaration->what != "constant") {
            diagnostics_
                .report<Code::NotAConstant>(name.span, Word{name.text()}, Text{declaration->what})
                .note(declaration->span, "declared here");
            return std::nullopt;
        }
        if (!resolve(name.text(), *declaration, name.span)) {
            return std::nullopt;
        }
        return declaration->meaning.constant->value;
    }

private:
    static const Name& name_of(const idl::Definition& definition) {
        return std::visit([](const auto& one) -> const Name& { return one.name; }, definition);
    }

    static std::string_view what_is(const idl::Definition& definition) {
        if (std::holds_alternative<idl::Constant>(definition)) {
            return "constant";
        }
        if (const auto* record = std::get_if<idl::Record>(&definition)) {
            return record->kind == idl::Record::Kind::Struct ? "struct" : "union";
        }
        return "typedef";
    }

    void declare() {
        for (const idl::Definition& definition : entry_.syntax.definitions) {
            const Name& name = name_of(definition);
            if (find_builtin(name.text) != nullptr) {
                diagnostics_.report<Code::ReservedName>(name.span, Word{name.text});
                continue;
            }
            Declaration declaration;
            declaration.syntax = &definition;
            declaration.span = name.span;
            declaration.what = what_is(definition);
            const auto [first, fresh] = entry_.names.emplace(name.text, declaration);
            if (!fresh) {
                diagnostics_
                    .report<Code::DuplicateName>(
                        name.span, Word{name.text}, Text{first->second.what})
                    .note(first->second.span, "the first one");
            }
        }
    }

    void import() {
        std::map<std::string_view, const Package*> imported;
        for (const QualifiedName& name : entry_.syntax.imports) {
            PackageEntry* other = workspace_.load_package(name.text(), name.span);
            if (other == nullptr) {
                continue;
            }
            if (other->progress == Progress::Active) {
                diagnostics_.report<Code::ImportCycle>(name.span, Word{name.text()});
                continue;
            }
            if (std::ranges::find(package_.imports, &other->package) != package_.imports.end()) {
                diagnostics_.report<Code::DuplicateImport>(name.span, Word{name.text()});
                continue;
            }
            package_.imports.push_back(&other->package);
            imports_.push_back(other);
            for (const auto& [word, declaration] : other->names) {
                const auto own = entry_.names.find(word);
                const auto [first, fresh] = imported.emplace(word, &other->package);
                if (own != entry_.names.end()) {
                    diagnostics_.report<Code::ImportClash>(own->second.span, Word{word})
                        .note(declaration.span, "imported from " + other->package.name);
                } else if (!fresh) {
                    diagnostics_.report<Code::ImportClash>(name.span, Word{word})
                        .note(declaration.span, "imported from " + other->package.name)
                        .note(workspace_.packages.find(first->second->name)
                                  ->second.names.find(word)
                                  ->second.span,
                              "and from " + first->second->name);
                }
            }
        }
    }

    // ---- names ----

    [[nodiscard]] std::vector<std::string> visible_names(std::string_view kind) const {
        constexpr std::size_t kEnough = 2000;
        std::vector<std::string> names;
        if (diagnostics_.is_full()) {
            return names;
        }
        const auto add = [&](const PackageEntry& entry) {
            for (const auto& [word, declaration] : entry.names) {
                if (names.size() < kEnough &&
                    (declaration.what == "constant") == (kind == "constant")) {
                    names.push_back(word);
                }
            }
        };
        add(entry_);
        for (const PackageEntry* other : imports_) {
            add(*other);
        }
        if (kind != "constant") {
            for (const Builtin& builtin : kBuiltins) {
                names.emplace_back(builtin.name);
            }
        }
        return names;
    }

    static Declaration* find_in(PackageEntry& entry, std::string_view word) {
        const auto found = entry.names.find(word);
        return found == entry.names.end() ? nullptr : &found->second;
    }

    Declaration* find(const QualifiedName& name) {
        if (name.segments.size() > 1) {
            return find_qualified(name);
        }
        const std::string& word = name.last().text;
        if (Declaration* own = find_in(entry_, word)) {
            return own;
        }
        for (PackageEntry* other : imports_) {
            if (Declaration* found = find_in(*other, word)) {
                return found;
            }
        }
        return find_indirect(word, name.span);
    }

    Declaration* find_qualified(const QualifiedName& name) {
        QualifiedName prefix = name;
        const std::string word = prefix.last().text;
        prefix.segments.pop_back();
        const std::string package = prefix.text();
        if (package == package_.name) {
            return find_in(entry_, word);
        }
        if (!workspace_.find_file(package, ".idl") && !workspace_.packages.contains(package)) {
            return nullptr;
        }
        PackageEntry* other = workspace_.load_package(package, name.span);
        if (other == nullptr) {
            return nullptr;
        }
        if (other->progress == Progress::Active) {
            diagnostics_.report<Code::ImportCycle>(name.span, Word{package});
            return nullptr;
        }
        if (std::ranges::find(package_.imports, &other->package) == package_.imports.end()) {
            package_.imports.push_back(&other->package);  // its header is needed
        }
        return find_in(*other, word);
    }

    /// What an import imports is found too, with a warning: many sources rely on it.
    Declaration* find_indirect(std::string_view word, const Span& span) {
        std::set<const Package*> seen;
        std::vector<const Package*> rest = package_.imports;
        while (!rest.empty()) {
            const Package* package = rest.back();
            rest.pop_back();
            if (!seen.insert(package).second) {
                continue;
            }
            PackageEntry& entry = workspace_.packages.find(package->name)->second;
            if (Declaration* found = find_in(entry, word)) {
                if (warned_.emplace(word).second) {
                    diagnostics_.report<Code::IndirectImport>(
                        span, Word{word}, Word{package->name});
                }
                return found;
            }
            rest.insert(rest.end(), package->imports.begin(), package->imports.end());
        }
        return nullptr;
    }

    // ---- declarations ----

    /// Whether the declaration has a meaning now. Reports cycles at `from`.
    bool resolve(std::string_view name, Declaration& declaration, const Span& from) {
        if (declaration.progress == Progress::Active) {
            if (declaration.what == "constant") {
                diagnostics_.report<Code::CyclicConstant>(from, Word{name});
            } else {
                diagnostics_.report<Code::CyclicType>(from, Word{name});
            }
            return false;
        }
        if (declaration.progress != Progress::Untouched) {
            return declaration.progress == Progress::Done;
        }
        if (depth_ >= kMaxForwardReferences) {
            diagnostics_.report<Code::TooDeep>(from, Number{kMaxForwardReferences});
            return false;
        }
        ++depth_;
        declaration.progress = Progress::Active;
        const bool done = std::visit(
            [&](const auto& syntax) { return define(syntax, declaration); }, *declaration.syntax);
        declaration.progress = done ? Progress::Done : Progress::Failed;
        --depth_;
        if (done) {
            package_.definitions.push_back(declaration.meaning);
        }
        return done;
    }

    bool define(const idl::Constant& syntax, Declaration& declaration) {
        const TypeUse use = type(syntax.type);
        std::optional<Integer> value = evaluate(*syntax.value, *this, diagnostics_);
        if (use.type == nullptr) {
            return false;
        }
        if (use.type->kind != Type::Kind::Integer) {
            diagnostics_.report<Code::NotAnIntegerType>(syntax.type.span, Word{use.type->text()});
            return false;
        }
        if (!value) {
            return false;
        }
        const unsigned bits = use.type->bits;
        if (!(use.type->is_signed ? value->fits_signed(bits) : value->fits_unsigned(bits))) {
            diagnostics_.report<Code::ValueOutOfRange>(
                syntax.value->span, Text{value->to_string()}, Word{use.type->text()});
            return false;
        }
        ConstantValue& constant = workspace_.constants.emplace_back();
        constant.name = syntax.name.text;
        constant.package = &package_;
        constant.span = syntax.name.span;
        constant.doc = syntax.doc;
        constant.use = use;
        constant.value = std::move(*value);
        declaration.meaning.constant = &constant;
        return true;
    }

    bool define(const idl::Typedef& syntax, Declaration& declaration) {
        const TypeUse use = type(syntax.type);
        if (use.type == nullptr) {
            return false;
        }
        Alias& alias = workspace_.aliases.emplace_back();
        alias.name = syntax.name.text;
        alias.package = &package_;
        alias.span = syntax.name.span;
        alias.doc = syntax.doc;
        alias.use = use;
        declaration.meaning.alias = &alias;
        return true;
    }

    bool define(const idl::Record& syntax, Declaration& declaration) {
        Type record;
        const bool is_struct = syntax.kind == idl::Record::Kind::Struct;
        record.kind = is_struct ? Type::Kind::Struct : Type::Kind::Union;
        record.name = syntax.name.text;
        record.package = &package_;
        record.span = syntax.name.span;
        record.doc = syntax.doc;
        if (!syntax.is_complete) {
            return false;
        }
        if (syntax.members.empty()) {
            diagnostics_.report<Code::EmptyType>(
                syntax.name.span, Text{is_struct ? "struct" : "union"}, Word{syntax.name.text});
            return false;
        }
        bool complete = true;
        NamePlaces names;
        for (const idl::Member& member : syntax.members) {
            Field field;
            field.name = member.name.text;
            field.span = member.name.span;
            field.doc = member.doc;
            field.use = type(member.type);
            complete = complete && field.use.type != nullptr;
            complete = is_new(field, names, "member") && complete;
            record.fields.push_back(std::move(field));
        }
        if (!complete) {
            return false;
        }
        lay_out(record, diagnostics_);
        declaration.meaning.record = &workspace_.types.emplace_back(std::move(record));
        return true;
    }

    using NamePlaces = std::map<std::string, Span>;

    bool is_new(const Field& field, NamePlaces& others, std::string_view what) {
        const auto [first, fresh] = others.emplace(field.name, field.span);
        if (!fresh) {
            diagnostics_.report<Code::DuplicateName>(field.span, Word{field.name}, Text{what})
                .note(first->second, "the first one");
        }
        return fresh;
    }

    // ---- types ----

    const Type* builtin(const Builtin& what) {
        const auto known = workspace_.builtins.find(what.name);
        if (known != workspace_.builtins.end()) {
            return known->second;
        }
        Type& result = workspace_.types.emplace_back();
        result.kind = what.bits == 0 ? Type::Kind::Handle : Type::Kind::Integer;
        result.bits = what.bits;
        result.is_signed = what.is_signed;
        result.name = what.name;
        lay_out(result, diagnostics_);
        workspace_.builtins.emplace(what.name, &result);
        return &result;
    }

    /// A null type when it has none; the reason was reported.
    TypeUse type(const idl::TypeExpression& syntax) {
        if (syntax.kind == idl::TypeExpression::Kind::Named) {
            return named_type(syntax.name);
        }
        Type result;
        result.span = syntax.span;
        switch (syntax.kind) {
        case idl::TypeExpression::Kind::Handle:
            result.kind = Type::Kind::Handle;
            result.interface_name = syntax.name.text();
            break;
        case idl::TypeExpression::Kind::Bytes:
            result.kind = Type::Kind::Bytes;
            break;
        case idl::TypeExpression::Kind::String:
            result.kind = Type::Kind::String;
            break;
        case idl::TypeExpression::Kind::Array:
            result.kind = Type::Kind::Array;
            break;
        default:
            result.kind = Type::Kind::Sequence;
            break;
        }
        bool complete = true;
        if (syntax.element != nullptr) {
            result.element = type(*syntax.element);
            complete = result.element.type != nullptr;
        }
        if (syntax.size != nullptr) {
            complete = size(syntax, result) && complete;
        }
        if (!complete) {
            return {};
        }
        lay_out(result, diagnostics_);
        Type& stored = workspace_.types.emplace_back(std::move(result));
        if (stored.kind == Type::Kind::Handle) {
            workspace_.pending_handles.push_back({&stored, syntax.name.span});
        }
        return {&stored, nullptr};
    }

    bool size(const idl::TypeExpression& syntax, Type& result) {
        const std::optional<Integer> value = evaluate(*syntax.size, *this, diagnostics_);
        if (!value) {
            return false;
        }
        if (*value < Integer{1} || *value > Integer{kMaxCount}) {
            static constexpr std::string_view kNames[] = {
                "", "bytes", "string", "array", "sequence"};
            diagnostics_.report<Code::BadSize>(syntax.size->span,
                                               Text{value->to_string()},
                                               Word{kNames[static_cast<std::size_t>(syntax.kind)]});
            return false;
        }
        result.count = static_cast<std::uint32_t>(value->low_bits());
        return true;
    }

    TypeUse named_type(const QualifiedName& name) {
        if (name.is_empty()) {
            return {};
        }
        if (name.segments.size() == 1) {
            if (const Builtin* what = find_builtin(name.last().text)) {
                return {builtin(*what), nullptr};
            }
        }
        Declaration* declaration = find(name);
        if (declaration == nullptr) {
            diagnostics_.report<Code::UnknownType>(name.span, Word{name.text()})
                .hint(closest(name.text(), visible_names("type")));
            return {};
        }
        if (declaration->what == "constant") {
            diagnostics_
                .report<Code::NotAType>(name.span, Word{name.text()}, Text{declaration->what})
                .note(declaration->span, "declared here");
            return {};
        }
        if (!resolve(name.text(), *declaration, name.span)) {
            return {};
        }
        if (const Alias* alias = declaration->meaning.alias) {
            return {alias->use.type, alias};
        }
        return {declaration->meaning.record, nullptr};
    }

    // ---- the interface ----

    void interface(const idl::Interface& syntax) {
        package_.has_interface = true;
        for (const idl::Method& method : syntax.methods) {
            if (package_.methods.size() == kMaxMethods) {
                diagnostics_.report<Code::TooManyMethods>(
                    method.name.span, Word{package_.name}, Number{kMaxMethods});
                break;
            }
            add_method(method);
        }
        for (const Method& method : package_.methods) {
            package_.maxima.include(method);
        }
        read_tags(syntax.doc);
    }

    /// Words from a tag on are names of methods; what stands before the first is the comment.
    void read_tags(const std::string& doc) {
        std::istringstream lines{doc};
        auto reach = Reach::Unstated;
        for (std::string line; std::getline(lines, line);) {
            std::istringstream words{line};
            bool is_tagged = reach != Reach::Unstated;
            for (std::string word; words >> word;) {
                if (word == "@safe" || word == "@dangerous") {
                    reach = word == "@safe" ? Reach::Safe : Reach::Dangerous;
                    is_tagged = true;
                    continue;
                }
                for (Method& method : package_.methods) {
                    method.reach = method.name == word && is_tagged ? reach : method.reach;
                }
            }
            if (!is_tagged) {
                package_.interface_doc += (package_.interface_doc.empty() ? "" : "\n") + line;
            }
        }
    }

    void add_method(const idl::Method& syntax) {
        const Method* first = package_.find_method(syntax.name.text);
        if (first != nullptr) {
            diagnostics_
                .report<Code::DuplicateName>(
                    syntax.name.span, Word{syntax.name.text}, Text{"method"})
                .note(first->span, "the first one");
            return;
        }
        Method method;
        method.name = syntax.name.text;
        method.span = syntax.name.span;
        method.doc = syntax.doc;
        method.id = static_cast<std::uint16_t>(package_.methods.size());
        add_parameters(syntax, method);
        method.error.exists = !method.error.fields.empty();
        lay_out(method.request, method.span, method.name, "request", diagnostics_);
        lay_out(method.response, method.span, method.name, "response", diagnostics_);
        lay_out(method.error, method.span, method.name, "error", diagnostics_);
        package_.methods.push_back(std::move(method));
    }

    void add_parameters(const idl::Method& syntax, Method& method) {
        static constexpr std::string_view kWords[] = {"in", "out", "error"};
        NamePlaces names[3];
        auto latest = idl::Direction::In;
        for (const idl::Parameter& parameter : syntax.parameters) {
            if (parameter.direction < latest) {
                diagnostics_.report<Code::ParameterOrder>(
                    parameter.direction_span,
                    Word{kWords[static_cast<std::size_t>(parameter.direction)]},
                    Text{kWords[static_cast<std::size_t>(latest)]});
            }
            latest = std::max(latest, parameter.direction);
            Message& message = parameter.direction == idl::Direction::In    ? method.request
                               : parameter.direction == idl::Direction::Out ? method.response
                                                                            : method.error;
            Field field;
            field.name = parameter.name.text;
            field.span = parameter.name.span;
            field.use = type(parameter.type);
            const bool fresh =
                is_new(field, names[static_cast<std::size_t>(parameter.direction)], "parameter");
            if (fresh && field.use.type != nullptr) {
                message.fields.push_back(std::move(field));
            }
        }
    }

    Workspace::Impl& workspace_;
    Diagnostics& diagnostics_;
    PackageEntry& entry_;
    Package& package_;
    std::vector<PackageEntry*> imports_;
    std::set<std::string, std::less<>> warned_;
    unsigned depth_ = 0;
};

}  // namespace

void resolve_package(Workspace::Impl& workspace, PackageEntry& entry) {
    Resolver{workspace, entry}.run();
}

std::string Type::text() const {
    const auto part = [](const TypeUse& use) {
        return use.alias != nullptr  ? use.alias->name
               : use.type == nullptr ? std::string{"?"}
                                     : use.type->text();
    };
    const std::string number = std::to_string(count);
    switch (kind) {
    case Kind::Bytes:
        return "bytes<" + number + ">";
    case Kind::String:
        return "string<" + number + ">";
    case Kind::Array:
        return "array<" + part(element) + ", " + number + ">";
    case Kind::Sequence:
    case Kind::List:
        return "sequence<" + part(element) + ", " + number + ">";
    case Kind::Handle:
        return interface_name.empty() ? "Handle" : "handle<" + interface_name + ">";
    default:
        return name;
    }
}

}  // namespace sdk::lang
