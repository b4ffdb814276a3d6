// SPDX-License-Identifier: Apache-2.0
// Images of safefs. The input is a list of changes to a sound image: where, how long, and bytes.
// Three of four inputs have their checksums made right again, so that what is behind them is
// reached. Nothing outside may be touched, and every call must come back.
#include <algorithm>
#include <cstring>
#include <services/storage/safefs/check.hpp>
#include <string>
#include <test/unit/services/storage/safefs/sealer.hpp>
#include <vector>

namespace {

using namespace svc::storage;
using namespace svc::storage::safefs;

constexpr u32 kBlocks = 160;
using Image = std::vector<u8>;
using test_storage::Sealer;

class ImageDevice final : public Device {
public:
    explicit ImageDevice(Image& image) : image_(image) {}

    [[nodiscard]] u32 block_bytes() const override { return kBlockBytes; }

    [[nodiscard]] u64 block_count() const override { return kBlocks; }

    Result<void> read(u64 first, std::span<u8> data) override {
        if (first >= kBlocks || data.size() > image_.size() - first * kBlockBytes) {
            return Error::Invalid;
        }
        std::memcpy(data.data(), &image_[first * kBlockBytes], data.size());
        return {};
    }

    Result<void> write(u64 first, std::span<const u8> data) override {
        if (first >= kBlocks || data.size() > image_.size() - first * kBlockBytes) {
            return Error::Invalid;
        }
        std::memcpy(&image_[first * kBlockBytes], data.data(), data.size());
        return {};
    }

    Result<void> flush() override { return {}; }

private:
    Image& image_;
};

class NoClock final : public Clock {
public:
    s64 now_ns() override { return 0; }
};

/// Memory of a mounted file system, kept from run to run.
struct Memory {
    std::vector<u64> words;

    std::span<u8> bytes(u64 count) {
        words.resize((count + 7) / 8);
        void* const at = words.data();
        return {static_cast<u8*>(at), count};
    }
};

void build(Image& image) {
    ImageDevice device{image};
    Memory memory;
    NoClock clock;
    (void)SafeFs::format(device, {1, 2}, memory.bytes(kBlockBytes));
    SafeFs fs{device, clock};
    (void)fs.mount(memory.bytes(SafeFs::memory_bytes(device, 64)));
    const Image data(30000, 5);
    for (u32 i = 0; i < 40; ++i) {
        const auto file = fs.create(fs.root(), "file" + std::to_string(i), {});
        (void)fs.write(file.value(), i == 7 ? 1u << 20 : 0, {data.data(), i * 100});
    }
    const auto directory = fs.create(fs.root(), "directory", {.kind = Kind::Directory});
    (void)fs.create(directory.value(), "link", {.kind = Kind::SymbolicLink, .target = "there"});
    (void)fs.write(fs.create(directory.value(), "large", {}).value(), 0, data);
    (void)fs.sync();
    (void)fs.write(fs.lookup(fs.root(), "file3").value(), 5, {data.data(), 90});
    (void)fs.sync();
}

void change(Image& image, std::span<const u8> input, std::span<const u32> places) {
    u64 at = 0;
    while (input.size() - at >= 4) {
        const u64 block = places[input[at] % places.size()];
        const u64 offset = (input[at + 1] | (input[at + 2] << 8)) % kBlockBytes;
        const u64 length =
            std::min<u64>({input[at + 3] % 32u, input.size() - at - 4, kBlockBytes - offset});
        std::memcpy(&image[block * kBlockBytes + offset], input.data() + at + 4, length);
        at += 4 + length;
    }
}

class Walker final : public Listing {
public:
    Answer add(const DirectoryEntry& entry) override {
        names.emplace_back(entry.name);
        return names.size() < 200 ? Answer::Taken : Answer::Full;
    }

    std::vector<std::string> names;
};

void walk(SafeFs& fs, Node node, u32 depth, u32& steps) {
    Walker walker;
    (void)fs.readdir(node, 0, walker);
    for (const auto& name : walker.names) {
        const auto child = fs.lookup(node, name);
        if (!child.ok() || ++steps > 40) {
            continue;
        }
        Image data(10000);
        (void)fs.read(child.value(), 0, data);
        if (depth < 4) {
            walk(fs, child.value(), depth + 1, steps);
        }
        (void)fs.write(child.value(), 100, {data.data(), 5000});
        (void)fs.rename(node, name, fs.root(), name + "2");
        if (const auto gone = fs.unlink(node, name, Kind::File); gone.ok()) {
            (void)fs.forget(gone.value());
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
    static Image sound;
    static Image image;
    static Memory memory;
    static std::vector<u32> places;
    if (sound.empty()) {
        sound.resize(u64{kBlocks} * kBlockBytes);
        build(sound);
        Sealer sealer{sound};
        sealer.seal(0);
        sealer.seal(kBlocks - 1);
        places = sealer.metadata;
    }
    if (size == 0) {
        return 0;
    }
    image = sound;
    change(image, {data + 1, size - 1}, places);
    if (data[0] % 4 != 0) {
        Sealer{image}.seal(0);
        Sealer{image}.seal(kBlocks - 1);
    }
    ImageDevice device{image};
    NoClock clock;
    SafeFs fs{device, clock};
    if (!fs.mount(memory.bytes(SafeFs::memory_bytes(device, 40))).ok()) {
        return 0;
    }
    std::vector<u32> references(Checker::inode_count(fs));
    (void)Checker{fs, references}.run();
    u32 steps = 0;
    walk(fs, fs.root(), 0, steps);
    (void)fs.sync();
    return 0;
}
