// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <services/storage/names.hpp>
#include <services/storage/romfs/romfs.hpp>

namespace svc::storage::romfs {

namespace {

bool is_program(std::span<const u8> content) {
    constexpr std::array<u8, 4> kElf{0x7f, 'E', 'L', 'F'};
    return content.size() >= kElf.size() &&
           std::memcmp(content.data(), kElf.data(), kElf.size()) == 0;
}

}  // namespace

std::string_view base_name(std::string_view name) {
    name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
    return name;
}

RomFs::RomFs(const sdk::romfs::Reader& image) : image_(image) {
    const auto name_at = [&](u32 index) { return base_name(image.find_at(index).value().name); };
    for (u32 i = 0; i < image.file_count(); ++i) {
        if (check_new_name(name_at(i)).ok()) {
            order_[count_++] = static_cast<u16>(i);
        }
    }
    const auto used = std::span(order_).first(count_);
    std::ranges::sort(used, [&](u16 a, u16 b) {
        const int order = name_at(a).compare(name_at(b));
        return order < 0 || (order == 0 && a < b);
    });
    const auto hidden =
        std::ranges::unique(used, [&](u16 a, u16 b) { return name_at(a) == name_at(b); });
    count_ -= static_cast<u32>(hidden.size());
}

sdk::romfs::File RomFs::file(u32 index) const { return image_.find_at(order_[index]).value(); }

FixedNames::Name RomFs::entry(u32 index) const { return {base_name(file(index).name), Kind::File}; }

u32 RomFs::find_entry(std::string_view name) const {
    const auto used = std::span(order_).first(count_);
    const auto at = std::ranges::lower_bound(
        used, name, {}, [&](u16 index) { return base_name(image_.find_at(index).value().name); });
    const auto index = static_cast<u32>(at - used.begin());
    return index < count_ && entry(index).name == name ? index : count_;
}

Result<u64> RomFs::read(Node node, u64 offset, std::span<u8> data) {
    TRY_VALUE(const u32 index, index_of(node));
    const auto content = file(index).content;
    if (offset >= content.size() || data.empty()) {
        return u64{0};
    }
    const u64 bytes = std::min<u64>(data.size(), content.size() - offset);
    std::memcpy(data.data(), content.data() + offset, bytes);
    return bytes;
}

Result<u64> RomFs::write(Node node, u64, std::span<const u8>) {
    TRY(index_of(node));
    return Error::ReadOnly;
}

Result<void> RomFs::truncate(Node node, u64) {
    TRY(index_of(node));
    return Error::ReadOnly;
}

Result<Attributes> RomFs::stat(Node node) {
    TRY(check_node(node));
    if (node == root()) {
        return Attributes{.number = node.value, .kind = Kind::Directory, .mode = 0555, .links = 1};
    }
    const auto content = file(index_of(node).value()).content;
    return Attributes{.number = node.value,
                      .kind = Kind::File,
                      .mode = static_cast<u16>(is_program(content) ? 0555 : 0444),
                      .links = 1,
                      .size = content.size()};
}

Result<void> RomFs::set_attributes(Node node, const AttributeChange&) {
    TRY(check_node(node));
    return Error::ReadOnly;
}

Result<Usage> RomFs::statfs() {
    return Usage{.block_bytes = static_cast<u32>(sdk::romfs::kAlignment),
                 .blocks = image_.size_bytes() / sdk::romfs::kAlignment,
                 .read_only = true};
}

}  // namespace svc::storage::romfs
