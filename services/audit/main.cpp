// SPDX-License-Identifier: Apache-2.0
// Explains denials on the console. Without its names table it still works, with numbers.
#include <driver/event_loop.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <runtime/console.hpp>
#include <runtime/log.hpp>
#include <runtime/process.hpp>
#include <runtime/status_text.hpp>
#include <services/Audit.edl.hpp>
#include <services/audit/service.hpp>

namespace {

using base::s32;
using base::u32;
using base::u64;

constexpr s32 kExitNotReader = 1;
constexpr s32 kExitListener = 2;
constexpr u64 kNoticeBadge = 1;
constexpr u32 kQuietTimer = 0;
constexpr u64 kQuietMs = 250;

/// To the console where there is one, else to the kernel's.
class ConsoleSink final : public svc::audit::LineSink {
public:
    explicit ConsoleSink(const base::Result<sdk::Console>& console)
        : console_(console.ok() ? console.value() : sdk::Console{0}), has_console_(console.ok()) {}

    bool write_line(std::string_view line) override {
        if (!has_console_) {
            sdk::debug_write(line);
            return true;
        }
        return console_.write_line(line) == base::Status::Ok;
    }

private:
    sdk::Console console_;
    bool has_console_;
};

std::string_view names_text(const sdk::StartBlock& start) {
    const auto file = start.file("policy.names");
    if (!file.ok()) {
        return {};
    }
    const void* const characters = file.value().data();
    return {static_cast<const char*>(characters), file.value().size()};
}

}  // namespace

s32 sdk::program_main(const StartBlock& start) {
    const svc::audit::Names names{names_text(start)};
    if (!names.is_valid()) {
        LogLine{"audit", "no-names"}.field("file", "policy.names");
    }
    ConsoleSink sink{Console::open(start)};
    kl::core::Task::Proxy tasks{kKernelHandle, kl::core::Core::endpoint::task_Task};
    svc::audit::TaskDirectory directory{tasks};
    kl::core::Audit::Proxy records{kKernelHandle, kl::core::Core::endpoint::audit_Audit};
    const auto opened = records.Open(start.listener(), kNoticeBadge);
    if (!opened.ok()) {
        LogLine{"audit", "not-the-reader"}.field("status", name_of(opened.status()));
        return kExitNotReader;
    }
    const auto port = Console::open(start, "recording");
    svc::audit::Recorder recorder = port.ok()
                                        ? svc::audit::Recorder{port.value(), names.policy_hash()}
                                        : svc::audit::Recorder{};
    svc::audit::AuditService service{records, names, directory, sink, recorder};
    services::Audit::Dispatcher dispatcher{start.listener(), service};
    dispatcher.on_event(service);
    service.read_all();
    driver::Timers<1> timers;
    while (true) {
        if (service.has_hidden() && !timers.is_running(kQuietTimer)) {
            timers.start(kQuietTimer, now_ticks() + ticks_of_ms(kQuietMs));
        }
        const Status status = dispatcher.step(timers.next());
        if (is_listener_lost(status)) {
            LogLine{"audit", "listener-lost"}.field("status", name_of(status));
            return kExitListener;
        }
        if (timers.take_due(now_ticks()) == kQuietTimer) {
            service.tell_hidden();
        }
    }
}
