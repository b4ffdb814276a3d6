// SPDX-License-Identifier: Apache-2.0
// Volumes of FAT12, FAT16 and FAT32. The input is a list of changes to a sound one. Nothing outside
// may be touched, and every call must come back.
#include <cstring>
#include <test/unit/services/storage/fat/damage.hpp>

namespace {

using namespace svc::storage;
using test_fat::Image;

constexpr u32 kBlock = 512;

/// Writes to an image, and takes them back.
class ImageDevice final : public Device {
public:
    ImageDevice(Image& image, const Image& sound) : image_(image), sound_(sound) {}

    [[nodiscard]] u32 block_bytes() const override { return kBlock; }

    [[nodiscard]] u64 block_count() const override { return image_.size() / kBlock; }

    Result<void> read(u64 first, std::span<u8> data) override {
        if (!is_inside(first, data.size())) {
            return Error::Invalid;
        }
        std::memcpy(data.data(), &image_[first * kBlock], data.size());
        return {};
    }

    Result<void> write(u64 first, std::span<const u8> data) override {
        if (!is_inside(first, data.size())) {
            return Error::Invalid;
        }
        std::memcpy(&image_[first * kBlock], data.data(), data.size());
        written_.push_back({first * kBlock, data.size()});
        return {};
    }

    Result<void> flush() override { return {}; }

    void take_back(u64 at, u64 bytes) { std::memcpy(&image_[at], &sound_[at], bytes); }

    void take_back() {
        for (const auto& [at, bytes] : written_) {
            take_back(at, bytes);
        }
        written_.clear();
    }

private:
    [[nodiscard]] bool is_inside(u64 first, u64 bytes) const {
        return first <= block_count() && bytes / kBlock <= block_count() - first;
    }

    Image& image_;
    const Image& sound_;
    std::vector<std::pair<u64, u64>> written_;
};

struct Volume {
    explicit Volume(u32 bits) : sound(test_fat::sound_image(bits)), image(sound) {}

    Image sound;
    Image image;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
    static Volume fat12{12};
    static Volume fat16{16};
    static Volume fat32{32};
    static std::vector<u64> memory;
    if (size < 2) {
        return 0;
    }
    Volume& volume = data[0] % 4 == 0 ? fat32 : data[0] % 4 == 1 ? fat16 : fat12;
    ImageDevice device{volume.image, volume.sound};
    test_fat::damage(volume.image, {data + 1, size - 1});
    {
        test_fat::Mounted mounted{device, 64, {}, &memory};
        if (mounted.mounted.ok()) {
            test_fat::use_everything(mounted.fs);
        }
    }
    device.take_back();
    const auto layout =
        fat::Volume::parse(std::span(volume.sound).first<fat::kBootBytes>(), volume.sound.size())
            .value();
    device.take_back(0, layout.table_at + 1024);
    device.take_back(layout.table_at + layout.table_bytes, 1024);
    device.take_back(layout.root_at, layout.data_at + 65536 - layout.root_at);
    return 0;
}
