// SPDX-License-Identifier: Apache-2.0
// How bytes and handles get from one process to another. What a check reads is copied once into a
// block that no EL0 code can change, and that block is what arrives; an arena that no check reads
// goes straight from sender to receiver.
#include <arch/inline.hpp>
#include <kernel/ipc/ipc.hpp>
#include <kernel/object/memory.hpp>

namespace kernel::ipc {

namespace {

abi::HandleDescriptor& descriptor(Message& message, u32 index) {
    return *reinterpret_cast<abi::HandleDescriptor*>(staged_fixed(message) +
                                                     message.shape->handle_offsets[index]);
}

Result<void> look_up_handles(Thread& sender, u32 needed_rights) {
    Message& message = sender.message;
    const u32 count = message.tag.handle_count();
    if (count != message.shape->handle_count) {
        return {};  // the check will say so
    }
    for (u32 i = 0; i < count; ++i) {
        if (message.shape->handle_offsets[i] + sizeof(abi::HandleDescriptor) > message.fixed_size) {
            return {};
        }
        const abi::HandleDescriptor& wanted = descriptor(message, i);
        message.handle_sids[i] = 0;
        message.handle_rights[i] = 0;
        if (wanted.handle == abi::kInvalidHandle) {
            continue;
        }
        const Slot* slot = sender.process->handles.find(wanted.handle);
        if (slot == nullptr) {
            record_misuse(*sender.process, ksec::Reason::BadHandle, wanted.handle, message.tag);
            return Status::BadHandle;
        }
        if ((slot->rights & needed_rights) != needed_rights) {
            return Status::NoCapability;
        }
        TRY(mark_for(*sender.process, *slot, wanted.badge));
        message.handle_sids[i] = slot_sid(*slot).value;
        message.handle_rights[i] = wanted.rights & slot->rights;
    }
    return {};
}

/// Moves the handles of a checked message; the descriptors in the staged block become the
/// receiver's. The receiver has room. BadHandle: one was closed meanwhile (nothing is left behind
/// that the receiver would not have got anyway).
Status transfer_handles(Thread& sender, Thread& receiver) {
    Message& message = sender.message;
    for (u32 i = 0; i < message.tag.handle_count(); ++i) {
        abi::HandleDescriptor& moved = descriptor(message, i);
        const abi::HandleDescriptor source = moved;
        moved = {};
        if (source.handle == abi::kInvalidHandle) {
            continue;
        }
        const Slot* slot = sender.process->handles.find(source.handle);
        if (slot == nullptr || slot_sid(*slot).value != message.handle_sids[i]) {
            continue;  // closed while the message was on its way: arrives as no handle
        }
        const auto mark = mark_for(*sender.process, *slot, source.badge);
        if (!mark.ok()) {
            continue;  // so was its badge, or revoked
        }
        const u32 rights = message.handle_rights[i] & ~abi::rights::kOwnObject;
        if (slot->type == SlotType::User) {
            const auto& object = *static_cast<const UserObject*>(slot->object);
            if (object.owner == receiver.process->sid) {
                moved = {object.handle, rights | abi::rights::kOwnObject, context_of(*slot)};
                continue;
            }
        }
        const auto copied =
            copy_slot(*sender.process, *slot, *receiver.process, rights, mark.value());
        if (!copied.ok()) {
            return copied.status();
        }
        moved.handle = copied.value();
        moved.rights = rights;
    }
    return Status::Ok;
}

}  // namespace

Result<UserObject*> mark_for(Process& holder, const Slot& slot, u64 badge) {
    UserObject* mark = slot.transfer;
    if (badge != 0) {
        TRY_VALUE(UserObject & named,
                  resolve<UserObject>(holder, static_cast<u32>(badge), 0, SlotType::Badge));
        if (mark != nullptr) {
            return Status::AlreadyExists;
        }
        mark = &named;
    }
    return mark != nullptr && mark->is_revoked ? Result<UserObject*>{Status::HandleRevoked} : mark;
}

Result<u32>
copy_slot(const Process& from, const Slot& slot, Process& to, u32 rights, UserObject* mark) {
    const ksec::Row* row = nullptr;
    u64 badge = slot.badge;
    if (slot.type == SlotType::Client) {
        badge = to.sid.value;  // who calls is told, not who had the channel first
        row = policy().entry->row(to.class_id, static_cast<const Endpoint*>(slot.object)->class_id);
    }
    const auto handle = insert_handle(to,
                                      {.rights = slot.rights & rights,
                                       .object = slot.object,
                                       .row = row,
                                       .badge = badge,
                                       .life = slot.life,
                                       .type = slot.type,
                                       .parent = slot_ref(from, slot),
                                       .transfer = mark});
    if (handle.ok()) {
        visit_object(slot, [](auto& object) { ++object.references; });
        if (mark != nullptr) {
            ++mark->references;
            ++mark->carriers;
        }
    }
    return handle;
}

Sid slot_sid(const Slot& slot) {
    return visit_object(slot, [](const auto& object) { return object.sid; });
}

u64 context_of(const Slot& slot) {
    const auto& object = *static_cast<const UserObject*>(slot.object);
    const UserObject* badge = slot.transfer;
    return badge != nullptr && badge->owner == object.owner ? badge->context : object.context;
}

const u8* staged_fixed(const Message& message) {
    return message.staged.value != 0 ? arch::linear<u8>(message.staged)
                                     : reinterpret_cast<const u8*>(message.small);
}

u8* staged_fixed(Message& message) {
    return const_cast<u8*>(staged_fixed(static_cast<const Message&>(message)));
}

Result<void> take_block(Thread& sender, u64 bytes) {
    u32 order = 0;
    while ((base::kPageSize << order) < bytes) {
        ++order;
    }
    TRY_VALUE(sender.message.staged, sender.process->take_block(order));
    sender.message.staged_order = order;
    return {};
}

Result<void>
stage_message(Thread& sender, abi::Tag tag, const ksec::Shape* shape, u32 needed_handle_rights) {
    Message& message = sender.message;
    KASSERT(message.staged.value == 0);
    message.reset(tag, shape);
    if (!tag.is_long()) {
        message.fixed_size = tag.words() * 8;
        read_payload(sender, tag);
        return {};
    }
    if (shape == nullptr) {
        return {};
    }
    const abi::Buffer fixed{sender.frame.x[3]};
    const abi::Buffer arena{tag.has_arena() ? sender.frame.x[4] : 0};
    const bool stage_arena = shape->staging == ksec::Staging::Arena && arena.size() > 0;
    if (fixed.size() > abi::kMaxFixedBytes ||
        arena.size() > (stage_arena ? abi::kMaxStagedArenaBytes : abi::kMaxArenaBytes)) {
        return Status::BufferTooLarge;
    }
    if (stage_arena || fixed.size() > kSmallFixed) {
        TRY(take_block(sender, stage_arena ? u64{kStagedArenaOffset} + arena.size() : 1));
    }
    message.fixed_size = fixed.size();
    message.arena_size = arena.size();
    message.arena_source = arena;
    message.arena_staged = stage_arena;
    auto copied =
        copy_from_user(sender.process->table, fixed.address(), staged_fixed(message), fixed.size());
    if (copied.ok() && tag.handle_count() > 0) {
        copied = look_up_handles(sender, needed_handle_rights);
    }
    if (!copied.ok()) {
        release_message(sender);
    }
    return copied;
}

Result<bool> stage_arena_step(Thread& sender) {
    Message& message = sender.message;
    if (!message.arena_staged || sender.cursor >= message.arena_size) {
        return true;
    }
    const u32 left = message.arena_size - sender.cursor;
    const u32 chunk = left < kCopyStep ? left : kCopyStep;
    TRY(copy_from_user(sender.process->table,
                       message.arena_source.address() + Bytes{sender.cursor},
                       staged_fixed(message) + kStagedArenaOffset + sender.cursor,
                       chunk));
    sender.cursor += chunk;
    return sender.cursor >= message.arena_size;
}

void release_message(Thread& sender) {
    Message& message = sender.message;
    if (message.staged.value != 0) {
        frames().give(message.staged, message.staged_order);
        sender.process->uncharge(u64{1} << message.staged_order);
        message.staged = PhysAddr{};
    }
}

CopyProgress
copy_arena_step(Thread& sender, u32& cursor, Thread& receiver, abi::Buffer room_arena) {
    const Message& message = sender.message;
    const u32 left = message.arena_size - cursor;
    if (left == 0 || room_arena.size() < message.arena_size) {
        return {true, Fault::None};  // nothing to copy, or deliver_fixed will refuse
    }
    if (message.tag.moves_pages() && !message.arena_staged &&
        message.arena_size % base::kPageSize == 0) {
        const u32 moved = move_pages(*sender.process,
                                     message.arena_source.address() + Bytes{cursor},
                                     *receiver.process,
                                     room_arena.address() + Bytes{cursor},
                                     static_cast<u32>(left / base::kPageSize));
        cursor += static_cast<u32>(PageCount{moved}.bytes().value);
        if (moved > 0) {  // the others may lie behind the end of a table
            return {cursor == message.arena_size, Fault::None};
        }
    }
    const u32 chunk = left < kCopyStep ? left : kCopyStep;
    const base::UserAddr to = room_arena.address() + Bytes{cursor};
    Fault fault = Fault::None;
    if (message.arena_staged) {
        const u8* from = arch::linear<u8>(message.staged) + kStagedArenaOffset + cursor;
        fault = copy_to_user(receiver.process->table, to, from, chunk).ok() ? Fault::None
                                                                            : Fault::Target;
    } else {
        fault = copy_across(sender.process->table,
                            message.arena_source.address() + Bytes{cursor},
                            receiver.process->table,
                            to,
                            chunk);
    }
    cursor += chunk;
    return {fault != Fault::None || cursor >= message.arena_size, fault};
}

Status deliver_fixed(Thread& sender,
                     Thread& receiver,
                     abi::Buffer room_fixed,
                     abi::Buffer room_arena,
                     u32 accepted_handles) {
    Message& message = sender.message;
    const abi::Tag tag = message.tag;
    if (!tag.is_long()) {
        set_short_result(receiver, tag, message.small, 0, 0);
        return Status::Ok;
    }
    const u32 handles = tag.handle_count();
    if (room_fixed.size() < message.fixed_size || room_arena.size() < message.arena_size ||
        accepted_handles < handles) {
        return Status::BufferTooSmall;
    }
    if (&sender != &receiver && receiver.process->handles.free() < handles) {
        return Status::OutOfMemory;
    }
    // Proves the room writable before handles move, so that nothing has to be taken back.
    const auto copy_fixed = [&] {
        return copy_to_user(receiver.process->table,
                            room_fixed.address(),
                            staged_fixed(message),
                            message.fixed_size);
    };
    if (!copy_fixed().ok()) {
        return Status::TargetFault;
    }
    if (handles > 0 && &sender != &receiver) {
        if (const Status status = transfer_handles(sender, receiver); status != Status::Ok) {
            return status;
        }
        if (!copy_fixed().ok()) {
            return Status::TargetFault;
        }
    }
    set_long_result(receiver, tag, message.fixed_size, message.arena_size, 0, 0);
    return Status::Ok;
}

}  // namespace kernel::ipc
