// SPDX-License-Identifier: Apache-2.0
// A node of one of the mounted file systems.
#pragma once

#include <services/storage/file_system.hpp>

namespace svc::vfs {

using base::s32;
using base::s64;
using base::u16;
using base::u32;
using base::u64;
using base::u8;
using storage::Attributes;
using storage::Error;
using storage::FileSystem;
using storage::Kind;
using storage::Node;
using storage::Result;

/// `node` zero: nowhere.
struct Place {
    u32 mount = 0;
    Node node{};

    [[nodiscard]] bool is_somewhere() const { return node.value != 0; }

    friend constexpr bool operator==(Place, Place) = default;
};

}  // namespace svc::vfs
