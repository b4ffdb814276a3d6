// SPDX-License-Identifier: Apache-2.0
#include <kernel/abi/call.hpp>
#include <ksec/engine/structure.hpp>
#include <ksec/engine/utf8.hpp>

namespace ksec::engine {

namespace {

using base::s32;
using format::Field;
using format::FieldKind;
using format::Layout;

// Measured instructions, rounded up.
constexpr s32 kVisitCost = 100;
constexpr s32 kRangeCost = 110;
constexpr s32 kCompareCost = 40;

constexpr Finding kGranted{Verdict::Granted, Defect::None, kNoParameter};
constexpr Finding kAgain{Verdict::Again, Defect::None, kNoParameter};

constexpr Finding wrong(Defect defect, u32 parameter) {
    return {Verdict::Denied, defect, parameter};
}

/// A 4-aligned number of a message.
u32 read_word(const u8* at) {
    u32 value = 0;
    __builtin_memcpy(&value, __builtin_assume_aligned(at, 4), sizeof(value));
    return value;
}

/// What a walk stopped at.
struct Visit {
    enum class Kind : u8 { End, Pause, Range, Wrong };

    Kind kind;
    const Field* field;  ///< not for End, Pause
    u32 offset;          ///< Range: place in the arena
    u32 size;
    Defect defect;  ///< Wrong: what is
};

/// The message and the tables; the walks over it.
class Walker final {
public:
    Walker(const format::Policy& policy, const Message& message)
        : policy_(policy), message_(message) {}

    /// Puts a cursor before the first field of the fixed part.
    void begin(Cursor& cursor, u16 layout) const {
        cursor.depth = 1;
        cursor.frames[0] = {.base = 0, .left = 1, .layout = layout, .field = 0};
    }

    /// Advances to the next range, entering unions, lists and arrays on the way; stops with Pause
    /// when `fuel` is used up.
    Visit next(Cursor& cursor, s32& fuel) const {
        while (cursor.depth != 0) {
            if (fuel <= 0) {
                return {Visit::Kind::Pause, nullptr, 0, 0, Defect::None};
            }
            fuel -= kVisitCost;
            Frame& frame = cursor.frames[cursor.depth - 1];
            const Layout& layout = policy_.layouts[frame.layout];
            if (frame.field == layout.field_count) {
                frame.field = 0;
                frame.base += layout.size;
                --frame.left;
                if (frame.left == 0) {
                    --cursor.depth;
                }
                continue;
            }
            const Field& field = layout.fields[frame.field];
            ++frame.field;
            const u32 place = frame.base + field.offset;
            Defect defect = Defect::None;
            switch (field.kind) {
            case FieldKind::Array:
                defect = enter(cursor, place, field.limit, field.inner);
                break;
            case FieldKind::List:
                defect = enter_list(cursor, place, field);
                break;
            case FieldKind::Union:
                defect = enter_union(cursor, place, field);
                break;
            case FieldKind::Handle:
                defect = check_handle(frame.base, field);
                break;
            default:
                return range(field, place);
            }
            if (defect != Defect::None) {
                return {Visit::Kind::Wrong, &field, 0, 0, defect};
            }
        }
        return {Visit::Kind::End, nullptr, 0, 0, Defect::None};
    }

    /// The range that next() returned last.
    [[nodiscard]] Visit current(const Cursor& cursor) const {
        const Frame& frame = cursor.frames[cursor.depth - 1];
        const Field& field = policy_.layouts[frame.layout].fields[frame.field - 1];
        return range(field, frame.base + field.offset);
    }

    /// After a sequence: go on with its elements. TooLong: nested too deep.
    [[nodiscard]] Defect descend(Cursor& cursor, const Visit& visit) const {
        const Field& field = *visit.field;
        if (field.kind != FieldKind::Sequence || visit.size == 0) {
            return Defect::None;
        }
        return enter(cursor, visit.offset | kInArena, visit.size / field.stride, field.inner);
    }

private:
    [[nodiscard]] Visit range(const Field& field, u32 place) const {
        return {Visit::Kind::Range, &field, read(place), read(place + 4), Defect::None};
    }

    [[nodiscard]] Defect enter(Cursor& cursor, u32 base, u32 count, u16 layout) const {
        if (layout == format::kNoLayout || policy_.layouts[layout].field_count == 0 || count == 0) {
            return Defect::None;
        }
        if (cursor.depth == format::kMaxDepth) {
            return Defect::TooLong;
        }
        cursor.frames[cursor.depth] = {.base = base, .left = count, .layout = layout, .field = 0};
        ++cursor.depth;
        return Defect::None;
    }

    [[nodiscard]] Defect enter_list(Cursor& cursor, u32 place, const Field& field) const {
        const u32 count = read(place);
        const u32 elements = bounded(count, field.limit + 1);
        if (count > field.limit) {
            return Defect::TooLong;
        }
        return enter(cursor, place + format::kListHeader, elements, field.inner);
    }

    [[nodiscard]] Defect enter_union(Cursor& cursor, u32 place, const Field& field) const {
        const u32 tag = read(place);
        const u32 member = bounded(tag, field.limit);
        if (tag >= field.limit) {
            return Defect::UnionTag;
        }
        return enter(cursor, place, 1, static_cast<u16>(field.inner + member));
    }

    /// No rule sees a handle of a member or element that is not there, so none may travel.
    [[nodiscard]] Defect check_handle(u32 base, const Field& field) const {
        const u32 number = read(base + field.stride);
        const bool may_be = number >= field.limit && number <= field.inner;
        return may_be || read(base + field.offset) == abi::kInvalidHandle ? Defect::None
                                                                          : Defect::HandleCount;
    }

    [[nodiscard]] u32 read(u32 place) const {
        const u8* const part = (place & kInArena) != 0 ? message_.arena : message_.fixed;
        return read_word(part + (place & ~kInArena));
    }

    const format::Policy& policy_;
    const Message& message_;
};

/// One range by itself.
inline Defect check_range(const Visit& visit, u32 arena_size) {
    const Field& field = *visit.field;
    if (visit.offset > arena_size || visit.size > arena_size - visit.offset) {
        return Defect::RangeOutside;
    }
    if (visit.size == 0) {
        return Defect::None;
    }
    if ((visit.offset & (field.alignment - 1u)) != 0) {
        return Defect::RangeMisaligned;
    }
    if (field.kind != FieldKind::Sequence) {
        return visit.size > field.limit ? Defect::TooLong : Defect::None;
    }
    if (visit.size % field.stride != 0) {
        return Defect::RangeMisaligned;
    }
    return visit.size / field.stride > field.limit ? Defect::TooLong : Defect::None;
}

/// Whether two ranges share a byte. No overflow: both lie inside an arena of at most 16 MiB.
bool overlaps(const Visit& a, const Visit& b) {
    return a.size != 0 && b.size != 0 && a.offset < b.offset + b.size &&
           b.offset < a.offset + a.size;
}

/// Goes on comparing the current range with the earlier ones.
Finding compare_with_earlier(const Walker& walker, const Visit& visit, Walk& walk, s32& fuel) {
    while (walk.compared < walk.visited) {
        const Visit other = walker.next(walk.earlier, fuel);
        if (other.kind == Visit::Kind::Pause) {
            return kAgain;
        }
        if (other.kind != Visit::Kind::Range || overlaps(visit, other) ||
            walker.descend(walk.earlier, other) != Defect::None) {
            return wrong(Defect::RangeOverlap, visit.field->parameter);
        }
        ++walk.compared;
        fuel -= kCompareCost;
    }
    return kGranted;
}

/// Goes on with the text of the current range.
Finding check_text_range(const Message& message, const Visit& visit, Walk& walk, s32& fuel) {
    const u32 parameter = visit.field->parameter;
    const u8* const text = message.arena + visit.offset;
    const TextStep step = check_text(text, walk.position, visit.size - 1, fuel);
    walk.position = step.position;
    if (step.verdict != Verdict::Granted) {
        return {step.verdict, step.defect, parameter};
    }
    return text[visit.size - 1] == 0 ? kGranted : wrong(Defect::NotTerminated, parameter);
}

}  // namespace

Defect check_sizes(const Message& message, const Shape& shape) {
    const bool is_short =
        shape.fixed_size <= abi::kShortBytes && shape.handle_count == 0 && shape.arena_max == 0;
    if (is_short && (message.flags & kTravelsLong) != 0) {
        return Defect::NotShort;
    }
    if (message.fixed_size != shape.fixed_size) {
        return Defect::FixedSize;
    }
    if (message.arena_size > shape.arena_max) {
        return Defect::ArenaSize;
    }
    if (message.handle_count != shape.handle_count) {
        return Defect::HandleCount;
    }
    if (shape.staging == Staging::Arena && message.arena_size != 0 && message.arena == nullptr) {
        return Defect::ArenaSize;
    }
    return Defect::None;
}

bool are_buffers(const format::Layout& layout, const u8* fixed, u32 arena_size) {
    constexpr u32 kMost = 4;
    if (layout.field_count > kMost) {
        return false;
    }
    Visit seen[kMost];
    for (u32 i = 0; i < layout.field_count; ++i) {
        const Field& field = layout.fields[i];
        const bool is_buffer =
            field.kind == FieldKind::Bytes ||
            (field.kind == FieldKind::Sequence && field.inner == format::kNoLayout);
        if (!is_buffer) {
            return false;
        }
        seen[i] = {Visit::Kind::Range,
                   &field,
                   read_word(fixed + field.offset),
                   read_word(fixed + field.offset + sizeof(u32)),
                   Defect::None};
        if (check_range(seen[i], arena_size) != Defect::None) {
            return false;
        }
        for (u32 earlier = 0; earlier < i; ++earlier) {
            if (overlaps(seen[i], seen[earlier])) {
                return false;
            }
        }
    }
    return true;
}

Finding check_structure(const format::Policy& policy,
                        const Message& message,
                        const Shape& shape,
                        u16 layout,
                        Walk& walk,
                        s32& fuel) {
    using Phase = Walk::Phase;
    const Walker walker{policy, message};
    if (walk.phase == Phase::Start) {
        if (const Defect defect = check_sizes(message, shape); defect != Defect::None) {
            return wrong(defect, kNoParameter);
        }
        walker.begin(walk.cursor, layout);
        walk.phase = Phase::Next;
    }
    Visit visit{};
    if (walk.phase != Phase::Next) {
        visit = walker.current(walk.cursor);
    }
    while (true) {
        if (walk.phase == Phase::Next) {
            visit = walker.next(walk.cursor, fuel);
            if (visit.kind == Visit::Kind::Pause) {
                return kAgain;
            }
            if (visit.kind == Visit::Kind::End) {
                return kGranted;
            }
            if (visit.kind == Visit::Kind::Wrong) {
                return wrong(visit.defect, visit.field->parameter);
            }
            if (const Defect defect = check_range(visit, message.arena_size);
                defect != Defect::None) {
                return wrong(defect, visit.field->parameter);
            }
            fuel -= kRangeCost;
            walk.phase = Phase::Text;
            walk.position = 0;
            if (visit.size != 0 && visit.offset < walk.high_water) {
                walker.begin(walk.earlier, layout);
                walk.compared = 0;
                walk.phase = Phase::Compare;
            }
        }
        if (walk.phase == Phase::Compare) {
            if (const Finding found = compare_with_earlier(walker, visit, walk, fuel);
                found.verdict != Verdict::Granted) {
                return found;
            }
            walk.phase = Phase::Text;
        }
        if (visit.field->kind == FieldKind::Text && visit.size != 0) {
            if (const Finding found = check_text_range(message, visit, walk, fuel);
                found.verdict != Verdict::Granted) {
                return found;
            }
        }
        if (visit.size != 0 && visit.offset + visit.size > walk.high_water) {
            walk.high_water = visit.offset + visit.size;
        }
        ++walk.visited;
        if (const Defect defect = walker.descend(walk.cursor, visit); defect != Defect::None) {
            return wrong(defect, visit.field->parameter);
        }
        walk.phase = Phase::Next;
    }
}

}  // namespace ksec::engine
