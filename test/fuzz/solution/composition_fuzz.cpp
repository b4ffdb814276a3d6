// SPDX-License-Identifier: Apache-2.0
// init.yaml under random text: each input is read or refused with a place, and never crashes.
#include <cstdint>
#include <cstdlib>
#include <sdk/imagec/component.hpp>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    for (const auto macros :
         {sdk::imagec::MacroIds::MustResolve, sdk::imagec::MacroIds::MayStayNames}) {
        const auto parsed = sdk::imagec::parse_init_yaml(text, "init.yaml", {}, macros);
        if (!parsed.ok() && (parsed.failures().empty() || parsed.failure().cause.empty())) {
            std::abort();
        }
    }
    return 0;
}
