// SPDX-License-Identifier: Apache-2.0
// Integers without a width, for constant expressions: computed exactly, and only then checked
// against the type they are for. Sign and magnitude; results above kMaxBits are refused instead of
// eating the machine (1 << 100000000).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sdk::lang {

class Integer final {
public:
    static constexpr std::size_t kMaxBits = 8192;

    Integer() = default;
    Integer(std::int64_t value);  // NOLINT(google-explicit-constructor): a plain number
    static Integer from_unsigned(std::uint64_t value);

    /// Decimal, 0x, 0o digits (with optional '_' refused); nothing when a digit does not fit the
    /// base or the number is above kMaxBits.
    static std::optional<Integer> parse(std::string_view digits);

    [[nodiscard]] bool is_negative() const { return negative_; }

    [[nodiscard]] bool is_zero() const { return magnitude_.empty(); }

    [[nodiscard]] std::size_t bit_count() const;  ///< of the magnitude

    /// Whether an integer type of `bits` bits can hold it.
    [[nodiscard]] bool fits_unsigned(unsigned bits) const;
    [[nodiscard]] bool fits_signed(unsigned bits) const;

    /// The value modulo 2^64; exact when fits_unsigned(64) or fits_signed(64).
    [[nodiscard]] std::uint64_t low_bits() const;

    [[nodiscard]] std::string to_string() const;  ///< decimal

    friend bool operator==(const Integer&, const Integer&) = default;
    friend std::strong_ordering operator<=>(const Integer& a, const Integer& b);

    friend Integer operator-(const Integer& a);
    friend Integer operator+(const Integer& a, const Integer& b);
    friend Integer operator-(const Integer& a, const Integer& b);

    // Each of these gives nothing when the result would be above kMaxBits, or as described.
    static std::optional<Integer> multiply(const Integer& a, const Integer& b);
    static std::optional<Integer> power(const Integer& base,
                                        const Integer& exponent);  // exponent >= 0
    static std::optional<Integer> shift_left(const Integer& a, const Integer& count);  // count >= 0
    static Integer shift_right(const Integer& a, const Integer& count);  // floors; count >= 0
    /// Quotient floors towards minus infinity; the remainder has the divisor's sign. Divisor not 0.
    static Integer divide(const Integer& a, const Integer& b);
    static Integer modulo(const Integer& a, const Integer& b);

private:
    void trim();

    bool negative_ = false;
    std::vector<std::uint32_t> magnitude_;  // little-endian, no leading zero; empty is 0
};

}  // namespace sdk::lang
