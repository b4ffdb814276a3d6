// SPDX-License-Identifier: Apache-2.0
#include "start_description.hpp"

#include <algorithm>
#include <map>
#include <sdk/imagec/component.hpp>

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

}  // namespace

std::vector<Channel> read_channels(const std::string& path,
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
        for (const imagec::Diagnostic& failure : parsed.failures()) {
            diagnostics.report<Code::InitFile>(span_at(sources, file, failure.line, failure.column),
                                               Text{failure.cause});
        }
        return {};
    }
    std::map<std::string, std::string> classes;  // by task
    for (const imagec::Component& component : parsed.value()) {
        classes[component.task] = component.class_name;
    }
    std::vector<Channel> channels;
    for (const imagec::Component& component : parsed.value()) {
        for (const imagec::Connection& connection : component.connections) {
            const lang::Span span =
                span_at(sources, file, connection.origin.line, connection.origin.column);
            const auto target = classes.find(connection.target);
            if (target != classes.end()) {
                channels.push_back({component.class_name, target->second, connection.id, span});
            } else if (connection.target != imagec::kKernelTask) {
                diagnostics.report<Code::InitFile>(
                    span, Text{"there is no task '" + connection.target + "' to connect to"});
            }
        }
    }
    return channels;
}

}  // namespace sdk::policyc
