// SPDX-License-Identifier: Apache-2.0
#include <musl_errno.h>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/kernel.hpp>

namespace sdk::posix {

s64 random_bytes(const Call& call) {
    auto* target = pointer<u8>(call.word[0]);
    const u64 size = call.word[1];
    for (u64 done = 0; done < size;) {
        const auto drawn = hal().GetEntropy();
        if (!drawn.ok()) {
            return done != 0 ? static_cast<s64>(done) : failure(drawn.status());
        }
        const u64 words[]{drawn.value().a, drawn.value().b, drawn.value().c, drawn.value().d};
        const u64 count = size - done < sizeof(words) ? size - done : sizeof(words);
        __builtin_memcpy(target + done, words, count);
        done += count;
    }
    return static_cast<s64>(size);
}

}  // namespace sdk::posix
