// SPDX-License-Identifier: Apache-2.0
// Takes the place of the plant's intruder while a run is recorded, and tries to get lines of its
// own into the recording, or records out of it: by printing them, by hiding them in what others
// print, through every handle that there may be, by asking the kernel for the port or for the
// records, and by writing to the port's registers.
#include <drivers/Console.client.hpp>
#include <drivers/Pl011.endpoints.hpp>
#include <kernel/base/mmio.hpp>
#include <kl/core/Audit.client.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Handle.client.hpp>
#include <kl/core/IO.client.hpp>
#include <kl/core/Task.client.hpp>
#include <plant/Control.client.hpp>
#include <plant/Controller.endpoints.hpp>
#include <plant/Intruder.edl.hpp>
#include <runtime/ipc.hpp>
#include <runtime/log.hpp>
#include <runtime/process.hpp>
#include <runtime/status_text.hpp>

namespace {

using base::s32;
using base::Status;
using base::u32;
using base::u64;

// A request of the first class to the second that was granted; the CRC is for whoever believes it.
constexpr std::string_view kRecord = "\r\nrecord 1 0 1 8 0 1 0 0 0 0x00000000\r\n";
constexpr u64 kRecorderRegisters = 0x0904'0000;  // platform/virt/virt-recording.dts
constexpr u32 kForge = 0;
constexpr u32 kTouch = 1;
constexpr u32 kAttempts = 2;

class Forger final : public plant::Attack::Server {
public:
    Forger(u32 listener, u32 controller) : listener_(listener), controller_(controller) {}

    idl::Outcome<plant::Attack::Count_Results>
    Count(const idl::Caller& caller, const plant::Attack::Count_Arguments& in) override {
        (void)caller;
        (void)in;
        return plant::Attack::Count_Results{.count = kAttempts};
    }

    idl::Outcome<plant::Attack::Describe_Results>
    Describe(const idl::Caller& caller, const plant::Attack::Describe_Arguments& in) override {
        (void)caller;
        return plant::Attack::Describe_Results{
            .title = in.index == kForge ? "forge records" : "write to the recorder's registers",
            .rc = 0};
    }

    idl::Outcome<plant::Attack::Try_Results> Try(const idl::Caller& caller,
                                                 const plant::Attack::Try_Arguments& in) override {
        (void)caller;
        tries_ = granted_ = 0;
        if (in.index == kTouch) {
            base::Mmio{kRecorderRegisters}.write32(0, 'r');
            add(Status::Ok);
        } else {
            print_records();
            call_everybody();
            ask_kernel();
        }
        return plant::Attack::Try_Results{
            .result = static_cast<s32>(granted_ == 0 ? Status::SecurityDisallow : Status::Ok),
            .tries = tries_,
            .granted = granted_,
            .rc = 0};
    }

private:
    /// Where everybody may print; none of it counts as a success.
    void print_records() const {
        sdk::debug_write(kRecord);
        plant::Control::Proxy control{controller_, plant::Controller::endpoint::control};
        (void)control.Note(kRecord);
    }

    void call_everybody() {
        constexpr u32 kGenerationShift = 16;
        constexpr u32 kSlots = 40;
        for (u32 slot = 0; slot < kSlots; ++slot) {
            drivers::Console::Proxy port{(u32{1} << kGenerationShift) | slot,
                                         drivers::Pl011::endpoint::console};
            add(port.Write(kRecord).status());
        }
    }

    void ask_kernel() {
        namespace core = kl::core::Core::endpoint;
        add(kl::core::Task::Proxy{sdk::kKernelHandle, core::task_Task}
                .Create(kRecord, "services.Audit", kRecord, base::kPageSize, 0)
                .status());
        add(kl::core::Handle::Proxy{sdk::kKernelHandle, core::handle_Handle}
                .Connect(controller_, listener_)
                .status());
        add(kl::core::IO::Proxy{sdk::kKernelHandle, core::io_IO}
                .RegisterMmio(kRecorderRegisters, base::kPageSize)
                .status());
        kl::core::Audit::Proxy records{sdk::kKernelHandle, core::audit_Audit};
        add(records.Open(listener_, 1).status());
        add(records.Read().status());
    }

    void add(Status status) {
        ++tries_;
        granted_ += status == Status::Ok ? 1 : 0;
    }

    u32 listener_;
    u32 controller_;
    u32 tries_ = 0;
    u32 granted_ = 0;
};

}  // namespace

s32 sdk::program_main(const StartBlock& start) {
    const auto controller = start.connection("controller");
    Forger forger{start.listener(), controller.ok() ? controller.value() : abi::kInvalidHandle};
    plant::Intruder::Dispatcher dispatcher{start.listener(), forger};
    LogLine{"forger", "listener-lost"}.field("status", name_of(dispatcher.run()));
    return 1;
}
