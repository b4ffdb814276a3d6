// SPDX-License-Identifier: Apache-2.0
// The variable-size part of a message: written by the sender, looked at in place by the receiver.
// Used by generated encode() and decode(). Nothing is allocated; the memory is the proxy's or the
// dispatcher's.
#pragma once

#include <idl/storage.hpp>
#include <kernel/abi/call.hpp>
#include <kernel/abi/rights.hpp>
#include <span>
#include <string_view>

namespace idl {

using base::u16;
using base::u32;
using base::u64;
using base::u8;

/// A handle to send: a plain number means "with all the rights it has".
struct HandleArgument {
    abi::HandleDescriptor descriptor;

    // NOLINTBEGIN(google-explicit-constructor): the point is to accept both
    constexpr HandleArgument(u32 handle) : descriptor{handle, abi::rights::kAll, 0} {}

    constexpr HandleArgument(const abi::HandleDescriptor& full) : descriptor(full) {}

    // NOLINTEND(google-explicit-constructor)
};

/// Fills an arena from its start. A piece that finds no room is left out and makes ok() false; the
/// message is then not sent.
class ArenaWriter final {
public:
    constexpr ArenaWriter() = default;

    constexpr ArenaWriter(u8* memory, u32 capacity) : memory_(memory), capacity_(capacity) {}

    /// Zeroed room for `count` values, for the caller to fill; empty when there is no room.
    template <WireValue T> std::span<T> allocate(u32 count) {
        const u64 bytes = u64{count} * sizeof(T);
        u8* at = take(bytes, alignof(T));
        if (at == nullptr || count == 0) {
            return {};
        }
        __builtin_memset(at, 0, static_cast<std::size_t>(bytes));
        return {reinterpret_cast<T*>(at), count};
    }

    /// Text with the NUL that ends it on the wire; empty text takes nothing.
    abi::ArenaRange add_text(std::string_view text) {
        if (text.empty()) {
            return {};
        }
        if (text.size() >= abi::kMaxArenaBytes) {
            overflowed_ = true;
            return {};
        }
        const u32 size = static_cast<u32>(text.size());
        u8* at = take(u64{size} + 1, 1);
        if (at == nullptr) {
            return {};
        }
        __builtin_memcpy(at, text.data(), size);
        at[size] = 0;
        return {static_cast<u32>(at - memory_), size + 1};
    }

    /// A copy of the values, unless they stand in this arena already.
    template <WireValue T> abi::ArenaRange add(std::span<const T> values) {
        if (values.empty()) {
            return {};
        }
        const u8* from = reinterpret_cast<const u8*>(values.data());
        if (values.size_bytes() > abi::kMaxArenaBytes) {
            overflowed_ = true;
            return {};
        }
        const u32 size = static_cast<u32>(values.size_bytes());
        if (contains(from, size)) {
            return {static_cast<u32>(from - memory_), size};
        }
        u8* at = take(size, alignof(T));
        if (at == nullptr) {
            return {};
        }
        __builtin_memcpy(at, from, size);
        return {static_cast<u32>(at - memory_), size};
    }

    /// As add(), but when nothing else is in the arena the values are sent from where they stand,
    /// without a copy: they must stay until the message is out.
    template <WireValue T> abi::ArenaRange borrow(std::span<const T> values) {
        const u8* from = reinterpret_cast<const u8*>(values.data());
        if (values.empty() || used_ != 0 || values.size_bytes() > abi::kMaxArenaBytes) {
            return add(values);
        }
        borrowed_ = from;
        used_ = static_cast<u32>(values.size_bytes());
        return {0, used_};
    }

    /// What was written before is forgotten.
    void reset() {
        used_ = 0;
        borrowed_ = nullptr;
        overflowed_ = false;
    }

    [[nodiscard]] bool ok() const { return !overflowed_; }

    [[nodiscard]] const void* data() const { return borrowed_ != nullptr ? borrowed_ : memory_; }

    [[nodiscard]] u32 size() const { return used_; }

private:
    u8* take(u64 bytes, u32 alignment) {
        const u64 at = (u64{used_} + alignment - 1) / alignment * alignment;
        if (borrowed_ != nullptr || at > capacity_ || bytes > capacity_ - at) {
            overflowed_ = true;
            return nullptr;
        }
        for (u32 i = used_; i < at; ++i) {
            memory_[i] = 0;  // gaps must not carry what an earlier message left
        }
        used_ = static_cast<u32>(at + bytes);
        return memory_ + at;
    }

    [[nodiscard]] bool contains(const u8* from, u32 size) const {
        const auto start = reinterpret_cast<std::uintptr_t>(memory_);
        const auto at = reinterpret_cast<std::uintptr_t>(from);
        return borrowed_ == nullptr && at >= start && at - start <= used_ &&
               size <= used_ - (at - start);
    }

    u8* memory_ = nullptr;
    const u8* borrowed_ = nullptr;
    u32 capacity_ = 0;
    u32 used_ = 0;
    bool overflowed_ = false;
};

/// An arena that arrived, 8-aligned. Every look is checked against its bounds.
class ArenaView final {
public:
    constexpr ArenaView() = default;

    constexpr ArenaView(const u8* data, u32 size) : data_(data), size_(size) {}

    /// The text of a range: at most `max` bytes, its NUL not counted. False when the range lies
    /// outside, is longer, or does not end in NUL.
    [[nodiscard]] bool
    read_text(const abi::ArenaRange& range, u32 max, std::string_view& text) const {
        text = {};
        if (range.size == 0) {
            return true;
        }
        if (!inside(range) || range.size - 1 > max || data_[range.offset + range.size - 1] != 0) {
            return false;
        }
        text = {reinterpret_cast<const char*>(data_ + range.offset), range.size - 1};
        return true;
    }

    /// The values of a range: at most `max` of them. False when the range lies outside, is longer,
    /// misaligned or ends within a value.
    template <WireValue T>
    [[nodiscard]] bool
    read(const abi::ArenaRange& range, u32 max, std::span<const T>& values) const {
        values = {};
        if (range.size == 0) {
            return true;
        }
        const u32 count = range.size / static_cast<u32>(sizeof(T));
        if (!inside(range) || range.size % sizeof(T) != 0 || range.offset % alignof(T) != 0 ||
            count > max) {
            return false;
        }
        values = {reinterpret_cast<const T*>(data_ + range.offset), count};
        return true;
    }

    /// As read_text(), empty on failure: for ranges inside structs, which were checked on arrival.
    [[nodiscard]] std::string_view text(const abi::ArenaRange& range) const {
        std::string_view result;
        static_cast<void>(read_text(range, abi::kMaxArenaBytes, result));
        return result;
    }

    /// As read(), empty on failure.
    template <WireValue T>
    [[nodiscard]] std::span<const T> values(const abi::ArenaRange& range) const {
        std::span<const T> result;
        static_cast<void>(read<T>(range, abi::kMaxArenaBytes, result));
        return result;
    }

private:
    [[nodiscard]] bool inside(const abi::ArenaRange& range) const {
        return range.offset <= size_ && range.size <= size_ - range.offset;
    }

    const u8* data_ = nullptr;
    u32 size_ = 0;
};

/// Stands for the error parameters of a method that has none.
struct NoErrors {};

/// Whether `check` holds for every value.
template <typename Values, typename Check>
[[nodiscard]] constexpr bool all(const Values& values, const Check& check) {
    for (const auto& value : values) {
        if (!check(value)) {
            return false;
        }
    }
    return true;
}

/// Whether a range inside a struct or sequence is a text of at most `max` bytes.
[[nodiscard]] inline bool is_text(const ArenaView& arena, const abi::ArenaRange& range, u32 max) {
    std::string_view text;
    return arena.read_text(range, max, text);
}

/// Whether a range inside a struct or sequence has at most `max` values, for which `check` holds.
template <WireValue T, typename Check>
[[nodiscard]] bool
are_values(const ArenaView& arena, const abi::ArenaRange& range, u32 max, const Check& check) {
    std::span<const T> values;
    return arena.read<T>(range, max, values) && all(values, check);
}

template <WireValue T>
[[nodiscard]] bool are_values(const ArenaView& arena, const abi::ArenaRange& range, u32 max) {
    std::span<const T> values;
    return arena.read<T>(range, max, values);
}

/// What generated code knows of one method; `Traits` of the templates in client.hpp and server.hpp.
struct MessageShape {
    u32 fixed_size;
    u32 arena_max;
    u32 handle_count;
    bool is_short;
    bool exists;  ///< false: cannot be sent

    /// The tag of such a message that carries an arena of `arena_size` bytes.
    [[nodiscard]] constexpr abi::Tag
    tag(abi::Kind kind, u16 endpoint, u16 method, u32 arena_size) const {
        if (is_short) {
            return abi::Tag::make_short(kind, endpoint, method, fixed_size);
        }
        const abi::Tag tag = abi::Tag::make_long(kind, endpoint, method, handle_count);
        return abi::Tag{tag.value | (arena_size != 0 ? abi::Tag::kArena : 0)};
    }

    /// Whether a message that arrived has this shape.
    [[nodiscard]] constexpr bool fits(abi::Tag tag, u32 fixed_bytes, u32 arena_bytes) const {
        return tag.is_long() != is_short && fixed_bytes == fixed_size &&
               tag.handle_count() == handle_count && arena_bytes <= arena_max;
    }
};

}  // namespace idl
