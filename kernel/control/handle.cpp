// SPDX-License-Identifier: Apache-2.0
// kl.core.Handle: handles and channels, and the objects that servers make for their clients.
#include <kernel/control/service.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/Handle.idl.hpp>
#include <kl/core/Notice.idl.hpp>

namespace kernel::control {

namespace {

using namespace kl::core::Handle;

constexpr u32 kLookedPerStep = 32;

Result<Outcome> copy(Thread& caller, const Copy_Request& in, Copy_Response& out) {
    Process& process = *caller.process;
    TRY_VALUE(const Slot& source, find_slot(process, in.source.handle, abi::rights::kCopy));
    TRY_VALUE(Process & target, controlled_task(caller, in.task.handle));
    const bool is_bound = source.type == SlotType::Listener || source.type == SlotType::Kernel ||
                          source.type == SlotType::Security || source.type == SlotType::Events;
    if (target.state > ProcessState::Running || (is_bound && &target != &process)) {
        return Status::NotReady;
    }
    TRY_VALUE(UserObject* const mark, ipc::mark_for(process, source, in.source.badge));
    TRY_VALUE(out.copy, ipc::copy_slot(process, source, target, in.rights, mark));
    if (&target == &process) {
        undo_handle(caller, out.copy);
    }
    return Outcome::Done;
}

Outcome step(bool is_over) { return is_over ? Outcome::Done : Outcome::More; }

Result<Outcome> close(Thread& caller, const Close_Request& in, Close_Response&) {
    TRY_VALUE(Slot & slot, find_slot(*caller.process, in.target, 0));
    return step(close_slot(*caller.process, slot));
}

/// The endpoint of the name that `process` carries, made if it is new. Busy: a living process has
/// it. InvalidArgument: the name belongs to servers of another class. OutOfMemory.
Result<Endpoint&> bind_name(Process& process) {
    Endpoint* endpoint = find_endpoint(process.name);
    if (endpoint == nullptr) {
        endpoint = endpoints().endpoints.take();
        if (endpoint == nullptr) {
            return Status::OutOfMemory;
        }
        endpoint->class_id = process.class_id;
        endpoint->core_row = policy().entry->row(policy().entry->core_class, process.class_id);
        endpoint->sid = objects().next_sid();
        copy_text(endpoint->name, kNameBytes, text_in(process.name, kNameBytes));
    }
    if (endpoint->process != nullptr) {
        return Status::Busy;
    }
    if (endpoint->class_id != process.class_id) {
        return Status::InvalidArgument;
    }
    endpoint->process = &process;
    ++endpoint->life;
    process.port = endpoint;
    return *endpoint;
}

Result<Outcome>
create_listener(Thread& caller, const CreateListener_Request& in, CreateListener_Response& out) {
    TRY_VALUE(Process & process, controlled_task(caller, in.task.handle));
    if (&process != caller.process && process.state != ProcessState::Building) {
        return Status::NotReady;
    }
    if (process.handles.free() == 0) {
        return Status::OutOfMemory;
    }
    TRY_VALUE(Endpoint & endpoint, bind_name(process));
    TRY_VALUE(out.listener, name_object(process, endpoint, abi::rights::kRecv));
    return Outcome::Done;
}

Result<Outcome> connect(Thread& caller, const Connect_Request& in, Connect_Response& out) {
    TRY_VALUE(Process & client, controlled_task(caller, in.client.handle));
    TRY_VALUE(const Process& server,
              resolve<Process>(*caller.process, in.server.handle, abi::rights::kControl));
    Endpoint* endpoint = server.port;
    if (endpoint == nullptr || client.state > ProcessState::Running) {
        return Status::NotReady;
    }
    const ksec::Row* row = policy().entry->row(client.class_id, endpoint->class_id);
    TRY_VALUE(
        out.channel,
        insert_handle(client,
                      {.rights = abi::rights::kCall | abi::rights::kCopy | abi::rights::kTransfer,
                       .object = endpoint,
                       .row = row,
                       .badge = client.sid.value,
                       .life = endpoint->life,
                       .type = SlotType::Client}));
    ++endpoint->references;
    if (&client == caller.process) {
        undo_handle(caller, out.channel);
    }
    return Outcome::Done;
}

/// A handle that names the kernel: for questions to ksec, or as a number only.
template <SlotType kType, u32 kRights> Result<u32> name_kernel(Thread& caller) {
    TRY_VALUE(const u32 made, name_object(*caller.process, endpoints().core, kRights, kType));
    undo_handle(caller, made);
    return made;
}

Result<Outcome>
security_connect(Thread& caller, const SecurityConnect_Request&, SecurityConnect_Response& out) {
    TRY_VALUE(out.channel, (name_kernel<SlotType::Security, abi::rights::kCall>(caller)));
    return Outcome::Done;
}

Result<Outcome> alloc(Thread& caller, const Alloc_Request&, Alloc_Response& out) {
    TRY_VALUE(out.handle, (name_kernel<SlotType::Number, 0>(caller)));
    return Outcome::Done;
}

Result<Outcome>
get_sid_by_handle(Thread& caller, const GetSidByHandle_Request& in, GetSidByHandle_Response& out) {
    TRY_VALUE(const Slot& slot, find_slot(*caller.process, in.target, abi::rights::kGetSid));
    out.sid = ipc::slot_sid(slot).value;
    return Outcome::Done;
}

Result<Outcome> revoke(Thread& caller, const Revoke_Request& in, Revoke_Response&) {
    TRY_VALUE(Slot & slot, find_slot(*caller.process, in.target, abi::rights::kRevoke));
    return step(revoke_step(slot));
}

/// Looks at every handle there is; nothing is derived under a revoked badge meanwhile.
Result<Outcome>
revoke_subtree(Thread& caller, const RevokeSubtree_Request& in, RevokeSubtree_Response&) {
    Process& process = *caller.process;
    TRY_VALUE(const Slot& target, find_slot(process, in.target, abi::rights::kRevoke));
    TRY_VALUE(UserObject & badge, resolve<UserObject>(process, in.badge, 0, SlotType::Badge));
    badge.is_revoked = true;
    constexpr u32 kSlots = kMaxProcesses * kHandlesPerProcess;
    for (u32 looked = 0; looked < kLookedPerStep && caller.cursor < kSlots; ++looked) {
        Process* holder = objects().processes.find(caller.cursor / kHandlesPerProcess);
        if (holder == nullptr || holder->handles.capacity() == 0) {
            caller.cursor += kHandlesPerProcess;
            continue;
        }
        Slot& slot = holder->handles.at(caller.cursor);
        if (slot.transfer == &badge && slot.object == target.object && !close_slot(*holder, slot)) {
            break;
        }
        ++caller.cursor;
    }
    return step(caller.cursor >= kSlots);
}

/// As Close, for handles of one kind only; the handle is all that the request is.
template <typename Request, typename Response, SlotType kType>
Result<Outcome> close_only(Thread& caller, const Request& in, Response&) {
    const auto target = static_cast<u32>(std::bit_cast<u64>(in));
    TRY_VALUE(Slot & slot, find_slot(*caller.process, target, 0, kType));
    return step(close_slot(*caller.process, slot));
}

Result<Outcome> uid_alloc(Thread&, const UidAlloc_Request&, UidAlloc_Response& out) {
    out.uid = objects().next_sid().value;
    return Outcome::Done;
}

/// A user object or badge of the caller's, with its handle.
Result<UserObject&> make_object(Thread& caller, SlotType type, u32 rights, u64 context) {
    Process& process = *caller.process;
    if (process.handles.free() == 0) {
        return Status::OutOfMemory;
    }
    TRY_VALUE(UserObject & made, create_user_object(process, context));
    TRY_VALUE(made.handle, name_object(process, made, rights, type));
    undo_handle(caller, made.handle);
    return made;
}

Result<Outcome>
create_object(Thread& caller, const CreateUserObject_Request& in, CreateUserObject_Response& out) {
    const bool is_called = in.channel != abi::kInvalidHandle;
    Receiver receiver{};
    if (is_called) {
        TRY_VALUE(receiver, receiver_of(*caller.process, in.channel));
    }
    if (receiver.events != nullptr) {
        return Status::WrongType;
    }
    if (in.type < FirstUserType || in.endpoint > abi::kMaxEndpoint) {
        return Status::InvalidArgument;
    }
    TRY_VALUE(UserObject & object, make_object(caller, SlotType::User, in.rights, in.context));
    if (is_called) {
        object.channel = receiver.endpoint;
        object.life = receiver.endpoint->life;
        object.endpoint = static_cast<u16>(in.endpoint);
        ++receiver.endpoint->references;
    }
    out.handle = object.handle;
    return Outcome::Done;
}

Result<Outcome>
create_badge(Thread& caller, const CreateBadge_Request& in, CreateBadge_Response& out) {
    Process& process = *caller.process;
    const bool is_heard = in.notice != abi::kInvalidHandle;
    Receiver receiver{};
    if (is_heard) {
        TRY_VALUE(receiver, receiver_of(process, in.notice));
    }
    TRY_VALUE(const UserObject& badge,
              make_object(caller, SlotType::Badge, abi::rights::kGetSid, in.context));
    const Status heard =
        is_heard
            ? subscribe(receiver, badge.sid, kl::core::Notice::BadgeClosed, in.eventId).status()
            : Status::Ok;
    out.badge = badge.handle;
    if (heard != Status::Ok) {
        undo_handle(caller, out.badge = abi::kInvalidHandle);
        close_slot(process, *process.handles.find(badge.handle));
    }
    return heard == Status::Ok ? Result<Outcome>{Outcome::Done} : heard;
}

/// The kernel's own endpoints cannot be taken.
Result<Outcome> route(Thread& caller, const Route_Request& in, Route_Response&) {
    TRY_VALUE(const Receiver receiver, receiver_of(*caller.process, in.listener));
    if (receiver.endpoint == nullptr) {
        return Status::WrongType;
    }
    if (in.endpoint >= EndpointPools::kRoutes || kInterfaces.at[in.endpoint]->count > 0 ||
        in.number > abi::kMaxEndpoint) {
        return Status::InvalidArgument;
    }
    Route& route = endpoints().routes[in.endpoint];
    if (route.endpoint != nullptr && route.endpoint->process != nullptr) {
        return Status::Busy;
    }
    route = {receiver.endpoint, static_cast<u16>(in.number)};
    return Outcome::Done;
}

/// Nothing that the kernel would keep.
template <typename Request, typename Response>
Result<Outcome> accept(Thread&, const Request&, Response&) {
    return Outcome::Done;
}

constexpr MethodEntry kMethods[] = {
    kMethod<copy>,
    kMethod<close>,
    kMethod<create_listener>,
    kMethod<connect>,
    kMethod<security_connect>,
    kMethod<get_sid_by_handle>,
    kMethod<revoke>,
    kMethod<alloc>,
    kMethod<close_only<Free_Request, Free_Response, SlotType::Number>>,
    kMethod<accept<Init_Request, Init_Response>>,
    kMethod<accept<Fini_Request, Fini_Response>>,
    kMethod<create_object>,
    kMethod<close_only<Disconnect_Request, Disconnect_Response, SlotType::Client>>,
    kMethod<
        close_only<SecurityDisconnect_Request, SecurityDisconnect_Response, SlotType::Security>>,
    kMethod<uid_alloc>,
    kMethod<accept<UidFree_Request, UidFree_Response>>,
    kMethod<revoke_subtree>,
    kMethod<create_badge>,
    kMethod<route>,
};

}  // namespace

constinit const Interface kHandle = Served<kMethods>::kInterface;

}  // namespace kernel::control
