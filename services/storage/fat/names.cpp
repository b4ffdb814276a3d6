// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <services/storage/fat/names.hpp>

namespace svc::storage::fat {

namespace {

/// Code page 437, from 0x80 on, for short names that others made.
constexpr std::array<u16, 128> kCodePage{
    0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef,
    0x00ee, 0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9,
    0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa,
    0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb,
    0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557,
    0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f,
    0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559,
    0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580,
    0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9, 0x03b4,
    0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248,
    0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0,
};

constexpr u32 kBaseBytes = 8;
constexpr u32 kInvalid = ~0u;

bool is_surrogate(u32 code) { return code >= 0xd800 && code < 0xe000; }

/// The next character of UTF-8, or kInvalid.
u32 take_utf8(std::string_view& text) {
    const u32 first = static_cast<u8>(text[0]);
    const u32 count = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (count == 0 || first > 0xf4 || text.size() < count) {
        return kInvalid;
    }
    u32 code = count == 1 ? first : first & (0x7fu >> count);
    for (u32 i = 1; i < count; ++i) {
        const u32 byte = static_cast<u8>(text[i]);
        if ((byte & 0xc0) != 0x80) {
            return kInvalid;
        }
        code = (code << 6) | (byte & 0x3f);
    }
    text.remove_prefix(count);
    const bool is_longer_than_needed =
        (count == 3 && code < 0x800) || (count == 4 && code < 0x10000);
    return is_longer_than_needed || code > 0x10ffff || is_surrogate(code) ? kInvalid : code;
}

/// The next character of UTF-16, or kInvalid.
u32 take_utf16(std::span<const u16>& units) {
    const u32 first = units[0];
    if (!is_surrogate(first)) {
        units = units.subspan(1);
        return first;
    }
    if (first >= 0xdc00 || units.size() < 2 || (units[1] & 0xfc00) != 0xdc00) {
        return kInvalid;
    }
    const u32 code = 0x10000 + ((first - 0xd800) << 10) + (units[1] - 0xdc00u);
    units = units.subspan(2);
    return code;
}

/// False if there is no room.
bool put_utf8(TextName& name, u32 code) {
    const u32 count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (name.bytes.size() - name.count < count) {
        return false;
    }
    char* const at = &name.bytes[name.count];
    name.count += count;
    if (count == 1) {
        at[0] = static_cast<char>(code);
        return true;
    }
    for (u32 i = count; i-- > 1; code >>= 6) {
        at[i] = static_cast<char>(0x80 | (code & 0x3f));
    }
    at[0] = static_cast<char>((0xf00u >> count & 0xff) | code);
    return true;
}

bool is_allowed(u16 unit) {
    constexpr std::string_view kRefused = "\"*/:<>?\\|";
    return unit >= 0x20 && unit != 0x7f &&
           (unit > 0x7f || kRefused.find(static_cast<char>(unit)) == kRefused.npos);
}

bool is_allowed_in_short(u16 unit) {
    constexpr std::string_view kSigns = "$%'-_@~`!(){}^#&";
    const bool is_letter = (unit >= 'A' && unit <= 'Z') || (unit >= 'a' && unit <= 'z');
    return is_letter || (unit >= '0' && unit <= '9') ||
           (unit < 0x80 && kSigns.find(static_cast<char>(unit)) != kSigns.npos);
}

/// Characters of one part of a short name, from those of a long one.
class Part final {
public:
    explicit Part(std::span<u8> bytes) : bytes_(bytes) {}

    void put(u16 unit) {
        const bool is_plain = is_allowed_in_short(unit);
        fits_ = fits_ && is_plain && count_ < bytes_.size();
        has_lower_ = has_lower_ || (unit >= 'a' && unit <= 'z');
        has_upper_ = has_upper_ || (unit >= 'A' && unit <= 'Z');
        if (count_ < bytes_.size()) {
            bytes_[count_++] = is_plain ? static_cast<u8>(fold(unit)) : u8{'_'};
        }
    }

    [[nodiscard]] bool fits() const { return fits_; }

    [[nodiscard]] bool is_mixed() const { return has_lower_ && has_upper_; }

    [[nodiscard]] bool is_lower() const { return has_lower_; }

    [[nodiscard]] u32 count() const { return count_; }

private:
    std::span<u8> bytes_;
    u32 count_ = 0;
    bool fits_ = true;
    bool has_lower_ = false;
    bool has_upper_ = false;
};

/// Characters of a short name as they are shown; returns how many.
u32 short_units(const Entry& entry, std::array<u16, kShortBytes + 1>& out) {
    const auto unit_at = [&](u32 i, u32 lower) {
        const u8 byte = i == 0 && entry.raw[0] == kIsE5 ? kDeleted : entry.raw[i];
        const bool makes_lower = (entry.raw[12] & lower) != 0 && byte >= 'A' && byte <= 'Z';
        return static_cast<u16>(byte >= 0x80 ? kCodePage[byte - 0x80u]
                                             : byte + (makes_lower ? 0x20 : 0));
    };
    u32 base = kBaseBytes;
    while (base > 0 && entry.raw[base - 1] == ' ') {
        --base;
    }
    u32 end = kShortBytes;
    while (end > kBaseBytes && entry.raw[end - 1] == ' ') {
        --end;
    }
    u32 count = 0;
    for (u32 i = 0; i < base; ++i) {
        out[count++] = unit_at(i, kLowerBase);
    }
    if (end > kBaseBytes) {
        out[count++] = '.';
    }
    for (u32 i = kBaseBytes; i < end; ++i) {
        out[count++] = unit_at(i, kLowerExtension);
    }
    return count;
}

}  // namespace

u16 fold(u16 unit) {
    const bool is_ascii = unit >= 'a' && unit <= 'z';
    const bool is_latin = unit >= 0xe0 && unit <= 0xfe && unit != 0xf7;
    const bool is_greek = unit >= 0x3b1 && unit <= 0x3c9 && unit != 0x3c2;
    const bool is_cyrillic = unit >= 0x430 && unit <= 0x44f;
    if (is_ascii || is_latin || is_greek || is_cyrillic) {
        return static_cast<u16>(unit - 0x20);
    }
    if (unit >= 0x450 && unit <= 0x45f) {
        return static_cast<u16>(unit - 0x50);
    }
    return unit == 0xff ? 0x178 : unit;
}

bool equal_folded(std::span<const u16> a, std::span<const u16> b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](u16 x, u16 y) {
               return fold(x) == fold(y);
           });
}

bool equals_short(const Entry& entry, const LongName& name) {
    std::array<u16, kShortBytes + 1> units{};
    const u32 count = short_units(entry, units);
    return equal_folded(std::span(units).first(count), name.view());
}

u8 short_checksum(const u8* bytes) {
    u32 sum = 0;
    for (u32 i = 0; i < kShortBytes; ++i) {
        sum = (((sum & 1) << 7) + (sum >> 1) + bytes[i]) & 0xff;
    }
    return static_cast<u8>(sum);
}

bool LongName::assign(std::string_view text) {
    count = 0;
    while (!text.empty()) {
        const u32 code = take_utf8(text);
        const u32 needed = code < 0x10000 ? 1 : 2;
        if (code == kInvalid || count + needed > units.size()) {
            return false;
        }
        if (needed == 1) {
            units[count++] = static_cast<u16>(code);
        } else {
            units[count++] = static_cast<u16>(0xd800 + ((code - 0x10000) >> 10));
            units[count++] = static_cast<u16>(0xdc00 + ((code - 0x10000) & 0x3ff));
        }
    }
    return true;
}

bool LongName::can_be_made() const {
    return count > 0 && std::ranges::all_of(view(), is_allowed) && units[count - 1] != '.' &&
           units[count - 1] != ' ';
}

bool TextName::assign(std::span<const u16> units) {
    count = 0;
    while (!units.empty()) {
        const u32 code = take_utf16(units);
        if (code == kInvalid || code == '/' || code < 0x20 || !put_utf8(*this, code)) {
            return false;
        }
    }
    return count > 0 && view() != "." && view() != "..";
}

bool TextName::assign_short(const Entry& entry) {
    std::array<u16, kShortBytes + 1> units{};
    const u32 length = short_units(entry, units);
    return assign(std::span(units).first(length));
}

ShortName ShortName::of(const LongName& name) {
    ShortName made;
    made.bytes.fill(' ');
    u32 dot = name.count;  // the last one begins the extension, unless there is nothing before
    for (u32 i = 1; i < name.count; ++i) {
        dot = name.units[i] == '.' ? i : dot;
    }
    Part base{std::span(made.bytes).first(kBaseBytes)};
    Part extension{std::span(made.bytes).subspan(kBaseBytes)};
    made.fits = true;
    for (u32 i = 0; i < name.count; ++i) {
        const u16 unit = name.units[i];
        if (i == dot) {
            continue;
        }
        if (unit == ' ' || unit == '.') {  // left out, as others do
            made.fits = false;
            continue;
        }
        (i < dot ? base : extension).put(unit);
    }
    if (base.count() == 0) {
        base.put('_');
        made.fits = false;
    }
    made.fits = made.fits && base.fits() && extension.fits();
    made.is_whole = made.fits && !base.is_mixed() && !extension.is_mixed();
    if (made.is_whole) {
        made.cases = static_cast<u8>((base.is_lower() ? kLowerBase : 0) |
                                     (extension.is_lower() ? kLowerExtension : 0));
    }
    return made;
}

ShortName ShortName::numbered(u32 number, const LongName& name) const {
    ShortName made = *this;
    made.cases = 0;
    made.is_whole = false;
    u32 length = 0;
    while (length < kBaseBytes && bytes[length] != ' ') {
        ++length;
    }
    if (number < 10) {
        length = std::min(length, kBaseBytes - 2);
        made.bytes[length] = '~';
        made.bytes[length + 1] = static_cast<u8>('0' + number);
        return made;
    }
    u32 hash = 0x811c'9dc5u ^ number;
    for (const u16 unit : name.view()) {
        hash = (hash ^ unit) * 0x0100'0193u;
    }
    hash ^= hash >> 16;
    length = std::min(length, 2u);
    for (u32 i = 0; i < 4; ++i) {
        made.bytes[length++] = static_cast<u8>("0123456789ABCDEF"[hash >> (4 * i) & 15]);
    }
    made.bytes[length++] = '~';
    made.bytes[length++] = '1';
    std::fill(made.bytes.begin() + length, made.bytes.begin() + kBaseBytes, u8{' '});
    return made;
}

}  // namespace svc::storage::fat
