// SPDX-License-Identifier: Apache-2.0
// Ends as it is told.
#include <runtime/process.hpp>
#include <trial/Victim.edl.hpp>

namespace {

class Doom final : public trial::Doom::Server {
public:
    idl::Outcome<trial::Doom::Die_Results> Die(const idl::Caller&,
                                               const trial::Doom::Die_Arguments& in) override {
        if (in.way == 0) {
            __builtin_trap();
        }
        sdk::exit_process(in.way == 1 ? 0 : 7);
    }

    idl::Outcome<trial::Doom::Count_Results> Count(const idl::Caller&,
                                                   const trial::Doom::Count_Arguments&) override {
        return trial::Doom::Count_Results{.count = ++count_};
    }

private:
    base::u64 count_ = 0;
};

}  // namespace

base::s32 sdk::program_main(const StartBlock& start) {
    Doom doom;
    trial::Victim::Dispatcher dispatcher{start.listener(), doom};
    (void)dispatcher.run();
    return 1;
}
