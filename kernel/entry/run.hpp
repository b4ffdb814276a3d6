// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace arch {

struct Frame;

}  // namespace arch

namespace kernel {

/// Enters the scheduler on this CPU for the first time.
[[noreturn]] void run_forever();

}  // namespace kernel
