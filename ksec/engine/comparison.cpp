// SPDX-License-Identifier: Apache-2.0
#include <ksec/engine/comparison.hpp>

namespace ksec::engine {

format::Outcome compare(const format::Comparison& row, const Query& query, u64& value) {
    u64 word = 0;
    __builtin_memcpy(&word,
                     __builtin_assume_aligned(query.message.fixed + row.word, sizeof(word)),
                     sizeof(word));
    word <<= row.bits_above;
    value = row.is_signed != 0 ? static_cast<u64>(static_cast<base::s64>(word) >> row.bits_around)
                               : word >> row.bits_around;
    // Signed order is unsigned order with the top bit turned.
    const u64 bias = u64{row.is_signed} << 63;
    const u64 number = value ^ bias;
    const u64 constant = row.constant ^ bias;
    const u8 order = number < constant    ? format::kBelow
                     : number == constant ? format::kEqual
                                          : format::kAbove;
    return (row.grants & order) != 0 ? format::Outcome::Grant : format::Outcome::Deny;
}

}  // namespace ksec::engine
