// SPDX-License-Identifier: Apache-2.0
// Tests of kl.drivers.Block itself, without the client that behaves.
#pragma once

#include "pattern.hpp"

namespace disks {

/// What one session writes into its buffer or reads there, no other sees.
void sessions_are_apart(u32 channel, u16 endpoint, std::string_view disk);

/// Sectors, counts and offsets that a session must not use, and calls without one. `fixed`: a
/// read-only disk, or none.
void claims_are_checked(u32 channel, u16 endpoint, std::string_view disk, std::string_view fixed);

/// By Close, and by the last handle; all there can be, twice; and the buffer is gone.
void sessions_end(u32 channel, u16 endpoint, std::string_view disk);

}  // namespace disks
