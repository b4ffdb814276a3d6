// SPDX-License-Identifier: Apache-2.0
#include "core_methods.hpp"

#include <kl/core/Audit.idl.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/HAL.idl.hpp>
#include <kl/core/Handle.idl.hpp>
#include <kl/core/IO.idl.hpp>
#include <kl/core/IPC.idl.hpp>
#include <kl/core/Notice.idl.hpp>
#include <kl/core/PM.idl.hpp>
#include <kl/core/Profiler.idl.hpp>
#include <kl/core/Sync.idl.hpp>
#include <kl/core/Task.idl.hpp>
#include <kl/core/Thread.idl.hpp>
#include <kl/core/Time.idl.hpp>
#include <kl/core/VMM.idl.hpp>

namespace kernel_test {

namespace {

namespace endpoint = kl::core::Core::endpoint;

struct MethodShape {
    u32 request_size;
    std::vector<u16> request_handles;
    u32 response_size;
    std::vector<u16> response_handles;
    u32 request_arena = 0;
    u32 response_arena = 0;
};

/// Adds the methods of one interface, in listing order.
void add(Policy& policy, u16 number, const std::vector<MethodShape>& methods) {
    u16 method = 0;
    for (const MethodShape& each : methods) {
        policy.add_method(
            kCoreClass,
            number,
            method++,
            make_shape(each.request_size, each.request_arena, each.request_handles, true),
            make_shape(each.response_size, each.response_arena, each.response_handles, true));
    }
}

}  // namespace

#define SHAPE(interface, method, request_handles, response_handles)                                \
    {sizeof(kl::core::interface::method##_Request),                                                \
     request_handles,                                                                              \
     sizeof(kl::core::interface::method##_Response),                                               \
     response_handles,                                                                             \
     kl::core::interface::k##method##_RequestArenaMax,                                             \
     kl::core::interface::k##method##_ResponseArenaMax}
#define AT(...) (std::vector<u16>{__VA_ARGS__})
#define FIELD(interface, method, field)                                                            \
    static_cast<u16>(offsetof(kl::core::interface::method, field))

void add_core_methods(Policy& policy) {
    add(policy,
        endpoint::vmm_VMM,
        {SHAPE(VMM, Allocate, AT(), AT()),
         SHAPE(VMM, Protect, AT(), AT()),
         SHAPE(VMM, Free, AT(), AT()),
         SHAPE(VMM, MdlCreate, AT(), AT(FIELD(VMM, MdlCreate_Response, mdl))),
         SHAPE(VMM, MdlGetSize, AT(FIELD(VMM, MdlGetSize_Request, mdl)), AT()),
         SHAPE(VMM, MdlMap, AT(FIELD(VMM, MdlMap_Request, mdl)), AT()),
         SHAPE(VMM, Commit, AT(), AT()),
         SHAPE(VMM, Decommit, AT(), AT()),
         SHAPE(VMM, Query, AT(), AT()),
         SHAPE(VMM, MdlCreateFromVm, AT(), AT(FIELD(VMM, MdlCreateFromVm_Response, mdl))),
         SHAPE(VMM,
               MdlClone,
               AT(FIELD(VMM, MdlClone_Request, mdl)),
               AT(FIELD(VMM, MdlClone_Response, clone)))});
    add(policy,
        endpoint::io_IO,
        {SHAPE(IO, RegisterMmio, AT(), AT(FIELD(IO, RegisterMmio_Response, resource))),
         SHAPE(IO, RegisterIrq, AT(), AT(FIELD(IO, RegisterIrq_Response, resource))),
         SHAPE(IO, MapMem, AT(FIELD(IO, MapMem_Request, resource)), AT()),
         SHAPE(IO,
               AttachIrq,
               AT(FIELD(IO, AttachIrq_Request, resource), FIELD(IO, AttachIrq_Request, listener)),
               AT()),
         SHAPE(IO, DetachIrq, AT(FIELD(IO, DetachIrq_Request, resource)), AT()),
         SHAPE(IO, EnableIrq, AT(FIELD(IO, EnableIrq_Request, resource)), AT()),
         SHAPE(IO, DisableIrq, AT(FIELD(IO, DisableIrq_Request, resource)), AT()),
         SHAPE(IO, RegisterPort, AT(), AT(FIELD(IO, RegisterPort_Response, resource))),
         SHAPE(IO, RegisterDma, AT(), AT(FIELD(IO, RegisterDma_Response, resource))),
         SHAPE(IO, RevokeResource, AT(FIELD(IO, RevokeResource_Request, resource)), AT()),
         SHAPE(IO,
               PermitPort,
               AT(FIELD(IO, PermitPort_Request, resource)),
               AT(FIELD(IO, PermitPort_Response, permission))),
         SHAPE(IO, ModifyDma, AT(FIELD(IO, ModifyDma_Request, resource)), AT()),
         SHAPE(IO, MapDma, AT(FIELD(IO, MapDma_Request, resource)), AT()),
         SHAPE(IO, DmaGetInfo, AT(FIELD(IO, DmaGetInfo_Request, resource)), AT()),
         SHAPE(IO, DmaGetPhysInfo, AT(FIELD(IO, DmaGetPhysInfo_Request, resource)), AT()),
         SHAPE(IO,
               BeginDma,
               AT(FIELD(IO, BeginDma_Request, resource)),
               AT(FIELD(IO, BeginDma_Response, session)))});
    add(policy,
        endpoint::thread_Thread,
        {SHAPE(Thread, Create, AT(), AT(FIELD(Thread, Create_Response, thread))),
         SHAPE(Thread, Exit, AT(), AT()),
         SHAPE(Thread, Terminate, AT(FIELD(Thread, Terminate_Request, thread)), AT()),
         SHAPE(Thread, Sleep, AT(), AT()),
         SHAPE(Thread, SetPriority, AT(FIELD(Thread, SetPriority_Request, thread)), AT()),
         SHAPE(Thread, SetAffinity, AT(FIELD(Thread, SetAffinity_Request, thread)), AT()),
         SHAPE(Thread, SetTls, AT(), AT()),
         SHAPE(Thread, Attach, AT(), AT(FIELD(Thread, Attach_Response, thread))),
         SHAPE(Thread, Suspend, AT(), AT()),
         SHAPE(Thread, Resume, AT(FIELD(Thread, Resume_Request, thread)), AT()),
         SHAPE(Thread, Wait, AT(FIELD(Thread, Wait_Request, thread)), AT()),
         SHAPE(Thread, GetTcb, AT(), AT()),
         SHAPE(Thread, GetInfo, AT(FIELD(Thread, GetInfo_Request, thread)), AT()),
         SHAPE(Thread, DetachIrq, AT(FIELD(Thread, DetachIrq_Request, resource)), AT()),
         SHAPE(Thread, GetAffinity, AT(FIELD(Thread, GetAffinity_Request, thread)), AT()),
         SHAPE(Thread, SetSchedPolicy, AT(FIELD(Thread, SetSchedPolicy_Request, thread)), AT()),
         SHAPE(Thread, GetSchedPolicy, AT(FIELD(Thread, GetSchedPolicy_Request, thread)), AT())});
    add(policy,
        endpoint::handle_Handle,
        {SHAPE(Handle,
               Copy,
               AT(FIELD(Handle, Copy_Request, source), FIELD(Handle, Copy_Request, task)),
               AT()),
         SHAPE(Handle, Close, AT(), AT()),
         SHAPE(Handle, CreateListener, AT(FIELD(Handle, CreateListener_Request, task)), AT()),
         SHAPE(Handle,
               Connect,
               AT(FIELD(Handle, Connect_Request, client), FIELD(Handle, Connect_Request, server)),
               AT()),
         SHAPE(Handle, SecurityConnect, AT(), AT()),
         SHAPE(Handle, GetSidByHandle, AT(), AT()),
         SHAPE(Handle, Revoke, AT(), AT()),
         SHAPE(Handle, Alloc, AT(), AT()),
         SHAPE(Handle, Free, AT(), AT()),
         SHAPE(Handle, Init, AT(), AT()),
         SHAPE(Handle, Fini, AT(), AT()),
         SHAPE(Handle, CreateUserObject, AT(), AT()),
         SHAPE(Handle, Disconnect, AT(), AT()),
         SHAPE(Handle, SecurityDisconnect, AT(), AT()),
         SHAPE(Handle, UidAlloc, AT(), AT()),
         SHAPE(Handle, UidFree, AT(), AT()),
         SHAPE(Handle, RevokeSubtree, AT(), AT()),
         SHAPE(Handle, CreateBadge, AT(), AT()),
         SHAPE(Handle, Route, AT(), AT())});
    add(policy,
        endpoint::task_Task,
        {SHAPE(Task, Create, AT(), AT(FIELD(Task, Create_Response, task))),
         SHAPE(Task,
               LoadSeg,
               AT(FIELD(Task, LoadSeg_Request, task), FIELD(Task, LoadSeg_Request, mdl)),
               AT()),
         SHAPE(Task, SetEntry, AT(FIELD(Task, SetEntry_Request, task)), AT()),
         SHAPE(Task, Resume, AT(FIELD(Task, Resume_Request, task)), AT()),
         SHAPE(Task, Exit, AT(), AT()),
         SHAPE(Task, Terminate, AT(FIELD(Task, Terminate_Request, task)), AT()),
         SHAPE(Task, GetExitInfo, AT(FIELD(Task, GetExitInfo_Request, task)), AT()),
         SHAPE(Task, GetTasksList, AT(), AT()),
         SHAPE(Task, GetInfo, AT(), AT()),
         SHAPE(Task, VmReserve, AT(FIELD(Task, VmReserve_Request, task)), AT()),
         SHAPE(Task, VmFree, AT(FIELD(Task, VmFree_Request, task)), AT()),
         SHAPE(Task,
               LoadElfSyms,
               AT(FIELD(Task, LoadElfSyms_Request, task), FIELD(Task, LoadElfSyms_Request, mdl)),
               AT()),
         SHAPE(Task,
               LoadElfHdr,
               AT(FIELD(Task, LoadElfHdr_Request, task), FIELD(Task, LoadElfHdr_Request, mdl)),
               AT()),
         SHAPE(Task,
               SetEnv,
               AT(FIELD(Task, SetEnv_Request, task), FIELD(Task, SetEnv_Request, mdl)),
               AT()),
         SHAPE(Task, FreeSelfEnv, AT(), AT()),
         SHAPE(Task, GetThreadContext, AT(FIELD(Task, GetThreadContext_Request, task)), AT()),
         SHAPE(Task, GetNextVmRegion, AT(FIELD(Task, GetNextVmRegion_Request, task)), AT()),
         SHAPE(Task,
               TerminateAfterFreezing,
               AT(FIELD(Task, TerminateAfterFreezing_Request, task)),
               AT()),
         SHAPE(Task, GetName, AT(FIELD(Task, GetName_Request, task)), AT()),
         SHAPE(Task, GetPath, AT(FIELD(Task, GetPath_Request, task)), AT()),
         SHAPE(Task,
               GetInitialThreadPriority,
               AT(FIELD(Task, GetInitialThreadPriority_Request, task)),
               AT()),
         SHAPE(Task,
               SetInitialThreadPriority,
               AT(FIELD(Task, SetInitialThreadPriority_Request, task)),
               AT()),
         SHAPE(Task,
               SetInitialThreadSchedPolicy,
               AT(FIELD(Task, SetInitialThreadSchedPolicy_Request, task)),
               AT()),
         SHAPE(Task, ReseedAslr, AT(), AT()),
         SHAPE(Task,
               GetElfSyms,
               AT(FIELD(Task, GetElfSyms_Request, task)),
               AT(FIELD(Task, GetElfSyms_Response, mdl))),
         SHAPE(Task, SetCpuBudget, AT(FIELD(Task, SetCpuBudget_Request, task)), AT()),
         SHAPE(Task, KeepAfterFault, AT(FIELD(Task, KeepAfterFault_Request, task)), AT()),
         SHAPE(Task, ReadMemory, AT(FIELD(Task, ReadMemory_Request, task)), AT())});
    add(policy,
        endpoint::profiler_Profiler,
        {SHAPE(Profiler, GetCounters, AT(), AT()),
         SHAPE(Profiler, GetCoverageData, AT(FIELD(Profiler, GetCoverageData_Request, mdl)), AT()),
         SHAPE(Profiler, FlushGcov, AT(), AT()),
         SHAPE(Profiler, FlushGcovFile, AT(), AT()),
         SHAPE(Profiler, SamplingStart, AT(), AT()),
         SHAPE(Profiler, SamplingStop, AT(), AT()),
         SHAPE(Profiler, SamplingRead, AT(), AT()),
         SHAPE(Profiler, SamplingAddPidToList, AT(), AT()),
         SHAPE(Profiler, SamplingClearPidList, AT(), AT())});
    add(policy,
        endpoint::sync_Sync,
        {SHAPE(Sync, Wait, AT(), AT()),
         SHAPE(Sync, Wake, AT(), AT()),
         SHAPE(Sync, Requeue, AT(), AT()),
         SHAPE(Sync, Lock, AT(), AT()),
         SHAPE(Sync, Unlock, AT(), AT()),
         SHAPE(Sync, WakeAndWait, AT(), AT())});
    add(policy,
        endpoint::ipc_IPC,
        {SHAPE(IPC, CreateSyncObject, AT(), AT(FIELD(IPC, CreateSyncObject_Response, sync))),
         SHAPE(IPC, SetInterrupt, AT(FIELD(IPC, SetInterrupt_Request, sync)), AT()),
         SHAPE(IPC, ClearInterrupt, AT(FIELD(IPC, ClearInterrupt_Request, sync)), AT())});
    add(policy,
        endpoint::audit_Audit,
        {SHAPE(Audit, Open, AT(FIELD(Audit, Open_Request, listener)), AT()),
         SHAPE(Audit, Read, AT(), AT())});
    add(policy,
        endpoint::pm_PM,
        {SHAPE(PM, Request, AT(), AT()),
         SHAPE(PM, SetCpusOnline, AT(), AT()),
         SHAPE(PM, GetCpusOnline, AT(), AT())});
    add(policy,
        endpoint::hal_HAL,
        {SHAPE(HAL, DebugWrite, AT(), AT()),
         SHAPE(HAL, GetEntropy, AT(), AT()),
         SHAPE(HAL, GetEnv, AT(), AT()),
         SHAPE(HAL, GetPrivReg, AT(), AT()),
         SHAPE(HAL, SetPrivReg, AT(), AT()),
         SHAPE(HAL, GetPrivRegRange, AT(), AT()),
         SHAPE(HAL, SetPrivRegRange, AT(), AT()),
         SHAPE(HAL, FlushCache, AT(), AT())});
    add(policy,
        endpoint::time_Time,
        {SHAPE(Time, GetSystemTime, AT(), AT()),
         SHAPE(Time, SetSystemTime, AT(), AT()),
         SHAPE(Time, SetSystemTimeAdj, AT(), AT()),
         SHAPE(Time, GetSystemTimeAdj, AT(), AT())});
    add(policy,
        endpoint::notice_Notice,
        {SHAPE(Notice,
               SubscribeToObject,
               AT(FIELD(Notice, SubscribeToObject_Request, receiver),
                  FIELD(Notice, SubscribeToObject_Request, object)),
               AT()),
         SHAPE(Notice, Create, AT(), AT(FIELD(Notice, Create_Response, notice))),
         SHAPE(Notice,
               UnsubscribeFromEvent,
               AT(FIELD(Notice, UnsubscribeFromEvent_Request, receiver),
                  FIELD(Notice, UnsubscribeFromEvent_Request, object)),
               AT()),
         SHAPE(Notice,
               UnsubscribeFromObject,
               AT(FIELD(Notice, UnsubscribeFromObject_Request, receiver),
                  FIELD(Notice, UnsubscribeFromObject_Request, object)),
               AT()),
         SHAPE(Notice, GetEvent, AT(FIELD(Notice, GetEvent_Request, notice)), AT()),
         SHAPE(Notice, DropAndWake, AT(FIELD(Notice, DropAndWake_Request, notice)), AT()),
         SHAPE(Notice, SetObjectEvent, AT(FIELD(Notice, SetObjectEvent_Request, object)), AT())});
}

}  // namespace kernel_test
