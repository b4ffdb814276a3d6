// SPDX-License-Identifier: Apache-2.0
// Recursive descent over EDL and CDL. Entries have no separator: one ends where the next
// `name :` begins.
#include <lang/cursor.hpp>
#include <lang/idl_parser.hpp>

namespace sdk::lang::idl {

namespace {

class ClassParser final {
public:
    ClassParser(std::uint32_t file,
                ClassFile::Kind kind,
                const Tokens& tokens,
                Diagnostics& diagnostics)
        : cursor_(tokens, diagnostics) {
        result_.source = file;
        result_.kind = kind;
    }

    ClassFile run() {
        if (!header()) {
            return std::move(result_);
        }
        while (!cursor_.at_end()) {
            const std::size_t before = cursor_.index();
            stray();
            if (!cursor_.at_end() && !section()) {
                cursor_.skip_statement();
            }
            if (cursor_.index() == before) {
                cursor_.take();
            }
        }
        return std::move(result_);
    }

private:
    bool header() {
        result_.doc = cursor_.comment_before();
        const bool process = result_.kind == ClassFile::Kind::Process;
        if (cursor_.at_end()) {
            cursor_.diagnostics().report<Code::EmptyFile>(
                cursor_.peek().span, Text{process ? "task class" : "component"});
            return false;
        }
        if (process && cursor_.at_word("task") && cursor_.at_word("class", 1)) {
            cursor_.take();
            cursor_.take();
        } else if (!cursor_.accept_word(process ? "entity" : "component")) {
            cursor_.report_expected(process ? "'entity' or 'task class' and a name"
                                            : "'component' and a name",
                                    {process ? "entity" : "component"});
            return false;
        }
        std::optional<QualifiedName> name = cursor_.expect_qualified("the name of the class");
        if (!name) {
            return false;
        }
        result_.name = std::move(*name);
        return true;
    }

    void stray() {
        while (cursor_.at_sign(",") || cursor_.at_sign(";")) {
            const Token token = cursor_.take();
            cursor_.diagnostics().report<Code::StraySeparator>(token.span, Word{token.text});
        }
    }

    bool section() {
        Section section;
        section.span = cursor_.peek().span;
        if (cursor_.accept_word("components")) {
            section.kind = Section::Kind::Components;
        } else if (cursor_.accept_word("endpoints") || cursor_.accept_word("interfaces")) {
            section.kind = Section::Kind::Endpoints;
        } else if (cursor_.accept_word("security")) {
            section.kind = Section::Kind::Security;
        } else {
            cursor_.report_expected("components, endpoints or security",
                                    {"components", "endpoints", "security", "interfaces"});
            return false;
        }
        const bool parsed =
            section.kind == Section::Kind::Security ? security(section) : instances(section);
        if (!parsed) {
            return false;
        }
        for (const Section& other : result_.sections) {
            if (other.kind == section.kind) {
                cursor_.diagnostics()
                    .report<Code::DuplicateSection>(
                        section.span, Word{cursor_.diagnostics().sources().text(section.span)})
                    .note(other.span, "the first one");
                return true;
            }
        }
        result_.sections.push_back(std::move(section));
        return true;
    }

    bool security(Section& section) {
        std::optional<QualifiedName> name = cursor_.expect_qualified("an interface's name");
        if (name) {
            section.security = std::move(*name);
        }
        return name.has_value();
    }

    bool instances(Section& section) {
        if (!cursor_.expect_sign("{", "after the section's name")) {
            return false;
        }
        for (stray(); !cursor_.at_end() && !cursor_.at_sign("}"); stray()) {
            if (!instance(section)) {
                recover_instance();
            }
        }
        return cursor_.expect_sign("}", "at the end of the section");
    }

    bool instance(Section& section) {
        Instance result;
        result.doc = cursor_.comment_before();
        std::optional<Name> name = cursor_.expect_name("a name or '}'");
        if (!name || !cursor_.expect_sign(":", "and a type after the name")) {
            return false;
        }
        if (cursor_.at(TokenKind::Word) && cursor_.at_sign(":", 1)) {
            cursor_.report_expected("a type, not the next entry");
            return false;
        }
        std::optional<QualifiedName> type = cursor_.expect_qualified(
            section.kind == Section::Kind::Components ? "a component's name"
                                                      : "an interface's name");
        if (!type) {
            return false;
        }
        result.name = std::move(*name);
        result.type = std::move(*type);
        if (result.doc.empty()) {
            result.doc = cursor_.comment_behind();
        }
        section.instances.push_back(std::move(result));
        return true;
    }

    /// Goes on at the next `name :` or at the end of the section.
    void recover_instance() {
        while (!cursor_.at_end() && !cursor_.at_sign("}")) {
            if (cursor_.at(TokenKind::Word) && cursor_.at_sign(":", 1)) {
                return;
            }
            cursor_.take();
        }
    }

    Cursor cursor_;
    ClassFile result_;
};

}  // namespace

ClassFile parse_class(std::uint32_t file, ClassFile::Kind kind, Diagnostics& diagnostics) {
    const Tokens tokens = tokenize(file, diagnostics);
    ClassParser parser{file, kind, tokens, diagnostics};
    return tokens.is_given_up ? ClassFile{} : parser.run();
}

}  // namespace sdk::lang::idl
