// SPDX-License-Identifier: Apache-2.0
// Templates under random text: expansion ends, and what it made has no token left that was defined.
#include <cstdint>
#include <cstdlib>
#include <sdk/policy/template.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sdk::policy;
    const std::string text(data, data + size);
    static_cast<void>(parse_definition(text));
    const Definitions definitions{{"ROOTFS", "kl.VfsNet"},
                                  {"INIT_EXTERNAL_ENTITIES", "use a._\nuse b._"},
                                  {"QEMU", "TRUE"},
                                  {"NAME", "x"},
                                  {"ENV+", ""}};
    for (const Undefined undefined : {Undefined::Stays, Undefined::Nothing}) {
        const Expansion once = expand(text, definitions, undefined);
        if (once.text.size() > text.size() * 16 + 64) {
            std::abort();
        }
        // Lines may join where one token follows another; whole tokens may not stay.
        if (undefined == Undefined::Nothing && text.find("@@") == std::string::npos &&
            text.find("{") == std::string::npos && text.find("$") == std::string::npos &&
            once.text.find("@ROOTFS@") != std::string::npos) {
            std::abort();
        }
    }
    return 0;
}
