// SPDX-License-Identifier: Apache-2.0
// The driver's process but for its entry: all block devices among the transports that its start
// block lists.
#pragma once

#include <kernel/base/types.hpp>
#include <runtime/start_block.hpp>

namespace svc::virtio_blk {

/// Serves until the listener is lost; gives the exit code.
base::s32 run(const sdk::StartBlock& start);

}  // namespace svc::virtio_blk
