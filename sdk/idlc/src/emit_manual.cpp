// SPDX-License-Identifier: Apache-2.0
#include "emit_manual.hpp"

#include <algorithm>
#include <runtime/status_text.hpp>
#include <sstream>
#include <vector>

namespace sdk::idlc {

namespace {

constexpr std::size_t kColumns = 120;

using lang::Field;
using lang::Method;
using lang::Package;
using lang::Reach;

std::string_view last_word(std::string_view dotted) {
    return dotted.substr(dotted.rfind('.') + 1);  // npos + 1 is 0
}

std::string_view word_of(Reach reach) {
    return reach == Reach::Safe ? "safe" : reach == Reach::Dangerous ? "dangerous" : "unstated";
}

/// `text` in lines of at most kColumns, the first behind `head`, the others behind blanks.
std::string filled(std::string_view text, const std::string& head = {}) {
    std::string result = head;
    std::size_t column = head.size();
    bool is_first = true;
    std::istringstream words{std::string{text}};
    for (std::string word; words >> word;) {
        if (!is_first && column + 1 + word.size() > kColumns) {
            result += "\n" + std::string(head.size(), ' ');
            column = head.size();
            is_first = true;
        }
        result += (is_first ? "" : " ") + word;
        column += word.size() + (is_first ? 0 : 1);
        is_first = false;
    }
    return result + "\n";
}

/// The text of a cell: one line, no bars.
std::string cell(std::string_view text) {
    std::string result;
    for (const char c : text) {
        result += c == '\n' ? " " : c == '|' ? "\\|" : std::string(1, c);
    }
    return result;
}

bool is_status(std::string_view word) {
    constexpr int kFirst = static_cast<int>(base::Status::Fail);
    for (int code = kFirst; name_of(base::Status{code}) != "unknown"; --code) {
        if (name_of(base::Status{code}) == word) {
            return true;
        }
    }
    return false;
}

/// Whether all that stands before the colon or the end is names of results: "Busy, Timeout: why".
bool is_error(std::string_view sentence) {
    std::string head{sentence.substr(0, sentence.find(':'))};
    for (const char mark : {',', '.'}) {
        std::ranges::replace(head, mark, ' ');
    }
    std::istringstream words{head};
    bool is_any = false;
    for (std::string word; words >> word;) {
        if (!is_status(word)) {
            return false;
        }
        is_any = true;
    }
    return is_any;
}

/// Sentences end in a period before a blank and a capital letter, or at the end.
std::vector<std::string> sentences_of(std::string_view text) {
    const std::string line = cell(text);
    std::vector<std::string> result;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const bool is_last = i + 1 == line.size();
        const bool is_end =
            is_last || (line[i] == '.' && line[i + 1] == ' ' && i + 2 < line.size() &&
                        line[i + 2] >= 'A' && line[i + 2] <= 'Z');
        if (is_end) {
            result.push_back(line.substr(begin, i + 1 - begin));
            begin = i + 2;
        }
    }
    return result;
}

std::string type_of(const Field& field) {
    return field.use.alias != nullptr ? field.use.alias->name : field.type().text();
}

void add_parameters(std::string& page, const Method& method) {
    if (method.request.fields.empty() && method.response.fields.empty()) {
        return;
    }
    page += "| parameter | | type |\n|---|---|---|\n";
    const auto add = [&](const lang::Message& message, std::string_view direction) {
        for (const Field& field : message.fields) {
            page += "| `" + field.name + "` | " + std::string{direction} + " | `" +
                    cell(type_of(field)) + "` |\n";
        }
    };
    add(method.request, "in");
    add(method.response, "out");
    add(method.error, "error");
    page += "\n";
}

std::string size_of(const lang::Message& message) {
    if (message.fields.empty()) {
        return "nothing";
    }
    std::string text = std::to_string(message.fixed_size) + " bytes";
    if (message.is_short()) {
        return text + " in registers";
    }
    if (message.arena_max != 0) {
        text += " and up to " + std::to_string(message.arena_max) + " behind them";
    }
    if (message.handle_count != 0) {
        text += message.handle_count == 1
                    ? ", a handle"
                    : ", " + std::to_string(message.handle_count) + " handles";
    }
    return text;
}

void add_doc(std::string& page, std::string_view doc) {
    std::string said;
    std::vector<std::string> errors;
    for (std::string& sentence : sentences_of(doc)) {
        if (is_error(sentence)) {
            errors.push_back(std::move(sentence));
        } else {
            // What follows an error and is none explains it further.
            std::string& part = errors.empty() ? said : errors.back();
            part += (part.empty() ? "" : " ") + sentence;
        }
    }
    if (!said.empty()) {
        page += filled(said) + "\n";
    }
    for (const std::string& error : errors) {
        const std::size_t colon = std::min(error.find(':'), error.rfind('.'));
        page += filled("**" + error.substr(0, colon) + "**" + error.substr(colon), "- ");
    }
    page += errors.empty() ? "" : "\n";
}

void add_method(std::string& page, const Method& method) {
    page += "### " + method.name + "\n\n";
    page += "Method " + std::to_string(method.id) + ", " + std::string{word_of(method.reach)} +
            ". Request: " + size_of(method.request) + "; response: " + size_of(method.response) +
            ".\n\n";
    add_parameters(page, method);
    add_doc(page, method.doc);
}

void add_definitions(std::string& page, const Package& package) {
    std::string constants;
    std::string types;
    for (const lang::Definition& definition : package.definitions) {
        if (const lang::ConstantValue* constant = definition.constant) {
            constants += "| `" + constant->name + "` | " + constant->value.to_string() + " | " +
                         cell(constant->doc) + " |\n";
        } else if (const lang::Type* record = definition.record) {
            types += "`" + record->name + "`, " + std::to_string(record->size) + " bytes" +
                     (record->doc.empty() ? "" : ". ") + cell(record->doc) +
                     "\n\n| member | type | at | |\n|---|---|---|---|\n";
            for (const Field& field : record->fields) {
                types += "| `" + field.name + "` | `" + cell(type_of(field)) + "` | " +
                         std::to_string(field.offset) + " | " + cell(field.doc) + " |\n";
            }
            types += "\n";
        } else if (definition.alias != nullptr) {
            types += "`" + definition.alias->name + "` is `" + definition.alias->use.type->text() +
                     "`. " + cell(definition.alias->doc) + "\n\n";
        }
    }
    if (!constants.empty()) {
        page += "## Constants\n\n| name | value | |\n|---|---|---|\n" + constants + "\n";
    }
    if (!types.empty()) {
        page += "## Types\n\n" + types;
    }
}

}  // namespace

std::string manual_file(const lang::Package& interface) {
    return std::string{last_word(interface.name)} + ".md";
}

std::string emit_manual_page(const lang::ProcessClass& process, const lang::Endpoint& endpoint) {
    const Package& package = *endpoint.interface;
    std::string page = "<!-- Made by idlc --manual from the comments of the description. -->\n# " +
                       package.name + "\n\nEndpoint " + std::to_string(endpoint.id) + ", `" +
                       endpoint.path + "`, of `" + process.name + "`.\n\n";
    for (const std::string& doc : {package.doc, package.interface_doc}) {
        page += doc.empty() ? "" : filled(doc) + "\n";
    }
    add_definitions(page, package);
    page += "## Methods\n\n";
    for (const Method& method : package.methods) {
        add_method(page, method);
    }
    while (page.ends_with("\n\n")) {
        page.pop_back();
    }
    return page;
}

std::string emit_manual_index(const lang::ProcessClass& process) {
    std::string page = "<!-- Made by idlc --manual from the comments of the description. -->\n# " +
                       process.name + "\n\n" +
                       filled("Its endpoints, each with the methods that reach no further than "
                              "their caller, what it holds handles to and its own budget, and "
                              "with those that do.") +
                       "\n| | interface | safe | dangerous |\n|---|---|---|---|\n";
    for (const lang::Endpoint& endpoint : process.endpoints) {
        const Package& package = *endpoint.interface;
        page += "| " + std::to_string(endpoint.id) + " | [" + std::string{last_word(package.name)} +
                "](" + manual_file(package) + ") | ";
        for (const Reach reach : {Reach::Safe, Reach::Dangerous}) {
            std::string names;
            for (const Method& method : package.methods) {
                if (method.reach == reach) {
                    names += (names.empty() ? "" : ", ") + method.name;
                }
            }
            page += names + (reach == Reach::Safe ? " | " : " |\n");
        }
    }
    return page;
}

}  // namespace sdk::idlc
