// SPDX-License-Identifier: Apache-2.0
// The small interfaces: time, board facts, audit, power, counters.
#include <arch/inline.hpp>
#include <kernel/abi/clock.hpp>
#include <kernel/control/service.hpp>
#include <kernel/diag/audit_ring.hpp>
#include <kernel/ipc/notice.hpp>
#include <kl/core/Audit.idl.hpp>
#include <kl/core/HAL.idl.hpp>
#include <kl/core/PM.idl.hpp>
#include <kl/core/Profiler.idl.hpp>
#include <kl/core/Time.idl.hpp>

namespace kernel::control {

namespace {

using namespace kl::core::Audit;
using namespace kl::core::HAL;
using namespace kl::core::PM;
using namespace kl::core::Profiler;
using namespace kl::core::Time;

constexpr u32 kConsoleStep = 16;  // characters: the panic console polls

abi::Clock& clock() { return *arch::linear<abi::Clock>(system_state().clock->frame(0)); }

u64 monotonic_now() { return abi::monotonic_ns(clock(), arch::now().value); }

/// What is left to slew.
base::s64 unslewed(u64 now) { return clock().slew_ns - abi::slewed_ns(clock(), now); }

/// Sets wall time and slewing. Readers see the clock page before or after this.
void set_clock(u64 now, u64 wall, base::s64 slew) {
    abi::Clock& page = clock();
    __atomic_store_n(&page.sequence, page.sequence + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    page.wall_offset_ns = wall - now;
    page.slew_start_ns = now;
    page.slew_ns = slew;
    __atomic_store_n(&page.sequence, page.sequence + 1, __ATOMIC_RELEASE);
}

GetSystemTime_Response get_system_time(Thread&, const GetSystemTime_Request&) {
    return {.nanoseconds = abi::wall_ns(clock(), monotonic_now()), .rc = 0};
}

SetSystemTime_Response set_system_time(Thread&, const SetSystemTime_Request& in) {
    set_clock(monotonic_now(), in.nanoseconds, 0);
    return {.rc = 0};
}

SetSystemTimeAdj_Response set_system_time_adj(Thread&, const SetSystemTimeAdj_Request& in) {
    const u64 now = monotonic_now();
    const base::s64 previous = unslewed(now);
    const bool is_valid = in.nanoseconds <= MaxAdj && in.nanoseconds >= -MaxAdj;
    if (is_valid) {
        set_clock(now, abi::wall_ns(clock(), now), in.nanoseconds);
    }
    const Status status = is_valid ? Status::Ok : Status::InvalidArgument;
    return {.previous = previous, .rc = static_cast<base::s32>(status)};
}

GetSystemTimeAdj_Response get_system_time_adj(Thread&, const GetSystemTimeAdj_Request&) {
    return {.nanoseconds = unslewed(monotonic_now()), .rc = 0};
}

Result<Outcome> debug_write(Thread& caller, const DebugWrite_Request& in, DebugWrite_Response&) {
    const base::Text text = text_of(caller, in.text);
    char shown[kConsoleStep];
    u32 count = 0;
    while (count < kConsoleStep && caller.cursor < text.size()) {
        const char c = text[caller.cursor++];
        shown[count++] = c == '\n' || (c >= ' ' && c != 0x7f) ? c : '?';
    }
    arch::console_write(shown, count);
    return caller.cursor < text.size() ? Outcome::More : Outcome::Done;
}

Result<Outcome> get_entropy(Thread&, const GetEntropy_Request&, GetEntropy_Response& out) {
    u32& index = system_state().entropy_index;
    out.a = arch::boot_entropy(index);
    out.b = arch::boot_entropy(index + 1);
    out.c = arch::boot_entropy(index + 2);
    out.d = arch::boot_entropy(index + 3);
    index += 4;
    return Outcome::Done;
}

Result<Outcome> get_env(Thread& caller, const GetEnv_Request& in, GetEnv_Response& out) {
    const base::Text value = arch::boot_argument(text_of(caller, in.name));
    return value.data() == nullptr ? Status::ResourceNotFound
                                   : answer_text(caller, value.first(MaxValue), out.value);
}

/// By the caller's own rights, page by page, through the linear map: whatever the addresses are,
/// they are only looked up.
Result<Outcome> flush_cache(Thread& caller, const FlushCache_Request& in, FlushCache_Response&) {
    if (in.size == 0 || in.address >= kUserLimit || in.size > kMaxMapping) {
        return Status::InvalidArgument;
    }
    const u64 first = in.address / base::kPageSize;
    const u64 last = (in.address + in.size - 1) / base::kPageSize;
    for (u32 i = 0; i < kPagesPerStep && first + caller.cursor <= last; ++i, ++caller.cursor) {
        const base::UserAddr page{(first + caller.cursor) * base::kPageSize};
        TRY_VALUE(const PhysAddr frame, caller.process->table.find(page, arch::Intent::Read));
        arch::flush_frame(frame);
    }
    return first + caller.cursor <= last ? Outcome::More : Outcome::Done;
}

Result<Outcome> audit_open(Thread& caller, const Open_Request& in, Open_Response&) {
    TRY_VALUE(Endpoint & listener,
              resolve<Endpoint>(*caller.process, in.listener.handle, abi::rights::kRecv));
    TRY_VALUE(Notice & reader,
              attach_notice(policy().reader, listener, in.badge, abi::kEventEndpoint));
    if (audit_ring().count() > 0) {
        raise_notice(reader, 1);
    }
    return Outcome::Done;
}

Result<Outcome> audit_read(Thread& caller, const Read_Request&, Read_Response& out) {
    const Notice* reader = policy().reader;
    if (reader == nullptr || reader->endpoint == nullptr ||
        reader->endpoint->process != caller.process) {
        return Status::Busy;
    }
    constexpr u32 kMost = 3968 / sizeof(ksec::Record);
    AuditRing& ring = audit_ring();
    const u32 count = ring.count() < kMost ? ring.count() : kMost;
    const u32 size = count * static_cast<u32>(sizeof(ksec::Record));
    TRY_VALUE(u8* const arena, begin_response_arena(caller, size));
    for (u32 i = 0; i < count; ++i) {
        __builtin_memcpy(arena + i * sizeof(ksec::Record), &ring.front(), sizeof(ksec::Record));
        ring.pop();
    }
    out.records = {0, size};
    out.dropped = ring.lost_in_all();
    return Outcome::Done;
}

Result<Outcome> power_request(Thread&, const Request_Request& in, Request_Response&) {
    if (in.kind == PowerOff) {
        arch::power_off(in.code);
    }
    if (in.kind == Reset) {
        arch::reset();
    }
    return Status::InvalidArgument;
}

/// CPUs that are the only one for some thread. O(kMaxThreads).
u64 needed_cpus() {
    u64 needed = 0;
    for (u32 i = 0; i < kMaxThreads; ++i) {
        const Thread* thread = scheduler().threads.find(i);
        const bool is_pinned = thread != nullptr && (thread->status & flag::kPinned) != 0;
        needed |= is_pinned && thread->phase() != state::kDead ? u64{1} << thread->cpu.value : 0;
    }
    return needed;
}

/// Nobody waits here for another CPU: one that goes does so at the interrupt that it is sent. The
/// caller's own goes after the next step.
Result<Outcome> set_cpus_online(Thread&, const SetCpusOnline_Request& in, SetCpusOnline_Response&) {
    const u64 online = scheduler().online_mask();
    const u64 going = online & ~in.mask;
    const bool is_known = (in.mask & 1) != 0 && in.mask >> arch::cpu_count() == 0;
    if (!is_known || (going != 0 && !arch::can_stop_cpus())) {
        return is_known ? Status::ResourceNotFound : Status::InvalidArgument;
    }
    if ((going & needed_cpus()) != 0) {
        return Status::Busy;
    }
    for (u32 i = 0; i < arch::cpu_count(); ++i) {
        const CpuId cpu{i};
        if (((in.mask & ~online) >> i & 1) != 0 && !arch::start_cpu(cpu)) {
            return Status::NotReady;
        }
        if ((going >> i & 1) != 0) {
            scheduler().cpus[i].is_leaving = true;
            arch::kick(cpu);
        }
    }
    return (going >> arch::cpu_index().value & 1) != 0 ? Outcome::More : Outcome::Done;
}

Result<Outcome>
get_cpus_online(Thread&, const GetCpusOnline_Request&, GetCpusOnline_Response& out) {
    out.mask = scheduler().online_mask();
    return Outcome::Done;
}

Result<Outcome> get_counters(Thread&, const GetCounters_Request&, GetCounters_Response& out) {
    out.freeFrames = frames().free_frames();
    out.objects = u64{objects().processes.used()} + objects().regions.used() +
                  objects().memory_objects.used() + objects().device_ranges.used() +
                  scheduler().threads.used() + endpoints().endpoints.used() +
                  endpoints().notices.used() + endpoints().event_queues.used() +
                  objects().user_objects.used();
    for (u32 i = 0; i < kMaxThreads; ++i) {
        const Thread* thread = scheduler().threads.find(i);
        out.delivered += thread == nullptr ? 0 : (thread->token >> 16) - 1;  // calls that ended
    }
    out.granted = policy().granted;
    out.denied = policy().denied;
    return Outcome::Done;
}

Result<Outcome> sampling_start(Thread&, const SamplingStart_Request& in, SamplingStart_Response&) {
    if (in.periodUs < MinSamplingPeriod || in.periodUs > MaxSamplingPeriod) {
        return Status::InvalidArgument;
    }
    scheduler().samples.period = ticks_of(in.periodUs);
    scheduler().sample_all();
    return Outcome::Done;
}

Result<Outcome> sampling_stop(Thread&, const SamplingStop_Request&, SamplingStop_Response&) {
    scheduler().timers.cancel(scheduler().samples.timer);
    return Outcome::Done;
}

Result<Outcome>
sampling_read(Thread& caller, const SamplingRead_Request&, SamplingRead_Response& out) {
    Samples& samples = scheduler().samples;
    const u32 count = samples.count() < MaxSamples ? samples.count() : MaxSamples;
    const auto size = static_cast<u32>(count * sizeof(Sample));
    TRY_VALUE(u8* const arena, begin_response_arena(caller, size));
    for (u32 i = 0; i < count; ++i) {
        const Sample oldest = samples.pop();
        __builtin_memcpy(arena + i * sizeof(Sample), &oldest, sizeof(Sample));
    }
    out.samples = {0, size};
    out.dropped = samples.dropped;
    return Outcome::Done;
}

Result<Outcome>
sampling_add(Thread&, const SamplingAddPidToList_Request& in, SamplingAddPidToList_Response&) {
    Samples& samples = scheduler().samples;
    if (samples.chosen_count == Samples::kMaxChosen) {
        return Status::OutOfMemory;
    }
    samples.chosen[samples.chosen_count++] = in.sid;
    return Outcome::Done;
}

Result<Outcome>
sampling_clear(Thread&, const SamplingClearPidList_Request&, SamplingClearPidList_Response&) {
    scheduler().samples.chosen_count = 0;
    return Outcome::Done;
}

constexpr MethodEntry kTimeMethods[] = {kMethod<get_system_time>,
                                        kMethod<set_system_time>,
                                        kMethod<set_system_time_adj>,
                                        kMethod<get_system_time_adj>};
constexpr MethodEntry kHalMethods[] = {kMethod<debug_write>,
                                       kMethod<get_entropy>,
                                       kMethod<get_env>,
                                       {},  // no privileged register is on the list of allowed ones
                                       {},
                                       {},
                                       {},
                                       kMethod<flush_cache>};
constexpr MethodEntry kAuditMethods[] = {kMethod<audit_open>, kMethod<audit_read>};
constexpr MethodEntry kPmMethods[] = {
    kMethod<power_request>, kMethod<set_cpus_online>, kMethod<get_cpus_online>};
constexpr MethodEntry kProfilerMethods[] = {kMethod<get_counters>,
                                            kUnserved,  // GetCoverageData
                                            kUnserved,  // FlushGcov
                                            kUnserved,  // FlushGcovFile
                                            kMethod<sampling_start>,
                                            kMethod<sampling_stop>,
                                            kMethod<sampling_read>,
                                            kMethod<sampling_add>,
                                            kMethod<sampling_clear>};

}  // namespace

void start_clock() {
    MemoryObject* page = objects().memory_objects.take();
    const auto frame = frames().take_zeroed();
    KASSERT(page != nullptr && frame.ok());
    page->references = 1;
    page->block = frame.value();
    page->page_count = 1;
    system_state().clock = page;
    clock().scale = (u64{1'000'000'000} << 32) / arch::ticks_per_second();
}

constinit const Interface kTime = Served<kTimeMethods>::kInterface;
constinit const Interface kHal = Served<kHalMethods>::kInterface;
constinit const Interface kAudit = Served<kAuditMethods>::kInterface;
constinit const Interface kPm = Served<kPmMethods>::kInterface;
constinit const Interface kProfiler = Served<kProfilerMethods>::kInterface;

}  // namespace kernel::control
