// SPDX-License-Identifier: Apache-2.0
// A process that serves files. ROOTFS and `-l ENTRY` arguments say what it mounts, each a line as
// in an fstab: device, directory, kind, options. Directories that lack are made where that is
// possible.
#pragma once

#include <runtime/start_block.hpp>

namespace svc::vfs {

/// Mounts and serves until the listener is unusable. The exit code.
base::s32 run(const sdk::StartBlock& start);

}  // namespace svc::vfs
