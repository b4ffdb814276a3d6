// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <lang/integer.hpp>

namespace sdk::lang {

namespace {

using Digits = std::vector<std::uint32_t>;

void trim_digits(Digits& digits) {
    while (!digits.empty() && digits.back() == 0) {
        digits.pop_back();
    }
}

std::strong_ordering compare(const Digits& a, const Digits& b) {
    if (a.size() != b.size()) {
        return a.size() <=> b.size();
    }
    for (std::size_t i = a.size(); i-- > 0;) {
        if (a[i] != b[i]) {
            return a[i] <=> b[i];
        }
    }
    return std::strong_ordering::equal;
}

Digits add_digits(const Digits& a, const Digits& b) {
    Digits sum;
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < std::max(a.size(), b.size()) || carry != 0; ++i) {
        carry += i < a.size() ? a[i] : 0;
        carry += i < b.size() ? b[i] : 0;
        sum.push_back(static_cast<std::uint32_t>(carry));
        carry >>= 32;
    }
    return sum;
}

/// a - b, where a >= b.
Digits subtract_digits(const Digits& a, const Digits& b) {
    Digits difference;
    std::int64_t borrow = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::int64_t digit = static_cast<std::int64_t>(a[i]) - borrow;
        digit -= i < b.size() ? static_cast<std::int64_t>(b[i]) : 0;
        borrow = digit < 0 ? 1 : 0;
        difference.push_back(static_cast<std::uint32_t>(digit + (borrow << 32)));
    }
    trim_digits(difference);
    return difference;
}

Digits multiply_digits(const Digits& a, const Digits& b) {
    Digits product(a.size() + b.size(), 0);
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::uint64_t carry = 0;
        for (std::size_t j = 0; j < b.size(); ++j) {
            carry += std::uint64_t{a[i]} * b[j] + product[i + j];
            product[i + j] = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
        product[i + b.size()] = static_cast<std::uint32_t>(carry);
    }
    trim_digits(product);
    return product;
}

/// digits = digits * factor + addend.
void scale(Digits& digits, std::uint32_t factor, std::uint32_t addend) {
    std::uint64_t carry = addend;
    for (std::uint32_t& digit : digits) {
        carry += std::uint64_t{digit} * factor;
        digit = static_cast<std::uint32_t>(carry);
        carry >>= 32;
    }
    if (carry != 0) {
        digits.push_back(static_cast<std::uint32_t>(carry));
    }
}

/// digits = digits / divisor; returns the remainder.
std::uint32_t divide_small(Digits& digits, std::uint32_t divisor) {
    std::uint64_t rest = 0;
    for (std::size_t i = digits.size(); i-- > 0;) {
        rest = (rest << 32) | digits[i];
        digits[i] = static_cast<std::uint32_t>(rest / divisor);
        rest %= divisor;
    }
    trim_digits(digits);
    return static_cast<std::uint32_t>(rest);
}

std::size_t bits_of(const Digits& digits) {
    return digits.empty()
               ? 0
               : 32 * digits.size() - static_cast<std::size_t>(std::countl_zero(digits.back()));
}

Digits shift_digits_left(const Digits& digits, std::size_t count) {
    Digits shifted(count / 32, 0);
    const auto bits = static_cast<unsigned>(count % 32);
    std::uint64_t carry = 0;
    for (const std::uint32_t digit : digits) {
        carry |= std::uint64_t{digit} << bits;
        shifted.push_back(static_cast<std::uint32_t>(carry));
        carry >>= 32;
    }
    shifted.push_back(static_cast<std::uint32_t>(carry));
    trim_digits(shifted);
    return shifted;
}

struct Division {
    Digits quotient;
    Digits remainder;
};

/// Bit by bit: the numbers here have at most some thousand bits and divisions are rare.
Division divide_digits(const Digits& a, const Digits& b) {
    Division result;
    result.quotient.assign(a.size(), 0);
    for (std::size_t i = bits_of(a); i-- > 0;) {
        result.remainder = shift_digits_left(result.remainder, 1);
        if ((a[i / 32] >> (i % 32) & 1) != 0) {
            if (result.remainder.empty()) {
                result.remainder.push_back(0);
            }
            result.remainder[0] |= 1;
        }
        if (compare(result.remainder, b) >= 0) {
            result.remainder = subtract_digits(result.remainder, b);
            result.quotient[i / 32] |= 1u << (i % 32);
        }
    }
    trim_digits(result.quotient);
    return result;
}

/// Value of a digit character, 99 when it is none.
unsigned digit_value(char c) {
    if (c >= '0' && c <= '9') {
        return static_cast<unsigned>(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return static_cast<unsigned>(c - 'a') + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return static_cast<unsigned>(c - 'A') + 10;
    }
    return 99;
}

}  // namespace

void Integer::trim() {
    trim_digits(magnitude_);
    negative_ = negative_ && !magnitude_.empty();
}

Integer::Integer(std::int64_t value) {
    // The magnitude of the smallest value is not an int64_t.
    const auto bits = static_cast<std::uint64_t>(value);
    *this = from_unsigned(value < 0 ? ~bits + 1 : bits);
    negative_ = value < 0;
}

Integer Integer::from_unsigned(std::uint64_t value) {
    Integer result;
    result.magnitude_ = {static_cast<std::uint32_t>(value),
                         static_cast<std::uint32_t>(value >> 32)};
    result.trim();
    return result;
}

std::optional<Integer> Integer::parse(std::string_view digits) {
    std::uint32_t base = 10;
    if (digits.starts_with("0x") || digits.starts_with("0X")) {
        base = 16;
        digits.remove_prefix(2);
    } else if (digits.starts_with("0o") || digits.starts_with("0O")) {
        base = 8;
        digits.remove_prefix(2);
    }
    if (digits.empty()) {
        return std::nullopt;
    }
    Integer result;
    for (const char c : digits) {
        const unsigned value = digit_value(c);
        if (value >= base || bits_of(result.magnitude_) > kMaxBits) {
            return std::nullopt;
        }
        scale(result.magnitude_, base, value);
    }
    result.trim();
    if (result.bit_count() > kMaxBits) {
        return std::nullopt;
    }
    return result;
}

std::size_t Integer::bit_count() const { return bits_of(magnitude_); }

bool Integer::fits_unsigned(unsigned bits) const { return !negative_ && bit_count() <= bits; }

bool Integer::fits_signed(unsigned bits) const {
    if (!negative_) {
        return bit_count() < bits;
    }
    return (-*this + Integer{-1}).bit_count() < bits;
}

std::uint64_t Integer::low_bits() const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(magnitude_.size(), 2); ++i) {
        value |= std::uint64_t{magnitude_[i]} << (32 * i);
    }
    return negative_ ? ~value + 1 : value;
}

std::string Integer::to_string() const {
    if (is_zero()) {
        return "0";
    }
    std::string text;
    Digits digits = magnitude_;
    while (!digits.empty()) {
        text += static_cast<char>('0' + divide_small(digits, 10));
    }
    if (negative_) {
        text += '-';
    }
    std::reverse(text.begin(), text.end());
    return text;
}

std::strong_ordering operator<=>(const Integer& a, const Integer& b) {
    if (a.negative_ != b.negative_) {
        return a.negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
    }
    return a.negative_ ? compare(b.magnitude_, a.magnitude_) : compare(a.magnitude_, b.magnitude_);
}

Integer operator-(const Integer& a) {
    Integer result = a;
    result.negative_ = !a.negative_;
    result.trim();
    return result;
}

Integer operator+(const Integer& a, const Integer& b) {
    Integer result;
    if (a.negative_ == b.negative_) {
        result.magnitude_ = add_digits(a.magnitude_, b.magnitude_);
        result.negative_ = a.negative_;
    } else if (compare(a.magnitude_, b.magnitude_) >= 0) {
        result.magnitude_ = subtract_digits(a.magnitude_, b.magnitude_);
        result.negative_ = a.negative_;
    } else {
        result.magnitude_ = subtract_digits(b.magnitude_, a.magnitude_);
        result.negative_ = b.negative_;
    }
    result.trim();
    return result;
}

Integer operator-(const Integer& a, const Integer& b) { return a + -b; }

std::optional<Integer> Integer::multiply(const Integer& a, const Integer& b) {
    if (a.bit_count() + b.bit_count() > kMaxBits + 1) {
        return std::nullopt;
    }
    Integer result;
    result.magnitude_ = multiply_digits(a.magnitude_, b.magnitude_);
    result.negative_ = a.negative_ != b.negative_;
    result.trim();
    if (result.bit_count() > kMaxBits) {
        return std::nullopt;
    }
    return result;
}

std::optional<Integer> Integer::power(const Integer& base, const Integer& exponent) {
    Integer result{1};
    if (base.bit_count() <= 1) {  // 0, 1, -1: any exponent will do
        const bool odd = (exponent.low_bits() & 1) != 0;
        if (exponent.is_zero() || base.is_zero()) {
            return exponent.is_zero() ? result : base;
        }
        return base.is_negative() && !odd ? -base : base;
    }
    if (exponent.bit_count() > 32) {
        return std::nullopt;
    }
    Integer square = base;
    for (std::uint64_t left = exponent.low_bits(); left != 0;) {
        if ((left & 1) != 0) {
            const std::optional<Integer> product = multiply(result, square);
            if (!product) {
                return std::nullopt;
            }
            result = *product;
        }
        left >>= 1;
        if (left != 0) {
            const std::optional<Integer> next = multiply(square, square);
            if (!next) {
                return std::nullopt;
            }
            square = *next;
        }
    }
    return result;
}

std::optional<Integer> Integer::shift_left(const Integer& a, const Integer& count) {
    if (a.is_zero()) {
        return a;
    }
    if (count.bit_count() > 32 || a.bit_count() + count.low_bits() > kMaxBits) {
        return std::nullopt;
    }
    Integer result;
    result.magnitude_ = shift_digits_left(a.magnitude_, count.low_bits());
    result.negative_ = a.negative_;
    result.trim();
    return result;
}

Integer Integer::shift_right(const Integer& a, const Integer& count) {
    if (count.bit_count() > 32 || count.low_bits() >= a.bit_count()) {
        return a.negative_ ? Integer{-1} : Integer{};
    }
    return divide(a, *shift_left(Integer{1}, count));
}

Integer Integer::divide(const Integer& a, const Integer& b) {
    Division division = divide_digits(a.magnitude_, b.magnitude_);
    Integer result;
    result.magnitude_ = std::move(division.quotient);
    result.negative_ = a.negative_ != b.negative_;
    const bool inexact = !division.remainder.empty();
    const bool below_zero = a.negative_ != b.negative_;
    result.trim();
    return inexact && below_zero ? result - Integer{1} : result;
}

Integer Integer::modulo(const Integer& a, const Integer& b) {
    Integer result;
    result.magnitude_ = divide_digits(a.magnitude_, b.magnitude_).remainder;
    result.negative_ = a.negative_;
    result.trim();
    return !result.is_zero() && result.negative_ != b.negative_ ? result + b : result;
}

}  // namespace sdk::lang
