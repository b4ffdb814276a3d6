// SPDX-License-Identifier: Apache-2.0
// From the model to the text of each generated header. Pure functions: same model, same text.
#pragma once

#include <lang/model.hpp>
#include <string>

namespace sdk::idlc {

/// What all headers of one run share.
struct Style {
    std::string manifest;  ///< header that every other includes, so that builds see changes; or ""
};

[[nodiscard]] std::string emit_types(const lang::Package& package, const Style& style);
[[nodiscard]] std::string emit_views(const lang::Package& package, const Style& style);
[[nodiscard]] std::string emit_client(const lang::Package& package, const Style& style);
[[nodiscard]] std::string emit_server(const lang::Package& package, const Style& style);

/// The packages of the implicit endpoints, in the order of lang::kImplicitEndpoints.
struct ImplicitPackages {
    const lang::Package* packages[3] = {};
};

/// x/Y.endpoints.hpp: for clients and the kernel.
[[nodiscard]] std::string emit_endpoints(const lang::ProcessClass& process,
                                         const ImplicitPackages& implicit,
                                         const Style& style);

/// x/Y.edl.hpp: for the process itself.
[[nodiscard]] std::string
emit_class(const lang::ProcessClass& process, const ImplicitPackages& implicit, const Style& style);

}  // namespace sdk::idlc
