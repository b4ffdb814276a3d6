// SPDX-License-Identifier: Apache-2.0
// Everything the kernel and ksec share: the entry table that ksec.elf exports, the query they pass,
// and the one compare that grants most messages. ksec cannot call the kernel.
//
// A query is judged in two parts (DESIGN section 4). check() is pure: it reads the staged message
// only, may be long, and works in steps. judge() is short, straight-line, reads the models' state,
// and runs in the lock hold that delivers. A message is granted when both grant.
#pragma once

#include <kernel/base/types.hpp>

namespace ksec {

using base::u16;
using base::u32;
using base::u64;
using base::u8;

/// In a RowEntry: the message is a long one without handles, granted if it fits(). Zero in any tag
/// that arrives, as is Tag::kArena here.
inline constexpr u64 kIfItFits = 1;

/// The tag of one method that is granted without a further look, in both directions. In a free
/// entry `request` is a value that find_entry() never leads to it, so one compare decides; a
/// `response` of ~0 must not be compared with a reply's tag before that tag's reserved bits are
/// known to be zero.
struct RowEntry {
    u64 request;   // exact tag of the granted short request; or with kIfItFits
    u64 response;  // the same of the response; ~0 = none (judge it)
};

/// Per (source class, destination class): a small perfect hash from tag to RowEntry. Opaque to the
/// kernel, which keeps a pointer to it for a channel's life. RowEntry objects follow the header.
struct Row {
    u64 shift;  // 0..63
    u64 mask;   // byte offset mask, multiple of 16; the table has mask/16 + 1 entries
};

/// The entry that `tag` may match; always inside the table, whatever the tag. 5 instructions.
inline const RowEntry* find_entry(const Row* row, u64 tag) {
    const u64 offset = (tag ^ (tag >> row->shift)) & row->mask;
    return reinterpret_cast<const RowEntry*>(reinterpret_cast<const char*>(row + 1) + offset);
}

enum class Event : u8 { Request = 0, Response = 1, Error = 2, Security = 3, Execute = 4 };

/// What must be copied where no EL0 code can change it before a check reads it.
enum class Staging : u8 {
    Registers = 0,  ///< short message
    Fixed = 1,      ///< the fixed part; the arena's bytes are read by no check
    Arena = 2,      ///< fixed part and arena
};

/// Shape of one message kind of one method, from the IDL.
struct Shape {
    u32 fixed_size;  ///< bytes of the fixed part, multiple of 8
    u32 arena_max;   ///< largest arena in bytes; 0 = none
    Staging staging;
    u8 handle_count;
    u8 exists;  ///< 0: this method has no such message (no error parameters)
    u8 reserved;
    const u16* handle_offsets;  ///< byte offsets of the HandleDescriptors in the fixed part
};

struct MethodInfo {
    Shape request;
    Shape response;
    Shape error;
};

struct ClassInfo {
    const char* name;  ///< NUL-terminated
    u32 name_length;
    u16 endpoint_count;
    u16 reserved;
    u32 request_fixed_max;  ///< over all endpoints: what a Recv must have room for
    u32 request_arena_max;
    u32 request_handles_max;
};

enum class Verdict : u32 { Denied = 0, Granted = 1, Again = 2 };

/// Message::flags: the sender described buffers; clear: the fixed part came in registers.
inline constexpr u32 kTravelsLong = 1;

/// The message as staged. Nothing here can change while ksec looks.
struct Message {
    const u8* fixed;  ///< 8-aligned; null when the fixed part is empty
    u32 fixed_size;
    u32 arena_size;   ///< size that will travel, staged or not
    const u8* arena;  ///< 8-aligned; null unless staged
    u32 handle_count;
    u32 flags;                 ///< kTravelsLong
    const u64* handle_sids;    ///< SID of each carried handle, in the order of the offsets
    const u32* handle_rights;  ///< rights each will arrive with
};

/// One event to judge. For Response and Error the source is the server.
struct Query {
    Event event;
    u8 reserved[3];
    u16 src_class;
    u16 dst_class;
    u64 src_sid;
    u64 dst_sid;
    u16 endpoint;
    u16 method;
    u32 reserved2;
    u64 now_ns;
    Message message;
    u64 facts;  ///< judge(): what check() left in Progress::facts for this message
};

/// Where check() goes on; start() begins it, opaque otherwise. Nothing in it is a pointer, and it
/// must lie where no EL0 code can change it.
struct Progress {
    u32 item;
    u32 offset;
    u64 spare[19];
    u64 facts;       ///< when granted: to be kept with the message, for Query::facts
    u64 response;    ///< when a request is granted: tag of the response granted with no further
                     ///< look; ~0 = none. As in a RowEntry.
    u32 is_settled;  ///< when granted: 1 if no model has a say, so that judge() would only repeat
                     ///< it
    u32 reserved;
};

/// A check begins: nothing else of `progress` is looked at before it is written.
inline void start(Progress& progress) {
    progress.item = 0;
    progress.offset = 0;
}

enum class Effect : u32 { Dry = 0, Commit = 1 };

enum class Reason : u8 {
    Rule = 1,       ///< a rule denied
    NoRule = 2,     ///< nothing was bound
    Malformed = 3,  ///< the message does not fit its IDL
    Error = 4,      ///< an expression failed
    Audited = 5,    ///< granted, and a profile wants to know
    BadHandle = 6,  ///< written by the kernel: the handle was invalid or lacked the right
    BadToken = 7,   ///< written by the kernel: reply to a call that is not the replier's
    Recorded = 8,   ///< granted, and a run is recorded: each kind of event once is enough
};

/// Which part of a malformed message was wrong.
enum class Defect : u8 {
    None = 0,
    UnknownMethod = 1,
    FixedSize = 2,
    ArenaSize = 3,
    RangeOutside = 4,
    RangeOverlap = 5,
    RangeMisaligned = 6,
    TooLong = 7,
    NotTerminated = 8,
    NotUtf8 = 9,
    UnionTag = 10,
    HandleCount = 11,
    NotShort = 12,
};

inline constexpr u32 kRecordValues = 4;

/// One decision worth telling. 128 bytes; the kernel numbers it and EL0 turns it into words with
/// the names table that policyc writes.
struct Record {
    u64 sequence;  // set by the kernel
    u64 time_ns;   // set by the kernel
    u8 event;      // Event
    u8 reason;     // Reason
    u8 defect;     // Defect
    u8 granted;    // 0 or 1
    u16 src_class;
    u16 dst_class;
    u16 endpoint;
    u16 method;
    u32 rule;  // index into the names table's rules; ~0 = none
    u64 src_sid;
    u64 dst_sid;
    u32 detail;  // malformed: index of the parameter; bad handle: the handle
    u32 value_count;
    u64 values[kRecordValues];  // what the rule looked at, in textual order
    u64 lost;                   // set by the kernel: records lost before this one
    u64 reserved[4];
};

static_assert(sizeof(Record) == 128);

/// method_info(class, kSecurityEndpoint + n, method) is a method of the class's n-th security
/// interface. In a Query of Event::Security the endpoint is n itself.
inline constexpr u16 kSecurityEndpoint = 0x8000;

inline constexpr u32 kNoRule = 0xFFFF'FFFF;
inline constexpr u16 kNoClass = 0xFFFF;
inline constexpr u32 kEntryVersion = 6;                    // of this header
inline constexpr u64 kEntryMagic = 0x3145'5452'4345'534B;  // "KSECRTE1"

/// ksec.elf's only exported object. Every function is called with interrupts masked on a stack with
/// 2 KiB free, never re-entered on one CPU, judge() and ended() under the kernel lock.
struct EntryTable {
    u64 magic;  // kEntryMagic
    u32 version;
    u32 class_count;
    u16 core_class;  // kl.core.Core
    u16 init_class;  // Einit
    u32 reserved;
    u64 policy_hash;  // FNV-1a of the policy's canonical text: names a policy in logs

    /// Called once, before any other: a number that EL0 does not know, so that nobody can choose
    /// SIDs that are dear to find.
    void (*seed)(u64 number);
    /// Class by name; kNoClass when the policy does not know it. O(log classes).
    u16 (*find_class)(const char* name, u32 length);
    /// Null when out of range.
    const ClassInfo* (*class_info)(u16 id);
    /// Null for an endpoint or method that the class does not have. O(1).
    const MethodInfo* (*method_info)(u16 class_id, u16 endpoint, u16 method);
    /// The method of a long request or response without handles, if the message has the form that
    /// its IDL says and that can be seen at once: a few ranges of plain bytes. Null: ask check().
    /// `fixed`, of `fixed_size` bytes, lies 8-aligned where no EL0 code can change it. O(1).
    const MethodInfo* (*fits)(u16 class_id,
                              u16 endpoint,
                              u16 method,
                              Event event,
                              const u8* fixed,
                              u32 fixed_size,
                              u32 arena_size);
    /// The row of a channel; never null (an all-denying row is shared).
    const Row* (*row)(u16 src_class, u16 dst_class);
    /// Pure part: structure, then rules that read only the message. Again: call once more with the
    /// same progress, after at most 4,000 instructions. `record` is filled when the event is
    /// denied; else only its reason is set, to 0: a grant is not worth recording, since judge() may
    /// still deny.
    Verdict (*check)(const Query* query, Progress* progress, Record* record);
    /// State part, at most 500 instructions of rules, for a process start 4,000; without state
    /// rules, a look-up. With Effect::Commit the models change iff Granted; with Effect::Dry they
    /// never do. A committed grant has reason Audited when a profile wants to know, Recorded when
    /// the run is recorded, else 0.
    Verdict (*judge)(const Query* query, Effect effect, Record* record);
    /// The object behind `sid` is gone: its model state goes too. O(1) for each model object.
    void (*ended)(u64 sid);
};

}  // namespace ksec
