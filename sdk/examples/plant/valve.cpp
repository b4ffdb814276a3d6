// SPDX-License-Identifier: Apache-2.0
// The valve: keeps its opening. The policy decides who may set it, and how far.
#include <plant/Valve.edl.hpp>
#include <runtime/log.hpp>
#include <runtime/process.hpp>
#include <runtime/status_text.hpp>

namespace {

using base::s32;
using base::Status;
using base::u32;

constexpr u32 kFullyOpen = 100;

class ValveService final : public plant::Valve::Server {
public:
    idl::Outcome<plant::Valve::Set_Results> Set(const idl::Caller& caller,
                                                const plant::Valve::Set_Arguments& in) override {
        (void)caller;
        if (in.percent > kFullyOpen) {
            return plant::Valve::Set_Results{.applied = percent_,
                                             .rc = static_cast<s32>(Status::InvalidArgument)};
        }
        moves_ += in.percent != percent_ ? 1 : 0;
        percent_ = in.percent;
        return plant::Valve::Set_Results{.applied = percent_, .rc = 0};
    }

    idl::Outcome<plant::Valve::Get_Results> Get(const idl::Caller& caller,
                                                const plant::Valve::Get_Arguments& in) override {
        (void)caller;
        (void)in;
        return plant::Valve::Get_Results{.percent = percent_, .moves = moves_, .rc = 0};
    }

private:
    u32 percent_ = 0;
    u32 moves_ = 0;
};

}  // namespace

s32 sdk::program_main(const StartBlock& start) {
    ValveService valve;
    plant::Valve::Dispatcher dispatcher{start.listener(), valve};
    LogLine{"valve", "listener-lost"}.field("status", name_of(dispatcher.run()));
    return 1;
}
