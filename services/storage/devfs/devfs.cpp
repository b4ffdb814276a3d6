// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <services/storage/devfs/devfs.hpp>

namespace svc::storage::devfs {

namespace {

enum Device : u32 { kNull, kZero, kFull, kRandom, kUrandom, kConsole, kTty };

constexpr std::array<std::string_view, 7> kNames{
    "null", "zero", "full", "random", "urandom", "console", "tty"};

}  // namespace

DevFs::DevFs(Clock& clock, Entropy& entropy, Sink& console)
    : clock_(clock), entropy_(entropy), console_(console) {
    static_assert(kNames.size() == kDevices);
    const s64 now = clock.now_ns();
    for (u32 i = 0; i <= kDevices; ++i) {
        const bool is_root = i == kDevices;
        attributes_[i] = {.number = is_root ? root().value : node_of(i).value,
                          .kind = is_root ? Kind::Directory : Kind::CharacterDevice,
                          .mode = static_cast<u16>(is_root ? 0755 : 0666),
                          .links = 1,
                          .accessed_ns = now,
                          .modified_ns = now,
                          .changed_ns = now};
    }
}

FixedNames::Name DevFs::entry(u32 index) const { return {kNames[index], Kind::CharacterDevice}; }

u32 DevFs::find_entry(std::string_view name) const {
    u32 index = 0;
    while (index < kDevices && kNames[index] != name) {
        ++index;
    }
    return index;
}

Result<u64> DevFs::read(Node file, u64, std::span<u8> data) {
    TRY_VALUE(const u32 device, index_of(file));
    switch (device) {
    case kZero:
    case kFull:
        std::ranges::fill(data, u8{0});
        return u64{data.size()};
    case kRandom:
    case kUrandom:
        TRY(entropy_.fill(data));
        return u64{data.size()};
    default:
        return u64{0};
    }
}

Result<u64> DevFs::write(Node file, u64, std::span<const u8> data) {
    TRY_VALUE(const u32 device, index_of(file));
    if (device == kFull && !data.empty()) {
        return Error::NoSpace;
    }
    const bool is_console = device == kConsole || device == kTty;
    return is_console ? console_.write(data) : Result<u64>(u64{data.size()});
}

Result<void> DevFs::truncate(Node file, u64) { return index_of(file).status(); }

Result<Attributes*> DevFs::find(Node node) {
    TRY(check_node(node));
    return &attributes_[node == root() ? kDevices : index_of(node).value()];
}

Result<Attributes> DevFs::stat(Node node) {
    TRY_VALUE(const Attributes* const attributes, find(node));
    return *attributes;
}

Result<void> DevFs::set_attributes(Node node, const AttributeChange& change) {
    TRY_VALUE(Attributes* const attributes, find(node));
    change.apply(*attributes);
    attributes->changed_ns = clock_.now_ns();
    return {};
}

Result<Usage> DevFs::statfs() { return Usage{.block_bytes = 4096}; }

}  // namespace svc::storage::devfs
