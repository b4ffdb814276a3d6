// SPDX-License-Identifier: Apache-2.0
#include <sdk/posix/programs.hpp>

namespace sdk::posix {

namespace {

constinit StartBlock start_block{};

/// substr() could throw, for all it knows.
std::string_view behind(std::string_view text, u64 count) {
    text.remove_prefix(count);
    return text;
}

std::string_view without_root(std::string_view path) {
    return path.starts_with('/') ? behind(path, 1) : path;
}

}  // namespace

void keep_start(const StartBlock& start) { start_block = start; }

const StartBlock& own_start() { return start_block; }

Result<std::span<const u8>> find_program(std::string_view path) {
    return start_block.file(without_root(path));
}

Result<std::string_view> find_class(std::string_view path) {
    const auto table = start_block.environment(kClassTable);
    if (!table.ok()) {
        return table.status();
    }
    const std::string_view wanted = without_root(path);
    std::string_view rest = table.value();
    std::string_view any;
    while (!rest.empty()) {
        const std::string_view entry = rest.substr(0, rest.find(' '));
        rest.remove_prefix(entry.size() == rest.size() ? rest.size() : entry.size() + 1);
        const auto equals = entry.find('=');
        if (equals == std::string_view::npos) {
            continue;
        }
        const std::string_view program = entry.substr(0, equals);
        if (program == wanted) {
            return behind(entry, equals + 1);
        }
        if (program == "*") {
            any = behind(entry, equals + 1);
        }
    }
    if (any.empty()) {
        return Status::ResourceNotFound;
    }
    return any;
}

}  // namespace sdk::posix
