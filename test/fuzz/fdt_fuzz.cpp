// SPDX-License-Identifier: Apache-2.0
// Any bytes as a device tree: our reader and libfdt agree, and neither leaves the blob.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <test/unit/kernel/base/fdt_compare.hpp>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const base::u8* data, std::size_t size) {
    // libfdt wants 8-byte alignment; the copy ends where the data does, so that ASan sees overruns.
    auto* copy = static_cast<base::u8*>(std::malloc(size == 0 ? 1 : size));
    std::memcpy(copy, data, size);
    const std::string difference = fdt_test::compare_with_libfdt({copy, size});
    if (!difference.empty()) {
        std::fprintf(stderr, "fdt: %s\n", difference.c_str());
        std::abort();
    }
    std::free(copy);
    return 0;
}
