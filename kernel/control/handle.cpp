// SPDX-License-Identifier: Apache-2.0
// kl.core.Handle: handles and channels.
#include <kernel/control/service.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/Handle.idl.hpp>

namespace kernel::control {

namespace {

namespace handle = kl::core::Handle;

constexpr u32 kClosedPerStep = 16;

Outcome copy(Thread& caller, const handle::Copy_Request& in, handle::Copy_Response& out) {
    Process& process = *caller.process;
    const Slot* source = process.handles.find(in.source.handle);
    if (source == nullptr) {
        return answer(out, Status::BadHandle);
    }
    if ((source->rights & abi::rights::kCopy) == 0) {
        return answer(out, Status::NoCapability);
    }
    Process* target = &process;
    if (in.task.handle != abi::kInvalidHandle) {
        const auto task = resolve<Process>(process, in.task.handle, abi::rights::kControl);
        if (!task.ok()) {
            return answer(out, task.status());
        }
        target = &task.value();
    }
    const bool is_bound = source->type == SlotType::Listener || source->type == SlotType::Kernel ||
                          source->type == SlotType::Security;
    if (target->state > ProcessState::Running || (is_bound && target != &process)) {
        return answer(out, Status::NotReady);
    }
    const auto copied = ipc::copy_slot(process, *source, *target, in.rights);
    if (!copied.ok()) {
        return answer(out, copied.status());
    }
    out.copy = copied.value();
    if (target == &process) {
        undo_handle(caller, copied.value());
    }
    return answer(out, Status::Ok);
}

Outcome close(Thread& caller, const handle::Close_Request& in, handle::Close_Response& out) {
    Slot* slot = caller.process->handles.find(in.target);
    if (slot == nullptr) {
        return answer(out, Status::BadHandle);
    }
    close_slot(*caller.process, *slot);
    return answer(out, Status::Ok);
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
        copy_text(endpoint->name, kNameBytes, process.name, kNameBytes);
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

Outcome create_listener(Thread& caller,
                        const handle::CreateListener_Request& in,
                        handle::CreateListener_Response& out) {
    const bool is_own = in.task.handle == abi::kInvalidHandle;
    const auto task =
        is_own ? Result<Process&>{*caller.process}
               : resolve<Process>(*caller.process, in.task.handle, abi::rights::kControl);
    if (!task.ok()) {
        return answer(out, task.status());
    }
    Process& process = task.value();
    if (!is_own && process.state != ProcessState::Building) {
        return answer(out, Status::NotReady);
    }
    if (process.handles.free() == 0) {
        return answer(out, Status::OutOfMemory);
    }
    const auto endpoint = bind_name(process);
    if (!endpoint.ok()) {
        return answer(out, endpoint.status());
    }
    SlotContent content{};
    content.type = SlotType::Listener;
    content.object = &endpoint.value();
    content.rights = abi::rights::kRecv;
    const auto listener = insert_handle(process, content);
    ++endpoint.value().references;
    out.listener = listener.value();
    return answer(out, Status::Ok);
}

Outcome connect(Thread& caller, const handle::Connect_Request& in, handle::Connect_Response& out) {
    const bool is_own = in.client.handle == abi::kInvalidHandle;
    const auto client =
        is_own ? Result<Process&>{*caller.process}
               : resolve<Process>(*caller.process, in.client.handle, abi::rights::kControl);
    if (!client.ok()) {
        return answer(out, client.status());
    }
    const auto server = resolve<Process>(*caller.process, in.server.handle, abi::rights::kControl);
    if (!server.ok()) {
        return answer(out, server.status());
    }
    Endpoint* endpoint = server.value().port;
    if (endpoint == nullptr || client.value().state > ProcessState::Running) {
        return answer(out, Status::NotReady);
    }
    SlotContent content{};
    content.type = SlotType::Client;
    content.object = endpoint;
    content.rights = abi::rights::kCall | abi::rights::kCopy | abi::rights::kTransfer;
    content.life = endpoint->life;
    content.row = policy().entry->row(client.value().class_id, endpoint->class_id);
    const auto channel = insert_handle(client.value(), content);
    if (!channel.ok()) {
        return answer(out, channel.status());
    }
    ++endpoint->references;
    out.channel = channel.value();
    if (is_own) {
        undo_handle(caller, channel.value());
    }
    return answer(out, Status::Ok);
}

Outcome security_connect(Thread& caller,
                         const handle::SecurityConnect_Request&,
                         handle::SecurityConnect_Response& out) {
    SlotContent content{};
    content.type = SlotType::Security;
    content.rights = abi::rights::kCall;
    const auto channel = insert_handle(*caller.process, content);
    if (!channel.ok()) {
        return answer(out, channel.status());
    }
    out.channel = channel.value();
    undo_handle(caller, channel.value());
    return answer(out, Status::Ok);
}

Outcome get_sid_by_handle(Thread& caller,
                          const handle::GetSidByHandle_Request& in,
                          handle::GetSidByHandle_Response& out) {
    const Slot* slot = caller.process->handles.find(in.target);
    if (slot == nullptr) {
        return answer(out, Status::BadHandle);
    }
    if ((slot->rights & abi::rights::kGetSid) == 0) {
        return answer(out, Status::NoCapability);
    }
    out.sid = ipc::slot_sid(*slot);
    return answer(out, Status::Ok);
}

/// The deepest slot below `slot` along first children; the tree is finite, a path at most as long
/// as there are handles.
Slot& deepest(Slot& slot) {
    Slot* at = &slot;
    while (at->first_child != kNoSlot) {
        at = &slot_at(at->first_child);
    }
    return *at;
}

Outcome revoke(Thread& caller, const handle::Revoke_Request& in, handle::Revoke_Response& out) {
    Slot* slot = caller.process->handles.find(in.target);
    if (slot == nullptr) {
        return answer(out, Status::BadHandle);
    }
    if ((slot->rights & abi::rights::kRevoke) == 0) {
        return answer(out, Status::NoCapability);
    }
    for (u32 closed = 0; slot->first_child != kNoSlot; ++closed) {
        if (closed == kClosedPerStep) {
            return Outcome::More;
        }
        Slot& leaf = deepest(*slot);
        close_slot(process_of(leaf), leaf);
    }
    return answer(out, Status::Ok);
}

constexpr MethodEntry kMethods[] = {
    kMethod<copy>,
    kMethod<close>,
    kMethod<create_listener>,
    kMethod<connect>,
    kMethod<security_connect>,
    kMethod<get_sid_by_handle>,
    kMethod<revoke>,
};

}  // namespace

constinit const Interface kHandle = Served<kMethods>::kInterface;

}  // namespace kernel::control
