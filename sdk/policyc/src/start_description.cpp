// SPDX-License-Identifier: Apache-2.0
#include "start_description.hpp"

#include <algorithm>
#include <map>

namespace sdk::policyc {

using lang::Code;
using lang::Text;

namespace {

/// The rest of a line from a place on; the whole file for line 0.
lang::Span span_at(const lang::Sources& sources,
                   std::uint32_t file,
                   std::uint32_t line,
                   std::uint32_t column) {
    const lang::Source& source = sources.get(file);
    const std::uint32_t begin = source.line_begin(std::max(line, 1u)) + std::max(column, 1u) - 1;
    const auto end = static_cast<std::uint32_t>(source.line_begin(std::max(line, 1u)) +
                                                source.line(std::max(line, 1u)).size());
    return {file, std::min(begin, end), end};
}

void report(const std::vector<imagec::Diagnostic>& failures,
            std::uint32_t file,
            const lang::Sources& sources,
            lang::Diagnostics& diagnostics) {
    for (const imagec::Diagnostic& failure : failures) {
        diagnostics.report<Code::InitFile>(span_at(sources, file, failure.line, failure.column),
                                           Text{failure.cause});
    }
}

}  // namespace

StartDescription read_start(const std::string& path,
                            const std::vector<std::string>& include_directories,
                            lang::Sources& sources,
                            lang::Diagnostics& diagnostics) {
    std::optional<std::string> text = lang::read_file(path, {}, diagnostics);
    if (!text) {
        return {};
    }
    const std::uint32_t file = sources.add(path, std::move(*text));
    const auto parsed =
        imagec::parse_init_yaml(std::string(sources.get(file).text()), path, include_directories);
    if (!parsed.ok()) {
        report(parsed.failures(), file, sources, diagnostics);
        return {};
    }
    report(imagec::find_lost_connections(parsed.value()), file, sources, diagnostics);
    return describe_start(parsed.value(), file, sources);
}

StartDescription describe_start(const std::vector<imagec::Component>& entities,
                                std::uint32_t file,
                                const lang::Sources& sources) {
    const auto span_of = [&](const imagec::Origin& origin) {
        return span_at(sources, file, origin.line, origin.column);
    };
    StartDescription start;
    std::map<std::string, std::string> classes;  // by task
    for (const imagec::Component& entity : entities) {
        start.tasks.push_back({entity.class_name, span_of(entity.origin)});
        classes[entity.task] = entity.class_name;
    }
    for (const imagec::Component& entity : entities) {
        for (const imagec::Connection& connection : entity.connections) {
            if (const auto target = classes.find(connection.target); target != classes.end()) {
                start.channels.push_back(
                    {entity.class_name, target->second, connection.id, span_of(connection.origin)});
            }
        }
    }
    return start;
}

}  // namespace sdk::policyc
