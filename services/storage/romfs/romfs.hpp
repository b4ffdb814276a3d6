// SPDX-License-Identifier: Apache-2.0
// The files of the system image, read-only, flat: the name of a file is what follows its last
// slash. Where two files have the same name then, the first in the order of their whole names is
// shown. Programs are executable. No times: an image has none.
#pragma once

#include <array>
#include <runtime/romfs.hpp>
#include <services/storage/fixed_names.hpp>

namespace svc::storage::romfs {

/// What a file of the image is called here.
std::string_view base_name(std::string_view name);

class RomFs final : public FixedNames {
public:
    /// O(n log n) of the files. The bytes behind `image` stay in use.
    explicit RomFs(const sdk::romfs::Reader& image);

    Result<u64> read(Node file, u64 offset, std::span<u8> data) override;
    Result<u64> write(Node file, u64 offset, std::span<const u8> data) override;
    Result<void> truncate(Node file, u64 size) override;
    Result<Attributes> stat(Node node) override;
    Result<void> set_attributes(Node node, const AttributeChange& change) override;
    Result<Usage> statfs() override;

protected:
    [[nodiscard]] u32 entry_count() const override { return count_; }

    [[nodiscard]] Name entry(u32 index) const override;
    [[nodiscard]] u32 find_entry(std::string_view name) const override;

private:
    [[nodiscard]] sdk::romfs::File file(u32 index) const;

    sdk::romfs::Reader image_;
    u32 count_ = 0;
    std::array<u16, sdk::romfs::kMaxFiles> order_{};  ///< indices in the image, by name
};

}  // namespace svc::storage::romfs
