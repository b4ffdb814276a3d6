// SPDX-License-Identifier: Apache-2.0
#include <idl/dispatcher.hpp>
#include <kl/VfsFilesystem.server.hpp>
#include <kl/VfsRamFs.endpoints.hpp>
#include <runtime/log.hpp>
#include <runtime/process.hpp>
#include <runtime/romfs.hpp>
#include <runtime/status_text.hpp>
#include <services/vfs/file_system_kinds.hpp>
#include <services/vfs/kernel_memory.hpp>
#include <services/vfs/options.hpp>
#include <services/vfs/process.hpp>

namespace {

namespace api = kl::VfsRamFs;  // every class with kl.Vfs at its begin is like this one

using base::s32;
using base::u32;
using base::u8;

constexpr s32 kExitUsage = 1;
constexpr s32 kExitMount = 2;
constexpr s32 kExitListener = 3;
constexpr s32 kExitMemory = 4;
constexpr std::string_view kDefaultRoot = "ramdisk0,0 / ramfs";

/// Files and the ends of clients; the other endpoints of kl.Vfs are refused.
class Dispatcher final : public idl::DispatcherBase {
public:
    Dispatcher(u32 listener, svc::vfs::Service& service)
        : DispatcherBase(listener,
                         api::kClassRequestHandlesMax,
                         {.fixed = request_fixed_,
                          .fixed_size = sizeof request_fixed_,
                          .arena = request_arena_,
                          .arena_size = sizeof request_arena_},
                         answer_fixed_,
                         sizeof answer_fixed_,
                         {answer_arena_, sizeof answer_arena_}),
          service_(service) {}

private:
    void route(const idl::Request& request, idl::Answer& answer) override {
        switch (request.tag.endpoint()) {
        case api::endpoint::vfs_server:
            static_cast<kl::VfsFilesystem::Server&>(service_).dispatch(request, answer);
            break;
        case abi::kEventEndpoint:
            static_cast<tessera::Event::Server&>(service_).dispatch(request, answer);
            break;
        default:
            answer.refuse(request.tag);
            break;
        }
    }

    svc::vfs::Service& service_;
    // The kernel wants room for everything that the class could be sent.
    alignas(8) u8 request_fixed_[api::kClassRequestFixedMax];
    alignas(8) u8 request_arena_[api::kClassRequestArenaMax];
    alignas(8) u8 answer_fixed_[kl::VfsFilesystem::kResponseFixedMax];
    alignas(8) u8 answer_arena_[kl::VfsFilesystem::kResponseArenaMax];
};

/// Makes the directory that a line mounts on, and those above it; what fails shows at the mount.
void make_target(svc::vfs::Vfs& vfs, std::string_view line) {
    (void)svc::vfs::next_word(line);
    const std::string_view target = svc::vfs::next_word(line);
    svc::vfs::Session maker{.user = {},
                            .creation_mask = 0,
                            .root = vfs.mounts().root(),
                            .directory = vfs.mounts().root()};
    for (base::u64 end = 1; end <= target.size(); ++end) {
        if (end == target.size() || target[end] == '/') {
            (void)vfs.make_directory(maker, {svc::vfs::kAtCwd, target.substr(0, end)}, 0755);
        }
    }
}

bool mount(svc::vfs::Vfs& vfs, svc::vfs::Service& service, std::string_view line) {
    if (vfs.mounts().all()[0].files != nullptr) {
        make_target(vfs, line);
    }
    const auto result = service.mount_line(line);
    if (!result.ok()) {
        sdk::LogLine{"vfs", "mount-failed"}
            .field("entry", line)
            .field("errno", static_cast<u32>(result.status()));
    }
    return result.ok();
}

/// The file of the image with this name behind its last slash, as romfs shows it; empty: none.
std::string_view find_image_file(const sdk::StartBlock& start, std::string_view path) {
    const auto bytes = start.file(sdk::start::kImageFiles);
    const auto image = sdk::romfs::Reader::open(bytes.ok() ? bytes.value() : std::span<const u8>{});
    const std::string_view name = svc::storage::romfs::base_name(path);
    for (u32 i = 0; image.ok() && i < image.value().file_count(); ++i) {
        const sdk::romfs::File file = image.value().find_at(i).value();
        if (svc::storage::romfs::base_name(file.name) == name) {
            const void* const begin = file.content.data();
            return {static_cast<const char*>(begin), file.content.size()};
        }
    }
    return {};
}

/// Mounts what the lines of an fstab say. A line that begins with # says nothing.
bool mount_lines(svc::vfs::Vfs& vfs, svc::vfs::Service& service, std::string_view text) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
        std::string_view words = line;
        const std::string_view first = svc::vfs::next_word(words);
        if (!first.empty() && first[0] != '#' && !mount(vfs, service, line)) {
            return false;
        }
    }
    return true;
}

s32 mount_all(const sdk::StartBlock& start, svc::vfs::Vfs& vfs, svc::vfs::Service& service) {
    const auto root = start.environment("ROOTFS");
    if (!mount(vfs, service, root.ok() ? root.value() : kDefaultRoot)) {
        return kExitMount;
    }
    for (u32 i = 0; i < start.argument_count(); i += 2) {
        const std::string_view what = start.argument(i);
        if ((what != "-l" && what != "-f") || i + 1 == start.argument_count()) {
            sdk::LogLine{"vfs", "unknown-argument"}.field("argument", what);
            return kExitUsage;
        }
        const std::string_view value = start.argument(i + 1);
        const std::string_view lines = what == "-l" ? value : find_image_file(start, value);
        if (lines.empty()) {
            sdk::LogLine{"vfs", "no-fstab"}.field("file", value);
            return kExitUsage;
        }
        if (!mount_lines(vfs, service, lines)) {
            return kExitMount;
        }
    }
    return 0;
}

/// All of the process, too large for its stack.
struct Process {
    explicit Process(const sdk::StartBlock& start)
        : memory(start.listener()), kinds(start, clock), dispatcher(start.listener(), service) {}

    svc::vfs::WallClock clock;
    svc::vfs::Vfs vfs{clock};
    svc::vfs::KernelMemory memory;
    svc::vfs::FileSystemKinds kinds;
    svc::vfs::Service service{vfs, memory, kinds};
    Dispatcher dispatcher;
};

}  // namespace

s32 svc::vfs::run(const sdk::StartBlock& start) {
    Pages pages;
    const auto room = pages.take(sizeof(Process));
    if (!room.ok()) {
        sdk::LogLine{"vfs", "no-memory"}.field("bytes", sizeof(Process));
        return kExitMemory;
    }
    void* const at = room.value().data();
    Process& process = *new (at) Process{start};
    auto console = sdk::Console::open(start);
    if (console.ok()) {
        sdk::Console::log_to(console.value());  // so that lines are whole beside those of clients
    }
    if (const s32 failed = mount_all(start, process.vfs, process.service); failed != 0) {
        return failed;
    }
    sdk::LogLine{"vfs", "serves"};
    const auto status = process.dispatcher.run();
    sdk::LogLine{"vfs", "listener-lost"}.field("status", sdk::name_of(status));
    return kExitListener;
}
