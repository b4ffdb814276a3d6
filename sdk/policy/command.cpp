// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace sdk::policy {

namespace {

namespace fs = std::filesystem;

Trouble cannot_write(const std::string& path) {
    return {.cause = "cannot write " + path + ": " + std::strerror(errno),
            .way_out = "check that the folder exists and may be written"};
}

/// Writes all of `text` and closes the file. False: errno says why.
bool write_and_close(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = write(file, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            const int reason = errno;
            close(file);
            errno = reason;
            return false;
        }
        text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    return close(file) == 0;
}

/// Where links lead, whether or not there is something yet.
fs::path follow_links(fs::path path) {
    constexpr int kMostLinks = 40;
    std::error_code error;
    for (int i = 0; i < kMostLinks && fs::is_symlink(path, error); ++i) {
        path = path.parent_path() / fs::read_symlink(path, error);
    }
    return path;
}

/// The permissions that a file of this name has, or that a new one would get.
mode_t permissions_of(const fs::path& path) {
    struct stat status{};
    if (stat(path.c_str(), &status) == 0) {
        return status.st_mode & 07777;
    }
    const mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

}  // namespace

CLI::App& add_subcommand(CLI::App& program,
                         const std::string& name,
                         const std::string& description,
                         const std::vector<std::string>& examples) {
    CLI::App& command = *program.add_subcommand(name, description);
    std::string footer = "Examples:";
    for (const std::string& example : examples) {
        footer += "\n  tessera policy " + example;
    }
    command.footer(footer);
    return command;
}

Result<std::string> write_whole(const std::string& path, const std::string& text) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (fs::exists(status) && !fs::is_regular_file(status)) {
        const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
        return file >= 0 && write_and_close(file, text) ? Result(path) : cannot_write(path);
    }
    const fs::path target = follow_links(path);
    if (fs::exists(status) && access(target.c_str(), W_OK) != 0) {
        return cannot_write(path);
    }
    std::string beside = target.string() + ".XXXXXX";
    const int file = mkstemp(beside.data());
    if (file < 0) {
        return cannot_write(path);
    }
    const bool is_set = fchmod(file, permissions_of(target)) == 0;
    if (write_and_close(file, text) && is_set && rename(beside.c_str(), target.c_str()) == 0) {
        return path;
    }
    Trouble trouble = cannot_write(path);
    unlink(beside.c_str());
    return trouble;
}

Paint paint_of_standard_output() {
    const char* const no_colour = std::getenv("NO_COLOR");
    const char* const terminal = std::getenv("TERM");
    if (isatty(STDOUT_FILENO) == 0 || (no_colour != nullptr && *no_colour != '\0') ||
        terminal == nullptr || std::string_view(terminal) == "dumb") {
        return {};
    }
    return {.bold = "\x1b[1m",
            .good = "\x1b[32m",
            .bad = "\x1b[31m",
            .dim = "\x1b[2m",
            .plain = "\x1b[0m"};
}

}  // namespace sdk::policy
