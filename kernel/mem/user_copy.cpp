// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <kernel/mem/user_copy.hpp>

namespace kernel {

namespace {

u64 up_to_page_end(UserAddr at, u64 size) {
    const u64 room = base::kPageSize - at.page_offset();
    return size < room ? size : room;
}

}  // namespace

Result<void> copy_from_user(const arch::PageTable& space, UserAddr from, void* to, u64 size) {
    auto* out = static_cast<unsigned char*>(to);
    while (size > 0) {
        TRY_VALUE(const PhysAddr source, space.find(from, arch::Intent::Read));
        const u64 chunk = up_to_page_end(from, size);
        arch::copy_bytes(out, arch::linear<unsigned char>(source), chunk);
        from = from + Bytes{chunk};
        out += chunk;
        size -= chunk;
    }
    return {};
}

Result<void> copy_to_user(const arch::PageTable& space, UserAddr to, const void* from, u64 size) {
    const auto* in = static_cast<const unsigned char*>(from);
    while (size > 0) {
        TRY_VALUE(const PhysAddr target, space.find(to, arch::Intent::Write));
        const u64 chunk = up_to_page_end(to, size);
        arch::copy_bytes(arch::linear<unsigned char>(target), in, chunk);
        to = to + Bytes{chunk};
        in += chunk;
        size -= chunk;
    }
    return {};
}

Fault copy_across(const arch::PageTable& from_space,
                  UserAddr from,
                  const arch::PageTable& to_space,
                  UserAddr to,
                  u64 size) {
    while (size > 0) {
        const auto source = from_space.find(from, arch::Intent::Read);
        if (!source.ok()) {
            return Fault::Source;
        }
        const auto target = to_space.find(to, arch::Intent::Write);
        if (!target.ok()) {
            return Fault::Target;
        }
        const u64 chunk = up_to_page_end(to, up_to_page_end(from, size));
        if (source.value().page_base() == target.value().page_base()) {
            // Two views of one frame: the bytes may overlap, which copy_linear does not allow.
            __builtin_memmove(arch::linear<void>(target.value()),
                              arch::linear<const void>(source.value()),
                              chunk);
        } else {
            arch::copy_linear(target.value(), source.value(), Bytes{chunk});
        }
        from = from + Bytes{chunk};
        to = to + Bytes{chunk};
        size -= chunk;
    }
    return Fault::None;
}

}  // namespace kernel
