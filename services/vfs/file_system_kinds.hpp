// SPDX-License-Identifier: Apache-2.0
// From a line of an fstab to a mounted file system: which kinds there are, what they are made on,
// and the memory they take. Memory comes when something is mounted and goes when it is unmounted.
#pragma once

#include <optional>
#include <runtime/console.hpp>
#include <runtime/start_block.hpp>
#include <services/block/client.hpp>
#include <services/storage/devfs/devfs.hpp>
#include <services/storage/fat/fat.hpp>
#include <services/storage/partition.hpp>
#include <services/storage/ram_disk.hpp>
#include <services/storage/ramfs/ramfs.hpp>
#include <services/storage/romfs/romfs.hpp>
#include <services/storage/safefs/safefs.hpp>
#include <services/vfs/service.hpp>
#include <variant>

namespace svc::vfs {

class WallClock final : public storage::Clock {
public:
    s64 now_ns() override;
};

/// Of the kernel.
class KernelEntropy final : public storage::devfs::Entropy {
public:
    Result<void> fill(std::span<u8> data) override;
};

/// Of the console that this process is connected to, else the kernel's log.
class ConsoleSink final : public storage::devfs::Sink {
public:
    explicit ConsoleSink(const sdk::StartBlock& start);

    Result<u64> write(std::span<const u8> data) override;

private:
    sdk::Console console_;
    bool has_console_;
};

/// Memory of this process, given back at the end.
class Pages final {
public:
    Pages() = default;
    ~Pages();
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;

    /// Errors: NoMemory.
    Result<std::span<u8>> take(u64 bytes);

private:
    std::span<u8> memory_{};
};

class FileSystemKinds final : public Kinds {
public:
    FileSystemKinds(const sdk::StartBlock& start, storage::Clock& clock)
        : start_(start), clock_(clock), console_(start) {}

    Result<FileSystem*> make(std::string_view kind,
                             std::string_view device,
                             std::string_view options,
                             u64 flags) override;
    void give_back(FileSystem& files) override;

private:
    struct Place {
        FileSystem* files = nullptr;  ///< null: free
        Pages disk{};
        Pages work{};
        Text<31> disk_name{};
        std::variant<std::monostate, storage::RamDisk, block::Client> device{};
        std::optional<storage::PartitionDevice> partition{};
        std::variant<std::monostate,
                     storage::devfs::DevFs,
                     storage::fat::Fat,
                     storage::ramfs::RamFs,
                     storage::romfs::RomFs,
                     storage::safefs::SafeFs>
            kind{};
    };

    Result<FileSystem*>
    make_on(Place& place, std::string_view kind, std::string_view device, std::string_view options);
    Result<FileSystem*> make_ramfs(Place& place, std::string_view options);
    Result<FileSystem*> make_romfs(Place& place);
    Result<FileSystem*> make_fat(Place& place, std::string_view device, std::string_view options);
    Result<FileSystem*>
    make_safefs(Place& place, std::string_view device, std::string_view options);
    Result<storage::Device*>
    open_device(Place& place, std::string_view device, std::string_view options);
    Result<storage::Device*> open_disk(Place& place, std::string_view options);
    Result<storage::Device*> make_ram_disk(Place& place, std::string_view options);

    static void clear(Place& place);

    const sdk::StartBlock& start_;
    storage::Clock& clock_;
    KernelEntropy entropy_{};
    ConsoleSink console_;
    Place places_[Mounts::kMost]{};
};

}  // namespace svc::vfs
