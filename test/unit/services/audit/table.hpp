// SPDX-License-Identifier: Apache-2.0
// A names table and processes for the tests of this folder.
#pragma once

#include <ksec/verdict.hpp>
#include <map>
#include <services/audit/explain.hpp>
#include <string>

namespace table {

using base::u64;
using base::u8;

inline constexpr std::string_view kNames = "tessera-names 1\n"
                                           "policy 0x00aa11bb22cc33dd\n"
                                           "class 0 Einit\n"
                                           "class 1 kl.core.Core\n"
                                           "endpoint 1 3 handle.Handle kl.core.Handle\n"
                                           "method 1 3 1 Close\n"
                                           "class 2 plant.Valve\n"
                                           "endpoint 2 0 valve plant.Valve\n"
                                           "method 2 0 0 Set\n"
                                           "parameter 2 0 0 0 0 percent\n"
                                           "parameter 2 0 0 0 1 reason\n"
                                           "parameter 2 0 0 1 0 applied\n"
                                           "class 3 plant.Intruder\n"
                                           "security_endpoint 3 0 - plant.Guard\n"
                                           "security_method 3 0 0 Login\n"
                                           "rule 7 plant.psl:31 assert (message.percent <= 80)\n"
                                           "value 7 0 message.percent\n"
                                           "value 7 1 message.reason\n";

/// Some processes have names, the rest do not.
class Tasks final : public svc::audit::TaskNames {
public:
    std::string_view find(u64 sid) override {
        const auto found = names.find(sid);
        return found == names.end() ? std::string_view{} : std::string_view{found->second};
    }

    std::map<u64, std::string> names{{20, "valve"}, {30, "intruder"}};
};

/// A denied Valve.Set of the intruder.
inline ksec::Record make_record(ksec::Reason reason) {
    ksec::Record record{};
    record.event = static_cast<u8>(ksec::Event::Request);
    record.reason = static_cast<u8>(reason);
    record.src_class = 3;
    record.dst_class = 2;
    record.src_sid = 30;
    record.dst_sid = 20;
    record.rule = ksec::kNoRule;
    return record;
}

inline std::string explain(const ksec::Record& record) {
    Tasks tasks;
    sdk::Line<400> line;
    svc::audit::explain(record, svc::audit::Names{kNames}, tasks, line);
    return std::string(line.view());
}

}  // namespace table
