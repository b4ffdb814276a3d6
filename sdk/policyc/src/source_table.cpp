// SPDX-License-Identifier: Apache-2.0
#include "source_table.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sdk::policyc {

namespace {

using ksec::format::Exception;

constexpr std::uint32_t kDisplacements = 0x1'0000;

/// The table of that size; nothing when some bucket finds no place.
std::optional<SourceTable> try_bits(const std::vector<Exception>& exceptions, unsigned bits) {
    const std::size_t size = std::size_t{1} << bits;
    SourceTable table{.places = std::vector<Exception>(size, {ksec::kNoClass, 0, 0}), .bits = bits};
    std::vector<std::vector<const Exception*>> buckets(size);
    for (const Exception& exception : exceptions) {
        buckets[ksec::format::bucket_of_source(exception.source, bits)].push_back(&exception);
    }
    std::vector<std::size_t> order(size);
    for (std::size_t i = 0; i < size; ++i) {
        order[i] = i;
    }
    std::ranges::stable_sort(order, [&buckets](std::size_t a, std::size_t b) {
        return buckets[a].size() > buckets[b].size();
    });
    for (const std::size_t bucket : order) {
        const auto take = [&](std::uint16_t displacement) {
            std::vector<std::size_t> places;
            for (const Exception* exception : buckets[bucket]) {
                const std::size_t place =
                    ksec::format::place_of_source(exception->source, displacement, bits);
                if (table.places[place].source != ksec::kNoClass ||
                    std::ranges::find(places, place) != places.end()) {
                    return false;
                }
                places.push_back(place);
            }
            for (std::size_t i = 0; i < places.size(); ++i) {
                table.places[places[i]].source = buckets[bucket][i]->source;
                table.places[places[i]].value = buckets[bucket][i]->value;
            }
            table.places[bucket].displacement = displacement;
            return true;
        };
        std::uint32_t displacement = 0;
        while (displacement < kDisplacements && !take(static_cast<std::uint16_t>(displacement))) {
            ++displacement;
        }
        if (displacement == kDisplacements) {
            return std::nullopt;
        }
    }
    return table;
}

}  // namespace

SourceTable make_source_table(const std::vector<Exception>& exceptions) {
    const std::size_t count = exceptions.size();
    auto bits = static_cast<unsigned>(count < 2 ? 0 : std::bit_width(count + count / 4 - 1));
    std::optional<SourceTable> table;
    while (!(table = try_bits(exceptions, bits))) {
        ++bits;
    }
    return *std::move(table);
}

}  // namespace sdk::policyc
