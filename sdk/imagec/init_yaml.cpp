// SPDX-License-Identifier: Apache-2.0
// init.yaml: shape and values are judged key by key, so that each refusal has its line. A refusal
// ends the judgement of one key or list element; the next one is judged all the same, until there
// are more refusals than anyone reads. Scalars are taken as text whatever they look like: an
// environment value 010 stays 010.
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <functional>
#include <lang/diagnostics.hpp>
#include <map>
#include <sdk/imagec/component.hpp>
#include <set>
#include <sstream>
#include <yaml-cpp/yaml.h>

namespace sdk::imagec {

namespace {

constexpr std::size_t kMaxYamlSize = std::size_t{1} << 20;
constexpr std::size_t kMostRefusals = 20;

/// Tokens begin with a capital letter; names of classes, with their dots, may be parts of them.
bool is_token_part(char c, bool is_first) {
    const bool may_begin = (c >= 'A' && c <= 'Z') || c == '_';
    return may_begin ||
           (!is_first && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.'));
}

/// A template token that nobody substituted (@NAME@, @NAME+@, {{, {%, $<) with its column; empty
/// text when the line has none. Comments may hold any.
std::pair<std::uint32_t, std::string> find_token(std::string_view line) {
    const auto comment = line.starts_with('#') ? 0 : line.find(" #");
    const auto code = line.substr(0, comment);
    for (std::size_t at = 0; at < code.size(); ++at) {
        const auto column = static_cast<std::uint32_t>(at + 1);
        const auto pair = code.substr(at, 2);
        if (pair == "{{" || pair == "{%" || pair == "$<") {
            return {column, std::string(pair)};
        }
        if (code[at] != '@') {
            continue;
        }
        auto end = at + 1;
        while (end < code.size() && is_token_part(code[end], end == at + 1)) {
            ++end;
        }
        const auto closing = end < code.size() && code[end] == '+' ? end + 1 : end;
        if (end > at + 1 && closing < code.size() && code[closing] == '@') {
            return {column, std::string(code.substr(at, closing + 1 - at))};
        }
    }
    return {0, {}};
}

/// The string that one line of a C header gives `macro`: #define MACRO "text".
std::optional<std::string> find_definition(const std::string& line, std::string_view macro) {
    std::istringstream words(line);
    std::string directive;
    std::string name;
    words >> directive;
    if (directive == "#") {
        words >> name;
        directive += name;
    }
    words >> name;
    const auto open = line.find('"');
    const auto close = line.find('"', open == std::string::npos ? open : open + 1);
    if (directive != "#define" || name != macro || close == std::string::npos ||
        line.find('\\') != std::string::npos || close == open + 1) {
        return std::nullopt;
    }
    return line.substr(open + 1, close - open - 1);
}

class YamlReader {
public:
    YamlReader(const std::string& name,
               const std::vector<std::string>& include_folders,
               MacroIds macros)
        : name_(name), include_folders_(include_folders), macros_(macros) {}

    Outcome<std::vector<Component>> read(const std::string& text) {
        IMAGEC_TRY(check_text(text));
        YAML::Node document;
        try {
            document = YAML::Load(text);
        } catch (const YAML::Exception& error) {
            return refuse(error.mark,
                          Code::YamlSyntax,
                          fmt::format("is not YAML here: {}", error.msg),
                          "check indentation, quotes and colons");
        }
        if (!document.IsMap() || document.size() == 0) {
            return refuse(document.Mark(),
                          Code::YamlShape,
                          "does not begin with 'entities:'",
                          "write 'entities:' and under it a list of processes");
        }
        note(visit_map(
            document,
            {"entities", kManagerKey},
            "the file",
            [&](const std::string& key, const YAML::Node& value) { return read_key(key, value); }));
        if (!refusals_.empty()) {
            return std::move(refusals_);
        }
        for (Component& component : components_) {
            component.dynamic_channels = component.dynamic_channels || all_dynamic_;
        }
        return std::move(components_);
    }

private:
    using Visit = std::function<Completion(const std::string& key, const YAML::Node& value)>;

    static constexpr const char* kManagerKey = "dynamic_connection_manager";

    void note(const Completion& completion) {
        if (!completion.ok() && !has_enough()) {
            refusals_.push_back(completion.failure());
        }
    }

    [[nodiscard]] bool has_enough() const { return refusals_.size() == kMostRefusals; }

    [[nodiscard]] Origin origin_of(const YAML::Mark& mark) const {
        if (mark.is_null()) {
            return Origin{.file = name_};
        }
        return Origin{.file = name_,
                      .line = static_cast<std::uint32_t>(mark.line + 1),
                      .column = static_cast<std::uint32_t>(mark.column + 1)};
    }

    [[nodiscard]] Diagnostic
    refuse(const YAML::Mark& mark, Code code, std::string cause, std::string way_out) const {
        return refuse_at(origin_of(mark), code, std::move(cause), std::move(way_out));
    }

    /// Size, and template tokens that nobody has substituted.
    [[nodiscard]] Completion check_text(const std::string& text) {
        if (text.size() > kMaxYamlSize) {
            return refuse(YAML::Mark::null_mark(),
                          Code::FileTooLarge,
                          fmt::format("{} bytes are too much for an init.yaml", text.size()),
                          "keep it below 1 MiB");
        }
        std::istringstream lines(text);
        std::string line;
        for (std::uint32_t number = 1; std::getline(lines, line); ++number) {
            const auto [column, token] = find_token(line);
            if (!token.empty()) {
                note(refuse_at(Origin{.file = name_, .line = number, .column = column},
                               Code::YamlToken,
                               fmt::format("template token '{}' was not substituted", token),
                               "pass the init.yaml that the build makes of the template, or check "
                               "the template "
                               "with './tessera policy check -D NAME=text'"));
            }
        }
        if (!refusals_.empty()) {
            return std::move(refusals_);
        }
        return Done{};
    }

    /// Refuses the node itself; what is wrong inside is noted.
    [[nodiscard]] Completion visit_map(const YAML::Node& node,
                                       const std::set<std::string>& keys,
                                       std::string_view what,
                                       const Visit& visit) {
        if (!node.IsMap()) {
            return refuse(node.Mark(),
                          Code::YamlShape,
                          fmt::format("{} must be a map of 'key: value'", what),
                          keys.empty() ? "write each entry as 'key: value'"
                                       : fmt::format("known keys: {}", fmt::join(keys, ", ")));
        }
        std::set<std::string> seen;
        for (const auto& entry : node) {
            if (has_enough()) {
                break;
            }
            const auto key = entry.first.IsScalar() ? entry.first.Scalar() : std::string{};
            if (!keys.empty() && !keys.contains(key)) {
                note(refuse_key(entry.first.Mark(), key, keys, what));
            } else if (!seen.insert(key).second) {
                note(refuse(entry.first.Mark(),
                            Code::YamlKeyTwice,
                            fmt::format("key '{}' occurs twice in {}", key, what),
                            "remove or merge one of them"));
            } else {
                note(visit(key, entry.second));
            }
        }
        return Done{};
    }

    [[nodiscard]] Diagnostic refuse_key(const YAML::Mark& mark,
                                        const std::string& key,
                                        const std::set<std::string>& keys,
                                        std::string_view what) const {
        const std::string meant = lang::closest(key, {keys.begin(), keys.end()});
        return refuse(mark,
                      Code::YamlUnknownKey,
                      fmt::format("unknown key '{}' in {}{}",
                                  key,
                                  what,
                                  meant.empty() ? "" : ", did you mean '" + meant + "'?"),
                      fmt::format("known keys: {}; priority, memory, restart rule and "
                                  "devices go to /components/<task> nodes",
                                  fmt::join(keys, ", ")));
    }

    /// Refuses the node itself; what is wrong inside is noted.
    [[nodiscard]] Completion visit_list(const YAML::Node& node,
                                        std::string_view what,
                                        const std::function<Completion(const YAML::Node&)>& visit) {
        if (node.IsNull()) {
            return Done{};
        }
        if (!node.IsSequence()) {
            return refuse(node.Mark(),
                          Code::YamlShape,
                          fmt::format("'{}' must be a list", what),
                          "begin each element with '- '");
        }
        for (const auto& element : node) {
            if (has_enough()) {
                break;
            }
            note(visit(element));
        }
        return Done{};
    }

    [[nodiscard]] Outcome<std::string> read_text(const YAML::Node& node,
                                                 std::string_view what) const {
        if (node.IsNull()) {
            return std::string{};
        }
        if (!node.IsScalar() || node.Scalar().find('\0') != std::string::npos) {
            return refuse(node.Mark(),
                          Code::YamlValueInvalid,
                          fmt::format("{} must be one text without NUL characters", what),
                          "write a single value, in quotes if need be");
        }
        return node.Scalar();
    }

    /// A key of the file itself.
    Completion read_key(const std::string& key, const YAML::Node& value) {
        if (key == kManagerKey) {
            return read_manager(value, all_dynamic_);
        }
        if (value.IsSequence() && value.size() > kMaxTasks) {
            return refuse(value[kMaxTasks].Mark(),
                          Code::TooManyTasks,
                          fmt::format("more than {} tasks", kMaxTasks),
                          "merge components, or start fewer");
        }
        return visit_list(value, key, [&](const YAML::Node& node) { return read_entity(node); });
    }

    [[nodiscard]] Completion read_manager(const YAML::Node& value, bool& is_wanted) const {
        IMAGEC_TRY_VALUE(const auto text, read_text(value, fmt::format("'{}'", kManagerKey)));
        if (text != "true" && text != "false") {
            return refuse(value.Mark(),
                          Code::YamlValueInvalid,
                          fmt::format("'{}' is neither true nor false", kManagerKey),
                          "write true for programs that ask kl.core.CM for channels while they "
                          "run, else leave it out");
        }
        is_wanted = text == "true";
        return Done{};
    }

    Completion read_entity(const YAML::Node& node) {
        const std::size_t earlier = refusals_.size();
        Component component{.origin = origin_of(node.Mark())};
        IMAGEC_TRY(visit_map(node,
                             {"name",
                              "task",
                              "path",
                              "args",
                              "env",
                              "connections",
                              "cmake_generated_connections",
                              kManagerKey},
                             "an entity",
                             [&](const std::string& key, const YAML::Node& value) {
                                 return read_entity_key(component, key, value);
                             }));
        if (refusals_.size() != earlier) {
            return Done{};  // what seems to be missing may be what was refused
        }
        if (component.class_name.empty()) {
            return refuse(node.Mark(),
                          Code::EntityNameMissing,
                          "an entity has no 'name'",
                          "name its process class, e.g. 'name: lab.Plant'");
        }
        if (component.task.empty()) {
            component.task = component.class_name;
        }
        if (component.program.empty()) {
            const auto& name = component.class_name;
            component.program =
                name.substr(name.rfind('.') == std::string::npos ? 0 : name.rfind('.') + 1);
        }
        if (!tasks_.emplace(component.task, component.origin.line).second) {
            return refuse(node.Mark(),
                          Code::TaskTwice,
                          fmt::format("task '{}' exists already (line {})",
                                      component.task,
                                      tasks_[component.task]),
                          "give this entity a 'task:' name of its own");
        }
        components_.push_back(std::move(component));
        return Done{};
    }

    Completion
    read_entity_key(Component& component, const std::string& key, const YAML::Node& value) {
        if (key == "name" || key == "task" || key == "path") {
            IMAGEC_TRY_VALUE(const auto text, read_text(value, fmt::format("'{}'", key)));
            if (key == "name" && !is_qualified_name(text)) {
                return refuse(value.Mark(),
                              Code::YamlValueInvalid,
                              fmt::format("'{}' is no class name", text),
                              "use dotted identifiers of at most 63 characters, e.g. lab.Plant");
            }
            if (key == "task" && !is_task_name(text)) {
                return refuse(value.Mark(),
                              Code::YamlValueInvalid,
                              fmt::format("'{}' is no task name", text),
                              "use 1 to 63 characters of [A-Za-z0-9._+-]");
            }
            (key == "name" ? component.class_name
                           : (key == "task" ? component.task : component.program)) = text;
            return Done{};
        }
        if (key == "args") {
            return visit_list(value, key, [&](const YAML::Node& element) -> Completion {
                IMAGEC_TRY_VALUE(auto text, read_text(element, "an argument"));
                component.arguments.push_back(std::move(text));
                return Done{};
            });
        }
        if (key == "env") {
            return read_environment(component, value);
        }
        if (key == kManagerKey) {
            return read_manager(value, component.dynamic_channels);
        }
        if (value.IsSequence() && component.connections.size() + value.size() > kMaxConnections) {
            return refuse(value.Mark(),
                          Code::YamlShape,
                          fmt::format("more than {} connections of one task", kMaxConnections),
                          "split the component");
        }
        return visit_list(value, key, [&](const YAML::Node& element) {
            return read_connection(component, element);
        });
    }

    Completion read_environment(Component& component, const YAML::Node& value) {
        if (value.IsNull()) {
            return Done{};
        }
        return visit_map(
            value, {}, "'env'", [&](const std::string& key, const YAML::Node& entry) -> Completion {
                if (key.empty() || key.find('=') != std::string::npos ||
                    key.find('\0') != std::string::npos) {
                    return refuse(entry.Mark(),
                                  Code::YamlValueInvalid,
                                  fmt::format("'{}' is no name of an environment variable", key),
                                  "use a name without '='");
                }
                IMAGEC_TRY_VALUE(const auto text, read_text(entry, fmt::format("'{}'", key)));
                component.environment.push_back(key + "=" + text);
                return Done{};
            });
    }

    Completion read_connection(Component& component, const YAML::Node& node) {
        const std::size_t earlier = refusals_.size();
        Connection connection{.origin = origin_of(node.Mark())};
        IMAGEC_TRY(visit_map(node,
                             {"target", "id"},
                             "a connection",
                             [&](const std::string& key, const YAML::Node& value) -> Completion {
                                 if (key == "id" && value.IsMap()) {
                                     IMAGEC_TRY_VALUE(auto text, read_macro_id(value));
                                     connection.id = std::move(text);
                                     return Done{};
                                 }
                                 IMAGEC_TRY_VALUE(const auto text,
                                                  read_text(value, fmt::format("'{}'", key)));
                                 (key == "id" ? connection.id : connection.target) = text;
                                 return Done{};
                             }));
        if (refusals_.size() != earlier) {
            return Done{};
        }
        if (connection.id.empty() || connection.target.empty()) {
            return refuse(node.Mark(),
                          Code::YamlShape,
                          "a connection needs both 'target' and 'id'",
                          "write '- target: <task>' and 'id: <name>'");
        }
        const auto same_id = [&](const auto& other) { return other.id == connection.id; };
        if (std::any_of(component.connections.begin(), component.connections.end(), same_id)) {
            return refuse(node.Mark(),
                          Code::ConnectionTwice,
                          fmt::format("connection id '{}' occurs twice in one task", connection.id),
                          "give each connection of a task its own id");
        }
        component.connections.push_back(std::move(connection));
        return Done{};
    }

    /// id: {var: MACRO, include: header}: the string that the header gives the macro.
    Outcome<std::string> read_macro_id(const YAML::Node& node) {
        const std::size_t earlier = refusals_.size();
        std::string macro;
        std::string header;
        IMAGEC_TRY(visit_map(node,
                             {"var", "include"},
                             "an id",
                             [&](const std::string& key, const YAML::Node& value) -> Completion {
                                 IMAGEC_TRY_VALUE(auto text,
                                                  read_text(value, fmt::format("'{}'", key)));
                                 (key == "var" ? macro : header) = std::move(text);
                                 return Done{};
                             }));
        if (refusals_.size() != earlier) {
            return std::string{};
        }
        for (const auto& folder : include_folders_) {
            std::ifstream stream(std::filesystem::path(folder) / header);
            std::string line;
            while (std::getline(stream, line)) {
                if (auto text = find_definition(line, macro)) {
                    return std::move(*text);
                }
            }
        }
        if (macros_ == MacroIds::MayStayNames && !macro.empty()) {
            return macro;
        }
        return refuse(node.Mark(),
                      Code::ConnectionIdUnknown,
                      fmt::format("no header '{}' defines '{}' as a string", header, macro),
                      "pass the header's folder with --include, or write the id as text");
    }

    std::string name_;
    std::vector<std::string> include_folders_;
    MacroIds macros_;
    std::vector<Component> components_{};
    bool all_dynamic_ = false;  // the file asks for it, not an entity
    std::vector<Diagnostic> refusals_{};
    std::map<std::string, std::uint32_t> tasks_{};  // with the line
};

}  // namespace

Outcome<std::vector<Component>> parse_init_yaml(const std::string& text,
                                                const std::string& name,
                                                const std::vector<std::string>& include_folders,
                                                MacroIds macros) {
    return YamlReader(name, include_folders, macros).read(text);
}

}  // namespace sdk::imagec
