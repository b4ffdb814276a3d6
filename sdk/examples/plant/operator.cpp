// SPDX-License-Identifier: Apache-2.0
// The console of the plant: reads commands, shows what comes of them.
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/PM.client.hpp>
#include <kl/core/Profiler.client.hpp>
#include <kl/core/Task.client.hpp>
#include <plant/Attack.client.hpp>
#include <plant/Control.client.hpp>
#include <plant/Controller.endpoints.hpp>
#include <plant/Intruder.endpoints.hpp>
#include <runtime/console.hpp>
#include <runtime/ipc.hpp>
#include <runtime/log.hpp>
#include <runtime/process.hpp>
#include <runtime/status_text.hpp>
#include <runtime/time.hpp>
#include <sdk/examples/plant/line_editor.hpp>
#include <services/Audit.endpoints.hpp>
#include <services/AuditCounts.client.hpp>

namespace {

using base::s32;
using base::Status;
using base::u32;
using base::u64;
using base::u8;

constexpr std::string_view kPrompt = "plant> ";
constexpr u64 kStartMs = 300;       // init tells what it starts
constexpr u64 kExplanationMs = 60;  // the audit service has the word first
constexpr u64 kSummaryMs = 350;     // it also sums up repeated denials after a quiet moment
constexpr u64 kRestartMs = 400;     // until a server that ended is back
constexpr u32 kRestartTries = 30;   // in all longer than init's longest delay
constexpr u32 kManyTries = 2;

using OutputLine = sdk::Line<160>;

/// Connections by id; 0 = not there, and every call on it says so.
u32 find_connection(const sdk::StartBlock& start, std::string_view id) {
    const auto handle = start.connection(id);
    return handle.ok() ? handle.value() : abi::kInvalidHandle;
}

class Operator final {
public:
    Operator(const sdk::StartBlock& start, sdk::Console& console)
        : console_(console),
          control_(find_connection(start, "controller"), plant::Controller::endpoint::control),
          attack_(find_connection(start, "intruder"), plant::Intruder::endpoint::attack),
          audit_(find_connection(start, "audit"), services::Audit::endpoint::counts),
          tasks_(sdk::kKernelHandle, kl::core::Core::endpoint::task_Task),
          power_(sdk::kKernelHandle, kl::core::Core::endpoint::pm_PM),
          profiler_(sdk::kKernelHandle, kl::core::Core::endpoint::profiler_Profiler) {}

    /// Serves the person until the console is lost.
    Status run() {
        sdk::sleep_ms(kStartMs);
        show("");
        show("Tessera plant: Sensor -> Controller -> Valve, and an Intruder. Type 'help'.");
        prompt();
        while (true) {
            u8 bytes[sdk::Console::kReadBytes];
            const auto count = console_.read(bytes);
            if (count.status() == Status::NotConnected) {
                sdk::sleep_ms(kRestartMs);  // the driver is being restarted
                continue;
            }
            TRY(count);
            if (count.value() == 0) {
                prompt();  // others wrote over it
            }
            for (u32 i = 0; i < count.value(); ++i) {
                take(bytes[i]);
            }
        }
    }

private:
    void take(u8 byte) {
        sdk::Line<4 * plant::LineEditor::kMaxLine> echo;
        const bool complete = editor_.feed(byte, echo);
        (void)console_.write(echo.view());
        if (complete) {
            execute(editor_.line());
            prompt();
        }
    }

    /// A server that ended answers NotConnected until it is back, and once more for its new life.
    template <typename Call> auto with_patience(Call call) {
        auto reply = call();
        for (u32 i = 0; i < kRestartTries && reply.status() == Status::NotConnected; ++i) {
            if (i == 1) {
                show("(its process has ended; waiting for init to start it again, which takes the");
                show(" longer the more often it failed right after its start)");
            }
            sdk::sleep_ms(kRestartMs);
            reply = call();
        }
        return reply;
    }

    void prompt() {
        sdk::Line<kPrompt.size() + plant::LineEditor::kMaxLine> line;
        line.text(kPrompt).text(editor_.unfinished());
        (void)console_.write(line.view());
    }

    void show(std::string_view line) { (void)console_.write_line(line); }

    void execute(std::string_view line) {
        const std::string_view command = sdk::take_word(line);
        if (command.empty()) {
            return;
        }
        if (command == "set") {
            set_target(line);
        } else if (command == "status") {
            show_status();
        } else if (command == "attack") {
            attack();
        } else if (command == "ps") {
            show_tasks();
        } else if (command == "help") {
            show_help();
        } else {
            OutputLine text;
            text.text("unknown command '").foreign(command).text("'; type 'help'");
            show(text.view());
        }
    }

    void show_help() {
        show("  set N     hold the tank's level at N percent (the policy allows up to 80)");
        show("  status    target, level and valve, and what the audit service counted");
        show("  attack    let the intruder try everything it knows");
        show("  ps        running processes");
        show("  help      this text");
    }

    void show_failure(std::string_view what, Status status) {
        OutputLine line;
        line.text(what).text(": ").text(sdk::name_of(status));
        if (status == Status::SecurityDisallow) {
            line.text(" (the security policy refused it)");
        } else if (status == Status::NotConnected) {
            line.text(" (its process has ended)");
        }
        show(line.view());
    }

    void set_target(std::string_view argument) {
        u64 percent = 0;
        if (!sdk::parse_decimal(sdk::take_word(argument), percent) || !argument.empty() ||
            percent > ~u32{0}) {
            show("usage: set N, with N in percent, e.g. set 40");
            return;
        }
        const auto reply =
            with_patience([&] { return control_.SetTarget(static_cast<u32>(percent)); });
        if (!reply.ok()) {
            sdk::sleep_ms(kExplanationMs);
            show_failure("set", reply.status());
            return;
        }
        OutputLine line;
        line.text("target is now ").decimal(percent).text(" %");
        show(line.view());
    }

    void show_status() {
        const auto reply = with_patience([&] { return control_.Status(); });
        if (!reply.ok()) {
            show_failure("status", reply.status());
            return;
        }
        const auto& now = reply.value();
        OutputLine line;
        line.text("target ").decimal(now.target).text(" %, level ").decimal(now.level / 10);
        line.character('.').decimal(now.level % 10).text(" %, valve ").decimal(now.opening);
        line.text(" % open, ").decimal(now.reports).text(" reports of the sensor");
        show(line.view());
        const auto audit = with_patience([&] { return audit_.Get(); });
        if (!audit.ok()) {
            show_failure("audit", audit.status());
            return;
        }
        line.clear();
        line.decimal(audit.value().denials).text(" messages denied, ");
        line.decimal(audit.value().records).text(" decisions recorded, ");
        line.decimal(audit.value().lost).text(" records lost");
        show(line.view());
    }

    void attack() {
        const auto known = with_patience([&] { return attack_.Count(); });
        if (!known.ok()) {
            show_failure("attack", known.status());
            return;
        }
        u32 through = 0;
        for (u32 i = 0; i < known.value().count; ++i) {
            through += attempt(i) ? 1 : 0;
        }
        OutputLine line;
        line.decimal(through)
            .text(" of ")
            .decimal(known.value().count)
            .text(" attempts got through");
        show(line.view());
    }

    /// One attempt of the intruder; true when it got through.
    bool attempt(u32 index) {
        const auto title = with_patience([&] { return attack_.Describe(index); });
        if (!title.ok()) {
            show_failure("attack", title.status());
            return false;
        }
        OutputLine line;
        line.decimal(u64{index} + 1, 2).text(". ").foreign(title.value().title);
        show(line.view());
        const auto result = attack_.Try(index);
        const bool has_many = result.ok() && result.value().tries > kManyTries;
        sdk::sleep_ms(has_many ? kSummaryMs : kExplanationMs);
        line.clear();
        line.text("    => ");
        if (result.status() == Status::NotConnected) {
            line.text("the intruder was ended");
            sdk::sleep_ms(kRestartMs);
        } else if (!result.ok()) {
            line.text("no answer: ").text(sdk::name_of(result.status()));
        } else {
            line.text(sdk::name_of(static_cast<Status>(result.value().result)));
            if (result.value().tries > 1) {
                line.text(", ").decimal(result.value().granted).text(" of ");
                line.decimal(result.value().tries).text(" tries got through");
            }
        }
        show(line.view());
        return result.ok() && result.value().granted > 0;
    }

    void show_tasks() {
        const auto reply = tasks_.GetTasksList();
        if (!reply.ok()) {
            show_failure("ps", reply.status());
            return;
        }
        show("  SID NAME            STATE    PRIO THREADS HANDLES  KIB USED/BUDGET   CPU ms");
        for (const auto& task : reply.value().tasks) {
            show_task(task);
        }
        const auto cpus = power_.GetCpusOnline();
        const auto counters = profiler_.GetCounters();
        if (cpus.ok() && counters.ok()) {
            u64 count = 0;
            for (u64 left = cpus.value().mask; left != 0; left &= left - 1) {
                ++count;
            }
            OutputLine line;
            line.decimal(count).text(" CPU(s), ");
            line.decimal(counters.value().freeFrames * 4).text(" KiB free");
            show(line.view());
        }
    }

    void show_task(const kl::core::Task::TaskInfo& task) {
        constexpr std::string_view kStates[] = {"building", "running", "ended"};
        const void* const bytes = &task.name[0];
        const std::string_view name{static_cast<const char*>(bytes), sizeof(task.name)};
        OutputLine line;
        line.decimal(task.sid, 5).character(' ').foreign(name.substr(0, name.find('\0')));
        line.column(22).text(task.state < 3 ? kStates[task.state] : "?").column(31);
        line.decimal(task.priority, 4).decimal(task.threads, 8).decimal(task.handles, 8);
        line.decimal(u64{task.pagesUsed} * 4, 10).character('/');
        line.decimal(u64{task.pagesBudget} * 4).column(70).decimal(task.cpuTimeNs / 1'000'000, 8);
        show(line.view());
    }

    sdk::Console& console_;
    plant::Control::Proxy control_;
    plant::Attack::Proxy attack_;
    services::AuditCounts::Proxy audit_;
    kl::core::Task::Proxy tasks_;
    kl::core::PM::Proxy power_;
    kl::core::Profiler::Proxy profiler_;
    plant::LineEditor editor_;
};

}  // namespace

s32 sdk::program_main(const StartBlock& start) {
    auto console = Console::open(start);
    if (!console.ok()) {
        LogLine{"operator", "no-connection"}.field("to", kConsoleConnection);
        return 1;
    }
    Operator person{start, console.value()};
    LogLine{"operator", "console-lost"}.field("status", name_of(person.run()));
    return 1;
}
