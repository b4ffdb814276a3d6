// SPDX-License-Identifier: Apache-2.0
#include "endpoint_table.hpp"

namespace sdk::idlc {

std::string endpoint_lines(const lang::ProcessClass& process) {
    std::string text;
    const auto add = [&](const std::string& name, std::uint16_t number) {
        text += process.name + " " + name + " " + std::to_string(number) + "\n";
    };
    for (const lang::Endpoint& endpoint : process.endpoints) {
        const std::string& owner =
            endpoint.component_types.empty() ? process.name : endpoint.component_types.back();
        // npos + 1 is 0: without a dot the path is the name.
        add(owner + "." + endpoint.path.substr(endpoint.path.rfind('.') + 1), endpoint.id);
        add(endpoint.path, endpoint.id);
    }
    return text;
}

}  // namespace sdk::idlc
