// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstring>
#include <services/storage/hash.hpp>

namespace svc::storage {

namespace {

constexpr u64 kPrime1 = 0x9e37'79b1'85eb'ca87;
constexpr u64 kPrime2 = 0xc2b2'ae3d'27d4'eb4f;
constexpr u64 kPrime3 = 0x1656'67b1'9e37'79f9;
constexpr u64 kPrime4 = 0x85eb'ca77'c2b2'ae63;
constexpr u64 kPrime5 = 0x27d4'eb2f'1656'67c5;

u64 word_at(const u8* at) {
    u64 word = 0;
    std::memcpy(&word, at, sizeof(word));
    return word;
}

constexpr u64 mix(u64 lane, u64 word) { return std::rotl(lane + word * kPrime2, 31) * kPrime1; }

constexpr u64 merge(u64 hash, u64 lane) { return (hash ^ mix(0, lane)) * kPrime1 + kPrime4; }

struct SipState {
    u64 a;
    u64 b;
    u64 c;
    u64 d;

    void round() {
        a += b;
        b = std::rotl(b, 13) ^ a;
        a = std::rotl(a, 32);
        c += d;
        d = std::rotl(d, 16) ^ c;
        a += d;
        d = std::rotl(d, 21) ^ a;
        c += b;
        b = std::rotl(b, 17) ^ c;
        c = std::rotl(c, 32);
    }

    void take(u64 word) {
        d ^= word;
        round();
        a ^= word;
    }
};

}  // namespace

u64 checksum(u64 seed, std::span<const u8> data) {
    const u8* at = data.data();
    u64 left = data.size();
    u64 hash = seed + kPrime5;
    if (left >= 32) {
        u64 a = seed + kPrime1 + kPrime2;
        u64 b = seed + kPrime2;
        u64 c = seed;
        u64 d = seed - kPrime1;
        for (; left >= 32; left -= 32, at += 32) {
            a = mix(a, word_at(at));
            b = mix(b, word_at(at + 8));
            c = mix(c, word_at(at + 16));
            d = mix(d, word_at(at + 24));
        }
        hash = std::rotl(a, 1) + std::rotl(b, 7) + std::rotl(c, 12) + std::rotl(d, 18);
        hash = merge(merge(merge(merge(hash, a), b), c), d);
    }
    hash += data.size();
    for (; left >= 8; left -= 8, at += 8) {
        hash = std::rotl(hash ^ mix(0, word_at(at)), 27) * kPrime1 + kPrime4;
    }
    hash = (hash ^ (hash >> 33)) * kPrime2;
    hash = (hash ^ (hash >> 29)) * kPrime3;
    return hash ^ (hash >> 32);
}

u64 hash_name(const std::array<u64, 2>& key, std::string_view name) {
    SipState state{key[0] ^ 0x736f'6d65'7073'6575,
                   key[1] ^ 0x646f'7261'6e64'6f6d,
                   key[0] ^ 0x6c79'6765'6e65'7261,
                   key[1] ^ 0x7465'6462'7974'6573};
    u64 word = 0;
    u32 filled = 0;
    for (const char c : name) {
        word |= u64{static_cast<u8>(c)} << (8 * filled);
        if (++filled == 8) {
            state.take(word);
            word = 0;
            filled = 0;
        }
    }
    state.take(word | (u64{name.size()} << 56));
    state.c ^= 0xff;
    state.round();
    state.round();
    state.round();
    const u64 hash = (state.a ^ state.b ^ state.c ^ state.d) >> 1;
    return hash == 0 ? 1 : hash;
}

}  // namespace svc::storage
