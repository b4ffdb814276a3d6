// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sdk/imagec/sdcard.hpp>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sdk::imagec {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kCardSize = std::uint64_t{128} << 20;
constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kBootStart = 2048;                    // sectors: 1 MiB
constexpr std::uint64_t kBootSectors = 131072;                // 64 MiB
constexpr std::uint64_t kBootRoom = std::uint64_t{60} << 20;  // less FAT tables and slack
constexpr std::string_view kDiskId = "54455353";              // "TESS"
constexpr const char* kFixedTime = "1735689600";  // every file's date: 2025-01-01 00:00 UTC

struct Tool {
    std::string_view name;
    std::string_view package;
};

constexpr Tool kSfdisk{"sfdisk", "fdisk"};
constexpr Tool kMkfs{"mkfs.vfat", "dosfstools"};
constexpr Tool kMcopy{"mcopy", "mtools"};

/// The tool's path; sbin folders are searched also when PATH lacks them.
Outcome<std::string> find_tool(const Tool& tool) {
    const char* const path = std::getenv("PATH");
    const std::string folders =
        std::string(path == nullptr ? "" : path) + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";
    for (std::size_t at = 0; at < folders.size();) {
        const auto end = std::min(folders.find(':', at), folders.size());
        const auto candidate = fs::path(folders.substr(at, end - at)) / tool.name;
        if (end > at && access(candidate.c_str(), X_OK) == 0) {
            return candidate.string();
        }
        at = end + 1;
    }
    return Diagnostic{.code = Code::ToolMissing,
                      .cause = fmt::format("the program '{}' is not installed", tool.name),
                      .way_out = fmt::format("apt-get install {}", tool.package)};
}

/// Runs a tool with `input` on its standard input; what it prints stays unseen unless it fails.
Completion
run_tool(const Tool& tool, const std::vector<std::string>& arguments, const std::string& input) {
    IMAGEC_TRY_VALUE(const std::string path, find_tool(tool));
    std::vector<std::string> words{path};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (auto& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    const auto refuse = [&](std::string why) {
        return Diagnostic{.code = Code::ToolFailed,
                          .cause = fmt::format("'{}' failed: {}", tool.name, why),
                          .way_out = fmt::format("check room in the output folder and the version "
                                                 "of package {}",
                                                 tool.package)};
    };
    // The input is a file in memory: a tool that ends without reading it breaks no pipe.
    const int to_tool = memfd_create("input", MFD_CLOEXEC);
    std::array<int, 2> from_tool{};
    if (to_tool < 0 || write(to_tool, input.data(), input.size()) != std::ssize(input) ||
        lseek(to_tool, 0, SEEK_SET) != 0 || pipe2(from_tool.data(), O_CLOEXEC) != 0) {
        return refuse("no file in memory, or no pipe");
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to_tool, 0);
    posix_spawn_file_actions_adddup2(&actions, from_tool[1], 1);
    posix_spawn_file_actions_adddup2(&actions, from_tool[1], 2);
    pid_t child = 0;
    const int error = posix_spawn(&child, path.c_str(), &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(to_tool);
    close(from_tool[1]);
    std::string output;
    std::array<char, 512> chunk{};
    for (ssize_t got = 0;
         error == 0 && (got = read(from_tool[0], chunk.data(), chunk.size())) > 0;) {
        output.append(chunk.data(), static_cast<std::size_t>(got));
    }
    close(from_tool[0]);
    int status = 0;
    if (error != 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0) {
        return refuse(output.empty() ? "it cannot be run" : output);
    }
    return Done{};
}

/// A file to put on the card, under which name.
struct Source {
    std::string path{};
    std::string name{};
};

Outcome<std::vector<Source>> list_sources(const CardInputs& inputs) {
    std::vector<Source> sources{{inputs.image, "kernel8.img"}, {inputs.config, "config.txt"}};
    if (!inputs.firmware.empty()) {
        for (const std::string_view name : {"start4.elf", "fixup4.dat"}) {
            const auto path = fs::path(inputs.firmware) / name;
            if (!fs::is_regular_file(path)) {
                return Diagnostic{.code = Code::CardFileMissing,
                                  .file = inputs.firmware,
                                  .cause = fmt::format("the firmware folder lacks {}", name),
                                  .way_out =
                                      "take start4.elf and fixup4.dat from the board maker's "
                                      "firmware release"};
            }
            sources.push_back({path.string(), std::string(name)});
        }
        for (const std::string_view name : {"bcm2711-rpi-4-b.dtb", "LICENCE.broadcom"}) {
            const auto path = fs::path(inputs.firmware) / name;
            const bool replaced = name.ends_with(".dtb") && !inputs.tree.empty();
            if (fs::is_regular_file(path) && !replaced) {
                sources.push_back({path.string(), std::string(name)});
            }
        }
    }
    if (!inputs.tree.empty()) {
        sources.push_back({inputs.tree, "bcm2711-rpi-4-b.dtb"});
    }
    return sources;
}

}  // namespace

Outcome<std::vector<CardFile>> make_card(const CardInputs& inputs) {
    IMAGEC_TRY_VALUE(const auto sources, list_sources(inputs));
    std::vector<CardFile> files;
    std::uint64_t total = 0;
    for (const auto& source : sources) {
        IMAGEC_TRY_VALUE(const auto bytes, read_file(source.path));
        files.push_back(CardFile{.name = source.name, .size = bytes.size()});
        total += bytes.size();
    }
    if (total > kBootRoom) {
        return Diagnostic{.code = Code::CardTooSmall,
                          .file = inputs.output,
                          .cause = fmt::format("{} bytes of files do not fit the boot partition of "
                                               "{}",
                                               total,
                                               kBootRoom),
                          .way_out = "leave files out of the image or of the firmware folder"};
    }
    // The tools take dates from here and local time from TZ; mtools has no say of its own.
    setenv("SOURCE_DATE_EPOCH", kFixedTime, 1);
    setenv("TZ", "UTC", 1);
    setenv("MTOOLS_SKIP_CHECK", "1", 1);
    const std::string partial = inputs.output + ".partial";
    std::error_code error;
    fs::remove(partial, error);
    IMAGEC_TRY(write_file(partial, View{}));
    fs::resize_file(partial, kCardSize, error);
    if (error) {
        return Diagnostic{.code = Code::FileUnwritable,
                          .file = inputs.output,
                          .cause = fmt::format("cannot be written: {}", error.message()),
                          .way_out = "check that the folder exists, is writable and has room"};
    }
    const auto work = [&]() -> Completion {
        const auto table =
            fmt::format("label: dos\nlabel-id: 0x{}\n1 : start={}, size={}, type=c, bootable\n"
                        "2 : start={}, size={}, type=da\n",
                        kDiskId,
                        kBootStart,
                        kBootSectors,
                        kBootStart + kBootSectors,
                        kCardSize / kSector - kBootStart - kBootSectors);
        IMAGEC_TRY(run_tool(kSfdisk, {"-q", "--no-reread", "--no-tell-kernel", partial}, table));
        IMAGEC_TRY(run_tool(kMkfs,
                            {"--invariant",
                             "-F",
                             "32",
                             "-i",
                             std::string(kDiskId),
                             "-n",
                             "TESSERA",
                             "--offset",
                             fmt::format("{}", kBootStart),
                             partial,
                             fmt::format("{}", kBootSectors * kSector / 1024)},
                            {}));
        for (const auto& source : sources) {
            IMAGEC_TRY(run_tool(kMcopy,
                                {"-i",
                                 fmt::format("{}@@1M", partial),
                                 source.path,
                                 fmt::format("::{}", source.name)},
                                {}));
        }
        return Done{};
    };
    const auto outcome = work();
    if (outcome.ok()) {
        fs::rename(partial, inputs.output, error);
    } else {
        std::error_code ignored;
        fs::remove(partial, ignored);
        return outcome.failure();
    }
    if (error) {
        return Diagnostic{.code = Code::FileUnwritable,
                          .file = inputs.output,
                          .cause = fmt::format("cannot be written: {}", error.message()),
                          .way_out = "check that the folder exists and is writable"};
    }
    return files;
}

}  // namespace sdk::imagec
