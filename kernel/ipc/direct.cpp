// SPDX-License-Identifier: Apache-2.0
// The page that most long requests take: plain bytes without handles, granted if they have the form
// that their IDL says, to a server that waits. Ordered refusals, each falling back to the long way
// with nothing changed that anybody can see, then one commit, which is the fast path's. The fixed
// part is read once, into the caller's own block, and that is what is looked at and delivered.
#include <arch/inline.hpp>
#include <kernel/ipc/ipc.hpp>

namespace kernel::ipc {

namespace {

/// What a tag may not have here: a kind other than Request, short payload, handles, a deadline.
constexpr u64 kSeldom = abi::Tag::kReserved | abi::Tag::kSyncObject | abi::Tag::kDeadline |
                        (u64{7} << 36) | (u64{0xFF} << 40) | (u64{3} << 62);

bool has_room(const Thread& server, abi::Buffer fixed, abi::Buffer arena) {
    return server.room_fixed.size() >= fixed.size() && server.room_arena.size() >= arena.size();
}

}  // namespace

arch::Frame* call_directly(Thread& caller) {
    const abi::Tag tag{caller.frame.x[9]};
    if (caller.status != state::kRunning ||
        (tag.value & (kSeldom | abi::Tag::kLong)) != abi::Tag::kLong) {
        return nullptr;
    }
    const Slot* slot = caller.process->handles.find(static_cast<u32>(caller.frame.x[0]));
    if (slot == nullptr || slot->type != SlotType::Client) {
        return nullptr;
    }
    const u64 wanted = (tag.message().value & ~abi::Tag::kArena) | ksec::kIfItFits;
    const ksec::RowEntry* granted = ksec::find_entry(slot->row, wanted);
    auto& endpoint = *static_cast<Endpoint*>(slot->object);
    Thread* server = endpoint.waiters;
    if (granted->request != wanted || server == nullptr || slot->life != endpoint.life ||
        server->status != state::kWaitReceive) {
        return nullptr;
    }
    const abi::Buffer fixed{caller.frame.x[3]};
    const abi::Buffer arena{tag.has_arena() ? caller.frame.x[4] : 0};
    if (fixed.size() > kSmallFixed || arena.size() > kCopyStep ||
        !has_room(*server, fixed, arena)) {
        return nullptr;
    }
    u64* staged = caller.message.small;
    const arch::PageTable& source = caller.process->table;
    const arch::PageTable& target = server->process->table;
    if (!copy_from_user(source, fixed.address(), staged, fixed.size()).ok()) {
        return nullptr;
    }
    const ksec::MethodInfo* method = policy().entry->fits(endpoint.class_id,
                                                          tag.endpoint(),
                                                          tag.method(),
                                                          reinterpret_cast<const u8*>(staged),
                                                          fixed.size(),
                                                          arena.size());
    const Room room = room_of(caller, tag);
    if (method == nullptr || !room.holds(method->response) || !room.holds(method->error)) {
        return nullptr;
    }
    const base::UserAddr to = server->room_arena.address();
    if (copy_across(source, arena.address(), target, to, arena.size()) != Fault::None ||
        !copy_to_user(target, server->room_fixed.address(), staged, fixed.size()).ok()) {
        return nullptr;
    }
    // Commit.
    count_settled(ksec::Effect::Commit);
    name_callee(caller, *slot, tag, granted->response, room);
    commit_request(endpoint, *server, caller, tag.value, granted->response);
    set_long_result(*server, tag, fixed.size(), arena.size(), slot->badge, caller.token);
    return &server->frame;
}

}  // namespace kernel::ipc
