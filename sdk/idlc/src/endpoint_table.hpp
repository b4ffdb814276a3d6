// SPDX-License-Identifier: Apache-2.0
// Names of endpoints for the service locator of C programs: a text file, one name a line.
//
//   lab.Plant lab.Actuator.valve 0     class, class of the component and endpoint, number
//   lab.Plant act.valve 0              class, path of the endpoint, number
//
// An endpoint that stands in the class itself is <class>.<endpoint> and <endpoint>. Where a
// component occurs twice in a class, its class names the first one.
#pragma once

#include <lang/model.hpp>
#include <string>

namespace sdk::idlc {

/// The lines of one class.
[[nodiscard]] std::string endpoint_lines(const lang::ProcessClass& process);

}  // namespace sdk::idlc
