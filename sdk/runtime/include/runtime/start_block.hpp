// SPDX-License-Identifier: Apache-2.0
// What a process finds when it starts: a read-only block that its parent filled; its address is in
// x0.
// It holds everything a program may know of its surroundings: arguments, its listener, the
// connections and devices it was given, files mapped for it, and a seed. No physical address is in
// it.
//
// One header serves writer and reader. All places are byte offsets from the start
// of the block, so the block can stand anywhere; open() checks every offset and every text once,
// and what is handed out afterwards lies inside the block. A program trusts init, so this check
// guards against mistakes, and lets the reader be fuzzed.
//
// Layout, little-endian, 8-aligned: Header | tables in any order | characters. Every text is
// followed by a NUL that its size does not count, for programs that want C strings.
#pragma once

#include <kernel/base/result.hpp>
#include <kernel/base/types.hpp>
#include <span>
#include <string_view>

namespace sdk {

using base::Result;
using base::Status;
using base::u32;
using base::u64;
using base::u8;

namespace start {

inline constexpr u64 kMagic = 0x3152'5453'5353'4554;  // "TESSSTR1"
inline constexpr u32 kVersion = 2;
inline constexpr u32 kMaxBytes = 64u << 10;

/// A run of bytes in the block.
struct Place {
    u32 offset;
    u32 size;
};

/// A table: `count` elements from `offset`, 8-aligned.
struct Table {
    u32 offset;
    u32 count;
};

struct Header {
    u64 magic;
    u32 version;
    u32 total_size;
    u64 seed[4];        // random, of this life only
    u32 kernel;         // handle of the kernel channel
    u32 listener;       // handle to receive requests on; 0 = none
    Place task;         // name of this process
    Place eclass;       // its policy class
    Table arguments;    // Place: args of the component node, in order
    Table environment;  // Place: "KEY=value"
    Table connections;  // Connection
    Table devices;      // Device
    Table registers;    // Registers; devices refer to runs of them
    Table interrupts;   // Interrupt; likewise
    Table properties;   // Property; likewise
    Table files;        // File
    Place program;      // name of its file
    u64 guard;          // random: the canary of its stacks
};

struct Connection {
    Place id;
    u32 handle;
    u32 reserved;  // zero
    Place server;  // policy class of the process it leads to
};

/// A device node of the system description.
struct Device {
    Place path;
    Place compatible;  // strings, each with its NUL, as in the tree
    u32 first_registers;
    u32 register_count;
    u32 first_interrupt;
    u32 interrupt_count;
    u32 first_property;
    u32 property_count;
    u64 clock_hz;  // of the first clock, when it is a fixed one; 0 = unknown
};

/// A register window: map the handle with IO.MapMem; the registers start `offset` bytes into it.
struct Registers {
    u32 handle;
    u32 offset;  // below the page size
    u64 size;    // bytes of registers
};

struct Interrupt {
    u32 handle;
    u32 line;
};

/// A property of the device node, as it stands in the tree (big-endian cells), without those that
/// hold addresses.
struct Property {
    Place name;
    Place value;
};

/// A file of the ROM file system, mapped read-only.
struct File {
    Place name;
    u64 address;
    u64 size;
};

/// Name of the file that holds all files of the image but programs, as a ROM file system
/// (<runtime/romfs.hpp>); no file of an image can have it. For components marked `image-files`.
inline constexpr std::string_view kImageFiles = ":image-files";

static_assert(sizeof(Header) == 152);
static_assert(sizeof(Connection) == 24 && sizeof(Device) == 48 && sizeof(Registers) == 16);
static_assert(sizeof(Interrupt) == 8 && sizeof(Property) == 16 && sizeof(File) == 24);

}  // namespace start

/// A device that this process drives. Borrows the block.
struct Device {
    std::string_view path{};
    std::string_view compatible{};  ///< strings with their NULs
    std::span<const start::Registers> registers{};
    std::span<const start::Interrupt> interrupts{};
    u64 clock_hz = 0;  ///< 0 = unknown

    /// Whether `compatible` lists `wanted`.
    [[nodiscard]] bool is_compatible(std::string_view wanted) const;
};

/// Checked view of the block. Cheap to copy; the block lives as long as the process.
class StartBlock final {
public:
    StartBlock() = default;

    /// InvalidArgument: not a start block, another version, or an offset or text outside of it.
    /// `bytes` is 8-aligned. O(entries).
    static Result<StartBlock> open(std::span<const u8> bytes);

    [[nodiscard]] std::string_view task() const;
    [[nodiscard]] std::string_view eclass() const;
    [[nodiscard]] std::string_view program() const;
    [[nodiscard]] u32 listener() const;
    [[nodiscard]] std::span<const u64, 4> seed() const;

    [[nodiscard]] u32 argument_count() const;
    /// Empty when there are fewer arguments.
    [[nodiscard]] std::string_view argument(u32 index) const;
    /// ResourceNotFound.
    [[nodiscard]] Result<std::string_view> environment(std::string_view key) const;
    [[nodiscard]] u32 environment_count() const;
    /// "KEY=value"; empty when there are fewer.
    [[nodiscard]] std::string_view environment_text(u32 index) const;

    [[nodiscard]] u32 connection_count() const;
    /// Empty when there are fewer connections.
    [[nodiscard]] std::string_view connection_id(u32 index) const;
    /// Client handle of the connection `id`. ResourceNotFound.
    [[nodiscard]] Result<u32> connection(std::string_view id) const;
    /// Policy class of the process that the connection with this client handle leads to.
    /// ResourceNotFound.
    [[nodiscard]] Result<std::string_view> server_class(u32 handle) const;

    [[nodiscard]] u32 device_count() const;
    /// ResourceNotFound: fewer devices.
    [[nodiscard]] Result<Device> device(u32 index) const;
    /// The first device that is compatible. ResourceNotFound.
    [[nodiscard]] Result<Device> find_device(std::string_view compatible) const;
    /// Value of a property of device `index`. ResourceNotFound.
    [[nodiscard]] Result<std::span<const u8>> property(u32 index, std::string_view name) const;

    /// Content of the file `name`. ResourceNotFound.
    [[nodiscard]] Result<std::span<const u8>> file(std::string_view name) const;

private:
    explicit StartBlock(std::span<const u8> bytes) : bytes_(bytes) {}

    [[nodiscard]] bool is_valid() const;
    [[nodiscard]] bool are_devices_valid() const;
    [[nodiscard]] const start::Header& header() const;
    [[nodiscard]] bool contains(start::Place place) const;
    [[nodiscard]] bool is_text(start::Place place) const;
    template <typename T> [[nodiscard]] bool contains_table(start::Table table) const;
    template <typename T> [[nodiscard]] std::span<const T> entries(start::Table table) const;
    [[nodiscard]] std::string_view text(start::Place place) const;

    std::span<const u8> bytes_{};
};

}  // namespace sdk
