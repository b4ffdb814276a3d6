// SPDX-License-Identifier: Apache-2.0
// Images of files: a sound one with changes to its header and table, where and what by the input.
// What the reader takes is walked through the file system; nothing outside may be touched.
#include <services/storage/romfs/romfs.hpp>
#include <string>
#include <test/unit/services/storage/romfs/image.hpp>
#include <vector>

namespace {

using namespace svc::storage;

class Names final : public Listing {
public:
    Answer add(const DirectoryEntry& entry) override {
        names.emplace_back(entry.name);
        return Answer::Taken;
    }

    std::vector<std::string> names;
};

void require(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
    static const std::vector<u8> sound = test_storage::rom_image(
        {{"a/b", std::string(5000, 'b')}, {"a/c", ""}, {"b", "b"}, {"c/d/e", "e"}, {"f", "f"}});
    constexpr u64 kTable = sdk::romfs::kHeaderSize + 5 * sdk::romfs::kEntrySize;
    std::vector<u8> image = sound;
    for (u64 at = 0; at + 2 < size; at += 3) {
        const u64 where = data[at] | (data[at + 1] << 8);
        image[where % kTable] = data[at + 2];
    }
    image.resize(size % 16 == 15 ? image.size() - 1 : image.size());
    const auto reader = sdk::romfs::Reader::open(image);
    if (!reader.ok()) {
        return 0;
    }
    romfs::RomFs fs{reader.value()};
    Names all;
    const auto count = fs.readdir(fs.root(), 0, all);
    require(count.ok() && count.value() == all.names.size());
    for (const auto& name : all.names) {
        const auto node = fs.lookup(fs.root(), name);
        require(node.ok());
        std::vector<u8> content(fs.stat(node.value()).value().size + 1);
        require(fs.read(node.value(), 0, content).value() == content.size() - 1);
    }
    return 0;
}
