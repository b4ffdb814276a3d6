// SPDX-License-Identifier: Apache-2.0
// Devices of any content: whatever a table says, every partition handed out lies on the device and
// on no other. The first byte chooses the size of blocks and whether the sums of a GPT are made
// right, or nothing behind them would ever be reached.
#include <cstdlib>
#include <cstring>
#include <services/storage/crc32.hpp>
#include <services/storage/partition.hpp>
#include <services/storage/ram_disk.hpp>
#include <vector>

namespace {

using namespace svc::storage;

template <typename T> T load(const std::vector<u8>& bytes, std::size_t at) {
    T value{};
    std::memcpy(&value, &bytes[at], sizeof(T));
    return value;
}

void seal(std::vector<u8>& bytes, std::size_t block, std::size_t at) {
    const std::size_t place = at * block;
    std::memcpy(&bytes[place], "EFI PART", 8);
    const u64 number = at;
    std::memcpy(&bytes[place + 24], &number, 8);
    const u64 entries = load<u64>(bytes, place + 72) * block;
    const u64 size = u64{load<u32>(bytes, place + 80)} * load<u32>(bytes, place + 84);
    if (entries < bytes.size() && size <= bytes.size() - entries) {
        Crc32 crc;
        crc.add(std::span{bytes}.subspan(entries, size));
        const u32 value = crc.value();
        std::memcpy(&bytes[place + 88], &value, 4);
    }
    const u32 header = load<u32>(bytes, place + 12);
    if (header >= 92 && header <= block) {
        std::memset(&bytes[place + 16], 0, 4);
        Crc32 crc;
        crc.add(std::span{bytes}.subspan(place, header));
        const u32 value = crc.value();
        std::memcpy(&bytes[place + 16], &value, 4);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const base::u8* data, std::size_t size) {
    if (size < 1) {
        return 0;
    }
    const u32 block = 512u << (data[0] % 2);
    const std::size_t blocks = (size - 1 + block - 1) / block;
    std::vector<u8> bytes(blocks * block);
    if (size > 1) {
        std::memcpy(bytes.data(), data + 1, size - 1);
    }
    if ((data[0] & 4) != 0 && blocks > 0) {
        bytes[510] = 0x55;
        bytes[511] = 0xAA;
    }
    if ((data[0] & 8) != 0 && blocks >= 4) {
        bytes[446] = 0;
        bytes[450] = 0xEE;
        seal(bytes, block, 1);
        seal(bytes, block, blocks - 1);
    }
    RamDisk disk{bytes, block};
    Partition found[8];
    const auto table = read_partitions(disk, found);
    if (!table.ok()) {
        return 0;
    }
    for (u32 i = 0; i < table.value().count; ++i) {
        const Partition& one = found[i];
        if (one.count == 0 || one.first == 0 || one.first >= blocks ||
            one.count > blocks - one.first || one.name_size > kMaxPartitionName) {
            std::abort();
        }
        for (u32 j = 0; j < i; ++j) {
            if (one.first < found[j].first + found[j].count &&
                found[j].first < one.first + one.count) {
                std::abort();
            }
        }
        PartitionDevice part{disk, one};
        u8 sector[1024];
        if (part.block_count() != one.count ||
            !part.read(one.count - 1, std::span{sector}.first(block)).ok()) {
            std::abort();
        }
    }
    return 0;
}
