// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <kernel/abi/call.hpp>
#include <ksec/engine/lookup.hpp>
#include <memory>
#include <random>
#include <row.hpp>
#include <set>
#include <source_table.hpp>

namespace {

using namespace sdk::policyc;

/// A row in memory as ksec has it.
class BuiltRow {
public:
    explicit BuiltRow(const std::vector<ksec::RowEntry>& entries) : built(build_row(entries)) {
        const std::size_t bytes = sizeof(ksec::Row) + built.entries.size() * sizeof(ksec::RowEntry);
        memory_.resize(bytes / sizeof(u64));
        const ksec::Row head{built.shift, built.mask};
        std::memcpy(memory_.data(), &head, sizeof(head));
        std::memcpy(memory_.data() + sizeof(head) / sizeof(u64),
                    built.entries.data(),
                    bytes - sizeof(head));
    }

    [[nodiscard]] const ksec::RowEntry& find(u64 tag) const {
        return *ksec::find_entry(reinterpret_cast<const ksec::Row*>(memory_.data()), tag);
    }

    LoweredRow built;

private:
    std::vector<u64> memory_;
};

u64 tag_of(u16 endpoint, u16 method, u32 size) {
    return abi::Tag::make_short(abi::Kind::Request, endpoint, method, size).value;
}

}  // namespace

TEST_CASE("an empty row grants no tag, whatever its bits", "[sdk][policyc]") {
    const BuiltRow row({});
    std::mt19937_64 random(1);
    for (const u64 tag : {u64{0}, ~u64{0}, ~u64{0} - 16, tag_of(0, 0, 0)}) {
        CHECK(row.find(tag).request != tag);
    }
    for (int i = 0; i < 1000; ++i) {
        const u64 tag = random();
        CHECK(row.find(tag).request != tag);
    }
    for (const ksec::RowEntry& entry : row.built.entries) {
        CHECK(row.find(entry.request).request != entry.request);
    }
}

TEST_CASE("a row finds every entry or lists it as left out, and nothing else", "[sdk][policyc]") {
    std::mt19937_64 random(7);
    for (std::size_t size = 1; size < 80; ++size) {
        std::set<u64> tags;
        while (tags.size() < size) {
            tags.insert(tag_of(static_cast<u16>(random() % 16),
                               static_cast<u16>(random() % 12),
                               static_cast<u32>(random() % 8) * 8));
        }
        std::vector<ksec::RowEntry> entries;
        for (const u64 tag : tags) {
            entries.push_back({tag, tag | u64{1} << 62});
        }
        const BuiltRow row(entries);
        std::size_t found = 0;
        for (const ksec::RowEntry& entry : entries) {
            if (row.find(entry.request).request == entry.request) {
                CHECK(row.find(entry.request).response == entry.response);
                ++found;
            }
        }
        CHECK(found + row.built.left_out.size() == size);
        CHECK(row.built.entries.size() >= 2);
        CHECK(row.built.mask == (row.built.entries.size() - 1) * 16);
        for (const ksec::RowEntry& entry : row.built.entries) {
            if (!tags.contains(entry.request)) {
                CHECK(row.find(entry.request).request != entry.request);
            }
        }
    }
}

TEST_CASE("one interface's methods always have a perfect row", "[sdk][policyc]") {
    for (u16 methods = 1; methods < 64; ++methods) {
        std::vector<ksec::RowEntry> entries;
        for (u16 m = 0; m < methods; ++m) {
            entries.push_back({tag_of(0, m, 8u * (m % 7u)), ~u64{0}});
        }
        CHECK(build_row(entries).left_out.empty());
    }
}

TEST_CASE("a source is found in its place, and no other is", "[sdk][policyc]") {
    std::mt19937 random(7);
    for (const std::size_t count : {0u, 1u, 2u, 3u, 5u, 17u, 100u, 999u, 5000u}) {
        std::set<u16> sources;
        while (sources.size() < count) {
            sources.insert(static_cast<u16>(random() % 0xFFFF));
        }
        std::vector<ksec::format::Exception> exceptions;
        for (const u16 source : sources) {
            exceptions.push_back({source, 0, u32{source} + 1});
        }
        const SourceTable table = make_source_table(exceptions);
        CHECK(table.places.size() <= std::max<std::size_t>(1, count * 4));
        const ksec::format::SourceMap map{
            count == 0 ? nullptr : table.places.data(), table.bits, 0x1234'5678};
        for (u32 source = 0; source < 0xFFFF; ++source) {
            const u32 wanted =
                sources.contains(static_cast<u16>(source)) ? source + 1 : 0x1234'5678;
            if (ksec::engine::find_source(map, static_cast<u16>(source)) != wanted) {
                FAIL("source " << source << " of " << count);
            }
        }
    }
}

TEST_CASE("classes in a row, as policies have them, are placed too", "[sdk][policyc]") {
    for (std::size_t count = 1; count < 300; ++count) {
        std::vector<ksec::format::Exception> exceptions;
        for (std::size_t i = 0; i < count; ++i) {
            exceptions.push_back({static_cast<u16>(40 + i), 0, static_cast<u32>(i)});
        }
        CHECK(make_source_table(exceptions).places.size() <= count * 4);
    }
}
