// SPDX-License-Identifier: Apache-2.0
// The first process: reads what the kernel handed it, starts the components, supervises. Everything
// large is static, since its stack is 64 KiB.
#include <Einit.edl.hpp>
#include <bit>
#include <kl/core/Core.endpoints.hpp>
#include <new>
#include <runtime/ipc.hpp>
#include <runtime/log.hpp>
#include <runtime/process.hpp>
#include <runtime/stack_guard.hpp>
#include <runtime/status_text.hpp>
#include <services/Heartbeat.server.hpp>
#include <services/init/connections.hpp>
#include <services/init/kernel_services.hpp>
#include <services/init/supervisor.hpp>
#include <tessera/Event.server.hpp>

namespace {

using base::s32;
using base::Status;
using base::u64;
using base::u8;
using svc::init::Connections;
using svc::init::Supervisor;

constexpr s32 kExitKernelHandle = 1;
constexpr s32 kExitRomfs = 2;
constexpr s32 kExitTree = 3;
constexpr s32 kExitListener = 4;

struct Handover {
    u64 kernel;
    std::span<const u8> files;
    std::span<const u8> tree;
};

std::span<const u8> bytes_at(u64 address, u64 size) {
    return {std::bit_cast<const u8*>(address), static_cast<std::size_t>(size)};
}

class EndOfTasks final : public tessera::Event::Server {
public:
    EndOfTasks(Supervisor& supervisor, Connections& connections)
        : supervisor_(supervisor), connections_(connections) {}

    idl::Outcome<tessera::Event::Notify_Results>
    Notify(const idl::Caller& caller, const tessera::Event::Notify_Arguments& in) override {
        (void)in;
        connections_.on_task_ended(supervisor_.on_task_ended(caller.badge));
        return tessera::Event::Notify_Results{};
    }

private:
    Supervisor& supervisor_;
    Connections& connections_;
};

class Heartbeats final : public services::Heartbeat::Server {
public:
    explicit Heartbeats(Supervisor& supervisor) : supervisor_(supervisor) {}

    idl::Outcome<services::Heartbeat::Beat_Results>
    Beat(const idl::Caller& caller, const services::Heartbeat::Beat_Arguments& in) override {
        return services::Heartbeat::Beat_Results{
            .withinMs = supervisor_.on_beat(caller.badge, in.done, in.open)};
    }

private:
    Supervisor& supervisor_;
};

[[noreturn]] void stop(std::string_view event, std::string_view why, s32 code) {
    sdk::LogLine{"init", event}.field("why", why);
    sdk::exit_process(code);
}

alignas(Supervisor) constinit u8 supervisor_memory[sizeof(Supervisor)]{};
alignas(Connections) constinit u8 connections_memory[sizeof(Connections)]{};

/// The earlier of two deadlines of which 0 is none.
u64 earlier(u64 a, u64 b) { return a == 0 || (b != 0 && b < a) ? b : a; }

[[noreturn]] void run(const Handover& handover) {
    if (handover.kernel != sdk::kKernelHandle) {
        stop("bad-start",
             "the kernel channel is not where the runtime expects it",
             kExitKernelHandle);
    }
    const auto flaw = sdk::romfs::check(handover.files);
    if (flaw != sdk::romfs::Flaw::None) {
        stop("no-files", sdk::romfs::describe(flaw), kExitRomfs);
    }
    const auto files = sdk::romfs::Reader::open(handover.files);
    const auto tree = sdk::fdt::open(handover.tree);
    if (!tree.ok()) {
        stop("no-system-description", sdk::name_of(tree.status()), kExitTree);
    }
    static_assert(!std::is_polymorphic_v<Supervisor>);
    svc::init::KernelServices kernel;
    const auto listener = kernel.open_listener();
    if (!listener.ok()) {
        stop("no-listener", sdk::name_of(listener.status()), kExitListener);
    }
    auto& supervisor = *new (supervisor_memory) Supervisor{kernel, files.value(), tree.value()};
    auto& connections = *new (connections_memory) Connections{kernel, supervisor.units()};
    EndOfTasks ends{supervisor, connections};
    Heartbeats heartbeats{supervisor};
    Einit::Dispatcher dispatcher{listener.value(), connections, heartbeats};
    dispatcher.on_event(ends);
    if (supervisor.wants_dynamic_channels()) {
        const Status routed =
            kernel.take_endpoint(kl::core::Core::endpoint::cm_CM, Einit::endpoint::cm);
        if (routed != Status::Ok) {
            sdk::LogLine{"init", "no-dynamic-channels"}.field("why", sdk::name_of(routed));
        }
    }
    const auto running = supervisor.start_all();
    sdk::LogLine{"init", "started"}.field("components", running);
    while (true) {
        const Status status =
            dispatcher.step(earlier(supervisor.next_deadline(), connections.next_deadline()));
        if (sdk::is_listener_lost(status)) {
            stop("listener-lost", sdk::name_of(status), kExitListener);
        }
        supervisor.end_hung();
        supervisor.restart_due();
        connections.expire();
    }
}

}  // namespace

extern "C" [[noreturn]] void
init_start(u64 kernel, u64 files_address, u64 files_size, u64 tree_address, u64 tree_size);

extern "C" [[noreturn]] void
init_start(u64 kernel, u64 files_address, u64 files_size, u64 tree_address, u64 tree_size) {
    if (const auto random = svc::init::KernelServices{}.get_entropy(); random.ok()) {
        sdk::set_stack_guard(random.value().words[0]);
    }
    run({.kernel = kernel,
         .files = bytes_at(files_address, files_size),
         .tree = bytes_at(tree_address, tree_size)});
}
