// SPDX-License-Identifier: Apache-2.0
#include <ksec/engine/comparison.hpp>

namespace ksec::engine {

namespace {

/// `size` bytes, little-endian as the machine is.
u64 load_number(const u8* at, u8 size) {
    u64 number = 0;
    switch (size) {
    case 1:
        return *at;
    case 2:
        __builtin_memcpy(&number, __builtin_assume_aligned(at, 2), 2);
        return number;
    case 4:
        __builtin_memcpy(&number, __builtin_assume_aligned(at, 4), 4);
        return number;
    default:
        __builtin_memcpy(&number, __builtin_assume_aligned(at, 8), 8);
        return number;
    }
}

bool holds(format::Relation relation, u64 a, u64 b) {
    switch (relation) {
    case format::Relation::Equal:
        return a == b;
    case format::Relation::NotEqual:
        return a != b;
    case format::Relation::Less:
        return a < b;
    case format::Relation::LessEqual:
        return a <= b;
    case format::Relation::Greater:
        return a > b;
    case format::Relation::GreaterEqual:
        break;
    }
    return a >= b;
}

}  // namespace

format::Outcome compare(const format::Comparison& row, const Query& query, u64& value) {
    value = load_number(query.message.fixed + row.offset, row.size);
    u64 bias = 0;
    if (row.is_signed != 0) {
        const u64 sign = u64{1} << (row.size * 8u - 1);
        value = (value ^ sign) - sign;
        bias = u64{1} << 63;  // signed order is unsigned order with the top bit turned
    }
    const bool is_true = holds(row.relation, value ^ bias, row.constant ^ bias);
    return is_true == (row.denies == 0) ? format::Outcome::Grant : format::Outcome::Deny;
}

}  // namespace ksec::engine
